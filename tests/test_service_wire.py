"""The frame: what goes out comes back, and whatever else comes in is refused in good order."""

from __future__ import annotations

import ast
import io
import json
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spriteface.service import client, wire

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@st.composite
def _images(draw: st.DrawFn) -> wire.Image:
    kind = draw(st.sampled_from(sorted(wire.BYTES_PER_PIXEL)))
    width, height = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    palette = None
    if kind == "index8":
        color = st.tuples(*[st.integers(0, 255)] * 4)
        palette = tuple(draw(st.lists(color, min_size=1, max_size=4)))
    count = width * height * wire.BYTES_PER_PIXEL[kind]
    top = len(palette) - 1 if palette else 255
    data = bytes(draw(st.lists(st.integers(0, top), min_size=count, max_size=count)))
    return wire.Image(width, height, data, kind, draw(st.text(max_size=8)), palette)


@given(st.dictionaries(st.text(max_size=5), _JSON, max_size=3), st.lists(_images(), max_size=3))
def test_what_goes_out_comes_back(header: dict[str, object], images: list[wire.Image]) -> None:
    header.pop("images", None)
    frame = wire.encode(header, images)
    assert wire.decode(frame) == wire.Message(header, tuple(images))
    stream = io.BytesIO(frame + frame)
    assert wire.read(stream.read) == wire.read(stream.read) == wire.decode(frame)
    assert wire.read(stream.read) is None


@given(st.binary(max_size=200))
def test_garbage_is_refused(data: bytes) -> None:
    try:
        wire.decode(data)
    except wire.WireError:
        return
    assert json.loads(data[4:].decode()).keys() is not None  # rare, but then it is a frame


@settings(max_examples=200)
@given(st.data(), st.lists(_images(), min_size=1, max_size=2))
def test_a_damaged_frame_is_refused_or_still_a_frame(
    data: st.DataObject, images: list[wire.Image]
) -> None:
    frame = bytearray(wire.encode({"type": "submit", "n": 3}, images))
    at = data.draw(st.integers(0, len(frame) - 1))
    frame[at] ^= data.draw(st.integers(1, 255))
    try:
        message = wire.decode(frame)
    except wire.WireError:
        return
    for image in message.images:
        size = image.width * image.height * wire.BYTES_PER_PIXEL[image.format]
        assert len(image.data) == size


@given(st.data(), _images())
def test_every_truncation_is_noticed(data: st.DataObject, image: wire.Image) -> None:
    frame = wire.encode({"type": "submit"}, [image])
    cut = frame[: data.draw(st.integers(0, len(frame) - 1))]
    with pytest.raises(wire.WireError):
        wire.decode(cut)
    if cut:
        with pytest.raises(wire.Truncated):
            wire.read(io.BytesIO(cut).read)


def _frame(header: object, payload: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<I", len(text)) + text + payload


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (struct.pack("<I", 2**32 - 1) + b"x", "limit"),
        (_frame([1]), "list, not an object"),
        (_frame(b"{'a':1}"), "not JSON"),
        (_frame(b'{"a":NaN}'), "not JSON"),
        (_frame(b"\xff\xfe"), "not JSON"),
        (_frame(b'{"a":' + b"[" * 40 + b"]" * 40 + b"}"), "nested"),
        (_frame(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "nested"),
        (_frame({"images": 3}), "not a list"),
        (_frame({"images": [{"width": 0, "height": 1}]}), "width is 0"),
        (_frame({"images": [{"width": -1, "height": -1}]}, b"1234"), "not in 1"),
        (_frame({"images": [{"width": 1.5, "height": 1}]}), "not a whole number"),
        (_frame({"images": [{"width": True, "height": 1}]}, b"1234"), "not a whole number"),
        (_frame(b'{"images":[{"width":1e999,"height":1}]}'), "not a whole number"),
        (_frame({"images": [{"width": 16384, "height": 16384}]}), "limit"),
        (_frame({"images": [{"width": 1, "height": 1}] * 65}), "limit"),
        (_frame({"images": [{"width": 1, "height": 1, "format": "png"}]}), "format 'png'"),
        (_frame({"images": [{"width": 1, "height": 1, "format": ["rgba8"]}]}), "format"),
        (_frame({"images": [{"width": 1, "height": 1}]}, b"12345"), "need 4 bytes, 5 there"),
        (_frame({"images": [{"width": 1, "height": 1, "format": "index8"}]}, b"0"), "palette"),
        (
            _frame(
                {"images": [{"width": 1, "height": 1, "format": "index8", "palette": [[0, 0, 0]]}]},
                b"\x01",
            ),
            "index 1 is beyond",
        ),
    ],
)
def test_what_is_wrong_is_said(frame: bytes, said: str) -> None:
    with pytest.raises(wire.WireError, match=said):
        wire.decode(frame)


def test_lua_may_write_whole_numbers_as_floats() -> None:
    frame = _frame({"images": [{"width": 1.0, "height": 2.0}]}, bytes(8))
    assert wire.decode(frame).images[0].height == 2


def test_an_image_of_another_size_is_not_sent() -> None:
    with pytest.raises(wire.WireError, match="3 bytes"):
        wire.encode({}, [wire.Image(1, 1, b"123")])


@pytest.mark.parametrize("module", [wire, client])
def test_only_the_standard_library(module: object) -> None:
    """GIMP's Python has nothing else."""
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert all(
                alias.name.partition(".")[0] in sys.stdlib_module_names for alias in node.names
            )
        elif isinstance(node, ast.ImportFrom):
            own = node.level == 1 and node.module is None and node.names[0].name == "wire"
            assert own or str(node.module).partition(".")[0] in sys.stdlib_module_names
