"""Machines as data: the colours they can show, how many at once, and per tile, with sources.

A machine has either a fixed list of colours or levels per channel (a DAC), from which a game
picks. Several decodes of one machine are several entries, because screenshots differ by the
emulator that made them. Sources are named in each entry; numbers carry over, no code does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..errors import OptionError
from ..types import U8, Palette
from .limits import TileLimit
from .quantize import fit_colors

Levels = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Machine:
    """One machine and one way to show its colours.

    Either `fixed` (N, 3) holds all colours in the machine's own order, or `levels` those of
    each channel; `corrected` marks sets that a formula derived from 5-bit channels. `at_once`
    is the most colours on one screen (0: no limit known), `background` and `sprite` the limits
    per tile, `screens` the usual sizes in px.
    """

    id: str
    title: str
    source: str
    fixed: U8 | None = None
    levels: tuple[Levels, Levels, Levels] | None = None
    corrected: str = ""
    at_once: int = 0
    background: TileLimit | None = None
    sprite: TileLimit | None = None
    screens: tuple[tuple[int, int], ...] = ()
    note: str = ""

    @property
    def count(self) -> int:
        """How many different colours there are."""
        if self.levels is not None:
            r, g, b = (len(set(channel)) for channel in self.levels)
            return r * g * b
        return len(color_codes(self.id))

    def palette(self) -> Palette:
        """The fixed colours as a palette.

        Raises:
            OptionError: the machine mixes its colours; `palette_for` fits some.
        """
        if self.fixed is None:
            raise OptionError(
                f"{self.title} has {self.count} colours, too many for a palette",
                "a number of them can be fitted to a picture, e.g. --colors 16",
            )
        colors = np.concatenate([self.fixed, np.full((len(self.fixed), 1), 255, np.uint8)], axis=1)
        return Palette(colors, None, self.title, (), 16 if len(colors) > 16 else 0)


def _hex(text: str) -> U8:
    return np.array([list(bytes.fromhex(word)) for word in text.split()], np.uint8)


def _octal(text: str) -> U8:
    digits = np.array([[int(d) for d in word] for word in text.split()])
    return np.rint(digits * (255 / 7)).astype(np.uint8)


def _even(bits: int) -> tuple[Levels, Levels, Levels]:
    """Levels spread evenly over 0..255."""
    top = (1 << bits) - 1
    channel = tuple(round(v * 255 / top) for v in range(top + 1))
    return channel, channel, channel


def _same(channel: Levels) -> tuple[Levels, Levels, Levels]:
    return channel, channel, channel


_REPLICATED = tuple(v << 3 | v >> 2 for v in range(32))
_SHIFTED = tuple(v << 3 for v in range(32))

# Nesdev wiki, "PPU palettes": the long-standing 2C02 table
_NES_WIKI = """
545454 001e74 081090 300088 440064 5c0030 540400 3c1800 202a00 083a00 004000 003c00 00323c 000000 000000 000000
989698 084cc4 3032ec 5c1ee4 8814b0 a01464 982220 783c00 545a00 287200 087c00 007628 006678 000000 000000 000000
eceeec 4c9aec 787cec b062ec e454ec ec58b4 ec6a64 d48820 a0aa00 74c400 4cd020 38cc6c 38b4cc 3c3c3c 000000 000000
eceeec a8ccec bcbcec d4b2ec ecaeec ecaed4 ecb4b0 e4c490 ccd278 b4de78 a8e290 98e2b4 a0d6e4 a0a2a0 000000 000000
"""
# the YUV decode that Nestopia made popular; Mesen's default
_NES_YUV = """
666666 002a88 1412a7 3b00a4 5c007e 6e0040 6c0600 561d00 333500 0b4800 005200 004f08 00404d 000000 000000 000000
adadad 155fd9 4240ff 7527fe a01acc b71e7b b53120 994e00 6b6d00 388700 0c9300 008f32 007c8d 000000 000000 000000
fffeff 64b0ff 9290ff c676ff f36aff fe6ecc fe8170 ea9e22 bcbe00 88d800 5ce430 45e082 48cdde 4f4f4f 000000 000000
fffeff c0dfff d3d2ff e8c8ff fbc2ff fec4ea feccc5 f7d8a5 e4e594 cfef96 bdf4ab b3f3cc b5ebf2 b8b8b8 000000 000000
"""
# the table of early emulators, still the one most pixel art is drawn with
_NES_CLASSIC = """
7c7c7c 0000fc 0000bc 4428bc 940084 a80020 a81000 881400 503000 007800 006800 005800 004058 000000 000000 000000
bcbcbc 0078f8 0058f8 6844fc d800cc e40058 f83800 e45c10 ac7c00 00b800 00a800 00a844 008888 000000 000000 000000
f8f8f8 3cbcfc 6888fc 9878f8 f878f8 f85898 f87858 fca044 f8b800 b8f818 58d854 58f898 00e8d8 787878 000000 000000
fcfcfc a4e4fc b8b8f8 d8b8f8 f8b8f8 f8a4c0 f0d0b0 fce0a8 f8d878 d8f878 b8f8b8 b8f8d8 00fcfc f8d8f8 000000 000000
"""
# arcade and RGB-modded consoles: 3 bits a channel, octal digits r g b
_NES_2C03 = """
333 014 006 326 403 503 510 420 320 120 031 040 022 000 000 000
555 036 027 407 507 704 700 630 430 140 040 053 044 000 000 000
777 357 447 637 707 737 740 750 660 360 070 276 077 000 000 000
777 567 657 757 747 755 764 772 773 572 473 276 467 000 000 000
"""


def nes_composite(*, emphasis: int = 0, saturation: float = 1.0) -> U8:
    """The 2C02's composite signal decoded as an NTSC television does: (64, 3) uint8.

    Levels are the terminated voltages of the Nesdev wiki's "NTSC video"; a colour is a square
    wave of one of 12 phases between a low and a high level, hue 8 has the phase of the burst.
    `emphasis` has bits 1 red, 2 green, 4 blue, each of which weakens the other two.
    """
    low = np.array([0.228, 0.312, 0.552, 0.880])
    high = np.array([0.616, 0.840, 1.100, 1.100])
    black, white, attenuation = 0.312, 1.100, 0.816328
    turn = np.exp(-2j * np.pi * np.arange(12) / 12)
    burst = ((np.arange(12) + 8) % 12 < 6) @ turn
    colors = np.zeros((64, 3))
    for code in range(64):
        level, hue = code >> 4, code & 15
        wave = np.where((np.arange(12) + hue) % 12 < 6, high[level], low[level])
        if hue == 0:
            wave = np.full(12, high[level])
        elif hue == 13:
            wave = np.full(12, low[level])
        elif hue > 13:
            wave = np.full(12, low[1])
        for bit, phase in ((1, 0), (2, 4), (4, 8)):
            if emphasis & bit and hue < 14:
                wave = np.where((np.arange(12) + phase) % 12 < 6, wave * attenuation, wave)
        wave = (wave - black) / (white - black)
        luma = wave.mean()
        chroma = saturation * (wave @ turn) / 6 / (burst / abs(burst)) * -1.0  # burst is at -U
        u, v = chroma.real, chroma.imag
        colors[code] = luma + 1.140 * v, luma - 0.395 * u - 0.581 * v, luma + 2.032 * u
    whole: U8 = np.rint(np.clip(colors, 0.0, 1.0) * 255.0).astype(np.uint8)
    return whole


def _vga_default() -> U8:
    """The 256 entries that the VGA BIOS sets for mode 13h, from 6-bit values."""
    greys = (0, 5, 8, 11, 14, 17, 20, 24, 28, 32, 36, 40, 45, 50, 56, 63)
    ramps = (
        ((0, 16, 31, 47, 63), (31, 39, 47, 55, 63), (45, 49, 54, 58, 63)),
        ((0, 7, 14, 21, 28), (14, 17, 21, 24, 28), (20, 22, 24, 26, 28)),
        ((0, 4, 8, 12, 16), (8, 10, 12, 14, 16), (11, 12, 13, 15, 16)),
    )
    rows = [(g, g, g) for g in greys]
    for brightness in ramps:
        for ramp in brightness:
            up, down, first, last = ramp[:4], ramp[:0:-1], ramp[0], ramp[4]
            rows += [(v, first, last) for v in up] + [(last, first, v) for v in down]
            rows += [(last, v, first) for v in up] + [(v, last, first) for v in down]
            rows += [(first, last, v) for v in up] + [(first, v, last) for v in down]
    rows += [(0, 0, 0)] * 8
    wide = np.array(rows, np.uint8)
    return np.concatenate([_CGA, (wide << 2 | wide >> 4).astype(np.uint8)])


_CGA = _hex(
    "000000 0000aa 00aa00 00aaaa aa0000 aa00aa aa5500 aaaaaa "
    "555555 5555ff 55ff55 55ffff ff5555 ff55ff ffff55 ffffff"
)

# Game Boy Color boot ROM: what it colours old games with. Thirty palettes of four BGR555 words,
_GBC_WORDS = """
7fff 32bf 00d0 0000 639f 4279 15b0 04cb 7fff 6e31 454a 0000 7fff 1bef 0200 0000 7fff 421f 1cf2 0000
7fff 5294 294a 0000 7fff 03ff 012f 0000 7fff 03ef 01d6 0000 7fff 42b5 3dc8 0000 7e74 03ff 0180 0000
67ff 77ac 1a13 2d6b 7ed6 4bff 2175 0000 53ff 4a5f 7e52 0000 4fff 7ed2 3a4c 1ce0 03ed 7fff 255f 0000
036a 021f 03ff 7fff 7fff 01df 0112 0000 231f 035f 00f2 0009 7fff 03ea 011f 0000 299f 001a 000c 0000
7fff 027f 001f 0000 7fff 03e0 0206 0120 7fff 7eeb 001f 7c00 7fff 3fff 7e00 001f 7fff 03ff 001f 0000
03ff 001f 000c 0000 7fff 033f 0193 0000 0000 4200 037f 7fff 7fff 7e8c 7c00 0000 7fff 1bef 6180 0000
"""
# and 51 triples of them (two for objects, one for the background), which it gives to games by a
# checksum of their title; .75 means that a palette starts one word before the next one
_GBC_TRIPLES = """
4,4,29 18,18,18 20,20,20 24,24,24 9,9,9 0,0,0 27,27,27 5,5,5 12,12,12 26,26,26
16,8,8 4,28,28 4,2,2 3,4,4 4,29,29 28,4,28 2,17,2 16,16,8 4,4,7 4,4,18
4,4,20 19,19,9 3.75,3.75,11 17,17,2 4,4,2 4,4,3 28,28,0 3,3,0 0,0,1 18,22,18
20,22,20 24,22,24 16,22,8 17,4,13 27.75,0,14 27.75,4,15 19,22.75,9 16,28,10 4,23,28 17,22,2
4,0,2 4,28,3 28,3,0 3,28,4 21,28,4 3,28,0 25,3,28 0,28,8 4,3,28 28,3,6
4,28,29
"""
# the triples that a player can choose with a direction and a button
_GBC_KEYS = {
    1: "right", 48: "left", 5: "up", 8: "down", 0: "right-a", 40: "left-a",
    43: "up-a", 3: "down-a", 6: "right-b", 7: "left-b", 28: "up-b", 49: "down-b",
}  # fmt: skip

_GB_TILES = TileLimit(8, 8, 4)
_NES_BG, _NES_SPRITE = TileLimit(16, 16, 4, 4, 1), TileLimit(8, 8, 4, 4, 1)
_SNES_TILES = TileLimit(8, 8, 16, 8, 1)


def _nes(variant: str, title: str, source: str, colors: U8) -> Machine:
    return Machine(
        f"nes-{variant}" if variant else "nes",
        f"NES ({title})",
        source,
        fixed=colors,
        at_once=25,
        background=_NES_BG,
        sprite=_NES_SPRITE,
        screens=((256, 240), (256, 224)),
    )


def _gb(variant: str, title: str, source: str, colors: str, at_once: int = 4) -> Machine:
    return Machine(
        f"gb-{variant}" if variant else "gb",
        title,
        source,
        fixed=_hex(colors),
        at_once=at_once,
        background=_GB_TILES,
        sprite=_GB_TILES,
        screens=((160, 144),),
    )


def _gbc_boot() -> list[Machine]:
    words = [int(word, 16) for word in _GBC_WORDS.split()]
    colors = [
        bytes(round((word >> shift & 31) * 255 / 31) for shift in (0, 5, 10)).hex()
        for word in words
    ]
    source = "Game Boy Color boot ROM, colourisation tables"
    machines = []
    for number, triple in enumerate(_GBC_TRIPLES.split()):
        objects_0, objects_1, background = (round(float(v) * 4) for v in triple.split(","))
        starts = (background, objects_0, objects_1)
        used = dict.fromkeys(color for start in starts for color in colors[start : start + 4])
        keys = _GBC_KEYS.get(number, "")
        how = keys.upper().replace("-", " + ") if keys else f"given to some games, triple {number}"
        title = f"Game Boy game on a Game Boy Color ({how})"
        name = f"color-{keys or f'{number:02}'}"
        machines.append(_gb(name, title, source, " ".join(used), len(used)))
    return machines


MACHINES: tuple[Machine, ...] = (
    _nes("", "2C02, Nesdev wiki", "Nesdev wiki, 'PPU palettes', 2C02", _hex(_NES_WIKI)),
    _nes("yuv", "YUV decode of Nestopia and Mesen", "Nestopia's and Mesen's default palette", _hex(_NES_YUV)),
    _nes("classic", "early emulators", "the table of early emulators, kept by many art tools", _hex(_NES_CLASSIC)),
    _nes("2c03", "RGB: 2C03, PlayChoice-10", "Nesdev wiki, 'PPU palettes', 2C03 and 2C05 (octal)", _octal(_NES_2C03)),
    _nes("ntsc", "composite, computed", "computed from the levels in Nesdev wiki, 'NTSC video'", nes_composite()),
    _gb("", "Game Boy (DMG, green)", "the common emulation of the DMG's screen", "9bbc0f 8bac0f 306230 0f380f"),
    _gb("bgb", "Game Boy (DMG, pale green)", "BGB's default palette", "e0f8d0 88c070 346856 081820"),
    _gb("pocket", "Game Boy Pocket", "the common emulation of the Pocket's screen", "c4cfa1 8b956d 4d533c 1f1f1f"),
    _gb("grey", "Game Boy (greys)", "four even greys, as most tools export", "ffffff aaaaaa 555555 000000"),
    *_gbc_boot(),
    Machine(
        "gbc", "Game Boy Color (5 bits, replicated)", "Pan Docs, 'Palettes'; v << 3 | v >> 2",
        levels=_same(_REPLICATED), at_once=56, background=TileLimit(8, 8, 4, 8),
        sprite=TileLimit(8, 8, 4, 8, 1), screens=((160, 144),),
    ),
    Machine(
        "gbc-lcd", "Game Boy Color (screen colours)", "Near, 'Color emulation' (2007): mixing matrix of the GBC's LCD",
        corrected="gbc", at_once=56, background=TileLimit(8, 8, 4, 8),
        sprite=TileLimit(8, 8, 4, 8, 1), screens=((160, 144),),
    ),
    Machine(
        "snes", "SNES (5 bits, replicated)", "Fullsnes, 'Color palettes'; v << 3 | v >> 2",
        levels=_same(_REPLICATED), at_once=256, background=_SNES_TILES, sprite=_SNES_TILES,
        screens=((256, 224), (256, 239)),
    ),
    Machine(
        "snes-shifted", "SNES, GBC or GBA (5 bits, shifted)", "older emulators: v << 3, so white is 248",
        levels=_same(_SHIFTED), at_once=256, background=_SNES_TILES, sprite=_SNES_TILES,
        screens=((256, 224), (256, 239), (240, 160), (160, 144)),
    ),
    Machine(
        "gba", "Game Boy Advance (5 bits, replicated)", "GBATEK, 'LCD color palettes'; v << 3 | v >> 2",
        levels=_same(_REPLICATED), at_once=512, background=TileLimit(8, 8, 16, 16, 1),
        sprite=TileLimit(8, 8, 16, 16, 1), screens=((240, 160),),
    ),
    Machine(
        "gba-lcd", "Game Boy Advance (screen colours)", "Near, 'Color emulation' (2007): gamma 4.0 and mixing of the GBA's LCD",
        corrected="gba", at_once=512, background=TileLimit(8, 8, 16, 16, 1),
        sprite=TileLimit(8, 8, 16, 16, 1), screens=((240, 160),),
    ),
    Machine(
        "mega-drive", "Mega Drive (3 bits, linear)", "Sega, 'Genesis Software Manual', CRAM; 255 v / 7",
        levels=_even(3), at_once=61, background=TileLimit(8, 8, 16, 4, 1),
        sprite=TileLimit(8, 8, 16, 4, 1), screens=((320, 224), (256, 224)),
    ),
    Machine(
        "mega-drive-measured", "Mega Drive (3 bits, measured)", "measured output of the VDP's DAC: 0 52 87 116 144 172 206 255",
        levels=_same((0, 52, 87, 116, 144, 172, 206, 255)), at_once=61,
        background=TileLimit(8, 8, 16, 4, 1), sprite=TileLimit(8, 8, 16, 4, 1),
        screens=((320, 224), (256, 224)),
    ),
    Machine(
        "mega-drive-nibble", "Mega Drive (3 bits, doubled nibbles)", "tools that double CRAM's hex digits: 0 34 .. 238",
        levels=_same(tuple(34 * v for v in range(8))), at_once=61,
        background=TileLimit(8, 8, 16, 4, 1), sprite=TileLimit(8, 8, 16, 4, 1),
        screens=((320, 224), (256, 224)),
    ),
    Machine(
        "master-system", "Master System (2 bits)", "Sega, 'Mark III Hardware Reference Manual', CRAM",
        levels=_even(2), at_once=31, background=TileLimit(8, 8, 16, 2), sprite=TileLimit(8, 8, 16, 1, 1),
        screens=((256, 192), (256, 224)),
    ),
    Machine(
        "game-gear", "Game Gear (4 bits)", "Sega, 'Game Gear Hardware Reference Manual', CRAM",
        levels=_even(4), at_once=31, background=TileLimit(8, 8, 16, 2), sprite=TileLimit(8, 8, 16, 1, 1),
        screens=((160, 144),),
    ),
    Machine(
        "pc-engine", "PC Engine (3 bits)", "HuC6260 Video Color Encoder manual: 9 bits GRB",
        levels=_even(3), at_once=482, background=TileLimit(8, 8, 16, 16, 1),
        sprite=TileLimit(16, 16, 16, 16, 1), screens=((256, 224), (256, 239), (336, 224)),
    ),
    Machine(
        "c64", "Commodore 64 (Pepto)", "P. Timmermann, 'Calculating the color palette of the VIC II' (2001)",
        fixed=_hex(
            "000000 ffffff 68372b 70a4b2 6f3d86 588d43 352879 b8c76f "
            "6f4f25 433900 9a6759 444444 6c6c6c 9ad284 6c5eb5 959595"
        ),
        at_once=16, background=TileLimit(4, 8, 4, 0, 1), sprite=TileLimit(12, 21, 4, 0, 1),
        screens=((320, 200), (160, 200)),
        note="multicolour mode: 4 colours per 4x8 double-wide pixels; hires 2 per 8x8",
    ),
    Machine(
        "c64-colodore", "Commodore 64 (Colodore)", "P. Timmermann and others, colodore.com (2017)",
        fixed=_hex(
            "000000 ffffff 813338 75cec8 8e3c97 56ac4d 2e2c9b edf171 "
            "8e5029 553800 c46c71 4a4a4a 7b7b7b a9ff9f 706deb b2b2b2"
        ),
        at_once=16, background=TileLimit(4, 8, 4, 0, 1), sprite=TileLimit(12, 21, 4, 0, 1),
        screens=((320, 200), (160, 200)),
    ),
    Machine(
        "zx-spectrum", "ZX Spectrum", "Sinclair, 'ZX Spectrum BASIC programming', colours; normal at 215 of 255",
        fixed=_hex(
            "000000 0000d7 d70000 d700d7 00d700 00d7d7 d7d700 d7d7d7 "
            "0000ff ff0000 ff00ff 00ff00 00ffff ffff00 ffffff"
        ),
        at_once=15, background=TileLimit(8, 8, 2), screens=((256, 192),),
    ),
    Machine(
        "msx", "MSX (TMS9918)", "TMS9918 data sheet, decoded by S. Young and others",
        fixed=_hex(
            "000000 3eb849 74d07d 5955e0 8076f1 b95e51 65dbef db6559 "
            "ff897d ccc35e ded087 3aa241 b766b5 cccccc ffffff"
        ),
        at_once=15, background=TileLimit(8, 1, 2), screens=((256, 192),),
    ),
    Machine("cga", "CGA", "IBM, 'Color/Graphics Monitor Adapter' (1981); colour 6 made brown by the monitor",
            fixed=_CGA, at_once=16, screens=((320, 200), (640, 200))),
    Machine("cga-1-high", "CGA, palette 1 bright", "IBM, 'Color/Graphics Monitor Adapter' (1981)",
            fixed=_hex("000000 55ffff ff55ff ffffff"), at_once=4, screens=((320, 200),)),
    Machine("cga-0-high", "CGA, palette 0 bright", "IBM, 'Color/Graphics Monitor Adapter' (1981)",
            fixed=_hex("000000 55ff55 ff5555 ffff55"), at_once=4, screens=((320, 200),)),
    Machine("ega", "EGA (2 bits)", "IBM, 'Enhanced Graphics Adapter' (1984): rgbRGB",
            levels=_even(2), at_once=16, screens=((320, 200), (640, 350))),
    Machine("vga-default", "VGA, the BIOS's palette", "IBM VGA BIOS, mode 13h default DAC values",
            fixed=_vga_default(), at_once=256, screens=((320, 200), (320, 240))),
    Machine("vga", "VGA (6 bits, replicated)", "IBM VGA DAC; v << 2 | v >> 4",
            levels=_same(tuple(v << 2 | v >> 4 for v in range(64))), at_once=256,
            screens=((320, 200), (320, 240), (640, 480))),
    Machine("vga-shifted", "VGA (6 bits, shifted)", "tools that store v << 2, so white is 252",
            levels=_same(tuple(v << 2 for v in range(64))), at_once=256,
            screens=((320, 200), (320, 240), (640, 480))),
    Machine("amiga", "Amiga OCS (4 bits)", "Commodore, 'Amiga Hardware Reference Manual'",
            levels=_even(4), at_once=32, screens=((320, 200), (320, 256))),
    Machine(
        "pico-8", "PICO-8", "PICO-8 manual, 'Palette'",
        fixed=_hex(
            "000000 1d2b53 7e2553 008751 ab5236 5f574f c2c3c7 fff1e8 "
            "ff004d ffa300 ffec27 00e436 29adff 83769c ff77a8 ffccaa"
        ),
        at_once=16, screens=((128, 128),),
    ),
    Machine(
        "pico-8-secret", "PICO-8 with its second 16", "PICO-8 manual, 'Palette', colours 128..143",
        fixed=_hex(
            "000000 1d2b53 7e2553 008751 ab5236 5f574f c2c3c7 fff1e8 "
            "ff004d ffa300 ffec27 00e436 29adff 83769c ff77a8 ffccaa "
            "291814 111d35 422136 125359 742f29 49333b a28879 f3ef7d "
            "be1250 ff6c24 a8e72e 00b543 065ab5 754665 ff6e59 ff9d81"
        ),
        at_once=16, screens=((128, 128),),
    ),
)  # fmt: skip


def machine(name: str) -> Machine:
    """The machine called `name`.

    Raises:
        OptionError: no such machine.
    """
    for entry in MACHINES:
        if entry.id == name:
            return entry
    raise OptionError(
        f"no machine or palette {name!r}", "see `spriteface palette machines`, or give a file"
    )


def _gbc_lcd(raw: NDArray[np.int64]) -> U8:
    """5-bit channels (..., 3) as the Game Boy Color's screen mixes them."""
    r, g, b = raw[..., 0], raw[..., 1], raw[..., 2]
    mixed = np.stack([r * 26 + g * 4 + b * 2, g * 24 + b * 8, r * 6 + g * 4 + b * 22], axis=-1)
    return (np.minimum(mixed, 960) >> 2).astype(np.uint8)


def _gba_lcd(raw: NDArray[np.int64]) -> U8:
    """5-bit channels (..., 3) as the Game Boy Advance's dark first screen shows them."""
    r, g, b = ((raw[..., c] / 31.0) ** 4.0 for c in range(3))
    mixed = np.stack(
        [
            (50 * g + 255 * r) / 255,
            (30 * b + 230 * g + 10 * r) / 255,
            (220 * b + 10 * g + 50 * r) / 255,
        ],
        axis=-1,
    )
    shown: U8 = np.rint(np.clip(mixed ** (1 / 2.2) * (255 / 280), 0.0, 1.0) * 255.0).astype(
        np.uint8
    )
    return shown


def raw_to_screen(rgb: U8, name: str) -> U8:
    """Raw 5-bit colours in 8 bits (..., 3) as the screen of "gbc-lcd" or "gba-lcd" shows them."""
    raw = (rgb >> 3).astype(np.int64)
    return _gbc_lcd(raw) if machine(name).corrected == "gbc" else _gba_lcd(raw)


@cache
def all_colors(name: str) -> U8:
    """Every colour of a machine (N, 3), N up to 262144."""
    entry = machine(name)
    if entry.fixed is not None:
        return entry.fixed
    if entry.corrected:
        steps = np.arange(32)
        raw = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
        return _gbc_lcd(raw) if entry.corrected == "gbc" else _gba_lcd(raw)
    assert entry.levels is not None
    grid = np.meshgrid(*entry.levels, indexing="ij")
    return np.stack(grid, axis=-1).reshape(-1, 3).astype(np.uint8)


@cache
def color_codes(name: str) -> NDArray[np.int64]:
    """Every colour of a machine as sorted distinct 0xRRGGBB."""
    return np.unique(_codes(all_colors(name)))


def _codes(rgb: U8) -> NDArray[np.int64]:
    wide = rgb.astype(np.int64)
    codes: NDArray[np.int64] = wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]
    return codes


def contains(entry: Machine, rgb: U8) -> NDArray[np.bool_]:
    """Whether the machine can show each colour (..., 3), exactly."""
    if entry.levels is not None:
        has = np.zeros((3, 256), bool)
        for channel, levels in enumerate(entry.levels):
            has[channel, list(levels)] = True
        inside: NDArray[np.bool_] = has[0, rgb[..., 0]] & has[1, rgb[..., 1]] & has[2, rgb[..., 2]]
        return inside
    found: NDArray[np.bool_] = np.isin(_codes(rgb), color_codes(entry.id))
    return found


def snap(rgb: U8, entry: Machine) -> U8:
    """Each colour (N, 3) as the nearest one the machine can show, in Oklab."""
    from scipy.spatial import cKDTree

    from .color import oklab_from_u8

    colors = all_colors(entry.id)
    _, at = cKDTree(oklab_from_u8(colors)).query(oklab_from_u8(np.ascontiguousarray(rgb)))
    nearest: U8 = colors[at]
    return nearest


def palette_for(entry: Machine, rgba: U8, count: int = 0) -> Palette:
    """A palette that the machine could hold for an image: its fixed one, or one fitted to it.

    `count` is the number of colours; 0 takes what the machine has at once, at most 255.
    """
    if entry.fixed is not None and not count:
        return entry.palette()
    wanted = min(count or entry.at_once or 16, 255)
    fitted = snap(fit_colors(rgba, wanted), entry)
    keep = np.sort(np.unique(fitted, axis=0, return_index=True)[1])
    rgb = fitted[keep]
    colors = np.concatenate([rgb, np.full((len(rgb), 1), 255, np.uint8)], axis=1)
    return Palette(colors, None, f"{entry.title}, fitted")
