"""The README's commands and its Python are run as they stand, on a copy of the samples."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from spriteface.cli import COMMANDS, main

FENCE = re.compile(r"^```(sh|python)\n(.*?)^```", re.M | re.S)


def blocks(root: Path, language: str) -> list[str]:
    return [
        code for kind, code in FENCE.findall((root / "README.md").read_text()) if kind == language
    ]


def commands(root: Path) -> list[list[str]]:
    lines = (line for block in blocks(root, "sh") for line in block.splitlines())
    return [shlex.split(line, comments=True) for line in lines if line.strip()]


@pytest.fixture
def workplace(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(root / "samples", tmp_path / "samples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_command_works(root: Path, workplace: Path) -> None:
    ours = [words for words in commands(root) if words[0] == "spriteface"]
    assert len(ours) >= 3
    for words in ours:
        with pytest.raises(SystemExit) as stop:
            main(words[1:])
        assert not stop.value.code, words
        if "-o" in words:
            assert any(Path(words[words.index("-o") + 1]).iterdir()), words


def test_make_targets_exist(root: Path) -> None:
    makefile = (root / "Makefile").read_text()
    targets = [words[1] for words in commands(root) if words[0] == "make"]
    assert {"demo", "test"} <= set(targets)
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_the_python_works(root: Path, workplace: Path) -> None:
    (code,) = blocks(root, "python")
    exec(compile(code, "README.md", "exec"), {})
    assert (workplace / "out" / "elf.png").stat().st_size > 10_000


def test_links_lead_somewhere(root: Path) -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#]+?)\)", (root / name).read_text()):
            if not target.startswith("http"):
                assert (root / target).exists(), f"{name} links to {target}"


def test_every_command_is_documented_in_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)
