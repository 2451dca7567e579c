"""Enlarges native pixels the way screens, emulators, sites and cameras do: for studies and tests."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

U8 = NDArray[np.uint8]
R = Image.Resampling


def resized(rgba: U8, width: int, height: int, how: R) -> U8:
    if rgba[..., 3].min() == 255 or how == R.NEAREST:
        return np.array(Image.fromarray(rgba).resize((width, height), how))
    flat = rgba.copy()
    flat[rgba[..., 3] == 0] = (90, 100, 120, 255)
    return np.array(Image.fromarray(flat).resize((width, height), how))


def jpeg(rgba: U8, quality: int) -> U8:
    flat = rgba[..., :3].copy()
    flat[rgba[..., 3] == 0] = (90, 100, 120)
    file = io.BytesIO()
    Image.fromarray(flat).save(file, "JPEG", quality=quality)
    return np.array(Image.open(file).convert("RGBA"))


def opaque(rgba: U8) -> U8:
    flat = rgba.copy()
    flat[rgba[..., 3] == 0] = (90, 100, 120, 255)
    flat[..., 3] = 255
    return flat


def scanlines(rgba: U8, k: int, depth: float, blur: bool = True) -> U8:
    """Nearest k times, a horizontal blur, every k-th row darker."""
    big = opaque(resized(rgba, rgba.shape[1] * k, rgba.shape[0] * k, R.NEAREST)).astype(np.float32)
    if blur:
        big = (np.roll(big, 1, 1) + 2 * big + np.roll(big, -1, 1)) / 4
    big[::k, :, :3] *= depth
    return np.clip(big, 0, 255).astype(np.uint8)


def lcd(rgba: U8, k: int, depth: float) -> U8:
    """Nearest k times with dark lines between the pixels, both ways."""
    big = opaque(resized(rgba, rgba.shape[1] * k, rgba.shape[0] * k, R.NEAREST)).astype(np.float32)
    big[::k, :, :3] *= depth
    big[:, ::k, :3] *= depth
    return np.clip(big, 0, 255).astype(np.uint8)


def ntsc(rgba: U8, k: int) -> U8:
    """Scanlines and colour that bleeds sideways while luma stays sharper."""
    big = scanlines(rgba, k, 0.75)[..., :3].astype(np.float32)
    luma = big @ np.array([0.3, 0.59, 0.11], np.float32)
    chroma = big - luma[..., None]
    kernel = np.ones(2 * k + 1) / (2 * k + 1)
    for c in range(3):
        chroma[..., c] = np.apply_along_axis(
            lambda row: np.convolve(row, kernel, "same"), 1, chroma[..., c]
        )
    out = np.full((*luma.shape, 4), 255, np.uint8)
    out[..., :3] = np.clip(luma[..., None] + chroma, 0, 255)
    return out


def epx(rgba: U8) -> U8:
    """Scale2x: corners rounded where two neighbours agree."""
    flat = opaque(rgba)
    p = np.pad(flat, ((1, 1), (1, 1), (0, 0)), "edge")
    up, down, left, right = p[:-2, 1:-1], p[2:, 1:-1], p[1:-1, :-2], p[1:-1, 2:]

    def same(a: U8, b: U8) -> NDArray[np.bool_]:
        return (a == b).all(axis=2, keepdims=True)

    ok = ~same(up, down) & ~same(left, right)
    out = np.zeros((flat.shape[0] * 2, flat.shape[1] * 2, 4), np.uint8)
    out[::2, ::2] = np.where(ok & same(up, left), up, flat)
    out[::2, 1::2] = np.where(ok & same(up, right), up, flat)
    out[1::2, ::2] = np.where(ok & same(down, left), down, flat)
    out[1::2, 1::2] = np.where(ok & same(down, right), down, flat)
    return out


def smooth(rgba: U8, k: int) -> U8:
    """Like hq2x and xBR: edges interpolated along their direction, then averaged."""
    big = epx(epx(rgba))  # x4
    return resized(big, rgba.shape[1] * k, rgba.shape[0] * k, R.BILINEAR)


Way = tuple[str, float, float, Callable[[U8], U8]]


def ways(width: int, height: int, rng: np.random.Generator) -> list[Way]:
    """(name, scale x, scale y, function) for a native picture of this size."""
    out: list[Way] = []

    def fractional(how: R, s: float, name: str, stretch: float = 1.0) -> None:
        w, h = round(width * s * stretch), round(height * s)
        out.append((name, w / width, h / height, lambda a: resized(a, w, h, how)))

    def whole(k: int, name: str, make: Callable[[U8], U8]) -> None:
        out.append((name, float(k), float(k), make))

    k = int(rng.integers(2, 6))
    whole(k, "nearest whole", lambda a: resized(a, width * k, height * k, R.NEAREST))
    fractional(R.NEAREST, float(rng.uniform(1.2, 5)), "nearest fraction")
    fractional(R.NEAREST, 3.0, "nearest stretched", 8 / 7)
    fractional(R.BILINEAR, float(rng.uniform(1.6, 5)), "bilinear fraction")
    fractional(R.BILINEAR, float(rng.integers(2, 6)), "bilinear whole")
    fractional(R.BICUBIC, float(rng.uniform(1.6, 5)), "bicubic fraction")
    fractional(R.BICUBIC, float(rng.integers(2, 6)), "bicubic whole")
    fractional(R.LANCZOS, float(rng.uniform(2, 5)), "lanczos fraction")
    for q in (60, 80, 92):
        j = int(rng.integers(2, 6))
        whole(
            j,
            f"jpeg {q}",
            lambda a, j=j, q=q: jpeg(resized(a, width * j, height * j, R.NEAREST), q),
        )
    j3 = int(rng.integers(2, 5))
    whole(j3, "scanlines", lambda a: scanlines(a, j3, float(rng.uniform(0.4, 0.85))))
    whole(3, "lcd", lambda a: lcd(a, 3, float(rng.uniform(0.7, 0.96))))
    whole(4, "lcd", lambda a: lcd(a, 4, float(rng.uniform(0.7, 0.96))))
    whole(3, "ntsc", lambda a: ntsc(a, 3))
    whole(2, "epx", epx)
    whole(4, "epx", lambda a: epx(epx(a)))
    k4 = int(rng.integers(2, 5))
    whole(k4, "smooth", lambda a: smooth(a, k4))
    s = float(rng.uniform(2.2, 4.5))
    w, h = round(width * s), round(height * s)
    out.append(
        ("fraction jpeg", w / width, h / height, lambda a: jpeg(resized(a, w, h, R.NEAREST), 85))
    )
    out.append(("native", 1.0, 1.0, lambda a: a))
    out.append(("native jpeg", 1.0, 1.0, lambda a: jpeg(a, 80)))
    return out
