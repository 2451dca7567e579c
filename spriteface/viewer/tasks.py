"""Everything that computes: jobs, their messages, and how each is done. Runs in the worker.

A job is a frozen value that can be pickled; doing it sends messages through an `Outlet`. The
window knows only these values. Heavy imports lie inside the functions that need them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import Cancelled, SpritefaceError
from ..options import ExtractOptions, PortraitOptions
from ..types import U8, Box, Face, Frame, Portrait, Reading

if TYPE_CHECKING:
    from torch import Tensor

    from ..pulse.generator import Generator, Latents
    from ..pulse.head.generator import HeadGenerator
    from ..pulse.head.person import Person

TURNTABLE_PX = 320
PREVIEW_PX = 64
SHOWN_SECONDS = 0.4
TURN_MS = 90
TURN_STEPS = 24  # pictures of a turntable, even

# ------------------------------------------------------------------ jobs


@dataclass(frozen=True)
class Open:
    """Read a file and look for faces."""

    path: Path
    options: ExtractOptions = field(default_factory=ExtractOptions)


@dataclass(frozen=True, eq=False)
class Mark:
    """Cut out and read the face at a box (native px) that the user drew."""

    key: int
    frame: Frame
    box: Box


@dataclass(frozen=True, eq=False)
class Search:
    """Portraits of a face. With `start`, the search goes on from that portrait's person, changed
    by whatever differs between the traits `before` and those in `options`."""

    key: int
    face: Face
    options: PortraitOptions
    start: Portrait | None = None
    before: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Turn:
    """The portrait's person with the head turned; `final` renders at the portrait's size."""

    key: int
    portrait: Portrait
    yaw: float
    pitch: float
    size: int
    final: bool


@dataclass(frozen=True, eq=False)
class Save:
    """Write the portrait with its sidecar, or (`turntable`) its person turning: a GIF, or an
    animated PNG where the name ends in .png."""

    portrait: Portrait
    path: Path
    turntable: bool = False


@dataclass(frozen=True, eq=False)
class Copy:
    """Put the portrait on the clipboard."""

    portrait: Portrait


Job = Open | Mark | Search | Turn | Save | Copy

# ------------------------------------------------------------------ messages


@dataclass(frozen=True, eq=False)
class Opened:
    """Sent twice: with the picture alone, then (`complete`) with the faces found."""

    frame: Frame
    frames: int
    found: tuple[tuple[Face, Reading], ...]
    complete: bool


@dataclass(frozen=True, eq=False)
class Marked:
    key: int
    face: Face
    reading: Reading


@dataclass(frozen=True, eq=False)
class Progress:
    """`fraction` in [0, 1] of the whole job; `candidate` counts from 0."""

    stage: str
    fraction: float
    candidate: int = 0
    preview: U8 | None = None
    loss: float | None = None


@dataclass(frozen=True, eq=False)
class Made:
    key: int
    portraits: tuple[Portrait, ...]


@dataclass(frozen=True, eq=False)
class Turned:
    """A quick look (h, w, 3) uint8 at the turned head."""

    key: int
    image: U8


@dataclass(frozen=True, eq=False)
class Said:
    """Something done, in words; `path` if it made a file."""

    text: str
    path: Path | None = None


@dataclass(frozen=True)
class Failed:
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Done:
    """The last message of every job."""

    stopped: bool = False


Message = Opened | Marked | Progress | Made | Turned | Said | Failed | Done

# ------------------------------------------------------------------ doing them


class Outlet:
    """Where a job's messages go, and where it learns that nobody waits for it any more."""

    def __init__(self, send: Callable[[Message], None], cancelled: Callable[[], bool]) -> None:
        self.send, self._cancelled = send, cancelled

    def check(self) -> None:
        """Raises Cancelled if the job was cancelled."""
        if self._cancelled():
            raise Cancelled("stopped")


class Studio:
    """What is loaded once and kept: the generator."""

    def __init__(self) -> None:
        self._generators: dict[tuple[str, str], Generator] = {}

    def generator(self, name: str, device: str, outlet: Outlet) -> Generator:
        if (name, device) not in self._generators:
            outlet.send(Progress("loading the generator", 0.0))
            from ..pulse.generator import load_generator

            self._generators[name, device] = load_generator(
                name, device, on_prepare=lambda what: outlet.send(Progress(what, 0.0))
            )
        return self._generators[name, device]


def perform(job: Job, studio: Studio, outlet: Outlet) -> None:
    """Do one job.

    Raises:
        SpritefaceError: what went wrong, for the person at the window; Cancelled among them.
    """
    outlet.check()
    match job:
        case Open():
            _open(job, outlet)
        case Mark():
            outlet.send(Marked(job.key, *_marked(job)))
        case Search():
            _search(job, studio, outlet)
        case Turn():
            _turn(job, studio, outlet)
        case Save(turntable=True):
            _turntable(job, studio, outlet)
        case Save():
            _save(job, outlet)
        case Copy():
            from .clipboard import copy_image

            outlet.send(Said(copy_image(job.portrait.image)))


def _open(job: Open, outlet: Outlet) -> None:
    from ..extract.reading import read
    from ..pipeline import find_faces, open_frame

    frame = open_frame(job.path, job.options)
    outlet.check()
    outlet.send(Opened(frame, frame.source.frames, (), False))
    found = []
    for face in find_faces(frame, job.options):
        outlet.check()
        found.append((face, read(face.pixels.rgba)))
    outlet.send(Opened(frame, frame.source.frames, tuple(found), True))


def _marked(job: Mark) -> tuple[Face, Reading]:
    from ..extract.faces import find
    from ..extract.reading import read

    (face,) = find(job.frame, ExtractOptions(box=job.box))
    return face, read(face.pixels.rgba)


def _search(job: Search, studio: Studio, outlet: Outlet) -> None:
    from ..pipeline import Event, make_portraits
    from ..pulse.head.generator import HeadGenerator

    generator = studio.generator(job.options.generator, job.options.device, outlet)
    options, first = job.options, 0
    watch: Watch | None = None
    reached = 0.0
    if isinstance(generator, HeadGenerator):
        fixed = None if job.start is None else _changed_person(job, generator)
        if job.start is not None:
            options, first = replace(options, candidates=1), job.start.candidate
        generator, watch = watched(generator, fixed)

    def told(event: Event) -> bool:
        nonlocal reached
        outlet.check()
        reached = max(reached, event.fraction)  # a picture may be corrected and rendered again
        # the last report of a candidate carries the fraction at which the next one begins
        at = min(options.candidates - 1, int(event.fraction * options.candidates - 1e-6))
        preview = event.preview
        if preview is None and watch is not None and event.stage == "searching":
            preview = watch.better(event.loss)
        outlet.send(Progress(event.stage, reached, at, preview, event.loss))
        return True

    made = tuple(make_portraits([job.face], options, generator=generator, on_event=told))
    outlet.send(Made(job.key, tuple(replace(p, candidate=p.candidate + first) for p in made)))


class Watch:
    """Sees what the search looks at, because its reports carry numbers only: the search compares
    label maps, which are cheaper than pictures."""

    def __init__(self, preview: Callable[[Latents, int], Tensor]) -> None:
        self._preview = preview
        self._least: float | None = None
        self._shown = 0.0
        self.last: Latents | None = None

    def better(self, loss: float | None) -> U8 | None:
        """A picture of what was looked at last if `loss` says that it is the best so far, not
        more often than every `SHOWN_SECONDS`."""
        import numpy as np
        import torch

        if loss is None or self.last is None or (self._least is not None and loss >= self._least):
            return None
        self._least = loss
        if time.monotonic() - self._shown < SHOWN_SECONDS:
            return None
        with torch.no_grad():
            seen = self._preview(self.last, PREVIEW_PX)[0].permute(1, 2, 0).numpy()
        self._shown = time.monotonic()
        levels: U8 = np.clip(seen * 255 + 0.5, 0, 255).astype(np.uint8)
        return levels


def watched(head: HeadGenerator, fixed: Latents | None) -> tuple[HeadGenerator, Watch]:
    """The head with somebody watching; with `fixed`, every start of a search is that person."""
    from ..pulse.head.generator import HeadGenerator

    watch = Watch(head.preview)

    class Watched(HeadGenerator):
        def regions(self, latents: Latents, size: int) -> Tensor:
            watch.last = latents
            return super().regions(latents, size)

        def start(self, reading: Reading, *, count: int, **more: Any) -> Latents:
            if fixed is None:
                return super().start(reading, count=count, **more)
            return replace(
                fixed, z=fixed.z.repeat(count, 1), structure=tuple(fixed.structure) * count
            )

    return Watched(str(head.device)), watch


def _changed_person(job: Search, head: HeadGenerator) -> Latents:
    """The person found last, changed as the user asked.

    What the search found (camera, proportions, colours) stays wherever the traits' change
    doesn't touch it: two people are drawn, with the traits before and after, and where they
    differ the later one counts.
    """
    from ..extract.reading import read
    from ..pipeline import identity_seed

    assert job.start is not None
    reading = read(job.face.pixels.rgba)
    seed, at = identity_seed(job.options.seed, job.face), job.start.candidate

    def drawn(traits: Mapping[str, Any]) -> Person:
        batch = head.start(reading, count=at + 1, seed=seed, traits=traits)
        return head.people(batch[at])[0]

    (found,) = head.people(latents_of(job.start))
    return head.latents([merged(found, drawn(job.before), drawn(job.options.traits))])


def merged(found: Any, before: Any, after: Any) -> Any:
    """`found` with every leaf that differs between `before` and `after` taken from `after`.

    Works on frozen records and mappings; anything else is a leaf.
    """
    if before == after:
        return found
    if isinstance(after, Mapping):
        names = {*found, *after}
        return {n: merged(found.get(n, 0.0), before.get(n, 0.0), after.get(n, 0.0)) for n in names}
    if hasattr(after, "__dataclass_fields__") and type(found) is type(after) is type(before):
        return replace(
            found,
            **{
                n: merged(getattr(found, n), getattr(before, n), getattr(after, n))
                for n in after.__dataclass_fields__
            },
        )
    return after


def latents_of(portrait: Portrait) -> Latents:
    """The batch of one that a portrait's JSON latent describes."""
    import torch

    from ..pulse.generator import Latents

    shape = tuple(portrait.latent["shape"])
    z = torch.tensor(portrait.latent["z"], dtype=torch.float32).reshape(1, *shape)
    structure = portrait.latent["structure"]
    return Latents(z, (structure,) if structure else ())


def _head_person(portrait: Portrait) -> Person:
    from ..pulse.head.prior import people_from_latents

    if portrait.generator != "head":
        raise SpritefaceError(
            f"the generator {portrait.generator} can't turn a head",
            "choose the embedded one with --generator head",
        )
    return people_from_latents(latents_of(portrait))[0]


def _turn(job: Turn, studio: Studio, outlet: Outlet) -> None:
    import numpy as np

    person = _head_person(job.portrait)
    pose = replace(
        person.pose, yaw=job.yaw, pitch=job.pitch, gaze_x=-0.3 * max(-1.5, min(1.5, job.yaw))
    )
    person = replace(person, pose=pose)
    if not job.final:
        from ..pulse.head.preview import preview_person

        seen = preview_person(person, job.size).permute(1, 2, 0).numpy()
        outlet.send(Turned(job.key, np.clip(seen * 255 + 0.5, 0, 255).astype(np.uint8)))
        return
    outlet.send(Progress("rendering", 0.1))
    portrait = _rendered(job.portrait, person, studio, outlet)
    outlet.send(Made(job.key, (portrait,)))


def _rendered(portrait: Portrait, person: Person, studio: Studio, outlet: Outlet) -> Portrait:
    """The portrait of a changed person, and what it says about itself, measured anew."""
    import numpy as np
    import torch

    from ..pipeline import latent_json
    from ..pulse.downscale import downscale_array
    from ..pulse.head.generator import HeadGenerator
    from ..pulse.loss import lr_psnr_db
    from ..pulse.target import make_target

    generator = studio.generator("head", "cpu", outlet)
    assert isinstance(generator, HeadGenerator)
    latents = generator.latents([person])
    edge = portrait.image.shape[0]
    image = generator.render(latents, edge)[0].permute(1, 2, 0).contiguous().numpy()
    target = make_target(portrait.face.pixels.rgba)
    square = downscale_array(image, target.size, "area")
    psnr = float(lr_psnr_db(torch.from_numpy(square).permute(2, 0, 1)[None], target)[0])
    h, w = portrait.face.pixels.rgba.shape[:2]
    top, left = (target.size[0] - h) // 2, (target.size[1] - w) // 2

    def u8(values: Any) -> U8:
        levels: U8 = np.clip(values * 255 + 0.5, 0, 255).astype(np.uint8)
        return levels

    return replace(
        portrait,
        image=u8(image),
        small=u8(square[top : top + h, left : left + w]),
        latent=latent_json(latents),
        lr_psnr_db=psnr,
        downscale_operator="area",
        matte=None if portrait.matte is None else u8(generator.matte(latents, edge)[0].numpy()),
        traits={**portrait.traits, "pose.yaw": person.pose.yaw, "pose.pitch": person.pose.pitch},
    )


def _save(job: Save, outlet: Outlet) -> None:
    from ..files.atomic import make_folder
    from ..writeback import save_portrait, save_sidecar

    make_folder(job.path.parent)
    save_portrait(job.portrait, job.path)
    save_sidecar(job.portrait, job.path.with_suffix(".json"))
    outlet.send(Said(f"saved {job.path}", job.path))


def _turntable(job: Save, studio: Studio, outlet: Outlet) -> None:
    """A loop: the person looks from one side to the other and back."""
    import math

    import numpy as np
    from PIL import Image

    from ..files.animation import write_animation
    from ..files.atomic import make_folder
    from ..pulse.head.render import render

    make_folder(job.path.parent)
    person = _head_person(job.portrait)
    edge = min(TURNTABLE_PX, job.portrait.image.shape[0])
    steps = TURN_STEPS
    frames: list[U8] = []
    # the way back shows the same pictures, so half of them are rendered
    for k in range(steps // 2 + 1):
        outlet.check()
        yaw = 1.1 * math.cos(math.pi * k / (steps // 2))
        pose = replace(person.pose, yaw=yaw, gaze_x=-0.3 * yaw)
        image = render(replace(person, pose=pose), edge).image
        frames.append((np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8))
        preview = np.asarray(Image.fromarray(frames[-1]).resize((64, 64)))
        outlet.send(Progress("turning", (k + 1) / (steps // 2 + 1), preview=preview))
    frames += frames[-2:0:-1]
    write_animation(job.path, frames, duration_ms=TURN_MS)
    outlet.send(Said(f"saved {job.path}", job.path))
