"""The native pixel grid of any picture: how many file pixels the artist's own pixel became.

Screenshots are enlarged by emulators, browsers and operating systems: by whole numbers, by
fractions, differently in x and y. Everything after this module works on native pixels.

The evidence: in an enlarged picture neighbouring columns are equal except at the borders of
native pixels. Each axis gives a profile (how much column x differs from column x - 1), and a
grid is believed when the columns it calls duplicates really are, more often than chance
explains. Enlargements with a filter (bilinear, JPEG, scanlines, ...) leave fainter traces and
are read in `grid_filter`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..errors import OptionError
from ..types import F32, F64, U8, Frame, Pixels, Source
from .grid_filter import Rhythm, filter_name, find_rhythm
from .grid_lines import find_lines, luma, without_lines
from .sizes import COMPILED

MAX_SCALE = 40.0
MIN_FRACTION = 1.04  # below this a grid is indistinguishable from native pixels
SURE = math.log(1e-4)  # how unlikely chance must be before a grid is believed
LARGEST_PART = 2048  # px of edge of the part in which a rhythm is looked for
WEAK = math.log(1e-6)  # evidence that the other axis may overrule
ENOUGH = 0.985  # share of the change that a grid must explain
SLIGHT, SURE_SLIGHT = 1.3, math.log(1e-9)  # a slight stretch repeats few columns
CROWDED = 1.9  # below this scale nearly every border must show a change
PAINTED_EDGE = 128  # px: smaller pictures are never called paintings
PHASES = (0.0, 0.5, -0.5)  # file px: where grids of a fraction of the picture may begin
CHUNK = 100_000  # edges looked at in one go
TIE = 0.07  # file px: borders that fall between two pixels may round either way
FINE_AREA = 20_000  # px from which on it saves time to look for fine lines first
FINE = 24.0  # luma between a fine line and what it crosses
FEWEST_FINE = 5e-5  # of all pixels on light fine lines, and on dark ones
FEWEST_PARTS = 4  # of 16 with fine lines
ENOUGH_PIXELS = 600_000  # px in which runs are counted
LAYERED = 0.12  # share of runs beyond chance that makes a grid when layers lie at several phases


@dataclass(frozen=True)
class AxisGrid:
    """`file = native * scale + phase` along one axis, with `count` whole or cut native pixels.

    `phase` is negative when the picture was cropped within a native pixel. `explained` in
    [0, 1] is the share of change on the grid beyond chance, `log_chance` the logarithm of how
    likely chance is.
    """

    scale: float
    phase: float
    count: int
    explained: float = 1.0
    log_chance: float = 0.0

    def edges(self, size: int) -> NDArray[np.intp]:
        """First file pixel of each native pixel, and `size` at the end: (count + 1,)."""
        cells = cell_of(size, self.scale, self.phase)
        starts = np.flatnonzero(np.diff(cells, prepend=cells[0] - 1))
        return np.append(starts, size)


def native_axis(size: int) -> AxisGrid:
    return AxisGrid(1.0, 0.0, size)


def cell_of(size: int, scale: float, phase: float) -> NDArray[np.intp]:
    """The native pixel each of `size` file pixels belongs to, by its centre."""
    centres = np.arange(size) + 0.5
    return np.asarray(np.floor((centres - phase) / scale + 1e-9), np.intp)


def recover(
    pixels: Pixels,
    source: Source,
    *,
    scale: tuple[float, float] | None = None,
    phase: tuple[float, float] | None = None,
) -> Frame:
    """Find the native pixels of a picture.

    Args:
        pixels: the file's pixels.
        source: where they came from.
        scale: file px per native px (x, y), when known; overrules the detector.
        phase: file px before the first whole native pixel (x, y), when known.

    Returns:
        A frame in native resolution; indexed pictures stay indexed.

    Raises:
        OptionError: a scale that leaves no native pixel.
    """
    height, width = pixels.rgba.shape[:2]
    if scale is not None:
        axes = tuple(
            _given_axis(size, s, phase[i] if phase else None, profile)
            for i, (size, s, profile) in enumerate(
                zip((width, height), scale, change_profiles(pixels.rgba))
            )
        )
        return _frame(pixels, source, axes[0], axes[1], 1.0, "none")
    across, down, confidence, filtered = find_grid(pixels)
    return _frame(pixels, source, across, down, confidence, filtered)


def find_grid(pixels: Pixels) -> tuple[AxisGrid, AxisGrid, float, str]:
    """The grid across and down, the confidence in [0, 1], and the filter's name."""
    lines = find_lines(pixels.rgba)
    if lines == (None, None):
        return _find_grid(pixels)
    across, down, confidence, _ = _find_grid(Pixels(without_lines(pixels.rgba, lines)))
    if down.scale == 1.0 and lines[1] is not None:
        down = _axis(pixels.height, float(lines[1][0]), 0.0)
    return across, down, confidence, "scanlines" if lines[0] is None else "lcd"


def _find_grid(pixels: Pixels) -> tuple[AxisGrid, AxisGrid, float, str]:
    height, width = pixels.rgba.shape[:2]
    profiles = change_profiles(pixels.rgba)
    found = [exact_axis(profile) for profile in profiles]
    if found == [None, None] and has_fine_detail(pixels.rgba):
        return native_axis(width), native_axis(height), _native_confidence(profiles), "none"
    doubtful = any(grid is None or grid.scale < 2.0 for grid in found)
    layered = layered_grid(pixels.rgba) if doubtful else None
    coarsest = max((grid.scale for grid in found if grid is not None), default=1.0)
    if layered is not None and layered[0].scale >= 1.9 * coarsest:
        across, down = layered
    elif doubtful and (rhythm := _rhythm_beyond(found, pixels.rgba)) is not None:
        across, down = (_from_rhythm(r, size) for r, size in zip(rhythm, (width, height)))
        power = min(1.0, math.log10(min(r.power for r in rhythm)) / 2)
        confidence = min(0.99, 0.5 + 0.3 * power + 0.2 * min(r.predicted for r in rhythm))
        return across, down, confidence, filter_name(rhythm)
    else:
        across, down = _agree(found[0], found[1], profiles)
    if across.scale > 1.0 or down.scale > 1.0:
        confidence = min(1.0, min(across.explained, down.explained))
        return across, down, confidence, "none"
    return native_axis(width), native_axis(height), _native_confidence(profiles), "none"


def _rhythm_beyond(found: Sequence[AxisGrid | None], rgba: U8) -> tuple[Rhythm, Rhythm] | None:
    """A rhythm where exact grids are missing, or a much coarser one than a fraction found.

    Blurred or dark lines beside equal ones look like a fraction such as 4/3 or 3/2.
    """
    whole = [grid.scale if grid and grid.scale == int(grid.scale) else None for grid in found]
    if None not in whole:
        return None
    x, y = (max(0, (edge - LARGEST_PART) // 2) for edge in (rgba.shape[1], rgba.shape[0]))
    part = rgba[y : y + LARGEST_PART, x : x + LARGEST_PART]
    rhythm = find_rhythm(luma_of(part), known=(whole[0], whole[1]))
    if rhythm is not None:
        rhythm = _moved(rhythm[0], x), _moved(rhythm[1], y)
    if rhythm is None or None in found:
        return rhythm
    finer = all(r.scale >= 1.9 * grid.scale for r, grid in zip(rhythm, found) if grid)
    mixed = any(scale is not None for scale in whole)
    return rhythm if finer or mixed else None


def has_fine_detail(rgba: U8) -> bool:
    """Whether lines of one pixel, light and dark ones, cross flat colour all over the picture.

    No filter leaves such a line: from a scale of 1.45 on it spreads its edges over more pixels.
    Dark lines alone may be a mask's, and lines in a corner a sharp overlay's.
    """
    if rgba.shape[0] * rgba.shape[1] < FINE_AREA:
        return False
    image = luma_of(rgba[:LARGEST_PART, :LARGEST_PART])
    return all(_enough_lines(image.size, *_fine_lines(image, axis)) for axis in (1, 0))


def _enough_lines(size: int, light: int, dark: int, changing: int, lined: int) -> bool:
    """Whether lines of one pixel are crossed: light, dark, and in a third of the parts where
    anything changes."""
    few = min(light, dark) < max(3, FEWEST_FINE * size)
    return not few and lined >= max(FEWEST_PARTS, changing / 3)


def _fine_lines(image: F32, axis: int) -> tuple[int, int, int, int]:
    """How many pixels lie on light and on dark lines of one pixel, crossed along an axis; in how
    many of 16 parts anything changes, and in how many of those are such lines."""
    if image.size > COMPILED:
        from . import _loops

        light, dark, parts = _loops.fine_lines(image, np.float32(FINE), 1 - axis)
        return light, dark, *np.count_nonzero(parts, axis=1).tolist()
    rows = image if axis else np.ascontiguousarray(image.T)
    wide = rows.shape[1]
    flat = rows.reshape(-1)
    change = flat[2:-2] - flat[1:-3]
    at = np.flatnonzero(np.abs(change) > FINE) + 2
    at = at[(at % wide >= 2) & (at % wide < wide - 2)]
    beside = flat[at - 1]
    fine = (flat[at - 2] == beside) & (flat[at + 1] == beside) & (flat[at + 2] == beside)
    light = flat[at] > beside
    part = at // wide * 4 // rows.shape[0] * 4 + at % wide * 4 // wide
    changing, lined = (np.count_nonzero(np.bincount(of)) for of in (part, part[fine]))
    ones, all_of_it = int(np.count_nonzero(fine & light)), int(np.count_nonzero(fine))
    return ones, all_of_it - ones, int(changing), int(lined)


def _moved(rhythm: Rhythm, start: int) -> Rhythm:
    """A rhythm seen in a part that starts `start` px into the picture."""
    return replace(rhythm, phase=(rhythm.phase + start) % rhythm.scale) if start else rhythm


def luma_of(rgba: U8) -> F32:
    """(H, W) luma in [0, 255]; see-through pixels show a grey that is nobody's colour."""
    alpha = rgba[..., 3]
    if int(alpha.min()) == 255:
        return luma(rgba)
    clear = (255 - alpha.astype(np.float32)) * np.float32(0.42)
    return np.asarray(luma(comparable(rgba).astype(np.uint8)) + clear, np.float32)


def _from_rhythm(rhythm: Rhythm, size: int) -> AxisGrid:
    return _axis(size, rhythm.scale, rhythm.phase)


def comparable(rgba: U8) -> NDArray[np.int16]:
    """(H, W, 4) int16: colours weighted by alpha, so that hidden colours don't count."""
    image = rgba.astype(np.int16)
    alpha = image[..., 3:]
    if int(alpha.min()) == 255:
        return image
    image[..., :3] = image[..., :3] * alpha // 255
    return image


def change_profiles(rgba: U8) -> tuple[F64, F64]:
    """How many pixels of each column (row) differ from the one before: (W,) and (H,).

    Entry 0 is 0.
    """
    across = np.zeros(rgba.shape[1])
    down = np.zeros(rgba.shape[0])
    for start in range(0, rgba.shape[0], 256):  # bounded memory on huge sheets
        rows = packed(rgba[start : start + 257])
        body = rows[:256]
        across[1:] += (body[:, 1:] != body[:, :-1]).sum(axis=0)
        step = (rows[1:] != rows[:-1]).sum(axis=1)
        down[start + 1 : start + 1 + len(step)] = step
    return across, down


def packed(rgba: U8) -> NDArray[np.uint32]:
    """(H, W): one number for each colour, weighted by alpha, so that hidden colours don't count."""
    if int(rgba[..., 3].min(initial=255)) < 255:
        rgba = comparable(rgba).astype(np.uint8)
    return np.ascontiguousarray(rgba).view(np.uint32)[..., 0]


def exact_axis(profile: F64) -> AxisGrid | None:
    """The grid on whose borders alone the profile changes, or None.

    Whole scales of any phase come first; a fraction of the whole width must be much coarser to
    replace one. The share of columns that repeat their neighbour bounds the scale from above.
    """
    evidence = _Evidence(profile)
    if evidence.span < 4:
        return None
    best: AxisGrid | None = None
    for k in range(2, int(min(MAX_SCALE, evidence.bound, len(profile) / 3)) + 1):
        grids = (evidence.judge(float(k), float(p), 4 * k) for p in range(k))
        best = next((grid for grid in grids if grid is not None), best)
    for scale, phase in evidence.promising(_fractions(len(profile), evidence.bound), best):
        coarser = best is None or scale > 1.3 * best.scale or best.scale != int(best.scale)
        if coarser and (best is None or scale != best.scale):  # the first phase that fits
            best = evidence.judge(scale, phase, 3 * len(profile)) or best
    return best


def _fractions(size: int, bound: float) -> list[float]:
    """Scales that make a whole number of native pixels of the whole width, finest first."""
    most, least = int(size / MIN_FRACTION), max(4, int(size / min(bound, MAX_SCALE)))
    return [size / count for count in range(most, least - 1, -1) if size % count]


def border_columns(profile: F64, scale: float, phase: float) -> NDArray[np.intp]:
    """The file pixels where native pixels begin, without the picture's own border.

    An edge between two pixel centres may have been rounded either way: the side where the
    picture changes more is taken.
    """
    size = len(profile)
    first = math.floor((0.5 - phase) / scale) + 1
    last = math.ceil((size - 0.5 - phase) / scale)
    edges = np.arange(first, last) * scale + (phase + 0.5)
    columns = np.floor(edges + 1e-9).astype(np.intp)
    if scale != int(scale):
        near = edges - np.round(edges)
        tied = np.abs(near) <= TIE
        other = np.where(near >= -1e-9, columns - 1, columns + 1)
        other = np.clip(other, 1, size - 1)
        columns = np.clip(columns, 1, size - 1)
        columns = np.where(tied & (profile[other] > profile[columns]), other, columns)
        columns = np.unique(columns)  # two borders may have been moved to one pixel
    return np.asarray(columns[(columns >= 1) & (columns < size)])


class _Evidence:
    """One axis' profile, prepared for judging many grids."""

    def __init__(self, profile: F64) -> None:
        self.profile = profile
        self.size = len(profile)
        self.numbers = np.arange(1.0, self.size + 1)
        self.total = float(profile.sum())
        self.active = profile > 0.002 * float(profile.max(initial=0.0))
        changing = np.flatnonzero(self.active)
        self.first = int(changing[0]) if len(changing) else 0
        self.last = int(changing[-1]) if len(changing) else -1
        self.span = self.last - self.first
        self.changes = len(changing)
        self.columns = self.span + 1
        # a grid needs its duplicates: their share bounds the scale
        strong = float((profile > 0.02 * float(profile.mean())).sum())
        self.quiet = 1.0 - strong / max(1, self.columns)
        self.bound = 1.0 / max(1e-3, 1.0 - self.quiet / 0.7)
        self.log_null = _log_likelihood(self.changes, self.columns)

    def judge(self, scale: float, phase: float, hypotheses: int) -> AxisGrid | None:
        """The grid, when it explains the changes and chance doesn't."""
        if self.quiet < 0.7 * (1.0 - 1.0 / scale):
            return None
        at = border_columns(self.profile, scale, phase)
        off_grid = 1.0 - float(self.profile[at].sum()) / self.total
        explained = 1.0 - off_grid / (1.0 - 1.0 / scale)
        if explained < ENOUGH:
            return None
        at = at[(at >= self.first) & (at <= self.last)]
        on_grid = int(np.count_nonzero(self.active[at]))
        if scale < CROWDED and self._crowd(at) < 0.7:
            return None
        stray = self.changes - on_grid
        within = self.columns - len(at)
        log_grid = _log_likelihood(on_grid, len(at)) + _log_likelihood(stray, within, 0.02)
        log_chance = self.log_null - log_grid + math.log(hypotheses)
        if log_chance > (SURE if scale >= SLIGHT else SURE_SLIGHT):
            return None
        return replace(_axis(self.size, scale, phase), explained=explained, log_chance=log_chance)

    def promising(
        self, scales: Sequence[float], whole: AxisGrid | None
    ) -> Iterator[tuple[float, float]]:
        """Scales with phases that a quick look at rounded edges doesn't rule out, in order.

        Edges between two pixels are all rounded alike, up or down. Beside a `whole` scale only
        much coarser ones count.
        """
        if whole is not None:
            scales = [scale for scale in scales if scale > 1.3 * whole.scale]
        padded = np.append(self.profile, 0.0)
        while len(scales):
            edges = self.numbers[: int(self.size / scales[0]) + 1]
            part = np.array(scales[: max(1, CHUNK // len(edges))])
            scales = scales[len(part) :]
            hopeful = np.zeros((len(part), len(PHASES)), bool)
            middles = edges * part[:, None] + 0.5
            chance = self.total * (1.0 - 0.6 * (1.0 - 1.0 / part))
            for i, phase in enumerate(PHASES):
                for nudge in (TIE, -TIE):
                    at = (middles + (phase + nudge)).astype(np.int32)
                    hopeful[:, i] |= np.take(padded, at, mode="clip").sum(axis=1) > chance
            for row, i in np.argwhere(hopeful):
                yield float(part[row]), PHASES[i]

    def _crowd(self, at: NDArray[np.intp]) -> float:
        """Of the grid's borders that lie amid change, the share that change themselves."""
        near = np.convolve(self.active, np.ones(7), "same") - self.active >= 3
        return float(self.active[at[near[at]]].mean()) if near[at].any() else 0.0


def _log_likelihood(hits: int, trials: int, rate: float | None = None) -> float:
    """Of `hits` in `trials` at a rate, or at the best rate."""
    if trials <= 0:
        return 0.0
    p = min(max(hits / trials if rate is None else rate, 1e-6), 1 - 1e-6)
    return hits * math.log(p) + (trials - hits) * math.log(1 - p)


def _agree(
    across: AxisGrid | None, down: AxisGrid | None, profiles: tuple[F64, F64]
) -> tuple[AxisGrid, AxisGrid]:
    """Let each axis help the other: pictures are mostly enlarged alike in x and y."""
    width, height = (len(profile) for profile in profiles)
    if across is None and down is None:
        return native_axis(width), native_axis(height)
    if across is None:
        across = _borrowed(profiles[0], down)
    elif down is None:
        down = _borrowed(profiles[1], across)
    elif across.scale != down.scale:
        across, down = _common(across, down, profiles)
    return across or native_axis(width), down or native_axis(height)


def _borrowed(profile: F64, other: AxisGrid | None) -> AxisGrid | None:
    """The other axis' scale, where this axis' profile doesn't contradict it."""
    if other is None or len(profile) < other.scale:
        return None
    phases = sorted(range(math.ceil(other.scale)), key=lambda p: _off_grid(profile, other.scale, p))
    phase = float(phases[0])
    if _off_grid(profile, other.scale, phase) > 0.02:
        return None
    return _axis(len(profile), other.scale, phase)


def _common(
    across: AxisGrid, down: AxisGrid, profiles: tuple[F64, F64]
) -> tuple[AxisGrid, AxisGrid]:
    """A multiple on one axis, on little evidence, is a blocky motif: take the finer scale."""
    finer, coarser = sorted((across, down), key=lambda grid: grid.scale)
    multiple = coarser.scale / finer.scale
    weak = coarser.log_chance > WEAK
    if not weak or multiple < 1.9 or abs(multiple - round(multiple)) > 0.01:
        return across, down
    if coarser is across:
        across = _axis(len(profiles[0]), finer.scale, across.phase % finer.scale)
    else:
        down = _axis(len(profiles[1]), finer.scale, down.phase % finer.scale)
    return across, down


def _axis(size: int, scale: float, phase: float) -> AxisGrid:
    cells = cell_of(size, scale, phase)
    return AxisGrid(scale, phase + scale * int(cells[0]), int(cells[-1] - cells[0]) + 1)


def _off_grid(profile: F64, scale: float, phase: float) -> float:
    """Share of the change that a grid doesn't explain."""
    total = float(profile.sum())
    on_grid = float(profile[border_columns(profile, scale, phase)].sum())
    return 1.0 - on_grid / total if total else 0.0


def _given_axis(size: int, scale: float, phase: float | None, profile: F64) -> AxisGrid:
    """The axis for a scale that the user gave; the phase is found when it wasn't given."""
    if scale > size:
        raise OptionError(
            f"option scale: {scale:g} file pixels per native pixel in a picture of {size}",
            "give the size of one native pixel, e.g. 4",
        )
    if phase is None:
        steps = np.arange(0.0, scale, 1.0 if scale == int(scale) else 0.25)
        phase = float(min(steps, key=lambda p: (round(_off_grid(profile, scale, p), 4), p)))
    return _axis(size, scale, phase)


def layered_grid(rgba: U8) -> tuple[AxisGrid, AxisGrid] | None:
    """A whole scale shared by layers that lie at different phases, or under a sharper overlay.

    Lengths of equal runs are multiples of the scale wherever a layer was enlarged by it.
    """
    lengths = [_run_lengths(rgba), _run_lengths(rgba.transpose(1, 0, 2))]
    if min(int(counts.sum()) for counts in lengths) < 50:
        return None
    excess = {k: min(_multiples(counts, k) for counts in lengths) for k in range(2, 17)}
    strongest = max(excess.values())
    if strongest < LAYERED:
        return None
    k = max(k for k, share in excess.items() if share >= 0.7 * strongest)
    if excess[k] < (LAYERED if k > 2 else 2 * LAYERED):
        return None
    profiles = change_profiles(rgba)
    phases = [min(range(k), key=lambda p: _off_grid(profile, k, p)) for profile in profiles]
    explained = min(1.0, 0.5 + excess[k] / 2)
    across, down = (_axis(len(p), float(k), float(at)) for p, at in zip(profiles, phases))
    return replace(across, explained=explained), replace(down, explained=explained)


def _multiples(counts: NDArray[np.intp], k: int) -> float:
    """Share of the runs whose length is a multiple of k, beyond chance."""
    return (float(counts[k::k].sum() / counts.sum()) - 1 / k) / (1 - 1 / k)


def _run_lengths(rgba: U8) -> NDArray[np.intp]:
    """How many runs of one colour have each length, from 0 on; the runs begin and end inside a
    row, and enough rows are looked at to see some 100,000."""
    step = max(1, rgba.shape[0] * rgba.shape[1] // ENOUGH_PIXELS)
    codes = packed(rgba[::step])
    change = codes[:, 1:] != codes[:, :-1]
    at = np.flatnonzero(change)
    row = at // change.shape[1]
    return np.bincount(np.diff(at)[row[1:] == row[:-1]], minlength=17)


def looks_painted(pixels: Pixels) -> bool:
    """Whether native pixels are those of a photo or a painting rather than pixel art.

    Most neighbouring pixels of a photo differ a little, few of them much; pixel art is flat
    between hard edges. Noise, which changes direction at every pixel, is a texture, no photo.
    """
    if min(pixels.width, pixels.height) < PAINTED_EDGE:
        return False
    x, y = (max(0, (edge - 512) // 2) for edge in (pixels.width, pixels.height))
    image = luma_of(pixels.rgba[y : y + 512, x : x + 512])
    across, down = np.diff(image, axis=1), np.diff(image, axis=0)
    change = np.abs(np.concatenate([across.ravel(), down.ravel()]))
    soft = float(np.mean((change > 0.5) & (change <= 16)))
    hard = float(np.mean(change > 16))
    bend = float(np.abs(np.diff(across, axis=1)).mean()) / max(1e-6, float(np.abs(across).mean()))
    return soft > 0.55 and soft > 3.5 * hard and bend < 1.67


def _native_confidence(profiles: tuple[F64, F64]) -> float:
    """Native pixels are sure when neighbouring columns hardly ever repeat."""
    repeats = [float(np.mean(p[1:] == 0)) if len(p) > 1 else 0.0 for p in profiles]
    return float(np.clip(1.0 - 0.5 * min(repeats), 0.5, 1.0))


def _frame(
    pixels: Pixels, source: Source, across: AxisGrid, down: AxisGrid, confidence: float, name: str
) -> Frame:
    height, width = pixels.rgba.shape[:2]
    if across.scale == down.scale == 1.0 and across.phase == down.phase == 0.0:
        return Frame(pixels, source, confidence=confidence, file_size=(width, height))
    return Frame(
        sample(pixels, across, down) if name == "none" else resample(pixels, across, down),
        source,
        scale=(across.scale, down.scale),
        phase=(across.phase, down.phase),
        confidence=confidence,
        filter=name,
        file_size=(width, height),
    )


def sample(pixels: Pixels, across: AxisGrid, down: AxisGrid) -> Pixels:
    """One file pixel for each native one: the middle of its cell."""
    height, width = pixels.rgba.shape[:2]
    columns, rows = _middles(across.edges(width)), _middles(down.edges(height))
    rgba = np.ascontiguousarray(pixels.rgba[rows[:, None], columns])
    if pixels.indices is None:
        return Pixels(rgba)
    indices = np.ascontiguousarray(pixels.indices[rows[:, None], columns])
    return Pixels(rgba, indices, pixels.palette)


def _middles(edges: NDArray[np.intp]) -> NDArray[np.intp]:
    return np.asarray((edges[:-1] + edges[1:] - 1) // 2)


def resample(pixels: Pixels, across: AxisGrid, down: AxisGrid) -> Pixels:
    """Native pixels of a filtered picture: the middle of each cell, dark lines left out.

    Colours that a filter or compression drew apart are brought back to one palette.
    """
    rgba = without_lines(pixels.rgba, find_lines(pixels.rgba))
    height, width = rgba.shape[:2]
    wide = _middle_means(rgba.astype(np.float32), across.edges(width), axis=1)
    mean = _middle_means(wide, down.edges(height), axis=0)
    native = np.clip(np.round(mean), 0, 255).astype(np.uint8)
    return Pixels(np.ascontiguousarray(unify(native)))


def _middle_means(image: F32, edges: NDArray[np.intp], *, axis: int) -> F32:
    """Means over the inner part of each cell along one axis."""
    length = np.diff(edges)
    inner = np.maximum(
        1, np.where(length % 2 == 1, length // 3 // 2 * 2 + 1, (length + 2) // 4 * 2)
    )
    inner = np.minimum(inner, length)
    start = edges[:-1] + (length - inner) // 2
    sums = np.cumsum(image, axis=axis, dtype=np.float64)
    sums = np.insert(sums, 0, 0, axis=axis)
    total = np.take(sums, start + inner, axis=axis) - np.take(sums, start, axis=axis)
    shape = (1, -1, 1) if axis == 1 else (-1, 1, 1)
    return np.asarray(total / inner.reshape(shape), np.float32)


def unify(native: U8, *, distance: int = 18, most: int = 64) -> U8:
    """Colours within `distance` of a more frequent one become it, where few colours remain."""
    colors, inverse, counts = np.unique(
        native.reshape(-1, 4), axis=0, return_inverse=True, return_counts=True
    )
    order = np.argsort(-counts)
    chosen: list[int] = []
    target = np.arange(len(colors))
    wide = colors.astype(np.int16)
    for i in order:
        if chosen:
            near = np.abs(wide[chosen] - wide[i]).max(axis=1)
            best = int(np.argmin(near))
            if near[best] <= distance:
                target[i] = chosen[best]
                continue
        chosen.append(int(i))
        if len(chosen) > most:
            return native  # painted, not drawn with a palette
    return np.asarray(colors[target][inverse.reshape(-1)].reshape(native.shape))
