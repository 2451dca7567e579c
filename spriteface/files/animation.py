"""Moving pictures of portraits: GIF with one well-chosen palette, or PNG with all colours."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ..types import U8
from .atomic import write_bytes

GIF_SAMPLES = 8  # frames from which the palette of a GIF is made


def write_animation(path: str | Path, frames: Sequence[U8], *, duration_ms: int) -> Path:
    """Frames (H, W, 3) uint8 of one size, looping: GIF by the suffix .gif, else animated PNG.

    A GIF's palette is the same in every frame, and dithered, so that dark skin doesn't break
    into patches and nothing flickers between two palettes.

    Raises:
        SinkError: the file can't be written.
    """
    gif = Path(path).suffix.lower() == ".gif"
    pictures = [Image.fromarray(frame) for frame in frames]
    if gif:
        some = np.concatenate(frames[:: -(-len(frames) // GIF_SAMPLES)])
        palette = Image.fromarray(some).quantize(256, method=Image.Quantize.MEDIANCUT)
        pictures = [
            p.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG) for p in pictures
        ]
    data = io.BytesIO()
    pictures[0].save(
        data, "GIF" if gif else "PNG", save_all=True, append_images=pictures[1:],
        duration=duration_ms, loop=0,
    )  # fmt: skip
    return write_bytes(path, data.getvalue())
