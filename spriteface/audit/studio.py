"""Portraits for the audit: small sprites in, a portrait and its skin and eyes measured."""

from __future__ import annotations

import copy
import dataclasses
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..options import PortraitOptions
from ..palette.color import lab_from_u8
from ..pipeline import make_portraits
from ..pulse.colors import median_lab
from ..types import U8, Bool, Box, Face, Frame, Label, Pixels, Portrait, Source

if TYPE_CHECKING:
    from torch import Tensor

    from ..pulse.generator import Generator, Latents, MapsRegions

# Where a generator can't say what its pixels show, portraits aligned as in FFHQ have cheeks and
# forehead here (x0, y0, x1, y1 as shares of the edge).
_PATCHES = ((0.28, 0.55, 0.40, 0.66), (0.60, 0.55, 0.72, 0.66), (0.40, 0.24, 0.60, 0.31))
REMEMBERED = 512  # label maps kept: those of a few searches


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

    def mask(self, latents: Latents, edge: int, label: Label) -> Bool:
        """Where the picture of `latents` shows `label`: (edge, edge) bool, possibly empty."""
        from ..pulse.generator import MapsRegions

        if isinstance(self.generator, MapsRegions):
            shown = self.generator.regions(latents, edge)[0].cpu().numpy()
            found: Bool = shown == int(label)
            return found
        mask = np.zeros((edge, edge), bool)
        if label is Label.SKIN:
            for x0, y0, x1, y1 in _PATCHES:
                mask[int(y0 * edge) : int(y1 * edge), int(x0 * edge) : int(x1 * edge)] = True
        return mask

    def region(self, portrait: Portrait, label: Label) -> Bool:
        """Where the portrait shows `label`: (R, R) bool, possibly empty."""
        return self.mask(self.latents(portrait), portrait.image.shape[0], label)

    def skin_lab(self, portrait: Portrait) -> tuple[float, float, float] | None:
        """Median CIELAB of the skin, or None where there is too little of it."""
        return self.skin_of(portrait.image, self.region(portrait, Label.SKIN))

    @staticmethod
    def skin_of(image: U8, mask: Bool) -> tuple[float, float, float] | None:
        if mask.sum() < 0.005 * mask.size:
            return None
        lab = median_lab(image, mask)
        if lab is None:
            return None
        return round(float(lab[0]), 3), round(float(lab[1]), 3), round(float(lab[2]), 3)

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


# ------------------------------------------------------------- one label map for ten tones


def remembering(generator: Generator) -> Generator:
    """`generator`, its label maps remembered.

    The ten skin tones of a template differ in colour only, and what a pixel shows doesn't depend
    on colour, so a search that compares places asks for the same maps ten times. The portraits
    are the same ones, for half of the time. A generator that doesn't say which of its
    coordinates are colour is left as it is.
    """
    from ..pulse.generator import MapsRegions

    colors = frozenset(generator.info.extra.get("differentiable", ()))
    if not colors or not isinstance(generator, MapsRegions):
        return generator
    names = [str(name) for name in generator.info.extra.get("dims", ())]
    twin = copy.copy(generator)
    keep = np.array([name not in colors for name in names])
    twin.regions = _Remembered(generator, keep, colors)  # type: ignore[method-assign]
    return twin


class _Remembered:
    """`regions` of a generator; the latest maps by what shape they have. One image a call."""

    def __init__(self, generator: MapsRegions, keep: Bool, colors: frozenset[str]) -> None:
        self._generator, self._keep, self._colors = generator, keep, colors
        self._maps: OrderedDict[Any, Tensor] = OrderedDict()
        self.asked = self.found = 0

    def __call__(self, latents: Latents, size: int) -> Tensor:
        key = (size, self._shape(latents))
        self.asked += 1
        if key in self._maps:
            self.found += 1
            self._maps.move_to_end(key)
            return self._maps[key]
        self._maps[key] = self._generator.regions(latents, size)
        if len(self._maps) > REMEMBERED:
            self._maps.popitem(last=False)
        return self._maps[key]

    def _shape(self, latents: Latents) -> tuple[bytes, str]:
        """The latents without colour and light: coordinates so named, and colours (lists of
        numbers) among the discrete choices."""
        z = latents.z.cpu().numpy()[:, self._keep]
        return z.tobytes(), repr([self._plain(s) for s in latents.structure])

    def _plain(self, structure: Mapping[str, Any]) -> dict[str, Any]:
        kept = {k: v for k, v in structure.items() if not isinstance(v, (list, tuple))}
        return {
            k: {n: x for n, x in v.items() if n not in self._colors}
            if isinstance(v, Mapping)
            else v
            for k, v in kept.items()
        }
