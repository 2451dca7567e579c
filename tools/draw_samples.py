"""Draw every picture in samples/, from pixel maps in this file, bit for bit.

The samples are source code: a character of a map is a colour of the palette beneath it and,
at the same time, the ground truth of what that pixel shows (`LABELS`), so that the tests of the
reader need no hand-made masks. The PNG encoder is written out here because the compressed bytes
of an image library change with its version; ours has fixed chunks and fixed filters, and the
test compares what is inside them.

    python tools/draw_samples.py                       # writes samples/
    python tools/draw_samples.py --overview faces.png  # and all small faces enlarged
"""

from __future__ import annotations

import argparse
import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
Color = tuple[int, int, int]
Ramp = Mapping[str, Color]

# ---------------------------------------------------------------------------------- palettes
# Ramps run from light to dark and shift in hue on the way: skin and gold towards red and
# purple, cloth towards blue, as light and shadow do under a sky.
# L light, S base, s shade, d deep shade, P blush or warm cheek.


def skin(light: Color, base: Color, shade: Color, deep: Color, blush: Color) -> Ramp:
    return {"L": light, "S": base, "s": shade, "d": deep, "P": blush}


PORCELAIN = skin((255, 236, 216), (250, 208, 180), (226, 158, 138), (166, 92, 96), (244, 164, 148))
FAIR = skin((255, 226, 190), (246, 194, 150), (216, 142, 108), (150, 82, 78), (238, 150, 120))
GOLDEN = skin((255, 224, 176), (240, 192, 138), (206, 144, 98), (140, 84, 72), (234, 154, 116))
OLIVE = skin((236, 186, 136), (212, 152, 104), (170, 106, 78), (112, 62, 60), (206, 122, 92))
BROWN = skin((196, 128, 84), (162, 98, 64), (120, 66, 52), (78, 40, 44), (170, 82, 62))
DEEP = skin((150, 96, 70), (116, 68, 52), (84, 46, 44), (54, 28, 36), (128, 60, 54))


def hair(light: Color, base: Color, dark: Color) -> Ramp:
    return {"h": light, "H": base, "n": dark}


BLACK_HAIR = hair((84, 84, 116), (42, 40, 58), (22, 18, 32))
COILY_BLACK = hair((86, 64, 66), (48, 34, 42), (26, 16, 28))
BROWN_HAIR = hair((160, 98, 54), (108, 60, 38), (64, 32, 32))
AUBURN = hair((236, 130, 60), (184, 78, 40), (112, 40, 40))
BLOND = hair((255, 238, 150), (234, 184, 84), (160, 104, 60))
GREY_HAIR = hair((246, 246, 250), (200, 202, 216), (128, 128, 156))
BLUE_HAIR = hair((120, 176, 250), (62, 104, 214), (36, 48, 130))


def cloth(letters: str, light: Color, base: Color, dark: Color, deep: Color) -> Ramp:
    """A ramp of four under the given four letters, e.g. "VWwx"."""
    return dict(zip(letters, (light, base, dark, deep), strict=True))


RED = ((255, 110, 90), (218, 46, 52), (158, 24, 56), (92, 16, 48))
GREEN = ((146, 208, 90), (72, 152, 66), (38, 104, 70), (22, 62, 60))
VIOLET = ((134, 122, 230), (84, 70, 182), (56, 42, 132), (34, 24, 84))
STEEL = ((232, 240, 250), (168, 182, 204), (110, 122, 154), (66, 72, 104))
ORANGE = ((255, 200, 96), (240, 146, 50), (196, 92, 44), (128, 52, 48))
TEAL = ((120, 208, 196), (52, 148, 152), (32, 100, 120), (24, 62, 84))

EYES = {"e": (34, 24, 44), "o": (252, 250, 246)}
GOLD = {"A": (255, 212, 84), "a": (206, 138, 48)}
INK = (44, 22, 40)


def pal(*ramps: Ramp, **single: Color) -> dict[str, Color]:
    """One palette from ramps and single colours; eyes and ink unless overruled."""
    out: dict[str, Color] = {"K": INK, **EYES}
    for ramp in ramps:
        out |= ramp
    return out | single


# What a map's character shows. A drawing may say otherwise for its own letters.
LABELS = {
    **dict.fromkeys("LSsdP", "skin"),
    **dict.fromkeys("hHn", "hair"),
    **dict.fromkeys("VWwxXAaJj", "headwear"),
    **dict.fromkeys("eoi", "eye"),
    "B": "brow",
    **dict.fromkeys("Mm", "mouth"),
    **dict.fromkeys("Ffg", "facial_hair"),
    **dict.fromkeys("CcE", "clothing"),
    "G": "glasses",
    "K": "outline",
}


@dataclass(frozen=True)
class Drawing:
    """A pixel map: rows of equal length, '.' transparent, every other letter in `palette`."""

    name: str
    shows: str
    rows: tuple[str, ...]
    palette: Mapping[str, Color]
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        widths = {len(row) for row in self.rows}
        assert len(widths) == 1, (self.name, [(i, len(r)) for i, r in enumerate(self.rows)])
        missing = set("".join(self.rows)) - set(self.palette) - {"."}
        assert not missing, (self.name, missing)


DRAWINGS: list[Drawing] = []


def draw(
    name: str,
    shows: str,
    art: str,
    palette: Mapping[str, Color],
    *,
    labels: Mapping[str, str] | None = None,
) -> None:
    rows = tuple(art.strip("\n").split("\n"))
    DRAWINGS.append(Drawing(name, shows, rows, palette, labels or {}))


draw(
    "plumber",
    "a plumber in a red cap, with a moustache",
    """
.....KKKKKK.....
...KKVVWWWWKK...
..KVVVWAAWWWwK..
.KVVWWWAaWWWwwK.
.KWWWWWWWWWwwwK.
KxwwwwwwwwwwwwxK
.KKKKKKKKKKKKKK.
.nHdBBBddBBBdHn.
.HHSSSSSSSSSSHn.
KSHLSoeSSeoSsHsK
KsSLSoeSSeoSsSdK
.KsSPSSLLSSPsdK.
..KsFFFLsFFFdK..
..KFFfFFFFgFFK..
...KsSSMMSSdK...
....KKdddKKK....
""",
    pal(
        FAIR, BROWN_HAIR, cloth("VWwx", *RED), GOLD,
        B=(84, 44, 34), F=(104, 56, 36), f=(156, 92, 54), g=(70, 36, 34), M=(176, 62, 62),
    ),
)  # fmt: skip

draw(
    "elf_hero",
    "a blond elf hero in a green pointed cap",
    """
.......KKKK.....
.....KKVVWWKK...
....KVVWWWWWwK..
...KVWWWWWWWwwK.
..KVWWWWWWWWwwwK
..KxxwwwwwwxxKwK
KKKhHhhHHHHHnKKK
KLKhHSHHHSHHnKsK
KLSHSLSSSSSHnSsK
.KSSSSSSSSSSSsK.
..KSoiSSSSiosK..
..KsoeSSSSeosK..
..nKLSSLsSSsKn..
..n.KSSMMSSK.n..
....KKsSSsKK....
...CCCKddKccc...
""",
    pal(
        PORCELAIN, BLOND, cloth("VWwx", *GREEN),
        i=(60, 120, 214), M=(206, 90, 90), C=(72, 152, 66), c=(38, 104, 70),
    ),
)  # fmt: skip

draw(
    "afro_hero",
    "a dark-skinned hero with an afro",
    """
.....nnnnnn.....
...nnHHhHHHnn...
..nHHhHHhHHHHn..
.nHhHHHHHHhHHHn.
.nHHHhHHHHHHhHn.
nHhHHHHhHHHHHHHn
nHHHhSSSSSSHHhHn
nHHSBBSSSSBBsHHn
nHHSSLSSSSSSsHHn
.nHSLoeSSeoSsHn.
.nHSSoeSSeoSsHn.
.AndSSSSSSSSdnA.
...dSLSssSSsd...
...dsSSMMSSsd...
....ddsSSsdd....
..CCCCddddcccC..
""",
    pal(
        BROWN, COILY_BLACK, B=(40, 24, 32), M=(146, 62, 62), C=(250, 190, 60), c=(206, 120, 50), A=(255, 212, 84),
    ),
    labels={"A": "accessory"},
)  # fmt: skip

draw(
    "princess",
    "a princess with a golden crown",
    """
....A..AA..A....
....AaAJJAaA....
....aAAjJAAa....
...nHHhhhhHHn...
..nHhhHHHHhHHn..
..HhHHSHHSHHHn..
.nHhHSSSSSSHHHn.
.nHHBBSSSSBBHHn.
.HHSSLSSSSSSSHn.
.HHSeeSSSSeeSHn.
.HhSoiSSSSioSHn.
.nHPoiSSSSioPHn.
.nHHSSSLsSSSHHn.
nHhHsSSMMSSdHHnn
nHHnKsSSSSdKnHHn
.nnCCCKssKCCCnn.
""",
    pal(
        PORCELAIN, BLOND, GOLD, J=(120, 214, 250), j=(50, 120, 210), i=(58, 132, 92),
        B=(160, 104, 60), M=(220, 76, 96), C=(240, 130, 180),
    ),
)  # fmt: skip

draw(
    "wizard",
    "an old wizard with a white beard and a pointed hat",
    """
.........KK.....
.......KKWVK....
......KVWWwK....
.....KVWAWwwK...
....KVWWWWWwK...
...KVWWWWAWwwK..
..KaAAAAAAAAaaK.
KKVWWWWWWWWWWwKK
.KKxxxxxxxxxxKK.
..fFSSSSSSSSFg..
..fBBBSSSSBBBg..
..FSoeSSSSeoSg..
..FfSSPLsPSSFg..
..FFfFFFFFFfFg..
..gFFFfMMfFFgg..
...gFfFFFFfFg...
""",
    pal(
        FAIR, cloth("VWwx", *VIOLET), GOLD, F=(226, 228, 238), f=(252, 252, 255),
        g=(158, 160, 188), B=(252, 252, 255), M=(170, 78, 78),
    ),
)  # fmt: skip

draw(
    "knight",
    "a knight in an open helmet with a red plume",
    """
.......RRRr.....
......RRrrRr....
....KKKVWKKKr...
..KKVVWVWWwwKK..
.KVVVWWVWWWwwwK.
.KVVWWWVWWWWwwK.
.KVWKKKKKKKKwwK.
.KWKsBBssBBsKxK.
.KWKSSSSSSSsKxK.
.KWKLoeSSeosKxK.
.KWKSoeSSeosKxK.
.KVWKSSLsSSKwxK.
.KWWKsSMMSdKxxK.
..KWWKKssKKwxK..
...KWWWVWwwxK...
....KKKKKKKK....
""",
    pal(
        GOLDEN, cloth("VWwx", *STEEL), R=(226, 56, 60), r=(150, 26, 60), B=(84, 48, 44),
        M=(176, 76, 70),
    ),
    labels={"R": "headwear", "r": "headwear"},
)  # fmt: skip

draw(
    "pirate",
    "a pirate with a red bandana, an eye patch and a black beard",
    """
....KKKKKKKK....
..KKVVWWWWWWKK..
.KVVWyWWWWyWwwK.
.KVWWWWWyWWWwwKK
.KWWWyWWWWWywwwK
.KxwwwwwwwwwwxKw
..KHSSSSSSSGGHKK
..HSBBBSSSGGSHn.
.SHLSSSSSGGSSHS.
.sSSoeSSGGGGSSs.
.ASSoeSSGGGGSsd.
..sSLSSLsGGSsd..
..FsSSFFFFSSsF..
..FFFFFMMFFFFF..
...FFFSmmSFFF...
....gFFFFFFg....
""",
    pal(
        OLIVE, BLACK_HAIR, cloth("VWwx", *RED), GOLD, G=(30, 22, 34), B=(42, 30, 40), y=(255, 246, 232),
        F=(66, 46, 52), g=(38, 26, 38), M=(164, 68, 62), m=(186, 96, 78),
    ),
    labels={"G": "mask", "y": "headwear"},
)  # fmt: skip

draw(
    "child",
    "a freckled child with auburn hair",
    """
.......hH.......
....nnHhHHnn....
...nHhhHHHHHn...
..nHhHHHHHHHHn..
.nHhHHHHHHHHHHn.
.nHHHSHHSHHSHHn.
.nHHSSSHSSSSHHn.
.nHSBBSSSSBBsHn.
.KSLSSSSSSSSSSK.
.SSSoiSSSSioSSs.
.KSSoeSSSSeoSSK.
..sPSSSSSSSSPs..
..KSPSSSsSSPSK..
...KsSmMMmSsK...
....KKssssKK....
...CCCCddCCCC...
""",
    pal(
        PORCELAIN,
        AUBURN,
        i=(70, 120, 80),
        B=(150, 70, 50),
        M=(190, 60, 70),
        m=(226, 132, 116),
        C=(82, 160, 216),
    ),
)

draw(
    "bob_heroine",
    "a young woman with a black bob and a red hair clip",
    """
.....nnnnnn.....
...nnHHHHHHnn...
..nHHhhhHHHHHn..
.nHHhHHhhHHHHHn.
.nHhHHHHHHHHRRn.
.nHHHHHHHHHHHRn.
.nHHHHHHHHHHHHn.
.nHHSHHHSHHSHHn.
.nHSLSSSSSSSsHn.
.nHeeeSSSSeeeHn.
.nHSoiSSSSioSHn.
.nHPoiSSSSioPHn.
.nHHPSSLsSSPHHn.
..nHsSSMMSSsHn..
..nn.KssssK.nn..
...CCCKssKCCC...
""",
    pal(GOLDEN, BLACK_HAIR, R=(236, 60, 70), i=(70, 40, 44), M=(206, 70, 80), C=(236, 240, 246)),
    labels={"R": "accessory"},
)

draw(
    "hijab_archer",
    "an archer in a teal hijab, an arrow over the shoulder",
    """
.............RyR
....KKKKKKK..RyR
...KVVWWWWWKKra.
..KVWWWWWWWwwKa.
.KVWWKKKKKKWwwK.
.KVWKSSSSSSsKwK.
.KWKBBSSSSBBsKxK
.KWKSLSSSSSSsKxK
.KWKSoeSSeoSsKxK
.KWKLoeSSeosdKxK
.KWKSPSSSSPsdKxK
.KWWKSSLsSSdKwxK
.KVWWKsMMsdKwwxK
..KVWWKKKKKwwxK.
..KKVVWWWWwwxKK.
.KWWWwwwwwwxxxK.
""",
    pal(
        BROWN,
        cloth("VWwx", *TEAL),
        GOLD,
        y=(252, 250, 246),
        B=(58, 32, 38),
        M=(164, 66, 66),
        R=(224, 70, 64),
        r=(150, 40, 60),
    ),
    labels={"a": "accessory", "y": "accessory", "R": "accessory", "r": "accessory"},
)

draw(
    "spiky_hero",
    "a hero in profile with spiky blue hair and a red headband",
    """
..n.....nn..n...
..nH..nnHHnnHn..
...HHnHhHHHHHHn.
.nnHHhhHHHHHHHHn
..nHhHHHHHHHHHn.
nHHHHHHHHHHHHHn.
.nHHRRRRRRRRRRr.
.RrHrRRRRRRRRRr.
R.nHHHHSSSSSSL..
r.nHHnSSSSBBBS..
..nHsdSSSSoeSS..
...nssSSSSoeSSL.
....nsSSSSSSSSS.
....KssSSSSSMM..
.....dssSSSSS...
...CCCddss......
""",
    pal(
        FAIR,
        BLUE_HAIR,
        R=(228, 60, 56),
        r=(150, 26, 54),
        B=(36, 48, 130),
        M=(190, 80, 76),
        C=(236, 236, 242),
    ),
    labels={"R": "headwear", "r": "headwear"},
)

draw(
    "grandmother",
    "a grandmother with a grey bun and round glasses",
    """
......nnnn......
.....nHhHHn.....
.....nHHHHn.....
...nnnnHHnnnn...
..nHhhHhHHHHHn..
.nHhHHHHHHHHHHn.
.nHHHSHHHHSHHHn.
.nHHBBSSSSBBHHn.
.nSLSSSSSSSSSsn.
.SSGGGSSSSGGGSs.
.sGoeoGGGGoeoGs.
.dGoeoGSSGoeoGd.
..sGGGSLsSGGGd..
..dsPSSSSSSPsd..
...ddsMMMMsdd...
...CCCAAAACCC...
""",
    pal(
        PORCELAIN,
        GREY_HAIR,
        GOLD,
        G=(150, 92, 70),
        B=(168, 164, 186),
        M=(190, 84, 92),
        C=(134, 90, 160),
    ),
    labels={"A": "accessory"},
)

draw(
    "turban_scholar",
    "a scholar in an orange turban with a full black beard",
    """
.....KKKKKK.....
...KKVVWWWWKK...
..KVVWWVVWWWwK..
.KVVWWVWWVWWWwK.
.KVWWVWWWWVWwwK.
KVWWVWWWWWWVwwxK
KWWwwwwwwwwwwwxK
.KxxBBBssBBBxxK.
..FSSSSSSSSSsF..
..FLSoeSSeoSsF..
..FSSoeSSeoSsF..
..FFSSSLsSSsFF..
..FfFFFFFFFFFF..
..gFFFSMMSFFFg..
...gFfFFFFFFg...
.....gggggg.....
""",
    pal(
        OLIVE, cloth("VWwx", *ORANGE), F=(52, 40, 52), f=(84, 70, 84), g=(30, 20, 34),
        B=(40, 26, 38), M=(166, 74, 68),
    ),
)  # fmt: skip


draw(
    "viking",
    "a viking in a horned helmet, with a plaited red beard",
    """
.I............I.
II.....KK.....JI
IJ...KKVWKK...JJ
KIJKKVVWWwwKKJJK
.KKKVVWWWWwwKKK.
..KVVWWWWWWwwK..
..KaAAAAAAAAaK..
..FHBBBssBBBHF..
..FSSSSSSSSSsF..
..FLoiSSSSioSF..
..FSoeSSSSeosF..
..FPSSSLsSSSPF..
..FfFFFFFFFfFg..
..gFFfMMMMFFgg..
...gFfFFFFFgg...
....gFg..gFg....
""",
    pal(
        FAIR, AUBURN, cloth("VWwx", *STEEL), GOLD, F=(206, 98, 48), f=(244, 150, 74),
        g=(140, 56, 44), B=(150, 66, 44), M=(150, 56, 60), i=(74, 132, 190),
        I=(250, 240, 214), J=(206, 176, 138),
    ),
    labels={"I": "headwear"},
)  # fmt: skip

draw(
    "gameboy_scout",
    "a scout with a ponytail, in the four greens of an early handheld, on an opaque ground",
    """
GGGGGGGGGGGGGGGG
GGGGKKKKKKGGGGGG
GGKKHHHHHHKKGGGG
GKHHhhHHHHHHKGGG
GKHhHHHHHHHHKKKG
KHHHHHHHHHHHHKHK
KHHHHHHHHHHHHKHK
KHHHSHHHHSHHHKHK
KHHSSSSSSSSHHKHK
KHSeeSSSSeeSHKHK
KKSSeSSSSeSSKKHK
GKSSeSSSSeSSKGKG
GKssSSSSSSssKGGG
GGKSSSMMSSSKGGGG
GGGKKSSSSKKGGGGG
GGKCCKssKCCKGGGG
""",
    {
        **dict.fromkeys("Sh", (196, 207, 161)), **dict.fromkeys("Gs", (139, 149, 109)),
        **dict.fromkeys("HCM", (77, 83, 60)), **dict.fromkeys("Ke", (31, 31, 31)),
    },
    labels={"G": "background"},
)  # fmt: skip


draw(
    "old_sailor",
    "an old sailor with a navy cap and a white beard",
    """
................................
...........WWWWWWWWWw...........
........WWVVVVVVWWWWWwwx........
.......WVVVVVVVAAWWWWWwwx.......
......WVVVVVVVAaaAWWWWwwwx......
.....WWVVVVVVVVAAWWWWWwwwxx.....
.....WWVVVVVVVAVAaWWWWwwwxx.....
.....WWaAAAAAAAAaAAAAAaaaxx.....
......xxxxxxxxxxxxxxxxxxxx......
......kjjjjjkkkkkkkkkkKKKK......
.......KkkjkkkkkkkkKKKKKK.......
........fsddKKKKKKKKddsg........
.......FffFFfsSSSssfFFFGg.......
.....sSFGSSGFSSSSSsFGssGgsd.....
.....LSSSeeeeSSLSsseeeesdsd.....
.....SPSSdoieSSLSsseiodsdPd.....
.....sPSPSddsSSLSsssddsPdpd.....
......sfPPSSSSLLPsdsssPpgd......
.......ffPSSsPLPPpdssPGGg.......
.......fFfffffdpPdGFFFGGg.......
.......FfffFFFffFFFFFFGGg.......
.......FfFFGGmmmmmmGGFFGg.......
.......FFfFFFGsPPsGFFFGGg.......
.......FfFFfFFGGGGFFFGFGg.......
.......FFFfFFfFFFFGFGFGgg.......
........FFfFFFFfFGFFGGgg........
........GFFfFFfFFGFGGGgg........
.........GFFFFFFGFGGgGg.........
......CEEEGFFFGFGGGgGgCCcc......
....CEEEEEEGGFGGGggGgCCCCccc....
...CEEEEEEEEEgGgGggCCCCCCcccc...
..CEEEEEEEEEECgggCCCCCCCCccccc..
""",
    {
        "L": (250, 200, 152), "S": (226, 156, 112), "s": (188, 112, 88), "d": (132, 70, 68),
        "P": (226, 122, 98), "p": (176, 84, 78), "f": (255, 255, 255), "F": (222, 226, 236),
        "G": (170, 176, 202), "g": (110, 114, 150), "e": (34, 24, 44), "o": (250, 248, 240),
        "i": (80, 140, 190), "m": (96, 46, 60), "A": (255, 214, 96), "a": (206, 138, 48),
        "E": (112, 132, 196), "C": (58, 76, 142), "c": (36, 46, 98), "V": (112, 132, 196),
        "W": (58, 76, 142), "w": (36, 46, 98), "x": (24, 28, 64), "K": (20, 16, 32), "k": (44, 40, 60), "j": (110, 106, 130),
    },
    labels=dict.fromkeys("Gg", "facial_hair") | dict.fromkeys("Kk", "headwear") | {"p": "skin"},
)  # fmt: skip

draw(
    "braids_woman",
    "a dark-skinned woman with long braids, golden beads and earrings",
    """
................................................
................................................
................................................
...................nnnnnnnnnn...................
.................nnhHHnnhhHHnnn.................
...............nnnnhhHnnhhHnnHHnn...............
..............nnHnnhhHnnhhHnnHHnnn..............
.............nnhHHnhhHSSSSHnnhHHnHn.............
............nnnhhHnLLSSSSSSSShHnnHnn............
...........nnHnnhLLLLSSSSSSSSSsnHHnnn...........
...........nhhHnLLLLLLSSSSSSSSssHnnnn...........
..........nnnhHLLLLLLLSSSSSSSSsssnnHnn..........
..........nhHnhLLLLLLLSSSSSSSSsssnHnnn..........
.........nnhhHLLLLLLLSSSSSSSSSssssnnHnn.........
.........nnHhHLLLLLLLSSSSSSSSSssssnHnnn.........
.........nnhHSLLLLLLSSSSSSSSSSsssssnnnn.........
.........nhnhSLLbBBBbSSSSSSbBBBbsssnHnn.........
........hHHhHSbBBbSbbSSSSSSbbsbBBbsnnnHH........
........HHnHnSSSSSSSSSSSSSSSSssssssHnHhn........
........nhHhnSSSeeeeeSSSSSSeeeeessdHnHnH........
........HnHnHSSeoiyieSLsSdSeiyioesdnHHHh........
.......hHHnnnSeowieiwSLsSdSwieiowedHHHnHH.......
.......HHnHnHSSSsdddSSLSSdSsdddssDDhnHHhn.......
.......nhHHhHSSSSSSSSSLSSdSssssssDDHHHHnH.......
.......HnHHHHnSPPSSSSSLLSdsssssppDHhnnHHh.......
.......hHHnnhHPPPSSSSsLLSSdsssspppHnHHnHH.......
.......HHnHHnHSPPSSSSSSLSSdssssppDHHhHHhn.......
.......nhHHhAHSSSSSSdDssdDDDssssDDnAHHHnH.......
......HnHH.HAndSSSSSSSsssssssssdDDHan.nHHh......
......hHHn.naHHSSSSSssssssssssddDHHaH.HnHH......
......HHnH.HnHHssssssMMmMMmsssdDDnHHh.HHhn......
......nhHH.hHHnnssssmqqqqqqqsddDnHnHH.HHnH......
......HnHHHHnH.nsssssRRRMMmsddDDn.HHhnnHHh......
......hHHnnhHH...sssssmmmmsdddD...HHnHHnHH......
......HHnHHnHH.....ssssssdddd.....nHHhHHhn......
.....nhHH.hHHn.....DDDsdddDDD.....HnHH.HHnH.....
.....HnHH.HHnH.....DDDDDDDDDD.....HHhn.nHHh.....
.....hHHn.nhHH.....SSDDDDDDDD.....HHnH.HnHH.....
.....HHnH.HnHH.....SSSSsDDDDD.....nHHh.HHhn.....
.....nhHH.hHHn.....SSSSsssddD.....HnHH.HHnH.....
.....HnHH.HHnH...SSSSSssssddddd...HHhn.nHHh.....
.....AAa..nhHH...SSSsssssdddddd...HHnH.AAa......
.....nn...HnHHCEESssssssdddddddCCcnHHh...nn.....
.....Hn..AAaEEEEEssssssddddddddCCCcAAa...Hn.....
......n...nnEEEEEEsssdddddddddCCCCCcnn....n.....
........CEHnEEEEEEEEddddddddCCCCCCCCHncc........
.......CEEEnEEEEEEEEEEEEEEECCCCCCCCCcnccc.......
......CEEEEEEEEEEEEEEEEEEECCCCCCCCCCcccccc......
""",
    {
        "L": (196, 132, 96), "S": (158, 96, 68), "s": (126, 72, 58), "d": (94, 50, 50),
        "D": (62, 32, 42), "P": (172, 88, 70), "p": (118, 58, 54), "h": (96, 72, 84),
        "H": (58, 42, 56), "n": (28, 20, 34), "e": (24, 14, 28), "o": (250, 246, 240),
        "w": (206, 196, 206), "i": (96, 52, 36), "y": (255, 255, 255), "b": (82, 46, 46),
        "B": (38, 22, 32), "M": (150, 58, 66), "m": (110, 40, 54), "q": (60, 20, 38),
        "R": (196, 96, 92), "A": (255, 214, 96), "a": (206, 138, 48), "E": (255, 206, 92),
        "C": (238, 158, 52), "c": (190, 98, 48),
    },
    labels=dict.fromkeys("Dp", "skin") | dict.fromkeys("wy", "eye") | {"b": "brow"}
    | dict.fromkeys("qR", "mouth") | dict.fromkeys("Aa", "accessory"),
)  # fmt: skip


def paint(drawing: Drawing) -> U8:
    """(H, W, 4) uint8 straight RGBA."""
    out = np.zeros((len(drawing.rows), len(drawing.rows[0]), 4), np.uint8)
    for y, row in enumerate(drawing.rows):
        for x, letter in enumerate(row):
            if letter != ".":
                out[y, x] = (*drawing.palette[letter], 255)
    return out


# ------------------------------------------------------------------ a character and her world
TRAVELLER = pal(
    FAIR, AUBURN, cloth("VWwx", *TEAL), GOLD,
    i=(64, 110, 190), M=(196, 74, 78), R=(70, 100, 206), r=(44, 58, 140), U=(120, 84, 66),
    u=(168, 122, 84), D=(100, 56, 44), b=(60, 34, 40), K=(40, 20, 44),
)  # fmt: skip

HEAD_FRONT = """
.....nnnnnn.....
...nnHHhhHHnn...
..nHHhhhHHHHHn..
.nHHhHHHHHHHHHn.
.nHHHHHHHHHHHHn.
.nRRRRRRRRRRRRn.
.nrRRRRRRRRRRrn.
.nHHHSHHSHHSHHn.
.nHHSSSHSSSSHHn.
.KSHSLSSSSSSHSK.
.SSSoiSSSSioSSs.
.KsSoeSSSSeosSK.
..KPSSSSSSSSPK..
..nKSSSMMSSSKn..
....KKsSSsKK....
......KddK......
"""
HEAD_SIDE = """
....nnnnnnn.....
..nnHHhhHHHnn...
.nHHhhHHHHHHHn..
.nHhHHHHHHHHHHn.
nHHHHHHHHHHHHHn.
nRRRRRRRRRRRRRn.
RrRRRRRRRRRRRRK.
rRnHHHHHHSHHSK..
.rnHHHHSHSSSSK..
..nHHSsHSSSoiSK.
..nnHssSSSSoeSSK
...nnHSSSSSSSSK.
....nKSSSPSSMMK.
.....KsSSSSSSK..
......KKssSKK...
.......KddK.....
"""
BODY_FRONT = """
....KVVWWWwK....
...KVAAWWAAwK...
..KoVWWAAWWwoK..
..KoKWWWWWwKoK..
..KoKVWWWWwKoK..
..KSKaAAAAaKSK..
...KVWWWWWWwK...
...KVWWWWWwwK...
...KKwwwwwwKK...
"""
LEGS_FRONT = """
....KuUKKuUK....
....KuUKKuUK....
....KUUKKUUK....
....KDDKKDDK....
...KDDDKKDDDK...
...KbbbKKbbbK...
....KKK..KKK....
"""
LEGS_FRONT_STEP = """
....KuUKKuUK....
....KuUKKUUK....
....KuUKKDDK....
....KDDKKDDDK...
...KDDDKKbbbK...
...KbbbK.KKK....
....KKK.........
"""
BODY_SIDE = """
.....KVWWwK.....
....KVAAWAwK....
....KVWooWwK....
....KWKooKwK....
....KVKooKwK....
....KaKSSKaK....
....KVWKKWwK....
....KVWWWWwK....
....KKwwwwKK....
"""
LEGS_SIDE = """
.....KuUUK......
.....KuUUK......
.....KUUUK......
.....KDDDKK.....
.....KDDDDK.....
.....KbbbbK.....
......KKKK......
"""
LEGS_SIDE_STEP = """
....KuUKKuUK....
...KuUK..KUUK...
..KUUK....KDDK..
.KDDDK...KDDDDK.
.KDbK....KbbbbK.
..KK......KKKK..
................
"""


def paint_text(art: str, palette: Mapping[str, Color]) -> U8:
    return paint(Drawing("", "", tuple(art.strip("\n").split("\n")), palette))


def figure(*parts: str) -> U8:
    """A character 16 wide, its parts one beneath the other."""
    return np.concatenate([paint_text(part, TRAVELLER) for part in parts])


def over(canvas: U8, picture: U8, x: int, y: int) -> None:
    """Lay `picture` (alpha 0 or 255) on `canvas` at (x, y), cut at the edges."""
    h, w = canvas.shape[:2]
    x0, y0 = max(x, 0), max(y, 0)
    part = picture[y0 - y : h - y, x0 - x : w - x]
    place = canvas[y0 : y0 + part.shape[0], x0 : x0 + part.shape[1]]
    seen = part[..., 3] > 0
    place[seen] = part[seen]


SHEET_KEY = (255, 0, 255)
CELL = (24, 32)


def character_sheet() -> U8:
    """(32, 96, 4): four poses in cells of 24x32 on a key colour, no alpha."""
    poses = [
        (HEAD_FRONT, BODY_FRONT, LEGS_FRONT),
        (HEAD_FRONT, BODY_FRONT, LEGS_FRONT_STEP),
        (HEAD_SIDE, BODY_SIDE, LEGS_SIDE),
        (HEAD_SIDE, BODY_SIDE, LEGS_SIDE_STEP),
    ]
    sheet = np.empty((CELL[1], CELL[0] * len(poses), 4), np.uint8)
    sheet[:] = (*SHEET_KEY, 255)
    for i, pose in enumerate(poses):
        over(sheet, figure(*pose), i * CELL[0] + 4, 0)
    return sheet


BRICK = """
bbbbbbbdbbbbbbbd
mmmmmmmdmmmmmmmd
mmmmmmmdmmmmmmmd
dddddddddddddddd
bbbdbbbbbbbdbbbb
mmmdmmmmmmmdmmmm
mmmdmmmmmmmdmmmm
dddddddddddddddd
bbbbbbbdbbbbbbbd
mmmmmmmdmmmmmmmd
mmmmmmmdmmmmmmmd
dddddddddddddddd
bbbdbbbbbbbdbbbb
mmmdmmmmmmmdmmmm
mmmdmmmmmmmdmmmm
dddddddddddddddd
"""
CRATE = """
dddddddddddddddd
dbbbbbbbbbbbbbmd
dbmmmmmmmmmmmkmd
dbmkkkkkkkkkbbmd
dbmkmmmmmmmkbmmd
dbmkmmyymmmkbmmd
dbmkmyyyymmkbmmd
dbmkyywwyymkbmmd
dbmkyywwyymkbmmd
dbmkmyyyymmkbmmd
dbmkmmyymmmkbmmd
dbmkmmmmmmmkbmmd
dbmkkkkkkkkkbmmd
dbmbbbbbbbbbbmmd
dmmmmmmmmmmmmmmd
dddddddddddddddd
"""
COIN = """
...dddd...
..dyyyyd..
.dywyyyod.
.dywyooyd.
.dywyooyd.
.dywyooyd.
.dywyooyd.
.dywyyyod.
..doyyod..
...dddd...
"""
GROUND = """
gglgglggglgglggg
lggggglggggglggg
ggggggggggggggGg
gGggGgggGgggGgGG
GGgGGgGgGGgGGGGG
sGGsGGsGGsGGsGss
ssGsssGsssGsssss
sssssssssssslsss
ssslsssssssslsss
ssssssstssssssss
ssssssttsssssssh
hssssssssssslsss
sssltssssssssssh
sssttsssshssssss
ssssssssssssstss
hsssssshsssssssh
"""
SOIL = """
sssssssssssshsss
sstsssssssssssss
sttssssshsssssss
sssssssssssstsss
ssssssssssssttss
hssssstsssssssss
sssssttssssssssh
ssssssssshssssss
sshsssssssssssts
ssssssssssssssst
ssssthssssssssss
sssttsssssstssss
ssssssssssttssss
shssssssssssssss
sssssssssssssshs
ssssshssssssssss
"""
EARTH = {
    "g": (104, 184, 72), "l": (168, 224, 96), "G": (48, 124, 72), "s": (168, 112, 72),
    "t": (204, 152, 96), "h": (120, 72, 60),
}  # fmt: skip
STONE = {"b": (232, 152, 104), "m": (196, 96, 72), "d": (96, 40, 56)}
WOOD = {
    "b": (240, 192, 112), "m": (208, 144, 72), "k": (152, 88, 56), "d": (88, 44, 48),
    "y": (255, 224, 88), "w": (255, 255, 216),
}  # fmt: skip
BRASS = {"d": (136, 72, 32), "y": (255, 208, 64), "w": (255, 248, 192), "o": (224, 144, 40)}
SKY = (
    (72, 112, 208), (88, 136, 224), (112, 160, 240), (136, 184, 248), (168, 208, 255),
    (200, 228, 255), (232, 240, 248),
)  # fmt: skip

# Capitals of a HUD, 5x7 pixels, one number per row with the leftmost pixel as bit 4.
FONT = {
    "0": (14, 17, 19, 21, 25, 17, 14), "1": (4, 12, 4, 4, 4, 4, 14),
    "2": (14, 17, 1, 2, 4, 8, 31), "3": (14, 17, 1, 6, 1, 17, 14),
    "4": (2, 6, 10, 18, 31, 2, 2), "5": (31, 16, 30, 1, 1, 17, 14),
    "6": (6, 8, 16, 30, 17, 17, 14), "7": (31, 1, 2, 4, 8, 8, 8),
    "8": (14, 17, 17, 14, 17, 17, 14), "9": (14, 17, 17, 15, 1, 2, 12),
    "A": (14, 17, 17, 31, 17, 17, 17), "D": (30, 17, 17, 17, 17, 17, 30),
    "E": (31, 16, 16, 30, 16, 16, 31), "G": (14, 17, 16, 23, 17, 17, 14),
    "I": (14, 4, 4, 4, 4, 4, 14), "L": (16, 16, 16, 16, 16, 16, 31),
    "M": (17, 27, 21, 21, 17, 17, 17), "N": (17, 25, 21, 19, 17, 17, 17),
    "O": (14, 17, 17, 17, 17, 17, 14), "R": (30, 17, 17, 30, 20, 18, 17),
    "S": (15, 16, 16, 14, 1, 1, 30), "T": (31, 4, 4, 4, 4, 4, 4),
    "V": (17, 17, 17, 17, 17, 10, 4), "*": (0, 10, 31, 31, 14, 4, 0),
    "x": (0, 0, 17, 10, 4, 10, 17), " ": (0, 0, 0, 0, 0, 0, 0),
}  # fmt: skip


def write(canvas: U8, text: str, x: int, y: int, color: Color) -> None:
    """HUD text with a dark shadow, 6 pixels a letter."""
    for ink, dx, dy in (((24, 24, 64), 1, 1), (color, 0, 0)):
        for i, letter in enumerate(text):
            for j, bits in enumerate(FONT[letter]):
                for k in range(5):
                    if bits >> (4 - k) & 1:
                        canvas[y + j + dy, x + 6 * i + k + dx, :3] = ink


def disc(canvas: U8, cx: int, cy: int, rx: int, ry: int, color: Color) -> None:
    """A filled ellipse in whole numbers, so that every machine draws the same."""
    y, x = np.mgrid[: canvas.shape[0], : canvas.shape[1]]
    inside = ((x - cx) * ry) ** 2 + ((y - cy) * rx) ** 2 < (rx * ry) ** 2
    canvas[..., :3][inside] = color


def hill(canvas: U8, cx: int, top: int, width: int, colors: tuple[Color, Color, Color]) -> None:
    """A rounded hill: body, a lit flank towards the upper left, a dark rim."""
    body, lit, rim = colors
    height = 224 - top
    disc(canvas, cx, 224, width // 2, height, rim)
    disc(canvas, cx, 226, width // 2 - 1, height, body)
    disc(canvas, cx - width // 10, 232, width * 3 // 8, height, lit)
    disc(canvas, cx - width // 14, 236, width * 3 // 8, height, body)


def cloud(canvas: U8, x: int, y: int) -> None:
    white, shade = (255, 255, 255), (184, 208, 240)
    puffs = ((0, 4, 11, 7), (14, -1, 13, 10), (30, 3, 12, 8), (42, 6, 8, 5))
    for color, dy in ((shade, 2), (white, 0)):
        for dx, up, rx, ry in puffs:
            disc(canvas, x + dx, y + up + dy, rx, ry, color)


def tree(canvas: U8, x: int, ground: int) -> None:
    canvas[ground - 26 : ground, x - 3 : x + 3, :3] = (136, 84, 64)
    canvas[ground - 26 : ground, x + 1 : x + 3, :3] = (92, 52, 56)
    leaves = (((28, 84, 76), 0, 0), ((44, 124, 80), -2, -2), ((96, 180, 88), -5, -5))
    for color, dx, dy in leaves:
        grow = dy // 2
        for px, py, r in ((-9, -30, 12), (9, -30, 12), (0, -42, 13)):
            disc(canvas, x + px + dx, ground + py + dy, r + grow, r + grow, color)


HERO_AT = (104, 160)


def scene() -> U8:
    """(224, 256, 4) opaque: sky, hills, bricks, without anybody."""
    canvas = np.empty((224, 256, 4), np.uint8)
    canvas[..., 3] = 255
    rows, columns = np.mgrid[:224, :256]
    # Bands of sky, each fading into the next through a checkerboard of four rows.
    band = np.minimum((rows + 2 * ((rows + columns) % 2)) // 28, len(SKY) - 1)
    canvas[..., :3] = np.array(SKY, np.uint8)[band]
    cloud(canvas, 24, 52)
    cloud(canvas, 178, 38)
    cloud(canvas, 96, 84)
    far = ((144, 176, 216), (168, 200, 232), (112, 144, 200))
    for cx, top, width in ((40, 112, 190), (150, 96, 170), (236, 118, 170)):
        hill(canvas, cx, top, width, far)
    near = ((88, 168, 104), (128, 200, 112), (48, 120, 96))
    for cx, top, width in ((8, 150, 150), (206, 140, 170), (118, 164, 110)):
        hill(canvas, cx, top, width, near)
    tree(canvas, 42, 192)
    tree(canvas, 228, 192)
    for column in range(0, 256, 16):
        over(canvas, paint_text(GROUND, EARTH), column, 192)
        over(canvas, paint_text(SOIL, EARTH), column, 208)
    brick, crate, coin = paint_text(BRICK, STONE), paint_text(CRATE, WOOD), paint_text(COIN, BRASS)
    for column in (144, 160, 192, 208):
        over(canvas, brick, column, 112)
    over(canvas, crate, 176, 112)
    for x in (147, 163, 179, 195, 211):
        over(canvas, coin, x, 96)
    for i, x in enumerate((176, 192, 208)):
        for level in range(i + 1 if i < 2 else 1):
            over(canvas, crate if (i, level) == (0, 0) else brick, x, 176 - 16 * level)
    return canvas


def game_frame() -> U8:
    """(224, 256, 4) opaque: one frame of a platform game that never was."""
    canvas = scene()
    over(canvas, figure(HEAD_FRONT, BODY_FRONT, LEGS_FRONT), *HERO_AT)
    write(canvas, "LIVES", 16, 12, (255, 255, 255))
    write(canvas, "* x 03", 16, 22, (255, 216, 96))
    write(canvas, "GOLD", 104, 12, (255, 255, 255))
    write(canvas, "0427", 104, 22, (255, 216, 96))
    write(canvas, "TIME", 208, 12, (255, 255, 255))
    write(canvas, "318", 214, 22, (255, 216, 96))
    return canvas


# ------------------------------------------------------------------------------------- truth
def face(box: tuple[int, int, int, int], person: str, **traits: Any) -> dict[str, Any]:
    """What a reader should find. `box`: hairline (or the edge of the hat) to chin, cheek to cheek."""
    plain = {
        "view": "front", "side": "", "headwear": "none", "hair": "none", "facial_hair": "none",
        "glasses": "none", "mask": "none",
    }  # fmt: skip
    return {"box": list(box), "person": person, **plain, **traits}


FACES: dict[str, dict[str, Any]] = {
    "plumber": face((3, 7, 10, 9), "man", headwear="cap", hair="brown", facial_hair="moustache"),
    "elf_hero": face((3, 8, 10, 7), "man", headwear="cap", hair="blond", ears="pointed"),
    "afro_hero": face((3, 6, 10, 9), "man", hair="black", hair_style="afro"),
    "princess": face((3, 6, 10, 9), "woman", headwear="crown", hair="blond", hair_style="long"),
    "wizard": face((3, 9, 10, 7), "old man", headwear="pointed hat", hair="white", facial_hair="beard"),
    "knight": face((4, 7, 8, 6), "man", headwear="helmet"),
    "pirate": face((2, 6, 12, 10), "man", headwear="bandana", hair="black", facial_hair="beard", mask="eyepatch"),
    "child": face((2, 6, 12, 9), "child", hair="auburn", hair_style="short"),
    "bob_heroine": face((3, 8, 10, 7), "woman", hair="black", hair_style="bob"),
    "hijab_archer": face((4, 5, 8, 8), "woman", headwear="hood"),
    "spiky_hero": face((5, 8, 11, 7), "man", view="profile", side="right", headwear="headband", hair="blue", hair_style="spiky"),
    "grandmother": face((2, 7, 12, 8), "old woman", hair="grey", hair_style="bun", glasses="round"),
    "turban_scholar": face((2, 7, 12, 9), "man", headwear="turban", hair="black", facial_hair="beard"),
    "viking": face((2, 7, 12, 8), "man", headwear="helmet", hair="auburn", facial_hair="beard"),
    "gameboy_scout": face((2, 7, 11, 8), "woman", hair="dark", hair_style="ponytail"),
    "old_sailor": face((7, 11, 18, 18), "old man", headwear="cap", hair="white", facial_hair="beard"),
    "braids_woman": face((13, 7, 22, 28), "woman", hair="black", hair_style="braids"),
}  # fmt: skip

# Saved with a palette, index 0 transparent where the map has '.'; the others are RGBA.
INDEXED = ("wizard", "knight", "hijab_archer", "spiky_hero", "gameboy_scout")

CODES = {
    "background": ".", "outline": "k", "skin": "s", "hair": "h", "brow": "b", "eye": "e",
    "mouth": "m", "facial_hair": "f", "headwear": "w", "glasses": "g", "mask": "x",
    "clothing": "c", "accessory": "a",
}  # fmt: skip


def label_rows(drawing: Drawing) -> list[str]:
    """The map again, every letter replaced by the code of what it shows."""
    known = {".": "background", **LABELS, **drawing.labels}
    return ["".join(CODES[known[letter]] for letter in row) for row in drawing.rows]


def truth() -> dict[str, Any]:
    """All that the tests may expect of the samples; boxes are [x, y, w, h] in native pixels."""
    samples: dict[str, Any] = {}
    for drawing in DRAWINGS:
        samples[f"{drawing.name}.png"] = {
            "shows": drawing.shows,
            "size": [len(drawing.rows[0]), len(drawing.rows)],
            "scale": 1,
            "faces": [FACES[drawing.name]],
            "labels": label_rows(drawing),
        }
    traits = {"headwear": "headband", "hair": "auburn", "hair_style": "short"}
    x, y = HERO_AT
    hero = face((x + 3, y + 7, 10, 8), "woman", **traits)
    for name, scale in (("game_frame.png", 1), ("game_frame_x3.png", 3)):
        samples[name] = {
            "shows": "a frame of a platform game"
            + ("" if scale == 1 else ", enlarged three times"),
            "size": [256, 224],
            "scale": scale,
            "sprite": [x, y, 16, 32],
            "faces": [hero],
        }
    side = {"view": "profile", "side": "right", **traits}
    poses = [
        ((7, 7, 10, 8), traits),
        ((31, 7, 10, 8), traits),
        ((58, 7, 9, 8), side),
        ((82, 7, 9, 8), side),
    ]
    samples["character_sheet.png"] = {
        "shows": "a sheet of four poses of one character on magenta",
        "size": [CELL[0] * 4, CELL[1]],
        "scale": 1,
        "key": list(SHEET_KEY),
        "sheet": [*CELL, 0, 0],
        "faces": [face(box, "woman", **found) for box, found in poses],
    }  # fmt: skip
    return {"codes": {code: name for name, code in CODES.items()}, "samples": samples}


# --------------------------------------------------------------------------------------- PNG
NOTE = b"Copyright\0Drawn by the spriteface authors; CC0 1.0 (public domain)"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int, height: int, depth: int, color_type: int, lines: list[bytes], extra: bytes = b""
) -> bytes:
    """A PNG file without row filters; `extra` are the chunks between IHDR and IDAT."""
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + line for line in lines), 9)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"tEXt", NOTE)
        + extra
        + _chunk(b"IDAT", data)
        + _chunk(b"IEND", b"")
    )


def png_rgba(picture: U8) -> bytes:
    """RGB where every pixel is opaque, else RGBA."""
    height, width = picture.shape[:2]
    opaque = bool((picture[..., 3] == 255).all())
    data = np.ascontiguousarray(picture[..., :3] if opaque else picture)
    return png(width, height, 8, 2 if opaque else 6, [row.tobytes() for row in data])


def png_indexed(drawing: Drawing) -> bytes:
    """As few bits a pixel as the palette needs; '.' becomes index 0 with tRNS 0."""
    used = {letter for row in drawing.rows for letter in row}
    table = {".": SHEET_KEY, **drawing.palette}
    colors = list(dict.fromkeys(c for letter, c in table.items() if letter in used))
    depth = next(bits for bits in (1, 2, 4, 8) if len(colors) <= 1 << bits)
    extra = _chunk(b"PLTE", bytes(value for color in colors for value in color))
    if "." in used:
        extra += _chunk(b"tRNS", b"\0")
    lines = []
    for row in drawing.rows:
        bits = "".join(f"{colors.index(table[letter]):0{depth}b}" for letter in row)
        bits = bits.ljust(-(-len(bits) // 8) * 8, "0")
        lines.append(bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)))
    return png(len(drawing.rows[0]), len(drawing.rows), depth, 3, lines, extra)


def files() -> dict[str, bytes]:
    """Every file of samples/ that this script writes, by name."""
    out = {
        f"{d.name}.png": png_indexed(d) if d.name in INDEXED else png_rgba(paint(d))
        for d in DRAWINGS
    }
    frame = game_frame()
    out["game_frame.png"] = png_rgba(frame)
    out["game_frame_x3.png"] = png_rgba(frame.repeat(3, axis=0).repeat(3, axis=1))
    out["character_sheet.png"] = png_rgba(character_sheet())
    out["truth.json"] = (json.dumps(truth(), indent=1) + "\n").encode()
    return out


def overview(path: Path) -> None:
    """All small faces enlarged to 192 pixels, six to a row, for looking at."""
    from PIL import Image

    side, columns = 200, 6
    rows = -(-len(DRAWINGS) // columns)
    page = Image.new("RGB", (side * columns, side * rows), (104, 120, 128))
    for i, drawing in enumerate(DRAWINGS):
        picture = Image.fromarray(paint(drawing)).resize((192, 192), Image.Resampling.NEAREST)
        page.paste(picture, (i % columns * side + 4, i // columns * side + 4), picture)
    page.save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw samples/.")
    root = Path(__file__).resolve().parents[1]
    parser.add_argument("-o", "--out", type=Path, default=root / "samples")
    parser.add_argument("--overview", type=Path, help="also write a picture of all small faces")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for name, data in files().items():
        (args.out / name).write_bytes(data)
        print(f"{args.out / name}: {len(data)} bytes")
    if args.overview:
        overview(args.overview)


if __name__ == "__main__":
    main()
