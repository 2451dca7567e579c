"""Inside the face: brows, mouth, nose, facial hair, glasses, patches and masks.

A `Draft` is the label map while it is being painted; each function here paints its part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage as ndi

from ...types import F64, U8, Bool, Label
from .colors import distance, hair_like, hue_gap, lch
from .geometry import Geometry
from .headwear import Headgear
from .layers import NEIGHBOURS, Layers, grow, rim, span
from .skin import Skin

UNKNOWN = 255


@dataclass(eq=False)
class Draft:
    """`labels` (H, W) of `Label` or UNKNOWN; `hair` the scalp hair; `kind` the headwear.

    `beard` is "", moustache, beard or goatee; `covered` "", lower, eyepatch_left,
    eyepatch_right, glasses or dark_glasses.
    """

    layers: Layers
    skin: Skin
    g: Geometry
    gear: Headgear
    labels: U8
    eyes: Bool
    rest: Bool
    hull: Bool
    hair: Bool
    kind: str
    beard: str = ""
    beard_mask: Bool | None = None
    covered: str = ""

    def unknown(self) -> Bool:
        free: Bool = self.labels == UNKNOWN
        return free

    def near(self, times: float) -> Bool:
        """Columns within so many eye units of the middle of the eyes."""
        within: Bool = np.abs(self.layers.x + 0.5 - self.g.eye_x) < times * self.g.unit
        return within

    def row(self, times: float) -> float:
        """The row so many eye units below the eyes."""
        return self.g.eye_y + times * self.g.unit


def hull_of(skin: Skin) -> Bool:
    """Each row of the face filled from its first to its last skin pixel."""
    x0, x1 = max(0, skin.box[2] - 1), skin.box[3] + 2
    part = skin.mask[:, x0:x1]
    hull = np.zeros_like(skin.mask)
    from_left = np.maximum.accumulate(part, axis=1)
    from_right = np.maximum.accumulate(part[:, ::-1], axis=1)[:, ::-1]
    hull[:, x0:x1] = from_left & from_right
    return hull


def paint_features(draft: Draft) -> None:
    layers, g, labels = draft.layers, draft.g, draft.labels
    y, d = layers.y, g.unit
    free = layers.fg & draft.unknown() & ~draft.eyes
    below = free & (y >= g.chin - 0.15 * d)
    labels[below] = Label.CLOTHING
    if draft.kind in ("hat", "crown", "headband"):  # a collar in the hat's colour
        labels[(labels == Label.HEADWEAR) & (y > draft.row(0.6))] = Label.CLOTHING
    inner = free & ~below & (y > draft.row(-1.0)) & grow(draft.hull)
    low = _low_face(draft, inner)
    mouth = _mouth(draft, low)
    beard = _beard_pixels(draft, low, mouth)
    thin = _judge_beard(draft, beard, mouth)
    _cover_lower_face(draft, mouth)
    found = draft.beard_mask if draft.beard_mask is not None else np.zeros_like(mouth)
    side = inner & draft.unknown() & (y < g.eye_y) & ~draft.hull
    hairy = hair_like(layers.lab) > 0.3
    hat = Label.HEADWEAR if draft.kind else Label.HAIR
    labels[side] = np.where(hairy[side], Label.HAIR, hat)
    labels[inner & draft.unknown() & (y < g.eye_y)] = Label.BROW
    brow = (free | inner) & ~draft.skin.mask & (y < draft.row(-0.1)) & (y > draft.row(-0.95))
    brow &= draft.hull & ~draft.hair & ~draft.eyes & (labels != Label.HEADWEAR)
    labels[brow] = Label.BROW
    labels[mouth | thin] = Label.MOUTH
    labels[found] = Label.FACIAL_HAIR
    labels[draft.eyes] = Label.EYE
    _cover_eyes(draft)
    shaded = draft.skin.mask & (layers.lab[..., 0] < draft.skin.lab[0] - 0.05)
    nose = (inner | shaded) & draft.near(0.3) & (y > draft.row(0.2)) & (y < draft.row(0.75))
    labels[nose & (labels == Label.SKIN)] = Label.NOSE
    labels[draft.unknown() & (y > g.eye_y) & (y < g.chin) & draft.near(0.8)] = Label.MOUTH
    labels[draft.unknown() & (y < g.eye_y)] = Label.HEADWEAR if draft.kind else Label.HAIR
    labels[draft.unknown()] = Label.CLOTHING


def _low_face(draft: Draft, inner: Bool) -> Bool:
    layers, g, d = draft.layers, draft.g, draft.g.unit
    below_nose = layers.y > draft.row(0.42)
    low = draft.rest & below_nose & (layers.y < g.chin + 0.9 * d) & draft.near(1.15)
    low &= draft.labels != Label.HEADWEAR
    low &= (draft.labels != Label.HAIR) | draft.near(0.8)
    found: Bool = low | (inner & below_nose)
    return found


def _mouth(draft: Draft, low: Bool) -> Bool:
    lab, base = draft.layers.lab, draft.skin.lab
    red = (lab[..., 1] - base[1] > 0.02) & (lab[..., 2] < base[2] + 0.03)
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    found: Bool = low & red & draft.near(0.75) & (draft.layers.y < draft.g.chin) & (chroma > 0.07)
    return found


def _beard_pixels(draft: Draft, low: Bool, mouth: Bool) -> Bool:
    """Candidates for facial hair; takes hair-coloured pixels back from `mouth`."""
    layers, g, d = draft.layers, draft.g, draft.g.unit
    lab, base = layers.lab, draft.skin.lab
    natural = hair_like(lab)
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    darker = (lab[..., 0] < min(base[0] - 0.16, max(0.66 * base[0], 0.2))) & (natural > 0.25)
    white = (natural > 0.45) & (chroma < 0.035) & (lab[..., 0] > 0.7) & (base[1] > 0.01)
    found: Bool = low & ~mouth & (darker | white)
    if draft.hair.any():
        color = np.median(lab[draft.hair], axis=0)
        if hair_like(color) > 0.3:
            same = low & (distance(lab, color) < 0.09)
            if same.sum() > 0.3 * d * d:
                mouth &= ~same
            found |= same & ~mouth
    above_chin = layers.y < g.chin
    found &= above_chin | grow(found & above_chin, max(2, int(1.2 * d)), found)
    if (not draft.hair.any() and not draft.kind) or g.profile or not g.two_eyes:
        found &= above_chin
    return found


def _judge_beard(draft: Draft, candidates: Bool, mouth: Bool) -> Bool:
    """Set `draft.beard` and its mask; returns a thin dark line that is a mouth after all."""
    layers, g, d = draft.layers, draft.g, draft.g.unit
    parts, n = ndi.label(candidates, NEIGHBOURS)
    beard = np.zeros_like(candidates)
    for i in range(1, n + 1):
        part = parts == i
        if _is_beard_part(draft, part):
            beard |= part
    if not beard.any():
        return beard
    y = np.nonzero(beard)[0]
    area, width, height = beard.sum() / d**2, span(beard, 1), span(beard, 0)
    above = beard & (layers.y < g.chin)
    if height <= max(1, 0.16 * d) and width <= 1.25 * d and area < 0.25:
        return above
    middle = beard & draft.near(0.5)
    hanging = (middle & (layers.y > y.min() + 0.5 * d)).sum() >= 0.12 * d * d
    last = np.nonzero(middle)[0].max() if middle.any() else y.max()
    lip = (layers.y > last) & (layers.y <= y.min() + 1.1 * d) & draft.near(0.4)
    if (
        not hanging
        and (draft.skin.mask & lip).any()
        and height < 0.58 * d
        and y.min() < draft.row(1.05)
    ):
        draft.beard = "moustache"
    elif area > 0.5 or height > 0.7 * d:
        draft.beard = "beard"
    else:
        draft.beard = "goatee" if width < 1.0 * d else "beard"
    draft.beard_mask = beard
    return np.zeros_like(beard)


def _is_beard_part(draft: Draft, part: Bool) -> bool:
    layers, g, d = draft.layers, draft.g, draft.g.unit
    rows, columns = np.nonzero(part)
    first, width, count = int(rows.min()), span(part, 1), len(rows)
    middle = int((part & draft.near(0.45)).sum())
    reach = max(d, 0.42 * g.width)
    color = layers.main_color(part)
    like_hair = bool(draft.hair.any() and distance(color, layers.main_color(draft.hair)) < 0.12)
    in_face = part & (layers.y < g.chin) & (layers.x >= g.box[2]) & (layers.x <= g.box[3])
    enough = in_face.sum() >= max(2, 2 if like_hair else 0.45 * count)
    placed = (
        first < g.chin - 0.1 * d and first <= g.eye_y + (0.88 if width > 1.1 * d else 1.15) * reach
    )
    sized = width >= 0.75 * d and middle >= max(2, 0.3 * d) and count >= max(3, 0.35 * d)
    if sized and placed and enough and hair_like(color) > 0.4 and not _like_cloth(draft, part):
        return True
    centred = abs(columns.mean() + 0.5 - g.eye_x) < 0.42 * d
    tuft = count > 3 and like_hair and middle >= 0.3 * d * d and first <= g.eye_y + 0.8 * reach
    return bool(tuft and centred and not _like_cloth(draft, part))


def _like_cloth(draft: Draft, part: Bool) -> bool:
    """Part of something wider than the face, or too pale for the hair: clothing, not a beard."""
    layers, g = draft.layers, draft.g
    color = layers.main_color(part)
    pale = color[0] > 0.7 and np.hypot(*color[1:]) < 0.035
    if pale and draft.hair.any() and layers.main_color(draft.hair)[0] < 0.5:
        return True
    entry = layers.main_entry(part)
    if not draft.hair.any():
        elsewhere = (layers.index == entry) & layers.fg & ~(part & (layers.y < g.chin))
        if elsewhere.sum() > part.sum():
            return True
    first = np.nonzero(part)[0].min()
    same = (
        layers.fg
        & ~draft.skin.mask
        & (distance(layers.lab, color) < 0.10)
        & (layers.y >= first - 1)
    )
    parts, _ = ndi.label(same, NEIGHBOURS)
    joined = np.unique(parts[part])
    whole = np.isin(parts, joined[joined > 0])
    widest = max((span(row[None], 1) for row in whole if row.any()), default=0)
    return widest > 1.3 * g.width + 1


def _cover_lower_face(draft: Draft, mouth: Bool) -> None:
    """A scarf, mask or full beard: one material where the mouth would be."""
    layers, skin, g, d = draft.layers, draft.skin, draft.g, draft.g.unit
    lab, labels = layers.lab, draft.labels
    lower = layers.fg & (layers.y > draft.row(0.55)) & (layers.y < min(g.chin, draft.row(1.4)))
    lower &= draft.near(0.55)
    n = max(1, int(lower.sum()))
    bare = (lower & skin.mask).sum() / n
    other = lower & ~skin.mask & (labels != Label.OUTLINE)
    color = layers.main_color(other)
    same = other & (distance(lab, color) < 0.12)
    rows = layers.fg[int(max(0, draft.row(0.6))) : min(layers.shape[0], int(draft.row(1.2)) + 1)]
    widths = [span(row[None], 1) for row in rows if row.any()]
    solid = same.sum() > 0.6 * n and lower.sum() > max(4, 0.45 * d * d) and color[0] > 0.2
    solid = bool(solid and widths and min(widths) > 0.95 * g.width)
    top = draft.gear.top
    if (
        top is not None
        and not draft.kind
        and top.natural < 0.6
        and not g.profile
        and bare < 0.2
        and n > 3
    ):
        _, chroma, hue = lch(lab)
        hue_ok = (
            (hue_gap(hue, top.hue) < 28) & (chroma > 0.03) if top.chroma > 0.03 else chroma < 0.03
        )
        if (lower & ~skin.mask & hue_ok).sum() > 0.5 * n:
            draft.kind = "ninja"
            labels[labels == Label.HAIR] = Label.HEADWEAR
            draft.hair = np.zeros_like(draft.hair)
    like_top = top is not None and distance(color, top.lab) < 0.12
    like_hair = draft.hair.any() and distance(color, np.median(lab[draft.hair], axis=0)) < 0.12
    open_face = not draft.beard and not g.profile
    if (
        solid
        and open_face
        and bare < 0.25
        and draft.kind != "ninja"
        and hair_like(color) > 0.45
        and (like_top or like_hair)
    ):
        draft.beard = "beard"
        draft.beard_mask = (
            layers.fg & ~skin.mask & (labels != Label.OUTLINE) & (layers.y > draft.row(0.5))
            & draft.near(0.9) & (distance(lab, color) < 0.15)
        )  # fmt: skip
    elif draft.kind == "ninja" or (
        solid and open_face and bare < 0.22 and (like_top or color[0] < 0.5)
    ):
        if like_top and not draft.kind and top is not None and top.natural <= 0.8:
            draft.kind = "ninja"
            labels[(labels == Label.HAIR) | (labels == Label.HEADWEAR)] = Label.HEADWEAR
        draft.covered, draft.beard, draft.beard_mask = "lower", "", None
        cover = (
            layers.fg & ~skin.mask & (layers.y > draft.row(0.45)) & (layers.y < g.chin + 0.3 * d)
        )
        labels[cover & draft.near(1.2)] = Label.MASK
        mouth[:] = False


def _cover_eyes(draft: Draft) -> None:
    """An eye patch, or glasses around both eyes."""
    layers, skin, g, d = draft.layers, draft.skin, draft.g, draft.g.unit
    labels, lab = draft.labels, layers.lab
    inner = layers.fg & ~skin.mask & (layers.y > draft.row(-0.8)) & (layers.y < draft.row(0.6))
    inner &= draft.hull & ~draft.hair & (labels != Label.HEADWEAR)
    patch = _patch(draft, inner & (lab[..., 0] < 0.35))
    if patch:
        draft.covered = patch
        return
    kind = _glasses(draft, inner)
    if kind:
        draft.covered = kind
        if g.shades is not None:
            draft.beard, draft.beard_mask = "", None
            labels[labels == Label.FACIAL_HAIR] = Label.MOUTH
            rows = slice(g.shades[0], g.shades[1] + 1), slice(g.box[2], g.box[3] + 1)
            labels[rows][~skin.mask[rows]] = Label.GLASSES
        frame = inner & (np.abs(layers.y + 0.5 - g.eye_y) < 0.45 * d) & (labels != Label.EYE)
        labels[frame] = Label.GLASSES


def _patch(draft: Draft, dark: Bool) -> str:
    g, d, width = draft.g, draft.g.unit, draft.layers.shape[1]
    parts, n = ndi.label(dark)
    found = ""
    for i in range(1, n + 1):
        part = parts == i
        rows, columns = np.nonzero(part)
        if (
            len(rows) <= max(8, 0.26 * d * d)
            or span(part, 0) < 0.38 * d
            or span(part, 1) >= 1.1 * d
        ):
            continue
        if (part & draft.eyes).sum() > 0.8 * len(rows) or g.profile:
            continue
        mirrored = np.clip(np.round(2 * g.eye_x - columns - 1).astype(int), 0, width - 1)
        if draft.skin.mask[rows, mirrored].mean() > 0.45:
            found = "eyepatch_left" if columns.mean() + 0.5 < g.eye_x else "eyepatch_right"
            draft.labels[part] = Label.MASK
    return found


def _glasses(draft: Draft, inner: Bool) -> str:
    layers, skin, g, d = draft.layers, draft.skin, draft.g, draft.g.unit
    if g.shades is not None:
        return "dark_glasses"
    if draft.kind == "ninja":
        return ""
    row = int(np.clip(round(g.eye_y - 0.5), 0, layers.shape[0] - 1))
    if g.two_eyes:
        left, right = int(g.centres[0][0]), int(g.centres[1][0])
        bridge = (~skin.mask[row, left : right + 1]).mean() > 0.75
        middle = int(np.clip(round(g.eye_x - 0.5), 0, layers.shape[1] - 1))
        dark = layers.lab[row, middle, 0] < skin.lab[0] - 0.28 and not skin.mask[row, middle]
        if bridge and dark and inner[row].sum() > 1.3 * d:
            return "glasses"
    y0, y1, x0, x1 = g.box
    columns = slice(x0, x1 + 1)
    banded = [
        y for y in range(y0, min(layers.shape[0] - 1, y1))
        if inner[y, columns].sum() >= 0.8 * g.width
        and layers.lab[y, columns, 0][inner[y, columns]].mean() < skin.lab[0] - 0.22
    ]  # fmt: skip
    tight = len(banded) >= 2 and banded[-1] - banded[0] + 1 <= 0.5 * g.width
    return "dark_glasses" if tight else ""


def refine_labels(draft: Draft) -> None:
    """Split what was painted roughly: iris from white, teeth from mouth, ears from skin."""
    layers, g, labels, d = draft.layers, draft.g, draft.labels, draft.g.unit
    chroma = np.hypot(layers.lab[..., 1], layers.lab[..., 2])
    white = (layers.lab[..., 0] > 0.8) & (chroma < 0.06)
    eye = labels == Label.EYE
    labels[eye & ~white] = Label.IRIS
    labels[(labels == Label.MOUTH) & white & (layers.lab[..., 0] > draft.skin.lab[0])] = Label.TEETH
    beside = (layers.x < g.box[2] - 0.1 * d) | (layers.x > g.box[3] + 0.1 * d)
    level = np.abs(layers.y + 0.5 - g.eye_y - 0.3 * d) < 0.9 * d
    if not g.profile:
        labels[(labels == Label.SKIN) & beside & level] = Label.EAR


def ears(draft: Draft) -> str:
    """ "pointed" when skin sticks out sideways at eye level on both sides, as far as the border."""
    layers, g, d = draft.layers, draft.g, draft.g.unit
    if g.profile or g.side:
        return "normal"
    middle, width = (g.box[2] + g.box[3] + 1) / 2, g.width
    level = draft.skin.mask & (np.abs(layers.y + 0.5 - g.eye_y - 0.3 * d) < 0.9 * d)
    reach, area = [], 0.0
    for sign in (-1, 1):
        part = level & (sign * (layers.x + 0.5 - middle) > width / 2 + 0.12 * d)
        area = max(area, part.sum() / d**2)
        columns = np.nonzero(part)[1]
        out = np.abs(columns + 0.5 - middle).max() - width / 2 + 0.5 if len(columns) else 0.0
        reach.append(out / width)
    outside = (layers.x < g.box[2] - 0.1 * d) | (layers.x > g.box[3] + 0.1 * d)
    at_rim = (level & rim(layers.fg) & outside).sum()
    return "pointed" if area > 0.12 and min(reach) >= 0.15 and at_rim > 2 else "normal"


def eye_color(draft: Draft) -> F64 | None:
    """The most saturated colour of the eyes that is not skin."""
    lab = draft.layers.lab[draft.eyes]
    if not len(lab):
        return None
    L, C, _ = lch(lab)
    colored = (C > 0.06) & (L < 0.75) & (distance(lab, draft.skin.lab) > 0.12)
    if not colored.any():
        return None
    best: F64 = lab[colored][np.argmax(C[colored])]
    return best
