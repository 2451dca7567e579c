"""Portraits on disc: complete, repeatable, honest about their origin."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from spriteface.errors import SinkError
from spriteface.files import atomic_file, write_bytes
from spriteface.types import Box, Face, Frame, Pixels, Portrait, Source
from spriteface.writeback import (
    DIGITAL_SOURCE_TYPE,
    comparison,
    contact_sheet,
    describe,
    save_comparison,
    save_contact_sheet,
    save_portrait,
    save_sidecar,
)


def make_portrait(edge: int = 96, *, matte: bool = False, **changes) -> Portrait:
    rng = np.random.default_rng(2)
    sprite = rng.integers(0, 256, (16, 16, 4), np.uint8)
    sprite[..., 3] = 255
    sprite[:3, :, 3] = 0
    frame = Frame(Pixels(sprite), Source(Path("art/hero é.png"), "PNG"), (3.0, 3.0), (1.0, 2.0))
    face = Face(frame, Box(4, 4, 8, 8), Box(2, 2, 12, 12), Box(0, 0, 16, 16), Pixels(sprite))
    image = rng.integers(0, 256, (edge, edge, 3), np.uint8)
    alpha = np.zeros((edge, edge), np.uint8)
    alpha[edge // 4 :, edge // 4 : -edge // 4] = 255
    values = {
        "seed": 7,
        "generator": "head",
        "version": "1.2.3",
        "latent": {"z": np.array([0.1, -1.5], np.float32), "structure": {"hair": 3}},
        "lr_psnr_db": 31.25,
        "downscale_operator": "area",
        "seconds": 4.5,
        "stages": {"search": 3.0},
        "traits": {"hair": np.array([1, 2, 3], np.uint8)},
    }
    values.update(changes)
    small = rng.integers(0, 256, (16, 16, 3), np.uint8)
    return Portrait(image, small, face, matte=alpha if matte else None, **values)


def test_png_holds_picture_parameters_and_provenance(tmp_path):
    portrait = make_portrait()
    path = save_portrait(portrait, tmp_path / "new" / "a.png")
    image = Image.open(path)
    image.load()
    assert np.array_equal(np.array(image), portrait.image)
    parameters = json.loads(image.text["parameters"])
    described = json.loads(json.dumps(describe(portrait)))
    assert parameters == {k: v for k, v in described.items() if k not in ("seconds", "stages")}
    xmp = image.info["XML:com.adobe.xmp"]
    root = ElementTree.fromstring(xmp[xmp.index("<x:xmpmeta") : xmp.rindex("<?xpacket")])
    (entry,) = root.iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    name = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"
    assert entry.attrib[name] == DIGITAL_SOURCE_TYPE
    assert DIGITAL_SOURCE_TYPE.endswith("/trainedAlgorithmicMedia")
    words = image.text["Description"] + xmp
    assert "imagined" in words and "recovered" not in words


def test_the_same_portrait_is_the_same_file(tmp_path):
    """However long it took; a picture that differs is another file."""
    quick, slow = make_portrait(), make_portrait(seconds=99.0, stages={"search": 98.0})
    files = [
        save_portrait(p, tmp_path / name).read_bytes()
        for p, name in ((quick, "a.png"), (slow, "b.png"), (make_portrait(seed=8), "c.png"))
    ]
    assert files[0] == files[1] != files[2]
    assert json.loads(save_sidecar(slow, tmp_path / "b.json").read_text())["seconds"] == 99.0


def test_sidecar_has_what_repeats_the_portrait(tmp_path):
    path = save_sidecar(make_portrait(), tmp_path / "a.json")
    data = json.loads(path.read_text("utf-8"))
    wanted = "source box seed generator version latent lr_psnr_db downscale_operator seconds"
    assert set(wanted.split()) <= set(data)
    assert data["box"] == [4 * 3 + 1, 4 * 3 + 2, 24, 24]
    assert data["box_native"] == [4, 4, 8, 8]
    assert data["latent"] == {"z": [0.1, -1.5], "structure": {"hair": 3}}
    assert np.float32(data["latent"]["z"][0]) == np.float32(0.1)
    assert data["source"] == str(Path("art/hero é.png"))


@pytest.mark.parametrize("value", [float("inf"), float("nan"), np.float32(20.5)])
def test_sidecar_is_strict_json(tmp_path, value):
    path = save_sidecar(make_portrait(lr_psnr_db=value), tmp_path / "a.json")

    def refuse(word):
        raise AssertionError(word)

    json.loads(path.read_text(), parse_constant=refuse)


def test_a_matte_becomes_straight_alpha_without_fringe(tmp_path):
    portrait = make_portrait(matte=True)
    image = np.full_like(portrait.image, (0, 0, 255))
    image[portrait.matte > 0] = 200, 120, 90
    portrait = dataclasses.replace(portrait, image=image)
    seen = np.array(Image.open(save_portrait(portrait, tmp_path / "a.png")))
    assert np.array_equal(seen[..., 3], portrait.matte)
    inside = portrait.matte == 255
    assert np.array_equal(seen[inside][:, :3], portrait.image[inside])
    # beyond the figure stands its colour, not the background's
    assert (seen[..., :3] == [200, 120, 90]).all()


def test_comparison_shows_all_three(tmp_path):
    portrait = make_portrait(256)
    sheet = comparison(portrait, edge=256)
    gap = 12
    assert np.array_equal(sheet[gap : gap + 256, 2 * gap + 256 : 2 * gap + 512], portrait.image)
    enlarged = portrait.small.repeat(16, 0).repeat(16, 1)
    assert np.array_equal(sheet[gap : gap + 256, 3 * gap + 512 : 3 * gap + 768], enlarged)
    sprite = sheet[gap + 48 : gap + 256, gap : gap + 256]
    expected = portrait.face.pixels.rgba[3:, :, :3].repeat(16, 0).repeat(16, 1)
    assert np.array_equal(sprite, expected)
    assert sheet[gap + 256 + 4 :].max() > 200  # there are words below
    image = Image.open(save_comparison(portrait, tmp_path / "c.png"))
    image.load()
    assert DIGITAL_SOURCE_TYPE in image.info["XML:com.adobe.xmp"]


@pytest.mark.parametrize("count", [0, 1, 2, 5, 13])
def test_contact_sheet_holds_any_number(tmp_path, count):
    portraits = [make_portrait(64)] * count
    sheet = contact_sheet(portraits, edge=64)
    assert sheet.ndim == 3 and sheet.dtype == np.uint8
    assert sheet.size >= count * 64 * 128 * 3
    save_contact_sheet(portraits, tmp_path / "sheet.png", edge=64)


# whole files or none


def leftovers(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("x"), MemoryError()])
def test_interrupted_writing_leaves_the_old_file(tmp_path, error):
    path = write_bytes(tmp_path / "a.png", b"old")

    def interrupted() -> None:
        with atomic_file(path) as stream:
            stream.write(b"half")
            raise error

    with pytest.raises(type(error)):
        interrupted()
    assert path.read_bytes() == b"old" and leftovers(tmp_path) == ["a.png"]


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_a_full_disc_is_a_sink_error(tmp_path, monkeypatch, step, code):
    def fail(*_):
        raise OSError(code, os.strerror(code))

    def write() -> None:
        with atomic_file(tmp_path / "a.png") as stream:
            stream.write(b"half")
            if step == "write":
                fail()

    if step == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    if step == "replace":
        monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(SinkError, match=r"a\.png") as caught:
        write()
    assert caught.value.hint and caught.value.exit_code == 5
    assert leftovers(tmp_path) == []


def test_a_real_limit_of_the_system(tmp_path):
    """The kernel itself refuses to let the file grow, as a full disc does."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        with pytest.raises(SinkError, match=r"a\.png") as caught:
            save_portrait(make_portrait(), tmp_path / "a.png")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.hint and leftovers(tmp_path) == []


def test_a_full_device_stays_a_device():
    device = Path("/dev/full")
    if not device.is_char_device():
        pytest.skip("no /dev/full here")
    with pytest.raises(SinkError, match=r"/dev/full: no space left") as caught:
        save_portrait(make_portrait(), device)
    assert caught.value.hint and device.is_char_device()


def test_unwritable_places_are_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    for path in (tmp_path / "file" / "a.png", tmp_path / "folder.png"):
        with pytest.raises(SinkError) as caught:
            save_portrait(make_portrait(), path)
        assert str(path) in caught.value.message and caught.value.hint
    assert leftovers(tmp_path) == ["file", "folder.png"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link.png").symlink_to(tmp_path / "real" / "a.png")
    write_bytes(tmp_path / "link.png", b"new")
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "real" / "a.png").read_bytes() == b"new"


def test_new_files_follow_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        path = write_bytes(tmp_path / "a", b"x")
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o640
