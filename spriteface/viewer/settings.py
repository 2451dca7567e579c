"""What the window remembers from one day to the next: its size, its scale, the last folder."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from ..errors import SinkError
from ..files import write_bytes

SMALLEST_WINDOW = (900, 580)
FIRST_WINDOW = (1280, 800)
BARS_PX = 48  # a title bar and a task bar


@dataclass(frozen=True)
class Settings:
    """`width` and `height` 0 mean by the size of the desktop, `scale` 0 by its density; `opened`
    is the folder of the last picture."""

    width: int = 0
    height: int = 0
    scale: float = 0.0
    opened: str = ""


def settings_path() -> Path:
    given = os.environ.get("SPRITEFACE_STATE")
    folder = Path(given) if given else platformdirs.user_config_path("spriteface", appauthor=False)
    return folder / "viewer.json"


def load_settings() -> Settings:
    """What was remembered; whatever can't be read or makes no sense is the default."""
    try:
        data = json.loads(settings_path().read_text("utf-8"))
    except (OSError, ValueError):
        return Settings()
    if not isinstance(data, dict):
        return Settings()
    known = {
        f.name: data[f.name]
        for f in dataclasses.fields(Settings)
        if isinstance(data.get(f.name), type(f.default)) and not isinstance(data[f.name], bool)
    }
    found = Settings(**known)
    scale = found.scale if found.scale == 0 or 0.75 <= found.scale <= 4 else 0.0
    sizes = zip(SMALLEST_WINDOW, (found.width, found.height))
    width, height = (min(10_000, max(low, n)) if n else 0 for low, n in sizes)
    return dataclasses.replace(found, scale=scale, width=width, height=height)


def window_size(settings: Settings, scale: float, desktop: tuple[int, int]) -> tuple[int, int]:
    """How large the window opens: as remembered, or at first 1280 x 800 design px; never larger
    than the desktop less some room for its bars, so that nothing is out of reach when the screen
    is smaller than the last one. `desktop` (0, 0) is unknown."""
    wanted = (
        settings.width or round(FIRST_WINDOW[0] * scale),
        settings.height or round(FIRST_WINDOW[1] * scale),
    )
    if min(desktop) < 1:
        return wanted
    return min(wanted[0], desktop[0]), min(wanted[1], max(1, desktop[1] - round(BARS_PX * scale)))


def save_settings(settings: Settings) -> None:
    """Remember; a full or read-only disc is no reason to disturb anybody."""
    path = settings_path()
    with contextlib.suppress(OSError, SinkError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, json.dumps(dataclasses.asdict(settings), indent=1).encode())
