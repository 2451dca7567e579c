"""The plug-ins find their places, from a checkout and from a wheel, and `doctor` finds what is wrong."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from spriteface._version import __version__
from spriteface.cli.install_plugins import install_plugins
from spriteface.errors import ServiceError
from spriteface.service import doctor, install, places

from .service_tools import ROOT


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of the test's own."""
    for name in ("GIMP3_DIRECTORY", "ASEPRITE_USER_FOLDER", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("SPRITEFACE_STATE", str(tmp_path / "state"))
    return tmp_path


def _run(*words: str) -> Result:
    return CliRunner().invoke(install_plugins, list(words), catch_exceptions=False)


def _profile(home: Path, version: str = "3.0") -> Path:
    folder = home / ".config" / "GIMP" / version
    folder.mkdir(parents=True)
    return folder


# --- finding


@pytest.mark.parametrize(
    ("platform", "profile", "said"),
    [
        ("linux", ".config/GIMP/3.0", "system"),
        ("linux", ".config/GIMP/3.2", "3.2"),
        ("linux", ".var/app/org.gimp.GIMP/config/GIMP/3.0", "Flatpak"),
        ("linux", "snap/gimp/512/.config/GIMP/3.0", "Snap"),
        ("darwin", "Library/Application Support/GIMP/3.0", "GIMP 3.0"),
        ("win32", "AppData/Roaming/GIMP/3.0", "GIMP 3.0"),
        ("win32", "AppData/Local/Packages/GIMP.Foo_1/LocalCache/Roaming/GIMP/3.0", "Store"),
    ],
)
def test_every_kind_of_gimp_is_found(home: Path, platform: str, profile: str, said: str) -> None:
    (home / profile).mkdir(parents=True)
    (home / profile).with_name("2.10").mkdir()
    [found] = install.gimp_homes(home, {}, platform)
    assert found.folder == home / profile / "plug-ins"
    assert said in found.about


def test_the_environment_names_other_places(home: Path) -> None:
    given = {"GIMP3_DIRECTORY": str(home / "a"), "ASEPRITE_USER_FOLDER": str(home / "b")}
    assert install.gimp_homes(home, given)[0].folder == home / "a" / "plug-ins"
    assert install.aseprite_homes(home, given)[0].folder == home / "b" / "extensions"
    (home / "x" / "GIMP" / "3.2").mkdir(parents=True)
    [found] = install.gimp_homes(home, {"XDG_CONFIG_HOME": str(home / "x")}, "linux")
    assert found.folder.parent.name == "3.2"


@pytest.mark.parametrize(
    ("platform", "folder"),
    [
        ("linux", ".config/aseprite"),
        ("darwin", "Library/Application Support/Aseprite"),
        ("win32", "AppData/Roaming/Aseprite"),
    ],
)
def test_aseprite_is_found(home: Path, platform: str, folder: str) -> None:
    assert install.aseprite_homes(home, {}, platform) == []
    (home / folder).mkdir(parents=True)
    [found] = install.aseprite_homes(home, {}, platform)
    assert found.plugin == home / folder / "extensions" / "spriteface"


# --- installing


def test_gimp_gets_all_it_needs(home: Path) -> None:
    profile = _profile(home)
    assert "Filters > Spriteface" in _run().output
    plugin = profile / "plug-ins" / "spriteface-bridge"
    script = plugin / "spriteface-bridge.py"
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/usr/bin/env python3\n")
    for module in ("wire", "client"):
        shipped = ROOT / "spriteface" / "service" / f"{module}.py"
        assert (plugin / "spriteface_bridge" / f"{module}.py").read_text() == shipped.read_text()
    launch = json.loads((plugin / "engine.json").read_text())
    assert launch["command"][0] == sys.executable
    assert launch["state"] == str(home / "state" / "engine.json")
    assert launch["version"] == __version__
    assert not list(plugin.rglob("__pycache__"))
    assert f"installed, {__version__}" in _run("--list").output


def test_again_replaces_the_old_one_whole(home: Path) -> None:
    profile = _profile(home)
    _run()
    plugin = profile / "plug-ins" / "spriteface-bridge"
    (plugin / "left_over.py").touch()
    _run()
    assert not (plugin / "left_over.py").exists()
    assert [p.name for p in plugin.parent.iterdir()] == ["spriteface-bridge"]


def test_given_folders_are_remembered_and_taken_away_again(home: Path) -> None:
    _run("--gimp", str(home / "elsewhere"))
    plugin = home / "elsewhere" / "plug-ins" / "spriteface-bridge"
    assert plugin.is_dir()
    assert str(plugin) in _run("--list").output
    assert "removed" in _run("--uninstall").output
    assert not plugin.exists()
    with pytest.raises(ServiceError, match="neither"):
        _run("--uninstall")


def test_aseprite_gets_a_folder_with_its_launch_file(home: Path) -> None:
    _run("--aseprite", str(home / "ase"))
    plugin = home / "ase" / "extensions" / "spriteface"
    assert (plugin / "package.json").is_file()
    text = (plugin / "engine.lua").read_text()
    assert text.startswith("return {")
    assert sys.executable in text
    places.announce(places.connection(1234, "secret"))
    for folder in (plugin, home / "state"):
        assert 'token = "secret"' in (folder / "connection.lua").read_text()
    places.withdraw()
    assert not (plugin / "connection.lua").exists()
    assert install.installed_version(install.given_home("aseprite", home / "ase")) == __version__


def test_lua_tables_keep_odd_strings() -> None:
    lupa = pytest.importorskip("lupa")
    values = {"a": 'C:\\x "y"\n\t\x01ü', "b": 3, "c": ["one", "t'wo"]}
    table = lupa.LuaRuntime(encoding="utf-8").execute(places.lua_table(values))
    assert (table.a, table.b, list(table.c.values())) == ('C:\\x "y"\n\t\x01ü', 3, values["c"])


def test_nothing_found_says_what_to_do() -> None:
    with pytest.raises(ServiceError, match="start the editor once") as missing:
        _run()
    assert missing.value.exit_code == 6


def test_a_folder_that_cannot_be_written(home: Path) -> None:
    (home / "profile").mkdir()
    (home / "profile" / "plug-ins").touch()
    with pytest.raises(ServiceError, match="cannot write"):
        _run("--gimp", str(home / "profile"))


def test_a_wheel_brings_the_plugins_along(home: Path, tmp_path: Path) -> None:
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed, so no wheel can be built offline")
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "w")]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True, timeout=120)
    [wheel] = (tmp_path / "w").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    profile = _profile(home)
    done = subprocess.run(
        [sys.executable, "-m", "spriteface", "install-plugins"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert str(profile) in done.stdout
    assert os.access(profile / "plug-ins" / "spriteface-bridge" / "spriteface-bridge.py", os.X_OK)
    assert (tmp_path / "site" / "spriteface" / "_plugins" / "aseprite" / "package.json").is_file()


# --- doctor


def _problems(home: install.Home) -> str:
    found = doctor.examine_gimp(home)
    return "\n".join(f"{f.what} -> {f.remedy}" for f in found if f.state == "problem")


@pytest.fixture
def installed(home: Path) -> install.Home:
    it = install.given_home("gimp", _profile(home))
    install.install(it)
    return it


def test_a_sound_plugin_has_no_problem(installed: install.Home) -> None:
    assert _problems(installed) == ""


def test_doctor_sees_what_gimp_ignores_in_silence(installed: install.Home) -> None:
    script = installed.plugin / "spriteface-bridge.py"
    script.chmod(0o644)
    assert "not executable" in _problems(installed)
    assert f"chmod +x {script}" in _problems(installed)
    script.chmod(0o755)
    (installed.folder / "spriteface-bridge.py").touch()
    assert "wrong place" in _problems(installed)
    script.unlink()
    assert "lacks spriteface-bridge.py" in _problems(installed)
    install.uninstall(installed)
    assert "is not in" in _problems(installed)


def test_doctor_sees_a_stale_installation(installed: install.Home) -> None:
    launch = json.loads(installed.launch_file.read_text())
    for change, said in (
        ({"version": "0.0.1"}, "version 0.0.1"),
        ({"command": ["/gone/python"]}, "/gone/python, which is gone"),
        ({"state": "/elsewhere/engine.json"}, "looks for the engine at /elsewhere"),
    ):
        installed.launch_file.write_text(json.dumps({**launch, **change}))
        assert said in _problems(installed)
        assert "install-plugins" in _problems(installed)
    installed.launch_file.write_text("{")
    assert "broken" in _problems(installed)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere GIMP brings its own Python")
def test_doctor_sees_a_python_without_gi(
    installed: install.Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("gimp", "python3"):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert "has no gi" in _problems(installed)


def test_doctor_reads_what_gimp_registered(installed: install.Home) -> None:
    record = installed.folder.parent / "pluginrc"
    record.write_text("(plug-in-def spriteface-bridge)")
    os.utime(record, (time.time() + 60, time.time() + 60))
    assert "did not register" in _problems(installed)
    record.write_text('(plug-in-def (proc-def "spriteface-portrait"))')
    assert _problems(installed) == ""
    [said] = [f.what for f in doctor.examine_gimp(installed) if "registered" in f.what]
    assert "Filters > Spriteface" in said


def test_doctor_without_an_engine(installed: install.Home) -> None:
    [finding] = doctor.examine_engine(start=False)
    assert finding.state == "note"
    assert "spriteface serve" in finding.remedy


def test_doctor_starts_and_measures_the_engine(installed: install.Home, home: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-m", "spriteface"]
    try:
        done = subprocess.run(
            [*words, "doctor"],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "round trip of a 64x64 picture" in done.stdout, done.stdout + done.stderr
        assert f"ok      engine {__version__}" in done.stdout
        (installed.plugin / "spriteface-bridge.py").chmod(0o644)
        done = subprocess.run(
            [*words, "doctor"],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 6
        assert "PROBLEM" in done.stdout
    finally:
        subprocess.run([*words, "serve", "--stop"], env=environment, cwd=ROOT, check=True)
