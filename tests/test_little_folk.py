"""Little folk of whole pixels: labels lie on what is drawn, those from behind have none, and crowds
hold many different ones."""

from __future__ import annotations

import numpy as np
import pytest

from tools import little_folk, train_detector
from tools.pixel_artist import CREATURE, HUMAN, HUMANOID, Label


def _inside(label: Label, shape: tuple[int, ...]) -> bool:
    (x0, y0, x1, y1), (a0, b0, a1, b1) = label.face, label.head
    h, w = shape[:2]
    return -1 <= a0 < a1 <= w + 1 and -1 <= b0 < b1 <= h + 1 and x0 < x1 and y0 < y1


@pytest.mark.parametrize("seed", range(40))
def test_a_figure_has_a_face_within_its_head(seed: int) -> None:
    made = little_folk.folk(np.random.default_rng(seed), 11)
    (label,) = made.labels
    assert _inside(label, made.rgba.shape)
    (x0, y0, x1, y1), (a0, b0, a1, b1) = label.face, label.head
    shared = (min(x1, a1) - max(x0, a0)) * (min(y1, b1) - max(y0, b0))
    assert shared > 0.7 * (x1 - x0) * (y1 - y0)
    assert np.count_nonzero(made.rgba[int(b0) : int(b1) + 1, int(a0) : int(a1) + 1, 3]) > 12


def test_from_behind_nobody_has_a_face() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert not little_folk.templated(rng, 10, back=True).labels
        assert not little_folk.sketched(rng, back=True).labels


def test_eyes_differ_between_figures() -> None:
    """No two of many are alike: what is learned from them is no template."""
    seen = {little_folk.templated(np.random.default_rng(i), 10).rgba.tobytes() for i in range(60)}
    assert len(seen) == 60


def test_a_patch_of_one_colour_is_no_readable_face() -> None:
    rgba = np.full((8, 8, 4), 200, np.uint8)
    assert not little_folk.readable(rgba, (1, 1, 7, 7))
    rgba[3, [2, 5], :3] = 0
    assert little_folk.readable(rgba, (1, 1, 7, 7))


def test_crowds_are_of_all_kinds_and_framed_ones_keep_their_place() -> None:
    kinds, count = set(), 0
    for seed in range(25):
        made = little_folk.crowd(np.random.default_rng(seed), train_detector.SIZE)
        assert made.rgba.shape == (train_detector.SIZE, train_detector.SIZE, 4)
        kinds |= {label.kind for label in made.labels}
        count += len(made.labels)
    assert kinds == {HUMAN, HUMANOID, CREATURE} and count > 50
    who = little_folk.templated(np.random.default_rng(3), 10)
    framed = little_folk.windowed(who, np.random.default_rng(4))
    (x0, y0, x1, y1), (a0, b0, a1, b1) = who.labels[0].face, framed.labels[0].face
    was = who.rgba[int(y0) : int(y1), int(x0) : int(x1)]
    now = framed.rgba[int(b0) : int(b1), int(a0) : int(a1)]
    shown = was[..., 3] > 0
    assert shown.any() and (now[shown] == was[shown]).all()
