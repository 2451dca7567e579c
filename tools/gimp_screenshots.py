"""Pictures of the plug-in in a real GIMP with a real window, for docs/gimp.md; and undo, pressed.

    python tools/gimp_screenshots.py OUT [SPRITE]

Needs root and a Debian mirror, see gimp_rootfs.sh. Runs a virtual X server, a window manager,
GIMP and our engine; clicks through the menu as a person would; writes OUT/*.png and prints what
undo did. Not part of the tests: windows take their time, and the pictures are for eyes.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from spriteface.service import install  # noqa: E402
from spriteface.service.client import Client  # noqa: E402
from tests.service_tools import engine, wait_for  # noqa: E402

DISPLAY = ":77"
UNDO = """
import subprocess, time, json
from gi.repository import Gimp
image = Gimp.get_images()[0]
layer = image.get_layers()[0]
def names(): return [l.get_name() for l in image.get_layers()]
def press(keys):
    window = subprocess.run(["xdotool", "search", "--name", "GIMP$"], capture_output=True, text=True)
    subprocess.run(["xdotool", "windowactivate", "--sync", window.stdout.split()[-1]])
    subprocess.run(["xdotool", "key", keys])
    time.sleep(1.5)
before = names()
out = {"before": before}
p = Gimp.get_pdb().lookup_procedure("spriteface-portrait")
for output in ("layer", "canvas"):
    c = p.create_config()
    for key, value in (("run-mode", Gimp.RunMode.NONINTERACTIVE), ("image", image), ("size", 64),
                       ("steps", 1), ("output", output)):
        c.set_property(key, value)
    c.set_core_object_array("drawables", [layer])
    p.run(c)
    Gimp.displays_flush()
    size = image.get_width(), image.get_height()
    out[output] = [names(), size]
    press("ctrl+z")
    out[output + " undone"] = [names(), (image.get_width(), image.get_height())]
with open("/tmp/undo.json", "w") as file:
    json.dump(out, file)
"""
OPEN = """
from gi.repository import Gimp, Gio
image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path("/tmp/sprite.png"))
Gimp.Display.new(image)
"""


class Desktop:
    """The X server and what runs on it, inside the unpacked system."""

    def __init__(self, root: Path, out: Path) -> None:
        self.root, self.out = root, out
        self.running: list[subprocess.Popen[bytes]] = []

    def command(self, *words: str) -> list[str]:
        pairs = ["HOME=/root", "LANG=C.UTF-8", "PATH=/usr/bin:/bin", "XDG_RUNTIME_DIR=/tmp"]
        pairs += [f"DISPLAY={DISPLAY}", "GIMP3_DIRECTORY=/tmp/profile", "GDK_BACKEND=x11"]
        return ["chroot", str(self.root), "/usr/bin/env", "-i", *pairs, *words]

    def start(self, *words: str) -> None:
        log = (self.out / f"{Path(words[0]).name}.log").open("wb")
        self.running.append(subprocess.Popen(self.command(*words), stdout=log, stderr=log))

    def do(self, *words: str) -> str:
        try:
            done = subprocess.run(
                self.command(*words), capture_output=True, text=True, check=False, timeout=15
            )
        except subprocess.TimeoutExpired:
            return ""
        return done.stdout

    def window(self, name: str, seconds: float = 60) -> str:
        found = wait_for(
            lambda: self.do("xdotool", "search", "--onlyvisible", "--name", name).split(), seconds
        )
        return str(found[-1])

    def key(self, *keys: str, pause: float = 0.4) -> None:
        for key in keys:
            self.do("xdotool", "key", key)
            time.sleep(pause)

    def shoot(self, name: str, window: str = "root") -> None:
        """A picture of the screen or of a window, if it is still there."""
        if window != "root" and not self.do("xdotool", "getwindowname", window).strip():
            return
        taken = self.root / "tmp" / "shot.png"
        taken.unlink(missing_ok=True)
        self.do("import-im7.q16", "-window", window, "/tmp/shot.png")
        if taken.exists():
            shutil.copy(taken, self.out / f"{name}.png")

    def close(self) -> None:
        for process in reversed(self.running):
            process.terminate()
        for process in self.running:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def main() -> None:
    out = Path(sys.argv[1]).absolute()
    sprite = Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "samples" / "plumber.png"
    out.mkdir(parents=True, exist_ok=True)
    script = ROOT / "tools" / "gimp_rootfs.sh"
    found = subprocess.run(["sh", script, "--ui"], capture_output=True, text=True, check=True)
    root = Path(found.stdout.strip())
    state = root / "tmp" / "state"
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir()
    os.environ["SPRITEFACE_STATE"] = str(state)
    shutil.copy(sprite, root / "tmp" / "sprite.png")
    shutil.copy(ROOT / "samples" / "character_sheet.png", root / "tmp" / "frame.png")
    home = install.given_home("gimp", root / "tmp" / "profile")
    install.install(home)
    launch = json.loads(home.launch_file.read_text())
    home.launch_file.write_text(json.dumps({**launch, "state": "/tmp/state/engine.json"}))
    desktop = Desktop(root, out)
    try:
        with engine(state, "--idle-exit", "0") as running:
            wait_for(lambda: all(w["warm"] for w in running.client.status()["workers"]), 180)
            session(desktop)
    finally:
        desktop.close()


def session(desktop: Desktop) -> None:
    """What a person does: menu, dialog, progress, result, repeat, cancel; faces; undo."""
    for rest in (".X77-lock", "undo.json"):
        (desktop.root / "tmp" / rest).unlink(missing_ok=True)
    desktop.start("Xvfb", DISPLAY, "-screen", "0", "1280x860x24", "-nolisten", "tcp")
    wait_for(lambda: (desktop.root / "tmp" / ".X11-unix" / "X77").exists(), 20)
    desktop.start("openbox")
    sprite_window = start_gimp(desktop, OPEN)
    menu(desktop)
    desktop.shoot("menu")
    run_entry(desktop, 1)
    dialog = desktop.window("Portrait of the selected face")
    time.sleep(1)
    desktop.do("xdotool", "mousemove", "5", "850")
    time.sleep(1)
    desktop.shoot("dialog", dialog)
    accept(desktop, dialog)
    progress = desktop.window("Spriteface: ")
    for number in range(8):
        desktop.shoot(f"progress-{number:02}", progress)
        time.sleep(1.5)
    wait_for(lambda: not jobs(), 400)
    wait_for(lambda: desktop.do("xdotool", "search", "--name", "Untitled.-2"), 60)
    time.sleep(3)
    desktop.shoot("result")
    desktop.key("alt+1", "shift+ctrl+j", pause=1)  # back to the sprite's tab
    desktop.key("ctrl+f", pause=1)
    desktop.shoot("repeated")
    wait_for(lambda: not jobs(), 400)
    wait_for(lambda: desktop.do("xdotool", "search", "--name", "Untitled.-3"), 60)
    print("Ctrl+F made another image")
    desktop.key("alt+1", pause=1)

    menu(desktop)
    run_entry(desktop, 1)
    accept(desktop, desktop.window("Portrait of the selected face"))
    progress = desktop.window("Spriteface: ")
    wait_for(jobs, 30)
    time.sleep(0.5)
    desktop.do("xdotool", "windowactivate", "--sync", progress)
    began = time.monotonic()
    desktop.key("Escape", pause=0)
    wait_for(lambda: not jobs(), 20)
    print(f"cancelled in the window: {time.monotonic() - began:.2f} s, key and polling included")
    time.sleep(1)
    desktop.shoot("cancelled")
    desktop.do("xdotool", "windowactivate", "--sync", sprite_window)
    desktop.running.pop().kill()

    start_gimp(desktop, OPEN.replace("sprite.png", "frame.png"))
    menu(desktop)
    run_entry(desktop, 0)
    accept(desktop, desktop.window("Find faces"))
    time.sleep(3)
    wait_for(lambda: not jobs(), 100)
    time.sleep(3)
    desktop.shoot("faces")
    desktop.running.pop().kill()

    start_gimp(desktop, OPEN + UNDO)
    wait_for(lambda: (desktop.root / "tmp" / "undo.json").exists(), 400)
    time.sleep(0.5)
    print((desktop.root / "tmp" / "undo.json").read_text())


def jobs() -> list[object]:
    client = Client.from_file(os.environ["SPRITEFACE_STATE"] + "/engine.json")
    return [job for job in client.status()["jobs"] if job["state"] != "finished"]


def start_gimp(desktop: Desktop, script: str) -> str:
    """GIMP with the sprite open, its window in front; the window."""
    batch = ("--batch-interpreter", "python-fu-eval", "-b", script)
    desktop.start("gimp-3.0", "-n", "-d", "-f", "--no-splash", *batch)
    window = desktop.window("GIMP$", 120)
    with contextlib.suppress(AssertionError):
        welcome = desktop.window("Welcome to GIMP", 15)
        desktop.do("xdotool", "windowactivate", "--sync", welcome)
        desktop.key("Escape", pause=1)
    desktop.do("xdotool", "windowsize", window, "1280", "860")
    desktop.do("xdotool", "windowmove", window, "0", "0")
    desktop.do("xdotool", "windowactivate", "--sync", window)
    desktop.key("shift+ctrl+j", pause=1)  # fit the sprite to the window
    return window


def menu(desktop: Desktop) -> None:
    """Filters > Spriteface, the last entry."""
    desktop.key("alt+r", "Up", "Right", pause=0.7)


def run_entry(desktop: Desktop, number: int) -> None:
    desktop.key(*["Down"] * number, "Return")


def accept(desktop: Desktop, dialog: str) -> None:
    desktop.do("xdotool", "windowactivate", "--sync", dialog)
    desktop.key("Return", pause=0)


if __name__ == "__main__":
    main()
