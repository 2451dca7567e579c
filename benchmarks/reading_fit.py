"""Fit the reader's few weights that no drawing tells, each game left out in turn.

    python -m benchmarks.reading_fit LABELS.json [--drawings 300] [--print]

LABELS.json is a labelled face set as in benchmarks/likeness.py. The small models that weigh the
network's opinion with what is measured (where a face looks, whether a hat is worn) are fitted on
our own drawings and on all games but one, then asked about that one. The figure printed is over
the games left out; `--print` also gives the weights of a fit on everything, to be pasted.
Faces that are frames of one drawing share the weight of one.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.likeness import Case, labelled
from spriteface.extract.reading import geometry, labelling, layers, materials, network, traits, view

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))
SHARES = (0.2,)  # of the network's word on the view that are tried
GEOMETRY = slice(2, None)  # the measures that aren't the network's
PRESENT = {"headwear": 1.0, "facial_hair": 4.0}  # trait: weight of the drawings to that of games


@dataclass(frozen=True, eq=False)
class Faces:
    """`x` (N, n) measures, `y` (N, classes) of 0 and 1, `game` and `weight` per face."""

    x: np.ndarray
    y: np.ndarray
    game: np.ndarray
    weight: np.ndarray

    def where(self, mask: np.ndarray) -> Faces:
        return Faces(self.x[mask], self.y[mask], self.game[mask], self.weight[mask])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("labels", type=Path)
    parser.add_argument("--drawings", type=int, default=300, help="of each kind")
    parser.add_argument("--seed", type=int, default=4242)
    parser.add_argument("--print", action="store_true", help="the weights of a fit on everything")
    options = parser.parse_args(arguments)
    drawn = drawings(options.drawings, options.seed)
    cases = list(labelled(options.labels))
    seen = [Seen(case.rgba) for case in cases]
    made = [Seen(d.rgba) for d in drawn]
    fit_view(real_views(cases, seen), drawn_views(drawn, made), options.print)
    for trait, start in PRESENT.items():
        real, known = real_present(trait, cases, seen), drawn_present(trait, drawn, made)
        fit_present(trait, start, real, known, options.print)


class Seen:
    """What the reader measures in a picture before it decides on traits."""

    def __init__(self, rgba: np.ndarray) -> None:
        opinion = network.look(rgba)
        parts = layers.take_apart(rgba)
        labels, _ = labelling.label_pixels(parts, opinion)
        self.view = view.measured(parts, labels, opinion)[0]
        g = geometry.measure(parts, labels, opinion)
        materials.settle(parts, labels, g, opinion)
        self.headwear = traits.hat_measures(parts, labels, g, opinion)
        self.facial_hair = traits.beard_measures(parts, labels, g, opinion)


def drawings(count: int, seed: int) -> list[Any]:
    """Bent and tidy drawings, and a fifth as many renders made into sprites."""
    import draw_sprites
    import rendered_heads
    import tidy_sprites

    rng = np.random.default_rng(seed)
    out = [kind.draw(rng) for kind in (draw_sprites, tidy_sprites) for _ in range(count)]
    return out + [rendered_heads.vary(d, rng) for d in rendered_heads.load(count // 5, seed)]


def game_of(name: str) -> str:
    """The game a face set's picture comes from, told by its name."""
    parts = name.split("_")
    game = re.match(r"[a-z]+", name)
    first = game.group(0) if game else name
    return (
        f"{first}_{parts[1]}"
        if first == "gb"
        else {"tuxow": "tux", "tuxshot": "tux"}.get(first, first)
    )


def weights_of(cases: Sequence[Case]) -> np.ndarray:
    """Frames of one drawing share the weight of one."""
    drawing = [re.sub(r"_\d+$", "", case.name) for case in cases]
    count = Counter(drawing)
    return np.array([1 / count[name] for name in drawing])


def real_views(cases: Sequence[Case], seen: Sequence[Seen]) -> Faces:
    good = [
        [c.truth["view"]] if isinstance(c.truth["view"], str) else c.truth["view"] for c in cases
    ]
    return Faces(
        np.array([s.view for s in seen]),
        np.array([[float(str(v) in views) for v in view.VIEWS] for views in good]),
        np.array([game_of(case.name) for case in cases]),
        weights_of(cases),
    )


def drawn_views(drawn: Sequence[Any], seen: Sequence[Seen]) -> Faces:
    y = [[float(d.traits["view"] == str(v)) for v in view.VIEWS] for d in drawn]
    x = np.array([s.view for s in seen])
    return Faces(x, np.array(y), np.full(len(x), "drawn"), np.ones(len(x)))


def real_present(trait: str, cases: Sequence[Case], seen: Sequence[Seen]) -> Faces:
    """Faces of which everybody would say that it is there, or that it isn't."""
    judged = [
        i
        for i, c in enumerate(cases)
        if c.truth[trait] and ("" not in c.truth[trait] or c.truth[trait] == [""])
    ]
    there = np.array([cases[i].truth[trait] != [""] for i in judged])
    return Faces(
        np.array([getattr(seen[i], trait) for i in judged]),
        np.c_[~there, there].astype(float),
        np.array([game_of(cases[i].name) for i in judged]),
        weights_of(cases)[judged],
    )


def drawn_present(trait: str, drawn: Sequence[Any], seen: Sequence[Seen]) -> Faces:
    known = [i for i, d in enumerate(drawn) if d.traits[trait] != "?"]
    there = np.array([drawn[i].traits[trait] != "none" for i in known])
    x = np.array([getattr(seen[i], trait) for i in known])
    y = np.c_[~there, there].astype(float)
    return Faces(x, y, np.full(len(x), "drawn"), np.ones(len(x)))


def fit_present(trait: str, trust: float, real: Faces, made: Faces, show: bool) -> None:
    """A logistic model of whether a hat or a beard is there; `trust` weighs drawings to games."""

    def fit(faces: Faces) -> np.ndarray:
        scale = trust * faces.weight.sum() / len(made.x)
        x, y = np.r_[faces.x, made.x], np.r_[faces.y, made.y]
        w = np.r_[faces.weight, made.weight * scale]
        middle, spread = x.mean(0), x.std(0) + 1e-6
        found = softmax_fit((x - middle) / spread, y, w)
        plain = found[:, :-1] / spread
        return np.c_[plain, found[:, -1] - plain @ middle]

    def told(right: np.ndarray, faces: Faces) -> str:
        there = faces.y[:, 1] > 0
        return f"{right[there].sum():.0f} of {there.sum()}, false {(~there).sum() - right[~there].sum():.0f} of {(~there).sum()}"

    weights = fit(real)
    print(f"{trait}, each game left out: {told(leave_out(real, fit), real)}")
    print(
        f"{trait}, all games seen: {told(hits(weights, real), real)}; drawings: {told(hits(weights, made), made)}"
    )
    used = {
        "headwear": (traits.WORN_WEIGHTS, traits.WORN_FROM),
        "facial_hair": (traits.BEARD_WEIGHTS, traits.BEARD_FROM),
    }
    row = np.append(used[trait][0], -used[trait][1])
    shipped = np.array([np.zeros_like(row), row])
    print(
        f"{trait}, weights in use: {told(hits(shipped, real), real)}; drawings: {told(hits(shipped, made), made)}"
    )
    if show:
        print(np.round(weights[1] - weights[0], 2))


def fit_view(real: Faces, made: Faces, show: bool) -> None:
    def fit(faces: Faces) -> np.ndarray:
        """(3, n + 1) weights: geometry from both, the network's share from games alone."""
        scale = faces.weight.sum() / len(made.x)
        x = np.r_[faces.x, made.x]
        y = np.r_[faces.y / faces.y.sum(1, keepdims=True), made.y]
        w = np.r_[faces.weight, made.weight * scale]
        middle, spread = x.mean(0), x.std(0) + 1e-6
        found = softmax_fit((x[:, GEOMETRY] - middle[GEOMETRY]) / spread[GEOMETRY], y, w)
        plain = found[:, :-1] / spread[GEOMETRY]
        constant = found[:, -1] - plain @ middle[GEOMETRY]
        rows = [with_network(plain, constant, share) for share in SHARES]
        return max(rows, key=lambda row: likelihood(row, faces))

    left_out = leave_out(real, fit)
    right = left_out.sum()
    each = (left_out * real.weight).sum() / real.weight.sum()
    weights = fit(real)
    shipped = hits(view.WEIGHTS, real).sum()
    print(f"view, weights in use: {shipped:.0f} of {len(real.x)}")
    print(f"view, each game left out: {right:.0f} of {len(real.x)}; by drawing {each:.3f}")
    print(f"view, all games seen: {hits(weights, real).sum():.0f} of {len(real.x)}")
    print(f"view, drawings: {hits(weights, made).mean():.3f}")
    for game in sorted(set(real.game)):
        here = real.game == game
        print(f"    {game:12s} {left_out[here].sum():3.0f} of {here.sum()}")
    if show:
        print(
            np.array2string(
                weights, precision=3, separator=", ", suppress_small=True, max_line_width=96
            )
        )


def with_network(plain: np.ndarray, constant: np.ndarray, share: float) -> np.ndarray:
    """Rows of scores from geometry and from `share` of the network's log odds to three-quarter."""
    network_part = share * np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    return np.c_[network_part, plain, constant]


def softmax_fit(
    z: np.ndarray, y: np.ndarray, w: np.ndarray, steps: int = 600, decay: float = 0.02
) -> np.ndarray:
    """(classes, n + 1) weights of a softmax on standardised measures, by plain descent."""
    z = np.c_[z, np.ones(len(z))]
    weights = np.zeros((y.shape[1], z.shape[1]))
    for _ in range(steps):
        p = chances(weights, z)
        weights -= 0.3 * (((p - y) * w[:, None]).T @ z / w.sum() + decay * weights)
    return weights


def chances(weights: np.ndarray, z: np.ndarray) -> np.ndarray:
    score = z @ weights.T
    e = np.exp(score - score.max(1, keepdims=True))
    out: np.ndarray = e / e.sum(1, keepdims=True)
    return out


def likelihood(weights: np.ndarray, faces: Faces) -> float:
    p = chances(weights, np.c_[faces.x, np.ones(len(faces.x))])
    return float((np.log((p * faces.y).sum(1) + 1e-9) * faces.weight).sum())


def hits(weights: np.ndarray, faces: Faces) -> np.ndarray:
    best = (np.c_[faces.x, np.ones(len(faces.x))] @ weights.T).argmax(1)
    return faces.y[np.arange(len(best)), best]


def leave_out(faces: Faces, fit: Callable[[Faces], np.ndarray]) -> np.ndarray:
    """Whether each face is right by the weights of a fit that hasn't seen its game."""
    out = np.zeros(len(faces.x))
    for game in sorted(set(faces.game)):
        here = faces.game == game
        out[here] = hits(fit(faces.where(~here)), faces.where(here))
    return out


if __name__ == "__main__":
    main()
