"""A picture's bytes for the stand-in, which cannot inflate.

u32 width, u32 height, u8 mode (0 RGBA, 2 indexed), u8 nothing is clear, i16 transparent index or
-1, u16 colours, the colours as RGBA, the pixels.
"""

import struct
import sys

from PIL import Image

with Image.open(sys.argv[1]) as image:
    image.load()
    opaque = not image.has_transparency_data
    mode, transparent, colors = 0, -1, b""
    if image.mode == "P":
        rgb = image.getpalette("RGB") or []
        alphas = image.info.get("transparency", b"")
        if isinstance(alphas, int):
            alphas = b"\xff" * alphas + b"\0"
        alphas = alphas.ljust(len(rgb) // 3, b"\xff")
        mode, transparent = 2, alphas.find(b"\0")
        rows = (bytes((*rgb[i * 3 : i * 3 + 3], alpha)) for i, alpha in enumerate(alphas))
        colors = b"".join(rows)
    else:
        image = image.convert("RGBA")
head = struct.pack("<IIBBhH", *image.size, mode, opaque, transparent, len(colors) // 4)
sys.stdout.buffer.write(head + colors + image.tobytes())
