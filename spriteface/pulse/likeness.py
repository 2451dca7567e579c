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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import OptionError
from ..options import PortraitOptions
from ..palette.color import linear_from_srgb
from ..types import F32, F64, RGB, U8, Label, Reading
from .colors import as_believed, same_color, sprite_colors, wanted_colors
from .downscale import downscale_array
from .faithful import bend, make_faithful
from .fit import LOCKS, PERSONAL_LOCKS, SEARCHED, evolved
from .generator import (
    Generator,
    KnowsPeople,
    Latents,
    MapsRegions,
    PathTraces,
    ReadsSprites,
    levels,
    picture,
)
from .goal import PREVIEW_PX, Goal, goal_of, marks
from .loss import lr_psnr_db
from .progress import OnStep, Progress
from .recolor import checked, match_colors
from .search import search_all
from .target import Target, make_target

STARTS = 3
NO_SKIN = "no skin can be read with confidence: its tone is drawn by the seed"


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
    if options.recipe == "pulse" or not isinstance(generator, ReadsSprites):
        return _searched(generator, reading, options, Progress(on_step, 1))
    report = Progress(on_step, options.candidates)
    believed = as_believed(reading)
    _check_locks(options.lock, believed)
    known = _known_people(generator, options, people)
    made = [
        _portray_one(generator, believed, options, c, report, who) for c, who in enumerate(known)
    ]
    if _in_doubt(reading, believed) and "skin" not in options.traits:
        made = [replace(likeness, notes=(*likeness.notes, NO_SKIN)) for likeness in made]
    made = [replace(likeness, renderer=renderer) for likeness in made]
    return _told_apart(generator, made)


def _in_doubt(reading: Reading, believed: Reading) -> bool:
    """Whether the skin colour that was read isn't believed."""
    skins = [seen.traits.get("skin_rgb") for seen in (reading, believed)]
    return skins[0] is not None and skins[1] is None


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
    reading = as_believed(reading)
    _check_locks(options.lock, reading)
    report, goal = Progress(None, 1), goal_of(reading)
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


# ------------------------------------------------------------------ one candidate


def _portray_one(
    generator: Generator,
    reading: Reading,
    options: PortraitOptions,
    candidate: int,
    report: Progress,
    who: Who | None,
) -> Likeness:
    goal = goal_of(reading)
    latents, loss = _found(generator, reading, goal, options, candidate, report, who)
    return _finish(generator, latents, reading, goal, options, report, loss)


def _found(
    generator: Generator,
    reading: Reading,
    goal: Goal,
    options: PortraitOptions,
    candidate: int,
    report: Progress,
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
    latents, loss = evolved(generator, latents, goal, options, candidate, report)
    latents = match_colors(generator, latents, wanted, report, 0.62)
    return checked(generator, latents, wanted, report), loss


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
    report: Progress,
) -> Latents:
    """Of several people with the sprite's traits, the one who agrees best with it. The first is
    shown at once: somebody waits."""
    starts = _starts(generator, reading, options, candidate)
    with torch.no_grad():
        first = picture(generator.preview(starts[0], PREVIEW_PX))
    report("starting", 0.03, first)
    if isinstance(generator, MapsRegions):  # colours are matched later, and alike in all of them
        losses = goal.misplaced(generator, starts)
    else:
        losses = [loss for loss, _ in goal.losses(generator, starts)]
    best = min(range(len(losses)), key=losses.__getitem__)
    report("starting", 0.05, None, losses[best])
    return starts[best]


def _starts(
    generator: ReadsSprites, reading: Reading, options: PortraitOptions, candidate: int
) -> Latents:
    """Candidate number `candidate` of several seeds: the same traits, other faces."""
    found = []
    for j in range(STARTS):
        seed = options.seed if j == 0 else options.seed + 7919 * j
        batch = generator.start(reading, count=candidate + 1, seed=seed, traits=options.traits)
        found.append(batch[candidate])
    structure = tuple(choice for one in found for choice in one.structure)
    return Latents(torch.cat([one.z for one in found]), structure)


# ------------------------------------------------------------------ the result


def _finish(
    generator: Generator,
    latents: Latents,
    reading: Reading,
    goal: Goal,
    options: PortraitOptions,
    report: Progress,
    loss: float,
) -> Likeness:
    latents = _before_outline(generator, latents, reading, options.faithful)
    report("rendering", 0.75, None, loss)
    with torch.no_grad():
        image = picture(_rendered(generator, latents, options, report))
    report("finishing", 0.95, downscale_array(image, (PREVIEW_PX, PREVIEW_PX)), loss)
    pairs = _correspondences(generator, latents, goal) if options.faithful else []
    sprite = goal.target.image.permute(1, 2, 0).numpy()
    bent, tinted = _dial(options.faithful)
    natural = _psnr(levels(image), goal.target, "area")
    image = bend(image, pairs, bent)
    image = make_faithful(image, sprite, goal.target.weights[0].numpy(), amount=tinted)
    matte = None
    if options.matte and isinstance(generator, ReadsSprites):
        with torch.no_grad():
            cover = generator.matte(latents, options.size)[0].numpy()
        matte = levels(bend(cover, pairs, bent))
    report("finishing", 1.0, None, loss)
    made = _likeness(
        levels(image), latents, matte, reading, goal.target, options, report.finish(), loss, "area"
    )
    return replace(made, lr_psnr_natural_db=natural)


def _rendered(
    generator: Generator, latents: Latents, options: PortraitOptions, report: Progress
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
        small=levels(square[top : top + h, left : left + w]),
        lr_psnr_db=psnr,
        downscale_operator=operator,
        stages=stages,
        traits={**reading.traits, **options.traits},
        loss=loss,
    )


def _searched(
    generator: Generator, reading: Reading, options: PortraitOptions, report: Progress
) -> list[Likeness]:
    """PULSE as published, or its faster recipe, for generators that know nothing of sprites."""
    sure = np.where(reading.labels == Label.OUTLINE, 0.25, 1.0).astype(np.float32)
    target = make_target(reading.pixels, weights=sure, regions=reading.labels)
    plain = make_target(reading.pixels)

    def told(step: int, steps: int, loss: float, preview: Tensor) -> bool:
        report("searching", 0.9 * (step + 1) / max(1, steps), picture(preview[None]), loss)
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
        image = _resized(picture(result.image[None]), options.size)
        sprite = plain.image.permute(1, 2, 0).numpy()
        operator = "area" if options.faithful else result.operator
        natural = _psnr(levels(image), plain, operator)
        image = make_faithful(image, sprite, plain.weights[0].numpy(), amount=options.faithful)
        matte = None
        if options.matte and isinstance(generator, ReadsSprites):
            with torch.no_grad():
                matte = levels(generator.matte(result.latents, options.size)[0].numpy())
        found, seconds = result.latents, report.finish()
        made = _likeness(
            levels(image), found, matte, reading, plain, options, seconds, result.loss, operator
        )
        told_of = (
            f"searched by recipe {result.recipe}: {result.steps} steps, "
            f"start {result.start}, loss {result.loss:.4f}"
        )
        out.append(replace(made, lr_psnr_natural_db=natural, notes=(*made.notes, told_of)))
    return _told_apart(generator, out)


def _resized(image: F32, size: int) -> F32:
    return image if image.shape[0] == size else downscale_array(image, (size, size), "bicubic")
