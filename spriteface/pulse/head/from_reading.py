"""From what was read off a sprite to people who could be that character.

Every person is drawn from the prior first (a face of their own, decided by the seed) and bent to
the sprite afterwards, so ten candidates are ten people. Three things are kept apart on purpose:
skin tone comes from the sprite and never moves the shape of the face; ancestry of the shape comes
from the prior alone; sex is weighed from several hints, of which the length of hair is a weak one.

Traits that a user may set (`traits`, text or JSON values; they win over the reading):

    skin          #rrggbb, or a Monk tone 1..10
    hair          a colour word (black, brown, blond, ginger, red, auburn, grey, white, green, cyan,
                  blue, purple, pink) or #rrggbb
    hair_style    one of `person.HAIR_STYLES`
    hair_length   short, medium, long
    beard         one of `person.FACIAL_HAIR_STYLES`, or full/beard/goatee/moustache
    beard_color   as hair
    age           years, 4..95
    sex           woman, man, or 0 (man) .. 1 (woman)
    build         0 (thin) .. 1 (heavy)
    headwear      an item of the head slot of `wear.ITEMS`, or none
    hat_color     #rrggbb or a colour word
    glasses       none, clear, dark, goggles
    mask          none, lower, eyepatch_left, eyepatch_right (the viewer's)
    eyes          blue, green, brown, grey, hazel, amber, black, or #rrggbb
    ears          normal, pointed
    view          front, three_quarter, profile; `side` left, right (where the face looks)
    smile         0..1
    nose          -1 (small) .. 1 (big)
    background    #rrggbb or a colour word
    clothes       #rrggbb or a colour word

and any field of a person by its dotted name (`hair.wave=0.3`, `shape.local.nose/nose-hump=1`).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...errors import OptionError
from ...palette.color import hue_degrees, lab_from_u8, oklab_from_u8, srgb_from_lab
from ...types import RGB, Reading, View
from ..colors import SHADED, as_believed, flatness, is_human, photographic_skin
from ..words import COLOR_WORDS, EYE_WORDS, READ_HEADWEAR, YAW
from . import cuts, hints, turned
from .facial import brow_limit
from .person import (
    FACIAL_HAIR_STYLES,
    HAIR_STYLES,
    Background,
    Brows,
    Camera,
    Clothing,
    Color,
    Emblem,
    Eyes,
    FacialHair,
    Hair,
    Light,
    Person,
    Pose,
    Shape,
    Skin,
    Wear,
    srgb_to_linear,
)
from .prior import draw_person, mean_sliders
from .skin import match_skin, tone_melanin
from .surface import skin_albedo
from .wear import ITEMS

CHOICES: dict[str, tuple[str, ...]] = {
    "hair_style": HAIR_STYLES,
    "hair_length": ("short", "medium", "long"),
    "beard": (*FACIAL_HAIR_STYLES, "beard"),
    "headwear": ("none", *(k for k, item in ITEMS.items() if item.slot == "head")),
    "glasses": ("none", "clear", "dark", "goggles"),
    "mask": ("none", "lower", "eyepatch_left", "eyepatch_right"),
    "ears": ("normal", "pointed"),
    "view": ("front", "three_quarter", "profile"),
    "side": ("left", "right"),
}
NUMBERS = {"age": (4.0, 95.0), "build": (0.0, 1.0), "smile": (0.0, 1.0), "nose": (-1.0, 1.0)}
COLORS = ("hair", "beard_color", "hat_color", "background", "clothes")
NAMES = (*CHOICES, *NUMBERS, *COLORS, "skin", "eyes", "sex")
NATURAL_HAIR = ("black", "brown", "blond", "ginger", "grey", "white", "auburn")
EYE_Y_CM, CHIN_Y_CM, CROWN_Y_CM = 3.4, -7.4, 13.6


@dataclass(frozen=True)
class Wish:
    """The reading's traits with the user's on top: what the person shall show."""

    reading: Reading
    traits: Mapping[str, Any]
    asked: Mapping[str, Any]

    def color(self, asked: str, read: str) -> RGB | None:
        """A colour the user asked for, else the one read."""
        if asked in self.asked:
            return parse_color(asked, self.asked[asked])
        value = self.traits.get(read)
        return None if value is None else (int(value[0]), int(value[1]), int(value[2]))


def start(
    reading: Reading, *, count: int, seed: int, traits: Mapping[str, Any] | None = None
) -> list[Person]:
    """`count` different people with the sprite's traits.

    Raises:
        OptionError: a trait that isn't known, or a value it can't have; lists what is.
    """
    asked = dict(traits or {})
    fields = {name: value for name, value in asked.items() if "." in name}
    asked = check_traits({name: value for name, value in asked.items() if "." not in name})
    read = dict(as_believed(reading).traits)
    wish = Wish(reading, _without_colors(read) if read.get("mono") else read, asked)
    people = [_person(wish, seed, i) for i in range(count)]
    for name, value in fields.items():
        people = [person.with_value(name, value) for person in people]
    return people


# what of a person stays in every pose, and which of the user's traits overrule it
LASTING = (
    "shape", "skin", "eyes", "hair", "brows", "facial_hair", "wear", "clothing", "light",
    "background", "seed",
)  # fmt: skip
OVERRULED_BY = {
    "shape": ("age", "sex", "build", "nose", "ears"), "skin": ("skin",), "eyes": ("eyes",),
    "hair": ("hair", "hair_style", "hair_length"), "brows": ("hair",),
    "facial_hair": ("beard", "beard_color"), "wear": ("headwear", "hat_color", "glasses", "mask"),
    "clothing": ("clothes",), "background": ("background",),
}  # fmt: skip


def same_person(who: Person, pose: Person, asked: Collection[str] = ()) -> Person:
    """`who` as `pose` stands: its pose, expression and camera.

    Args:
        asked: names of traits that the user set for `pose`; those win.
    """
    owners = {name: OVERRULED_BY.get(name, ()) for name in LASTING}
    kept = {n: getattr(who, n) for n in LASTING if not set(owners[n]) & set(asked)}
    if "age" in asked and "skin" in kept:  # older skin of the same tone
        kept["skin"] = replace(who.skin, age=pose.skin.age)
    return replace(pose, **kept)


def check_traits(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The user's traits with numbers parsed and every value known.

    Raises:
        OptionError: lists the names, or the values a name can have.
    """
    out = dict(asked)
    for name, value in asked.items():
        if name not in NAMES:
            raise OptionError(
                f"no trait named {name!r}",
                f"known: {', '.join(NAMES)}, or a dotted field such as hair.wave",
            )
        if name in CHOICES and value not in CHOICES[name]:
            raise OptionError(
                f"trait {name}: {value!r} is unknown", f"known: {', '.join(CHOICES[name])}"
            )
        if name in NUMBERS:
            out[name] = _number(name, value, *NUMBERS[name])
        elif name in COLORS:
            parse_color(name, value)
        elif name == "eyes":
            parse_color(name, value, EYE_WORDS)
        elif name == "sex":
            words = {"man": 0.0, "woman": 1.0}
            out[name] = words[value] if value in words else _number(name, value, 0.0, 1.0)
        elif name == "skin" and not str(value).startswith("#"):
            out[name] = _number(name, value, 1.0, 10.0)
    return out


def _number(name: str, value: Any, low: float, high: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not low <= number <= high:
        raise OptionError(f"trait {name}: {value!r}", f"a number in {low:g}..{high:g} is expected")
    return number


def parse_color(name: str, value: Any, words: Mapping[str, RGB] | None = None) -> RGB:
    """#rrggbb, (r, g, b) or a colour word.

    Raises:
        OptionError: none of these.
    """
    words = COLOR_WORDS if words is None else words
    if isinstance(value, str) and value in words:
        return words[value]
    if isinstance(value, str) and len(value) == 7 and value.startswith("#"):
        try:
            n = int(value[1:], 16)
        except ValueError:
            n = -1
        if n >= 0:
            return n >> 16, n >> 8 & 255, n & 255
    if isinstance(value, list | tuple) and len(value) == 3:
        return int(value[0]), int(value[1]), int(value[2])
    raise OptionError(
        f"trait {name}: {value!r} is no colour", f"#rrggbb or one of {', '.join(words)}"
    )


def _without_colors(traits: dict[str, Any]) -> dict[str, Any]:
    """Shades of one hue say light from dark and nothing else: keep that, drop the hue."""
    out = dict(traits)
    for name in ("skin_rgb", "eye_rgb", "mouth_rgb", "background_rgb", "emblem_rgb"):
        out[name] = None
    for name in ("hair_rgb", "facial_hair_rgb", "hat_rgb", "band_rgb", "cloth_rgb", "mask_rgb"):
        if out.get(name) is not None:
            level = float(oklab_from_u8(np.array(out[name], np.uint8))[0])
            shade = int(np.interp(level, [0, 0.45, 0.8, 1.0], [24, 58, 150, 225]))
            warm = (shade, int(shade * 0.78), int(shade * 0.61))
            out[name] = warm if "hair" in name else (shade, shade, int(shade * 0.97))
    if out.get("hair_word"):
        out["hair_word"] = "brown"
    return out


def _person(wish: Wish, seed: int, candidate: int) -> Person:
    own = int(np.random.SeedSequence([seed, candidate]).generate_state(1)[0]) & 0x3FFFFFFF
    rng = np.random.default_rng([seed, candidate, 7])
    base = draw_person(own)
    woman = _womanliness(wish, rng, candidate)
    years = _years(wish, rng, candidate)
    person = replace(base, seed=own)
    person = replace(person, shape=_shape(wish, base.shape, woman, years, rng))
    person = replace(person, skin=_skin(wish, base.skin, woman, years))
    person = replace(person, wear=_wear(wish), clothing=_clothing(wish, base.clothing))
    person = replace(person, hair=_hair(wish, person, rng, woman, years))
    person = replace(person, facial_hair=_facial_hair(wish, person))
    person = replace(person, brows=_brows(person, base.brows, woman))
    person = replace(person, eyes=_eyes(wish, base.eyes))
    person = replace(person, action=_expression(wish, base.action), pose=_pose(wish))
    person = replace(person, light=_light(wish, person))
    person = replace(person, background=_background(wish, person))
    return replace(person, camera=_camera(wish, person))


# ------------------------------------------------------------------ who


def _womanliness(wish: Wish, rng: np.random.Generator, candidate: int) -> float:
    """0 a man to 1 a woman, where the hints point; other candidates are drawn by them."""
    if "sex" in wish.asked:
        return float(wish.asked["sex"])
    share = 1 / (1 + math.exp(-hints.woman_odds(wish.traits, bearded=_bearded(wish))))
    draw = share > 0.5 if candidate == 0 else rng.random() < share
    return float(np.clip((0.95 if draw else 0.08) + rng.normal() * 0.05, 0, 1))


def _bearded(wish: Wish) -> bool:
    return _beard_style(wish) != "none"


def _years(wish: Wish, rng: np.random.Generator, candidate: int) -> float:
    if "age" in wish.asked:
        return float(wish.asked["age"])
    return hints.years(wish.reading, rng, bearded=_bearded(wish), candidate=candidate)


def _age_shape(years: float) -> float:
    """Years as the morphable head counts age: 0 baby, .33 child of 9, .67 young adult, 1 old."""
    return float(np.interp(years, [1, 9, 14, 24, 50, 95], [0.0, 0.33, 0.48, 0.66, 0.80, 1.0]))


# sliders that a broad face (`hints.broadness`) moves, per unit of it
BROAD = (
    ("head/head-fat", 0.7), ("head/head-scale-horiz", 0.5), ("chin/chin-width", 0.5),
    ("chin/chin-height", -0.4), ("cheek/cheek-volume", 0.4),
)  # fmt: skip
FEMININE = (
    ("chin/chin-width", -0.22), ("chin/chin-bones", -0.2), ("chin/chin-jaw-drop", -0.12),
    ("nose/nose-volume", -0.15), ("nose/nose-hump", -0.15), ("mouth/mouth-upperlip-volume", 0.06),
    ("mouth/mouth-lowerlip-volume", 0.06), ("eyes/eye-scale", 0.1),
    ("eyebrows/eyebrows-trans-y", 0.12), ("forehead/forehead-nubian", 0.1),
)  # fmt: skip


def _shape(wish: Wish, base: Shape, woman: float, years: float, rng: np.random.Generator) -> Shape:
    """The prior's own bones, bent to what the sprite exaggerates."""
    t = wish.traits
    local, usual = dict(base.local), mean_sliders()

    def bend(name: str, amount: float, keep: float = 0.6) -> None:
        mean = usual.get(name, 0.0)
        own = mean + keep * (local.get(name, 0.0) - mean)
        local[name] = float(np.clip(own + amount, -1.2, 1.2))

    big_eyes = float(np.clip((t.get("eye_height", 0.3) - 0.25) * 1.3, -0.15, 0.5))
    bend("eyes/eye-scale", big_eyes)
    broad = hints.broadness(wish.reading)
    for name, share in BROAD:
        bend(name, share * broad)
    if woman > 0.5:  # the prior's bones are for everybody; these keep them within the sex
        for name, amount in FEMININE:
            bend(name, amount)
    nose = wish.asked.get("nose")
    if nose is None:
        width = t.get("nose_width") or 0.0
        nose = float(np.clip((width - 0.45) * 2.0, 0.0, 0.8)) if width else 0.0
        if t.get("facial_hair") == "moustache":
            nose = max(nose, 0.7)
    if nose:
        for name, share in (
            ("nose/nose-volume", 0.8), ("nose/nose-scale-horiz", 0.5),
            ("nose/nose-point-width", 0.5), ("nose/nose-scale-depth", 0.25),
        ):  # fmt: skip
            bend(name, float(nose) * share)
    if _ears(wish) == "pointed":
        for name, amount in (
            ("ears/ear-shape-pointed", 1.2), ("ears/ear-scale-vert", 0.9),
            ("ears/ear-wing", 0.6), ("ears/ear-scale", 0.25),
        ):  # fmt: skip
            local[name] = amount
    weight = max(0.30, 0.42 + 0.4 * (base.weight - 0.5) + 0.7 * broad)
    if "build" in wish.asked:
        weight = float(wish.asked["build"])
    elif t.get("facial_hair") == "moustache":
        weight = max(weight, 0.6)
    return replace(
        base,
        gender=woman,
        age=_age_shape(years),
        muscle=base.muscle if woman < 0.5 else min(base.muscle, 0.4),
        weight=float(np.clip(weight, 0.1, 0.95)),
        local=local,
    )


def _ears(wish: Wish) -> str:
    return str(wish.asked.get("ears", wish.traits.get("ears", "normal")))


def _skin(wish: Wish, base: Skin, woman: float, years: float) -> Skin:
    """Melanin and redness that give the sprite's own tone; other hues become a tint."""
    aged = float(np.clip((years - 28) / 55, 0, 1))
    t = wish.traits
    painted = hints.lips(t)
    skin = replace(
        base,
        age=aged,
        stubble=0.0 if woman > 0.5 or years < 17 else base.stubble,
        freckles=max(base.freckles, hints.freckles(wish.reading)),
        lipstick=woman * (years > 15) * (0.1 + 0.45 * painted),
        lip_color=_linear(t.get("mouth_rgb") or (170, 60, 60), 0.62)
        if painted > 0.2
        else base.lip_color,
    )
    asked = wish.asked.get("skin")
    if isinstance(asked, float):
        return replace(skin, melanin=tone_melanin(asked), tint=(1.0, 1.0, 1.0))
    rgb = parse_color("skin", asked) if asked is not None else t.get("skin_rgb")
    return skin if rgb is None else paint_skin(skin, (int(rgb[0]), int(rgb[1]), int(rgb[2])))


def paint_skin(skin: Skin, rgb: RGB) -> Skin:
    """Skin that looks like `rgb` in a portrait, as far as a first guess can know."""
    lab = lab_from_u8(np.array(rgb, np.uint8))
    if is_human(lab):  # sprites paint skin more vivid than pigments can be
        shown = np.clip(srgb_from_lab(photographic_skin(lab)), 0, 1)
        rgb = (round(255 * shown[0]), round(255 * shown[1]), round(255 * shown[2]))
    melanin, hemoglobin, tint = match_skin(rgb)
    glossy = max(skin.oily, DARK_GLOSS * _modelled(melanin))
    painted = replace(skin, melanin=melanin, hemoglobin=hemoglobin, tint=tint, oily=glossy)
    if max(abs(c - 1) for c in tint) > 1e-3:  # green, blue or grey people don't blush red
        painted = replace(painted, blush=0.1, freckles=0.0)
    return painted


# ------------------------------------------------------------------ hair


def _linear(rgb: Any, k: float = 0.75, natural: float = 0.0) -> Color:
    """A sprite colour as a linear albedo; `natural` pulls it towards its own grey."""
    c = np.array(srgb_to_linear((int(rgb[0]), int(rgb[1]), int(rgb[2]))))
    c = (c * (1 - natural) + c.mean() * natural) * k
    return float(c[0]), float(c[1]), float(c[2])


def hair_color(rgb: RGB, word: str) -> Color:
    """A sprite's hair colour as strand albedo: strands shade themselves, so it is lifted a little."""
    natural = word in NATURAL_HAIR or word == "red"
    c = np.array(_linear(rgb, 0.80 if natural else 0.62, 0.08 if natural else 0.0)) + 0.004
    if word == "blond":
        c = 0.5 * c + 0.5 * np.array([0.60, 0.40, 0.17]) * c.mean() / 0.39
    c = np.clip(c, 0.006, 0.8)
    return float(c[0]), float(c[1]), float(c[2])


def _hair_word(wish: Wish) -> str:
    asked = wish.asked.get("hair")
    if isinstance(asked, str) and not asked.startswith("#"):
        return asked
    return str(wish.traits.get("hair_word", ""))


def _hair(wish: Wish, person: Person, rng: np.random.Generator, woman: float, years: float) -> Hair:
    t, base = wish.traits, person.hair
    rgb = wish.color("hair", "hair_rgb")
    if rgb is None:
        rgb = wish.color("beard_color", "facial_hair_rgb")
    color = None if rgb is None else hair_color(rgb, _hair_word(wish))
    hair = replace(base, color=color, grey=0.0 if color is not None else base.grey)
    name = _hair_style(wish, rng)
    hair = replace(hair, style=name, **_cut(name, rng))
    length = wish.asked.get("hair_length") or t.get("hair_length")
    if name == "afro":
        hair = replace(hair, length=float(np.clip(t.get("hair_volume", 1.0) * 4.2, 3.0, 8.0)))
    elif name in ("long", "curtains") and length == "medium":
        hair = replace(hair, length=14.0)
    elif name in ("short", "side_part", "fringe", "quiff"):
        hair = replace(hair, side=4.2 if length == "medium" else 2.2)
    low = t.get("fringe", 1.0) < 0.62 and not _covered(wish)  # a hat's edge is no fringe
    if low and name in ("long", "bob", "ponytail", "short", "fringe"):
        hair = replace(hair, fringe=5.4)
    if name in ("long", "bob", "ponytail"):
        wave = float(np.clip((t.get("hair_texture", 0.0) - 0.03) * 5, 0.04, 0.4))
        hair = replace(hair, wave=wave, frequency=1.1 + 1.2 * (wave > 0.2))
    if years > 60 and woman < 0.5 and name == "short" and not t.get("headwear"):
        hair = replace(hair, hairline=10.8)
    return hair


LONG_REACH = 0.8  # of the way from eyes to chin: hair that hangs so low isn't short
SMOOTH_HAIR = 0.05  # mean step of lightness between neighbours in it


def _covered(wish: Wish) -> bool:
    """Whether something is worn that hides the hairline."""
    return bool(wish.traits.get("headwear")) and wish.traits["headwear"] not in OPEN_HEADWEAR


def _hair_style(wish: Wish, rng: np.random.Generator) -> str:
    """One of the head's cuts; where several would do, the seed decides."""
    if "hair_style" in wish.asked:
        return str(wish.asked["hair_style"])
    t = wish.traits
    if "hair_length" in wish.asked:
        return {"short": "short", "medium": "bob", "long": "long"}[wish.asked["hair_length"]]
    cut = _cut_as_read(wish, rng)
    return cut if t.get("headwear") else cuts.settled(wish.reading, cut)


def _cut_as_read(wish: Wish, rng: np.random.Generator) -> str:
    """The cut that the reading's words stand for."""
    t = wish.traits
    style, length = t.get("hair_style", "short"), t.get("hair_length", "short")
    covered = _covered(wish)
    fringe = float(t.get("fringe", 0.9))
    if style == "bald" or (t.get("bald") and not covered):
        return "bald"
    if (
        covered
        and length in ("none", "short", "medium")
        and style not in ("ponytail", "braids", "bob")
    ):
        return "short"
    if style == "short":
        if hints.hair_reach(wish.reading) >= LONG_REACH:
            return "bob"
        if fringe < 0.62:
            return "fringe"
        return str(
            rng.choice(
                ("short", "side_part", "quiff")
                if fringe > 0.85
                else ("short", "fringe", "side_part")
            )
        )
    if style == "long":
        return "long" if fringe < 0.62 or length == "long" or rng.random() < 0.6 else "curtains"
    if style == "afro":
        wide, tall = float(t.get("hair_width", 1.0)), float(t.get("hair_volume", 1.0))
        if wide <= 1.25 or float(t.get("hair_texture", 0.0)) < SMOOTH_HAIR:
            return "bob" if wide > 1.3 else "fringe"  # a smooth round cap of hair
        return "afro" if tall > 0.7 else "curls"
    if style == "" or style is None:
        return "short"
    return {"spiky": "spikes"}.get(style, str(style))


def _cut(name: str, rng: np.random.Generator) -> dict[str, Any]:
    """Lengths and combing that go with a cut."""
    sweep = float(rng.choice([-1, 1]) * rng.uniform(0.35, 0.9))
    short = {
        "length": float(rng.uniform(3.5, 5.5)),
        "side": 2.2,
        "forward": 0.25,
        "lift": 0.6,
        "sweep": sweep,
    }
    return {
        "bald": {}, "receding": {}, "buzz": {"length": 0.6, "side": 0.5},
        "short": short, "side_part": {**short, "length": 5.5}, "quiff": {**short, "length": 6.5},
        "fringe": {**short, "length": 6.0, "side": 3.4, "forward": 1.1, "hairline": 9.4},
        "slick": {"length": 7.5}, "spikes": {"length": 6.0, "side": 2.5, "clump": 0.8},
        "bob": {"length": 13.0, "side": 13.0, "wave": 0.05, "hairline": 9.3},
        "long": {"length": 26.0, "side": 26.0, "wave": 0.1, "hairline": 9.6},
        "curtains": {"length": 20.0, "side": 20.0, "part": 0.0},
        "ponytail": {"length": 22.0, "side": 22.0}, "bun": {"length": 20.0, "side": 20.0},
        "braids": {"length": 26.0, "side": 26.0}, "mohawk": {"length": 7.0},
        "curls": {"length": 5.5, "side": 4.0, "wave": 0.3, "frequency": 4.0},
        "afro": {"length": 6.0, "wave": 0.3, "frequency": 5.0, "clump": 0.35, "frizz": 2.0},
        "dreadlocks": {"length": 18.0, "side": 18.0},
    }[name]  # fmt: skip


OPEN_HEADWEAR = ("headband", "crown")
BROAD_MOUSTACHE = 0.9  # area in squared eye distances


def _beard_style(wish: Wish) -> str:
    asked = wish.asked.get("beard")
    if asked is not None:
        return "full" if asked == "beard" else str(asked)
    t = wish.traits
    if t.get("mask") == "lower" or t.get("headwear") == "ninja":
        return "none"
    size = float(t.get("beard_size", 0.0))
    if t.get("facial_hair") == "beard":
        pointed = t.get("headwear") == "pointed" and size > 0.7
        return "wizard" if pointed else "long" if size > 1.7 else "full"
    if t.get("facial_hair") == "moustache" and size > BROAD_MOUSTACHE:
        return "walrus"
    return str(t.get("facial_hair") or "none")


def _facial_hair(wish: Wish, person: Person) -> FacialHair:
    style = _beard_style(wish)
    if style == "none":
        return FacialHair()
    rgb = wish.color("beard_color", "facial_hair_rgb")
    if rgb is None:
        rgb = wish.color("hair", "hair_rgb")
    color = None
    if rgb is not None:
        L = float(oklab_from_u8(np.array(rgb, np.uint8))[0])
        color = hair_color(rgb, "white" if L > 0.85 else "brown")
    size = float(wish.traits.get("beard_size", 0.6)) or 0.6
    length = {
        "full": float(np.clip(0.8 + 1.4 * size, 1.0, 3.2)), "long": 7.0, "wizard": 12.0,
        "goatee": 1.6, "van_dyke": 2.0,
    }.get(style, 1.0)  # fmt: skip
    moustache = 1.3 if style in ("moustache", "handlebar", "wizard", "long") else 1.0
    if style == "walrus":  # somebody's mark: as much of it as the sprite has
        moustache = float(np.clip(1.2 + 0.5 * size, 1.3, 2.2))
    return FacialHair(style=style, length=length, moustache=moustache, density=1.1, color=color)


BROW_BROWN = (1.0, 0.74, 0.56)


def _brows(person: Person, base: Brows, woman: float) -> Brows:
    """Brows of the hair's colour, darker, unless white; on dark skin darker than the skin."""
    color = person.hair.color or person.facial_hair.color
    if color is None:
        return base
    level = float(np.mean(color))
    white = level > 0.4 and max(color) - min(color) < 0.08
    dark = np.array(color) * (0.75 if white else 0.42)
    limit = 1.0 if white else min(1.0, 0.16 / max(1e-3, float(dark.mean())))
    skin = skin_albedo(person.skin.melanin, person.skin.hemoglobin) * np.array(person.skin.tint)
    limit = min(limit, brow_limit(skin) / max(1e-3, float(dark.max())))
    # the more they must darken, the more of nature's brown there is in them
    brown = np.array(BROW_BROWN) * dark.max()
    r, g, b = limit * (limit * dark + (1 - limit) * brown)
    return replace(
        base,
        color=(float(r), float(g), float(b)),
        density=base.density * (1.05 if woman < 0.5 else 0.7),
    )


# ------------------------------------------------------------------ eyes, pose, expression


def _eyes(wish: Wish, base: Eyes) -> Eyes:
    """The sprite's iris hue at a believable strength; black eyes become dark brown ones."""
    if "eyes" in wish.asked:
        rgb = parse_color("eyes", wish.asked["eyes"], EYE_WORDS)
    elif wish.traits.get("eye_rgb") is not None:
        rgb = wish.traits["eye_rgb"]
    elif wish.traits.get("mono"):
        return base
    else:
        rgb = EYE_WORDS["brown"] if wish.traits.get("eye_white") else EYE_WORDS["black"]
    c = np.array(_linear(rgb, 1.0))
    peak = float(c.max())
    c = c / max(peak, 1e-3) * float(np.clip(peak, 0.10, 0.34))
    # brown is as strong in eyes as in paint; green and blue never are
    keep = 0.85 if c.argmax() == 0 else 0.62
    c = keep * c + (1 - keep) * c.mean()
    dark = c * 0.42
    return replace(
        base,
        iris=(float(c[0]), float(c[1]), float(c[2])),
        iris_inner=(float(dark[0]), float(dark[1]), float(dark[2])),
    )


def _expression(wish: Wish, base: Mapping[str, float]) -> dict[str, float]:
    smile = wish.asked.get("smile")
    bearded = _beard_style(wish) in ("full", "long", "wizard")
    if smile is None:
        smile = 0.22 if bearded else 0.46
        smile += 0.15 if wish.traits.get("teeth") else 0.0
    action = {k: v for k, v in base.items() if not k.startswith(("mouth", "jaw"))}
    for side in ("Left", "Right"):
        action[f"mouthSmile{side}"] = float(smile)
        action[f"cheekSquint{side}"] = 0.45 * float(smile)
    return action


def _pose(wish: Wish) -> Pose:
    view = str(wish.asked.get("view", wish.traits.get("view", "front")))
    side = str(wish.asked.get("side", wish.traits.get("side") or "right"))
    shaded = flatness(wish.reading) <= SHADED and not {"view", "side"} & set(wish.asked)
    if shaded and view != "profile":
        return Pose(yaw=turned.yaw(wish.reading))
    if view == "front":
        return Pose(yaw=YAW[view])
    yaw = YAW[view] * (-1 if side == "left" else 1)
    return Pose(yaw=yaw, gaze_x=-0.3 * yaw if view == "three_quarter" else 0.0)


# ------------------------------------------------------------------ wear and surroundings


def headwear_kind(wish: Wish) -> str:
    """The item of the head slot, or "none"."""
    if "headwear" in wish.asked:
        return str(wish.asked["headwear"])
    t = wish.traits
    kind = t.get("headwear", "")
    if not kind:
        return "none"
    dark = (
        t.get("hat_rgb") is not None
        and float(oklab_from_u8(np.array(t["hat_rgb"], np.uint8))[0]) < 0.35
    )
    if kind in ("cap", "pointed", "beanie") and _ears(wish) == "pointed":
        return "elf_cap"
    if kind == "pointed" and dark:
        return "witch_hat"
    if kind == "brim" and _brown(t.get("hat_rgb")):
        return "cowboy_hat"
    if kind == "cap" and not t.get("brim") and t.get("emblem_rgb") is None:
        return "beanie" if t.get("band_rgb") is None else "plumber_cap"
    if kind == "helmet" and not _metallic(t.get("hat_rgb")):
        return "viking_helmet" if t.get("facial_hair") else "knight_helmet"
    return READ_HEADWEAR[kind]


def _brown(rgb: Any) -> bool:
    if rgb is None:
        return False
    lab = oklab_from_u8(np.array(rgb, np.uint8)).astype(float)
    return bool(40 < float(hue_degrees(lab)) < 90 and lab[0] < 0.65)


def _metallic(rgb: Any) -> bool:
    return rgb is not None and float(np.hypot(*oklab_from_u8(np.array(rgb, np.uint8))[1:])) < 0.06


def _cm_per_px(wish: Wish) -> float:
    """The sprite's scale, from the eyes and the chin; chibi proportions make it a compromise."""
    lm = wish.reading.landmarks
    eye_y = sum(y for _, y in lm.eyes) / len(lm.eyes)
    by_chin = (EYE_Y_CM - CHIN_Y_CM) / max(1.0, lm.chin_y - eye_y)
    by_width = 14.2 / max(2.0, lm.face[2] - lm.face[0])
    return float(np.sqrt(by_chin * by_width))


def _wear(wish: Wish) -> tuple[Wear, ...]:
    t, items = wish.traits, []
    kind = headwear_kind(wish)
    if kind != "none":
        items.append(_hat(wish, kind))
    mask = str(wish.asked.get("mask", t.get("mask") or "none"))
    if mask == "lower" and kind != "ninja_mask":
        items.append(Wear("lower_mask", color=_linear(t.get("mask_rgb") or (60, 60, 70), 0.8)))
    elif mask.startswith("eyepatch"):
        subject_left = mask.endswith("right")  # the viewer's right is the subject's left
        items.append(
            Wear("eye_patch", color=(0.012, 0.011, 0.012), side=1.0 if subject_left else -1.0)
        )
    glasses = str(wish.asked.get("glasses", t.get("glasses") or "none"))
    name = {"clear": "glasses", "dark": "sunglasses", "goggles": "goggles"}.get(glasses)
    if name:
        items.append(Wear(name, color=(0.02, 0.02, 0.02)))
    return tuple(items)


def _hat(wish: Wish, kind: str) -> Wear:
    t, lm = wish.traits, wish.reading.landmarks
    rgb = wish.color("hat_color", "hat_rgb") or (150, 40, 40)
    color = _linear(rgb, 0.80)
    if kind in ("crown", "tiara") and not _metallic(rgb):
        color = (0.85, 0.56, 0.12)
    band = t.get("band_rgb")
    color2 = _linear(band, 0.80) if band else (color[0] * 0.55, color[1] * 0.55, color[2] * 0.55)
    cm = _cm_per_px(wish)
    low = 8.3
    if t.get("hat_bottom") is not None:
        eye_y = sum(y for _, y in lm.eyes) / len(lm.eyes)
        low = float(np.clip(EYE_Y_CM + (eye_y - t["hat_bottom"]) * cm * 0.9, 7.2, 9.2))
    size = 1.0
    if kind in ("wizard_hat", "witch_hat") and t.get("hat_top") is not None:
        size = float(np.clip((t["hat_bottom"] - t["hat_top"]) * cm / 15.0, 0.75, 1.3))
    if kind == "headband" and t.get("hat_top") is not None:
        size = float(np.clip((t["hat_bottom"] - t["hat_top"]) * cm / 2.5, 0.8, 2.0))
    emblem = None
    if t.get("emblem_rgb") is not None and kind in (
        "plumber_cap",
        "baseball_cap",
        "beanie",
        "bandana",
    ):
        middle = (lm.face[0] + lm.face[2]) / 2
        emblem = Emblem(
            color=_linear(t["emblem_rgb"], 0.78),
            radius=float(np.clip((t.get("emblem_radius") or 1.0) * cm * 0.8, 1.1, 2.2)),
            x=float(np.clip((t["emblem_at"][0] - middle) * cm * 0.5, -3, 3))
            if t.get("emblem_at")
            else 0.0,
            y=4.0,
        )
    return Wear(kind, color=color, color2=color2, low=low, size=size, emblem=emblem)


def _clothing(wish: Wish, base: Clothing) -> Clothing:
    rgb = wish.color("clothes", "cloth_rgb")
    kind = headwear_kind(wish)
    style = {
        "knight_helmet": "armour", "viking_helmet": "robe", "wizard_hat": "robe", "crown": "robe",
        "hood": "robe",
    }.get(kind, base.style if base.style in ("tshirt", "collar") else "tshirt")  # fmt: skip
    if rgb is None:
        hat = wish.traits.get("hat_rgb")
        rgb = hat if hat is not None and kind not in ("crown", "knight_helmet") else None
    if rgb is None:
        return replace(base, style=style)
    return replace(base, style=style, color=_linear(rgb, 0.7))


BRIMMED = (
    "plumber_cap", "baseball_cap", "brim_hat", "cowboy_hat", "top_hat", "witch_hat", "wizard_hat", "hood",
    "hijab",
)  # fmt: skip
# a portrait photographer's reflector brightens the neck and the hollows of the eyes
DARK_SIDES: tuple[Color, ...] = ((0.0, 0.0, 0.0),) * 2
# power of softboxes in front and above for the darkest skin: from there highlights draw nose, cheeks
# and lids, where detectors and people look; from the sides they only draw the edge of a face
SOFTBOXES = (1.0, 0.25)
DARK_GLOSS = 0.9  # least `Skin.oily` of the darkest: matt, it has no features beside white hair
REFLECTOR: Color = (0.14, 0.13, 0.12)


def _light(wish: Wish, person: Person) -> Light:
    """A plain studio, lit from the sprite's side or else from the one that the prior drew. Exposed
    for the skin, as a photographer would: sprites paint light skin lighter than a lit cheek is.
    Where nothing says what skin it is, the prior's own light shows the prior's own skin."""
    if wish.traits.get("skin_rgb") is None and "skin" not in wish.asked:
        return person.light
    drawn = 1.0 if person.light.key_x >= 0 else -1.0
    side = hints.light_side(wish.reading) or drawn
    melanin = person.skin.melanin
    exposure = float(np.interp(melanin, [0.1, 0.25, 0.6, 1.5, 4.0], [2.3, 1.9, 1.5, 1.35, 1.2]))
    # dark skin shows its form by highlights: more light from in front, less from everywhere
    modelled = _modelled(melanin)
    # under a brim the face gets its light from lower; elsewhere a rim would only make hair brighter
    # beside dark skin
    brimmed = headwear_kind(wish) in BRIMMED
    high, rim = (0.34, 0.9) if brimmed else (0.55, 0.9 - 0.85 * modelled)
    front, above = (_grey(power * modelled) for power in SOFTBOXES)
    return Light(
        key_x=(0.6 - 0.47 * modelled) * side, key_y=high, key=2.0, fill=0.48 + 1.3 * modelled,
        rim=rim, ambient=0.50 - 0.55 * modelled, warm=0.04, exposure=exposure,
        room=(front, *DARK_SIDES, above, REFLECTOR),
    )  # fmt: skip


def _modelled(melanin: float) -> float:
    """How far skin shows its form by highlights and not by shade, 0..1."""
    return melanin / (melanin + 3.0)


def _grey(level: float) -> Color:
    return level, level, level


def _background(wish: Wish, person: Person) -> Background:
    rgb = wish.color("background", "background_rgb")
    if rgb is not None:
        base = np.array(_linear(rgb, 0.5, 0.35 if "background" not in wish.asked else 0.0))
    else:
        cloth = np.array(person.clothing.color)
        base = np.array([0.10, 0.13, 0.17]) + 0.06 * (
            1 - np.clip(cloth / max(cloth.max(), 0.05), 0, 1)
        )
    base = base * 1.3 / person.light.exposure  # the wall stays as dark however the face is lit
    color, edge = base * 1.35, base * 0.6
    return Background(
        "gradient",
        (float(color[0]), float(color[1]), float(color[2])),
        (float(edge[0]), float(edge[1]), float(edge[2])),
    )


def _camera(wish: Wish, person: Person) -> Camera:
    """The sprite's eye row and size decide the frame, as far as the head still fits in it."""
    lm = wish.reading.landmarks
    h, w = wish.reading.labels.shape
    edge = max(h, w)
    top_pad = (edge - h) / 2
    eye_y = sum(y for _, y in lm.eyes) / len(lm.eyes) + top_pad
    chin_y = lm.chin_y + top_pad
    hat = max((ITEMS[item.kind].lift for item in person.wear if item.kind in ITEMS), default=0.0)
    volume = {"afro": 4.6, "spikes": 3.2, "mohawk": 4.5, "bun": 3.0, "curls": 2.2, "quiff": 1.6}
    crown = CROWN_Y_CM + max(hat, volume.get(person.hair.style, 1.0))
    low = -12.0 if person.hair.style in ("long", "braids", "curtains") else -10.6
    low -= (
        float(np.clip(person.facial_hair.length - 2.0, 0, 5))
        if person.facial_hair.style != "none"
        else 0.0
    )
    need = crown + 0.8 - low
    wanted = (EYE_Y_CM - CHIN_Y_CM) / max(0.16, (chin_y - eye_y) / edge)
    frame = float(np.clip(wanted, max(25.0, need), max(28.5, need)))
    top = EYE_Y_CM + eye_y / edge * frame
    top = float(np.clip(top, crown + 0.8, low + frame))
    x = 0.0
    if wish.reading.view is View.FRONT:
        middle = (lm.face[0] + lm.face[2]) / 2 - w / 2
        x = float(np.clip(-middle / edge * frame * 0.5, -2.5, 2.5))
    else:
        side = math.copysign(1.0, person.pose.yaw)
        x = 1.6 * side * min(1.0, abs(person.pose.yaw))
    return Camera(zoom=31.5 / frame, x=x, y=top - frame / 2 - 1.8)
