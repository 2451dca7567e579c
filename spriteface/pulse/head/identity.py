"""Which faces are likely: sliders correlated by the measures that they change.

The data set's sliders are an artist's, not a statistical face space: drawn independently they give
square skulls and pinched chins. Here each slider keeps a generous spread of its own, and every
classical face measure (nose width, lip height, jaw width ...) keeps the spread that it has within a
population. Geometry is linear, so both together are one Gaussian: its precision is the sum.

The data set's own mean isn't an average face either: beside the surveys its eyes are small, its
noses broad and its faces short. The likeliest sliders that bring the measures there are the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ...types import F64
from .model import HeadModel, head_model
from .regions import regions

# spread within a population, mm: rounded from the usual adult anthropometric surveys
MEASURES: dict[str, tuple[str, str, str, float]] = {
    # name: (landmark, landmark, axis "x" "y" "z" or "" for distance, standard deviation in mm)
    "head breadth": ("euryon", "-euryon", "x", 5.5),
    "head length": ("glabella", "opisthocranion", "z", 6.5),
    "head height": ("vertex", "nasion", "y", 6.0),
    "forehead breadth": ("frontotemporale", "-frontotemporale", "x", 5.0),
    "face breadth": ("zygion", "-zygion", "x", 5.0),
    "jaw breadth": ("gonion", "-gonion", "x", 5.5),
    "chin breadth": ("chin side", "-chin side", "x", 3.5),
    "face height": ("nasion", "gnathion", "y", 6.0),
    "nose height": ("nasion", "subnasale", "y", 3.0),
    "nose breadth": ("alare", "-alare", "x", 2.6),
    "nose bridge": ("nasal bone", "-nasal bone", "x", 1.3),
    "nose protrusion": ("pronasale", "alare", "z", 1.8),
    "nose tip height": ("pronasale", "subnasale", "y", 1.8),
    "nasion depth": ("nasion", "glabella", "z", 1.5),
    "upper lip height": ("subnasale", "stomion", "y", 2.0),
    "upper vermilion": ("labiale superius", "stomion", "y", 1.2),
    "lower vermilion": ("stomion", "labiale inferius", "y", 1.4),
    "lip protrusion": ("labiale superius", "subnasale", "z", 1.6),
    "lower lip protrusion": ("labiale inferius", "labiale superius", "z", 1.5),
    "mouth breadth": ("cheilion", "-cheilion", "x", 3.4),
    "mouth corner": ("cheilion", "stomion", "y", 1.2),
    "chin height": ("stomion", "gnathion", "y", 3.0),
    "chin protrusion": ("gnathion", "labiale inferius", "z", 3.0),
    "eye distance": ("endocanthion", "-endocanthion", "x", 2.4),
    "eye length": ("exocanthion", "endocanthion", "x", 1.3),
    "eye slant": ("exocanthion", "endocanthion", "y", 1.4),
    "brow height": ("brow", "exocanthion", "y", 1.8),
    "brow depth": ("brow", "endocanthion", "z", 1.6),
    "cheek depth": ("cheek", "alare", "z", 2.4),
    "cheek breadth": ("cheek", "-cheek", "x", 4.0),
    "ear height": ("ear top", "ear bottom", "y", 3.6),
}

# mm by which the means of adult surveys differ from those of the data set's heads, all macro shapes
# and both sexes together
MEAN_SHIFTS: dict[str, float] = {
    "eye length": 2.2, "eye distance": 1.5, "nose breadth": -3.2, "nose bridge": -1.0, "nose height": 1.5,
    "face height": 4.5, "face breadth": -2.0, "jaw breadth": -3.5, "chin breadth": -1.5, "chin height": 1.0,
    "upper lip height": 1.2, "upper vermilion": -0.7, "lower vermilion": -0.9, "mouth breadth": 1.5,
    "mouth corner": 1.0, "nose protrusion": 0.0, "eye slant": 0.0, "brow height": 0.0, "head breadth": 0.0,
}  # fmt: skip
# what no measure has: open eyes with a crease over them, a tip of the nose rather than a ball, a
# philtrum and the bow of the upper lip
MEAN_SLIDERS: dict[str, float] = {
    "eyes/eye-height2": 0.20, "eyes/eye-height1": 0.05, "eyes/eye-eyefold": -0.20, "nose/nose-point": 0.22,
    "nose/nose-point-width": -0.28, "nose/nose-volume": -0.08, "mouth/mouth-cupidsbow": 0.35,
    "mouth/mouth-philtrum-volume": 0.20, "cheek/cheek-bones": 0.15,
}  # fmt: skip
MEAN_SLACK = 0.16  # of a measure's spread: how nearly a mean is reached


def _front(v: F64, x: float, y: float) -> int:
    """The outermost front vertex near a canonical (x, y)."""
    cost = np.hypot(v[:, 0] - x, v[:, 1] - y) - 0.15 * v[:, 2]
    cost[v[:, 2] < 4] = 1e9
    return int(np.argmin(cost))


def landmarks(model: HeadModel) -> dict[str, int]:
    """Base vertex of every landmark; paired ones on the subject's left (+x)."""
    place = regions(model.level)
    v = model.canonical.astype(float)
    skin = np.zeros(len(v), bool)
    skin[place.outer_vertices] = True
    far = np.where(skin[:, None], v, 1e3)
    left = far.copy()
    left[v[:, 0] < 0.02] = 1e3

    def nearest(x: float, y: float, z: float) -> int:
        return int(
            np.argmin(np.linalg.norm((left if x > 0.05 else far) - np.array([x, y, z]), axis=1))
        )

    def extreme(mask: F64, axis: int, sign: int) -> int:
        chosen = np.flatnonzero((mask > 0.5) & (v[:, 0] > 0.02))
        return int(chosen[np.argmax(sign * v[chosen, axis])])

    head = np.where(skin & (place.ear < 0.05), v[:, 0], -1e3)

    def wide(low: float, high: float) -> int:
        return int(np.argmax(np.where((v[:, 1] > low) & (v[:, 1] < high), head, -1e3)))

    back = np.where(skin & (np.abs(v[:, 0]) < 0.8) & (v[:, 1] > 4), -v[:, 2], -1e3)
    top = np.where(skin & (np.abs(v[:, 0]) < 0.8), v[:, 1], -1e3)
    nose = np.where(
        skin & (np.abs(v[:, 0]) < 0.4) & (v[:, 1] > -1.5) & (v[:, 1] < 2), v[:, 2], -1e3
    )
    lip = place.lip.astype(float)
    return {
        "euryon": wide(6.0, 9.0),
        "zygion": wide(0.5, 3.0),
        "gonion": nearest(5.6, -4.5, 2.5),
        "frontotemporale": nearest(5.4, 6.4, 8.2),
        "chin side": nearest(2.4, -7.0, 8.6),
        "glabella": _front(v, 0, 5.4),
        "nasion": _front(v, 0, 3.6),
        "opisthocranion": int(np.argmax(back)),
        "vertex": int(np.argmax(top)),
        "subnasale": _front(v, 0, -1.35),
        "pronasale": int(np.argmax(nose)),
        "alare": nearest(1.7, -0.5, 10.6),
        "nasal bone": nearest(0.8, 2.4, 10.6),
        "stomion": _front(v, 0, -3.25),
        "labiale superius": _front(v, 0, -2.55),
        "labiale inferius": _front(v, 0, -4.1),
        "cheilion": extreme(lip, 0, +1),
        "gnathion": _front(v, 0, -7.6),
        "endocanthion": extreme(place.lid.astype(float), 0, -1),
        "exocanthion": extreme(place.lid.astype(float), 0, +1),
        "brow": nearest(3.2, 5.2, 10.5),
        "cheek": nearest(4.6, 0.2, 9.0),
        "ear top": extreme(place.ear.astype(float), 1, +1),
        "ear bottom": extreme(place.ear.astype(float), 1, -1),
    }


@lru_cache(maxsize=1)
def slider_moves() -> tuple[tuple[str, ...], F64]:
    """(names, (sliders, vertices, 3)): surface displacement of each slider at +1, cm."""
    model = head_model(0)
    rows = []
    for name in model.local_names:
        negative, positive = model.sliders[name]
        delta = np.zeros((model.n_base, 3), np.float32)
        for targets, sign in ((positive, 1.0), (negative, -1.0)):
            share = 0.5 if positive and negative else 1.0
            for k in targets:
                ids, d = model.displacement(k)
                delta[ids] += sign * share * d
        rows.append(model.subdivide(delta))
    return model.local_names, np.stack(rows).astype(float)


@lru_cache(maxsize=1)
def measure_slopes() -> F64:
    """(measures, sliders): change of each measure, mm, per unit of each slider."""
    model = head_model(0)
    marks = landmarks(model)
    _, moves = slider_moves()
    axis = {"x": 0, "y": 1, "z": 2}
    rows = []
    for first, second, along, _ in MEASURES.values():
        one = moves[:, marks[first.removeprefix("-")], axis[along]]
        two = moves[:, marks[second.removeprefix("-")], axis[along]]
        if second.startswith("-"):  # the mirrored landmark moves the other way in x
            two = -one
        rows.append((one - two) * 10.0)
    return np.stack(rows)


def slider_root(names: Sequence[str], sigma: Sequence[float]) -> F64:
    """(n,n) symmetric root R of the sliders' covariance: sliders = R z, z standard normal.

    `sigma` is each slider's own spread before the measures are held to theirs. The symmetric root
    keeps every z closest to the slider whose name it bears.
    """
    all_names, _ = slider_moves()
    columns = [all_names.index(n) for n in names]
    # a measure's precision adds to that of the sliders; the factor brings its spread back to target
    spread = 1.4 * np.array([m[3] for m in MEASURES.values()])
    slopes = measure_slopes()[:, columns] / spread[:, None]
    precision = np.diag(1.0 / np.asarray(sigma, float) ** 2) + slopes.T @ slopes
    values, vectors = np.linalg.eigh(precision)
    return np.asarray((vectors / np.sqrt(values)) @ vectors.T)


def slider_mean(names: Sequence[str], root: F64) -> F64:
    """(n,) the likeliest sliders, under the covariance of `slider_root`, whose face has the
    measures of `MEAN_SHIFTS`, and `MEAN_SLIDERS` on top."""
    all_names, _ = slider_moves()
    columns = [all_names.index(n) for n in names]
    rows = list(MEASURES)
    slopes = measure_slopes()[[rows.index(m) for m in MEAN_SHIFTS]][:, columns]
    slack = np.diag([(MEAN_SLACK * MEASURES[m][3]) ** 2 for m in MEAN_SHIFTS])
    covariance = root @ root.T
    seen = slopes @ covariance @ slopes.T + slack
    shift = np.array(list(MEAN_SHIFTS.values()))
    mean = covariance @ slopes.T @ np.linalg.solve(seen, shift)
    return np.asarray(mean + [MEAN_SLIDERS.get(n, 0.0) for n in names])
