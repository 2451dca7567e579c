"""From the label map to a flat mapping of traits: what a portrait of this character must show."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from ...types import F64, U8, Bool, Label, View
from .colors import distance, hair_word, hue_gap, lch, oklab, srgb
from .geometry import Geometry
from .layers import Layers, span
from .materials import face_core
from .network import Opinion

Traits = dict[str, Any]
CLOSED = ("hood", "ninja")  # no hair shows
BEYOND_DOUBT = 0.9  # the least chance of a hat that the colours have shown
UNSEEN = 0.5  # what a map without a pixel of it leaves of the network's chance of a hat or beard
SMALL = ("cap", "crown", "headband")  # what may sit on a full head of hair
FAMILIES = (
    ("cap", "beanie", "brim", "bandana", "turban", "pointed"),
    ("helmet", "horned", "hood", "ninja"),
    ("headband", "crown"),
)
MOST_SHADES = (
    12  # of one hue that a hand-held screen's picture is told by, blends at edges included
)
LIT, LIT_TO_SHADE = 0.25, 0.6  # of a face, of its commonest colour: what a lit half has at least
TONE, RAMP = 0.2, 0.25  # of a face, where it has three tones; how much darker the darkest is
SHADE, SHADE_STEP = 0.12, 0.22  # of a face; how much darker a shade is at most, Oklab
COLORED = 0.3  # what a coloured dome that ends above the eyes leaves of a helmet
BLUNT = 0.3  # what a flat top leaves of the chance that a hat is pointed
FILLED, PEEPING = 0.5, 0.15  # of dark glasses: in areas two pixels wide, of an eye beside them
SMOOTH_DOME = 0.4  # what an outline without points leaves of spikes; of our drawings a quarter
POINT = 0.05  # of the head's height: how far hair rises and falls for a point of it
ROUND_WEIGHT, ROUND_FROM = 4.0, 1.2  # how much wider than the face hair makes an afro likely
WORN_WEIGHTS = (0.4, 3.46, -3.28, -0.94, -0.59)  # of hat_measures
WORN_FROM = 1.41
BEARD_WEIGHTS = (0.41, 0.31, 0.94, -0.87)  # of beard_measures
BEARD_FROM = 0.86
MOST_AREA = 0.8  # of a beard, in squared eye distances: more doesn't make it likelier


def traits_of(
    layers: Layers, labels: U8, g: Geometry, opinion: Opinion, found: frozenset[str] = frozenset()
) -> tuple[Traits, dict[str, float]]:
    """All traits; splits `labels` further on the way (band, emblem, iris, teeth, nose, ear).

    `found` is what the colours alone have shown (see `materials.settle`). Also returned is the
    chance that headwear and facial hair are there at all, by those names.
    """
    t: Traits = {"view": str(g.view), "side": g.side, "mono": one_hue(layers)}
    t["skin_rgb"] = srgb(skin_color(layers, labels, g))
    _mask_or_beard(layers, labels, g, opinion)
    _hair_over_a_band(layers, labels, g)
    present = {
        "headwear": chance_of_hat(layers, labels, g, opinion),
        "facial_hair": chance_of_beard(layers, labels, g, opinion),
    }
    if found:
        present["headwear"] = max(BEYOND_DOUBT, present["headwear"])
    t.update(_headwear(layers, labels, g, opinion, found))
    t.update(_hair(layers, labels, g, opinion, t["headwear"]))
    t.update(_facial_hair(layers, labels, g, opinion))
    if t["headwear"] and not t["hair_word"] and t["facial_hair_rgb"]:
        t["hair_word"] = hair_word(oklab(t["facial_hair_rgb"]))  # what a hat hides is like it
    t.update(_covers(layers, labels, g, opinion))
    t.update(_face(layers, labels, g))
    return t, present


def skin_color(layers: Layers, labels: U8, g: Geometry) -> F64:
    """The base of the skin's ramp: the commonest colour of the face that is not its shade.

    Where half of a face lies in the shade, the lighter half is the base, be it a little smaller;
    but what is lighter than a base that has a shade of its own is a highlight.
    """
    skin = labels == Label.SKIN
    face = skin & (layers.y >= g.hairline - 1) & (layers.y < g.chin)
    face &= (layers.x >= g.face[0]) & (layers.x < g.face[2])
    region = face if face.sum() >= 3 else skin
    if not region.any():
        return np.asarray(oklab(np.array([200, 160, 130])), np.float64)
    entries = layers.index[region]
    shares = np.bincount(entries[entries >= 0], minlength=len(layers.centres)) / region.sum()
    return _base_of_ramp(layers.centres, shares, layers.main_color(region, darkest=0.25))


def _base_of_ramp(centres: F64, shares: NDArray[np.float64], color: F64) -> F64:
    """The base among a face's colours (K, 3) with their shares (K,), `color` being the commonest."""
    large = np.nonzero((shares >= LIT) & (shares >= LIT_TO_SHADE * shares.max()))[0]
    below = color[0] - centres[:, 0]
    shaded = (shares >= SHADE) & (below > 0.03) & (below < SHADE_STEP)
    if len(large) and not shaded.any():
        lit = centres[large[centres[large, 0].argmax()]]
        color = lit if lit[0] > color[0] else color
    below = color[0] - centres[:, 0]
    lower = np.nonzero((shares >= TONE) & (below > 0.03) & (below < RAMP))[0]
    lighter = (shares >= 0.5 * TONE) & (below < -0.03)
    if len(lower) >= 2 and not lighter.any():  # of three large tones the middle one is the base
        color = centres[lower[centres[lower, 0].argmax()]]
    return color


def one_hue(layers: Layers) -> bool:
    """A hand-held screen's four shades of one hue: the colours say nothing about materials."""
    L, C, h = lch(layers.lab[layers.solid])
    colored = C > 0.02
    if not len(L):
        return False
    if colored.mean() < 0.05:
        return True  # greys only
    if len(layers.centres) > MOST_SHADES:
        return False  # painted so on purpose: somebody green
    middle = float(np.median(h[colored]))
    one = bool((hue_gap(h[colored], middle) < 28).mean() > 0.97)
    return one and not 15 < middle < 95 and colored.mean() > 0.55


def _mask_or_beard(layers: Layers, labels: U8, g: Geometry, opinion: Opinion) -> None:
    """A "mask" in the colour of the beard or the hair, on a face that wears none, is a beard."""
    mask = (labels == Label.MASK) & (layers.y > g.eye_y + 0.3 * g.unit)
    if not mask.any() or opinion.traits["mask"]["lower"] > 0.6:
        return
    color = layers.main_color(mask)
    for label in (Label.FACIAL_HAIR, Label.HAIR):
        other = labels == label
        if other.sum() > 2 and distance(layers.main_color(other), color) < 0.1:
            labels[mask] = Label.FACIAL_HAIR
            return


def _headwear(
    layers: Layers, labels: U8, g: Geometry, opinion: Opinion, found: frozenset[str]
) -> Traits:
    t: Traits = {
        "headwear": "", "hat_rgb": None, "band_rgb": None, "brim": False, "emblem_rgb": None,
        "emblem_at": None, "emblem_radius": None, "hat_top": None, "hat_bottom": None,
    }  # fmt: skip
    hat = labels == Label.HEADWEAR
    t["headwear"] = kind = _headwear_kind(layers, labels, g, opinion, found)
    if not kind:
        labels[hat] = Label.HAIR
        return t
    color = layers.main_color(hat, darkest=0.2)
    rows = np.nonzero(hat.any(1))[0]
    t["hat_rgb"] = srgb(color)
    t.update(_emblem(layers, labels, hat, color))
    brim, band = _brim_and_band(layers, labels, g, hat, color, kind)
    t["brim"], t["band_rgb"] = brim, band
    above = rows[rows < g.eye_y]
    t["hat_top"] = float(rows[0])
    t["hat_bottom"] = float(above[-1] + 1 if len(above) else g.hairline)
    return t


def _headwear_kind(
    layers: Layers, labels: U8, g: Geometry, opinion: Opinion, found: frozenset[str]
) -> str:
    """The network's word for it, weighed with the shape that the label map shows."""
    chances = opinion.traits["headwear"]
    hat = labels == Label.HEADWEAR
    share = float(hat.sum() / max(1, layers.solid.sum()))
    worn = chance_of_hat(layers, labels, g, opinion)
    if "small hat" in found:
        return max(SMALL, key=chances.__getitem__)
    if share < 0.012 or not ("hat" in found or worn > 0.5):
        return ""
    if _hair_above(labels, hat, g) > 0.5:
        return "headband"
    fits = _shapes(layers, labels, hat, g, chances)
    scores = {k: (v + 0.02) * (1.0 if k in fits else 0.7) for k, v in chances.items()}
    below = (hat & (layers.y > g.eye_y)).sum() / hat.sum()
    if below < 0.03 and np.hypot(*layers.main_color(hat, 0.2)[1:]) > 0.07:
        scores["helmet"] *= COLORED
    if _blunt(hat, g):
        scores["pointed"] *= BLUNT
    del scores["none"]
    family = {k: sum(scores[j] for j in group) for group in FAMILIES for k in group}
    # six sorts of cap share their chance: the family counts, too
    kind = max(scores, key=lambda k: scores[k] * family[k] ** 0.5)
    if kind == "helmet" and _horns(hat, np.nonzero(hat.any(1))[0], g):
        return "horned"
    return kind


def chance_of_hat(layers: Layers, labels: U8, g: Geometry, opinion: Opinion) -> float:
    """Whether what the label map calls headwear is worn: a logistic model of `hat_measures`.

    Fitted on our own drawings and, each game left out in turn, on labelled faces of free games.
    """
    if not (labels == Label.HEADWEAR).any():
        return UNSEEN * (1 - opinion.traits["headwear"]["none"])
    score = float(np.dot(WORN_WEIGHTS, hat_measures(layers, labels, g, opinion)) - WORN_FROM)
    return 1 / (1 + float(np.exp(-score)))


def hat_measures(layers: Layers, labels: U8, g: Geometry, opinion: Opinion) -> F64:
    """The network's log odds; share of the head above the eyes; share below them; whether it has
    the colour of the hair, of the face."""
    hat, hair = labels == Label.HEADWEAR, labels == Label.HAIR
    top = layers.solid & (layers.y < g.eye_y)
    top &= ~np.isin(labels, (Label.BACKGROUND, Label.OUTLINE))
    core = face_core(layers, labels, g)
    color = layers.main_color(hat, darkest=0.2)

    def alike(mask: Bool, least: int, darkest: float = 0.0) -> float:
        if mask.sum() < least:
            return 0.0
        return float(distance(color, layers.main_color(mask, darkest)) < 0.1)

    return np.array([
        log_odds(1 - opinion.traits["headwear"]["none"]),
        (hat & top).sum() / max(1, top.sum()),
        (hat & (layers.y > g.eye_y)).sum() / max(1, hat.sum()),
        alike(hair, 4, 0.4),
        alike(core, 2),
    ])  # fmt: skip


def _hair_over_a_band(layers: Layers, labels: U8, g: Geometry) -> None:
    """A "hat" in the colours of the hair beside the face, but for a band across the brow, is hair.

    From the front the two look alike: a dome with another colour at its edge. Only the hair that
    goes on below the band, in the same colours, tells them apart.
    """
    hat, hair = labels == Label.HEADWEAR, labels == Label.HAIR
    if hat.sum() < 6 or hair.sum() < 4:
        return
    shares = np.bincount(layers.index[hair & layers.solid], minlength=len(layers.centres))
    common = np.nonzero(shares >= max(2, 0.12 * hair.sum()))[0]
    like = hat & np.isin(layers.index, common)
    off = layers.x + 0.5 - (g.face[0] + g.face[2]) / 2
    over = np.abs(off) <= 0.5 * g.width + 1  # beside it, a backdrop may pass for headwear
    band = hat & ~like & over & (layers.y < g.eye_y)
    if band.sum() < 3:
        return
    rows = np.nonzero(band.sum(1) >= 0.6 * band.sum(1).max())[0]  # less shadows and lights above
    rows = rows[rows > rows[-1] - 1 - np.cumprod(np.diff(rows)[::-1] == 1).sum()]  # the lowest run
    thin = rows[-1] - rows[0] + 1 <= max(2.0, 0.25 * (g.chin - np.nonzero(hat.any(1))[0][0]))
    across = span(band[rows[0] : rows[-1] + 1], 1) >= 0.7 * g.width
    above = (hat | hair) & over & (layers.y < rows[0])
    hairy = (like | hair) & above
    below = hair & np.isin(layers.index, common) & (layers.y > rows[-1])
    sides = [(below & (sign * off > 0)).sum() for sign in (-1, 1)]
    if g.view is View.FRONT and min(sides) < max(2, max(sides) / 4):  # the ends of a knot
        return
    if thin and across and above.sum() > band.sum() and hairy.sum() >= 0.6 * above.sum():
        labels[above | (like & (layers.y > rows[-1]))] = Label.HAIR


def _hair_above(labels: U8, hat: Bool, g: Geometry) -> float:
    """Of the columns of the headwear over the face, the share that has hair on top of it."""
    columns = np.nonzero(hat[: max(1, int(np.ceil(g.eye_y)))].any(0))[0]
    columns = columns[(columns >= g.face[0] - 0.5) & (columns < g.face[2] + 0.5)]
    if len(columns) < 2:
        return 0.0
    tops = hat.argmax(0)
    least = max(2.0, 0.08 * len(labels))
    hair = labels == Label.HAIR
    hair[:, hair[0]] = False  # what goes on to the picture's edge is a dark backdrop
    over = [hair[: tops[x], x].sum() >= least for x in columns]
    return float(np.mean(over))


def _shapes(
    layers: Layers, labels: U8, hat: Bool, g: Geometry, chances: dict[str, float]
) -> set[str]:
    """The kinds of headwear that this outline could be."""
    rows = np.nonzero(hat.any(1))[0]
    widths = np.array([span(row[None], 1) for row in hat[rows[0] : rows[-1] + 1]])
    above = widths[: max(1, int(np.ceil(g.eye_y)) - rows[0])]
    height, width = len(above), int(above.max())
    hair = labels == Label.HAIR
    low = float((hat & (layers.y > g.eye_y)).sum() / hat.sum())
    over = int((hair & (layers.y < rows[0])).sum())
    fits = set()
    if low > 0.14:
        fits |= {"hood", "helmet", "ninja"}
    if low < 0.3:
        fits |= {"cap", "beanie", "bandana", "turban", "helmet"}
        tip = above[: max(1, height // 4)].mean()
        if tip < 0.45 * width and height > 0.45 * width:
            fits |= {"pointed"}
        lowest = above[-max(1, height // 3) :].max()
        if lowest > 1.3 * g.width and lowest > 1.15 * np.median(above[: max(1, 2 * height // 3)]):
            fits |= {"brim", "pointed"}
    if height <= max(2, 0.3 * (g.chin - rows[0])) and (over > 2 or hair.sum() > hat.sum()):
        fits |= {"headband"}
    if hair.any() and rows[-1] <= g.hairline + 0.35 * g.unit and hat.sum() < 0.8 * hair.sum():
        fits |= {"crown"}
    if _horns(hat, rows, g) and chances["horned"] > 0.5:
        fits |= {"horned"}
        fits -= {"crown", "cap", "beanie"}
    return fits


def _blunt(hat: Bool, g: Geometry) -> bool:
    """Whether the top of the headwear is nearly as wide as the rest of what is above the eyes."""
    rows = np.nonzero(hat.any(1))[0]
    widths = np.array([span(row[None], 1) for row in hat[rows[0] : int(np.ceil(g.eye_y))]])
    widths = (
        widths[int((widths >= 0.15 * widths.max(initial=0)).argmax()) :] if len(widths) else widths
    )
    tip = widths[: max(1, len(widths) // 4)]  # less a feather or a speck above it
    return bool(len(widths) > 3 and tip.mean() > 0.55 * np.median(widths))


def _horns(hat: Bool, rows: Any, g: Geometry) -> bool:
    """Something on both sides at the top with a gap between."""
    top: Bool = np.asarray(hat[rows[0] : rows[0] + max(1, len(rows) // 3)].any(0))
    middle = int((g.face[0] + g.face[2]) / 2)
    reach = max(1, int(0.22 * g.width))
    upper = hat[rows[0] : rows[0] + max(1, len(rows) // 5)]
    between = slice(max(0, middle - reach), middle + reach)
    dome = hat[rows[0] + max(1, len(rows) // 5) :, between].any(0).mean() > 0.5
    gap = not upper[:, between].any()
    return bool(gap and dome and top[:middle].any() and top[middle:].any())


def _emblem(layers: Layers, labels: U8, hat: Bool, color: F64) -> Traits:
    """The largest small, central spot in the hat that differs from it."""
    lab = layers.lab
    rows, columns = np.nonzero(hat)
    height, width = span(hat, 0), span(hat, 1)
    gap = np.abs(lab[..., 0] - color[0]) + distance(lab[..., 1:], color[1:])
    parts, n = ndi.label(hat & (distance(lab, color) > 0.2) & (gap > 0.22))
    best: Bool | None = None
    for i in range(1, n + 1):
        part = parts == i
        y, x = np.nonzero(part)
        small = (
            max(2, 0.015 * len(rows)) <= len(x) < 0.3 * len(rows) and span(part, 1) < 0.5 * width
        )
        central = abs(x.mean() - columns.mean()) < 0.25 * width
        central = central and y.mean() < rows.min() + 0.85 * height
        if small and central and (best is None or len(x) > best.sum()):
            best = part
    if best is None:
        return {}
    labels[best] = Label.EMBLEM
    y, x = np.nonzero(best)
    return {
        "emblem_rgb": srgb(layers.main_color(best)),
        "emblem_at": (float(x.mean() + 0.5), float(y.mean() + 0.5)),
        "emblem_radius": float(np.sqrt(len(x) / np.pi)),
    }


def _brim_and_band(
    layers: Layers, labels: U8, g: Geometry, hat: Bool, color: F64, kind: str
) -> tuple[bool, Any]:
    """Whether the lower rows reach beyond the face, and the colour of a band or brim there."""
    rows = np.nonzero(hat.any(1))[0]
    height = len(rows)
    low = hat & (layers.y >= rows[-1] - max(1, 0.3 * height)) & (layers.y < g.eye_y)
    other = low & (distance(layers.lab, color) > 0.08)
    band = None
    if kind not in ("hood",) and other.sum() > 0.35 * max(1, low.sum()) and other.sum() >= 3:
        band = srgb(layers.main_color(other))
        labels[other] = Label.BAND
    if kind == "ninja":
        stripe = hat & (distance(layers.lab, color) > 0.15) & (layers.chroma > 0.08)
        if stripe.sum() > 0.3 * layers.shape[1]:
            band = srgb(layers.main_color(stripe))
            labels[stripe] = Label.BAND
    widths = [span(row[None], 1) for row in low if row.any()]
    wide = bool(widths and max(widths) > 1.15 * g.width)
    return bool(kind == "cap" and (wide or band is not None)) or kind == "brim", band


def _hair(layers: Layers, labels: U8, g: Geometry, opinion: Opinion, headwear: str) -> Traits:
    hair = labels == Label.HAIR
    if headwear in CLOSED or (
        headwear == "helmet" and hair.sum() < 0.3 * (labels == Label.HEADWEAR).sum()
    ):
        beside = hair & (layers.y >= g.hairline - 1) & (layers.y < g.chin)
        hair = hair if beside.sum() >= 4 else np.zeros_like(hair)  # a plume or a quiver isn't hair
    count, d = int(hair.sum()), g.unit
    color = srgb(layers.main_color(hair, darkest=0.6)) if count > 2 else None
    rows = np.nonzero(hair)[0]
    top = rows.min() if len(rows) else g.hairline
    upper = hair & (layers.y < g.eye_y)
    pairs = hair[:, 1:] & hair[:, :-1]
    step = np.abs(np.diff(layers.lab[..., 0], axis=1))
    share = count / max(1, layers.solid.sum())
    bare = count < 3 or (share < 0.04 and not headwear)
    length = "none" if count < 3 else _length(layers, hair, g)
    width = float(np.clip(span(upper, 1) / max(1.0, g.width), 0, 3))
    smooth = points_of_hair(hair, g) < 2
    style = _style(opinion, length, bare, headwear, _around(layers, upper, g), smooth)
    return {
        "hair_rgb": color,
        "hair_word": hair_word(oklab(color)) if color else "",
        "hair_length": length,
        "hair_style": style,
        "hair_volume": float(np.clip((g.hairline - top) / d, 0, 3)),
        "hair_width": width,
        "hair_texture": float(step[pairs].mean()) if pairs.any() else 0.0,
        "fringe": float(np.clip((g.eye_y - g.hairline) / d, 0, 3)),
        "spiky": style == "spiky",
        "bald": bool(bare and not headwear),
    }


def _around(layers: Layers, upper: Bool, g: Geometry) -> float:
    """Width of the hair over the face's if it stood out on both sides as on the lesser one."""
    if not upper.any() or g.view is View.PROFILE:
        return 1.0
    columns = layers.x[upper]
    out = min(g.face[0] - columns.min(), columns.max() + 1 - g.face[2])
    return float(1.0 + 2 * out / max(1.0, g.width))


def _length(layers: Layers, hair: Bool, g: Geometry) -> str:
    """How far the hair at the sides hangs: to the ears, the chin, or beyond."""
    d = g.unit
    reach = max(1.0, 0.5 * (g.chin - g.eye_y))
    beside = hair & (np.abs(layers.x + 0.5 - g.eye_x) > 0.45 * d)
    cut_off = g.chin > len(hair) - 2.5 and beside[-1].sum() >= 2  # the crop ends before the hair
    if cut_off:
        return "long"
    if (beside & (layers.y >= g.chin - 0.3)).sum() > max(2.0, 0.15 * d * d):
        return "long"
    if (beside & (layers.y > g.eye_y + reach)).sum() > max(1.0, 0.08 * d * d):
        return "medium"
    return "short"


def points_of_hair(hair: Bool, g: Geometry) -> int:
    """How often the upper edge of the hair rises and falls again, from side to side of the face.

    Of spikes that we have drawn a quarter has one such point or none, of all other cuts nine in
    ten.
    """
    aside = 0.15 * g.width
    columns = slice(int(max(0, g.face[0] - aside)), int(np.ceil(g.face[2] + aside)))
    above = hair[: int(np.ceil(g.eye_y)), columns]
    above = above[:, above.any(0)]
    if above.shape[1] < 4:
        return 0
    heights = -above.argmax(0).astype(float)
    least = max(1.0, POINT * (g.chin + heights.max()))
    points, rising, turn = 0, True, heights[0]
    for height in heights:
        turn = max(turn, height) if rising else min(turn, height)
        if abs(height - turn) >= least:
            points, rising, turn = points + rising, not rising, height
    return points + rising


def _style(
    opinion: Opinion, length: str, bare: bool, headwear: str, width: float, smooth: bool
) -> str:
    """The network's word among those that agree with the length seen.

    Short hair lies on the head: what stands out beside the face above the eyes is a ball of hair,
    and spikes show in its upper edge.
    """
    if bare and not headwear:
        return "bald"
    if length == "none":
        return "" if headwear else "bald"
    fits = {
        "short": ("short", "spiky", "afro", "bun", "mohawk", "ponytail"),
        "medium": ("bob", "afro", "short", "ponytail", "spiky", "bun", "braids"),
        "long": ("long", "braids", "ponytail", "bob"),
    }[length]
    if headwear and headwear not in ("headband", "crown"):  # what stands up is under the hat
        fits = tuple(name for name in fits if name in ("short", "bob", "long", "braids"))
    elif headwear == "headband":  # and what a band holds down is no ball of hair
        fits = tuple(name for name in fits if name != "afro")
    chances = dict(opinion.traits["hair_style"])
    chances["afro"] = (chances["afro"] + 0.03) * np.exp(ROUND_WEIGHT * (width - ROUND_FROM))
    if smooth:
        chances["spiky"] *= SMOOTH_DOME
    return max(fits, key=chances.__getitem__)


def _facial_hair(layers: Layers, labels: U8, g: Geometry, opinion: Opinion) -> Traits:
    beard = labels == Label.FACIAL_HAIR
    chances = opinion.traits["facial_hair"]
    if beard.sum() < 2 or chance_of_beard(layers, labels, g, opinion) < 0.5:
        labels[beard] = np.where(layers.y[beard] > g.chin, Label.CLOTHING, Label.SKIN)
        return {"facial_hair": "", "facial_hair_rgb": None, "beard_size": 0.0}
    kind = _beard_kind(layers, labels, beard, g, chances)
    return {
        "facial_hair": kind,
        "facial_hair_rgb": srgb(layers.main_color(beard, darkest=0.2)),
        "beard_size": float(min(4.0, beard.sum() / g.unit**2)),
    }


def chance_of_beard(layers: Layers, labels: U8, g: Geometry, opinion: Opinion) -> float:
    """Whether what the label map calls a beard is one: a logistic model of `beard_measures`.

    Painted shadows look like beards: the whole face, the map and the upper lip must agree.
    """
    if not (labels == Label.FACIAL_HAIR).any():
        return UNSEEN * (1 - opinion.traits["facial_hair"]["none"])
    score = float(np.dot(BEARD_WEIGHTS, beard_measures(layers, labels, g, opinion)) - BEARD_FROM)
    return 1 / (1 + float(np.exp(-score)))


def beard_measures(layers: Layers, labels: U8, g: Geometry, opinion: Opinion) -> F64:
    """The network's log odds; area in squared eye distances; share of the lip; share below the
    chin, where clothes are."""
    beard = labels == Label.FACIAL_HAIR
    row = (layers.y + 0.5 - g.eye_y) / max(1.0, g.chin - g.eye_y)
    count = max(1, int(beard.sum()))
    return np.array([
        log_odds(1 - opinion.traits["facial_hair"]["none"]),
        min(MOST_AREA, float(beard.sum()) / g.unit**2),
        _on_lip(layers, labels, g),
        float((beard & (row > 1.05)).sum()) / count,
    ])  # fmt: skip


def log_odds(chance: float) -> float:
    p = float(np.clip(chance, 0.01, 0.99))
    return float(np.log(p / (1 - p)))


def _on_lip(layers: Layers, labels: U8, g: Geometry) -> float:
    """Share of beard in what is beard or skin between nose and mouth."""
    row = (layers.y + 0.5 - g.eye_y) / max(1.0, g.chin - g.eye_y)
    lip = (np.abs(layers.x + 0.5 - g.eye_x) < max(0.6, 0.35 * g.unit)) & (row > 0.35) & (row < 0.72)
    beard, skin = ((lip & (labels == label)).sum() for label in (Label.FACIAL_HAIR, Label.SKIN))
    return float(beard / max(1, beard + skin))


def _beard_kind(
    layers: Layers, labels: U8, beard: Bool, g: Geometry, chances: dict[str, float]
) -> str:
    """By its place: a moustache leaves the chin bare, a goatee is narrow, a beard is neither."""
    middle = np.abs(layers.x + 0.5 - g.eye_x) < 0.5 * g.unit
    rows = np.nonzero((beard & middle).any(1))[0]
    likeliest = max((k for k in chances if k != "none"), key=chances.__getitem__)
    if not len(rows) or chances[likeliest] > 0.95:
        return likeliest
    bare = np.isin(labels, (Label.SKIN, Label.MOUTH)) & middle & (layers.y > rows[-1])
    bare &= layers.y < g.chin + 1
    chin = bare.any(1).sum()
    face = g.chin - g.eye_y
    short = rows[-1] - rows[0] + 1 <= max(1.0, 0.5 * face)
    if chin >= 1 and short and rows[0] < g.eye_y + 0.8 * face and chances["beard"] < 0.97:
        return "moustache"
    wide = span(beard & (layers.y > g.eye_y + 0.6 * face), 1)
    return "goatee" if wide < 0.5 * g.width and chances["goatee"] > 0.1 else "beard"


def _covers(layers: Layers, labels: U8, g: Geometry, opinion: Opinion) -> Traits:
    t: Traits = {"glasses": "", "mask": "", "mask_rgb": None}
    frames, cover = labels == Label.GLASSES, labels == Label.MASK
    filled = _filled_lenses(layers, labels, frames, g)
    seen = 1 - opinion.traits["glasses"]["none"]
    if frames.sum() >= 2 and (seen > 0.25 or (filled and frames.sum() > 0.5 * g.unit**2)):
        t["glasses"] = "dark" if filled else "clear"
    else:
        labels[frames] = Label.BROW
    patch = opinion.traits["mask"]
    if cover.sum() >= 2 and (1 - patch["none"] > 0.3 or cover.sum() > 0.6 * g.unit**2):
        rows, columns = np.nonzero(cover)
        lower = rows.mean() > g.eye_y + 0.3 * g.unit
        t["mask"] = (
            "lower"
            if lower
            else "eyepatch_left"
            if columns.mean() + 0.5 < g.eye_x
            else "eyepatch_right"
        )
        if not lower and len(g.eyes) == 1:
            middle = (g.face[0] + g.face[2]) / 2
            t["mask"] = "eyepatch_left" if columns.mean() + 0.5 < middle else "eyepatch_right"
        t["mask_rgb"] = srgb(layers.main_color(cover))
    return t


def _filled_lenses(layers: Layers, labels: U8, frames: Bool, g: Geometry) -> bool:
    """Whether glasses are areas without an eye in them, not lines around eyes."""
    if frames.sum() < 4:
        return False
    near = (np.abs(layers.y + 0.5 - g.eye_y) < 0.5 * g.unit) & (
        np.abs(layers.x + 0.5 - g.eye_x) < g.unit
    )
    eyes = ((labels == Label.EYE) & near).sum()
    solid = ndi.binary_opening(frames, np.ones((2, 2)))
    return bool(solid.sum() > FILLED * frames.sum() and eyes < PEEPING * frames.sum())


def _face(layers: Layers, labels: U8, g: Geometry) -> Traits:
    d = g.unit
    _split(layers, labels, g)
    cloth, mouth = labels == Label.CLOTHING, np.isin(labels, (Label.MOUTH, Label.TEETH))
    lips, nose = labels == Label.MOUTH, labels == Label.NOSE
    behind = (labels == Label.BACKGROUND) & (layers.rgba[..., 3] > 0)
    iris = _iris(layers, labels)
    height = float(np.mean([h for _, h in g.eye_sizes]) / d)
    drop = float((g.chin - g.eye_y) / d)
    return {
        "eye_rgb": None if iris is None else srgb(iris),
        "eye_height": float(np.clip(height, 0.05, 1)),
        "eye_white": bool((labels == Label.EYE).any()),
        "mouth_rgb": srgb(layers.main_color(lips)) if lips.any() else None,
        "mouth_width": float(span(mouth, 1) / d) if mouth.any() else None,
        "teeth": bool((labels == Label.TEETH).any()),
        "nose_width": float(span(nose, 1) / d) if nose.any() else None,
        "face_width": float(np.clip(g.width / d, 1.2, 5)),
        "chin_drop": drop,
        "cloth_rgb": srgb(layers.main_color(cloth)) if cloth.sum() > 1 else None,
        "background_rgb": srgb(np.median(layers.lab[behind], axis=0)) if behind.any() else None,
        "ears": _ears(layers, labels, g),
        "age": "child" if drop < 0.8 and height > 0.45 else "adult",
    }


def _split(layers: Layers, labels: U8, g: Geometry) -> None:
    """Iris from white, teeth from lips, nose and ears from skin."""
    L, chroma, d = layers.lab[..., 0], layers.chroma, g.unit
    white = (L > 0.8) & (chroma < 0.06)
    labels[(labels == Label.EYE) & ~white] = Label.IRIS
    labels[(labels == Label.MOUTH) & white] = Label.TEETH
    skin = labels == Label.SKIN
    base = skin_color(layers, labels, g)
    middle = np.abs(layers.x + 0.5 - g.eye_x) < 0.3 * d
    low = (layers.y + 0.5 > g.eye_y + 0.2 * d) & (layers.y + 0.5 < g.eye_y + 0.8 * d)
    labels[skin & middle & low & (np.abs(L - base[0]) > 0.05)] = Label.NOSE
    if g.view is not View.PROFILE:
        beside = (layers.x + 1 <= g.face[0] + 0.2) | (layers.x >= g.face[2] - 0.2)
        level = np.abs(layers.y + 0.5 - g.eye_y - 0.3 * d) < 0.9 * d
        labels[skin & beside & level] = Label.EAR


def _ears(layers: Layers, labels: U8, g: Geometry) -> str:
    """ "pointed" when skin sticks out sideways at eye level on both sides."""
    if g.view is not View.FRONT:
        return "normal"
    skin = np.isin(labels, (Label.SKIN, Label.EAR))
    level = skin & (np.abs(layers.y + 0.5 - g.eye_y) < 0.9 * g.unit)
    middle = (g.face[0] + g.face[2]) / 2
    out = layers.x + 0.5 - middle
    reach = [float((sign * out[level]).max(initial=0)) + 0.5 - g.width / 2 for sign in (-1, 1)]
    return "pointed" if min(reach) > max(1.0, 0.13 * g.width) else "normal"


def _iris(layers: Layers, labels: U8) -> F64 | None:
    """The most saturated colour of the eyes, None where they are black."""
    lab = layers.lab[labels == Label.IRIS]
    if not len(lab):
        return None
    L, C, _ = lch(lab)
    colored = (C > 0.055) & (L > 0.22) & (L < 0.8)
    if not colored.any():
        return None
    best: F64 = lab[colored][np.argmax(C[colored])]
    return best
