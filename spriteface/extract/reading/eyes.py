"""Eyes: small windows that contrast with the skin around them, best as a mirrored pair.

In pixel art an eye is one to a few pixels: dark, often with a white, with skin below and beside.
All windows of one size are scored at once; pairs are scored as one matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ...types import F64, Bool
from .colors import bump, distance
from .layers import Layers

MAX_WINDOWS = 160
Window = tuple[int, int, int, int]  # y, x, h, w


@dataclass(frozen=True)
class FoundEyes:
    """Scores are about 0..1.5; a window is (y, x, h, w) in px."""

    pair: tuple[Window, Window] | None
    pair_score: float
    single: Window | None
    single_score: float


def find_eyes(layers: Layers, skin: Bool, base: F64, box: tuple[int, int, int, int]) -> FoundEyes:
    windows = _windows(layers, skin, base, box)
    if not len(windows):
        return FoundEyes(None, 0.0, None, 0.0)
    y0, y1, x0, x1 = box
    width, height = x1 - x0 + 1.0, y1 - y0 + 1.0
    s, y, _, h, _ = windows.T

    def height_prior(cy: F64) -> F64:
        off = np.maximum(0, np.abs((cy - y0) / height - 0.45) - 0.12)
        prior: F64 = np.exp(-((off / 0.16) ** 2))
        return prior

    alone = s * height_prior(y + h / 2)
    one = int(alone.argmax())
    single, single_score = _window(windows[one]), float(alone[one])
    pairs = _pair_scores(layers, skin, windows, (x0 + x1 + 1) / 2, width, height)
    pairs *= height_prior(((y + h / 2)[:, None] + (y + h / 2)[None]) / 2)
    i, j = np.unravel_index(int(pairs.argmax()), pairs.shape)
    best = float(pairs[i, j])
    pair = (_window(windows[i]), _window(windows[j])) if best > 0 else None
    return FoundEyes(pair, best, single if single_score > 0 else None, single_score)


def _window(row: F64) -> Window:
    y, x, h, w = (int(v) for v in row[1:])
    return y, x, h, w


def _pair_scores(
    layers: Layers, skin: Bool, windows: F64, centre: float, width: float, height: float
) -> F64:
    """(N, N): rows are left eyes, columns right ones; 0 where the two can't be a pair."""
    s, y, x, h, w = windows.T
    mean, darkest = _colors(layers, windows)

    def left(v: F64) -> F64:
        return v[:, None]

    def right(v: F64) -> F64:
        return v[None, :]

    fits = right(x) >= left(x + w) + 1
    fits &= np.abs(right(y + h) - left(y + h)) <= 1 + 0.03 * height
    fits &= (np.abs(right(h) - left(h)) <= 1) & (np.abs(right(w) - left(w)) <= 1 + 0.1 * width)
    apart = right(x + w / 2) - left(x + w / 2)
    middle = (right(x + w / 2) + left(x + w / 2)) / 2
    gap = np.sqrt(((mean[:, None] - mean[None]) ** 2).sum(-1))
    alike = np.exp(-((gap / 0.2) ** 2) - ((left(darkest) - right(darkest)) / 0.25) ** 2)
    off = np.maximum(0, np.abs(middle - centre) / width - 0.12)
    scores = (
        left(s)
        * right(s)
        * alike
        * bump(apart / width, 0.34, 0.62, 0.12)
        * np.exp(-((off / 0.14) ** 2))
    )
    scores *= 0.45 + 0.55 * _skin_between(skin, windows)
    out: F64 = np.where(fits, scores, 0.0)
    return out


def _colors(layers: Layers, windows: F64) -> tuple[F64, F64]:
    mean, darkest = np.zeros((len(windows), 3)), np.zeros(len(windows))
    for i, row in enumerate(windows):
        y, x, h, w = _window(row)
        part = layers.lab[y : y + h, x : x + w].reshape(-1, 3)
        mean[i], darkest[i] = part.mean(0), part[:, 0].min()
    return mean, darkest


def _skin_between(skin: Bool, windows: F64) -> F64:
    """Share of skin on the bridge between two windows."""
    total = np.concatenate([np.zeros((len(skin), 1)), np.cumsum(skin, axis=1)], axis=1)
    _, y, x, _, w = windows.T.astype(int)
    row = np.maximum(y[:, None], y[None])
    start, stop = (x + w)[:, None] + 0 * row, x[None] + 0 * row
    length = np.maximum(1, stop - start)
    share: F64 = np.where(
        stop > start, (total[row, np.maximum(stop, start)] - total[row, start]) / length, 0.0
    )
    return share


def _windows(layers: Layers, skin: Bool, base: F64, box: tuple[int, int, int, int]) -> F64:
    """(N, 5) rows of score, y, x, h, w; best first."""
    lab, fg = layers.lab, layers.fg
    height, width = fg.shape
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    contrast = np.where(skin | ~fg, 0, np.clip(distance(lab, base) / 0.22, 0, 1))
    red = np.clip((lab[..., 1] - base[1] - 0.02) / 0.08, 0, 1) * (lab[..., 0] > 0.4)
    dark = np.clip((base[0] - lab[..., 0]) / 0.3, 0, 1) * fg
    white = np.clip((lab[..., 0] - base[0]) / 0.12, 0, 1) * (chroma < 0.05) * fg
    y0, y1, x0, x1 = box
    face = x1 - x0 + 1
    skin_pad = np.pad(skin.astype(float), 1)  # skin_pad[y + 1, x + 1] is skin[y, x]
    found = []
    for h in range(1, max(2, round(0.26 * face)) + 1):
        for w in range(1, max(2, round(0.34 * face)) + 1):
            ys = slice(max(1, y0), min(height - h, y1 - h + 1))
            xs = slice(max(0, x0 - 1), min(width - w, x1 + 1) + 1)
            if ys.stop <= ys.start or xs.stop <= xs.start:
                continue

            def mean(a: NDArray[np.float64], h: int = h, w: int = w) -> F64:
                m: F64 = sliding_window_view(a, (h, w)).mean((-1, -2))
                return m

            def peak(a: NDArray[np.float64], h: int = h, w: int = w) -> F64:
                m: F64 = sliding_window_view(a, (h, w)).max((-1, -2))
                return m

            area = slice(ys.start, ys.stop + h - 1), slice(xs.start, xs.stop + w - 1)
            filled = mean(contrast[area])
            deepest = peak(dark[area])
            last = peak(contrast[ys.start + h - 1 : ys.stop + h - 1, area[1]], 1)
            fits = (filled >= 0.6) & (last >= 0.35) & (deepest >= 0.35)
            if not fits.any():
                continue
            rows, cols = slice(ys.start + 1, ys.stop + h), slice(xs.start + 1, xs.stop + w)
            below = mean(skin_pad[ys.start + h + 1 : ys.stop + h + 1, cols], 1)
            above = mean(skin_pad[ys, cols], 1)
            left = mean(skin_pad[rows, xs], h, 1)
            right = mean(skin_pad[rows, xs.start + w + 1 : xs.stop + w + 1], h, 1)
            score = filled * (0.15 + 0.85 * below) * (0.2 + 0.4 * left + 0.4 * right)
            score *= (0.75 + 0.25 * above) * deepest * (1 + 0.7 * peak(white[area]))
            score *= (1 - 0.7 * mean(red[area])) * (h * w) ** 0.18 * (0.62 if w > 2.2 * h else 1)
            at = np.nonzero(fits & (score > 0.12))
            n = len(at[0])
            found.append(
                np.stack(
                    [score[at], at[0] + ys.start, at[1] + xs.start, np.full(n, h), np.full(n, w)], 1
                )
            )
    if not found:
        return np.zeros((0, 5))
    rows_found = np.concatenate(found)
    order = np.lexsort(tuple(-rows_found[:, k] for k in (4, 3, 2, 1, 0)))
    return rows_found[order[:MAX_WINDOWS]]


def grow_window(layers: Layers, skin: Bool, window: Window, limit: float) -> Window:
    """Extend an eye over the white attached to it on either side."""
    y, x, h, w = window

    def white(column: int) -> bool:
        if not 0 <= column < layers.shape[1]:
            return False
        part = layers.lab[y : y + h, column]
        free = (layers.fg & ~skin)[y : y + h, column].all()
        return bool(free and part[:, 0].max() > 0.8 and np.hypot(*part[:, 1:].mean(0)) < 0.05)

    while w < limit and white(x - 1):
        x, w = x - 1, w + 1
    while w < limit and white(x + w):
        w += 1
    return y, x, h, w
