"""Where the face is: eyes, view, hairline and chin. Distances are multiples of the eye unit."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ...types import Bool, View
from .eyes import FoundEyes, Window, grow_window
from .layers import Layers
from .skin import Rows, Skin


@dataclass(frozen=True, eq=False)
class Geometry:
    """`centres` are (x, y) with pixel centres at +0.5; `unit` the distance between the eyes.

    `hairline` is the first skin row of the forehead, `chin` the row below the last of the face;
    `head` is (x0, x1, y0, y1) inclusive of everything in front of the background;
    `shades` the rows of dark glasses that hide the eyes. `certainty` in [0, 1].
    """

    eyes: tuple[Window, ...]
    centres: tuple[tuple[float, float], ...]
    eye_x: float
    eye_y: float
    unit: float
    view: View
    side: str
    hairline: int
    chin: float
    box: Rows
    head: tuple[int, int, int, int]
    shades: tuple[int, int] | None
    certainty: float

    @property
    def two_eyes(self) -> bool:
        return len(self.eyes) == 2

    @property
    def width(self) -> float:
        """Cheek to cheek in px."""
        return self.box[3] - self.box[2] + 1.0

    @property
    def profile(self) -> bool:
        return self.view is View.PROFILE


def measure(layers: Layers, skin: Skin, found: FoundEyes) -> Geometry:
    rows, columns = (np.nonzero(layers.fg.any(axis=k))[0] for k in (1, 0))
    head = int(columns[0]), int(columns[-1]), int(rows[0]), int(rows[-1])
    head_middle, head_width = (head[0] + head[1]) / 2, head[1] - head[0] + 1
    y0, y1, x0, x1 = skin.box
    width = x1 - x0 + 1.0
    skin_x = float(np.nonzero(skin.main)[1].mean())
    lopsided = (skin_x - head_middle) / head_width
    eyes = _choose(layers, skin, found, lopsided, width)
    shades = _dark_glasses(layers, skin, eyes, found.pair_score)
    if shades:
        eyes = ()
    centres = tuple((x + w / 2, y + h / 2) for y, x, h, w in eyes)
    if not centres:
        row = (shades[0] + shades[1] + 1) / 2 if shades else y0 * 0.6 + y1 * 0.4
        centres = (((x0 + x1 + 1) / 2, row),)
    eye_x, eye_y = (float(np.mean(v)) for v in zip(*centres, strict=True))
    two = len(eyes) == 2
    unit = centres[1][0] - centres[0][0] if two else 0.46 * width
    off = (eye_x - head_middle - 0.5) / head_width
    if not two and not shades and abs(lopsided) > 0.07:
        view, turned = View.PROFILE, lopsided
    else:
        view, turned = (View.FRONT if abs(off) < 0.055 else View.THREE_QUARTER), off
    side = "" if view is View.FRONT else "left" if turned < 0 else "right"
    score = found.pair_score if two else 0.5 * found.single_score
    certainty = float(min(1.0, 1.5 * score)) if eyes else 0.0
    geometry = Geometry(
        eyes, centres, eye_x, eye_y, max(1.0, float(unit)), view, side,
        0, 0.0, skin.box, head, shades, certainty,
    )  # fmt: skip
    column = eye_x if view is not View.PROFILE else skin_x
    return replace(
        geometry, hairline=_hairline(skin, eye_y, column), chin=_chin(layers, skin, geometry)
    )


def _choose(
    layers: Layers, skin: Skin, found: FoundEyes, lopsided: float, width: float
) -> tuple[Window, ...]:
    """The pair, unless one eye alone explains the face much better (a profile)."""
    alone = found.single_score**2
    pair = found.pair
    if pair is None and found.single is None:
        return ()
    weak = found.pair_score < 0.16 * alone and found.pair_score < 0.12
    if pair is None or weak or (found.pair_score < 0.35 * alone and abs(lopsided) > 0.13):
        assert found.single is not None
        return (grow_window(layers, skin.mask, found.single, 0.36 * width),)
    left, right = (grow_window(layers, skin.mask, eye, 0.36 * width) for eye in pair)
    return pair if left[1] + left[3] > right[1] else (left, right)


def _dark_glasses(
    layers: Layers, skin: Skin, eyes: tuple[Window, ...], pair_score: float
) -> tuple[int, int] | None:
    """Rows of a dark band across the face with no skin on the bridge and a forehead above."""
    y0, y1, x0, x1 = skin.box
    tall, middle = y1 - y0, (x0 + x1) // 2
    face = slice(x0, x1 + 1)
    cover = np.asarray((~skin.mask & layers.fg)[:, face].mean(1))
    light = layers.lab[:, face, 0].mean(1)
    bridge: Bool = np.asarray(skin.mask[:, max(0, middle - 1) : middle + 2].any(1))
    rows = [
        y
        for y in range(int(y0 + 0.15 * tall), int(y0 + 0.72 * tall) + 1)
        if cover[y] > 0.6 and light[y] < skin.lab[0] - 0.10 and not bridge[y]
    ]
    if len(rows) == 0 or rows[-1] - rows[0] + 1 != len(rows):
        return None
    if rows[-1] + 1 < len(cover) and cover[rows[-1] + 1] > 0.35:
        rows.append(rows[-1] + 1)
    if len(rows) < 2 or len(rows) > 0.42 * tall + 1:
        return None
    if skin.mask[: rows[0], face].sum() <= x1 - x0 + 1:
        return None
    inside = bool(eyes) and rows[0] - 1 <= eyes[0][0] <= rows[-1] + 1
    if inside and len(eyes) == 2 and pair_score > 0.6:
        return None
    return rows[0], rows[-1]


def _hairline(skin: Skin, eye_y: float, column: float) -> int:
    height, width = skin.mask.shape
    at = int(np.clip(column, 0, width - 1))
    share = skin.mask[:, max(0, at - 1) : at + 2].mean(1)
    row = min(int(eye_y), height - 1)
    while row > 0 and (share[row - 1] > 0.3 or row > eye_y - 1):
        row -= 1
    return int(row)


def _chin(layers: Layers, skin: Skin, g: Geometry) -> float:
    """The row below which the skin gets narrow (a neck) or ends."""
    height = layers.shape[0]
    _, last_row, x0, x1 = skin.box
    if g.view is View.PROFILE:
        return float(np.clip(last_row, g.eye_y + 1.5, max(height, g.eye_y + 1.5)))
    rows = np.array([_extent(row) for row in skin.mask[:, x0 : x1 + 1]], float)
    first, last = int(max(0, g.eye_y - g.unit / 2)), int(g.eye_y + g.unit) + 1
    widest = rows[first:last].max(initial=1.0)
    low = math.ceil(g.eye_y + max(1.5, 0.42 * g.unit))
    high = min(height - 1, g.eye_y + 2.1 * g.unit + 1)
    chin = min(high, g.eye_y + 1.35 * g.unit, height)
    padded = np.append(rows, np.zeros(4))
    for y in range(low, min(int(high), height - 1) + 1):
        narrow = padded[y + 1] < 0.42 * widest and padded[y + 2 : y + 4].max() < 0.55 * widest
        if narrow and y >= g.eye_y + 0.5 * g.unit:
            chin = y + 1
            break
    return float(np.clip(chin, g.eye_y + 0.6 * g.unit, g.eye_y + 2.1 * g.unit))


def _extent(row: Bool) -> int:
    at = np.nonzero(row)[0]
    return int(at[-1] - at[0] + 1) if len(at) else 0
