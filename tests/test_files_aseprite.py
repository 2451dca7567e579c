"""Aseprite's files: rendered to the last bit, written so that nothing is lost."""

from __future__ import annotations

import contextlib
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, UnidentifiedImageError

from spriteface.errors import ImageError, OptionError
from spriteface.files import frame_count, read_image, read_palette
from spriteface.files.aseprite import (
    Chunk,
    ChunkFrame,
    Container,
    add_layer,
    new_sprite,
    parse,
    read_aseprite,
    render_frame,
    write_aseprite,
)
from spriteface.files.aseprite import blend as blending
from spriteface.files.aseprite import container as c
from spriteface.files.aseprite.write import NewLayer
from spriteface.types import Box, Palette, Pixels

from .conftest import shared_folder


def references() -> list[Path]:
    try:
        return sorted(shared_folder("aseprite").glob("*.aseprite"))
    except pytest.skip.Exception:
        return []


REFERENCES = references()
needs_references = pytest.mark.skipif(not REFERENCES, reason="no reference renders here")


@needs_references
@pytest.mark.parametrize("path", REFERENCES, ids=[p.stem for p in REFERENCES])
def test_renders_like_aseprite_and_round_trips(path):
    sprite = read_aseprite(path)
    assert sprite.container.encode() == path.read_bytes()
    try:
        sheet = np.array(Image.open(path.with_suffix(".png")).convert("RGBA"))
    except UnidentifiedImageError:
        pytest.skip("its reference render is cut off")
    frames = json.loads(path.with_suffix(".json").read_text())["frames"]
    assert len(frames) == sprite.frame_count == frame_count(path)
    for number, entry in enumerate(frames):
        r = entry["frame"]
        expected = sheet[r["y"] : r["y"] + r["h"], r["x"] : r["x"] + r["w"]]
        pixels, source = read_image(path, frame=number)
        visible = (expected[..., 3] > 0) | (pixels.rgba[..., 3] > 0)
        assert np.array_equal(pixels.rgba[visible], expected[visible])
        assert source.info["duration_ms"] == entry["duration"]
        assert pixels.indexed == (sprite.container.depth == 8)


@needs_references
def test_slices_tags_layers_and_user_data():
    folder = shared_folder("aseprite")
    for name in ("slice", "slice_advanced", "user_data", "layers_and_tags", "linked_cels"):
        meta = json.loads((folder / f"{name}.json").read_text())["meta"]
        sprite = read_aseprite(folder / f"{name}.aseprite")
        slices = {s.name: s for s in sprite.slices}
        assert set(slices) == {s["name"] for s in meta["slices"]}
        for wanted in meta["slices"]:
            seen = slices[wanted["name"]]
            for key, expected in zip(seen.keys, wanted["keys"], strict=True):
                b = expected["bounds"]
                assert key.frame == expected["frame"]
                assert key.box == Box(b["x"], b["y"], b["w"], b["h"])
                if "pivot" in expected:
                    assert key.pivot == (expected["pivot"]["x"], expected["pivot"]["y"])
        for seen, wanted in zip(sprite.tags, meta["frameTags"], strict=True):
            assert (seen.name, seen.first, seen.last) == (
                wanted["name"],
                wanted["from"],
                wanted["to"],
            )
    data = read_aseprite(folder / "user_data.aseprite")
    assert "test_user_data" in data.slices[0].user_data.text
    assert data.layers[0].user_data.text and data.cels[0][0].user_data.text


# our own files


def rgba(seed: int = 0, size: int = 8) -> np.ndarray:
    picture = np.random.default_rng(seed).integers(0, 256, (size, size, 4), np.uint8)
    picture[::3, :, 3] = 0
    return picture


def chunks_of(sprite, frame=0):
    return sprite.container.frames[frame].chunks


def rebuilt(sprite, *, frames=None, header=None):
    old = sprite.container
    made = Container(header or old.header, tuple(frames or old.frames), old.tail)
    return parse(Container.decode(made.encode()))


def test_a_new_file_reads_back(tmp_path):
    first, second = rgba(1), rgba(2)
    sprite = new_sprite(
        8,
        8,
        [NewLayer("sprite", [first, second]), NewLayer("portrait", [None, first], opacity=128)],
        durations_ms=[100, 250],
        slices={"face": Box(1, 2, 4, 4)},
    )
    path = write_aseprite(sprite, tmp_path / "a.aseprite")
    seen = read_aseprite(path)
    assert [layer.name for layer in seen.layers] == ["sprite", "portrait"]
    assert seen.duration_ms(1) == 250 and seen.layers[1].opacity == 128
    assert struct.unpack_from("<I", path.read_bytes())[0] == path.stat().st_size
    pixels, source = read_image(path)
    assert np.array_equal(pixels.rgba[first[..., 3] > 0], first[first[..., 3] > 0])
    assert source.info["slices"] == {"face": [1, 2, 4, 4]}
    assert source.frames == 2 and source.info["layers"] == ["sprite", "portrait"]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_indexed_files_are_bit_exact(tmp_path_factory, data):
    count = data.draw(st.integers(1, 256))
    colors = data.draw(hnp.arrays(np.uint8, (count, 4)))
    colors[:, 3] = 255
    key = data.draw(st.integers(0, count - 1))
    colors[key, 3] = 0
    palette = Palette(colors, key)
    shape = data.draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    indices = data.draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, count - 1)))
    picture = Pixels(colors[indices], indices, palette)
    sprite = new_sprite(
        shape[1], shape[0], [NewLayer("a", [picture])], palette=palette, indexed=True
    )
    path = write_aseprite(sprite, tmp_path_factory.mktemp("ase") / "a.aseprite")
    pixels, _ = read_image(path)
    assert np.array_equal(pixels.indices, indices)
    assert pixels.palette == palette
    assert np.array_equal(pixels.rgba, colors[indices])
    assert read_palette(path) == palette


def test_unknown_chunks_survive_byte_for_byte():
    sprite = new_sprite(8, 8, [NewLayer("a", [rgba()])])
    strange = Chunk(0x7ABC, b"whatever \x00\xff" * 5)
    frame = sprite.container.frames[0]
    with_unknown = rebuilt(sprite, frames=[frame.with_chunks((strange, *frame.chunks, strange))])
    more = add_layer(with_unknown, "new", {0: (rgba(3), 0, 0)})
    kept = [chunk for chunk in chunks_of(more) if chunk.kind == 0x7ABC]
    assert kept == [strange, strange]
    old = [chunk for chunk in chunks_of(more) if chunk in chunks_of(with_unknown)]
    assert old == list(chunks_of(with_unknown))


@needs_references
@pytest.mark.parametrize("name", ["user_data", "tilemap_multi", "linked_cels", "indexed"])
def test_adding_a_layer_harms_nothing(name):
    sprite = read_aseprite(shared_folder("aseprite") / f"{name}.aseprite")
    before = [render_frame(sprite, f).rgba for f in range(sprite.frame_count)]
    picture: np.ndarray | Pixels = np.full((2, 2, 4), 255, np.uint8)
    if sprite.container.depth == 8:
        picture = Pixels(picture, np.full((2, 2), 2, np.uint8), sprite.palette())
    more = add_layer(sprite, "portrait", {0: (picture, 1, 1)})
    assert [x.name for x in more.layers] == [*(x.name for x in sprite.layers), "portrait"]
    assert [x.user_data for x in more.layers[:-1]] == [x.user_data for x in sprite.layers]
    assert more.slices == sprite.slices and more.tags == sprite.tags
    for number, old in enumerate(before):
        new = render_frame(more, number).rgba
        if number == 0:
            assert (new[1:3, 1:3, 3] == 255).all()
            old, new = old.copy(), new.copy()
            old[1:3, 1:3] = new[1:3, 1:3] = 0
        assert np.array_equal(old, new)
    data = more.container.encode()
    assert struct.unpack_from("<I", data)[0] == len(data)


def test_an_indexed_sprite_takes_only_indices():
    palette = Palette(np.array([[0, 0, 0, 0], [9, 9, 9, 255]], np.uint8), 0)
    indices = np.ones((8, 8), np.uint8)
    picture = Pixels(palette.colors[indices], indices, palette)
    sprite = new_sprite(8, 8, [NewLayer("a", [picture])], palette=palette, indexed=True)
    with pytest.raises(OptionError, match="palette"):
        add_layer(sprite, "b", {0: (rgba(), 0, 0)})


def set_layer(sprite, number, **changes):
    """Rewrite fields of a layer chunk: flags, kind, level, blend, opacity."""
    frame = sprite.container.frames[0]
    chunks = list(frame.chunks)
    at = [i for i, chunk in enumerate(chunks) if chunk.kind == c.LAYER][number]
    fields = dict(zip(("flags", "kind", "level", "w", "h", "blend", "opacity"),
                      struct.unpack_from("<HHHHHHB", chunks[at].data)))  # fmt: skip
    fields.update(changes)
    chunks[at] = Chunk(c.LAYER, struct.pack("<HHHHHHB", *fields.values()) + chunks[at].data[13:])
    return rebuilt(sprite, frames=[frame.with_chunks(tuple(chunks)), *sprite.container.frames[1:]])


def set_flags(sprite, flags):
    header = bytearray(sprite.container.header)
    struct.pack_into("<I", header, 14, flags)
    return rebuilt(sprite, header=bytes(header))


def solid(color) -> np.ndarray:
    return np.broadcast_to(np.array(color, np.uint8), (4, 4, 4)).copy()


def test_groups_hide_and_blend():
    layers = [
        NewLayer("ground", [solid((100, 100, 100, 255))]),
        NewLayer("group", [None]),
        NewLayer("child", [solid((200, 0, 0, 255))]),
    ]
    sprite = set_layer(set_layer(new_sprite(4, 4, layers), 1, kind=1, opacity=128), 2, level=1)
    # without the flag a group's opacity means nothing
    assert render_frame(sprite).rgba[0, 0].tolist() == [200, 0, 0, 255]
    blended = set_flags(sprite, 3)
    assert render_frame(blended).rgba[0, 0].tolist() == [150, 50, 50, 255]
    hidden = set_layer(sprite, 1, flags=2)
    assert render_frame(hidden).rgba[0, 0].tolist() == [100, 100, 100, 255]
    assert render_frame(hidden, hidden=True).rgba[0, 0].tolist() == [200, 0, 0, 255]


def test_a_group_that_multiplies():
    layers = [
        NewLayer("ground", [solid((100, 100, 100, 255))]),
        NewLayer("group", [None]),
        NewLayer("child", [solid((128, 255, 0, 255))]),
    ]
    sprite = set_layer(set_layer(new_sprite(4, 4, layers), 1, kind=1, blend=1), 2, level=1)
    assert render_frame(set_flags(sprite, 3)).rgba[0, 0].tolist() == [50, 100, 0, 255]


def test_z_index_and_reference_layers():
    layers = [
        NewLayer("red", [solid((255, 0, 0, 255))]),
        NewLayer("blue", [solid((0, 0, 255, 255))]),
    ]
    sprite = new_sprite(4, 4, layers)
    assert render_frame(sprite).rgba[0, 0].tolist() == [0, 0, 255, 255]
    frame = sprite.container.frames[0]
    chunks = list(frame.chunks)
    at = next(i for i, chunk in enumerate(chunks) if chunk.kind == c.CEL)
    raised = bytearray(chunks[at].data)
    struct.pack_into("<h", raised, 9, 2)  # the red cel, two up
    chunks[at] = Chunk(c.CEL, bytes(raised))
    lifted = rebuilt(sprite, frames=[frame.with_chunks(tuple(chunks))])
    assert render_frame(lifted).rgba[0, 0].tolist() == [255, 0, 0, 255]
    reference = set_layer(sprite, 1, flags=1 | 64)
    assert render_frame(reference).rgba[0, 0].tolist() == [255, 0, 0, 255]


def test_opacity_of_old_files_is_ignored():
    sprite = new_sprite(4, 4, [NewLayer("a", [solid((9, 9, 9, 255))], opacity=10)])
    assert render_frame(sprite).rgba[0, 0, 3] == 10
    assert render_frame(set_flags(sprite, 0)).rgba[0, 0, 3] == 255


def replace_palette(sprite, *chunks):
    frame = sprite.container.frames[0]
    kept = [chunk for chunk in frame.chunks if chunk.kind != c.PALETTE]
    return rebuilt(sprite, frames=[frame.with_chunks((*chunks, *kept))])


def test_the_three_palette_chunks():
    palette = Palette(np.array([[0, 0, 0, 0], [9, 9, 9, 255]], np.uint8), 0)
    indices = np.ones((4, 4), np.uint8)
    picture = Pixels(palette.colors[indices], indices, palette)
    sprite = new_sprite(4, 4, [NewLayer("a", [picture])], palette=palette, indexed=True)
    eight = Chunk(c.OLD_PALETTE, struct.pack("<HBB6B", 1, 0, 2, 1, 2, 3, 40, 50, 60))
    six = Chunk(c.OLDER_PALETTE, struct.pack("<HBB3BBB3B", 2, 0, 1, 0, 0, 0, 0, 1, 63, 32, 1))
    assert replace_palette(sprite, eight).palette().colors[1].tolist() == [40, 50, 60, 255]
    assert replace_palette(sprite, six).palette().colors[1].tolist() == [255, 130, 4, 255]
    new = next(chunk for chunk in chunks_of(sprite) if chunk.kind == c.PALETTE)
    assert replace_palette(sprite, new, eight).palette().colors[1].tolist() == [9, 9, 9, 255]
    whole = Chunk(c.OLD_PALETTE, struct.pack("<HBB", 1, 0, 0) + bytes(768))
    assert len(replace_palette(sprite, whole).palette()) == 256
    names = Palette(palette.colors, 0, "", ("", "skin"))
    named = new_sprite(4, 4, [NewLayer("a", [picture])], palette=names, indexed=True)
    assert named.palette().names == ("", "skin")


def test_a_palette_that_changes_with_time():
    palette = Palette(np.array([[0, 0, 0, 0], [9, 9, 9, 255]], np.uint8), 0)
    indices = np.ones((4, 4), np.uint8)
    picture = Pixels(palette.colors[indices], indices, palette)
    sprite = new_sprite(
        4,
        4,
        [NewLayer("a", [picture, picture])],
        palette=palette,
        indexed=True,
        durations_ms=[1, 1],
    )
    first, second = sprite.container.frames
    head = struct.pack("<III8x", 2, 1, 1) + struct.pack("<H4B", 0, 200, 100, 50, 255)
    changed = rebuilt(
        sprite, frames=[first, second.with_chunks((Chunk(c.PALETTE, head), *second.chunks))]
    )
    assert render_frame(changed, 0).rgba[0, 0].tolist() == [9, 9, 9, 255]
    assert render_frame(changed, 1).rgba[0, 0].tolist() == [200, 100, 50, 255]


def test_tiles_are_flipped_and_turned():
    tile = np.zeros((2, 2, 4), np.uint8)
    tile[..., 3] = 255
    tile[0, 0, 0], tile[0, 1, 0], tile[1, 0, 0], tile[1, 1, 0] = 1, 2, 3, 4
    tiles = zlib.compress(np.concatenate([np.zeros_like(tile), tile]).tobytes())
    tileset = Chunk(
        c.TILESET,
        struct.pack("<IIIHHh14x", 0, 2, 2, 2, 2, 1) + struct.pack("<H", 0)
        + struct.pack("<I", len(tiles)) + tiles,
    )  # fmt: skip
    words = np.array([[1, 1 | 0x80000000, 1 | 0x40000000, 1 | 0x20000000, 0, 7]], "<u4")
    layer = Chunk(c.LAYER, struct.pack("<HHHHHHB3xHI", 3, 2, 0, 0, 0, 0, 255, 0, 0))
    cel = Chunk(
        c.CEL,
        struct.pack("<HhhBHh5x", 0, 0, 0, 255, 3, 0)
        + struct.pack("<HHHIIII10x", 6, 1, 32, 0x1FFFFFFF, 0x80000000, 0x40000000, 0x20000000)
        + zlib.compress(words.tobytes()),
    )
    base = new_sprite(12, 2, [NewLayer("x", [None])])
    sprite = rebuilt(base, frames=[ChunkFrame((tileset, layer, cel), 100)])
    red = render_frame(sprite).rgba[..., 0]
    assert red[:, 0:2].tolist() == [[1, 2], [3, 4]]
    assert red[:, 2:4].tolist() == [[2, 1], [4, 3]]
    assert red[:, 4:6].tolist() == [[3, 4], [1, 2]]
    assert red[:, 6:8].tolist() == [[1, 3], [2, 4]]
    assert (render_frame(sprite).rgba[:, 8:, 3] == 0).all()


def test_a_face_slice_is_told_per_frame(tmp_path):
    sprite = new_sprite(8, 8, [NewLayer("a", [rgba(), rgba(1)])], durations_ms=[1, 1])
    keys = struct.pack("<IiiII", 0, 1, 1, 3, 3) + struct.pack("<IiiII", 1, 2, 2, 4, 4)
    face = Chunk(c.SLICE, struct.pack("<III", 2, 0, 0) + struct.pack("<H", 4) + b"face" + keys)
    first, second = sprite.container.frames
    sprite = rebuilt(sprite, frames=[first.with_chunks((*first.chunks, face)), second])
    path = write_aseprite(sprite, tmp_path / "a.ase")
    assert read_image(path, frame=0)[1].info["slices"]["face"] == [1, 1, 3, 3]
    assert read_image(path, frame=1)[1].info["slices"]["face"] == [2, 2, 4, 4]


def test_a_slice_named_face_is_a_face(tmp_path):
    from spriteface.pipeline import find_faces

    picture = np.zeros((32, 48, 4), np.uint8)
    picture[4:28, 8:24] = [200, 150, 120, 255]
    picture[4:28, 30:40] = [120, 90, 60, 255]
    slices = {"face": Box(10, 8, 8, 8), "face 2": Box(31, 9, 7, 7), "hand": Box(0, 0, 3, 3)}
    sprite = new_sprite(48, 32, [NewLayer("a", [picture])], slices=slices)
    faces = find_faces(write_aseprite(sprite, tmp_path / "a.aseprite"))
    assert {face.name: face.box for face in faces} == {k: slices[k] for k in ("face", "face 2")}
    assert all(face.detector == "slice" and face.score == 1.0 for face in faces)
    only = find_faces(tmp_path / "a.aseprite", box=Box(30, 4, 10, 10))
    assert [face.box for face in only] == [Box(30, 4, 10, 10)]


# blending against the formulas of the W3C's "Compositing and Blending", in floating point


def reference_blend(mode: str, b: float, s: float) -> float:
    def hard(b, s):
        return 2 * b * s if s <= 0.5 else 1 - 2 * (1 - b) * (1 - s)

    d = ((16 * b - 12) * b + 4) * b if b <= 0.25 else b**0.5
    return {
        "normal": lambda: s,
        "multiply": lambda: b * s,
        "screen": lambda: b + s - b * s,
        "overlay": lambda: hard(s, b),
        "darken": lambda: min(b, s),
        "lighten": lambda: max(b, s),
        "color-dodge": lambda: 0 if b == 0 else 1 if s == 1 else min(1, b / (1 - s)),
        "color-burn": lambda: 1 if b == 1 else 0 if s == 0 else 1 - min(1, (1 - b) / s),
        "hard-light": lambda: hard(b, s),
        "soft-light": lambda: b - (1 - 2 * s) * b * (1 - b) if s <= 0.5 else b + (2 * s - 1) * (d - b),
        "difference": lambda: abs(b - s),
        "exclusion": lambda: b + s - 2 * b * s,
        "addition": lambda: min(1, b + s),
        "subtract": lambda: max(0, b - s),
        "divide": lambda: 0 if b == 0 else 1 if b >= s else b / s,
    }[mode]()  # fmt: skip


@pytest.mark.parametrize("mode", [m for i, m in enumerate(blending.NAMES) if not 12 <= i <= 15])
def test_channel_modes_follow_their_formula(mode):
    values = np.array([0, 1, 63, 64, 127, 128, 129, 200, 254, 255])
    b, s = (v.ravel() for v in np.meshgrid(values, values))
    backdrop = np.stack([b, b, b, np.full_like(b, 255)], axis=-1).astype(np.int32)
    source = np.stack([s, s, s, np.full_like(s, 255)], axis=-1).astype(np.int32)
    seen = blending.blend(backdrop, source, 255, blending.NAMES.index(mode))
    wanted = [255 * reference_blend(mode, x / 255, y / 255) for x, y in zip(b, s)]
    assert np.abs(seen[:, 0] - np.array(wanted)).max() <= 2.0
    assert (seen[:, 3] == 255).all()


@pytest.mark.parametrize("mode", [12, 13, 14, 15])
def test_colour_modes_keep_what_they_promise(mode):
    rng = np.random.default_rng(0)
    b = rng.integers(0, 256, (300, 4), dtype=np.int32)
    s = rng.integers(0, 256, (300, 4), dtype=np.int32)
    b[:, 3] = s[:, 3] = 255
    seen = blending.blend(b, s, 255, mode)

    def lum(c):
        return c[:, :3] @ np.array([0.3, 0.59, 0.11])

    assert np.abs(lum(seen) - lum(s if mode == 15 else b)).max() < 1.6
    assert seen.min() >= 0 and seen.max() <= 255


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(np.int32, (16, 4), elements=st.integers(0, 255)),
    hnp.arrays(np.int32, (16, 4), elements=st.integers(0, 255)),
    st.integers(0, 255),
    st.integers(0, 18),
)
def test_blending_stays_in_range(backdrop, source, opacity, mode):
    seen = blending.blend(backdrop, source, opacity, mode)
    assert seen.min() >= 0 and seen.max() <= 255
    clear = blending.blend(backdrop, source, 0, 0)
    assert np.array_equal(clear[backdrop[:, 3] > 0], backdrop[backdrop[:, 3] > 0])


# broken files


def test_every_truncation_is_an_image_error(tmp_path):
    data = new_sprite(
        8, 8, [NewLayer("a", [rgba()])], slices={"face": Box(0, 0, 2, 2)}
    ).container.encode()
    path = tmp_path / "a.aseprite"
    for size in range(1, len(data), 3):
        path.write_bytes(data[:size])
        with pytest.raises(ImageError) as caught:
            read_image(path)
        assert str(path) in caught.value.message


def test_flipped_bytes_never_escape(tmp_path):
    data = bytearray(new_sprite(8, 8, [NewLayer("a", [rgba()])]).container.encode())
    rng = np.random.default_rng(1)
    path = tmp_path / "a.aseprite"
    for _ in range(300):
        broken = bytearray(data)
        for at in rng.integers(0, len(data), 2):
            broken[at] ^= int(rng.integers(1, 256))
        path.write_bytes(broken)
        with contextlib.suppress(ImageError):
            read_image(path)


def test_bombs_are_refused(tmp_path):
    sprite = new_sprite(8, 8, [NewLayer("a", [None])])
    frame = sprite.container.frames[0]
    small = zlib.compress(bytes(50_000_000), 9)
    cel = struct.pack("<HhhBHh5xHH", 0, 0, 0, 255, 2, 0, 8, 8) + small
    path = tmp_path / "a.aseprite"
    path.write_bytes(
        Container(
            sprite.container.header, (frame.with_chunks((*frame.chunks, Chunk(c.CEL, cel))),)
        ).encode()
    )
    with pytest.raises(ImageError, match="bytes of pixels"):
        read_image(path)
    header = bytearray(sprite.container.header)
    struct.pack_into("<HH", header, 8, 65535, 65535)
    path.write_bytes(Container(bytes(header), sprite.container.frames).encode())
    with pytest.raises(ImageError, match="65535x65535"):
        read_image(path)
    path.write_bytes(Container(sprite.container.header, (frame,) * 401).encode())
    with pytest.raises(ImageError, match="401 frames"):
        read_image(path)


def test_not_aseprite(tmp_path):
    (tmp_path / "a.aseprite").write_bytes(b"x" * 300)
    with pytest.raises(ImageError, match=r"not an \.aseprite"):
        read_aseprite(tmp_path / "a.aseprite")
    sprite = new_sprite(8, 8, [NewLayer("a", [rgba()])])
    write_aseprite(sprite, tmp_path / "b.aseprite")
    with pytest.raises(ImageError, match=r"one frame, not a frame 4"):
        read_image(tmp_path / "b.aseprite", frame=4)
