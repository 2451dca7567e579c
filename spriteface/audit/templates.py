"""Twenty-four 16x16 sprite faces that differ in everything but skin, which is a parameter.

Drawn by us from small layers (a face, hair, headwear, facial hair), so that the same template
in ten skin tones differs in its skin pixels and in nothing else: the paired design of the audit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import RGB, U8

# The ten tones of the Monk Skin Tone scale (Ellis Monk, 2019; skintone.google), light to dark.
MONK: tuple[RGB, ...] = (
    (0xF6, 0xED, 0xE4),
    (0xF3, 0xE7, 0xDB),
    (0xF7, 0xEA, 0xD0),
    (0xEA, 0xDA, 0xBA),
    (0xD7, 0xBD, 0x96),
    (0xA0, 0x7E, 0x56),
    (0x82, 0x5C, 0x43),
    (0x60, 0x41, 0x34),
    (0x3A, 0x31, 0x2A),
    (0x29, 0x24, 0x20),
)

# s skin, d its shade; o outline; h hair, H its shade; w white, i iris, m mouth; c cloth
_FACES = {
    "round": """
        ................
        ................
        ................
        ....ssssssss....
        ...ssssssssss...
        ...ssssssssss...
        ..ssssssssssss..
        ..sswisssswiss..
        ..sswisssswiss..
        ..ssssssssssss..
        ...sssssdssss...
        ...ssssssssss...
        ....ssmmmmss....
        .....ssssss.....
        ......sssd......
        ....cccccccc....
    """,
    "long": """
        ................
        ................
        ....ssssssss....
        ....ssssssss....
        ...ssssssssss...
        ...ssssssssss...
        ...siissssiis...
        ...swissssiws...
        ...ssssssssss...
        ...sssssdssss...
        ...sssssdssss...
        ....ssssssss....
        ....sssmmsss....
        ....ssssssss....
        ......ssdd......
        ...cccccccccc...
    """,
    "small": """
        ................
        ................
        ................
        ................
        ...ssssssssss...
        ..ssssssssssss..
        ..ssssssssssss..
        ..ssiissssiiss..
        ..sswissssiwss..
        ..sswissssiwss..
        ..ssssssssssss..
        ...sssssssssd...
        ....sssmmsss....
        .....ssssss.....
        ....cccddccc....
        ...cccccccccc...
    """,
}

_HAIR = {
    "bald": "",
    "short": """
        ................
        ....hhhhhhhh....
        ...hhhhhhhhhh...
        ..hhhHhhhhHhhh..
        ..hhh......hhh..
        ..hh........hh..
        ..h..........h..
    """,
    "long": """
        ................
        ....hhhhhhhh....
        ...hhhhhhhhhh...
        ..hhhhHhhhhhhh..
        ..hhhh....hhhh..
        .hhh........hhh.
        .hh..........hh.
        .hh..........hh.
        .hH..........Hh.
        .hh..........hh.
        .hhh........hhh.
        .hhh........hhh.
        .hHhh......hhHh.
        .hhhh......hhhh.
        ..hhh......hhh..
    """,
    "afro": """
        ....hhhhhhhh....
        ..hhhhhhhhhhhh..
        .hhhHhhhhhhHhhh.
        .hhhhhhhhhhhhhh.
        hhhhhh....hhhhhh
        hhh..........hhh
        hh............hh
        .h............h.
    """,
    "fringe": """
        ................
        ....hhhhhhhh....
        ...hhhhhhhhhh...
        ..hhhhhhhhhhhh..
        ..hhhhhHhhhhhh..
        ..hhhhh.hhhhhh..
        ..hh........hh..
        ..hh........hh..
        ..h..........h..
    """,
}

_HEADWEAR = {
    "none": "",
    "cap": """
        ....aaaaaaaa....
        ...aaaaaaaaaa...
        ..aaaaaawaaaaa..
        ..aaaaaaaaaaaa..
        .AAAAAAAAAAAAAA.
    """,
    "band": """
        ................
        ................
        ................
        ................
        ..aaaaaaaaaaaa..
        ..AAAAAAAAAAAA..
    """,
    "helmet": """
        .....aaaaaa.....
        ...aawaaaaaaa...
        ..aaaaaaaaaaaa..
        ..aaaaaaaaaaaa..
        .aaAAAAAAAAAAaa.
        .aa..........aa.
        .aa..........aa.
        .aa..........aa.
        .aA..........Aa.
    """,
}

_BEARD = {
    "none": "",
    "moustache": "\n" * 11
    + """
        ....hhhhhhhh....
    """,
    "full": "\n" * 10
    + """
        ..h..........h..
        ..hhhhhhhhhhhh..
        ...hhhmmmmhhh...
        ....hhhhhhhh....
        .....hhhhhh.....
    """,
}

_HAIR_COLORS: tuple[RGB, ...] = (
    (38, 28, 26),
    (96, 58, 32),
    (214, 170, 84),
    (168, 70, 34),
    (190, 190, 196),
)
_CLOTH: tuple[RGB, ...] = ((190, 40, 44), (44, 120, 60), (52, 84, 170), (110, 60, 130))


@dataclass(frozen=True)
class Template:
    """One face without its skin tone."""

    name: str
    face: str
    hair: str
    headwear: str
    beard: str
    hair_color: RGB
    cloth_color: RGB

    def draw(self, skin: RGB) -> U8:
        """(16, 16, 4) uint8 with skin of the given base colour and one darker shade of it."""
        hair, cloth = np.array(self.hair_color), np.array(self.cloth_color)
        colors = {
            "s": np.array(skin),
            "d": np.array(skin) * 0.82,
            "h": hair,
            "H": hair * 0.78,
            "w": np.array((238, 238, 232)),
            "i": np.array((34, 26, 30)),
            "m": np.array((168, 62, 62)),
            "c": cloth,
            "a": cloth,
            "A": cloth * 0.72,
        }
        out = np.zeros((16, 16, 4), np.uint8)
        for layer in (
            _FACES[self.face],
            _HAIR[self.hair],
            _BEARD[self.beard],
            _HEADWEAR[self.headwear],
        ):
            for y, row in enumerate(_rows(layer)):
                for x, code in enumerate(row):
                    if code in colors:
                        out[y, x] = (*np.rint(colors[code]).astype(int), 255)
        return out


def _rows(layer: str) -> list[str]:
    rows = [line.strip() for line in layer.split("\n")]
    while rows and not rows[0] and len(rows) > 1 and rows[1]:
        rows.pop(0)
    return rows[:16]


def templates() -> list[Template]:
    """The 24 templates, always the same ones in the same order."""
    shapes = [
        ("short", "none", "none"),
        ("long", "none", "none"),
        ("afro", "none", "none"),
        ("fringe", "none", "none"),
        ("bald", "none", "full"),
        ("short", "cap", "moustache"),
        ("long", "band", "none"),
        ("bald", "helmet", "none"),
    ]
    out = []
    for i in range(24):
        hair, headwear, beard = shapes[i % 8]
        face = list(_FACES)[(i // 8 + i) % 3]
        hair_color, cloth_color = _HAIR_COLORS[(i * 3 + i // 8) % 5], _CLOTH[(i + i // 8) % 4]
        out.append(
            Template(
                f"{i:02d}-{face}-{hair}-{headwear}-{beard}",
                face,
                hair,
                headwear,
                beard,
                hair_color,
                cloth_color,
            )
        )
    return out
