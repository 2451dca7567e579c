"""Putting the plug-ins where the editors look for them, and taking them away again.

GIMP loads `plug-ins/NAME/NAME.py` with the executable bit and says nothing where one of the two is
not right; Aseprite ignores extensions that are links. So folders are copied, whole, and swapped in
at once. Beside each plug-in lies a launch file that tells it how to start this engine.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import ServiceError
from . import places

GIMP_NAME = "spriteface-bridge"
ASEPRITE_NAME = "spriteface"
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".*", "tests", "connection.lua")


@dataclass(frozen=True)
class Home:
    """A folder in which an editor looks for plug-ins, and who looks there."""

    editor: str  # gimp, aseprite
    folder: Path  # .../plug-ins, .../extensions
    about: str

    @property
    def plugin(self) -> Path:
        return self.folder / (GIMP_NAME if self.editor == "gimp" else ASEPRITE_NAME)

    @property
    def launch_file(self) -> Path:
        return self.plugin / ("engine.json" if self.editor == "gimp" else "engine.lua")


def plugin_source(editor: str) -> Path:
    """The plug-in as shipped: in the wheel, else in the checkout.

    Raises:
        ServiceError: neither is there.
    """
    package = Path(__file__).resolve().parents[1]
    inner = f"gimp/{GIMP_NAME}" if editor == "gimp" else "aseprite"
    marker = f"{GIMP_NAME}.py" if editor == "gimp" else "package.json"
    for base in (package / "_plugins", package.parent / "plugins"):
        if (base / inner / marker).is_file():
            return base / inner
    raise ServiceError(
        f"the {editor} plug-in is not in this installation ({package})", "install spriteface anew"
    )


def gimp_homes(
    home: Path | None = None,
    environment: Mapping[str, str] | None = None,
    platform: str = sys.platform,
) -> list[Home]:
    """The plug-in folders of every GIMP 3 profile there is, newest first."""
    home, env = home or Path.home(), os.environ if environment is None else environment
    if "GIMP3_DIRECTORY" in env:
        return [Home("gimp", Path(env["GIMP3_DIRECTORY"]) / "plug-ins", "GIMP3_DIRECTORY")]
    config = Path(env.get("XDG_CONFIG_HOME") or home / ".config")
    roaming = Path(env.get("APPDATA") or home / "AppData/Roaming")
    local = Path(env.get("LOCALAPPDATA") or home / "AppData/Local")
    places_by_platform: dict[str, list[tuple[str, Iterable[Path]]]] = {
        "win32": [
            ("GIMP", [roaming / "GIMP"]),
            (
                "GIMP of the Microsoft Store",
                local.glob("Packages/GIMP.*/LocalCache/Roaming/GIMP"),
            ),
        ],
        "darwin": [("GIMP", [home / "Library/Application Support/GIMP"])],
        "linux": [
            ("GIMP (system or AppImage)", [config / "GIMP"]),
            ("GIMP of Flatpak", [home / ".var/app/org.gimp.GIMP/config/GIMP"]),
            ("GIMP of Snap", home.glob("snap/gimp/*/.config/GIMP")),
        ],
    }
    found: list[Home] = []
    for about, bases in places_by_platform.get(platform, places_by_platform["linux"]):
        for base in bases:
            if base.parent.name == "current" or not base.parent.is_symlink():
                profiles = [p for p in base.glob("3.*") if p.is_dir()]
                found += [
                    Home("gimp", profile / "plug-ins", f"{about} {profile.name}")
                    for profile in sorted(profiles, reverse=True)
                ]
    return found


def aseprite_homes(
    home: Path | None = None,
    environment: Mapping[str, str] | None = None,
    platform: str = sys.platform,
) -> list[Home]:
    """The extension folders of every Aseprite there is."""
    home, env = home or Path.home(), os.environ if environment is None else environment
    if "ASEPRITE_USER_FOLDER" in env:
        folder = Path(env["ASEPRITE_USER_FOLDER"]) / "extensions"
        return [Home("aseprite", folder, "ASEPRITE_USER_FOLDER")]
    roaming = Path(env.get("APPDATA") or home / "AppData/Roaming")
    config = Path(env.get("XDG_CONFIG_HOME") or home / ".config")
    base = {
        "win32": roaming / "Aseprite",
        "darwin": home / "Library/Application Support/Aseprite",
    }.get(platform, config / "aseprite")
    return [Home("aseprite", base / "extensions", "Aseprite")] if base.is_dir() else []


def given_home(editor: str, folder: Path) -> Home:
    """A home from the command line: the profile, or the folder for plug-ins in it."""
    inner = "plug-ins" if editor == "gimp" else "extensions"
    return Home(editor, folder if folder.name == inner else folder / inner, "given")


def install(home: Home) -> Path:
    """Put the plug-in into a home, in place of an older one; its folder.

    Raises:
        ServiceError: the folder can't be written.
    """
    source = plugin_source(home.editor)
    new = home.folder / f".{home.plugin.name}.new"
    old = home.folder / f".{home.plugin.name}.old"
    try:
        home.folder.mkdir(parents=True, exist_ok=True)
        for rest in (new, old):
            shutil.rmtree(rest, ignore_errors=True)
        shutil.copytree(source, new, ignore=_LEFT_OUT)
        _complete(home, new)
        if home.plugin.is_symlink() or home.plugin.is_file():
            home.plugin.unlink()
        elif home.plugin.exists():
            home.plugin.rename(old)
        new.rename(home.plugin)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise ServiceError(
            f"cannot write {home.folder}: {error}", "close the editor, check the permissions"
        ) from error
    _remember(home, installed=True)
    return home.plugin


def _complete(home: Home, folder: Path) -> None:
    """What is not in the shipped folder: shared modules, the launch file, the executable bit."""
    if home.editor == "aseprite":
        (folder / "engine.lua").write_text(places.lua_table(places.launch()), encoding="utf-8")
        return
    here = Path(__file__).resolve().parent
    for module in ("wire.py", "client.py"):
        shutil.copyfile(here / module, folder / "spriteface_bridge" / module)
    (folder / "engine.json").write_text(json.dumps(places.launch(), indent=1), encoding="utf-8")
    script = folder / f"{GIMP_NAME}.py"
    script.chmod(script.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def uninstall(home: Home) -> bool:
    """Remove the plug-in from a home; whether there was one."""
    there = home.plugin.is_dir() and not home.plugin.is_symlink()
    if there:
        try:
            shutil.rmtree(home.plugin)
        except OSError as error:
            raise ServiceError(
                f"cannot remove {home.plugin}: {error}", "close the editor"
            ) from error
    _remember(home, installed=False)
    return there


def _remember(home: Home, *, installed: bool) -> None:
    known = places.installed_plugins()
    folder = str(home.plugin)
    known[home.editor] = [other for other in known[home.editor] if other != folder]
    if installed:
        known[home.editor].append(folder)
    places.remember_plugins(known)


def remembered_homes() -> list[Home]:
    """Where earlier runs installed, the given folders included."""
    return [
        Home(editor, Path(folder).parent, "installed earlier")
        for editor, folders in places.installed_plugins().items()
        for folder in folders
    ]


def all_homes() -> list[Home]:
    """Found and remembered, each once."""
    homes = {home.plugin: home for home in [*remembered_homes(), *gimp_homes(), *aseprite_homes()]}
    return list(homes.values())


def installed_version(home: Home) -> str:
    """Of the plug-in in a home; empty where there is none."""
    try:
        text = home.launch_file.read_text(encoding="utf-8")
    except OSError:
        return "" if not home.plugin.exists() else "unknown"
    if home.editor == "gimp":
        try:
            return str(json.loads(text)["version"])
        except (ValueError, KeyError):
            return "unknown"
    for line in text.splitlines():
        if line.strip().startswith("version = "):
            return line.partition("= ")[2].strip(' ",')
    return "unknown"
