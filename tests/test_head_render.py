"""Preview and render: pictures of a person, their gradients, mattes and labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from spriteface.pulse.generator import Generator, Latents, MapsRegions, ReadsSprites, load_generator
from spriteface.pulse.head import is_warm, warm
from spriteface.pulse.head.generator import HeadGenerator
from spriteface.pulse.head.hair import STYLES
from spriteface.pulse.head.person import (
    FACIAL_HAIR_STYLES,
    Clothing,
    FacialHair,
    Hair,
    Person,
    Wear,
)
from spriteface.pulse.head.preview import preview_person
from spriteface.pulse.head.prior import draw, layout
from spriteface.pulse.head.render import render
from spriteface.pulse.head.wear import ITEMS
from spriteface.types import Label


@pytest.fixture(scope="module")
def head() -> HeadGenerator:
    generator = load_generator("head")
    assert isinstance(generator, HeadGenerator)
    return generator


def test_head_keeps_the_protocols(head: HeadGenerator) -> None:
    checked: Generator = head
    assert checked.info.name == "head" and checked.info.latent_shape == (len(layout()),)
    assert isinstance(head, ReadsSprites) and isinstance(head, MapsRegions)


def test_preview_shape_range_and_determinism(head: HeadGenerator) -> None:
    latents = head.sample(2, seed=4)
    a, b = head.preview(latents, 32), head.preview(latents, 32)
    assert a.shape == (2, 3, 32, 32) and a.dtype == torch.float32
    assert float(a.min()) >= 0 and float(a.max()) <= 1
    assert torch.equal(a, b)
    assert not torch.allclose(a[0], a[1], atol=0.05)


def test_preview_gradient_is_the_slope(head: HeadGenerator) -> None:
    drawn = draw(1, seed=9)
    plain = {k: v for k, v in drawn.structure[0].items() if k != "offset"}  # nothing burnt out
    latents = Latents(drawn.z, (plain,))
    z = latents.z.clone().requires_grad_()
    weight = torch.linspace(0, 1, 32 * 32).reshape(1, 1, 32, 32)
    (head.preview(latents.with_z(z), 32) * weight).mean().backward()
    assert z.grad is not None
    for name in ("background.r", "cloth.g", "exposure", "key", "ambient"):
        i = layout().index[name]
        step = torch.zeros_like(latents.z)
        step[0, i] = 0.02
        up = (head.preview(latents.with_z(latents.z + step), 32) * weight).mean()
        down = (head.preview(latents.with_z(latents.z - step), 32) * weight).mean()
        slope = float(up - down) / 0.04
        assert float(z.grad[0, i]) == pytest.approx(slope, rel=0.08, abs=2e-5), name
    dims = head.info.extra["differentiable"]
    still = [i for n, i in layout().index.items() if n not in dims]
    assert float(z.grad[0, still].abs().max()) == 0.0


def test_motion_gradient_follows_camera_and_pose(head: HeadGenerator) -> None:
    torch.manual_seed(0)
    pattern = torch.nn.functional.interpolate(
        torch.randn(1, 3, 6, 6), size=(48, 48), mode="bicubic"
    )
    found, slopes = [], []
    for seed in (5, 6, 7):  # of one person alone, a silhouette can mislead
        latents = head.sample(1, seed=seed)

        def score(z: torch.Tensor, shape: bool, latents: Latents = latents) -> torch.Tensor:
            return (head.preview(latents.with_z(z), 48, shape=shape) * pattern).sum()

        z = latents.z.clone().requires_grad_()
        score(z, True).backward()
        assert z.grad is not None
        for name in ("roll", "zoom", "camera_x", "camera_y", "yaw", "pitch"):
            step = torch.zeros_like(latents.z)
            step[0, layout().index[name]] = 0.6
            change = score(latents.z + step, False) - score(latents.z - step, False)
            slopes.append(float(change) / 1.2)
            found.append(float(z.grad[0, layout().index[name]]))
    assert np.corrcoef(found, slopes)[0, 1] > 0.85
    with torch.no_grad():  # the picture itself is the same
        assert torch.equal(head.preview(latents, 48, shape=True), head.preview(latents, 48))


def test_render_and_matte(head: HeadGenerator) -> None:
    latents = head.sample(1, seed=2)
    picture = head.render(latents, 128)
    matte = head.matte(latents, 128)
    assert picture.shape == (1, 3, 128, 128) and matte.shape == (1, 128, 128)
    assert float(matte[0, 64, 64]) == 1.0 and float(matte[0, 2, 2]) == 0.0
    assert 0.2 < float(matte.mean()) < 0.9
    assert torch.equal(picture, HeadGenerator().render(latents, 128))


def test_preview_resembles_the_render(head: HeadGenerator) -> None:
    person = Person(hair=Hair(style="short"))
    small = preview_person(person, 32).permute(1, 2, 0).numpy()
    big = render(person, 256).image.reshape(32, 8, 32, 8, 3).mean((1, 3))
    psnr = -10 * np.log10(((small - big) ** 2).mean())
    assert psnr > 24


def test_labels_name_what_is_seen(head: HeadGenerator) -> None:
    person = Person(wear=(Wear("crown", (0.8, 0.5, 0.1)),), facial_hair=FacialHair("full"))
    labels = head.regions(head.latents([person]), 64)[0]
    seen = set(labels.unique().tolist())
    wanted = {
        Label.BACKGROUND,
        Label.SKIN,
        Label.HAIR,
        Label.HEADWEAR,
        Label.FACIAL_HAIR,
        Label.CLOTHING,
    }
    assert {int(w) for w in wanted} <= seen
    assert int(labels[0, 0]) == Label.BACKGROUND and int(labels[36, 32]) in (Label.SKIN, Label.NOSE)


@pytest.mark.parametrize("style", ["bald", *STYLES])
def test_every_cut_previews(style: str) -> None:
    image = preview_person(Person(hair=Hair(style=style, length=6.0, fringe=0.0)), 24)
    assert torch.isfinite(image).all() and float(image.std()) > 0.05


@pytest.mark.parametrize("kind", list(ITEMS))
def test_every_item_changes_the_picture(kind: str) -> None:
    size = 128 if kind == "earrings" else 48  # thin hoops
    plain = preview_person(Person(), size)
    worn = preview_person(Person(wear=(Wear(kind, (0.0, 0.6, 0.1), (0.7, 0.0, 0.6)),)), size)
    assert torch.isfinite(worn).all()
    assert float((plain - worn).abs().max()) > 0.1


@pytest.mark.parametrize("style", [s for s in FACIAL_HAIR_STYLES if s != "none"])
def test_every_beard_darkens_the_lower_face(style: str) -> None:
    plain = preview_person(Person(), 64)
    bearded = preview_person(Person(facial_hair=FacialHair(style, color=(0.01, 0.01, 0.01))), 64)
    change = (plain - bearded).mean(0)
    assert float(change[32:].sum()) > 1.0 and float(change[:24].abs().max()) < 0.05


def test_clothes_differ() -> None:
    shirt = preview_person(Person(), 32)
    armour = preview_person(Person(clothing=Clothing("armour", (0.4, 0.4, 0.45))), 32)
    assert float((shirt - armour)[:, 26:].abs().max()) > 0.1


def test_warming_up_is_remembered(head: HeadGenerator) -> None:
    told: list[float] = []
    warm(lambda share, what: told.append(share))
    assert is_warm() and told[0] == 0.0 and told[-1] == 1.0 and told == sorted(told)


def test_a_seed_changes_the_hairs_but_not_the_person() -> None:
    person = Person(seed=1)
    a, b = preview_person(person, 32), preview_person(replace(person, seed=2), 32)
    assert 0.0 < float((a - b).abs().mean()) < 0.06


def test_imagine_writes_pictures_and_parameters(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from spriteface.cli import cli

    args = [
        "imagine",
        "-o",
        str(tmp_path),
        "--count",
        "2",
        "--size",
        "64",
        "--set",
        "hair.style=bob",
    ]
    result = CliRunner().invoke(cli, args)
    assert result.exit_code == 0, result.output
    files = sorted(p.name for p in tmp_path.iterdir())
    assert files == [
        "person-0-000.json",
        "person-0-000.png",
        "person-0-001.json",
        "person-0-001.png",
    ]
    assert '"style": "bob"' in (tmp_path / files[0]).read_text()


def test_latents_of_nobody(head: HeadGenerator) -> None:
    nobody = Latents(torch.zeros(0, len(layout())))
    assert head.preview(nobody, 16).shape == (0, 3, 16, 16)
