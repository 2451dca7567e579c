"""Who is imagined for a sprite: colours in one measure, hints weighed, the frame filled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spriteface.extract.reading import read
from spriteface.options import PortraitOptions
from spriteface.palette.color import delta_e_2000, hue_degrees, lab_from_srgb
from spriteface.pulse import fit
from spriteface.pulse.colors import (
    is_human,
    median_lab,
    photographic_hair,
    photographic_skin,
    shown_colors,
    wanted_colors,
)
from spriteface.pulse.goal import goal_of
from spriteface.pulse.head import from_reading, hints
from spriteface.pulse.head.skin import MONK
from spriteface.pulse.progress import Progress
from spriteface.pulse.recolor import match_colors
from spriteface.types import Label, Reading


@pytest.fixture(scope="module")
def head() -> Any:
    from spriteface.pulse.generator import load_generator

    return load_generator("head")


def reading(root: Path, name: str) -> Reading:
    return read(np.asarray(Image.open(root / "samples" / f"{name}.png").convert("RGBA")))


def lab(*rgb: int) -> Any:
    return lab_from_srgb(np.array(rgb) / 255)


# ------------------------------------------------------------------ colours


@pytest.mark.parametrize("tone", range(10))
def test_every_tone_keeps_its_lightness(tone: int) -> None:
    swatch = lab(*MONK[tone])
    assert is_human(swatch)
    made = photographic_skin(swatch)
    assert abs(made[0] - swatch[0]) <= 3.6
    if swatch[0] > 25:  # darker skin is nearly grey as a flat sample: it gets a person's warmth
        assert abs(made[0] - swatch[0]) <= 2.5
        assert abs(hue_degrees(made) - hue_degrees(swatch)) <= 8  # golden skin doesn't turn rosy


def test_lightness_and_hue_of_skin_have_no_jumps() -> None:
    hues = np.radians(np.arange(20, 92))
    made = np.array(
        [photographic_skin(np.array([80, 15 * np.cos(h), 15 * np.sin(h)])) for h in hues]
    )
    turned = np.diff(hue_degrees(made))
    assert turned.min() >= -1e-6 and turned.max() < 1.01
    lights = np.array([photographic_skin(np.array([x, 5.0, 9.0]))[0] for x in range(101)])
    assert np.diff(lights).min() > 0.3 and np.diff(lights).max() < 1.4


def test_painted_skin_becomes_a_persons_and_green_stays_green() -> None:
    peach = photographic_skin(lab(246, 194, 150))
    assert 42 <= hue_degrees(peach) <= 84
    assert 20 < np.hypot(peach[1], peach[2]) < np.hypot(*lab(246, 194, 150)[1:])
    orc = lab(90, 150, 70)
    assert not is_human(orc) and np.allclose(photographic_skin(orc)[1:], orc[1:])


@pytest.mark.parametrize("rgb", [(234, 184, 84), (184, 78, 40), (48, 34, 42), (200, 202, 216)])
def test_natural_hair_stays_within_eight(rgb: tuple[int, int, int]) -> None:
    assert float(delta_e_2000(photographic_hair(lab(*rgb)), lab(*rgb))) <= 8


def test_the_measure_is_a_median_of_the_mask() -> None:
    picture = np.zeros((10, 10, 3), np.float32)
    picture[:5] = 0.5
    mask = np.zeros((10, 10), bool)
    mask[:7] = True
    found = median_lab(picture, mask)
    assert found is not None and np.allclose(found, lab_from_srgb(np.full(3, 0.5)), atol=1e-3)
    levels = np.rint(picture * 255).astype(np.uint8)
    again = median_lab(levels, mask)
    assert again is not None and abs(again[0] - found[0]) < 0.5
    assert median_lab(picture, np.zeros((10, 10), bool)) is None


@pytest.mark.parametrize("name", ["plumber", "afro_hero"])
def test_previews_reach_the_wanted_colours(head: Any, root: Path, name: str) -> None:
    seen = reading(root, name)
    options = PortraitOptions()
    wanted = wanted_colors(seen, options)
    latents = head.start(seen, count=1, seed=3)
    latents = match_colors(head, latents, wanted, Progress(None, 1), 0.6)
    picture = head.preview(latents, 96)[0].permute(1, 2, 0).numpy()
    shown = shown_colors(picture, head.regions(latents, 96)[0].numpy())
    assert abs(shown["skin"][0] - wanted["skin"][0]) < 2
    assert float(delta_e_2000(shown["skin"], wanted["skin"])) < 3
    assert float(delta_e_2000(shown["hair"], wanted["hair"])) < 6


# ------------------------------------------------------------------ hints


def test_freckles_make_a_child_likely_and_a_beard_impossible(root: Path) -> None:
    child, viking = reading(root, "child"), reading(root, "viking")
    assert hints.freckles(child) > 0 and hints.freckles(reading(root, "plumber")) == 0
    assert hints.child_odds(child, bearded=False) > 0 > hints.child_odds(viking, bearded=True)
    rng = np.random.default_rng(0)
    assert hints.years(child, rng, bearded=False, candidate=0) < 12


def test_ages_are_spread_where_the_sprite_says_nothing(root: Path) -> None:
    elf = reading(root, "elf_hero")
    rng = np.random.default_rng(1)
    ages = [hints.years(elf, rng, bearded=False, candidate=1) for _ in range(200)]
    assert min(ages) < 14 and max(ages) > 25 and np.std(ages) > 4


def test_lips_and_beards_speak_louder_than_the_length_of_hair(root: Path) -> None:
    princess = reading(root, "princess").traits
    bare = {**princess, "mouth_rgb": None}
    assert hints.woman_odds(princess, bearded=False) > hints.woman_odds(bare, bearded=False) + 1
    assert hints.woman_odds({"hair_length": "long"}, bearded=True) < -4
    assert abs(hints.woman_odds({"hair_length": "long"}, bearded=False)) < 1


def test_broad_and_narrow_faces(root: Path) -> None:
    assert hints.broadness(reading(root, "plumber")) > 0.2
    assert hints.broadness(reading(root, "braids_woman")) < -0.2
    assert hints.broadness(reading(root, "spiky_hero")) == 0  # seen from the side


def test_hair_down_to_the_chin_is_not_cut_short(root: Path) -> None:
    assert hints.hair_reach(reading(root, "braids_woman")) > 0.8
    assert hints.hair_reach(reading(root, "child")) < 0.2
    bob = reading(root, "bob_heroine")
    misread = replace(bob, traits={**bob.traits, "hair_style": "short"})
    (person,) = from_reading.start(misread, count=1, seed=0)
    assert person.hair.style == "bob"


def test_the_lit_side_is_read_off_the_skin(root: Path) -> None:
    rgba = np.asarray(Image.open(root / "samples" / "child.png").convert("RGBA"))
    seen = read(rgba)
    for side, columns in ((-1, slice(8, None)), (1, slice(0, 8))):
        shaded = rgba.copy()
        shaded[:, columns, :3] = (shaded[:, columns, :3] * 0.8).astype(np.uint8)
        assert hints.light_side(replace(seen, pixels=shaded)) == side
    assert hints.light_side(reading(root, "spiky_hero")) == 0


# ------------------------------------------------------------------ the frame


def test_the_head_fills_the_frame_and_keeps_its_chin(head: Any, root: Path) -> None:
    seen = reading(root, "grandmother")
    goal = goal_of(seen)
    latents = head.start(seen, count=1, seed=1)
    person = head.people(latents)[0]
    far = head.latents([replace(person, camera=replace(person.camera, zoom=0.8))])
    near = fit.framed(head, far, goal, (), Progress(None, 1))
    assert goal.misplaced(head, near)[0] < goal.misplaced(head, far)[0]
    labels = head.regions(near, 64)[0].numpy()
    rows = np.nonzero(np.isin(labels, (Label.HAIR, Label.SKIN, Label.MOUTH)).any(1))[0]
    mouth = np.nonzero(labels == Label.MOUTH)[0]
    assert np.ptp(rows) > 0.65 * 64 and mouth.max() < 60
    held = fit.framed(head, far, goal, ("zoom",), Progress(None, 1))
    assert held is far


def test_a_window_of_labels_moves_and_zooms() -> None:
    labels = np.zeros((96, 96), np.int64)
    labels[44:52, 60:68] = 7
    window = fit._window(labels, (0.0, 0.0), 2.0)
    rows, columns = np.nonzero(window == 7)
    assert abs(rows.mean() - 31.5) < 1.5
    assert abs((columns.mean() + 0.5) / 64 - ((64 / 96 - 0.5) * 2 + 0.5)) < 0.03
    moved = fit._window(labels, (0.3, 0.0), 2.0)
    assert np.nonzero(moved == 7)[1].mean() < columns.mean() - 15
