"""Pictures for the report: figures alone hide too much."""

from __future__ import annotations

import numpy as np

from ..types import U8
from .studio import Studio
from .suites import sprite


def skin_tone_sheet(studio: Studio, *, rows: tuple[int, ...] = (0, 1, 5), edge: int = 128) -> U8:
    """Templates `rows` in ten tones: sprite above portrait, (2 x len(rows) x edge, 10 x edge, 3)."""
    from PIL import Image

    sheet = np.full((2 * len(rows) * edge, 10 * edge, 3), 60, np.uint8)
    for r, template in enumerate(rows):
        for tone in range(10):
            art = sprite(template, tone)
            portrait = studio.portraits(art, person_seed=template)[0].image
            big = np.repeat(np.repeat(art, edge // 16, 0), edge // 16, 1)
            y, x = 2 * r * edge, tone * edge
            under = sheet[y : y + edge, x : x + edge]
            under[...] = np.where(big[..., 3:] > 127, big[..., :3], under)
            small = Image.fromarray(portrait).resize((edge, edge), Image.Resampling.LANCZOS)
            sheet[y + edge : y + 2 * edge, x : x + edge] = np.asarray(small)
    return sheet
