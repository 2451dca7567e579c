"""Reading images: what the artist stored survives, and nothing broken gets past the boundary."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from spriteface.errors import ImageError
from spriteface.files import Limits, encode_png, frame_count, read_frames, read_image, write_png
from spriteface.types import Palette, Pixels


def picture(width: int = 12, height: int = 9, seed: int = 1) -> np.ndarray:
    """(H, W, 3) uint8 blocks: compressible, with several colours."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (height // 3, width // 3, 3), np.uint8)
    return small.repeat(3, 0).repeat(3, 1)


def indexed(colors: int = 7, transparent: int | None = 2, seed: int = 1) -> Pixels:
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 256, (colors, 4), np.uint8)
    table[:, 3] = 255
    if transparent is not None:
        table[transparent, 3] = 0
    palette = Palette(table, transparent)
    indices = rng.integers(0, colors, (9, 13), np.uint8)
    return Pixels(table[indices], indices, palette)


def same_picture(a, b):
    assert np.array_equal(a[0].rgba, b[0].rgba)
    assert (a[0].palette is None) == (b[0].palette is None)
    if a[0].indices is not None:
        assert np.array_equal(a[0].indices, b[0].indices)
        assert np.array_equal(a[0].palette.colors, b[0].palette.colors)
    assert a[1] == b[1]


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp", "a.aseprite", "still.png"])
def test_all_frames_at_once_are_the_frames_one_by_one(tmp_path, name):
    from spriteface.files import new_sprite, write_aseprite
    from spriteface.files.aseprite.write import NewLayer

    path, frames = tmp_path / name, [picture(seed=k) for k in range(5)]
    if path.suffix == ".aseprite":
        pictures = [np.dstack([f, np.full(f.shape[:2], 255, np.uint8)]) for f in frames]
        sprite = new_sprite(12, 9, [NewLayer("a", pictures)], durations_ms=(100,) * 5)
        write_aseprite(sprite, path)
    elif name == "still.png":
        grey = Image.fromarray(frames[0][..., 0] // 64 * 85).convert("P").convert("L")
        grey.save(path, bits=2, transparency=85)
    else:
        images = [Image.fromarray(f) for f in frames]
        if path.suffix == ".gif":
            images = [i.quantize(16) for i in images]
        images[0].save(path, save_all=True, append_images=images[1:], duration=50, lossless=True)
    together = list(read_frames(path))
    assert len(together) == frame_count(path) == (1 if name == "still.png" else 5)
    for k, one in enumerate(together):
        same_picture(one, read_image(path, frame=k))


@pytest.mark.parametrize(
    ("suffix", "options", "tolerance"),
    [
        ("png", {}, 0),
        ("bmp", {}, 0),
        ("webp", {"lossless": True}, 0),
        ("jpg", {"quality": 98, "subsampling": 0}, 12),
    ],
)
def test_each_format_is_read(tmp_path, suffix, options, tolerance):
    rgb = picture()
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(rgb).save(path, **options)
    pixels, source = read_image(path)
    assert pixels.rgba.shape == (9, 12, 4) and (pixels.rgba[..., 3] == 255).all()
    assert np.abs(pixels.rgba[..., :3].astype(int) - rgb).max() <= tolerance
    assert source.format == {"jpg": "JPEG"}.get(suffix, suffix.upper())
    assert (source.frame, source.frames, source.path) == (0, 1, path)


def test_content_decides_and_not_the_name(tmp_path):
    path = tmp_path / "really_a_png.jpg"
    Image.fromarray(picture()).save(path, "PNG")
    assert read_image(path)[1].format == "PNG"


@pytest.mark.parametrize("colors", [2, 3, 4, 5, 16, 17, 255, 256])
@pytest.mark.parametrize("transparent", [None, 0, 1])
def test_indexed_png_keeps_indices_palette_and_transparency(tmp_path, colors, transparent):
    given_pixels = indexed(colors, transparent)
    path = write_png(tmp_path / "a.png", given_pixels)
    pixels, _ = read_image(path)
    assert np.array_equal(pixels.indices, given_pixels.indices)
    assert pixels.palette == given_pixels.palette
    assert np.array_equal(pixels.rgba, given_pixels.rgba)
    # another decoder agrees
    assert np.array_equal(
        np.array(Image.open(path).convert("RGBA"))[..., 3] == 0, pixels.rgba[..., 3] == 0
    )


def test_partly_transparent_palette_entries(tmp_path):
    table = np.array([[1, 2, 3, 255], [9, 9, 9, 0], [200, 0, 0, 128]], np.uint8)
    indices = np.array([[0, 1, 2]], np.uint8)
    path = write_png(tmp_path / "a.png", Pixels(table[indices], indices, Palette(table, 1)))
    pixels, _ = read_image(path)
    assert pixels.palette == Palette(table, 1)
    assert pixels.rgba[0, 2].tolist() == [200, 0, 0, 128]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_indexed_round_trip_is_bit_exact(tmp_path_factory, data):
    count = data.draw(st.integers(1, 256))
    colors = data.draw(hnp.arrays(np.uint8, (count, 4)))
    shape = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 19)))
    indices = data.draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, count - 1)))
    clear = np.flatnonzero(colors[:, 3] == 0)
    palette = Palette(colors, int(clear[0]) if len(clear) else None)
    path = tmp_path_factory.mktemp("trip") / "a.png"
    write_png(path, Pixels(colors[indices], indices, palette))
    pixels, _ = read_image(path)
    assert np.array_equal(pixels.indices, indices)
    assert pixels.palette == palette
    assert np.array_equal(pixels.rgba, colors[indices])


def test_indexed_gif_and_bmp(tmp_path):
    given_pixels = indexed(8, 3)
    image = Image.fromarray(given_pixels.indices).convert("P")
    image.putdata(given_pixels.indices.ravel())
    image.putpalette(given_pixels.palette.colors[:, :3].tobytes())
    image.save(tmp_path / "a.gif", transparency=3)
    image.save(tmp_path / "a.bmp")
    gif, _ = read_image(tmp_path / "a.gif")
    assert gif.indexed and gif.palette.transparent is not None
    assert np.array_equal(gif.rgba[..., 3] == 0, given_pixels.indices == 3)
    opaque = given_pixels.indices != 3
    assert np.array_equal(gif.rgba[opaque], given_pixels.rgba[opaque])
    bmp, _ = read_image(tmp_path / "a.bmp")
    assert np.array_equal(bmp.indices, given_pixels.indices)
    assert np.array_equal(bmp.palette.colors[:8, :3], given_pixels.palette.colors[:, :3])


def test_later_gif_frames_keep_their_indices(tmp_path):
    rng = np.random.default_rng(3)
    table = rng.integers(0, 256, (4, 3), np.uint8)
    frames = []
    for _ in range(3):
        frame = Image.fromarray(rng.integers(0, 4, (6, 6), np.uint8)).convert("P")
        frame.putdata(rng.integers(0, 4, 36).tolist())
        frame.putpalette(table.tobytes())
        frames.append(frame)
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=70)
    assert frame_count(tmp_path / "a.gif") == 3
    for number, frame in enumerate(frames):
        pixels, source = read_image(tmp_path / "a.gif", frame=number)
        assert np.array_equal(pixels.rgba[..., :3], np.array(frame.convert("RGB")))
        assert pixels.indexed
        assert source.frames == 3 and source.info["duration_ms"] == 70
    with pytest.raises(ImageError, match=r"3 frames, not a frame 3.*0 to 2"):
        read_image(tmp_path / "a.gif", frame=3)


def test_sixteen_bit_grey_rounds(tmp_path):
    grey = np.array([[0, 257, 128 * 257, 65535, 300]], np.uint16)
    Image.fromarray(grey).save(tmp_path / "a.png")
    pixels, _ = read_image(tmp_path / "a.png")
    assert pixels.rgba[0, :, 0].tolist() == [0, 1, 128, 255, 1]


def raw_png(width, height, depth, kind, rows, extra=b"", interlace=0):
    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlace)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def trns(data):
    return (
        struct.pack(">I", len(data))
        + b"tRNS"
        + data
        + struct.pack(">I", zlib.crc32(b"tRNS" + data))
    )


def test_sixteen_bit_rgb_with_a_key_colour(tmp_path):
    row = b"\0" + struct.pack(">6H", 0xFF00, 0x0000, 0xFF00, 0x1234, 0x5678, 0x9ABC)
    key = trns(struct.pack(">3H", 0xFF00, 0x0000, 0xFF00))
    (tmp_path / "a.png").write_bytes(raw_png(2, 1, 16, 2, row, key))
    pixels, _ = read_image(tmp_path / "a.png")
    assert pixels.rgba[0, 0, 3] == 0
    assert pixels.rgba[0, 1].tolist() == [0x12, 0x56, 0x9A, 255]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "CMYK", "RGBA", "YCbCr"])
def test_other_modes_become_rgba(tmp_path, mode):
    image = Image.fromarray(picture()).convert(mode)
    path = tmp_path / ("a.jpg" if mode in ("CMYK", "YCbCr") else "a.png")
    image.save(path, **({"subsampling": 0, "quality": 98} if path.suffix == ".jpg" else {}))
    pixels, _ = read_image(path)
    expected = np.array(image.convert("RGB")).astype(int)
    assert np.abs(pixels.rgba[..., :3] - expected).mean() < 25


@pytest.mark.parametrize("mode", ["1", "L"])
def test_grey_with_a_transparent_value(tmp_path, mode):
    image = Image.fromarray(np.array([[0, 255, 255, 0]], np.uint8)).convert(mode)
    image.save(tmp_path / "a.png", transparency=0)
    pixels, _ = read_image(tmp_path / "a.png")
    assert pixels.rgba[0, :, 3].tolist() == [0, 255, 255, 0]


@pytest.mark.parametrize(
    ("depth", "row", "value", "clear"),
    [
        (1, bytes([0b01000000]), 1, [0, 1, 0, 0]),
        (2, bytes([0b00011011]), 1, [0, 1, 0, 0]),
        (4, bytes([0x01, 0x5F]), 5, [0, 0, 1, 0]),
        (8, bytes([0, 5, 9, 255]), 9, [0, 0, 1, 0]),
        (16, struct.pack(">4H", 0, 5, 1285, 65535), 1285, [0, 0, 1, 0]),
    ],
)
def test_transparent_grey_of_any_depth(tmp_path, depth, row, value, clear):
    (tmp_path / "a.png").write_bytes(
        raw_png(4, 1, depth, 0, b"\0" + row, trns(struct.pack(">H", value)))
    )
    pixels, _ = read_image(tmp_path / "a.png")
    assert (pixels.rgba[0, :, 3] == 0).tolist() == [bool(c) for c in clear]


def test_interlaced_png(tmp_path):
    # a 1x1 image has just one Adam7 pass; a 5x1 one has three: columns 0; 4; 2; 1, 3
    rows = b"\0\x0a" + b"\0\x32" + b"\0\x1e" + b"\0\x14\x28"
    (tmp_path / "a.png").write_bytes(raw_png(5, 1, 8, 0, rows, interlace=1))
    pixels, _ = read_image(tmp_path / "a.png")
    assert pixels.rgba[0, :, 0].tolist() == [10, 20, 30, 40, 50]


def test_exif_orientation_turns_the_picture(tmp_path):
    rgb = picture(12, 9)
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate 90 degrees clockwise to view
    Image.fromarray(rgb).save(tmp_path / "a.jpg", exif=exif, quality=98, subsampling=0)
    pixels, _ = read_image(tmp_path / "a.jpg")
    assert pixels.rgba.shape == (12, 9, 4)
    turned = np.rot90(rgb, -1).astype(int)
    assert np.abs(pixels.rgba[..., :3] - turned).mean() < 12


# what can be wrong with a file


def sample(kind: str) -> bytes:
    stream = io.BytesIO()
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (24, 24, 3), np.uint8))
    if kind == "GIF":
        image = image.quantize(16)
    image.save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "JPEG", "WEBP"])
def test_every_truncation_is_an_image_error(tmp_path, kind):
    data = sample(kind)
    tail = {"GIF": 1, "JPEG": 2}.get(kind, 0)  # without its end mark alone a picture is whole
    path = tmp_path / "cut"
    for size in {0, 1, 5, 20, *range(0, len(data) - tail, max(1, len(data) // 60))}:
        path.write_bytes(data[:size])
        with pytest.raises(ImageError) as caught:
            read_image(path)
        assert str(path) in caught.value.message and caught.value.hint


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "JPEG", "WEBP"])
def test_flipped_bytes_never_escape_the_boundary(tmp_path, kind):
    data = bytearray(sample(kind))
    rng = np.random.default_rng(5)
    path = tmp_path / "flipped"
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for _ in range(120):
            broken = bytearray(data)
            for at in rng.integers(0, len(data), 3):
                broken[at] ^= int(rng.integers(1, 256))
            path.write_bytes(broken)
            with contextlib.suppress(ImageError):
                read_image(path)
    assert not seen


def test_every_wrong_png_checksum_is_found(tmp_path):
    data = bytearray(sample("PNG"))
    data[60] ^= 1  # inside IDAT
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(ImageError, match="checksum of chunk IDAT"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("empty.png", b"", "empty"),
        ("notes.png", b"just some words\n" * 40, "not an image"),
        ("page.gif", b"<!doctype html><html>", "not an image"),
        ("zero.png", raw_png(0, 0, 8, 2, b""), "no pixels"),
        ("bomb.png", raw_png(30000, 30000, 8, 0, b""), "30000x30000"),
        ("small_bomb.png", raw_png(9000, 9000, 8, 0, b""), "9000x9000"),
    ],
    ids=["empty", "text", "html", "zero", "bomb", "small_bomb"],
)
def test_what_is_no_picture(tmp_path, name, data, words):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(ImageError, match=words) as caught:
        read_image(path)
    assert name in caught.value.message and caught.value.hint
    assert caught.value.exit_code == 2


def test_a_zero_sized_gif(tmp_path):
    data = bytearray(sample("GIF"))
    data[6:10] = bytes(4)
    (tmp_path / "a.gif").write_bytes(data)
    try:
        pixels, _ = read_image(tmp_path / "a.gif")
    except ImageError:
        return
    assert pixels.rgba.size  # the frame's own size was taken: a picture after all


def test_missing_folder_and_forbidden(tmp_path):
    with pytest.raises(ImageError, match="does not exist"):
        read_image(tmp_path / "nowhere.png")
    with pytest.raises(ImageError, match="is a folder"):
        read_image(tmp_path)
    path = tmp_path / "secret.png"
    path.write_bytes(sample("PNG"))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(ImageError, match="no permission"):
        read_image(path)


def test_no_permission_is_named(tmp_path, monkeypatch):
    path = tmp_path / "secret.png"
    path.write_bytes(sample("PNG"))

    def refuse(self):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(ImageError, match=r"no permission to read .*secret.png"):
        read_image(path)


def test_a_named_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="not a regular file"):
        read_image(tmp_path / "pipe.png")


def test_401_frames_are_too_many_until_allowed(tmp_path, monkeypatch):
    frames = [Image.new("P", (2, 2), n % 2) for n in range(401)]
    for frame in frames:
        frame.putpalette([0, 0, 0, 255, 255, 255])
    path = tmp_path / "film.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=10, optimize=False)
    with pytest.raises(ImageError, match=r"401 frames.*SPRITEFACE_MAX_FRAMES"):
        read_image(path)
    with pytest.raises(ImageError, match="401 frames"):
        frame_count(path)
    monkeypatch.setenv("SPRITEFACE_MAX_FRAMES", "500")
    assert frame_count(path) == 401


def test_limits_are_explicit_too(tmp_path):
    (tmp_path / "a.png").write_bytes(sample("PNG"))
    with pytest.raises(ImageError, match="24x24 pixels"):
        read_image(tmp_path / "a.png", limits=Limits(pixels=100))
    with pytest.raises(ImageError, match="MiB"):
        read_image(tmp_path / "a.png", limits=Limits(bytes=100))


def test_one_colour_is_a_picture(tmp_path):
    Image.new("RGB", (4, 4), (9, 9, 9)).save(tmp_path / "a.png")
    assert (read_image(tmp_path / "a.png")[0].rgba == [9, 9, 9, 255]).all()


def test_text_and_xmp_are_written():
    data = encode_png(indexed(), text={"parameters": "{}", "Note": "ü → x"}, xmp="<x/>")
    image = Image.open(io.BytesIO(data))
    image.load()
    assert image.text["parameters"] == "{}" and image.text["Note"] == "ü → x"
    assert image.info["XML:com.adobe.xmp"] == "<x/>"
