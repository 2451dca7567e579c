"""HD packs and texture folders of emulators: what a portrait needs to be shown in the game.

Supported:
* Mesen (NES): an existing pack (`hires.txt` and its PNGs) is copied, enlarged and the portrait
  put into the sheet it came from; or a pack for one sprite is made from scratch, for games
  whose tiles lie in CHR RAM, which Mesen tells by their content.
* Textures named by a hash (Dolphin, GLideN64 and Rice, PCSX2, PPSSPP, and any bare hash):
  the name stays, the size becomes a whole multiple of the dumped one, alpha is kept.
Not supported: packs whose backgrounds are placed by offset, and DDS files.

Sources: Mesen's documentation, "HD Packs"; Dolphin's and GLideN64's notes on custom textures.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError, OptionError
from ..files import read_image, write_bytes, write_png
from ..files.atomic import sink_error
from ..palette.hardware import machine
from ..palette.quantize import nearest_index
from ..types import U8, Pixels, Portrait
from .composite import place, portrait_layer
from .enlarge import enlarge

_LARGEST_SCALE = 10  # Mesen's own limit


@dataclass(frozen=True)
class TextureName:
    """A naming scheme of dumped textures; `size` groups give the dumped width and height."""

    emulator: str
    pattern: re.Pattern[str]


TEXTURE_NAMES: tuple[TextureName, ...] = (
    TextureName(
        "Dolphin",
        re.compile(
            r"tex1_(?P<w>\d+)x(?P<h>\d+)(_m)?_[0-9a-f]{16}(_[0-9a-f]{16}|_\$)?_\d+(_arb|_mip\d+)*",
            re.IGNORECASE,
        ),
    ),
    TextureName(
        "GLideN64 / Rice",
        re.compile(
            r".+#[0-9a-f]{8}#\d#\d(#[0-9a-f]{8})?_(all|rgb|a|ciByRGBA|allciByRGBA)", re.IGNORECASE
        ),
    ),
    TextureName(
        "PCSX2", re.compile(r"[0-9a-f]{16}(-[0-9a-f]{16})?(-r?[0-9a-f]{8,16})+", re.IGNORECASE)
    ),
    TextureName("PPSSPP", re.compile(r"[0-9a-f]{24}(_\d+)?", re.IGNORECASE)),
    TextureName("hash", re.compile(r"(0x)?[0-9a-f]{8,64}", re.IGNORECASE)),
)


def texture_name(path: Path) -> TextureName | None:
    """The naming scheme that a texture's file name follows, or None."""
    return next((n for n in TEXTURE_NAMES if n.pattern.fullmatch(path.stem)), None)


def write_texture(
    portraits: Sequence[Portrait], folder: str | Path, *, factor: int = 4, surround: str = "scale2x",
    feather: float = 0.6,
) -> Path:  # fmt: skip
    """The texture that the portraits came from, enlarged, under its own name in `folder`.

    `factor` is per pixel of the dumped file, which may already be enlarged.

    Raises:
        OptionError: the file's name is no hash.
        SinkError: it can't be written.
    """
    source = _source(portraits)
    name = texture_name(source)
    if name is None:
        raise OptionError(
            f"{source.name} is not named by a hash, so an emulator would not find its replacement",
            "dump the texture with the emulator and work on that file",
        )
    rgba = read_image(source)[0].rgba
    match = name.pattern.fullmatch(source.stem)
    groups = match.groupdict() if match else {}
    if groups.get("w"):
        width, height = int(groups["w"]), int(groups["h"])
        if rgba.shape[1] % width or rgba.shape[0] % height:
            raise OptionError(
                f"{source.name} is {rgba.shape[1]}x{rgba.shape[0]}, no multiple of {width}x{height}",
                "work on the file as it was dumped",
            )
    canvas = _with_portraits(rgba, portraits, factor, surround, feather)
    return write_png(Path(folder) / f"{source.stem}.png", canvas)


def _source(portraits: Sequence[Portrait]) -> Path:
    if not portraits:
        raise OptionError("there is no portrait to write")
    path = portraits[0].face.frame.source.path
    if path is None or any(p.face.frame.source.path != path for p in portraits):
        raise OptionError("the portraits must come from one file on disc")
    return path


def _with_portraits(
    rgba: U8, portraits: Sequence[Portrait], factor: int, surround: str, feather: float
) -> U8:
    """A whole file (not just its native pixels) enlarged, with the portraits in place."""
    canvas = enlarge(rgba, factor, how=surround)
    for portrait in portraits:
        frame = portrait.face.frame
        scale = frame.scale[0] * factor, frame.scale[1] * factor
        phase = frame.phase[0] * factor, frame.phase[1] * factor
        place(canvas, portrait, scale, phase, feather=feather)
    return canvas


# Mesen


@dataclass(frozen=True)
class MesenPack:
    """A parsed `hires.txt`: all its lines, and what matters here."""

    folder: Path
    lines: tuple[str, ...]
    version: int
    scale: int
    images: tuple[str, ...]

    @classmethod
    def read(cls, folder: str | Path) -> MesenPack:
        """
        Raises:
            InputError: there is no `hires.txt`, or it has no scale.
        """
        folder = Path(folder)
        try:
            text = (folder / "hires.txt").read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"{folder} has no readable hires.txt", "name the folder of an HD pack for Mesen"
            ) from error
        lines = tuple(text.splitlines())
        version, scale = _tag(lines, "ver"), _tag(lines, "scale")
        if not 1 <= scale <= _LARGEST_SCALE:
            raise InputError(f"{folder / 'hires.txt'} has no <scale> from 1 to {_LARGEST_SCALE}")
        images = tuple(line[5:].strip() for line in lines if line.startswith("<img>"))
        return cls(folder, lines, version, scale, images)

    def enlarged_lines(self, factor: int) -> list[str]:
        """The lines for the same pack with all images `factor` times larger.

        Raises:
            InputError: a background is placed by offset, whose unit is the pack's.
        """
        result = []
        for line in self.lines:
            tag = re.match(r"^(\[[^\]]*\])?<(\w+)>(.*)$", line.strip())
            kind, rest = (tag.group(2), tag.group(3)) if tag else ("", "")
            if kind == "scale":
                line = f"<scale>{self.scale * factor}"
            elif kind == "tile" and factor > 1:
                line = f"{(tag.group(1) if tag else None) or ''}<tile>{_moved(rest, factor)}"
            elif kind == "background" and factor > 1 and len(rest.split(",")) > 5:
                raise InputError(
                    f"{self.folder / 'hires.txt'} places backgrounds by offset",
                    "keep the pack's scale: --times 1",
                )
            result.append(line)
        return result


def _tag(lines: Sequence[str], name: str) -> int:
    for line in lines:
        if line.strip().startswith(f"<{name}>"):
            digits = re.match(r"\d+", line.strip()[len(name) + 2 :].strip())
            return int(digits.group()) if digits else 0
    return 0


def _moved(fields: str, factor: int) -> str:
    """A <tile>'s fields with x and y (the fourth and fifth) in the enlarged sheet."""
    parts = fields.split(",")
    if len(parts) < 5:
        raise InputError(
            f"a <tile> of {len(parts)} fields: {fields[:40]!r}", "record the pack again"
        )
    for i in (3, 4):
        parts[i] = str(int(parts[i]) * factor)
    return ",".join(parts)


def write_mesen(
    portraits: Sequence[Portrait], pack: str | Path, folder: str | Path, *, factor: int = 1,
    surround: str = "scale2x", feather: float = 0.6,
) -> Path:  # fmt: skip
    """Copy a Mesen pack to `folder`, enlarged by `factor`, with the portraits in their sheet.

    The portraits must have been made from one of the pack's own images. The original pack
    isn't touched.

    Raises:
        InputError: the pack can't be read. OptionError: the portraits aren't from it.
        SinkError: it can't be written.
    """
    read = MesenPack.read(pack)
    source = _source(portraits).resolve()
    if read.scale * factor > _LARGEST_SCALE:
        raise OptionError(
            f"the pack's scale {read.scale} times {factor} exceeds Mesen's {_LARGEST_SCALE}",
            f"at most --times {_LARGEST_SCALE // read.scale}",
        )
    pictures = [p for p in sorted(read.folder.rglob("*")) if p.suffix.lower() == ".png"]
    if source not in [p.resolve() for p in pictures]:
        raise OptionError(
            f"{source.name} is not an image of the pack {read.folder}",
            "make the portrait from one of the pack's own PNGs",
        )
    target = Path(folder)
    if target.resolve() == read.folder.resolve():
        raise OptionError("the pack would overwrite itself", "choose another folder with -o")
    lines = read.enlarged_lines(factor)
    for path in sorted(read.folder.rglob("*")):
        to = target / path.relative_to(read.folder)
        if path.resolve() == source:
            rgba = read_image(path)[0].rgba
            write_png(to, _with_portraits(rgba, portraits, factor, surround, feather))
        elif path in pictures and factor > 1:
            write_png(to, enlarge(read_image(path)[0].rgba, factor, how=surround))
        elif path.is_file() and path.name != "hires.txt":
            _copy(path, to)
    write_bytes(target / "hires.txt", ("\n".join(lines) + "\n").encode("utf-8"))
    return target / "hires.txt"


def _copy(path: Path, to: Path) -> None:
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, to)
    except OSError as error:
        raise sink_error(to, error) from error


def write_mesen_sprite(
    portrait: Portrait, folder: str | Path, *, scale: int = 4, colors: str = "nes"
) -> Path:
    """A new Mesen pack that replaces one indexed sprite, for games with CHR RAM.

    The face's square must lie on the 8x8 grid of its frame and use at most four indices, 0
    transparent, as the game stores them; `colors` is the NES decode its palette is read by.

    Raises:
        OptionError: the sprite isn't of that kind.
    """
    face = portrait.face
    pixels = face.frame.pixels
    if pixels.indices is None or pixels.palette is None or len(pixels.palette) > 4:
        raise OptionError(
            "a Mesen pack needs an indexed sprite of four colours",
            "save the sprite with the game's own palette order, or use an existing pack",
        )
    inner = face.crop.clip(pixels.width, pixels.height)
    if any(v % 8 for v in inner.as_list()):
        raise OptionError(
            f"the face at {inner.as_list()} is not on the 8x8 tile grid", "give --face on the grid"
        )
    layer = portrait_layer(portrait, face.crop.w * scale, face.crop.h * scale)
    x, y = (inner.x - face.crop.x) * scale, (inner.y - face.crop.y) * scale
    sheet = layer[y : y + inner.h * scale, x : x + inner.w * scale]
    indices = pixels.indices[inner.slices()]
    lines = ["<ver>106", f"<scale>{scale}", "<img>portrait.png"]
    lines += _tile_lines(indices, _palette_hex(pixels, colors), scale)
    write_png(Path(folder) / "portrait.png", sheet)
    return write_bytes(Path(folder) / "hires.txt", ("\n".join(lines) + "\n").encode("ascii"))


def _palette_hex(pixels: Pixels, colors: str) -> str:
    """Four palette bytes as Mesen writes a sprite's: FF, then the NES codes of entries 1..3."""
    assert pixels.palette is not None
    nes = machine(colors).palette()
    codes = nearest_index(pixels.palette.colors[None, :, :3], nes)[0]
    used = [f"{int(code):02X}" for code in codes[1:]]
    return "FF" + "".join([*used, "0F", "0F", "0F"][:3])


def _tile_lines(indices: U8, palette: str, scale: int) -> list[str]:
    """<tile> lines: image, 16 bytes of tile data, palette, x, y, brightness, default."""
    lines = []
    for y in range(0, indices.shape[0], 8):
        for x in range(0, indices.shape[1], 8):
            tile = indices[y : y + 8, x : x + 8]
            if tile.any():
                data = tile_bytes(tile).hex().upper()
                lines.append(f"<tile>0,{data},{palette},{x * scale},{y * scale},1,N")
    return lines


def tile_bytes(tile: U8) -> bytes:
    """An 8x8 tile of indices 0..3 as the NES stores it: the low bit's plane, then the high."""
    assert tile.shape == (8, 8)
    low, high = np.packbits(tile & 1, axis=1), np.packbits(tile >> 1 & 1, axis=1)
    return low.tobytes() + high.tobytes()


__all__ = [
    "TEXTURE_NAMES",
    "MesenPack",
    "texture_name",
    "tile_bytes",
    "write_mesen",
    "write_mesen_sprite",
    "write_texture",
]
