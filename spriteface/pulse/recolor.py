"""A person's materials brought to the colours that the sprite wants, in small pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ..palette.color import delta_e_2000
from ..types import F64
from .colors import corrected, shown_colors
from .generator import Generator, KnowsPeople, Latents, ShowsPeople, picture
from .progress import Progress

COLOR_PX = 96
COLOR_ROUNDS = 6
CHECK_PX = 128
# CIEDE2000 at which a colour is right enough to stop, in previews and in a small finished picture
CLOSE = {"": 1.0}
TOLERABLE = {"": 6.0, "skin": 1.0, "hair": 4.0, "beard": 4.0}


def match_colors(
    generator: Generator,
    latents: Latents,
    wanted: Mapping[str, F64],
    report: Progress,
    at: float,
) -> Latents:
    """Correct the person's colours until the preview shows those `wanted`."""
    if not wanted or not isinstance(generator, ShowsPeople):
        return latents
    person = generator.people(latents)[0]
    with torch.no_grad():
        labels = generator.regions(latents, COLOR_PX)[0].numpy()
        for round_ in range(COLOR_ROUNDS):
            report("matching colours", at + 0.06 * round_ / COLOR_ROUNDS)
            seen = shown_colors(picture(generator.preview(latents, COLOR_PX)), labels)
            if _far_off(seen, wanted, CLOSE) == {}:
                break
            person = corrected(person, seen, wanted)
            latents = _recolored(generator, latents, person)
    return latents


def _recolored(generator: KnowsPeople, latents: Latents, person: Any) -> Latents:
    """`person`'s colours in `latents` of one; the rest as it is, to the last bit, so that a
    generator needn't lay hair and cast shadows again."""
    info = getattr(generator, "info", None)
    extra = info.extra if info is not None else {}
    new, colors = generator.latents([person]), frozenset(extra.get("differentiable", ()))
    if not colors or not latents.structure:
        return new
    keep = torch.tensor([name not in colors for name in extra["dims"]])
    choices = {**new.structure[0]}
    for name, value in latents.structure[0].items():
        if isinstance(value, Mapping):  # numbers by the name of their dimension
            mine = {n: x for n, x in value.items() if n not in colors}
            choices[name] = mine | {n: x for n, x in choices.get(name, {}).items() if n in colors}
    return Latents(torch.where(keep, latents.z, new.z), (choices,))


def _far_off(
    seen: Mapping[str, F64], wanted: Mapping[str, F64], limit: Mapping[str, float]
) -> dict[str, float]:
    """CIEDE2000 of every material in sight that is further from its colour than its limit."""
    gaps = {m: float(delta_e_2000(seen[m], wanted[m])) for m in wanted if m in seen}
    return {m: gap for m, gap in gaps.items() if gap > limit.get(m, limit[""])}


def checked(
    generator: Generator, latents: Latents, wanted: Mapping[str, F64], report: Progress
) -> Latents:
    """`latents` themselves if a small finished picture has the wanted colours; else corrected by
    how much it differs from the preview, which is only a proxy."""
    if not wanted or not isinstance(generator, ShowsPeople):
        return latents
    report("checking colours", 0.68)
    with torch.no_grad():
        labels = generator.regions(latents, CHECK_PX)[0].numpy()
        final = shown_colors(picture(generator.render(latents, CHECK_PX)), labels)
        if not _far_off(final, wanted, TOLERABLE):
            return latents
        proxy = shown_colors(picture(generator.preview(latents, CHECK_PX)), labels)
    both = final.keys() & proxy.keys()
    shifted = {m: lab - (final[m] - proxy[m]) for m, lab in wanted.items() if m in both}
    return match_colors(generator, latents, shifted, report, 0.69)
