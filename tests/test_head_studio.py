"""The path-traced portrait: what is needed, what it is told, and that it shows the same picture."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from spriteface.cli import cli
from spriteface.errors import Cancelled, GeneratorError, OptionError
from spriteface.options import PortraitOptions
from spriteface.pulse.head import studio
from spriteface.pulse.head import surface as mat
from spriteface.pulse.head.generator import HeadGenerator
from spriteface.pulse.head.light import radiance
from spriteface.pulse.head.person import Hair, Light, Person
from spriteface.pulse.head.render import render
from spriteface.pulse.head.scene import build
from spriteface.pulse.likeness import check_quality

from .pulse_toy import ToyGenerator

traced = pytest.mark.skipif(
    importlib.util.find_spec("mitsuba") is None, reason="needs the extra: spriteface[studio]"
)


@pytest.fixture
def no_mitsuba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mitsuba", None)  # importing it now fails
    studio._mitsuba.cache_clear()


def test_without_mitsuba_the_command_that_installs_it_is_named(
    no_mitsuba: None, tmp_path: Path
) -> None:
    with pytest.raises(GeneratorError, match=r"pip install 'spriteface\[studio\]'"):
        studio.trace(Person(), 64)
    with pytest.raises(GeneratorError, match="pip install"):
        check_quality(HeadGenerator(), "studio")
    args = ["imagine", "-o", str(tmp_path / "out"), "--quality", "studio", "--size", "64"]
    result = CliRunner().invoke(cli, args)
    assert result.exit_code != 0 and isinstance(result.exception, GeneratorError)
    assert not (tmp_path / "out").exists()


def test_quality_is_checked_before_any_work() -> None:
    toy = ToyGenerator()
    assert check_quality(toy, "standard") == toy.info.name
    with pytest.raises(OptionError, match="has no studio"):
        check_quality(toy, "studio")
    with pytest.raises(OptionError, match="quality"):
        PortraitOptions(quality="superb")


def test_the_sky_gives_the_light_that_the_fast_renderer_takes() -> None:
    light = replace(Light(), room=((0.1, 0.2, 0.3), *((0.0, 0.0, 0.0),) * 4))
    sky = studio.sky(light)
    height, width, _ = sky.shape
    v, u = np.mgrid[0:height, 0:width] + 0.5
    polar, around = np.pi * v / height, 2 * np.pi * u / width
    d = np.stack(
        [np.sin(around) * np.sin(polar), np.cos(polar), -np.cos(around) * np.sin(polar)], -1
    ).reshape(-1, 3)
    solid = np.sin(polar).reshape(-1, 1) * (2 * np.pi / width) * (np.pi / height)
    wanted = studio.SKY_GAIN * np.pi * radiance(light, d)
    for normal in ((0, 0, 1), (0.6, 0.6, 1), (1, 0, 0.3), (0, 1, 0.2)):
        cosine = np.maximum(d @ np.asarray(normal, float), 0)[:, None] * solid
        got = (sky.reshape(-1, 3) * cosine).sum(0)
        assert got == pytest.approx((wanted * cosine).sum(0), rel=0.08)  # the box is narrower
    assert sky.max() > 2 * wanted.max()  # the softbox that eyes mirror


def test_maps_hold_the_colours_of_the_surface() -> None:
    person = Person(hair=Hair(style="bald"))
    scene = build(person, strand_count=0)
    q, tile = mat.parameters(person), mat.detail_tile(64)
    edge = 512
    albedo, rough, height = studio.bake(scene, q, tile, edge)
    assert albedo.shape == (edge, edge, 3) and rough.shape == height.shape == (edge, edge)
    faces = np.arange(0, len(scene.texture), 997, dtype=np.int32)
    third = np.full((len(faces), 2), 1 / 3, np.float32)
    wanted, _, _ = studio._materials_at(scene, q, tile, faces, third)
    at = (scene.texture[faces].mean(1) * edge).astype(int)
    found = albedo[at[:, 1], at[:, 0]]
    assert np.median(np.abs(found - wanted)) < 0.01
    assert np.median(np.abs(found - wanted[::-1])) > 0.02  # the measure can tell


def test_faces_are_split_until_edges_are_short() -> None:
    values = np.array([[0, 0, 0, 1], [1, 0, 0, 3], [0, 1, 0, 5]], np.float32)
    more, faces = studio.refined(values, np.array([[0, 1, 2]], np.int32), 0.3)
    assert len(faces) == 64 and len(more) == 45
    corners = more[faces][:, :, :3]
    area = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    assert area.sum() / 2 == pytest.approx(0.5)
    assert more[:, 3] == pytest.approx(1 + 2 * more[:, 0] + 4 * more[:, 1])  # and so is the rest


def test_darker_hair_absorbs_more_and_shades_keep_the_mean() -> None:
    blond, black = studio.absorption(np.array([[0.5, 0.35, 0.2], [0.02, 0.015, 0.012]]))
    assert (blond < black).all() and blond[0] < blond[2]
    color = np.random.default_rng(0).uniform(0.01, 0.5, (4000, 3)).astype(np.float32)
    means, shade = studio._shades(color)
    assert means[shade].mean(0) == pytest.approx(color.mean(0), rel=1e-3)


@pytest.mark.parametrize(("size", "samples"), [(64, 16), (512, 96), (2048, 96), (100, 3)])
def test_passes_cover_the_picture_once(size: int, samples: int) -> None:
    rows = [y for low, high in studio._bands(size, samples) for y in range(low, high)]
    assert rows == list(range(size))


@traced
def test_the_studio_shows_the_same_picture() -> None:
    person = Person(hair=Hair(style="short", melanin=1.2))
    told: list[tuple[int, int]] = []
    picture = studio.trace(
        person, 64, samples=16, strand_count=9000, on_pass=lambda *at: told.append(at)
    )
    fast = render(person, 64, strand_count=9000)
    assert picture.image.shape == (64, 64, 3) and picture.image.dtype == np.float32
    assert picture.image.min() >= 0 and picture.image.max() <= 1
    assert np.abs(picture.matte - fast.matte).mean() < 0.02
    psnr = -10 * np.log10(((picture.image - fast.image) ** 2).mean())
    mirrored = -10 * np.log10(((picture.image[:, ::-1] - fast.image) ** 2).mean())
    assert psnr > 22 and psnr > mirrored + 2
    assert told[-1][0] == told[-1][1] and [d for d, _ in told] == sorted(d for d, _ in told)
    assert "mitsuba" in studio.renderer()


@traced
def test_the_studio_can_be_stopped_and_owns_its_matte() -> None:
    def stop(done: int, total: int) -> None:
        if done:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        studio.trace(Person(), 64, samples=128, on_pass=stop)
    head = HeadGenerator()
    latents = head.latents([Person(hair=Hair(style="bald"))])
    image = head.studio(latents, 64)
    assert image.shape == (1, 3, 64, 64)
    assert head.matte(latents, 64)[0].numpy() == pytest.approx(head._last[1].matte)
    assert head._last[0][2] == "studio"
    fast = head.render(latents, 64)
    assert not np.array_equal(fast.numpy(), image.numpy())
