"""The Aseprite extension's own Lua under a real Lua 5.4, against a strict stand-in of the API.

The scenarios are Lua files in tests/aseprite; each of their tests runs in a process of its own, on
the oldest script API that the extension supports and on a new one, whose images have padded rows.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "aseprite"
LUA = shutil.which("lua5.4")
VERSIONS = {"api25": ("api=25", "align=1"), "api40-padded": ("api=40", "align=16")}

pytestmark = pytest.mark.skipif(LUA is None, reason="needs lua5.4 (apt install lua5.4)")


def _scenarios() -> list[tuple[str, str]]:
    return [
        (path.name, name)
        for path in sorted(HERE.glob("test_*.lua"))
        for name in re.findall(r"^function tests\.(\w+)", path.read_text("utf-8"), re.MULTILINE)
    ]


def run_scenario(file: str, name: str, *options: str) -> str:
    """What a scenario's process prints; "ok" where all is well."""
    assert LUA is not None
    done = subprocess.run(
        [LUA, str(HERE / "run.lua"), str(HERE / file), name, *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return (done.stdout + done.stderr).strip()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("file", "name"), _scenarios(), ids=lambda part: str(part))
def test_scenario(file: str, name: str, version: str) -> None:
    assert run_scenario(file, name, *VERSIONS[version]) == "ok"


def test_a_scenario_can_fail(tmp_path: Path) -> None:
    for body, expected in {
        "kit.equal(1, 2, 'one')": "one: 1 is not 2",
        "pcall(function() return host.ui.Dialog { no = 1 } end)": "option no is not documented",
        "host.core.print('lost')": "errors on the console",
    }.items():
        path = tmp_path / "test_bad.lua"
        path.write_text(f"function tests.bad() {body} end")
        assert expected in run_scenario(str(path), "bad")


def test_no_privileged_call_outside_its_file(root: Path) -> None:
    """One file, so that the permission question comes once."""
    privileged = re.compile(
        r"\bio\.(open|popen|lines|input|output)\b|\bos\.(execute|remove|rename)\b|\bWebSocket\s*[{(]"
        r"|fromFile|:saveAs\b|:saveCopyAs\b|:loadPalette\b|\bapp\.(open|clipboard)\b|loadlib"
    )
    guilty = {
        path.name
        for path in (root / "plugins/aseprite").glob("*.lua")
        for line in path.read_text("utf-8").splitlines()
        if privileged.search(line.split("--", 1)[0])
    }
    assert guilty == {"privileged.lua"}


def test_no_privileged_tail_call(root: Path) -> None:
    """A tail call leaves Aseprite no frame to see which file asks."""
    text = (root / "plugins/aseprite/privileged.lua").read_text("utf-8")
    code = "\n".join(line.split("--", 1)[0] for line in text.splitlines())
    calls = r"(?:io\.\w+|os\.(?:execute|remove|rename)|WebSocket|Image|\w+:save\w+)"
    assert not re.findall(rf"return\s+{calls}\s*[({{]", code)
    assert not re.findall(rf"x?pcall\(\s*{calls}\s*[,)]", code)


def test_parses_with_the_lua_of_old_versions(root: Path) -> None:
    """An old Aseprite (Lua 5.3) must get as far as saying that it is too old."""
    lua53 = pytest.importorskip("lupa.lua53")
    for path in sorted((root / "plugins/aseprite").glob("*.lua")):
        lua53.LuaRuntime().compile(path.read_text("utf-8"))
