"""From a reading to portraits that are clearly that character.

For a generator that reads sprites (the embedded head) the way is:

1. starts: several people with the sprite's traits, each drawn from the prior; the one whose
   preview agrees best with the sprite goes on, with its own latent;
2. colours: skin, hair, beard, headwear and clothes are measured in the preview and corrected
   until they have the sprite's colours. Skin tone is locked to the reading;
3. search: an evolution strategy moves camera, pose and the proportions of the face on the prior,
   so that the downscaled portrait agrees with the sprite: the same things in the same places
   (label agreement under a blur, because a caricature is no survey), the same colours there.
   Outlines and transparent pixels weigh next to nothing;
4. the final picture, and as much equality as `faithful` asks for.

Any other generator is searched as PULSE does (`search.py`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor

from ..errors import Cancelled, OptionError
from ..options import PortraitOptions
from ..palette.color import (
    delta_e_2000,
    linear_from_srgb,
    oklab_from_srgb,
)
from ..types import F32, F64, RGB, U8, Label, Reading
from .colors import corrected, same_color, shown_colors, sprite_colors, wanted_colors
from .downscale import downscale_array
from .evolve import SeparableCma
from .faithful import bend, make_faithful
from .generator import Generator, Latents, MapsRegions, PathTraces, ReadsSprites
from .loss import lr_psnr_db
from .search import search_all
from .target import Target, make_target

OnStep = Callable[[str, float, U8 | None, float | None], bool | None]
PREVIEW_PX = 64
# the head's camera at zoom 1, and a height that a portrait shows in any case: below the chin
FRAME_EDGE_CM, FRAME_MIDDLE_CM, NECK_CM = 31.5, 1.8, -9.8
COLOR_PX = 96
STARTS = 3
GENERATIONS = 3
POPULATION = 10
COLOR_ROUNDS = 6
CHECK_PX = 128
# CIEDE2000 at which a colour is right enough to stop, in previews and in a small finished picture
CLOSE = {"": 1.0}
TOLERABLE = {"": 6.0, "skin": 1.0, "hair": 4.0, "beard": 4.0}

# what counts how much, by label: outlines are drawn, not there
LABEL_WEIGHT = np.full(len(Label), 1.0)
LABEL_WEIGHT[[Label.BACKGROUND, Label.OUTLINE]] = 0.0, 0.05
LABEL_WEIGHT[[Label.EYE, Label.IRIS, Label.BROW, Label.MOUTH, Label.TEETH, Label.NOSE]] = 0.6
LABEL_WEIGHT[Label.CLOTHING] = 0.4

# labels whose places are compared; drawn features count as the face they lie in
GROUPS: tuple[tuple[Label, ...], ...] = (
    (
        Label.SKIN,
        Label.NOSE,
        Label.EAR,
        Label.EYE,
        Label.IRIS,
        Label.BROW,
        Label.MOUTH,
        Label.TEETH,
    ),
    (Label.HAIR,),
    (Label.HEADWEAR, Label.BAND, Label.EMBLEM),
    (Label.FACIAL_HAIR,),
    (Label.CLOTHING,),
    (Label.GLASSES, Label.MASK),
)
EYES = (Label.EYE, Label.IRIS)
MOUTH = (Label.MOUTH, Label.TEETH)

SEARCHED = (
    "zoom", "camera_x", "camera_y", "pitch", "weight", "hairline", "hair_lift",
    "hair_length", "head.low", "head.size", "beard_length",
    "local:head/head-fat", "local:head/head-scale-vert", "local:head/head-scale-horiz",
    "local:chin/chin-height", "local:chin/chin-width", "local:eyes/eye-trans-y",
    "local:eyes/eye-scale", "local:mouth/mouth-trans-y", "local:nose/nose-scale-vert",
)  # fmt: skip
LOCKS = {
    "view": ("pitch",),
    "camera": ("zoom", "camera_x", "camera_y"),
    "hair": ("hairline", "hair_lift", "hair_length"),
    "headwear": ("head.low", "head.size"),
    "beard": ("beard_length",),
    "face": ("weight", *(name for name in SEARCHED if name.startswith("local:"))),
}
PERSONAL_LOCKS = ("hair", "headwear", "beard", "face")  # who somebody is, whatever the pose


@runtime_checkable
class KnowsPeople(Protocol):
    """A generator whose latents can be read and written as people (the embedded head)."""

    def people(self, latents: Latents) -> list[Any]: ...

    def latents(self, people: Sequence[Any]) -> Latents: ...

    def posed(self, who: Latents, pose: Latents, *, asked: Sequence[str] = ()) -> Latents: ...


@dataclass(frozen=True, eq=False)
class Who:
    """Someone already found, to be shown in other poses.

    `latents` a batch of one. `colors` are the sprite's, by material, that they were matched to: a
    pose painted in nearly the same ones keeps the person's own, another (a palette swap) is
    matched to its own.
    """

    latents: Latents
    colors: Mapping[str, RGB] = field(default_factory=dict)

    @classmethod
    def of(cls, likeness: Likeness) -> Who:
        return cls(likeness.latents, sprite_colors(likeness.traits))

    @classmethod
    def from_json(cls, data: Mapping[str, Any], generator: Generator) -> Who:
        """The reverse of `to_json`.

        Raises:
            OptionError: it belongs to another generator.
        """
        shape = tuple(int(n) for n in data["shape"])
        values = torch.tensor(data["z"], dtype=torch.float32)
        if shape != generator.info.latent_shape or values.numel() != math.prod(shape):
            raise OptionError(
                f"option identity: a latent of shape {list(shape)}",
                f"{generator.info.name!r} has {list(generator.info.latent_shape)}: "
                "use the generator that the portrait was made with",
            )
        structure = (dict(data["structure"]),) if data.get("structure") else ()
        colors = {
            name: (int(r), int(g), int(b)) for name, (r, g, b) in data.get("colors", {}).items()
        }
        return cls(Latents(values.view(1, *shape), structure), colors)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, exact."""
        return {
            "shape": list(self.latents.z.shape[1:]),
            "z": [float(v) for v in self.latents.z[0].flatten()],
            "structure": dict(self.latents.structure[0]) if self.latents.structure else {},
            "colors": {name: list(color) for name, color in self.colors.items()},
        }


@dataclass(frozen=True, eq=False)
class Likeness:
    """One portrait of a character.

    `latents` a batch of one, the portrait's own; `image` (R, R, 3) and `matte` (R, R) uint8 or
    None; `small` (h, w, 3) uint8 is the image downscaled to the sprite by `downscale_operator`,
    which `lr_psnr_db` compares (opaque pixels only); `lr_psnr_natural_db` is what the same person
    had before the faithful end of the dial. `stages` are seconds. `diversity` of all candidates.
    """

    latents: Latents
    image: U8
    matte: U8 | None
    small: U8
    lr_psnr_db: float
    downscale_operator: str
    stages: Mapping[str, float]
    traits: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    loss: float = 0.0
    lr_psnr_natural_db: float | None = None
    diversity: float | None = None
    renderer: str = ""


def portray(
    generator: Generator,
    reading: Reading,
    *,
    options: PortraitOptions,
    on_step: OnStep | None = None,
    people: Sequence[Who] = (),
) -> list[Likeness]:
    """`options.candidates` different people who all could be the character, in order.

    Args:
        people: who the candidates are, in order, as far as that is known: they keep face, hair
            and colours, and only pose, expression and camera are looked for. `options.identity`
            says it for all that are left.
        on_step: told (stage, fraction in [0, 1], preview (h, w, 3) uint8 or None, loss or None);
            returning False cancels.

    Raises:
        Cancelled: `on_step` returned False.
        OptionError: a trait, or a value of one, that isn't known.
        GeneratorError: the generator fails, or what quality "studio" needs is not installed.
    """
    renderer = check_quality(generator, options.quality)
    report = _Report(on_step, options.candidates)
    if options.recipe == "pulse" or not isinstance(generator, ReadsSprites):
        return _searched(generator, reading, options, report)
    _check_locks(options.lock, reading)
    known = _known_people(generator, options, people)
    made = [
        _portray_one(generator, reading, options, c, report, who) for c, who in enumerate(known)
    ]
    made = [replace(likeness, renderer=renderer) for likeness in made]
    return _told_apart(generator, made)


def check_quality(generator: Generator, quality: str) -> str:
    """What renders portraits of this quality, told before any work is done.

    Raises:
        OptionError: the generator has no studio.
        GeneratorError: it has, but what that needs is not installed.
    """
    if quality != "studio":
        return str(generator.info.name)
    if not isinstance(generator, PathTraces):
        raise OptionError(
            f"option quality: generator {generator.info.name} has no studio",
            "use --generator head, or leave --quality out",
        )
    return generator.studio_name()


def _told_apart(generator: Generator, made: list[Likeness]) -> list[Likeness]:
    """The candidates with their diversity, where there are several."""
    if len(made) < 2:
        return made
    spread = diversity(generator, made)
    return [replace(likeness, diversity=spread) for likeness in made]


def find_person(generator: Generator, reading: Reading, *, options: PortraitOptions) -> list[Who]:
    """Who `portray` shows with the same arguments, without making the portraits."""
    if options.recipe == "pulse" or not isinstance(generator, ReadsSprites):
        return [Who(x.latents) for x in portray(generator, reading, options=options)]
    _check_locks(options.lock, reading)
    report, goal = _Report(None, options.candidates), _goal(reading)
    known = _known_people(generator, options, ())
    colors = sprite_colors({**reading.traits, **options.traits})
    return [
        Who(_found(generator, reading, goal, options, c, report, who)[0], colors)
        for c, who in enumerate(known)
    ]


def _known_people(
    generator: Generator, options: PortraitOptions, people: Sequence[Who]
) -> list[Who | None]:
    """One entry per candidate; None where anybody will do."""
    rest = Who.from_json(options.identity, generator) if options.identity else None
    known = [*people, *[rest] * options.candidates]
    return known[: options.candidates]


def diversity(generator: Generator, made: Sequence[Likeness]) -> float:
    """How different the faces of several candidates are: the RMS distance of their shapes in the
    latent space over that of independent draws of the prior, so strangers have about 1."""
    names = list(generator.info.extra.get("dims", ()))
    face = [i for i, name in enumerate(names) if str(name).startswith("local:")]
    z = torch.cat([likeness.latents.z for likeness in made])
    z = z[:, face] if face else z.flatten(1)
    gaps = torch.pdist(z) / (2 * z.shape[1]) ** 0.5
    return float(gaps.pow(2).mean().sqrt())


def _check_locks(locks: Sequence[str], reading: Reading) -> None:
    """`lock` names groups of `LOCKS`, single searched dimensions, or traits of the reading, which
    the search keeps anyway."""
    for name in locks:
        if name not in LOCKS and name not in SEARCHED and name not in (*reading.traits, "skin"):
            raise OptionError(
                f"option lock: nothing named {name!r} can be locked",
                f"known: {', '.join((*LOCKS, *reading.traits))}",
            )


class _Report:
    """Progress over all candidates, and a stopwatch."""

    def __init__(self, on_step: OnStep | None, candidates: int) -> None:
        self._on_step, self._candidates = on_step, candidates
        self.candidate = 0
        self.stages: dict[str, float] = {}
        self._stage, self._since = "", time.perf_counter()

    def __call__(
        self, stage: str, fraction: float, preview: F32 | None = None, loss: float | None = None
    ) -> None:
        if stage != self._stage:
            self._close(stage)
        if self._on_step is None:
            return
        whole = (self.candidate + fraction) / self._candidates
        seen = None if preview is None else _u8(preview)
        if self._on_step(stage, whole, seen, loss) is False:
            raise Cancelled("stopped")

    def _close(self, stage: str) -> None:
        now = time.perf_counter()
        if self._stage:
            self.stages[self._stage] = self.stages.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = stage, now

    def finish(self) -> dict[str, float]:
        """Seconds per stage since the last call."""
        self._close("")
        out, self.stages = self.stages, {}
        self.candidate += 1
        return out


# ------------------------------------------------------------------ one candidate


def _portray_one(
    generator: Generator,
    reading: Reading,
    options: PortraitOptions,
    candidate: int,
    report: _Report,
    who: Who | None,
) -> Likeness:
    goal = _goal(reading)
    latents, loss = _found(generator, reading, goal, options, candidate, report, who)
    wanted = _other_colors(wanted_colors(reading, options, candidate), who)
    return _finish(generator, latents, reading, goal, options, report, loss, wanted)


def _found(
    generator: Generator,
    reading: Reading,
    goal: Goal,
    options: PortraitOptions,
    candidate: int,
    report: _Report,
    who: Who | None,
) -> tuple[Latents, float]:
    """The person, and how well they agree with the sprite."""
    assert isinstance(generator, ReadsSprites)
    report("starting", 0.02)
    wanted = wanted_colors(reading, options, candidate)
    if who is not None and isinstance(generator, KnowsPeople):
        pose = generator.start(reading, count=1, seed=options.seed, traits=options.traits)
        latents = generator.posed(who.latents, pose, asked=tuple(options.traits))
        wanted = _other_colors(wanted, who)
        options = replace(options, lock=(*options.lock, *PERSONAL_LOCKS))
    else:
        latents = _best_start(generator, reading, goal, options, candidate, report)
    latents, loss = _search(generator, latents, goal, options, candidate, report)
    return _match_colors(generator, latents, wanted, report, 0.62), loss


def _other_colors(wanted: Mapping[str, F64], who: Who | None) -> dict[str, F64]:
    """What of the colours a known person hasn't been matched to yet."""
    known = {} if who is None else who.colors
    return {m: c for m, c in wanted.items() if not same_color(c, known.get(m), m == "skin")}


def _best_start(
    generator: Any,
    reading: Reading,
    goal: Goal,
    options: PortraitOptions,
    candidate: int,
    report: _Report,
) -> Latents:
    """Of several people with the sprite's traits, the one who agrees best with it."""
    best: tuple[float, Latents] | None = None
    for latents in _starts(generator, reading, options, candidate):
        loss, preview = goal.loss(generator, latents)
        if best is None or loss < best[0]:
            best = loss, latents
        report("starting", 0.05, preview, best[0])
    assert best is not None
    return best[1]


def _starts(
    generator: ReadsSprites, reading: Reading, options: PortraitOptions, candidate: int
) -> list[Latents]:
    """Candidate number `candidate` of several seeds: the same traits, other faces."""
    found = []
    for j in range(STARTS):
        seed = options.seed if j == 0 else options.seed + 7919 * j
        batch = generator.start(reading, count=candidate + 1, seed=seed, traits=options.traits)
        found.append(batch[candidate])
    return found


# ------------------------------------------------------------------ agreement with the sprite


@dataclass(frozen=True, eq=False)
class Goal:
    """What the search compares with: a square of the sprite's edge.

    `target` weighs opaque pixels alike and is what reports use; `labels` (S, S); `color` (S, S, 3) Oklab and
    `weight` (S, S) weigh labels; `places` (S, S, groups) blurred one-hot; `eyes` the centre
    of the eyes and `head` the rows of its top and its chin, in units of the edge.
    """

    target: Target
    labels: NDArray[np.int64]
    color: F32
    weight: F32
    places: F32
    place_weight: F32
    eyes: tuple[float, float] | None
    blur: float
    head: tuple[float, float]

    def loss(self, generator: Generator, latents: Latents) -> tuple[float, F32]:
        """The whole disagreement (0 none) with the sprite, and the preview it was seen in."""
        with torch.no_grad():
            preview = _picture(generator.preview(latents, PREVIEW_PX))
        small = downscale_array(preview, self.color.shape[:2])
        gap = ((oklab_from_srgb(small) - self.color) ** 2).sum(-1)
        total = 6.0 * float((gap * self.weight).sum() / self.weight.sum())
        if isinstance(generator, MapsRegions):
            total += self.misplaced(generator, latents)
        return total, preview

    def misplaced(self, generator: MapsRegions, latents: Latents) -> float:
        """Whether the same things are in the same places, without looking at colours."""
        with torch.no_grad():
            shown = generator.regions(latents, PREVIEW_PX)[0].numpy()
        return self.misplaced_labels(shown)

    def misplaced_labels(self, shown: NDArray[np.int64]) -> float:
        """`misplaced` of a label map (n, n) already at hand."""
        places = _places(shown, self.color.shape[0], self.blur)
        off = np.abs(places - self.places).sum(-1)
        loss = float((off * self.place_weight).sum() / self.place_weight.sum())
        eyes = _eye_centre(shown)
        if eyes is not None and self.eyes is not None:
            loss += 3.0 * float(np.hypot(eyes[0] - self.eyes[0], eyes[1] - self.eyes[1]))
        return loss


def _goal(reading: Reading) -> Goal:
    rgba = reading.pixels
    h, w = rgba.shape[:2]
    edge = max(h, w)
    top, left = (edge - h) // 2, (edge - w) // 2
    target = make_target(rgba)
    labels = np.zeros((edge, edge), np.int64)
    labels[top : top + h, left : left + w] = reading.labels
    sure = np.zeros((edge, edge), np.float32)
    sure[top : top + h, left : left + w] = reading.confidence
    image = target.image.permute(1, 2, 0).numpy()
    weight = LABEL_WEIGHT[labels] * (0.3 + 0.7 * sure) * (target.weights[0].numpy() > 0)
    blur = max(0.6, 0.035 * edge)
    eyes = reading.landmarks.eyes
    centre = (
        (sum(x for x, _ in eyes) / len(eyes) + left) / edge,
        (sum(y for _, y in eyes) / len(eyes) + top) / edge,
    )
    place_weight = np.where(labels == Label.OUTLINE, 0.15, 1.0) * (0.3 + 0.7 * sure)
    place_weight = np.where(target.weights[0].numpy() > 0, place_weight, 0.35)
    return Goal(
        target=target,
        labels=labels,
        color=oklab_from_srgb(image).astype(np.float32),
        weight=np.maximum(weight, 1e-4).astype(np.float32),
        places=_places(labels, edge, blur),
        place_weight=place_weight.astype(np.float32),
        eyes=centre if reading.confidence_overall > 0.2 else None,
        blur=blur,
        head=(
            (reading.landmarks.head[1] + top) / edge,
            min(1.0, (reading.landmarks.chin_y + top) / edge),
        ),
    )


def _places(labels: NDArray[np.int64], edge: int, blur: float) -> F32:
    """(edge, edge, groups): the share of each group, blurred as much as a caricature may err."""
    shares = np.stack([np.isin(labels, group) for group in GROUPS], -1).astype(np.float32)
    if labels.shape[0] != edge:
        shares = np.stack(
            [
                downscale_array(shares[..., k : k + 1], (edge, edge))[..., 0]
                for k in range(len(GROUPS))
            ],
            -1,
        )
    blurred: F32 = gaussian_filter(shares, (blur, blur, 0), mode="nearest")
    return blurred


def _eye_centre(labels: NDArray[np.int64]) -> tuple[float, float] | None:
    rows, columns = np.nonzero(np.isin(labels, EYES))
    if len(rows) < 2:
        return None
    n = labels.shape[0]
    return (
        float((columns.min() + columns.max() + 1) / 2 / n),
        float((rows.min() + rows.max() + 1) / 2 / n),
    )


# ------------------------------------------------------------------ search


def _search(
    generator: Generator,
    latents: Latents,
    goal: Goal,
    options: PortraitOptions,
    candidate: int,
    report: _Report,
) -> tuple[Latents, float]:
    """Evolution of camera, pose and proportions around the start; the best seen is kept.

    Where things are is all that these move, so the label map, which is cheaper than a preview,
    is all that is looked at; without one the previews are.
    """
    names = list(generator.info.extra.get("dims", ()))
    held = {name for lock in options.lock for name in LOCKS.get(lock, (lock,))}
    free = [names.index(n) for n in SEARCHED if n in names and n not in held]
    generations = options.steps or GENERATIONS
    regions = generator if isinstance(generator, MapsRegions) else None

    def look(at: Latents) -> float:
        return goal.loss(generator, at)[0] if regions is None else goal.misplaced(regions, at)

    latents = _framed(generator, latents, goal, held, report)
    best, best_loss = latents, look(latents)
    if not free or generations < 1:
        return best, best_loss
    origin = latents.z[0, free].clone()
    strategy = SeparableCma(
        torch.zeros(len(free)), sigma=0.6, population=POPULATION, seed=options.seed + candidate
    )
    for generation in range(generations):
        moves = strategy.ask()
        losses = torch.zeros(len(moves))
        for i, move in enumerate(moves):
            z = latents.z.clone()
            z[0, free] = origin + move
            losses[i] = look(latents.with_z(z)) + _implausible(z[0, free], move)
            if losses[i] < best_loss:
                best_loss, best = float(losses[i]), latents.with_z(z)
            done = (generation + (i + 1) / len(moves)) / generations
            report("searching", 0.15 + 0.45 * done, None, best_loss)
        strategy.tell(moves, losses)
    return best, best_loss


FRAME_PX, FRAME_WIDER = 96, 0.72
FRAME_STEPS = (  # (steps of x and y in shares of the frame, factors of zoom), coarse to fine
    (0.05, 1.12), (0.05, 1.10), (0.05, 1.07), (0.025, 1.04), (0.0125, 1.02),
)  # fmt: skip
FILL = 1.5  # what a head costs that fills less or more of the frame's height than the sprite's
FRAME_REACH = (0.14, 0.45)  # how far the frame may go from the start's, and the log of its zoom


def _framed(
    generator: Any, latents: Latents, goal: Goal, held: Collection[str], report: _Report
) -> Latents:
    """The camera moved and zoomed until the same things are in the same places.

    A camera's move is nearly a picture's, so one wide label map stands for all of them; the
    neighbourhood of the best frame so far is looked at in ever finer steps.
    """
    fixed = {"zoom", "camera_x", "camera_y"} & set(held)
    if fixed or not isinstance(generator, KnowsPeople) or not isinstance(generator, MapsRegions):
        return latents
    person = generator.people(latents)[0]
    wide = replace(person.camera, zoom=person.camera.zoom * FRAME_WIDER)
    with torch.no_grad():
        batch = generator.latents([replace(person, camera=wide)])
        shown = generator.regions(batch, FRAME_PX)[0].numpy()

    top, chin = _extent(shown, wide)

    def outside(frame: tuple[float, float, float]) -> float:
        """How much of the head, hat and chin this frame cuts off, in shares of its edge."""
        zoom = math.exp(frame[2]) / FRAME_WIDER
        return max(0.0, frame[1] - 0.5 - top * zoom) + max(0.0, chin * zoom - frame[1] - 0.5)

    allowed = outside((0.0, 0.0, 0.0)) + 0.01

    def seen(frame: tuple[float, float, float]) -> float:
        x, y, log_zoom = frame
        zoom = math.exp(log_zoom) / FRAME_WIDER
        height = (chin - top) * zoom
        cost = 0.3 * (x**2 + y**2) + 0.1 * log_zoom**2
        cost += FILL * abs(height - (goal.head[1] - goal.head[0]))
        return goal.misplaced_labels(_window(shown, (x, y), zoom)) + cost

    best = (0.0, 0.0, 0.0)
    lowest = seen(best)
    for step, factor in FRAME_STEPS:
        around = [
            (best[0] + i * step, best[1] + j * step, best[2] + k * math.log(factor))
            for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1) if i or j or k
        ]  # fmt: skip
        for frame in around:
            if max(abs(frame[0]), abs(frame[1])) > FRAME_REACH[0] or abs(frame[2]) > FRAME_REACH[1]:
                continue
            if outside(frame) > allowed:
                continue
            loss = seen(frame)
            if loss < lowest:
                lowest, best = loss, frame
        report("searching", 0.12, None, lowest)
    return generator.latents([replace(person, camera=_moved(person.camera, best))])


def _extent(labels: NDArray[np.int64], camera: Any) -> tuple[float, float]:
    """Top of the head with what it wears, and a little below the chin, as shares of the map's edge
    from its middle, downwards. The chin is told from eyes and mouth, or else from the camera."""
    n = len(labels)
    worn = (Label.HAIR, Label.HEADWEAR, Label.BAND, Label.EMBLEM, Label.SKIN)
    rows = np.nonzero(np.isin(labels, worn).any(1))[0]
    top = float(rows[0]) / n - 0.5 if len(rows) else 0.0
    eyes, mouth = (np.nonzero(np.isin(labels, part))[0] for part in (EYES, MOUTH))
    if len(eyes) > 2 and len(mouth) > 2 and mouth.mean() > eyes.mean():
        drop = float(mouth.mean() - eyes.mean())
        return top, (float(mouth.mean()) + 0.80 * drop) / n - 0.5
    edge = FRAME_EDGE_CM / camera.zoom
    return top, (FRAME_MIDDLE_CM + camera.y - NECK_CM) / edge


def _window(
    labels: NDArray[np.int64], middle: tuple[float, float], zoom: float
) -> NDArray[np.int64]:
    """(PREVIEW_PX, PREVIEW_PX): what a frame `zoom` times narrower shows, its middle moved right
    and down by shares of its own edge; beyond the map its border goes on."""
    n = len(labels)
    at = (np.arange(PREVIEW_PX) + 0.5) / PREVIEW_PX - 0.5
    columns, rows = (np.clip(((at + m) / zoom + 0.5) * n, 0, n - 1).astype(int) for m in middle)
    out: NDArray[np.int64] = labels[rows[:, None], columns[None]]
    return out


def _moved(camera: Any, frame: tuple[float, float, float]) -> Any:
    """A camera with its frame moved by shares of its edge, and zoomed."""
    x, y, log_zoom = frame
    zoom = camera.zoom * math.exp(log_zoom)
    edge = FRAME_EDGE_CM / zoom
    return replace(camera, zoom=zoom, x=camera.x + x * edge, y=camera.y - y * edge)


def _implausible(z: Tensor, move: Tensor) -> float:
    """What a move costs: its length, and leaving the sphere on which draws of the prior lie."""
    beyond = (z.abs() - 2.5).clamp(min=0)
    return 0.006 * float(move.pow(2).mean()) + 0.02 * float(beyond.sum())


# ------------------------------------------------------------------ colours


def _match_colors(
    generator: Generator,
    latents: Latents,
    wanted: Mapping[str, F64],
    report: _Report,
    at: float,
) -> Latents:
    """Correct the person's colours until the preview shows those `wanted`."""
    if not wanted or not isinstance(generator, KnowsPeople):
        return latents
    if not isinstance(generator, MapsRegions):
        return latents
    person = generator.people(latents)[0]
    with torch.no_grad():
        labels = generator.regions(latents, COLOR_PX)[0].numpy()
        for round_ in range(COLOR_ROUNDS):
            report("matching colours", at + 0.06 * round_ / COLOR_ROUNDS)
            seen = shown_colors(_picture(generator.preview(latents, COLOR_PX)), labels)
            if _far_off(seen, wanted, CLOSE) == {}:
                break
            person = corrected(person, seen, wanted)
            latents = generator.latents([person])
    return latents


def _far_off(
    seen: Mapping[str, F64], wanted: Mapping[str, F64], limit: Mapping[str, float]
) -> dict[str, float]:
    """CIEDE2000 of every material in sight that is further from its colour than its limit."""
    gaps = {m: float(delta_e_2000(seen[m], wanted[m])) for m in wanted if m in seen}
    return {m: gap for m, gap in gaps.items() if gap > limit.get(m, limit[""])}


def _checked(
    generator: Generator, latents: Latents, wanted: Mapping[str, F64], report: _Report
) -> Latents:
    """`latents` themselves if a small finished picture has the wanted colours; else corrected by
    how much it differs from the preview, which is only a proxy."""
    if not wanted or not isinstance(generator, KnowsPeople):
        return latents
    if not isinstance(generator, MapsRegions):
        return latents
    report("checking colours", 0.68)
    with torch.no_grad():
        labels = generator.regions(latents, CHECK_PX)[0].numpy()
        final = shown_colors(_picture(generator.render(latents, CHECK_PX)), labels)
        if not _far_off(final, wanted, TOLERABLE):
            return latents
        proxy = shown_colors(_picture(generator.preview(latents, CHECK_PX)), labels)
    both = final.keys() & proxy.keys()
    shifted = {m: lab - (final[m] - proxy[m]) for m, lab in wanted.items() if m in both}
    return _match_colors(generator, latents, shifted, report, 0.69)


# ------------------------------------------------------------------ the result


def _finish(
    generator: Generator,
    latents: Latents,
    reading: Reading,
    goal: Goal,
    options: PortraitOptions,
    report: _Report,
    loss: float,
    wanted: Mapping[str, F64],
) -> Likeness:
    latents = _before_outline(generator, latents, reading, options.faithful)
    latents = _checked(generator, latents, wanted, report)
    report("rendering", 0.75, None, loss)
    with torch.no_grad():
        image = _picture(_rendered(generator, latents, options, report))
    report("finishing", 0.95, downscale_array(image, (PREVIEW_PX, PREVIEW_PX)), loss)
    pairs = _correspondences(generator, latents, goal) if options.faithful else []
    sprite = goal.target.image.permute(1, 2, 0).numpy()
    bent, tinted = _dial(options.faithful)
    natural = _psnr(_u8(image), goal.target, "area")
    image = bend(image, pairs, bent)
    image = make_faithful(image, sprite, goal.target.weights[0].numpy(), amount=tinted)
    matte = None
    if options.matte and isinstance(generator, ReadsSprites):
        with torch.no_grad():
            cover = generator.matte(latents, options.size)[0].numpy()
        matte = _u8(bend(cover, pairs, bent))
    report("finishing", 1.0, None, loss)
    made = _likeness(
        _u8(image), latents, matte, reading, goal.target, options, report.finish(), loss, "area"
    )
    return replace(made, lr_psnr_natural_db=natural)


def _rendered(
    generator: Generator, latents: Latents, options: PortraitOptions, report: _Report
) -> Tensor:
    """(1,3,R,R): the portrait, in the quality asked for."""
    if options.quality != "studio" or not isinstance(generator, PathTraces):
        return generator.render(latents, options.size)

    def told(done: int, total: int) -> None:
        report("tracing light", 0.75 + 0.2 * done / total)

    return generator.studio(latents, options.size, on_pass=told)


def _dial(faithful: float) -> tuple[float, float]:
    """How far to bend and how much to tint: the face moves first, so that tints meet it."""
    return min(1.0, 2.0 * faithful), faithful**1.5


def _before_outline(
    generator: Generator, latents: Latents, reading: Reading, amount: float
) -> Latents:
    """For a faithful portrait, a wall in the colour of the sprite's outline: equality draws that
    around the head, where on a bright wall it would be a row of dark spots."""
    edge = reading.labels == Label.OUTLINE
    if amount <= 0 or edge.sum() < 4 or not isinstance(generator, KnowsPeople):
        return latents
    person = generator.people(latents)[0]
    ink = linear_from_srgb(np.median(reading.pixels[edge][:, :3], axis=0) / 255)
    wall = replace(
        person.background,
        color=_mixed(person.background.color, ink, amount),
        edge=_mixed(person.background.edge, ink, amount),
    )
    return generator.latents([replace(person, background=wall)])


def _mixed(
    color: tuple[float, ...], other: NDArray[Any], amount: float
) -> tuple[float, float, float]:
    r, g, b = (float((1 - amount) * c + amount * o) for c, o in zip(color, other, strict=True))
    return r, g, b


def _correspondences(
    generator: Generator, latents: Latents, goal: Goal
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """(in the portrait, in the sprite), in units of the edge, of what both show."""
    if not isinstance(generator, MapsRegions):
        return []
    with torch.no_grad():
        shown = generator.regions(latents, 2 * PREVIEW_PX)[0].numpy()
    ours, theirs = marks(shown), marks(goal.labels)
    return [(ours[name], theirs[name]) for name in ours if name in theirs]


def marks(labels: NDArray[np.int64]) -> dict[str, tuple[float, float]]:
    """Points of a face in a square label map, (x, y) in units of its edge, where they show."""
    n = len(labels)
    found: dict[str, tuple[float, float]] = {}
    rows, columns = np.nonzero(np.isin(labels, EYES))
    if len(rows) < 2:
        return found
    middle = float(columns.min() + columns.max() + 1) / 2
    level = float(rows.mean() + 0.5)
    for name, side in (("left eye", columns < middle), ("right eye", columns >= middle)):
        if side.any() and np.ptp(columns) > 0.12 * n:
            found[name] = float(columns[side].mean() + 0.5) / n, float(rows[side].mean() + 0.5) / n
    rows, columns = np.nonzero(np.isin(labels, (Label.MOUTH, Label.TEETH)))
    if len(rows) and rows.mean() > level:
        found["mouth"] = float(columns.mean() + 0.5) / n, float(rows.mean() + 0.5) / n
    head = ~np.isin(labels, (Label.BACKGROUND, Label.OUTLINE, Label.CLOTHING))
    sides = np.nonzero(head[max(0, int(level) - n // 16) : int(level) + n // 16 + 1].any(0))[0]
    found["left side"] = float(sides[0]) / n, level / n
    found["right side"] = float(sides[-1] + 1) / n, level / n
    at = int(np.clip(middle, 0, n - 1))
    strip = labels[:, max(0, at - n // 24) : at + n // 24 + 1]
    worn = (Label.HAIR, Label.HEADWEAR, Label.BAND)
    top = np.nonzero(np.isin(strip, (*worn, Label.EMBLEM, Label.SKIN)).any(1))[0]
    found["top"] = middle / n, float(top[0] if len(top) else 0) / n
    edge = np.nonzero(np.isin(strip, worn).mean(1)[: int(level)] > 0.5)[0]
    if len(edge):
        found["brow"] = middle / n, float(edge[-1] + 1) / n
    return found


def _psnr(image: U8, target: Target, operator: str) -> float:
    small = torch.from_numpy(downscale_array(image, target.size, operator)).permute(2, 0, 1)
    return float(lr_psnr_db(small[None], target)[0])


def _likeness(
    image: U8, latents: Latents, matte: U8 | None, reading: Reading, target: Target,
    options: PortraitOptions, stages: Mapping[str, float], loss: float, operator: str,
) -> Likeness:  # fmt: skip
    square = downscale_array(image, target.size, operator)
    psnr = float(lr_psnr_db(torch.from_numpy(square).permute(2, 0, 1)[None], target)[0])
    h, w = reading.pixels.shape[:2]
    top, left = (target.size[0] - h) // 2, (target.size[1] - w) // 2
    return Likeness(
        latents=latents,
        image=image,
        matte=matte,
        small=_u8(square[top : top + h, left : left + w]),
        lr_psnr_db=psnr,
        downscale_operator=operator,
        stages=stages,
        traits={**reading.traits, **options.traits},
        loss=loss,
    )


def _searched(
    generator: Generator, reading: Reading, options: PortraitOptions, report: _Report
) -> list[Likeness]:
    """PULSE as published, or its faster recipe, for generators that know nothing of sprites."""
    sure = np.where(reading.labels == Label.OUTLINE, 0.25, 1.0).astype(np.float32)
    target = make_target(reading.pixels, weights=sure, regions=reading.labels)
    plain = make_target(reading.pixels)

    def told(step: int, steps: int, loss: float, preview: Tensor) -> bool:
        report("searching", 0.9 * (step + 1) / max(1, steps), _picture(preview[None]), loss)
        return True

    known = Who.from_json(options.identity, generator).latents if options.identity else None
    results = search_all(
        generator,
        target,
        count=options.candidates,
        start=known,
        seed=options.seed,
        steps=options.steps,
        recipe=options.recipe,
        skin_tolerance=options.skin_tolerance,
        on_step=told,
    )
    out = []
    for result in results:
        image = _resized(_picture(result.image[None]), options.size)
        sprite = plain.image.permute(1, 2, 0).numpy()
        operator = "area" if options.faithful else result.operator
        natural = _psnr(_u8(image), plain, operator)
        image = make_faithful(image, sprite, plain.weights[0].numpy(), amount=options.faithful)
        matte = None
        if options.matte and isinstance(generator, ReadsSprites):
            with torch.no_grad():
                matte = _u8(generator.matte(result.latents, options.size)[0].numpy())
        found, seconds = result.latents, report.finish()
        made = _likeness(
            _u8(image), found, matte, reading, plain, options, seconds, result.loss, operator
        )
        out.append(replace(made, lr_psnr_natural_db=natural))
    return _told_apart(generator, out)


def _resized(image: F32, size: int) -> F32:
    return image if image.shape[0] == size else downscale_array(image, (size, size), "bicubic")


def _picture(batch: Tensor) -> F32:
    """The first of (B, 3, h, w) as (h, w, 3) float32."""
    picture: F32 = batch[0].detach().float().permute(1, 2, 0).contiguous().numpy()
    return picture


def _u8(values: F32) -> U8:
    levels: U8 = np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)
    return levels
