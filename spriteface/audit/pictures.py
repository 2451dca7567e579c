"""Pictures for the report: figures alone hide too much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..types import U8
from .report import Picture
from .shots import THUMB_PX, Job, Shot, Taken, picture_of
from .skin_tone import lab_of
from .templates import MONK

ROWS = (0, 1, 5)  # templates shown in ten tones: short hair, long hair, cap and moustache
WALL = 60
WORST = 20  # portraits on the sheet of the worst


def sheets(taken: Mapping[Job, Taken]) -> list[Picture]:
    """Templates in ten tones, and the portraits that the figures like least; what wasn't made
    isn't shown."""
    plain = {
        job: found.shots[0]
        for job, found in taken.items()
        if job.kind == "sprite" and job.faithful == 0 and job.candidates == 1 and found.shots
    }
    found = []
    first = {job: shot for job, shot in plain.items() if job.person < 1000}
    rows = [r for r in ROWS if any(job.template == r for job in first)]
    if rows:
        found.append(
            Picture("skin-tones", "One template a row, ten skin tones", _tones(first, rows))
        )
    refused = [(j, s) for j, s in plain.items() if s.judged is not None and not s.judged.passes]
    if refused:
        refused.sort(key=lambda pair: (pair[1].judged.votes if pair[1].judged else 0, pair[0].tone))
        title = f"Portraits that the judges refuse ({len(refused)} of {len(plain)})"
        found.append(Picture("refused", title, _pairs(refused[:WORST])))
    off = sorted(plain.items(), key=lambda pair: -_off(*pair))
    if off:
        title = "Portraits whose skin is furthest from the sprite's"
        found.append(Picture("furthest", title, _pairs(off[:WORST])))
    return found


def _off(job: Job, shot: Shot) -> float:
    """How far the skin's L* lies from the sprite's."""
    return abs(shot.lab[0] - lab_of(MONK[job.tone])[0]) if shot.lab else 100.0


def _tile(job: Job, shot: Shot) -> U8:
    """(2 x THUMB_PX, THUMB_PX, 3): the sprite above its portrait."""
    art = job.art()
    edge = THUMB_PX // art.shape[0]
    big = np.repeat(np.repeat(art, edge, 0), edge, 1)
    top = np.full((THUMB_PX, THUMB_PX, 3), WALL, np.uint8)
    top = np.where(big[..., 3:] > 127, big[..., :3], top).astype(np.uint8)
    return np.concatenate([top, picture_of(shot.thumb)])


def _tones(shots: Mapping[Job, Shot], rows: Sequence[int]) -> U8:
    sheet = np.full((2 * len(rows) * THUMB_PX, len(MONK) * THUMB_PX, 3), WALL, np.uint8)
    for job, shot in shots.items():
        if job.template in rows:
            y, x = 2 * rows.index(job.template) * THUMB_PX, job.tone * THUMB_PX
            sheet[y : y + 2 * THUMB_PX, x : x + THUMB_PX] = _tile(job, shot)
    return sheet


def _pairs(chosen: Sequence[tuple[Job, Shot]]) -> U8:
    """Ten to a row."""
    tiles = [_tile(job, shot) for job, shot in chosen]
    blank = np.full_like(tiles[0], WALL)
    tiles += [blank] * (-len(tiles) % 10)
    return np.concatenate([np.concatenate(tiles[i : i + 10], 1) for i in range(0, len(tiles), 10)])
