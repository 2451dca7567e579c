"""What makes the head fast must not change what it shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from spriteface.pulse.head import camera, load, preview, transport
from spriteface.pulse.head.camera import view_of
from spriteface.pulse.head.person import Background, Hair, Person, Pose, Shape, Wear
from spriteface.pulse.head.preview import preview_person
from spriteface.pulse.head.prior import draw_person
from spriteface.pulse.head.raster import FAR, TILE, floors_of, raster_strands, raster_triangles
from spriteface.pulse.head.regions import regions
from spriteface.pulse.head.render import render
from spriteface.pulse.head.scene import build
from spriteface.pulse.head.shade import blur
from spriteface.pulse.head.threads import each, spread


def test_a_batch_on_threads_shows_what_single_pictures_show(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    head = load()
    latents = head.sample(3, seed=5)
    monkeypatch.setenv("SPRITEFACE_THREADS", "1")
    alone = torch.cat([head.preview(latents[i], 32) for i in range(3)])
    labels = head.regions(latents, 32)
    preview.forget()
    monkeypatch.setenv("SPRITEFACE_THREADS", "3")
    assert torch.equal(head.preview(latents, 32), alone)
    assert torch.equal(head.regions(latents, 32), labels)


def test_work_inside_workers_stays_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPRITEFACE_THREADS", "2")

    def fill(low: int, high: int, out: list[int]) -> None:
        for i in range(low, high):
            out[i] = i

    def task(count: int) -> list[int]:
        out = [-1] * count
        spread(fill, count, out)
        return out

    assert each(task, [40] * 8) == [list(range(40))] * 8  # waiting for itself would hang


def test_faces_that_look_away_are_hidden_by_others() -> None:
    """Whatever the pose, what is drawn without the closed bodies' backs is what is drawn with them."""
    for yaw in (0.0, 0.7, -1.4):
        person = Person(pose=Pose(yaw=yaw), wear=(Wear("glasses"),))
        scene = build(person, level=0, strand_count=500, knots=8)
        assert 0 < scene.closed < len(scene.faces)
        points = view_of(person.camera, 128).project(scene.vertices)
        seen = []
        for closed in (0, scene.closed):
            depth, face = np.full((128, 128), FAR, np.float32), np.full((128, 128), -1, np.int32)
            none = np.zeros((1, 1, 2), np.float32)
            raster_triangles(0, 128, points, scene.faces, closed, depth, face, none)
            seen.append(face)
        assert (seen[0] >= 0).mean() > 0.2
        assert (seen[0] != seen[1]).mean() < 2e-3


def test_hair_behind_the_head_is_skipped_without_a_trace() -> None:
    scene = build(Person(hair=Hair("long", length=20.0)), level=0, strand_count=2000, knots=8)
    wide = 160
    view = view_of(scene.person.camera, wide)
    depth = np.full((wide, wide), FAR, np.float32)
    face = np.full((wide, wide), -1, np.int32)
    raster_triangles(
        0,
        wide,
        view.project(scene.vertices),
        scene.faces,
        0,
        depth,
        face,
        np.zeros((1, 1, 2), np.float32),
    )
    points = view.project(scene.strands)
    width = np.full(len(points), 1.5, np.float32)
    floors = floors_of(depth)
    assert (floors > FAR).any()
    seen = []
    for known in (floors, np.full_like(floors, FAR)):
        strand, along = np.full((wide, wide), -1, np.int32), np.zeros((wide, wide), np.float32)
        raster_strands(0, wide, points, width, known, TILE, depth.copy(), strand, along, 0.5, 0.5)
        seen.append((strand, along))
    np.testing.assert_array_equal(seen[0][0], seen[1][0])
    np.testing.assert_array_equal(seen[0][1], seen[1][1])


def test_shadow_casters_are_few_and_keep_the_outline() -> None:
    place = regions(0)
    points = place.model.canonical
    assert len(place.casters) < 0.3 * len(place.skin)
    for axis in range(3):
        coarse, fine = points[np.unique(place.casters), axis], points[np.unique(place.skin), axis]
        assert abs(np.ptp(coarse) - np.ptp(fine)) < 1.5


def test_blur_is_a_gaussian() -> None:
    picture = np.random.default_rng(0).random((40, 50), np.float32)
    reach = int(4 * 1.7 + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / 1.7) ** 2)
    out = np.empty_like(picture)
    blur(0, 40, picture, (weights / weights.sum()).astype(np.float32), out)
    np.testing.assert_allclose(out, gaussian_filter(picture, 1.7, mode="nearest"), atol=1e-5)


def _difference(person: Person, size: int = 32) -> tuple[float, np.ndarray]:
    small = preview_person(person, size).permute(1, 2, 0).numpy()
    big = render(person, 640).image
    k = 640 // size
    gap = small - big.reshape(size, k, size, k, 3).mean((1, 3))
    return float(-10 * np.log10((gap**2).mean())), gap


def test_preview_agrees_with_the_render_on_every_skin() -> None:
    scores = []
    for seed, melanin in ((3, 0.2), (4, 1.5), (5, 4.0)):
        person = draw_person(seed)
        person = replace(person, skin=replace(person.skin, melanin=melanin), wear=())
        score, gap = _difference(person, 64)
        scores.append(score)
        cheeks = gap[32:42, 22:42].mean((0, 1))
        assert np.abs(cheeks).max() < 0.04, (seed, cheeks)
    assert np.mean(scores) > 28.0, scores


def test_pixels_average_what_is_developed() -> None:
    """A bright wall behind dark hair doesn't thin it: samples are developed, then averaged."""
    person = Person(
        hair=Hair("afro", length=7.0, color=(0.005, 0.005, 0.005)),
        background=Background("plain", (0.9, 0.9, 0.9)),
    )
    fine = preview_person(person, 96).numpy().reshape(3, 48, 2, 48, 2).mean((2, 4))
    coarse = preview_person(person, 48).numpy()
    edge = (fine.mean(0) > 0.25) & (fine.mean(0) < 0.75)
    assert edge.sum() > 30
    assert abs(float((fine - coarse)[:, edge].mean())) < 0.03


def test_film_tables_are_the_film() -> None:
    values, slopes = camera.film_tables(transport.TABLE_END)
    x = np.linspace(0, transport.TABLE_END, 500, dtype=np.float32)
    looked_up = np.array([transport.look_up(values, v) for v in x])
    np.testing.assert_allclose(looked_up, camera.film(x, 1.0), atol=3e-4)
    inside = looked_up[1:-1] < 0.97
    found = np.array([transport.look_up(slopes, v) for v in x[1:-1]])
    step = (looked_up[2:] - looked_up[:-2]) / (x[2:] - x[:-2])
    np.testing.assert_allclose(found[inside][2:], step[inside][2:], rtol=0.03)


@pytest.mark.parametrize("kind", ["bandana", "hood", "ninja_mask"])
@pytest.mark.parametrize("size", [64, 128])
def test_tight_cloth_covers_white_hair_in_previews(kind: str, size: int) -> None:
    person = Person(
        hair=Hair("short", length=7.0, color=(0.75, 0.75, 0.75)),
        wear=(Wear(kind, (0.5, 0.02, 0.02), (0.5, 0.02, 0.02)),),
    )
    image = preview_person(person, size).numpy()
    top = image[:, size // 7 : size // 5, size // 2 - size // 16 : size // 2 + size // 16]
    assert top[0].mean() > 2 * top[1].mean()  # red, not white


def test_a_hat_presses_hair_on_small_heads_too() -> None:
    child = Person(Shape(age=0.2), hair=Hair("afro", length=8.0), wear=(Wear("beanie"),))
    scene = build(child, level=0, strand_count=1500, knots=8)
    bare = build(replace(child, wear=()), level=0, strand_count=1500, knots=8)
    hair = scene.strand_group == 0
    assert (
        scene.strands[hair][..., 1].max() < bare.strands[bare.strand_group == 0][..., 1].max() - 3
    )


def test_imagine_lists_and_turns(tmp_path: Path) -> None:
    from click.testing import CliRunner
    from PIL import Image

    from spriteface.cli import cli

    listed = CliRunner().invoke(cli, ["imagine", "--list"])
    assert listed.exit_code == 0, listed.output
    for name in ("hair.style", "skin.melanin", "pose.yaw"):
        assert name in listed.output
    missing = CliRunner().invoke(cli, ["imagine"])
    assert missing.exit_code == 2 and "--out" in missing.output
    args = [
        "imagine",
        "-o",
        str(tmp_path),
        "--size",
        "64",
        "--turntable",
        "--set",
        "hair.style=bald",
    ]
    result = CliRunner().invoke(cli, args)
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "person-0-000.gif") as turning:
        assert turning.n_frames >= 8 and turning.size == (64, 64)
        frames = []
        for n in (0, turning.n_frames // 4):
            turning.seek(n)
            frames.append(np.asarray(turning.convert("RGB"), float))
    assert np.abs(frames[0] - frames[1]).mean() > 3
