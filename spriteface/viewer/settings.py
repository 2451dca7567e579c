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


@dataclass(frozen=True)
class Settings:
    """`scale` 0 means by the size of the desktop; `folder` is where results were saved last and
    `opened` where the last picture came from."""

    width: int = 1280
    height: int = 800
    scale: float = 0.0
    folder: str = ""
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
    width, height = (
        min(10_000, max(low, n)) for low, n in zip(SMALLEST_WINDOW, (found.width, found.height))
    )
    return dataclasses.replace(found, scale=scale, width=width, height=height)


def save_settings(settings: Settings) -> None:
    """Remember; a full or read-only disc is no reason to disturb anybody."""
    path = settings_path()
    with contextlib.suppress(OSError, SinkError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, json.dumps(dataclasses.asdict(settings), indent=1).encode())
