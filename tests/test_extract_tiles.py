"""Tile graphics: every format's packing, headers that are checked, pages that look drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spriteface.errors import ImageError, OptionError
from spriteface.extract import tiles
from spriteface.types import U8, Palette
from tests.conftest import shared_folder


def pack_tile(tile: U8, form: str) -> bytes:
    """One (8, 8) tile packed as the console does, written here a second time, pixel by pixel."""

    def plane(bit: int, row: int) -> int:
        return sum(((int(tile[row, x]) >> bit) & 1) << (7 - x) for x in range(8))

    if form == "nes":
        return bytes(plane(bit, row) for bit in (0, 1) for row in range(8))
    if form == "gb":
        return bytes(plane(bit, row) for row in range(8) for bit in (0, 1))
    if form == "snes":
        return bytes(plane(p + bit, row) for p in (0, 2) for row in range(8) for bit in (0, 1))
    flat = [int(v) for v in tile.ravel()]
    if form == "gba8":
        return bytes(flat)
    pairs = zip(flat[::2], flat[1::2])
    return bytes(a | b << 4 if form == "gba" else a << 4 | b for a, b in pairs)


def random_tiles(count: int, bits: int) -> U8:
    return np.random.default_rng(bits).integers(0, 1 << bits, (count, 8, 8), dtype=np.uint8)


def drawn_tiles(count: int) -> U8:
    out = np.zeros((count, 8, 8), np.uint8)
    for i in range(count):
        out[i, 1:7, 1 : 3 + i % 5] = 1 + i % 3
        out[i, 3:5, 2:3] = 2
    return out


def packed(some: U8, form: str) -> bytes:
    return b"".join(pack_tile(tile, form) for tile in some)


@pytest.mark.parametrize("form", [form.name for form in tiles.FORMATS])
def test_each_packing_decodes(form: str) -> None:
    known = tiles.tile_format(form)
    some = random_tiles(5, known.bits)
    data = packed(some, form)
    assert len(data) == 5 * known.size
    assert np.array_equal(tiles.decode(data + b"\x01\x02", known), some)


def nes_rom(pictures: bytes, *, trainer: bool = False) -> bytes:
    header = b"NES\x1a" + bytes([1, len(pictures) // 8192, 4 if trainer else 0]) + bytes(9)
    return header + bytes(512 if trainer else 0) + bytes(16384) + pictures


@pytest.mark.parametrize("trainer", [False, True])
def test_nes_graphics_are_found_behind_the_program(tmp_path: Path, trainer: bool) -> None:
    some = drawn_tiles(512)
    path = tmp_path / "game.nes"
    path.write_bytes(nes_rom(packed(some, "nes"), trainer=trainer))
    cartridge = tiles.read_cartridge(path)
    assert cartridge.format.name == "nes"
    assert np.array_equal(cartridge.tiles, some)


def test_a_cut_or_renamed_rom_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "game.nes"
    path.write_bytes(nes_rom(bytes(8192))[:-100])
    with pytest.raises(ImageError, match="cut short"):
        tiles.read_cartridge(path)
    path.write_bytes(b"hello, I am text")
    with pytest.raises(ImageError, match="no iNES header"):
        tiles.read_cartridge(path)
    path.write_bytes(b"")
    with pytest.raises(ImageError, match="empty"):
        tiles.read_cartridge(path)
    with pytest.raises(ImageError, match="can't be read"):
        tiles.read_cartridge(tmp_path / "absent.gb")
    with pytest.raises(OptionError, match="no tile format"):
        tiles.tile_format("ps5")
    other = tmp_path / "game.bin"
    other.write_bytes(packed(drawn_tiles(2), "gb"))
    with pytest.raises(ImageError, match="isn't a known kind"):
        tiles.read_cartridge(other)
    assert len(tiles.read_cartridge(other, form="gb").tiles) == 2


def rom(size: int, places: dict[int, bytes]) -> bytearray:
    data = bytearray(size)
    for at, part in places.items():
        data[at : at + len(part)] = part
    return data


def test_headers_of_the_other_consoles(tmp_path: Path) -> None:
    boy = rom(0x8000, {0x134: b"HERO"})
    boy[0x14D] = -(sum(boy[0x134:0x14D]) + 25) & 0xFF
    snes = rom(
        0x8000 + 512, {512 + 0x7FC0: b"HERO SNES".ljust(21), 512 + 0x7FDC: b"\xcb\xed\x34\x12"}
    )
    advance = rom(0x400, {0xA0: b"HERO ADV", 0xB2: b"\x96"})
    advance[0xBD] = -(0x19 + sum(advance[0xA0:0xBD])) & 0xFF
    drive = rom(0x400, {0x100: b"SEGA MEGA DRIVE", 0x150: b"HERO DRIVE"})
    for name, data, title in (
        ("a.gb", boy, "HERO"),
        ("a.smc", snes, "HERO SNES"),
        ("a.gba", advance, "HERO ADV"),
        ("a.md", drive, "HERO DRIVE"),
    ):
        path = tmp_path / name
        path.write_bytes(bytes(data))
        assert tiles.read_cartridge(path).title == title
        data[0x100:0x200] = bytes(0x100)
        data[0xB2], data[512 + 0x7FDC if name == "a.smc" else 0xBD] = 0, 1
        path.write_bytes(bytes(data))
        with pytest.raises(ImageError, match="header"):
            tiles.read_cartridge(path)


def test_arrangement_in_blocks() -> None:
    some = np.arange(8, dtype=np.uint8)[:, None, None] * np.ones((8, 8, 8), np.uint8)
    assert tiles.arrange(some, columns=4)[::8, ::8].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    tall = tiles.arrange(some, columns=4, block=(1, 2))[::8, ::8]
    assert tall.tolist() == [[0, 2, 4, 6], [1, 3, 5, 7]]
    square = tiles.arrange(some, columns=2, block=(2, 2))[::8, ::8]
    assert square.tolist() == [[0, 1, 4, 5], [2, 3, 6, 7]]


def test_pages_of_code_are_left_out() -> None:
    noise = random_tiles(256, 2)
    some = np.concatenate([noise, drawn_tiles(256)])
    cartridge = tiles.Cartridge(tiles.tile_format("gb"), some)
    assert tiles.drawn(noise) < 0.35 < tiles.DRAWN <= 0.6 < tiles.drawn(drawn_tiles(50))
    kept = list(tiles.pages(cartridge))
    assert [frame.source.frame for frame in kept] == [1]
    assert len(list(tiles.pages(cartridge, everything=True))) == 2


def test_a_palette_of_choice() -> None:
    colors = np.array([[0, 0, 0, 0], [250, 1, 2, 255]], np.uint8)
    cartridge = tiles.Cartridge(tiles.tile_format("gb"), drawn_tiles(16))
    (frame,) = tiles.pages(cartridge, palette=Palette(colors, transparent=0))
    assert frame.pixels.indexed
    assert frame.pixels.rgba[2, 1].tolist() == [250, 1, 2, 255]
    assert frame.pixels.rgba[0, 0, 3] == 0
    assert frame.pixels.width == 128


def test_a_real_cartridge() -> None:
    path = shared_folder("faceset") / "extra" / "ElDueloroso.gb"
    cartridge = tiles.read_cartridge(path)
    shown = list(tiles.pages(cartridge, path))
    total = -(-len(cartridge.tiles) // tiles.PAGE)
    assert cartridge.title
    assert 1 <= len(shown) < total
