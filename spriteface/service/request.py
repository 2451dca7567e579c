"""The description of one job: what editors send, and what the worker gets.

The same frozen records as the command line's, so a job from an editor can be repeated there. What
comes over the wire is checked for type here: the records themselves check ranges.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from ..errors import OptionError
from ..options import ExtractOptions, PortraitOptions

KINDS = ("find", "portrait", "restore", "echo")
# written down here, as importing where they live would slow the engine's start; a test holds that
# they are there
DITHERS = ("none", "bayer", "blue-noise", "floyd-steinberg", "atkinson")
DETECTORS = ("auto", "geometry", "whole")
KEEP_MAX = 512 << 20  # bytes of undelivered results

_Color = tuple[int, int, int, int]
_R = TypeVar("_R", ExtractOptions, PortraitOptions)


@dataclass(frozen=True)
class OutputOptions:
    """The portrait in the sprite's own colours; docs/engine.md has the meaning of each field."""

    palette: bool = False
    colors: tuple[_Color, ...] | None = None
    transparent: int | None = None
    width: int = 0
    height: int = 0
    dither: str = "none"
    keep_alpha: bool = True

    def __post_init__(self) -> None:
        if not (0 <= self.width <= 4096 and 0 <= self.height <= 4096):
            raise OptionError(f"option output: {self.width}x{self.height} px is not in 0..4096")
        if self.dither not in DITHERS:
            raise OptionError(
                f"option dither: {self.dither!r} is unknown", f"known: {', '.join(DITHERS)}"
            )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Raises OptionError for an unknown key or a value that makes no sense."""
        data = _checked(cls, data, "output")
        colors = data.get("colors")
        if colors is not None:
            data["colors"] = tuple(_color(color) for color in colors)
            if not 1 <= len(data["colors"]) <= 256:
                raise OptionError(f"option colors: {len(colors)} colours are not 1 to 256")
        return cls(**data)

    def to_json(self) -> dict[str, Any]:
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        if self.colors is not None:
            plain["colors"] = [list(color) for color in self.colors]
        return plain


@dataclass(frozen=True)
class Request:
    """One job. `repeat` and `pause_seconds` belong to kind `echo` only."""

    kind: str
    extract: ExtractOptions = field(default_factory=ExtractOptions)
    portrait: PortraitOptions = field(default_factory=PortraitOptions)
    output: OutputOptions = field(default_factory=OutputOptions)
    repeat: int = 0
    pause_seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise OptionError(f"kind {self.kind!r} is unknown", f"known: {', '.join(KINDS)}")
        if not 0 <= self.repeat <= 10000:
            raise OptionError(f"option repeat: {self.repeat} is not in 0..10000")
        if not 0 <= self.pause_seconds <= 10:
            raise OptionError(f"option pause_seconds: {self.pause_seconds} is not in 0..10")
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", self.portrait.generator):
            # never a path: what an engine loads is chosen by name among what is installed
            raise OptionError(f"option generator: {self.portrait.generator!r} is no name")
        if not re.fullmatch(r"cpu|mps|cuda(:\d{1,2})?", self.portrait.device):
            raise OptionError(f"option device: {self.portrait.device!r}", "e.g. cpu, cuda, cuda:1")
        wanted = self.portrait.candidates * self.portrait.size**2 * 4
        if self.kind == "portrait" and wanted > KEEP_MAX:
            raise OptionError(
                f"{self.portrait.candidates} candidates of {self.portrait.size} px are "
                f"{wanted >> 20} MiB, beyond the engine's {KEEP_MAX >> 20}",
                "ask for fewer or smaller ones, or use the command line",
            )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """From a `submit` message; keys that are none of ours are ignored.

        Raises:
            OptionError: an unknown kind, an unknown option, or a value that makes no sense.
        """
        pause = data.get("pause_seconds", 0.0)
        if isinstance(pause, bool) or not isinstance(pause, int | float):
            raise OptionError(f"option pause_seconds: {pause!r} is not a number")
        repeat = _whole(data.get("repeat", 0))
        if type(repeat) is not int:
            raise OptionError(f"option repeat: {repeat!r} is not a whole number")
        return cls(
            kind=str(data.get("kind", "")),
            extract=_record(ExtractOptions, data.get("extract"), "extract"),
            portrait=_record(PortraitOptions, data.get("portrait"), "portrait"),
            output=OutputOptions.from_json(_mapping(data.get("output"), "output")),
            repeat=repeat,
            pause_seconds=float(pause),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "extract": self.extract.to_json(),
            "portrait": self.portrait.to_json(),
            "output": self.output.to_json(),
            "repeat": self.repeat,
            "pause_seconds": self.pause_seconds,
        }


def _record(cls: type[_R], data: Any, name: str) -> _R:
    checked = _checked(cls, _mapping(data, name), name)
    try:
        return cls.from_json(checked)
    except (TypeError, ValueError, IndexError) as error:  # e.g. a box of strings
        raise OptionError(f"options {name}: a value makes no sense ({error})") from error


def _mapping(data: Any, name: str) -> Mapping[str, Any]:
    """Lua's JSON writes an empty table as []."""
    if data is None or data == []:
        return {}
    if not isinstance(data, Mapping):
        raise OptionError(f"options {name}: {type(data).__name__} is no object")
    return data


_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "bool": (bool,),
    "Mapping": (dict,),
    "tuple": (list,),
    "RGB": (list,),
    "Box": (list,),
    "None": (type(None),),
}


def _checked(cls: type, data: Mapping[str, Any], name: str) -> dict[str, Any]:
    """`data` with whole floats as ints, each value of the type that its field declares."""
    declared = {f.name: str(f.type) for f in dataclasses.fields(cls)}
    checked: dict[str, Any] = {}
    for key, value in data.items():
        if key not in declared:
            raise OptionError(
                f"unknown option {name}.{key}", f"known: {', '.join(sorted(declared))}"
            )
        heads = [part.strip().partition("[")[0] for part in declared[key].split(" | ")]
        allowed = tuple(t for head in heads for t in _PYTHON_TYPES.get(head, (object,)))
        value = _whole(value)
        if value == [] and dict in allowed:
            value = {}
        if type(value) not in allowed and object not in allowed:
            raise OptionError(f"option {name}.{key}: {value!r} is not {declared[key]}")
        if isinstance(value, list) and not _plain_items(value, "str" in declared[key]):
            raise OptionError(f"option {name}.{key}: {value!r} is not {declared[key]}")
        checked[key] = value
    return checked


def _plain_items(items: list[Any], text: bool) -> bool:
    if text:
        return all(isinstance(item, str) for item in items)
    return all(
        (isinstance(item, int | float) and not isinstance(item, bool))
        or (isinstance(item, list) and _plain_items(item, False))
        for item in items
    )


def _whole(value: Any) -> Any:
    """3.0 -> 3, inside lists and objects too: Lua's JSON knows only floats."""
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return int(value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    return value


def _color(value: Any) -> _Color:
    parts = value if isinstance(value, list) else []
    if len(parts) not in (3, 4) or not all(type(p) is int and 0 <= p <= 255 for p in parts):
        raise OptionError(f"option colors: {value!r} is not [r, g, b] or [r, g, b, a]")
    r, g, b, a = (*parts, 255)[:4]
    return r, g, b, a
