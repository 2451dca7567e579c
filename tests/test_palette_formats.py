"""Each palette format: sanity, wrong file, truncation, round trip, odd but real variants."""

from __future__ import annotations

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from spriteface.errors import ImageError, PaletteError
from spriteface.files import read_palette, write_palette, write_png
from spriteface.palette import formats
from spriteface.palette.formats import FORMATS, PaletteFormat, by_name, decode
from spriteface.types import Palette, Pixels

IDS = [f.name for f in FORMATS]


def sample(form: PaletteFormat, count: int = 0, seed: int = 3) -> Palette:
    rng = np.random.default_rng(seed)
    count = count or (64 if form.name == "nes" else 20)
    colors = rng.integers(0, 256, (count, 4), np.uint8)
    colors[:, 3] = 255
    transparent = None
    if "transparent" in form.keeps:
        transparent = 5
        colors[5, 3] = 0
    names = tuple(f"colour {i}" for i in range(count)) if "names" in form.keeps else ()
    return Palette(colors, transparent, "My palette", names)


@pytest.mark.parametrize("form", FORMATS, ids=IDS)
def test_sanity_and_round_trip(form, tmp_path):
    palette = sample(form)
    path = write_palette(palette, tmp_path / f"p{form.suffixes[0]}", format_name=form.name)
    seen = read_palette(path)
    assert formats.sniff(path.read_bytes(), path.suffix) is form
    assert seen == palette
    if "names" in form.keeps:
        assert seen.names == palette.names and seen.name == palette.name


@pytest.mark.parametrize("form", FORMATS, ids=IDS)
def test_content_decides_even_with_a_wrong_suffix(form, tmp_path):
    palette = sample(form)
    path = write_palette(palette, tmp_path / "p.bin", format_name=form.name)
    assert read_palette(path) == palette


@pytest.mark.parametrize("form", FORMATS, ids=IDS)
def test_wrong_file(form, tmp_path):
    path = tmp_path / f"p{form.suffixes[0]}"
    for data in (b"\x00\x01\x02\x03" * 11, b"hello\nworld\n", b"\xff" * 700):
        path.write_bytes(data)
        with pytest.raises(PaletteError, match=f"p{form.suffixes[0]}") as caught:
            read_palette(path)
        assert caught.value.hint


@pytest.mark.parametrize("form", FORMATS, ids=IDS)
def test_truncation_never_escapes(form, tmp_path):
    data = form.encode(sample(form))
    path = tmp_path / f"p{form.suffixes[0]}"
    complete = 0
    for size in range(1, len(data), 1 if len(data) < 300 else 7):
        path.write_bytes(data[:size])
        with contextlib.suppress(PaletteError, ImageError):
            complete += read_palette(path) == sample(form)
    # only what carries no colour may be missing: a line end, a name, an .act's trailer
    assert complete <= 12


@pytest.mark.parametrize("form", [f for f in FORMATS if f.name in ("jasc", "riff", "ase")])
def test_a_promised_count_is_checked(form):
    data = form.encode(sample(form))
    with pytest.raises(PaletteError, match=r"promises|cut off|ends|colour 12"):
        form.decode(data[: len(data) * 2 // 3])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_palette_survives_what_the_format_keeps(data):
    form = data.draw(st.sampled_from(FORMATS))
    counts = st.sampled_from([64, 512]) if form.name == "nes" else st.integers(1, 96)
    count = data.draw(counts)
    colors = data.draw(hnp.arrays(np.uint8, (count, 4)))
    if "alpha" not in form.keeps:
        colors[:, 3] = 255
    else:
        colors[:, 3] = np.maximum(colors[:, 3], 1)
    transparent = None
    if "transparent" in form.keeps and data.draw(st.booleans()):
        transparent = data.draw(st.integers(0, count - 1))
        colors[transparent, 3] = 0
    palette = Palette(colors, transparent)
    encoded = form.encode(palette)
    seen = form.decode(encoded)
    assert np.array_equal(seen.colors, palette.colors)
    assert seen.transparent == transparent
    assert form.encode(seen) == encoded or form.name in ("ase", "gpl", "nes")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=900), st.sampled_from(["", *(f.name for f in FORMATS)]))
def test_garbage_gives_a_palette_or_a_palette_error(data, name):
    prefix = {"gpl": b"GIMP Palette\n", "jasc": b"JASC-PAL\n0100\n", "ase": b"ASEF\0\1\0\0"}
    prefix["riff"] = b"RIFF\0\0\0\0PAL data"
    with contextlib.suppress(PaletteError):
        decode(prefix.get(name, b"") + data)


# odd but real


def gpl(text: str, **kwargs) -> Palette:
    return by_name("gpl").decode(text.encode(kwargs.get("encoding", "utf-8")))


def test_gimp_variants():
    plain = "GIMP Palette\nName: Böse\nColumns: 4\n#\n  1   2   3\tdark night\n255 0 128\n"
    expected = [[1, 2, 3, 255], [255, 0, 128, 255]]
    palette = gpl(plain)
    assert palette.colors.tolist() == expected and palette.columns == 4
    assert palette.name == "Böse" and palette.names == ("dark night", "")
    for text in (
        plain.replace("\n", "\r\n"),
        "\ufeff" + plain,
        plain.replace("#\n", "#\n\n\n"),
        plain.replace("Name: Böse\nColumns: 4\n", ""),
        plain.replace("  1   2   3\t", "1 2 3 "),
        plain + "\n# the end",
    ):
        seen = gpl(text)
        assert seen.colors.tolist() == expected
        assert seen.names[0] == "dark night"
    assert gpl(plain, encoding="latin-1").name == "Böse"
    clamped = gpl("GIMP Palette\n#\n300 -5 12 x\n")
    assert clamped.colors.tolist() == [[255, 0, 12, 255]]
    with pytest.raises(PaletteError, match="line 3"):
        gpl("GIMP Palette\n#\nred green blue\n")
    with pytest.raises(PaletteError, match="no colour"):
        gpl("GIMP Palette\nName: empty\n")


def test_aseprites_gpl_with_alpha():
    seen = gpl("GIMP Palette\nChannels: RGBA\n#\n 10 20 30 128\tglass\n 1 2 3 0 clear\n")
    assert seen.colors.tolist() == [[10, 20, 30, 128], [1, 2, 3, 0]]
    assert seen.transparent == 1 and seen.names == ("glass", "clear")


def test_gimp_reads_what_we_write():
    """GIMP wants: the magic, Name on line 2, no BOM, numbers first; so does Pillow's reader."""
    palette = Palette(np.array([[1, 2, 3, 255], [9, 9, 9, 0]], np.uint8), 1, "a\nb", ("x", ""))
    data = by_name("gpl").encode(palette)
    lines = data.decode().split("\n")
    assert lines[:2] == ["GIMP Palette", "Name: a b"]
    assert b"\r" not in data and "Channels" not in data.decode()
    import io

    from PIL import GimpPaletteFile

    seen = GimpPaletteFile.GimpPaletteFile(io.BytesIO(data)).getpalette()[0]
    assert seen[:6] == bytes([1, 2, 3, 9, 9, 9])


def test_jasc_variants():
    form = by_name("jasc")
    text = "JASC-PAL\r\n0100\r\n2\r\n1 2 3\r\n4 5 6\r\n"
    for variant in (text, text.replace("\r\n", "\n"), "\ufeff" + text, text + "\r\n\r\n",
                    text.replace("1 2 3", " 1  2\t3 ")):  # fmt: skip
        assert form.decode(variant.encode()).colors[:, :3].tolist() == [[1, 2, 3], [4, 5, 6]]
    alpha = form.decode(b"JASC-PAL\n0100\n2\n1 2 3 0\n4 5 6 255\n")
    assert alpha.transparent == 0 and alpha.colors[0].tolist() == [1, 2, 3, 0]
    assert form.decode(b"JASC-PAL\n0100\n1\n999 -4 6\n").colors[0].tolist() == [255, 0, 6, 255]
    for broken in (
        b"JASC-PAL\n0100\nx\n1 2 3\n",
        b"JASC-PAL\n0100\n2\n1 2 3\n4 x 6\n",
        b"JASC-PAL\n",
    ):
        with pytest.raises(PaletteError):
            form.decode(broken)


def test_riff_with_a_chunk_before_the_data():
    form = by_name("riff")
    data = form.encode(sample(form))
    extra = b"offl" + struct.pack("<I", 3) + b"abc\0"
    assert form.decode(data[:12] + extra + data[12:]) == sample(form)


def test_nes_has_64_or_512(tmp_path):
    form = by_name("nes")
    assert len(form.decode(form.encode(sample(form, 512)))) == 512
    with pytest.raises(PaletteError, match="64 or 512"):
        form.encode(sample(form, 20))


def test_act_variants():
    form = by_name("act")
    raw = bytes(range(256)) * 3
    assert len(form.decode(raw)) == 256 and form.decode(raw).transparent is None
    counted = form.decode(raw + struct.pack(">HH", 16, 3))
    assert len(counted) == 16 and counted.transparent == 3 and counted.colors[3, 3] == 0
    none = form.decode(raw + struct.pack(">HH", 16, 0xFFFF))
    assert none.transparent is None
    assert len(form.decode(raw + struct.pack(">HH", 0, 0xFFFF))) == 256


def test_ase_colour_models():
    def swatch(model, *values):
        name = struct.pack(">H", 2) + "x\0".encode("utf-16-be")
        body = name + model + struct.pack(f">{len(values)}fH", *values, 2)
        return struct.pack(">HI", 1, len(body)) + body

    blocks = [
        swatch(b"RGB ", 1.0, 0.5, 0.0),
        swatch(b"Gray", 0.5),
        swatch(b"CMYK", 0.0, 1.0, 1.0, 0.0),
        swatch(b"LAB ", 1.0, 0.0, 0.0),
        swatch(b"LAB ", 0.5324, 80.09, 67.2),
    ]
    data = b"ASEF" + struct.pack(">HHI", 1, 0, len(blocks)) + b"".join(blocks)
    colors = by_name("ase").decode(data).colors[:, :3].astype(int)
    assert colors[:3].tolist() == [[255, 128, 0], [128, 128, 128], [255, 0, 0]]
    assert np.abs(colors[3] - 255).max() <= 1
    assert colors[4][0] > 240 and colors[4][1:].max() < 70
    bad = b"ASEF" + struct.pack(">HHI", 1, 0, 1) + swatch(b"PANT", 0.5)
    with pytest.raises(PaletteError, match="PANT"):
        by_name("ase").decode(bad)


def test_the_two_ases_are_told_apart(tmp_path):
    adobe = write_palette(sample(by_name("ase")), tmp_path / "p.ase")
    assert adobe.read_bytes().startswith(b"ASEF")
    assert read_palette(adobe) == sample(by_name("ase"))


@pytest.mark.parametrize(
    "text",
    [
        "ff0080\n010203\n",
        "#FF0080\n#010203\n",
        "\ufeffff0080\r\n\r\n010203",
        "0xff0080,\n0x010203\n",
    ],
)
def test_hex_variants(text):
    palette, form = decode(text.encode("utf-8"), ".hex")
    assert form.name == "hex"
    assert palette.colors[:, :3].tolist() == [[255, 0, 128], [1, 2, 3]]


def test_hex_short_alpha_and_broken():
    form = by_name("hex")
    assert form.decode(b"#f08\n").colors[0].tolist() == [255, 0, 136, 255]
    assert form.decode(b"ff008000\n").transparent == 0
    with pytest.raises(PaletteError, match="line 2"):
        form.decode(b"ff0080\nnothing\n")


def test_paintnet_puts_alpha_first():
    text = b"; paint.net Palette File\r\n; comment\r\nFF112233 ; trailing\r\n80445566\r\n\r\n778899\r\n"
    palette, form = decode(text, ".txt")
    assert form.name == "paintnet"
    assert palette.colors.tolist() == [
        [0x11, 0x22, 0x33, 255],
        [0x44, 0x55, 0x66, 0x80],
        [0x77, 0x88, 0x99, 255],
    ]
    bare, form = decode(b"FF112233\nFF445566\n")
    assert form.name == "paintnet" and bare.colors[0].tolist() == [0x11, 0x22, 0x33, 255]
    with pytest.raises(PaletteError, match="96"):
        by_name("paintnet").encode(sample(by_name("gpl"), 97))


# palettes inside images


def test_palettes_in_images(tmp_path):
    rng = np.random.default_rng(0)
    table = rng.integers(0, 256, (6, 4), np.uint8)
    table[:, 3] = 255
    table[2, 3] = 0
    indices = rng.integers(0, 6, (5, 5), np.uint8)
    palette = Palette(table, 2)
    write_png(tmp_path / "a.png", Pixels(table[indices], indices, palette))
    assert read_palette(tmp_path / "a.png") == palette
    image = Image.frombytes("P", (5, 5), indices.tobytes())
    image.putpalette(table[:, :3].tobytes())
    image.save(tmp_path / "a.bmp")
    assert np.array_equal(read_palette(tmp_path / "a.bmp").colors[:6, :3], table[:, :3])
    image.save(tmp_path / "a.gif")
    seen = {tuple(c) for c in read_palette(tmp_path / "a.gif").colors[:, :3].tolist()}
    assert {tuple(c) for c in table[:, :3].tolist()} <= seen


def test_images_without_a_palette(tmp_path):
    few = np.zeros((4, 4, 4), np.uint8)
    few[:2] = [9, 8, 7, 255]
    write_png(tmp_path / "few.png", few)
    palette = read_palette(tmp_path / "few.png")
    assert palette.transparent == 0 and palette.colors[1].tolist() == [9, 8, 7, 255]
    many = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    write_png(tmp_path / "many.png", many)
    with pytest.raises(PaletteError, match=r"colours and no palette.*--colors"):
        read_palette(tmp_path / "many.png")
    assert len(read_palette(tmp_path / "many.png", colors=16)) == 16


def test_a_palette_as_png_comes_back(tmp_path):
    for count in (1, 16, 17, 256):
        palette = sample(by_name("gpl"), max(count, 6))
        assert read_palette(write_palette(palette, tmp_path / "p.png")) == palette


@pytest.mark.parametrize("count", [6, 16, 17, 255, 256])
@pytest.mark.parametrize("suffix", [".bmp", ".gif", ".aseprite"])
def test_palettes_as_other_images(tmp_path, suffix, count):
    palette = sample(by_name("gpl"), count)
    seen = read_palette(write_palette(palette, tmp_path / f"p{suffix}"))
    if suffix == ".gif":
        assert len(seen) == 1 << (count - 1).bit_length() and (seen.colors[count:, :3] == 0).all()
    else:
        assert len(seen) == count
    assert np.array_equal(seen.colors[:count, :3], palette.colors[:, :3])
    assert seen.transparent == (None if suffix == ".bmp" else 5)
    # another decoder agrees
    if suffix != ".aseprite":
        with Image.open(tmp_path / f"p{suffix}") as opened:
            image = np.array(opened.convert("RGB"))
        assert np.array_equal(image.reshape(-1, 3)[:count], palette.colors[:, :3])


def test_missing_files_and_unknown_names(tmp_path):
    with pytest.raises(ImageError, match="does not exist"):
        read_palette(tmp_path / "none.gpl")
    with pytest.raises(PaletteError, match=r"use .*\.gpl"):
        write_palette(sample(by_name("gpl")), tmp_path / "p.xyz")
    with pytest.raises(PaletteError, match="known"):
        write_palette(sample(by_name("gpl")), tmp_path / "p", format_name="xyz")
    assert list(tmp_path.iterdir()) == []


def test_every_format_is_listed_once():
    assert len(set(IDS)) == len(IDS)
    for form in FORMATS:
        assert form.suffixes and form.title and form.keeps >= {"rgb"}


def test_adding_a_format_takes_one_record(tmp_path, monkeypatch):
    """What docs/palettes.md tells contributors: a record and a line."""

    def decode(data: bytes) -> Palette:
        rgb = np.frombuffer(data[4:], np.uint8).reshape(-1, 3)
        return Palette(np.concatenate([rgb, np.full((len(rgb), 1), 255, np.uint8)], axis=1))

    mine = PaletteFormat(
        "mine", "My palette", (".mine",), lambda data: data[:4] == b"MINE", decode,
        lambda palette: b"MINE" + palette.colors[:, :3].tobytes(), frozenset({"rgb"}),
    )  # fmt: skip
    monkeypatch.setattr(formats, "FORMATS", (*FORMATS, mine))
    path = write_palette(sample(by_name("jasc")), tmp_path / "p.mine")
    assert path.read_bytes()[:4] == b"MINE" and read_palette(path) == sample(by_name("jasc"))
