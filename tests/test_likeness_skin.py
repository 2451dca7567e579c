"""Skin is locked to the sprite: within the tolerance asked for, and the prior's where none shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spriteface.extract.reading import read
from spriteface.options import PortraitOptions
from spriteface.pulse.colors import as_believed, shown_colors, wanted_colors
from spriteface.pulse.goal import goal_of
from spriteface.pulse.likeness import portray
from spriteface.types import Reading


@pytest.fixture(scope="module")
def head() -> Any:
    from spriteface.pulse.generator import load_generator

    return load_generator("head")


def reading(root: Path, name: str) -> Reading:
    return read(np.asarray(Image.open(root / "samples" / f"{name}.png").convert("RGBA")))


def blank(*rgb: int, edge: int = 4) -> Reading:
    return read(np.full((edge, edge, 4), (*rgb, 255), np.uint8))


def only_outlines() -> Reading:
    rgba = np.zeros((16, 16, 4), np.uint8)
    rgba[3, 3:13] = rgba[12, 3:13] = rgba[3:13, 3] = rgba[3:13, 12] = (0, 0, 0, 255)
    return read(rgba)


@pytest.mark.parametrize(
    "said", [blank(128, 128, 128), blank(230, 180, 140, edge=16), only_outlines()]
)
def test_what_shows_no_skin_leaves_it_to_the_prior(head: Any, said: Reading) -> None:
    assert as_believed(said).traits["skin_rgb"] is None
    assert "skin" not in wanted_colors(as_believed(said), PortraitOptions())
    drawn = [head.people(head.start(said, count=1, seed=seed))[0].skin for seed in range(40)]
    prior = [person.skin for person in head.people(head.sample(200, 5))]
    melanin, declared = (np.array([skin.melanin for skin in skins]) for skins in (drawn, prior))
    both = np.sort(np.concatenate([melanin, declared]))
    below = [np.searchsorted(np.sort(m), both, side="right") / len(m) for m in (melanin, declared)]
    assert np.abs(below[0] - below[1]).max() < 1.36 * (1 / 40 + 1 / 200) ** 0.5  # one distribution


def test_colours_of_a_blank_choose_nobody() -> None:
    weight = goal_of(as_believed(blank(128, 128, 128))).weight
    assert weight.sum() < 0.01
    assert goal_of(blank(128, 128, 128)).weight.sum() > 1  # as a grey skin it would


def test_a_portrait_says_that_its_skin_was_drawn(head: Any) -> None:
    options = PortraitOptions(size=64, steps=1)
    made = portray(head, blank(128, 128, 128), options=options)[0]
    assert any("drawn by the seed" in note for note in made.notes)
    assert made.traits["skin_rgb"] is None


@pytest.mark.parametrize("name", ["plumber", "hijab_archer", "elf_hero", "knight"])
def test_a_sprite_that_shows_skin_keeps_it(root: Path, name: str) -> None:
    seen = reading(root, name)
    assert as_believed(seen) is seen and "skin" in wanted_colors(seen, PortraitOptions())


def test_the_skin_stays_within_the_tolerance_and_uses_it(head: Any, root: Path) -> None:
    seen = reading(root, "elf_hero")
    locked = wanted_colors(seen, PortraitOptions())["skin"]
    for tolerance in (4.0, 20.0):
        asked = [PortraitOptions(seed=seed, skin_tolerance=tolerance) for seed in range(60)]
        off = np.array([wanted_colors(seen, o)["skin"][0] for o in asked]) - locked[0]
        assert np.abs(off).max() <= tolerance + 1e-6
        assert off.min() < -0.6 * tolerance and off.max() > min(0.6 * tolerance, 8.0)
    again = wanted_colors(seen, PortraitOptions(seed=3, skin_tolerance=20.0))["skin"]
    other = wanted_colors(seen, PortraitOptions(seed=3, skin_tolerance=20.0), candidate=1)["skin"]
    assert again[0] == wanted_colors(seen, asked[3])["skin"][0] != other[0]


def test_a_portrait_with_tolerance_has_the_skin_that_was_drawn(head: Any, root: Path) -> None:
    seen = reading(root, "elf_hero")
    locked = wanted_colors(seen, PortraitOptions())["skin"][0]
    drawn = {
        seed: wanted_colors(seen, PortraitOptions(seed=seed, skin_tolerance=30.0))["skin"][0]
        for seed in range(12)
    }
    seed = max(drawn, key=lambda s: abs(drawn[s] - locked))
    options = PortraitOptions(size=96, steps=1, seed=seed, skin_tolerance=30.0)
    made = portray(head, seen, options=options)[0]
    shown = shown_colors(made.image, head.regions(made.latents, 96)[0].numpy())["skin"]
    assert abs(drawn[seed] - locked) > 15
    assert abs(shown[0] - drawn[seed]) < 3
