"""What a worker does: find the faces of a picture, make the portrait of a face.

Tasks and answers are small: a path goes in, faces as crops of a few kilobytes come out, and a
portrait's files are written where they belong by the worker itself, whole or not at all.
"""

from __future__ import annotations

import dataclasses
import hashlib
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import SinkError
from ..options import ExtractOptions, PortraitOptions
from ..types import U8, Box, Face, Frame, Pixels, Source, View
from .executor import SetupFailed, resolve

THUMB_PX = 256


@dataclass(frozen=True)
class Job:
    """All a worker needs to know. The functions are named, so that they can be replaced:
    `load(name, device)` may be "" for none. With `all_frames` every frame of an animation is
    looked at, else the one that `extract` names."""

    out: Path
    extract: ExtractOptions = field(default_factory=ExtractOptions)
    portrait: PortraitOptions = field(default_factory=PortraitOptions)
    find: str = "spriteface.pipeline:find_faces"
    make: str = "spriteface.pipeline:make_portraits"
    load: str = "spriteface.pulse.generator:load_generator"
    who: str = "spriteface.pipeline:find_person"
    all_frames: bool = True


@dataclass(frozen=True, eq=False)
class FoundFace:
    """A face without its picture. `rgba` (H, W, 4) is its crop, `box` and `head` lie in it in
    native pixels, `file_box` in the file; `scale` and `phase` are those of the crop; `frame` is
    the animation's, from 0. A head that leans by `tilt` degrees stands upright in `rgba`, while
    boxes are those of the file, as in `Face`."""

    rgba: U8
    box: Box
    head: Box
    file_box: Box
    scale: tuple[float, float]
    phase: tuple[float, float]
    score: float
    view: str
    side: str
    kind: str
    detector: str
    name: str
    group: int
    frame: int = 0
    tilt: float = 0.0

    @classmethod
    def of(cls, face: Face) -> FoundFace:
        frame, crop = face.frame, face.crop
        phase = tuple(p + c * s for p, c, s in zip(frame.phase, (crop.x, crop.y), frame.scale))
        return cls(
            face.pixels.rgba,
            face.box.shift(-crop.x, -crop.y),
            face.head.shift(-crop.x, -crop.y),
            frame.to_file(face.box),
            frame.scale,
            (phase[0], phase[1]),
            face.score,
            str(face.view),
            face.side,
            face.kind,
            face.detector,
            face.name,
            face.group,
            frame.source.frame,
            face.tilt,
        )

    def face(self, path: Path) -> Face:
        """A `Face` again, in a frame that is no more than its crop."""
        pixels = Pixels(self.rgba)
        frame = Frame(pixels, Source(path, frame=self.frame), scale=self.scale, phase=self.phase)
        crop = Box(0, 0, pixels.width, pixels.height)
        return Face(
            frame, self.box, self.head, crop, pixels, self.score, View(self.view), self.side,
            self.kind, self.detector, self.name, 0, self.tilt,
        )  # fmt: skip

    @property
    def upright_head(self) -> Box:
        """The head's box in `rgba`."""
        from ..extract.turning import standing

        return standing(self.face(Path())).head

    def to_row(self) -> tuple[dict[str, Any], bytes]:
        """Plain JSON values, and the pixels packed."""
        plain = {k: v for k, v in vars(self).items() if k != "rgba"}
        for key in ("box", "head", "file_box"):
            plain[key] = plain[key].as_list()
        height, width = self.rgba.shape[:2]
        return {**plain, "size": [width, height]}, zlib.compress(self.rgba.tobytes())

    @classmethod
    def from_row(cls, plain: dict[str, Any], packed: bytes) -> FoundFace:
        """The reverse of `to_row`."""
        values = dict(plain)
        width, height = values.pop("size")
        for key in ("box", "head", "file_box"):
            values[key] = Box(*values[key])
        for key in ("scale", "phase"):
            values[key] = tuple(values[key])
        rgba = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, width, 4)
        return cls(rgba=rgba, **values)


@dataclass(frozen=True)
class FindTask:
    path: Path
    member: str = ""


@dataclass(frozen=True, eq=False)
class MakeTask:
    """`name` is the result's, without suffix; `person_seed` the identity to give it; `person`
    the face of the same person that was met first, where that is another one, and
    `person_portrait` the name of that face's result, where there is one."""

    face: FoundFace
    source: Path
    name: str
    person_seed: int
    person: FoundFace | None = None
    person_portrait: str = ""


@dataclass(frozen=True)
class Made:
    """`files` are relative to the output folder; the first is the portrait."""

    files: tuple[str, ...]
    size_bytes: int
    sha256: str
    lr_psnr_db: float


def worker(job: Job) -> Callable[[Any], Any]:
    """The function of a worker; the generator is loaded once, when the first portrait is due."""
    find = resolve(job.find)
    maker: list[Callable[[MakeTask], list[Made]]] = []

    def work(task: Any) -> Any:
        if isinstance(task, FindTask):
            return _find(find, job, task)
        assert isinstance(task, MakeTask)
        if not maker:
            maker.append(_maker(job))
        return maker[0](task)

    return work


def _find(find: Callable[..., list[Face]], job: Job, task: FindTask) -> list[FoundFace]:
    from .walk import Item, on_disc

    with on_disc(Item(task.path, task.member)) as path:
        return _find_in_file(find, job, path)


def _find_in_file(find: Callable[..., list[Face]], job: Job, path: Path) -> list[FoundFace]:
    """The faces of every frame; frames that repeat an earlier one show nobody new."""
    from ..extract.grid import recover
    from ..files import read_frames, read_image

    only = job.extract.frame
    pictures = read_frames(path) if job.all_frames else [read_image(path, frame=only)]
    found: list[FoundFace] = []
    seen: set[bytes] = set()
    for pixels, source in pictures:
        digest = hashlib.sha256(repr(pixels.rgba.shape).encode() + pixels.rgba.tobytes()).digest()
        if digest in seen:
            continue
        seen.add(digest)
        frame = recover(pixels, source, scale=job.extract.scale, phase=job.extract.phase)
        found += map(FoundFace.of, find(frame, job.extract))
    return found


def _maker(job: Job) -> Callable[[MakeTask], list[Made]]:
    from ..writeback.load import load_identity

    try:
        generator = (
            resolve(job.load)(job.portrait.generator, job.portrait.device) if job.load else None
        )
        make = resolve(job.make)
    except Exception as error:
        raise SetupFailed from error

    def who(task: MakeTask, candidate: int) -> Mapping[str, Any]:
        """The person of an earlier face: of its portrait, or where that couldn't be made, of
        the face itself."""
        if task.person_portrait:
            name = _candidate_name(job, task.person_portrait, candidate)
            return load_identity(job.out / "portraits" / f"{name}.json")
        assert task.person is not None
        found: Mapping[str, Any] = resolve(job.who)(
            task.person.face(task.source), job.portrait, generator=generator,
            person_seed=task.person_seed, candidate=candidate,
        )  # fmt: skip
        return found

    def make_all(task: MakeTask) -> list[Made]:
        face, seed = task.face.face(task.source), task.person_seed
        if task.person is None:
            found = make([face], job.portrait, generator=generator, person_seed=seed)
            return [_save(job, task, portrait) for portrait in found]
        made = []
        for candidate in range(job.portrait.candidates):
            options = dataclasses.replace(job.portrait, candidates=1, identity=who(task, candidate))
            (portrait,) = make([face], options, generator=generator, person_seed=seed)
            made.append(_save(job, task, dataclasses.replace(portrait, candidate=candidate)))
        return made

    return make_all


def _candidate_name(job: Job, name: str, candidate: int) -> str:
    """A result's name, where a face has several."""
    return name + (f".{candidate + 1}" if job.portrait.candidates > 1 else "")


def _save(job: Job, task: MakeTask, portrait: Any) -> Made:
    from ..writeback import save_portrait, save_sidecar

    name = _candidate_name(job, task.name, portrait.candidate)
    picture = Path("portraits") / f"{name}.png"
    sidecar, sprite, thumb = (
        picture.with_suffix(".json"),
        Path("sprites") / f"{name}.png",
        Path("thumbs") / f"{name}.jpg",
    )
    _write_small_pictures(job.out, portrait, task.face.rgba, sprite, thumb)
    save_sidecar(portrait, job.out / sidecar)
    save_portrait(portrait, job.out / picture)
    try:
        data = (job.out / picture).read_bytes()
    except OSError as error:
        raise SinkError(f"can't read back {picture}: {error.strerror}") from error
    return Made(
        tuple(p.as_posix() for p in (picture, sidecar, sprite, thumb)),
        len(data),
        hashlib.sha256(data).hexdigest(),
        portrait.lr_psnr_db,
    )


def _write_small_pictures(out: Path, portrait: Any, rgba: U8, sprite: Path, thumb: Path) -> None:
    """The sprite as it is, and the portrait small enough for a page with thousands."""
    from PIL import Image

    from ..files.atomic import atomic_file

    with atomic_file(out / sprite) as stream:
        Image.fromarray(rgba).save(stream, "PNG")
    small = Image.fromarray(portrait.image)
    small.thumbnail((THUMB_PX, THUMB_PX), Image.Resampling.LANCZOS)
    with atomic_file(out / thumb) as stream:
        small.save(stream, "JPEG", quality=88)
