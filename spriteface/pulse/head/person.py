"""A person as numbers: everything a portrait shows, in one frozen, serialisable record.

Units and conventions: lengths are centimetres in the head's own frame (+x the subject's left,
+y up, +z towards the viewer, eyes at y = 3.4); angles are radians; colours are linear-light RGB
albedos in 0..1. Ranges are those that give believable people; numbers far outside are refused,
because the geometry is linear and breaks. Skin tone, shape of ancestry, hair and sex are separate
fields and nothing here derives one from another.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Self

from ...errors import OptionError

Color = tuple[float, float, float]

HAIR_STYLES = (
    "bald",
    "receding",
    "buzz",
    "short",
    "side_part",
    "fringe",
    "quiff",
    "slick",
    "bob",
    "long",
    "curtains",
    "ponytail",
    "bun",
    "braids",
    "spikes",
    "mohawk",
    "curls",
    "afro",
    "dreadlocks",
)
FACIAL_HAIR_STYLES = (
    "none",
    "moustache",
    "handlebar",
    "walrus",
    "goatee",
    "van_dyke",
    "chinstrap",
    "sideburns",
    "full",
    "long",
    "wizard",
)
CLOTHING_STYLES = ("tshirt", "collar", "armour", "robe", "none")
BACKGROUND_KINDS = ("gradient", "plain", "blurred")


def number(default: float, low: float, high: float, about: str) -> Any:
    """A float field with its believable range."""
    return field(default=default, metadata={"range": (low, high), "about": about})


def choice(default: str, options: tuple[str, ...], about: str) -> Any:
    """A string field with its known values."""
    return field(default=default, metadata={"choices": options, "about": about})


@lru_cache(maxsize=64)
def _checks(
    part: Any,
) -> tuple[list[tuple[str, float, float, str]], list[tuple[str, tuple[str, ...]]]]:
    """The fields of a part that have a range, with it and what they are about; and those that have
    choices: a search makes thousands of people."""
    fields = [(f.name, f.metadata) for f in dataclasses.fields(part)]
    ranges = [(name, *m["range"], m["about"]) for name, m in fields if "range" in m]
    return ranges, [(name, m["choices"]) for name, m in fields if "choices" in m]


@dataclass(frozen=True)
class _Part:
    """Common behaviour: range checks, JSON both ways."""

    def __post_init__(self) -> None:
        part: Any = type(self)
        ranges, choices = _checks(part)
        for name, low, high, about in ranges:
            value = getattr(self, name)
            slack = 0.5 * (high - low)
            if not low - slack <= value <= high + slack:
                raise OptionError(
                    f"{type(self).__name__.lower()}.{name}: {value:g} is far outside its range",
                    f"{low:g}..{high:g}: {about}",
                )
        for name, known in choices:
            value = getattr(self, name)
            if value not in known:
                raise OptionError(
                    f"{type(self).__name__.lower()}.{name}: {value!r} is unknown",
                    f"known: {', '.join(known)}",
                )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, one key per field."""
        return {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The reverse of `to_json`; absent keys take their defaults.

        Raises:
            OptionError: an unknown key or a value out of range.
        """
        hints = typing.get_type_hints(cls)
        unknown = sorted(set(data) - set(hints))
        if unknown:
            raise OptionError(
                f"{cls.__name__.lower()}: unknown key {', '.join(unknown)}",
                f"known: {', '.join(hints)}",
            )
        return cls(**{k: _revive(hints[k], v) for k, v in data.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, _Part):
        return value.to_json()
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return value


def _revive(hint: Any, value: Any) -> Any:
    options = typing.get_args(hint)
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        if value is None:
            return None
        hint = next(o for o in options if o is not type(None))
        options = typing.get_args(hint)
    if isinstance(hint, type) and issubclass(hint, _Part):
        return value if isinstance(value, hint) else hint.from_json(value)
    if typing.get_origin(hint) is tuple:
        return tuple(_revive(options[0], v) for v in value)
    if hint is float:
        return float(value)
    if hint is int:
        return int(value)
    if hint is bool:
        return bool(value)
    return dict(value) if isinstance(value, Mapping) else value


@dataclass(frozen=True)
class Shape(_Part):
    """Bones and flesh. `african`, `asian`, `caucasian` are the data set's names for its three
    macro shapes; they blend, are normalised, and never touch a colour.

    `local` maps a slider of `HeadModel.local_names` to -1..1 (caricature to 1.5), `asym` a
    one-sided target of `HeadModel.asym_names` to 0..0.4.
    """

    gender: float = number(0.5, 0.0, 1.0, "0 male to 1 female shape")
    age: float = number(0.7, 0.0, 1.0, "0 baby, .33 child, .67 young adult, 1 old")
    african: float = number(0.33, 0.0, 1.0, "weight of a macro shape")
    asian: float = number(0.33, 0.0, 1.0, "weight of a macro shape")
    caucasian: float = number(0.34, 0.0, 1.0, "weight of a macro shape")
    muscle: float = number(0.5, 0.0, 1.0, "muscle")
    weight: float = number(0.5, 0.0, 1.0, "body fat")
    local: Mapping[str, float] = field(default_factory=dict)
    asym: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Pose(_Part):
    yaw: float = number(0.0, -1.6, 1.6, "turn of the head, + to the viewer's right")
    pitch: float = number(0.0, -0.4, 0.4, "nod, + down")
    roll: float = number(0.0, -0.4, 0.4, "tilt")
    gaze_x: float = number(0.0, -0.6, 0.6, "eyes' turn relative to the head")
    gaze_y: float = number(0.0, -0.4, 0.4, "eyes' nod relative to the head")


@dataclass(frozen=True)
class Skin(_Part):
    """Melanin and haemoglobin absorb light (Beer-Lambert); `tint` multiplies the result, for
    green, blue, grey or red people; white (1, 1, 1) is a natural skin."""

    melanin: float = number(0.6, 0.02, 9.0, "0.05 very light to 7 very dark")
    hemoglobin: float = number(1.0, 0.3, 1.8, "redness")
    blush: float = number(0.6, 0.0, 1.5, "red of cheeks and nose")
    age: float = number(0.2, 0.0, 1.0, "wrinkles and age spots")
    freckles: float = number(0.0, 0.0, 1.0, "freckles")
    moles: float = number(0.3, 0.0, 1.0, "moles")
    oily: float = number(0.4, 0.0, 1.0, "gloss of forehead, nose and chin")
    stubble: float = number(0.0, 0.0, 1.0, "beard shadow")
    tint: Color = (1.0, 1.0, 1.0)
    lipstick: float = number(0.0, 0.0, 1.0, "opacity of the lipstick")
    lip_color: Color = (0.42, 0.07, 0.08)


@dataclass(frozen=True)
class Eyes(_Part):
    iris: Color = (0.22, 0.105, 0.04)
    iris_inner: Color = (0.10, 0.045, 0.018)
    pupil: float = number(0.21, 0.12, 0.32, "pupil radius, cm")


@dataclass(frozen=True)
class Hair(_Part):
    """`color` None means the natural colour of `melanin` and `red`."""

    style: str = choice("short", HAIR_STYLES, "cut")
    length: float = number(4.0, 0.3, 34.0, "strand length on top, cm")
    side: float = number(2.0, 0.2, 34.0, "strand length at the sides, cm")
    lift: float = number(0.6, 0.0, 1.5, "how much the hair stands off the scalp")
    part: float = number(1.5, -5.0, 5.0, "x of the parting, cm")
    sweep: float = number(0.6, -1.5, 1.5, "sideways combing")
    forward: float = number(0.3, -1.5, 1.5, "forward combing")
    hairline: float = number(9.6, 8.6, 12.5, "y of the hairline at the middle, cm")
    wave: float = number(0.08, 0.0, 0.6, "amplitude of waves or curls, cm")
    frequency: float = number(1.0, 0.3, 7.0, "waves per 6.3 cm of hair")
    clump: float = number(0.4, 0.0, 0.95, "how much strands gather to locks")
    frizz: float = number(0.6, 0.0, 2.5, "flying hair")
    fringe: float = number(0.0, 0.0, 9.0, "length of a fringe over the forehead, cm; 0 none")
    curtain: float = number(1.0, 0.6, 1.4, "width that long hair leaves to the face")
    melanin: float = number(1.6, 0.15, 3.4, "0.2 light blond to 3 black")
    red: float = number(0.15, 0.0, 1.3, "red pigment")
    color: Color | None = None
    grey: float = number(0.0, 0.0, 1.0, "share of white hairs")


@dataclass(frozen=True)
class Brows(_Part):
    """`color` None means that of the hair, darkened as brows are."""

    density: float = number(0.9, 0.0, 1.5, "thickness")
    width: float = number(1.0, 0.5, 1.8, "height of the brow, relative")
    color: Color | None = None


@dataclass(frozen=True)
class FacialHair(_Part):
    style: str = choice("none", FACIAL_HAIR_STYLES, "cut")
    length: float = number(1.0, 0.2, 16.0, "length of a beard at the chin, cm")
    moustache: float = number(1.0, 0.3, 3.0, "length of the moustache's hairs, cm")
    density: float = number(1.0, 0.2, 1.6, "relative number of hairs")
    color: Color | None = None


@dataclass(frozen=True)
class Emblem(_Part):
    """A patch on headwear. `x` and `y` in cm from the middle of the front, `radius` in cm."""

    shape: str = choice("disc", ("disc", "square", "diamond", "star"), "outline")
    color: Color = (0.75, 0.75, 0.75)
    radius: float = number(1.7, 0.5, 3.5, "radius, cm")
    x: float = number(0.0, -4.0, 4.0, "sideways, cm")
    y: float = number(4.0, 0.0, 9.0, "above the lower edge, cm")


@dataclass(frozen=True)
class Wear(_Part):
    """One thing worn; `wear.ITEMS` lists the kinds and their slots. One item per slot counts.

    `low` is the height of the lower edge (cm), `size` a relative size (brim, height), `side` -1..1
    where it leans, or which eye an eye patch covers (the subject's left is +).
    """

    kind: str
    color: Color = (0.5, 0.03, 0.03)
    color2: Color = (0.3, 0.3, 0.3)
    low: float = number(8.3, 6.0, 11.0, "lower edge, cm")
    size: float = number(1.0, 0.4, 2.0, "relative size")
    side: float = number(0.0, -1.0, 1.0, "lean or side")
    emblem: Emblem | None = None


@dataclass(frozen=True)
class Clothing(_Part):
    style: str = choice("tshirt", CLOTHING_STYLES, "cut")
    color: Color = (0.12, 0.16, 0.24)
    color2: Color = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class Light(_Part):
    """A studio: key, fill, rim and ambient light, plus five soft coloured lobes of the room
    (front, left, right, above, below; linear RGB radiance), with which a search can relight."""

    key_x: float = number(0.6, -1.5, 1.5, "key's direction, tangent sideways")
    key_y: float = number(0.6, -0.6, 1.5, "key's direction, tangent upwards")
    key: float = number(2.0, 0.0, 4.0, "key power")
    fill: float = number(0.6, 0.0, 2.0, "fill power")
    rim: float = number(0.9, 0.0, 3.0, "rim power")
    ambient: float = number(0.6, 0.0, 2.0, "ambient power")
    warm: float = number(0.05, -0.3, 0.4, "key's warmth, the shadows go the other way")
    exposure: float = number(1.18, 0.4, 3.0, "exposure")
    room: tuple[Color, ...] = ((0.0, 0.0, 0.0),) * 5


@dataclass(frozen=True)
class Camera(_Part):
    """A portrait lens 110 cm away; at zoom 1 the frame is 31.5 cm wide around y = 1.8 cm."""

    zoom: float = number(1.0, 0.4, 3.0, "magnification")
    x: float = number(0.0, -12.0, 12.0, "middle of the frame, cm")
    y: float = number(0.0, -12.0, 12.0, "middle of the frame over 1.8 cm")


@dataclass(frozen=True)
class Background(_Part):
    kind: str = choice("gradient", BACKGROUND_KINDS, "what stands behind")
    color: Color = (0.16, 0.20, 0.26)
    edge: Color = (0.07, 0.09, 0.12)
    grid: tuple[tuple[Color, ...], ...] | None = None  # rows of colours, blurred; overrules


@dataclass(frozen=True)
class Person(_Part):
    """All of it. `action` maps ARKit names (jawOpen, mouthSmileLeft, ...) to 0..1."""

    shape: Shape = field(default_factory=Shape)
    action: Mapping[str, float] = field(default_factory=dict)
    pose: Pose = field(default_factory=Pose)
    skin: Skin = field(default_factory=Skin)
    eyes: Eyes = field(default_factory=Eyes)
    hair: Hair = field(default_factory=Hair)
    brows: Brows = field(default_factory=Brows)
    facial_hair: FacialHair = field(default_factory=FacialHair)
    wear: tuple[Wear, ...] = ()
    clothing: Clothing = field(default_factory=Clothing)
    light: Light = field(default_factory=Light)
    camera: Camera = field(default_factory=Camera)
    background: Background = field(default_factory=Background)
    seed: int = 0

    def with_value(self, name: str, value: Any) -> Person:
        """A copy with one dotted field changed, e.g. ("hair.style", "afro").

        `shape.local.NAME`, `shape.asym.NAME` and `action.NAME` set one entry of a mapping; text
        is parsed as the field's type. Raises OptionError for an unknown name or a bad value.
        """
        return typing.cast(Person, _set(self, name.split("."), name, value))


def _set(part: Any, path: list[str], name: str, value: Any) -> Any:
    head, *rest = path
    if isinstance(part, Mapping):
        return {**part, ".".join(path): _parse(float, name, value)}
    known = {f.name for f in dataclasses.fields(part)}
    if head not in known:
        raise OptionError(f"no parameter named {name!r}", f"known here: {', '.join(sorted(known))}")
    if rest:
        return dataclasses.replace(part, **{head: _set(getattr(part, head), rest, name, value)})
    hint = typing.get_type_hints(type(part))[head]
    return dataclasses.replace(part, **{head: _parse(hint, name, value)})


def _parse(hint: Any, name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return _revive(hint, value)
    is_color = hint == Color or Color in typing.get_args(hint)
    try:
        if is_color and value.startswith("#"):
            return srgb_to_linear(value)
        if is_color:
            r, g, b = (float(v) for v in value.split(","))
            return (r, g, b)
        return hint(value) if hint in (float, int, str) else _revive(hint, value)
    except (TypeError, ValueError) as error:
        raise OptionError(
            f"{name}: {value!r} is not a {getattr(hint, '__name__', hint)}"
        ) from error


def srgb_to_linear(color: str | tuple[int, int, int]) -> Color:
    """ "#a07e56" or (160, 126, 86) as linear RGB in 0..1."""
    if isinstance(color, str):
        n = int(color.removeprefix("#"), 16)
        color = (n >> 16, n >> 8 & 255, n & 255)
    r, g, b = (c / 255 for c in color)
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (r, g, b)]
    return linear[0], linear[1], linear[2]
