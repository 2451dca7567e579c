"""The extension file: reproducible, complete, and in the wheel."""

from __future__ import annotations

import importlib.util
import io
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from spriteface._version import __version__


@pytest.fixture(scope="module")
def builder(root: Path) -> ModuleType:
    path = root / "tools/build_aseprite_extension.py"
    spec = importlib.util.spec_from_file_location("build_aseprite_extension", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_same_bytes_wherever_it_is_built(builder: ModuleType, root: Path, tmp_path: Path) -> None:
    """Other dates, modes, line ends and order of files change nothing."""
    copy = tmp_path / "checkout"
    (copy / "spriteface").mkdir(parents=True)
    shutil.copy(root / "LICENSE", copy)
    shutil.copy(root / "spriteface/_version.py", copy / "spriteface")
    plugin = copy / "plugins/aseprite"
    plugin.mkdir(parents=True)
    for path in sorted((root / "plugins/aseprite").iterdir(), reverse=True):
        if path.is_file():
            (plugin / path.name).write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
            (plugin / path.name).chmod(0o700)
    (plugin / "connection.lua.swp").write_text("an editor's rest")
    assert builder.build(plugin, copy) == builder.build()


def test_what_is_in_it(builder: ModuleType) -> None:
    with zipfile.ZipFile(io.BytesIO(builder.build())) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        package = json.loads(archive.read("package.json"))
    assert names == sorted(names)
    assert {"package.json", "main.lua", "headless.lua", "privileged.lua", "LICENSE"} <= set(names)
    assert not any("/" in name for name in names), "package.json must lie at the root"
    assert package["name"] == "spriteface"
    assert package["version"] == __version__
    assert package["contributes"]["scripts"] == [{"path": "./main.lua"}]


def test_every_module_required_is_in_it(builder: ModuleType) -> None:
    import re

    files = builder.extension_files()
    for name, data in files.items():
        for module in re.findall(rb'require "(\w+)"', data):
            assert f"{module.decode()}.lua" in files, f"{name} requires {module.decode()}"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": "0.0.9"}, "0.0.9"),
        ({"contributes": {"scripts": [{"path": "./gone.lua"}]}}, "gone.lua"),
        ({"license": None}, "license"),
    ],
)
def test_refuses_what_does_not_fit(
    builder: ModuleType, root: Path, tmp_path: Path, change: dict[str, object], words: str
) -> None:
    plugin = tmp_path / "aseprite"
    shutil.copytree(root / "plugins/aseprite", plugin)
    package = {**json.loads((plugin / "package.json").read_text()), **change}
    package = {key: value for key, value in package.items() if value is not None}
    (plugin / "package.json").write_text(json.dumps(package))
    with pytest.raises(builder.BuildError, match=words):
        builder.build(plugin, root)


def test_one_command(root: Path, tmp_path: Path, builder: ModuleType) -> None:
    output = tmp_path / "out" / builder.NAME
    tool = root / "tools/build_aseprite_extension.py"
    subprocess.run([sys.executable, str(tool), "-o", str(output)], check=True, capture_output=True)
    assert output.read_bytes() == builder.build()


def test_in_the_wheel(root: Path, tmp_path: Path, builder: ModuleType) -> None:
    """The wheel has the folder for `install-plugins` and the file for Aseprite's own dialog."""
    pytest.importorskip("hatchling")
    code = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    with zipfile.ZipFile(tmp_path / done.stdout.split()[-1]) as wheel:
        names = set(wheel.namelist())
        assert wheel.read(f"spriteface/_plugins/{builder.NAME}") == builder.build()
    for name in builder.extension_files():
        if name != "LICENSE":
            assert f"spriteface/_plugins/aseprite/{name}" in names
