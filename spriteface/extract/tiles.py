"""Tile graphics of game cartridges, decoded to sheets that the rest of extraction understands.

Consoles store pictures as 8x8 tiles of bit planes or packed nibbles. Cartridge headers are
checked by their checksums and signatures, so that a renamed file isn't read as nonsense. A ROM
holds programs too: pages that look like noise rather than drawings are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import ImageError, OptionError
from ..types import U8, Frame, Palette, Pixels, Source

PAGE = 256  # tiles per page
COLUMNS = 16  # tiles per row of a page
DRAWN = 0.4  # share of equal neighbours above which a page looks drawn
LARGEST_ROM = 64 << 20


@dataclass(frozen=True)
class TileFormat:
    """How one console packs an 8x8 tile: `size` bytes, values of `bits` bits."""

    name: str
    summary: str
    size: int
    bits: int
    decode: Callable[[U8], U8]  # (N, size) -> (N, 8, 8) palette indices


@dataclass(frozen=True, eq=False)
class Cartridge:
    """A file's graphics: `tiles` (N, 8, 8) palette indices, and what its header says."""

    format: TileFormat
    tiles: U8
    title: str = ""
    notes: tuple[str, ...] = ()


def _bits(rows: U8) -> U8:
    """(N, k) bytes -> (N, k, 8) bits, leftmost pixel first."""
    return np.unpackbits(rows[..., None], axis=-1)


def _nes(data: U8) -> U8:
    return np.asarray(_bits(data[:, :8]) | _bits(data[:, 8:]) << 1)


def _game_boy(data: U8) -> U8:
    return np.asarray(_bits(data[:, 0::2]) | _bits(data[:, 1::2]) << 1)


def _snes(data: U8) -> U8:
    low, high = _game_boy(data[:, :16]), _game_boy(data[:, 16:])
    return np.asarray(low | high << 2)


def _gba_4bpp(data: U8) -> U8:
    return np.stack([data & 15, data >> 4], axis=2).reshape(-1, 8, 8)


def _gba_8bpp(data: U8) -> U8:
    return data.reshape(-1, 8, 8)


def _mega_drive(data: U8) -> U8:
    return np.stack([data >> 4, data & 15], axis=2).reshape(-1, 8, 8)


FORMATS: tuple[TileFormat, ...] = (
    TileFormat("nes", "NES and Famicom, 2 bits, two planes", 16, 2, _nes),
    TileFormat("gb", "Game Boy and Game Boy Color, 2 bits, interleaved rows", 16, 2, _game_boy),
    TileFormat("snes", "SNES, 4 bits, two pairs of planes", 32, 4, _snes),
    TileFormat("gba", "Game Boy Advance, 4 bits, low nibble first", 32, 4, _gba_4bpp),
    TileFormat("gba8", "Game Boy Advance, 8 bits", 64, 8, _gba_8bpp),
    TileFormat("md", "Mega Drive, 4 bits, high nibble first", 32, 4, _mega_drive),
)

SUFFIXES = {
    ".nes": "nes",
    ".chr": "nes",
    ".gb": "gb",
    ".gbc": "gb",
    ".2bpp": "gb",
    ".sfc": "snes",
    ".smc": "snes",
    ".4bpp": "gba",
    ".gba": "gba",
    ".8bpp": "gba8",
    ".md": "md",
    ".gen": "md",
}
RAW = (".chr", ".2bpp", ".4bpp", ".8bpp")  # tile data without a header


def is_tile_file(path: str | Path) -> bool:
    """Whether a file's name says that it holds tile graphics."""
    return Path(path).suffix.lower() in SUFFIXES


def tile_format(name: str) -> TileFormat:
    """A format by name.

    Raises:
        OptionError: there is no such format.
    """
    for known in FORMATS:
        if known.name == name:
            return known
    names = ", ".join(known.name for known in FORMATS)
    raise OptionError(f"option tiles: no tile format named {name!r}", f"known: {names}")


def decode(data: bytes, form: TileFormat) -> U8:
    """(N, 8, 8) palette indices of all whole tiles in `data`."""
    count = len(data) // form.size
    raw = np.frombuffer(data, np.uint8, count * form.size).reshape(count, form.size)
    return form.decode(raw)


def read_cartridge(path: str | Path, *, form: str | None = None) -> Cartridge:
    """Decode the graphics of a ROM or raw tile file.

    Args:
        path: the file.
        form: the name of a tile format; without it, the file's name decides.

    Raises:
        ImageError: the file can't be read, is empty or too large, or its header is wrong.
        OptionError: there is no format of that name.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    name = form or SUFFIXES.get(suffix)
    if name is None:
        raise ImageError(
            f"{path.name} isn't a known kind of ROM", f"known: {', '.join(sorted(SUFFIXES))}"
        )
    data = _read(path)
    known = tile_format(name)
    if form or suffix in RAW:
        return Cartridge(known, decode(data, known))
    graphics, title, notes = HEADERS[known.name](path.name, data)
    return Cartridge(known, decode(graphics, known), title, notes)


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > LARGEST_ROM:
            raise ImageError(f"{path.name} has {size >> 20} MiB", "ROMs up to 64 MiB are read")
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path} can't be read: {error.strerror or error}") from error
    if not data:
        raise ImageError(f"{path.name} is empty")
    return data


Header = tuple[bytes, str, tuple[str, ...]]


def _wrong(name: str, system: str, seen: str) -> ImageError:
    return ImageError(
        f"{name} has no {system} header ({seen})",
        "give the tile format to read it as raw tiles, e.g. --tiles gb",
    )


def _nes_header(name: str, data: bytes) -> Header:
    """iNES and NES 2.0: https://www.nesdev.org/wiki/INES"""
    if data[:4] != b"NES\x1a" or len(data) < 16:
        raise _wrong(name, "iNES", f"begins with {data[:4]!r}")
    programs, pictures = data[4], data[5]
    if data[7] & 0x0C == 0x08:  # NES 2.0 keeps the upper bits of both sizes apart
        programs |= (data[9] & 0x0F) << 8
        pictures |= (data[9] >> 4) << 8
    start = 16 + (512 if data[6] & 4 else 0)
    middle = start + programs * 16384
    if len(data) < middle + pictures * 8192:
        wanted = middle + pictures * 8192
        raise ImageError(f"{name} is cut short: {len(data)} of {wanted} bytes")
    if pictures:
        return data[middle : middle + pictures * 8192], "", ()
    note = "no graphics ROM: tiles are searched for in the program"
    return data[start:middle], "", (note,)


def _game_boy_header(name: str, data: bytes) -> Header:
    """The header checksum at 0x14D: https://gbdev.io/pandocs/The_Cartridge_Header.html"""
    if len(data) < 0x150:
        raise _wrong(name, "Game Boy", f"only {len(data)} bytes")
    total = 0
    for byte in data[0x134:0x14D]:
        total = (total - byte - 1) & 0xFF
    if total != data[0x14D]:
        raise _wrong(name, "Game Boy", f"checksum {data[0x14D]:02x}, expected {total:02x}")
    return data, _ascii(data[0x134:0x143]), ()


def _snes_header(name: str, data: bytes) -> Header:
    """The checksum and its complement, in the LoROM or the HiROM place."""
    body = data[512:] if len(data) % 1024 == 512 else data  # a copier's header
    for base in (0x7FC0, 0xFFC0, 0x40FFC0):
        if len(body) >= base + 0x20:
            inverse = int.from_bytes(body[base + 0x1C : base + 0x1E], "little")
            checksum = int.from_bytes(body[base + 0x1E : base + 0x20], "little")
            if inverse ^ checksum == 0xFFFF:
                return body, _ascii(body[base : base + 21]), ()
    raise _wrong(name, "SNES", "no checksum pair")


def _gba_header(name: str, data: bytes) -> Header:
    """The fixed byte at 0xB2 and the complement check at 0xBD (GBATEK, cartridge header)."""
    if len(data) < 0xC0 or data[0xB2] != 0x96:
        raise _wrong(name, "Game Boy Advance", "no 96 at b2")
    expected = -(0x19 + sum(data[0xA0:0xBD])) & 0xFF
    if expected != data[0xBD]:
        raise _wrong(name, "Game Boy Advance", f"check {data[0xBD]:02x}, expected {expected:02x}")
    note = "compressed graphics inside can't be seen"
    return data, _ascii(data[0xA0:0xAC]), (note,)


def _mega_drive_header(name: str, data: bytes) -> Header:
    if data[0x100:0x104] != b"SEGA" and data[0x101:0x105] != b"SEGA":
        raise _wrong(name, "Mega Drive", "no system name at 100")
    return data, _ascii(data[0x150:0x180]), ()


HEADERS: dict[str, Callable[[str, bytes], Header]] = {
    "nes": _nes_header,
    "gb": _game_boy_header,
    "snes": _snes_header,
    "gba": _gba_header,
    "gba8": _gba_header,
    "md": _mega_drive_header,
}


def _ascii(raw: bytes) -> str:
    return "".join(chr(b) if 32 <= b < 127 else " " for b in raw).strip()


def arrange(tiles: U8, *, columns: int = COLUMNS, block: tuple[int, int] = (1, 1)) -> U8:
    """Tiles to a sheet of palette indices (H, W).

    Args:
        tiles: (N, 8, 8).
        columns: blocks per row.
        block: tiles (across, down) that belong together, stored row by row; (1, 2) is the tall
            sprite mode of NES and Game Boy, (2, 2) a metatile of 16x16 px.
    """
    across, down = block
    per_block = across * down
    rows = -(-len(tiles) // (per_block * columns))
    full = np.zeros((rows * columns * per_block, 8, 8), np.uint8)
    full[: len(tiles)] = tiles
    grid = full.reshape(rows, columns, down, across, 8, 8)
    return np.ascontiguousarray(
        grid.transpose(0, 2, 4, 1, 3, 5).reshape(rows * down * 8, columns * across * 8)
    )


def default_palette(bits: int) -> Palette:
    """Index 0 see-through; 4 greys, 16 or 256 colours that can be told apart."""
    count = 1 << bits
    colors = np.full((count, 4), 255, np.uint8)
    if bits == 2:
        colors[:, :3] = np.array([[255], [170], [85], [0]], np.uint8)
    else:
        index = np.arange(count)
        colors[:, 0] = (index * 97) % 256
        colors[:, 1] = (index * 57 + 40) % 256
        colors[:, 2] = (index * 151 + 90) % 256
    colors[0, 3] = 0
    return Palette(colors, transparent=0, name=f"{count} tile colours")


def drawn(tiles: U8) -> float:
    """How much (N, 8, 8) tiles look drawn: the share of neighbours that are equal, in [0, 1].

    Program code gives 0.3 at two bits and less at more; blank tiles don't count.
    """
    kept = tiles[(tiles != tiles[:, :1, :1]).any(axis=(1, 2))]
    if not len(kept):
        return 0.0
    across = (kept[:, :, 1:] == kept[:, :, :-1]).mean()
    down = (kept[:, 1:] == kept[:, :-1]).mean()
    return float(across + down) / 2


def pages(
    cartridge: Cartridge,
    path: str | Path | None = None,
    *,
    palette: Palette | None = None,
    block: tuple[int, int] = (1, 1),
    everything: bool = False,
) -> Iterator[Frame]:
    """A cartridge's graphics as frames of 256 tiles, those that look like code left out.

    Args:
        cartridge: decoded graphics.
        path: where they came from, for the frames' source.
        palette: colours for the indices; greys or distinct colours when absent.
        block: see `arrange`.
        everything: keep pages that look like code.
    """
    palette = palette or default_palette(cartridge.format.bits)
    colors = palette.colors
    if len(colors) < 1 << cartridge.format.bits:
        filler = default_palette(cartridge.format.bits).colors[len(colors) :]
        palette = Palette(np.concatenate([colors, filler]), palette.transparent, palette.name)
    count = -(-len(cartridge.tiles) // PAGE)
    for number in range(count):
        tiles = cartridge.tiles[number * PAGE : (number + 1) * PAGE]
        if not everything and drawn(tiles) < DRAWN:
            continue
        indices = arrange(tiles, block=block)
        rgba = palette.colors[indices].copy()
        if palette.transparent is not None:
            rgba[indices == palette.transparent, 3] = 0
        where = Path(path) if path is not None else None
        source = Source(where, f"tiles:{cartridge.format.name}", "P", number, count)
        yield Frame(Pixels(rgba, indices, palette), source)
