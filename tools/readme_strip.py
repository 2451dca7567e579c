"""The README's picture: sprites above, the people imagined behind them below.

    python tools/readme_strip.py FOLDER_OF_PORTRAITS docs/strip.jpg NAME...

FOLDER holds what `spriteface upscale samples/*.png -o FOLDER` wrote.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

EDGE, GAP, PANEL = 240, 8, (27, 29, 33)


def main(folder: Path, out: Path, names: list[str]) -> None:
    strip = Image.new("RGB", (len(names) * (EDGE + GAP) + GAP, 2 * EDGE + 3 * GAP), PANEL)
    for i, name in enumerate(names):
        sprite = Image.open(f"samples/{name}.png").convert("RGBA")
        k = EDGE // max(sprite.size)
        sprite = sprite.resize((sprite.width * k, sprite.height * k), Image.Resampling.NEAREST)
        x = GAP + i * (EDGE + GAP)
        strip.paste(
            sprite, (x + (EDGE - sprite.width) // 2, GAP + (EDGE - sprite.height) // 2), sprite
        )
        portrait = Image.open(folder / f"{name}.png").convert("RGB")
        strip.paste(portrait.resize((EDGE, EDGE), Image.Resampling.LANCZOS), (x, 2 * GAP + EDGE))
    strip.save(out, quality=90)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
