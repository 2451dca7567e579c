"""A picture onto the clipboard, and a folder on the desktop, with what each platform has."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from ..errors import SinkError
from ..types import U8

SECONDS = 10.0


def copy_image(image: U8) -> str:
    """Put (H, W, 3) uint8 on the clipboard as PNG; words that say how.

    Raises:
        SinkError: this platform has no tool for it; names those that would do.
    """
    from PIL import Image

    data = io.BytesIO()
    Image.fromarray(image).save(data, "PNG")
    handle, name = tempfile.mkstemp(suffix=".png", prefix="spriteface-")
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data.getvalue())
        tool, *rest = _command(path)
        _run([tool, *rest], None if str(path) in " ".join(rest) else data.getvalue())
    finally:
        path.unlink(missing_ok=True)
    return "copied to the clipboard"


def _command(path: Path) -> list[str]:
    if sys.platform == "darwin":
        words = f'set the clipboard to (read (POSIX file "{path}") as «class PNGf»)'
        return ["osascript", "-e", words]
    if sys.platform == "win32":
        words = (
            "Add-Type -AssemblyName System.Windows.Forms,System.Drawing; "
            f"$i=[Drawing.Image]::FromFile('{path}'); "
            "[Windows.Forms.Clipboard]::SetImage($i); $i.Dispose()"
        )
        return ["powershell", "-NoProfile", "-STA", "-Command", words]
    wayland = bool(os.environ.get("WAYLAND_DISPLAY"))
    if wayland and shutil.which("wl-copy"):
        return ["wl-copy", "--type", "image/png"]
    if os.environ.get("DISPLAY") and shutil.which("xclip"):
        return ["xclip", "-selection", "clipboard", "-target", "image/png"]
    wanted = "wl-clipboard" if wayland else "xclip"
    raise SinkError("no tool for pictures on the clipboard was found", f"install {wanted}")


def _run(command: list[str], data: bytes | None) -> None:
    # the X11 tool stays behind to serve the picture and would keep a pipe open
    try:
        subprocess.run(
            command, input=data, check=True, timeout=SECONDS,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise SinkError(f"{command[0]}: {error}", "save the portrait instead (Ctrl+S)") from error


def open_folder(folder: Path) -> None:
    """Show a folder in the desktop's file manager, without waiting for it.

    Raises:
        SinkError: there is no way to.
    """
    if sys.platform == "win32":
        os.startfile(folder)
        return
    tool = "open" if sys.platform == "darwin" else "xdg-open"
    if shutil.which(tool) is None:
        raise SinkError(f"{tool} was not found", f"the folder is {folder}")
    process = subprocess.Popen(
        [tool, str(folder)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    threading.Thread(target=process.wait, daemon=True).start()  # so that it leaves no zombie
