"""Portraits of sprites: the faithful end of the dial, skin tone, determinism, cancelling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spriteface.errors import Cancelled, OptionError
from spriteface.extract.reading import read
from spriteface.options import PortraitOptions
from spriteface.palette.color import lab_from_u8
from spriteface.pulse.colors import shown_colors
from spriteface.pulse.downscale import downscale_array
from spriteface.pulse.faithful import bend, color_field, make_faithful
from spriteface.pulse.goal import marks
from spriteface.pulse.likeness import portray
from spriteface.pulse.progress import Progress
from spriteface.types import F32, U8, Label

SIZE = 96


def sample(root: Path, name: str) -> U8:
    return np.asarray(Image.open(root / "samples" / f"{name}.png").convert("RGBA"))


def psnr(one: F32, two: F32, weights: F32) -> float:
    error = ((one - two) ** 2).mean(-1)
    return float(-10 * np.log10((error * weights).sum() / weights.sum() + 1e-9))


# ------------------------------------------------------------------ the dial


@pytest.mark.parametrize("edge", [5, 16, 24])
def test_the_field_closes_any_gap(edge: int) -> None:
    gap = np.random.default_rng(edge).normal(size=(edge, edge, 3)) * 0.2
    field = color_field(gap, 128)
    back = downscale_array((field - field.min()) / np.ptp(field), (edge, edge))
    assert np.abs(back * np.ptp(field) + field.min() - gap).max() < 1e-3


def test_the_field_is_smooth() -> None:
    gap = np.zeros((16, 16, 3))
    gap[8, 8] = 0.5
    field = color_field(gap, 256)
    steps = np.abs(np.diff(field, axis=0)).max()
    assert steps < 0.15 * np.ptp(field)  # a block of 16 px would have steps of 1.0


def test_faithful_equals_every_sample(root: Path) -> None:
    rng = np.random.default_rng(0)
    smooth = downscale_array(rng.random((6, 6, 3)).astype(np.float32), (256, 256), "bicubic")
    portrait = (0.2 + 0.6 * smooth).astype(np.float32)
    for path in sorted((root / "samples").glob("*.png")):
        rgba = np.asarray(Image.open(path).convert("RGBA"))
        if max(rgba.shape[:2]) > 48:
            continue
        sprite = rgba[..., :3].astype(np.float32) / 255
        weights = rgba[..., 3].astype(np.float32) / 255
        made = make_faithful(portrait, sprite, weights)
        small = downscale_array(np.rint(made * 255).astype(np.uint8), sprite.shape[:2])
        assert psnr(small, sprite, weights) >= 35, path.name
        half = make_faithful(portrait, sprite, weights, amount=0.5)
        between = psnr(downscale_array(half, sprite.shape[:2]), sprite, weights)
        assert psnr(downscale_array(portrait, sprite.shape[:2]), sprite, weights) < between < 35


def test_bending_moves_a_point_there() -> None:
    image = np.zeros((128, 128, 3), np.float32)
    image[40:44, 30:34] = 1
    bent = bend(image, [((32 / 128, 42 / 128), (48 / 128, 58 / 128))])
    rows, columns = np.nonzero(bent[..., 0] > 0.5)
    assert abs(rows.mean() + 0.5 - 58) < 1.5 and abs(columns.mean() + 0.5 - 48) < 1.5
    assert bend(image, []) is image and bend(image, [((0.2, 0.2), (0.3, 0.3))], 0.0) is image
    edge = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    still = bend(edge, [((0.5, 0.5), (0.6, 0.55))])
    assert np.abs(still[0] - edge[0]).mean() < 0.15 and still.shape == edge.shape


def test_marks_of_a_drawn_face(root: Path) -> None:
    found = read(sample(root, "elf_hero"))
    seen = marks(found.labels.astype(np.int64))
    assert {"left eye", "right eye", "mouth", "top", "brow"} <= set(seen)
    assert seen["top"][1] < seen["brow"][1] < seen["left eye"][1] < seen["mouth"][1]
    assert seen["left side"][0] < seen["left eye"][0] < seen["right eye"][0] < seen["right side"][0]


def test_natural_changes_nothing() -> None:
    image = np.full((64, 64, 3), 0.5, np.float32)
    sprite, weights = np.zeros((8, 8, 3), np.float32), np.ones((8, 8), np.float32)
    assert make_faithful(image, sprite, weights, amount=0.0) is image


# ------------------------------------------------------------------ portraits


@pytest.fixture(scope="module")
def head() -> Any:
    from spriteface.pulse.generator import load_generator

    return load_generator("head")


def options(**changes: Any) -> PortraitOptions:
    return PortraitOptions(**{"size": SIZE, "steps": 1, **changes})


@pytest.fixture(scope="module")
def plumber(head: Any, root: Path) -> Any:
    told: list[tuple[str, float]] = []
    made = portray(
        head,
        read(sample(root, "plumber")),
        options=options(candidates=2, matte=True),
        on_step=lambda stage, fraction, preview, loss: told.append((stage, fraction)),
    )
    return made, told


def test_portrait_and_its_record(plumber: Any, head: Any) -> None:
    made, told = plumber
    assert len(made) == 2
    for likeness in made:
        assert likeness.image.shape == (SIZE, SIZE, 3) and likeness.image.dtype == np.uint8
        assert likeness.matte.shape == (SIZE, SIZE) and likeness.matte.max() == 255
        assert likeness.small.shape == (16, 16, 3)
        assert len(likeness.latents) == 1
        assert {"starting", "searching", "rendering"} <= set(likeness.stages)
        again = head.render(likeness.latents, SIZE)[0].permute(1, 2, 0).numpy()
        assert np.abs(again * 255 - likeness.image).max() <= 1  # its own latent
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions) and fractions[0] >= 0 and fractions[-1] == 1


def test_candidates_are_different_people(plumber: Any, head: Any) -> None:
    one, two = (head.people(likeness.latents)[0] for likeness in plumber[0])
    assert one.shape.local != two.shape.local
    assert [w.kind for w in one.wear] == [w.kind for w in two.wear]
    assert one.facial_hair.style == two.facial_hair.style != "none"


def test_same_seed_same_portrait(plumber: Any, head: Any, root: Path) -> None:
    again = portray(head, read(sample(root, "plumber")), options=options())[0]
    assert (again.image == plumber[0][0].image).all()
    other = portray(head, read(sample(root, "plumber")), options=options(seed=5))[0]
    assert (other.image != again.image).any()


@pytest.mark.parametrize("tone", ["f3e7db", "d7bd96", "825c43", "3a312a"])
def test_skin_tone_is_the_sprites(tone: str, head: Any, root: Path) -> None:
    rgba = sample(root, "child").copy()
    before = read(rgba)
    wanted = np.array([int(tone[i : i + 2], 16) for i in (0, 2, 4)])
    skin = np.isin(before.labels, (Label.SKIN, Label.NOSE, Label.EAR))
    shade = rgba[skin][:, :3] / np.array(before.traits["skin_rgb"])
    rgba[skin, :3] = np.clip(shade * wanted, 0, 255).astype(np.uint8)
    made = portray(head, read(rgba), options=options())[0]
    shown = shown_colors(made.image, head.regions(made.latents, SIZE)[0].numpy())["skin"]
    assert abs(shown[0] - lab_from_u8(wanted.astype(np.uint8))[0]) < 3.5


def test_faithful_portrait(head: Any, root: Path) -> None:
    rgba = sample(root, "princess")
    made = portray(head, read(rgba), options=options(faithful=1.0))[0]
    assert made.lr_psnr_db >= 35 and made.downscale_operator == "area"
    small = downscale_array(made.image, (16, 16))
    assert psnr(small, rgba[..., :3] / np.float32(255), rgba[..., 3] / np.float32(255)) >= 34.9


def test_returning_false_cancels(head: Any, root: Path) -> None:
    stages: list[str] = []

    def stop(stage: str, fraction: float, preview: U8 | None, loss: float | None) -> bool:
        stages.append(stage)
        return stage != "searching"

    with pytest.raises(Cancelled):
        portray(head, read(sample(root, "plumber")), options=options(), on_step=stop)
    assert stages[-1] == "searching"


def test_unknown_trait_is_refused_early(head: Any, root: Path) -> None:
    with pytest.raises(OptionError, match="known"):
        portray(head, read(sample(root, "plumber")), options=options(traits={"tail": "long"}))


def test_a_crop_without_a_face_still_gives_a_portrait(head: Any) -> None:
    rgba = np.zeros((4, 4, 4), np.uint8)
    rgba[1:3, 1:3] = (200, 150, 120, 255)
    made = portray(head, read(rgba), options=options())[0]
    assert made.image.std() > 10 and made.small.shape == (4, 4, 3)


def test_any_other_generator_is_searched(root: Path) -> None:
    from tests.pulse_toy import ToyGenerator

    made = portray(
        ToyGenerator(), read(sample(root, "plumber")), options=options(steps=5, candidates=2)
    )
    assert len(made) == 2 and made[0].image.shape == (SIZE, SIZE, 3)
    assert made[0].latents.z.shape == (1, 24)
    assert any("recipe default: 5 steps" in note for note in made[0].notes)


def test_locks_are_known_names(head: Any, root: Path) -> None:
    with pytest.raises(OptionError, match="headwear"):
        portray(head, read(sample(root, "plumber")), options=options(lock=("tail",)))


def test_diversity_of_strangers_is_one(head: Any) -> None:
    from types import SimpleNamespace

    from spriteface.pulse.likeness import diversity

    draws = head.sample(12, 5)
    strangers = [SimpleNamespace(latents=draws[i]) for i in range(12)]
    assert 0.9 < diversity(head, strangers) < 1.1
    assert diversity(head, [strangers[0], strangers[0]]) == 0


def test_progress_never_goes_back() -> None:
    told: list[float] = []
    progress = Progress(lambda stage, fraction, preview, loss: told.append(fraction), 2)
    for stage, fraction in (("a", 0.1), ("b", 0.9), ("c", 0.75), ("d", 1.0)):
        progress(stage, fraction)
    assert set(progress.finish()) == set("abcd")
    progress("a", 0.0)
    progress("b", 1.0)
    assert told == [0.05, 0.45, 0.45, 0.5, 0.5, 1.0]
