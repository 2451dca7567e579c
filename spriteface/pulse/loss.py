"""Losses of the search, each per image: a batch never hides one bad face behind good ones.

Images are (B, 3, h, w) float32 sRGB in [0, 1], the size of the target.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..types import Label
from .downscale import to_linear
from .target import Target

# Björn Ottosson's Oklab (2020): linear sRGB -> LMS, cube root, -> Lab
_LMS = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_LAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


def weighted_mse(small: Tensor, target: Target) -> Tensor:
    """(B,): mean squared error over the target's pixels, each by its weight."""
    weights = target.weights  # [1,h,w]
    error = (small - target.image).pow(2).mean(1, keepdim=True)  # [B,1,h,w]
    return (error * weights).sum((1, 2, 3)) / weights.sum()


def gated(per_image: Tensor, eps: float) -> Tensor:
    """`per_image` (B,) with everything below `eps` counted as `eps`: such an image is near
    enough and no longer pulled. PULSE sums over the batch first, so that with several images
    its gate is never passed; here each image has its own."""
    return per_image.clamp(min=eps)


def geocross(w: Tensor) -> Tensor:
    """(B,): PULSE's GEOCROSS, the mean squared angle between the L rows of `w` (B, L, D), scaled
    as published (D / 8). It keeps the rows of W+ near one another, where faces look natural."""
    a, b = w[:, :, None], w[:, None]  # [B,L,1,D], [B,1,L,D]
    chord = ((a - b).pow(2).sum(-1) + 1e-9).sqrt()
    sum_ = ((a + b).pow(2).sum(-1) + 1e-9).sqrt()
    angle = 2 * torch.atan2(chord, sum_)
    return angle.pow(2).mean((1, 2)) * (w.shape[-1] / 8)


def to_oklab(image: Tensor) -> Tensor:
    """(B, 3, h, w) sRGB in [0, 1] to Oklab: L in [0, 1], a and b about [-0.4, 0.4]."""
    linear = to_linear(image.clamp(0, 1))
    lms = torch.einsum("ij,bjhw->bihw", torch.tensor(_LMS, device=image.device), linear)
    roots = lms.clamp(min=1e-6).pow(1 / 3)
    return torch.einsum("ij,bjhw->bihw", torch.tensor(_LAB, device=image.device), roots)


def region_colors(image: Tensor, target: Target) -> Tensor:
    """(B, N, 3): the weighted mean Oklab colour of each of the target's N regions."""
    assert target.regions is not None, "the target has no regions"
    numbers = torch.unique(target.regions[target.regions >= 0])
    masks = (target.regions[None] == numbers[:, None, None]) * target.weights  # [N,h,w]
    masks = masks / masks.sum((1, 2), keepdim=True).clamp(min=1e-6)
    return torch.einsum("nhw,bchw->bnc", masks, to_oklab(image))


def region_color_loss(small: Tensor, target: Target) -> Tensor:
    """(B,): mean squared Oklab distance between the regions' mean colours. Unlike pixelwise
    error it asks for the right skin, hair and cloth, not for the sprite's drawing of them."""
    wanted = region_colors(target.image[None], target)
    return (region_colors(small, target) - wanted).pow(2).sum(-1).mean(-1)


def lightness(image: Tensor) -> Tensor:
    """(B, h, w): CIELAB L* / 100 of (B, 3, h, w) sRGB in [0, 1] (D65)."""
    weights = torch.tensor((0.2126, 0.7152, 0.0722), device=image.device, dtype=image.dtype)
    y = torch.einsum("c,bchw->bhw", weights, to_linear(image.clamp(0, 1)))
    root = 1.16 * y.clamp(min=0.008856).pow(1 / 3) - 0.16
    return torch.where(y > 0.008856, root, 9.033 * y)


def skin_lock_loss(small: Tensor, target: Target, tolerance: float) -> Tensor:
    """(B,): by how much the mean L* of the skin differs from the sprite's beyond `tolerance`
    (in L*), squared, L* counted in hundreds; 0 where the sprite shows no skin."""
    if target.regions is None:
        return torch.zeros(len(small), device=small.device)
    mask = (target.regions == int(Label.SKIN)) * target.weights[0]  # [h,w]
    if not mask.any():
        return torch.zeros(len(small), device=small.device)
    share = mask / mask.sum()
    gap = ((lightness(small) - lightness(target.image[None])) * share).sum((1, 2))
    return (gap.abs() - tolerance / 100).clamp(min=0).square()


def lr_psnr_db(small: Tensor, target: Target) -> Tensor:
    """(B,): weighted PSNR in dB of `small` against the target, both clipped to [0, 1] (peak 1).
    99 dB stands for no difference at all."""
    error = weighted_mse(small.clamp(0, 1), target)
    return -10 * torch.log10(error.clamp(min=10**-9.9))
