"""The person bent to the sprite: the camera's frame, then pose and the proportions of the face."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..options import PortraitOptions
from ..types import Label
from .evolve import SeparableCma
from .generator import Generator, KnowsPeople, Latents, MapsRegions
from .goal import EYES, MOUTH, PREVIEW_PX, Goal
from .progress import Progress

# the head's camera at zoom 1, and a height that a portrait shows in any case: below the chin
FRAME_EDGE_CM, FRAME_MIDDLE_CM, NECK_CM = 31.5, 1.8, -9.8
GENERATIONS, POPULATION, STEP = 2, 8, 0.9  # a bold first step makes up for a third generation
AT_ONCE = 4  # of them, between two chances to cancel: a generator may share the work out

# hair isn't in it: growing it for every try took half of the time, and without it the same number
# of tries ends at less disagreement (docs/likeness.md); its length is tried at the end
SEARCHED = (
    "zoom", "camera_x", "camera_y", "pitch", "weight", "head.low", "head.size", "beard_length",
    "local:head/head-fat", "local:head/head-scale-vert", "local:head/head-scale-horiz",
    "local:chin/chin-height", "local:chin/chin-width", "local:eyes/eye-trans-y",
    "local:eyes/eye-scale", "local:mouth/mouth-trans-y", "local:nose/nose-scale-vert",
)  # fmt: skip
LOCKS = {
    "view": ("pitch",),
    "camera": ("zoom", "camera_x", "camera_y"),
    "hair": ("hair_length", "hair_side"),
    "headwear": ("head.low", "head.size"),
    "beard": ("beard_length",),
    "face": ("weight", *(name for name in SEARCHED if name.startswith("local:"))),
}
# what the search keeps because the user set it, by the trait's or the field's name
SET_HOLDS = {
    "build": ("weight",), "hair_length": LOCKS["hair"], "beard": LOCKS["beard"],
    "camera.zoom": ("zoom",), "camera.x": ("camera_x",), "camera.y": ("camera_y",),
    "pose.pitch": ("pitch",), "shape.weight": ("weight",), "facial_hair.length": LOCKS["beard"],
    "hair.length": LOCKS["hair"], "hair.side": LOCKS["hair"],
    **{name.replace("local:", "shape.local."): (name,) for name in SEARCHED if ":" in name},
}  # fmt: skip
HAIR_FACTORS = (0.75, 1.3)  # lengths that are tried: caricatures have more hair, or less
PERSONAL_LOCKS = ("hair", "headwear", "beard", "face")  # who somebody is, whatever the pose
WORN = (Label.HEADWEAR, Label.BAND, Label.EMBLEM)
FRAME_PX, FRAME_WIDER = 96, 0.72
FRAME_STEPS = (  # (steps of x and y in shares of the frame, factors of zoom), coarse to fine
    (0.05, 1.12), (0.05, 1.10), (0.05, 1.07), (0.025, 1.04), (0.0125, 1.02),
)  # fmt: skip
FILL = 1.5  # what a head costs that fills less or more of the frame's height than the sprite's
FRAME_REACH = (0.14, 0.45)  # how far the frame may go from the start's, and the log of its zoom


def evolved(
    generator: Generator,
    latents: Latents,
    goal: Goal,
    options: PortraitOptions,
    candidate: int,
    report: Progress,
) -> tuple[Latents, float]:
    """Evolution of camera, pose and proportions around the start; the best seen is kept.

    Where things are is all that these move, so the label map, which is cheaper than a preview,
    is all that is looked at; without one the previews are.
    """
    names = list(generator.info.extra.get("dims", ()))
    held = _held(options) | _idle(generator, latents)
    free = [names.index(n) for n in SEARCHED if n in names and n not in held]
    generations = options.steps or GENERATIONS
    regions = generator if isinstance(generator, MapsRegions) else None

    def look(at: Latents) -> list[float]:
        if regions is None:
            return [loss for loss, _ in goal.losses(generator, at)]
        return goal.misplaced(regions, at)

    latents = framed(generator, latents, goal, held, report)
    best, best_loss = latents, look(latents)[0]
    if not free or generations < 1:
        return best, best_loss
    origin = latents.z[0, free].clone()
    strategy = SeparableCma(
        torch.zeros(len(free)), sigma=STEP, population=POPULATION, seed=options.seed + candidate
    )
    for generation in range(generations):
        moves = strategy.ask()
        z = latents.z.repeat(len(moves), *[1] * (latents.z.ndim - 1))
        z[:, free] = origin + moves
        losses = torch.zeros(len(moves))
        for low in range(0, len(moves), AT_ONCE):
            part = slice(low, low + AT_ONCE)
            tried = Latents(z[part], latents.structure * len(z[part]))
            for i, loss in enumerate(look(tried), low):
                losses[i] = loss + _implausible(z[i, free], moves[i])
                if losses[i] < best_loss:
                    best_loss, best = float(losses[i]), latents.with_z(z[i : i + 1])
            done = (generation + min(1.0, (low + AT_ONCE) / len(moves))) / generations
            report("searching", 0.15 + 0.45 * done, None, best_loss)
        strategy.tell(moves, losses)
    again = framed(generator, best, goal, held, report)  # its proportions have changed
    loss = best_loss if again is best else look(again)[0]
    if loss < best_loss:
        best, best_loss = again, loss
    longer = _other_lengths(generator, best, goal, held)
    if longer is not None:
        losses = torch.tensor(look(longer))
        chosen = int(losses.argmin())
        # looked at again: its loss so far counts how plausible it is, too
        if losses[chosen] < look(best)[0]:
            best, best_loss = longer[chosen], float(losses[chosen])
        report("searching", 0.62, None, best_loss)
    return best, best_loss


def _held(options: PortraitOptions) -> set[str]:
    """Names of what the search must not move: locked, or set by the user."""
    locked = {name for lock in options.lock for name in LOCKS.get(lock, (lock,))}
    return locked | {name for trait in options.traits for name in SET_HOLDS.get(trait, ())}


def _idle(generator: Generator, latents: Latents) -> set[str]:
    """What would move nothing: the length of no beard, the fit of no hat."""
    if not isinstance(generator, KnowsPeople):
        return set()
    person = generator.people(latents)[0]
    idle = set() if person.facial_hair.style != "none" else set(LOCKS["beard"])
    return idle if person.wear else idle | set(LOCKS["headwear"])


def _other_lengths(
    generator: Generator, latents: Latents, goal: Goal, held: Collection[str]
) -> Latents | None:
    """The same person with shorter and with longer hair; None where hair isn't free, or where what
    is worn on the head hides it."""
    if set(LOCKS["hair"]) & set(held) or not isinstance(generator, KnowsPeople):
        return None
    if np.isin(goal.labels, WORN).any() or not (goal.labels == Label.HAIR).any():
        return None
    person = generator.people(latents)[0]
    tried = [
        replace(
            person,
            hair=replace(person.hair, length=person.hair.length * by, side=person.hair.side * by),
        )
        for by in HAIR_FACTORS
    ]
    return generator.latents(tried)


def framed(
    generator: Any, latents: Latents, goal: Goal, held: Collection[str], report: Progress
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
    rows = np.nonzero(np.isin(labels, (Label.HAIR, Label.SKIN, *WORN)).any(1))[0]
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
