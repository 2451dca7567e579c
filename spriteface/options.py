"""Everything a portrait depends on, in two frozen records.

The command line, the batch, the engine service and both editor plug-ins read the same records;
they are serialised field by field, so a job written down today can be repeated tomorrow.
Validation happens here, once, with messages that name the option.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from .errors import OptionError
from .types import RGB, Box


def _check(condition: bool, message: str, hint: str = "") -> None:
    if not condition:
        raise OptionError(message, hint)


@dataclass(frozen=True)
class _Record:
    def to_json(self) -> dict[str, Any]:
        """A plain JSON object, one key per field."""
        return {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The reverse of `to_json`; absent keys take their defaults.

        Raises:
            OptionError: an unknown key, or a value out of range.
        """
        known = {f.name for f in dataclasses.fields(cls)}
        unknown = sorted(set(data) - known)
        _check(
            not unknown,
            f"unknown option {', '.join(unknown)}",
            f"known: {', '.join(sorted(known))}",
        )
        return cls(**{k: _revive(k, v) for k, v in data.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, Box):
        return value.as_list()
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    return value


def _revive(name: str, value: Any) -> Any:
    if isinstance(value, list):
        if name == "box":
            _check(len(value) == 4, "option box: expected x, y, w, h")
            return Box(*(int(v) for v in value))
        return tuple(value)
    return value


@dataclass(frozen=True)
class ExtractOptions(_Record):
    """How faces are looked for.

    `scale` (x, y) file px per native px and `phase` (x, y) file px overrule the grid detector;
    `sheet` is (cell w, cell h, margin, spacing) in native px; `key` an RGB key colour; pieces
    at most `merge` native px apart are one sprite; `tilt` says by how many degrees heads lean
    clockwise, and crops are turned back by as much;
    `box` a face box given by the user, which always wins: in file px for the pipeline (which
    turns it into native px once the grid is known, before the extractors see it).
    """

    frame: int = 0
    scale: tuple[float, float] | None = None
    phase: tuple[float, float] | None = None
    sheet: tuple[int, int, int, int] | None = None
    key: RGB | None = None
    merge: int = 1
    tilt: float = 0.0
    min_score: float = 0.35
    box: Box | None = None
    detector: str = "auto"
    limit: int = 0

    def __post_init__(self) -> None:
        _check(self.frame >= 0, f"option frame: {self.frame} is negative")
        _check(
            self.scale is None or min(self.scale) >= 1.0, f"option scale: {self.scale} is below 1"
        )
        _check(
            self.sheet is None or (min(self.sheet[:2]) > 0 and min(self.sheet[2:]) >= 0),
            f"option sheet: {self.sheet}",
            "expected WxH, WxH+margin or WxH+margin+spacing, in native pixels",
        )
        _check(
            0 <= self.merge <= 64,
            f"option merge: {self.merge} is not in 0..64",
            "expected the gap in native pixels that still joins pieces of one sprite",
        )
        _check(-180 <= self.tilt <= 180, f"option tilt: {self.tilt:g} is not in -180..180")
        _check(0.0 <= self.min_score <= 1.0, f"option min-score: {self.min_score} is not in 0..1")
        _check(self.box is None or self.box.area > 0, f"option box: {self.box} is empty")


@dataclass(frozen=True)
class PortraitOptions(_Record):
    """What is made of a face.

    `faithful` in [0, 1]: 0 a natural person with the sprite's traits, 1 PULSE's equality of the
    downscaled portrait and the sprite. `traits` are values set by the user, `lock` the names of
    traits kept as read. `steps` 0 means the recipe's own number. `identity` is the `latent` of an
    earlier portrait (`shape`, `z`, `structure`): the same person in this sprite's pose; empty
    means a person of the face's own.
    """

    size: int = 1024
    seed: int = 0
    candidates: int = 1
    generator: str = "head"
    faithful: float = 0.0
    recipe: str = "default"
    steps: int = 0
    traits: Mapping[str, Any] = field(default_factory=dict)
    lock: tuple[str, ...] = ()
    skin_tolerance: float = 0.0  # L* by which skin may differ from the sprite's; 0 locks it
    device: str = "cpu"
    matte: bool = False
    quality: str = "standard"
    identity: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check(64 <= self.size <= 4096, f"option size: {self.size} px is not in 64..4096")
        _check(self.seed >= 0, f"option seed: {self.seed} is negative")
        _check(1 <= self.candidates <= 64, f"option candidates: {self.candidates} is not in 1..64")
        _check(0.0 <= self.faithful <= 1.0, f"option faithful: {self.faithful} is not in 0..1")
        _check(self.steps >= 0, f"option steps: {self.steps} is negative")
        _check(
            0.0 <= self.skin_tolerance <= 100.0,
            f"option skin-tolerance: {self.skin_tolerance} is not in 0..100",
            "0 locks the skin's lightness to the sprite's, 100 lets go of it",
        )
        _check(
            self.recipe in ("default", "pulse"),
            f"option recipe: {self.recipe!r} is unknown",
            "known: default, pulse",
        )
        _check(
            self.quality in ("standard", "studio"),
            f"option quality: {self.quality!r} is unknown",
            "known: standard, studio",
        )
        _check(
            not self.identity or {"shape", "z"} <= set(self.identity),
            "option identity: not the latent of a portrait",
            "expected the `latent` of a portrait's NAME.json: shape, z, structure",
        )


def parse_pair(text: str, what: str) -> tuple[float, float]:
    """ "3" or "3,2.5" or "3x2.5" -> (3.0, 2.5)."""
    parts = text.replace("x", ",").split(",")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    _check(
        len(numbers) in (1, 2),
        f"option {what}: {text!r} is not a number or a pair",
        "e.g. 3 or 2.5,3",
    )
    return numbers[0], numbers[-1]


def parse_box(text: str) -> Box:
    """ "x,y,w,h" -> Box."""
    try:
        x, y, w, h = (int(part) for part in text.split(","))
    except ValueError:
        raise OptionError(f"option face: {text!r} is not x,y,w,h", "e.g. 12,4,16,16") from None
    return Box(x, y, w, h)


def parse_sheet(text: str) -> tuple[int, int, int, int]:
    """ "16x24", "16x24+1" or "16x24+1+2" -> (cell w, cell h, margin, spacing)."""
    size, *rest = text.split("+")
    try:
        w, h = (int(part) for part in size.split("x"))
        numbers = [int(part) for part in rest]
    except ValueError:
        numbers = [0, 0, 0]
        w = h = 0
    _check(
        w > 0 and h > 0 and len(numbers) <= 2,
        f"option sheet: {text!r}",
        "expected WxH, WxH+margin or WxH+margin+spacing, in native pixels",
    )
    margin, spacing = (*numbers, 0, 0)[:2]
    return w, h, margin, spacing


def parse_color(text: str) -> RGB:
    """ "ff00ff" or "#ff00ff" -> (255, 0, 255)."""
    digits = text.removeprefix("#")
    try:
        value = int(digits, 16)
    except ValueError:
        value = -1
    _check(len(digits) == 6 and value >= 0, f"option key: {text!r} is not a colour", "e.g. ff00ff")
    return value >> 16, value >> 8 & 255, value & 255
