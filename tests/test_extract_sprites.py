"""Backgrounds by alpha, key colour and tiles; components; faces from the pipeline's one call."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from spriteface.errors import OptionError
from spriteface.extract import background, faces, pieces
from spriteface.extract.background import color_name, find_background
from spriteface.extract.detect import load_detector
from spriteface.extract.groups import group_pictures
from spriteface.extract.sprites import find_sprites, take_apart
from spriteface.options import ExtractOptions
from spriteface.types import U8, Box, Frame, Pixels, Source

SKIN, HAIR, EYE, COAT = (232, 184, 144), (90, 50, 30), (20, 20, 30), (40, 90, 160)


def frame(rgba: U8) -> Frame:
    return Frame(Pixels(np.ascontiguousarray(rgba)), Source(None))


def face_16() -> U8:
    """A 16x16 head: hair above, two eyes, a mouth, transparent around."""
    rgba = np.zeros((16, 16, 4), np.uint8)

    def fill(y0: int, y1: int, x0: int, x1: int, color: tuple[int, int, int]) -> None:
        rgba[y0:y1, x0:x1] = (*color, 255)

    fill(1, 6, 2, 14, HAIR)
    fill(5, 14, 3, 13, SKIN)
    fill(14, 15, 5, 11, SKIN)
    fill(7, 9, 5, 7, EYE)
    fill(7, 9, 9, 11, EYE)
    fill(11, 12, 6, 10, (170, 60, 60))
    return rgba


def walker() -> U8:
    """A 16x32 character: the head above a coat."""
    rgba = np.zeros((32, 16, 4), np.uint8)
    rgba[:16] = face_16()
    rgba[15:28, 3:13] = (*COAT, 255)
    rgba[28:32, 4:7] = rgba[28:32, 9:12] = (60, 40, 30, 255)
    return rgba


def on_key(rgba: U8, key: tuple[int, int, int], width: int, height: int, x: int, y: int) -> U8:
    out = np.full((height, width, 4), 255, np.uint8)
    out[..., :3] = key
    paste(out, rgba, x, y)
    return out


def paste(canvas: U8, rgba: U8, x: int, y: int) -> None:
    part = canvas[y : y + rgba.shape[0], x : x + rgba.shape[1]]
    part[rgba[..., 3] > 0] = rgba[rgba[..., 3] > 0]


def tiled(width: int, height: int) -> U8:
    rng = np.random.default_rng(2)
    kinds = rng.integers(60, 140, (3, 16, 16, 3), dtype=np.uint8) // 30 * 30
    out = np.full((height, width, 4), 255, np.uint8)
    for y in range(0, height, 16):
        for x in range(0, width, 16):
            out[y : y + 16, x : x + 16, :3] = kinds[rng.integers(3)]
    return out


def test_transparency_is_background() -> None:
    found = find_background(Pixels(face_16()))
    assert found.kind == "alpha"
    assert not found.mask[8, 8]


@pytest.mark.parametrize("key", [(255, 0, 255), (0, 128, 128), (255, 255, 255)])
def test_a_key_colour_is_found(key: tuple[int, int, int]) -> None:
    found = find_background(Pixels(on_key(walker(), key, 40, 48, 10, 8)))
    assert (found.kind, found.key) == ("key", key)
    assert int((~found.mask).sum()) == int((walker()[..., 3] > 0).sum())


def test_white_eyes_on_a_white_key_stay() -> None:
    face = face_16()
    face[7, 5] = face[7, 10] = 255
    found = find_background(Pixels(on_key(face, (255, 255, 255), 30, 30, 7, 7)))
    assert not found.mask[14, 12]


def test_magenta_pockets_are_background() -> None:
    ring = np.zeros((20, 20, 4), np.uint8)
    ring[2:18, 2:18] = (50, 60, 70, 255)
    ring[6:14, 6:14] = 0
    found = find_background(Pixels(on_key(ring, (255, 0, 255), 30, 30, 5, 5)))
    assert found.mask[15, 15]


def test_a_compressed_key_is_found() -> None:
    rng = np.random.default_rng(0)
    picture = on_key(walker(), (0, 200, 80), 60, 60, 20, 10)
    noisy = np.clip(picture[..., :3] + rng.integers(-6, 7, (60, 60, 3)), 0, 255)
    picture[..., :3] = noisy
    found = find_background(Pixels(picture))
    assert found.kind == "key"
    assert len(find_sprites(frame(picture))) == 1


def test_repeated_tiles_are_background() -> None:
    scene = tiled(256, 224)
    paste(scene, walker(), 117, 103)
    sprites = find_sprites(frame(scene))
    assert sprites[0].background == "tiles"
    whole = Box(117, 103, 16, 32)
    assert sprites[0].box.iou(whole) > 0.6


def test_a_large_scene_is_taken_apart_as_a_small_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loops compiled for large pictures do what numpy does for small ones."""
    canvas = tiled(160, 144)
    paste(canvas, walker(), 40, 50)
    paste(canvas, walker(), 101, 77)
    found = find_background(Pixels(canvas))
    monkeypatch.setattr(background, "COMPILED", 0)
    again = find_background(Pixels(canvas))
    assert found.kind == again.kind == "tiles"
    assert np.array_equal(found.mask, again.mask)


@pytest.mark.parametrize("gap", [0, 1, 2, 3, 12])
@pytest.mark.parametrize("corners", [True, False])
def test_pieces_found_band_by_band_are_those_of_the_whole(
    monkeypatch: pytest.MonkeyPatch, gap: int, corners: bool
) -> None:
    content = np.random.default_rng(gap).random((90, 41)) < (0.3 if gap == 0 else 0.06)
    grown = ndimage.maximum_filter(content, size=1 + gap)
    expected, count = ndimage.label(grown, np.ones((3, 3)) if corners else None)
    for area in (pieces.BAND_AREA, 41 * 7):
        monkeypatch.setattr(pieces, "BAND_AREA", area)
        found = pieces.Pieces(content, gap=gap, corners=corners)
        assert found.count == count
        bands = [band.numbers[band.labels] for band in found.bands()]
        pairs = np.stack([expected, np.concatenate(bands)], axis=-1).reshape(-1, 2)
        assert len(np.unique(pairs, axis=0)) == len(np.unique(pairs[:, 0]))  # one for each


def test_sprites_across_bands_are_cut_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    canvas = np.zeros((200, 90, 4), np.uint8)
    for x, y in ((5, 10), (40, 60), (12, 120)):
        paste(canvas, walker(), x, y)
    expected = find_sprites(frame(canvas))
    monkeypatch.setattr(pieces, "BAND_AREA", 90 * 11)
    found = find_sprites(frame(canvas))
    assert [s.box for s in found] == [s.box for s in expected]
    for one, other in zip(found, expected):
        assert np.array_equal(one.pixels.rgba, other.pixels.rgba)


def test_what_moves_before_a_still_scene_is_a_sprite() -> None:
    rng = np.random.default_rng(8)
    still = np.full((80, 120, 4), 255, np.uint8)
    still[..., :3] = rng.integers(0, 255, (80, 120, 3), dtype=np.uint8) // 60 * 60
    shots = []
    for x in (10, 40, 70, 95):
        shot = still.copy()
        paste(shot, walker(), x, 30)
        shots.append(frame(shot))
    scene = take_apart(shots[1], others=[shots[0], *shots[2:]])
    assert scene.background.kind == "motion"
    assert len(scene.sprites) == 1
    assert scene.sprites[0].box.iou(Box(42, 31, 12, 31)) > 0.9


def test_names_of_colours() -> None:
    assert color_name((254, 3, 250)) == "magenta"
    assert color_name((250, 250, 250)) == "white"


def test_pieces_within_the_merge_distance_are_one_sprite() -> None:
    rgba = np.zeros((20, 40, 4), np.uint8)
    rgba[4:16, 4:12] = rgba[4:16, 14:20] = (*COAT, 255)
    assert len(find_sprites(frame(rgba), merge=0)) == 2
    assert len(find_sprites(frame(rgba), merge=2)) == 1


@pytest.mark.parametrize("key", [None, (255, 0, 255)])
def test_a_small_face_is_found_whole(key: tuple[int, int, int] | None) -> None:
    rgba = face_16() if key is None else on_key(face_16(), key, 16, 16, 0, 0)
    (face,) = faces.find(frame(rgba))
    assert face.crop == Box(0, 0, 16, 16)
    assert face.pixels.rgba.shape == (16, 16, 4)
    assert face.pixels.rgba[0, 0, 3] == 0
    assert face.pixels.rgba[8, 8, 3] == 255
    assert face.box.iou(Box(3, 5, 10, 10)) > 0.5


def test_the_head_of_a_walker_is_found() -> None:
    found = faces.find(frame(walker()))
    assert len(found) == 1
    assert found[0].head.iou(Box(2, 1, 12, 14)) > 0.6


def test_four_poses_are_four_faces_of_one_group() -> None:
    sheet = np.zeros((40, 100, 4), np.uint8)
    for i in range(4):
        pose = walker() if i % 2 == 0 else walker()[:, ::-1]
        paste(sheet, pose, 4 + 24 * i, 4)
    found = faces.find(frame(sheet))
    assert len(found) == 4
    assert len({face.group for face in found}) == 1


def test_nothing_is_no_face() -> None:
    assert faces.find(frame(np.full((64, 64, 4), 120, np.uint8))) == []


def test_the_users_box_always_wins() -> None:
    box = Box(3, 5, 10, 9)
    (face,) = faces.find(frame(walker()), ExtractOptions(box=box, min_score=1.0))
    assert (face.box, face.score, face.detector) == (box, 1.0, "user")
    assert face.head.iou(Box(2, 1, 12, 14)) > 0.6


def test_an_unknown_detector_is_named() -> None:
    with pytest.raises(OptionError, match="no detector named 'magic'"):
        load_detector("magic")


def test_crops_lie_exactly_where_they_say() -> None:
    scene = on_key(walker(), (255, 0, 255), 60, 60, 21, 13)
    for face in faces.find(frame(scene)):
        inner = face.crop.clip(60, 60)
        part = face.pixels.rgba[inner.shift(-face.crop.x, -face.crop.y).slices()]
        shown = part[..., 3] > 0
        assert shown.any()
        assert np.array_equal(part[shown], scene[inner.slices()][shown])


def test_mirrors_and_palette_swaps_share_a_group() -> None:
    face = face_16()
    face[2:5, 3:6] = (*COAT, 255)
    swapped = face.copy()
    swapped[..., :3] = swapped[..., [2, 0, 1]]
    assert group_pictures([face, face[:, ::-1], swapped, walker()]) == [0, 0, 0, 1]
