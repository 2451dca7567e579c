"""Portraits for the audit: small sprites in, a portrait and its skin and eyes measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..options import PortraitOptions
from ..palette.color import lab_from_u8
from ..pipeline import make_portraits
from ..types import F64, U8, Bool, Box, Face, Frame, Label, Pixels, Portrait, Source

if TYPE_CHECKING:
    from ..pulse.generator import Generator, Latents

# Where a generator can't say what its pixels show, portraits aligned as in FFHQ have cheeks and
# forehead here (x0, y0, x1, y1 as shares of the edge).
_PATCHES = ((0.28, 0.55, 0.40, 0.66), (0.60, 0.55, 0.72, 0.66), (0.40, 0.24, 0.60, 0.31))


def face_of(rgba: U8) -> Face:
    """A whole small picture as a face, so that nothing depends on a detector."""
    pixels = Pixels(rgba)
    box = Box(0, 0, pixels.width, pixels.height)
    return Face(Frame(pixels, Source(None)), box, box, box, pixels, detector="whole")


@dataclasses.dataclass(frozen=True)
class Studio:
    """One generator and the options every portrait of a suite is made with."""

    generator: Generator
    options: PortraitOptions

    def portraits(self, rgba: U8, person_seed: int, **changes: Any) -> list[Portrait]:
        """All candidates for a sprite (h, w, 4) uint8; `changes` are fields of the options."""
        return list(
            make_portraits(
                [face_of(rgba)],
                self.options,
                generator=self.generator,
                person_seed=person_seed,
                **changes,
            )
        )

    def latents(self, portrait: Portrait) -> Latents:
        return latents_of(portrait.latent)

    def region(self, portrait: Portrait, label: Label) -> Bool:
        """Where the portrait shows `label`: (R, R) bool, possibly empty."""
        from ..pulse.generator import MapsRegions

        edge = portrait.image.shape[0]
        if isinstance(self.generator, MapsRegions):
            found = self.generator.regions(self.latents(portrait), edge)[0].numpy()
            mask: Bool = found == int(label)
            return mask
        mask = np.zeros((edge, edge), bool)
        if label is Label.SKIN:
            for x0, y0, x1, y1 in _PATCHES:
                mask[int(y0 * edge) : int(y1 * edge), int(x0 * edge) : int(x1 * edge)] = True
        return mask

    def skin_lab(self, portrait: Portrait) -> tuple[float, float, float] | None:
        """Median CIELAB of the skin, or None where there is too little of it."""
        mask = self.region(portrait, Label.SKIN)
        if mask.sum() < 0.005 * mask.size:
            return None
        lab: F64 = np.median(lab_from_u8(portrait.image[mask]).astype(np.float64), axis=0)
        return float(lab[0]), float(lab[1]), float(lab[2])

    def eye_lightness(self, portrait: Portrait) -> float:
        """L* of the white of the eye: the brighter part of what the eyes show; NaN if hidden."""
        mask = self.region(portrait, Label.EYE)
        if mask.sum() < 12:
            return float("nan")
        return float(np.quantile(lab_from_u8(portrait.image[mask])[:, 0], 0.8))


def latents_of(record: Mapping[str, Any]) -> Latents:
    """`Portrait.latent` back as a batch of one."""
    import torch

    from ..pulse.generator import Latents

    z = torch.tensor(record["z"], dtype=torch.float32).reshape(1, *record["shape"])
    structure = record.get("structure") or {}
    return Latents(z, (dict(structure),) if structure else ())
