"""Where the label map sees one thing and the colours show two, or the other way round.

A cap over hair of another colour, hair on skin as dark as itself, a beard that covers most of a
face, a bald head in the face's own green: the network was shown all of these, yet on small faces
its map falls for the likelier reading. Each rule here moves pixels from one label to another where
place and colour leave little doubt. None knows of any trait; the traits are read off afterwards.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage as ndi

from ...types import U8, Bool, Label
from .colors import distance
from .geometry import Geometry
from .layers import Layers, span
from .network import Opinion

_FEATURES = (Label.EYE, Label.BROW, Label.GLASSES, Label.OUTLINE, Label.MOUTH)


def settle(layers: Layers, labels: U8, g: Geometry, opinion: Opinion) -> frozenset[str]:
    """Apply every rule to `labels` (H, W) in place.

    Returns:
        What the colours show beyond doubt: "hat", "small hat", both or neither.
    """
    _thick_outline(layers, labels, g)
    _hat_in_face_color(layers, labels, g)
    _hair_on_skin(layers, labels, g)
    _beard_on_face(layers, labels, opinion)
    found = {
        "hat": _hat_over_hair(layers, labels, g, opinion),
        "small hat": _hair_under_small_hat(layers, labels, g),
    }
    return frozenset(name for name, seen in found.items() if seen)


def face_core(layers: Layers, labels: U8, g: Geometry) -> Bool:
    """The middle of the face, from the eyes to above the mouth, less its features."""
    middle = np.abs(layers.x + 0.5 - g.eye_x) < 0.65 * g.unit
    row = (layers.y + 0.5 - g.eye_y) / g.unit
    core: Bool = layers.solid & middle & (row > -0.1) & (row < 0.8) & ~np.isin(labels, _FEATURES)
    return core


def _thick_outline(layers: Layers, labels: U8, g: Geometry) -> None:
    """Lines are thin: a broad "outline" beside the face is hair in the outline's colour."""
    line = labels == Label.OUTLINE
    row = (layers.y + 0.5 - g.eye_y) / g.unit
    edge = max(3, round(0.2 * g.width))
    broad = ndi.binary_opening(line, np.ones((edge, edge)))
    broad &= (row < 1.2) & (np.abs(layers.x + 0.5 - g.eye_x) < 1.2 * g.width)
    hair = labels == Label.HAIR
    if broad.sum() >= 9 and (hair | (labels == Label.HEADWEAR)).any():
        labels[broad] = Label.HAIR


def _hat_in_face_color(layers: Layers, labels: U8, g: Geometry) -> None:
    """Headwear that hangs below the eyes in the colours of the face itself is the face: a monster's
    bald head, or a close-up that ends at the brow."""
    hat = labels == Label.HEADWEAR
    core = face_core(layers, labels, g)
    if hat.sum() < 4 or core.sum() < 3:
        return
    counts = np.bincount(layers.index[core], minlength=len(layers.centres))
    common = np.nonzero(counts >= max(1, 0.15 * core.sum()))[0]
    like = hat & np.isin(layers.index, common)
    low = (hat & (layers.y > g.eye_y)).sum() / hat.sum()
    same = distance(layers.main_color(hat, 0.2), layers.main_color(core)) < 0.13
    if same and low > 0.28 and like.sum() >= 0.5 * hat.sum():
        labels[hat] = Label.SKIN


def _hat_over_hair(layers: Layers, labels: U8, g: Geometry, opinion: Opinion) -> bool:
    """ "Hair" of two colours, one all above the other and ending at the brow, wears a hat."""
    hair = labels == Label.HAIR
    worn = 1 - opinion.traits["headwear"]["none"]
    if hair.sum() < 12 or worn < 0.03 or (labels == Label.HEADWEAR).sum() > 0.1 * hair.sum():
        return False
    split = _two_colors(layers, hair)
    if split is None:
        return False
    one, two = split
    upper, lower = (one, two) if layers.y[one].mean() < layers.y[two].mean() else (two, one)
    if min(upper.sum(), lower.sum()) < max(5, 0.08 * hair.sum()):
        return False
    edge = float(np.quantile(layers.y[upper], 0.9)) + 1
    above = hair & (layers.y < edge)
    if edge > g.eye_y + 0.5 or (lower & above).sum() > 0.2 * above.sum():
        return False
    if span(upper, 1) < 0.8 * g.width:
        return False
    labels[upper] = Label.HEADWEAR
    return True


def _two_colors(layers: Layers, mask: Bool) -> tuple[Bool, Bool] | None:
    """The two hues that a region falls into, by its two commonest entries that are far apart;
    entries go to the nearer one. None where there is one colour only."""
    counts = np.bincount(layers.index[mask], minlength=len(layers.centres)).astype(float)
    first = int(counts.argmax())
    hue = layers.centres[:, 1:]
    apart = np.hypot(*(hue - hue[first]).T)
    others = np.where(apart > 0.09, counts, 0)
    second = int(others.argmax())
    if others[second] < 0.08 * counts.sum():
        return None
    near = np.hypot(*(hue - hue[second]).T) < apart
    return mask & ~near[layers.index], mask & near[layers.index]


def _hair_under_small_hat(layers: Layers, labels: U8, g: Geometry) -> bool:
    """A coloured "helmet" that hangs beside the face and bears a broad patch of another colour
    on its front is hair with something small on it: a nurse's cap, a bow, a tiara."""
    hat = labels == Label.HEADWEAR
    if hat.sum() < 20 or (labels == Label.HAIR).sum() > 0.1 * hat.sum():
        return False
    base = layers.main_color(hat, 0.2)
    below = hat & (layers.y > g.eye_y)
    sides = [(below & (sign * (layers.x + 0.5 - g.eye_x) > 0)).sum() for sign in (-1, 1)]
    if np.hypot(*base[1:]) < 0.07 or min(sides) < 0.04 * hat.sum():
        return False  # helmets are grey, caps end above the eyes
    other = hat & (np.hypot(*np.moveaxis(layers.lab[..., 1:] - base[1:], -1, 0)) > 0.09)
    other &= layers.y < g.eye_y
    parts, n = ndi.label(other, np.ones((3, 3)))
    if n == 0:
        return False
    sizes = ndi.sum_labels(other, parts, np.arange(1, n + 1))
    patch = parts == 1 + int(np.argmax(sizes))
    middle = abs(float(layers.x[patch].mean()) + 0.5 - g.eye_x) < 0.35 * g.width
    broad = 0.35 * g.width <= span(patch, 1) <= 0.9 * span(hat, 1)
    if middle and broad and 0.04 * hat.sum() < patch.sum() < 0.4 * hat.sum():
        labels[hat & ~patch] = Label.HAIR
        return True
    return False


def _hair_on_skin(layers: Layers, labels: U8, g: Geometry) -> None:
    """A bald head is lit from above: one flat darker colour all over its top is hair."""
    skin = labels == Label.SKIN
    if np.isin(labels, (Label.HAIR, Label.HEADWEAR)).sum() > 0.05 * skin.sum():
        return
    core = face_core(layers, labels, g) & skin
    top = skin & (layers.y + 1 <= g.eye_y)
    if core.sum() < 3 or top.sum() < 6:
        return
    rgb = layers.rgba[..., :3].astype(np.int64) @ np.array([65536, 256, 1])
    colors, counts = np.unique(rgb[top], return_counts=True)
    face = np.unique(rgb[core])
    for color in colors[np.argsort(-counts)]:
        mass = top & (rgb == color)
        if color in face or mass.sum() < 0.2 * top.sum():
            continue
        darker = layers.lab[..., 0][mass].mean() < np.median(layers.lab[..., 0][core])
        rows = np.nonzero(top.any(1))[0]
        crown = top & (layers.y <= rows[0] + 1)
        if darker and mass[crown].mean() > 0.7 and span(mass, 1) >= 0.7 * g.width:
            labels[skin & (rgb == color)] = Label.HAIR
            return


def _beard_on_face(layers: Layers, labels: U8, opinion: Opinion) -> None:
    """Light skin ends in a shade of itself: all of a face's lower half in one far darker colour that
    hair can have is a beard, even if it covers more of the face than it leaves."""
    face = labels == Label.SKIN
    if face.sum() < 20 or opinion.traits["facial_hair"]["none"] > 0.75:
        return
    L = layers.lab[..., 0]
    dark, light = _shades(layers, face)
    if min(dark.sum(), light.sum()) < max(4, 0.03 * face.sum()):
        return
    rows = np.nonzero(face.any(1))[0]
    third = max(1.0, (rows[-1] + 1 - rows[0]) / 3)
    low, high = face & (layers.y >= rows[-1] + 1 - third), face & (layers.y < rows[0] + third)
    color = layers.main_color(dark)
    lightness, chroma = float(color[0]), float(np.hypot(*color[1:]))
    hue = float(np.degrees(np.arctan2(color[2], color[1])))
    hairy = lightness < 0.6 and (chroma < 0.05 or 15 < hue < 110)
    far = np.median(L[light]) - np.median(L[dark]) > 0.25
    if hairy and far and dark[low].mean() > 0.85 and dark[high].mean() < 0.6:
        labels[dark] = Label.FACIAL_HAIR


def _shades(layers: Layers, mask: Bool) -> tuple[Bool, Bool]:
    """A region's darker and lighter pixels, parted where its lightness has its widest gap."""
    L = layers.lab[..., 0]
    entries = layers.index[mask]
    used = np.unique(entries[entries >= 0])
    levels = np.sort(layers.centres[used, 0])
    if len(levels) < 2:
        return mask & False, mask
    widest = int(np.diff(levels).argmax())
    limit = (levels[widest] + levels[widest + 1]) / 2
    return mask & (limit > L), mask & (limit <= L)
