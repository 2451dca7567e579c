"""The panel's rows: which traits of a person can be shaped, how, and what the sprite said.

Names and values are those of `pulse/head/from_reading.py` (a test holds that), which isn't
imported here: the window must open without torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..pulse.head.person import FACIAL_HAIR_STYLES, HAIR_STYLES
from ..pulse.words import COLOR_WORDS, EYE_WORDS, HAIR_WORDS, READ_HEADWEAR
from ..types import RGB, Reading

HEADWEAR = (
    "none", "plumber_cap", "baseball_cap", "beanie", "elf_cap", "wizard_hat", "witch_hat",
    "brim_hat", "top_hat", "cowboy_hat", "crown", "tiara", "headband", "bandana", "turban",
    "hood", "hijab", "knight_helmet", "knight_visor", "viking_helmet", "ninja_mask",
)  # fmt: skip
# the ten tones of the Monk scale
MONK: tuple[RGB, ...] = (
    (246, 237, 228), (243, 231, 219), (247, 234, 208), (234, 218, 186), (215, 189, 150),
    (160, 126, 86), (130, 92, 67), (96, 65, 52), (58, 49, 42), (41, 36, 32),
)  # fmt: skip


@dataclass(frozen=True)
class Control:
    """One row. A slider has `low < high` and a `step`; a choice has `values`; where those are
    colours, `colors` shows them. `read` is the reading's trait that decides when it is free,
    `group` what a lock on this row holds in the search ("" if nothing moves it)."""

    name: str
    label: str
    section: str
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0
    start: float = 0.0
    values: tuple[str, ...] = ()
    colors: Mapping[str, RGB] | None = None
    read: str = ""
    group: str = ""

    @property
    def slider(self) -> bool:
        return self.high > self.low


def _choice(name: str, label: str, section: str, values: tuple[str, ...], **more: Any) -> Control:
    return Control(name, label, section, values=values, **more)


def _color(name: str, label: str, section: str, words: Mapping[str, RGB], **more: Any) -> Control:
    return Control(name, label, section, values=tuple(words), colors=words, **more)


CONTROLS: tuple[Control, ...] = (
    Control("age", "age", "Person", 4, 95, 1, 30, read="age", group="face"),
    Control("sex", "sex", "Person", 0, 1, 0.1, 0.5),
    Control("skin", "skin tone", "Person", 1, 10, 1, 5, read="skin_rgb"),
    Control("build", "build", "Person", 0, 1, 0.1, 0.5, group="face"),
    Control("nose", "nose", "Person", -1, 1, 0.1, 0, group="face"),
    _color("eyes", "eyes", "Person", EYE_WORDS, read="eye_rgb"),
    _choice("hair_style", "style", "Hair", HAIR_STYLES, read="hair_style", group="hair"),
    _choice("hair_length", "length", "Hair", ("short", "medium", "long"), read="hair_length", group="hair"),
    _color("hair", "colour", "Hair", HAIR_WORDS, read="hair_rgb"),
    _choice("beard", "beard", "Hair", FACIAL_HAIR_STYLES, read="facial_hair", group="beard"),
    _color("beard_color", "its colour", "Hair", HAIR_WORDS, read="facial_hair_rgb"),
    _choice("headwear", "headwear", "Wear", HEADWEAR, read="headwear", group="headwear"),
    _color("hat_color", "its colour", "Wear", COLOR_WORDS, read="hat_rgb"),
    _choice("glasses", "glasses", "Wear", ("none", "clear", "dark", "goggles"), read="glasses"),
    _choice("mask", "mask", "Wear", ("none", "lower", "eyepatch_left", "eyepatch_right"), read="mask"),
    _color("clothes", "clothes", "Wear", COLOR_WORDS, read="cloth_rgb"),
    Control("smile", "smile", "Expression", 0, 1, 0.1, 0.3),
    Control("action.browInnerUp", "brows up", "Expression", 0, 1, 0.1, 0),
    Control("action.jawOpen", "mouth open", "Expression", 0, 1, 0.1, 0),
    _choice("view", "view", "View and light", ("front", "three_quarter", "profile"), read="view", group="view"),
    _choice("side", "looks to the", "View and light", ("left", "right"), read="side"),
    Control("light.key_x", "light from", "View and light", -1.5, 1.5, 0.1, 0.6),
    Control("light.fill", "soft light", "View and light", 0, 2, 0.1, 0.6),
    Control("light.warm", "warmth", "View and light", -0.3, 0.4, 0.05, 0.05),
    _color("background", "background", "View and light", COLOR_WORDS, read="background_rgb"),
)  # fmt: skip


def shown(control: Control, traits: Mapping[str, Any], reading: Reading | None) -> str:
    """What a row says: the value set, else what was read off the sprite, else nothing."""
    if control.name in traits:
        return text_of(control, traits[control.name])
    value = reading.traits.get(control.read) if reading and control.read else None
    if control.name == "hair" and reading:
        value = reading.traits.get("hair_word") or value
    if value == "":
        return "none" if "none" in control.values else ""
    return "" if value is None else text_of(control, value)


def text_of(control: Control, value: Any) -> str:
    if isinstance(value, list | tuple):
        return "#" + "".join(f"{int(v):02x}" for v in value[:3])
    if isinstance(value, int | float) and control.slider:
        return f"{value:g}" if control.step >= 1 else f"{value:.2f}"
    return str(value).replace("_", " ")


def swatch(control: Control, traits: Mapping[str, Any], reading: Reading | None) -> RGB | None:
    """The colour a row stands for, where it stands for one."""
    value = traits.get(control.name)
    if value is None:
        read = reading.traits.get(control.read) if reading and control.read else None
        if isinstance(read, list | tuple) and len(read) >= 3:
            return int(read[0]), int(read[1]), int(read[2])
        return None
    if control.name == "skin" and isinstance(value, int | float):
        return MONK[round(float(value)) - 1]
    if control.colors and str(value) in control.colors:
        return control.colors[str(value)]
    return None


def stepped(
    control: Control, traits: Mapping[str, Any], reading: Reading | None, steps: int
) -> Any:
    """The value after `steps` to the right or left. A free row starts from what was read."""
    if control.slider:
        value = float(traits.get(control.name, _start(control, reading)))
        return snapped(control, value + steps * control.step)
    values = control.values
    now = traits.get(control.name)
    if now is None:
        now = _nearest(control, reading)
        if now is None:
            return values[0 if steps > 0 else -1]
    at = values.index(now) if now in values else 0
    return values[(at + steps) % len(values)]


def snapped(control: Control, value: float) -> float:
    """A slider's value on its steps, within its range; whole numbers stay whole."""
    steps = round((value - control.low) / control.step)
    value = min(control.high, max(control.low, control.low + steps * control.step))
    return round(value) if control.step >= 1 else round(value, 3)


def from_fraction(control: Control, fraction: float) -> Any:
    """The value at a place along the row, 0 left to 1 right."""
    fraction = min(1.0, max(0.0, fraction))
    if control.slider:
        return snapped(control, control.low + fraction * (control.high - control.low))
    return control.values[min(len(control.values) - 1, int(fraction * len(control.values)))]


def to_fraction(
    control: Control, traits: Mapping[str, Any], reading: Reading | None
) -> float | None:
    """Where along the row the value lies; None where nothing is known."""
    if control.slider:
        if control.name not in traits:
            return None
        return (float(traits[control.name]) - control.low) / (control.high - control.low)
    now = traits.get(control.name, _nearest(control, reading))
    if now not in control.values:
        return None
    return (control.values.index(now) + 0.5) / len(control.values)


def _start(control: Control, reading: Reading | None) -> float:
    if control.name == "skin" and reading and reading.traits.get("skin_rgb") is not None:
        return float(nearest_tone(reading.traits["skin_rgb"]))
    if control.name == "age" and reading:
        return {"child": 9.0, "old": 70.0}.get(str(reading.traits.get("age")), control.start)
    return control.start


def nearest_tone(rgb: Any) -> int:
    """The number of the Monk tone nearest to a colour, 1..10."""
    gaps = [sum((int(a) - int(b)) ** 2 for a, b in zip(rgb, tone)) for tone in MONK]
    return gaps.index(min(gaps)) + 1


def _nearest(control: Control, reading: Reading | None) -> str | None:
    """The choice that the reading stands for."""
    read = reading.traits.get(control.read) if reading and control.read else None
    if control.name == "hair" and reading and reading.traits.get("hair_word"):
        return str(reading.traits["hair_word"])
    if read is None:
        return None
    if control.colors and isinstance(read, list | tuple):
        gaps = {
            word: sum((int(a) - int(b)) ** 2 for a, b in zip(read, rgb))
            for word, rgb in control.colors.items()
        }
        return min(gaps, key=gaps.__getitem__)
    word = str(read) or "none"
    if control.name == "headwear":
        word = READ_HEADWEAR.get(word, word)
    return word if word in control.values else None
