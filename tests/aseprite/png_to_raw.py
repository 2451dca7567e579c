"""Width, height and RGBA of a picture, for the stand-in, which cannot inflate."""

import struct
import sys

from PIL import Image

with Image.open(sys.argv[1]) as image:
    rgba = image.convert("RGBA")
sys.stdout.buffer.write(struct.pack("<II", *rgba.size) + rgba.tobytes())
