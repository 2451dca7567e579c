"""The two calls everything above uses: `find_faces` and `make_portraits`.

The one way through the house: file -> native pixels -> sprites -> faces -> reading -> search
-> portrait. No printing and no writing here; progress leaves through `on_event`.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ._version import __version__
from .errors import Cancelled, InputError, NoFaceError
from .options import ExtractOptions, PortraitOptions
from .types import U8, Face, Frame, Pixels, Portrait, Reading, Source, View

if TYPE_CHECKING:
    from .pulse.generator import Generator
    from .pulse.likeness import Who


@dataclass(frozen=True, eq=False)
class Event:
    """Progress of one face. `fraction` in [0, 1] runs over the whole face; `preview` (h, w, 3)
    uint8 is what the search sees now, if anything."""

    stage: str
    fraction: float
    face: int
    faces: int
    preview: U8 | None = None
    loss: float | None = None


OnEvent = Callable[[Event], bool | None]
Image = str | Path | Pixels | U8


def open_frame(image: Image, options: ExtractOptions | None = None) -> Frame:
    """An image in native pixels.

    Args:
        image: a path, `Pixels`, or an array (H, W, 3 or 4) uint8.

    Raises:
        ImageError: the file can't be read; says why.
    """
    from .extract.grid import recover
    from .files import read_image

    options = options or ExtractOptions()
    if isinstance(image, (str, Path)):
        pixels, source = read_image(Path(image), frame=options.frame)
    else:
        pixels = image if isinstance(image, Pixels) else Pixels(_as_rgba(image))
        source = Source(path=None)
    return recover(pixels, source, scale=options.scale, phase=options.phase)


def _as_rgba(array: U8) -> U8:
    if array.ndim != 3 or array.shape[2] not in (3, 4) or array.dtype != np.uint8 or not array.size:
        raise InputError(
            f"an image array of shape {array.shape} and type {array.dtype}",
            "expected (height, width, 3 or 4) of uint8",
        )
    if array.shape[2] == 4:
        return array
    return np.dstack([array, np.full(array.shape[:2], 255, np.uint8)])


def find_faces(
    image: Image | Frame, options: ExtractOptions | None = None, **changes: Any
) -> list[Face]:
    """Faces in an image, best first; an empty list is a normal answer.

    Args:
        image: a path, `Pixels`, an array (H, W, 3 or 4) uint8, or an opened `Frame`.
        options: how to look; `changes` are fields of it by name.
    """
    from .extract.faces import find

    options = dataclasses.replace(options or ExtractOptions(), **changes)
    frame = image if isinstance(image, Frame) else open_frame(image, options)
    if options.box is not None:
        options = dataclasses.replace(options, box=frame.to_native(options.box))
    return find(frame, options)


def require_faces(
    image: Image, options: ExtractOptions | None = None, *, index: int | None = None
) -> list[Face]:
    """`find_faces`, but none is an error that says what was seen and what to try.

    Args:
        index: the one face wanted, counted from 1; None means all.

    Raises:
        NoFaceError: no face, or fewer than `index`.
    """
    options = options or ExtractOptions()
    frame = open_frame(image, options)
    faces = find_faces(frame, options)
    name, size = frame.source.name, f"{frame.pixels.width}x{frame.pixels.height} native pixels"
    if not faces:
        raise NoFaceError(
            f"no face in {name} ({size}, best guess below {options.min_score:g})",
            "mark it with --face x,y,w,h, lower --min-score, or give --scale if the grid is wrong",
        )
    if index is None:
        return faces
    if not 1 <= index <= len(faces):
        raise NoFaceError(
            f"no face {index} in {name}: {len(faces)} found",
            f"--face 1 to {len(faces)}, or --face all",
        )
    return [faces[index - 1]]


def identity_seed(seed: int, face: Face) -> int:
    """The seed of a face's person: the user's seed stirred with the sprite's pixels, so that
    different characters are different people and the same sprite is always the same one."""
    digest = hashlib.sha256(
        face.pixels.rgba.tobytes() + repr((seed, face.pixels.rgba.shape)).encode()
    )
    return int.from_bytes(digest.digest()[:6], "little")


def make_portraits(
    faces: Sequence[Face],
    options: PortraitOptions | None = None,
    *,
    generator: Generator | str | None = None,
    on_event: OnEvent | None = None,
    person_seed: int | None = None,
    **changes: Any,
) -> Iterator[Portrait]:
    """Portraits of faces, each as soon as it is ready; `options.candidates` per face.

    Poses of one character (`extract.characters`) become one person: the clearest of them decides
    who that is, in the others only pose, expression and camera are looked for.

    Args:
        options: what to make; `changes` are fields of it by name.
        generator: one already loaded, or a name; by default `options.generator` is loaded once.
        on_event: called often; returning False cancels.
        person_seed: draw this person for every face, instead of one of its own for each.

    Raises:
        Cancelled: `on_event` returned False.
        GeneratorError: the generator can't be loaded or run.
        OptionError: `options.identity` belongs to another generator.
    """
    options, generator = _ready(options, generator, changes)
    numbers = _characters(faces)
    reads = functools.cache(lambda i: _read(faces[i]))
    clearest = {n: _clearest(faces, numbers, n, reads) for n in set(numbers)}
    made: dict[int, list[Portrait]] = {}  # of characters' clearest poses, until their turn comes
    people: dict[int, Sequence[Who]] = {}
    for i, face in enumerate(faces):
        first = clearest[numbers[i]]
        seed = identity_seed(options.seed, faces[first]) if person_seed is None else person_seed
        alone = numbers.count(numbers[i]) == 1
        if not alone and first not in made:
            report = _reporter(on_event, first, len(faces))
            found = _portraits(faces[first], generator, options, seed, report, reads(first))
            made[first], people[first] = [p for p, _ in found], [w for _, w in found]
        if not alone and first == i:
            yield from made[i]
        else:
            report = _reporter(on_event, i, len(faces))
            who = people.get(first, ())
            found = _portraits(face, generator, options, seed, report, reads(i), who)
            yield from (p for p, _ in found)


def find_person(
    face: Face,
    options: PortraitOptions | None = None,
    *,
    generator: Generator | str | None = None,
    person_seed: int | None = None,
    candidate: int = 0,
    **changes: Any,
) -> Mapping[str, Any]:
    """Who the portrait of `face` shows, without the time to make it: a plain JSON value for
    `PortraitOptions.identity`, which shows the same person in other faces' poses. Arguments and
    errors as in `make_portraits`."""
    from .pulse import likeness

    options, generator = _ready(options, generator, changes)
    seed = identity_seed(options.seed, face) if person_seed is None else person_seed
    options = dataclasses.replace(options, seed=seed, candidates=candidate + 1)
    reading = _read(face).reading
    return likeness.find_person(generator, reading, options=options)[candidate].to_json()


def identity_of(portrait: Portrait) -> Mapping[str, Any]:
    """The person of a portrait, for `PortraitOptions.identity`."""
    from .pulse.colors import sprite_colors

    return {**portrait.latent, "colors": sprite_colors(portrait.traits)}


def _ready(
    options: PortraitOptions | None, generator: Generator | str | None, changes: Mapping[str, Any]
) -> tuple[PortraitOptions, Generator]:
    """The options with their changes, and the generator loaded."""
    from .pulse.generator import load_generator

    options = dataclasses.replace(options or PortraitOptions(), **changes)
    if isinstance(generator, str):
        options = dataclasses.replace(options, generator=generator)
        generator = None
    return options, generator or load_generator(options.generator, options.device)


def _characters(faces: Sequence[Face]) -> list[int]:
    from .extract.characters import characters

    return characters(faces)


@dataclass(frozen=True, eq=False)
class _Read:
    """What was read off a face, and the seconds that took."""

    reading: Reading
    seconds: float


def _read(face: Face) -> _Read:
    from .extract.reading import read

    began = time.perf_counter()
    return _Read(read(face.pixels.rgba), time.perf_counter() - began)


def _clearest(
    faces: Sequence[Face], numbers: Sequence[int], number: int, reads: Callable[[int], _Read]
) -> int:
    """The face that says most about a character: from the front, then the best found one. What is
    front is the reading's word: the detector, made to find faces, is often wrong about it."""
    poses = [i for i, n in enumerate(numbers) if n == number]
    if len(poses) == 1:
        return poses[0]
    front = {i: reads(i).reading.view is View.FRONT for i in poses}
    return max(poses, key=lambda i: (front[i], faces[i].score, -i))


class OnStep(Protocol):
    def __call__(
        self, stage: str, fraction: float, preview: U8 | None = None, loss: float | None = None
    ) -> bool: ...


def _reporter(on_event: OnEvent | None, face: int, faces: int) -> OnStep:
    def report(
        stage: str, fraction: float, preview: U8 | None = None, loss: float | None = None
    ) -> bool:
        event = Event(stage, fraction, face, faces, preview, loss)
        if on_event is not None and on_event(event) is False:
            raise Cancelled("stopped")
        return True

    return report


def _portraits(
    face: Face,
    generator: Generator,
    options: PortraitOptions,
    seed: int,
    report: OnStep,
    read: _Read,
    people: Sequence[Who] = (),
) -> list[tuple[Portrait, Who]]:
    """The candidates of one face, and who they are."""
    from .pulse.likeness import Who, portray

    began = time.perf_counter()
    reading = read.reading
    report("reading the sprite", 0.02)
    found = portray(
        generator,
        reading,
        options=dataclasses.replace(options, seed=seed),
        on_step=report,
        people=people,
    )
    seconds = (read.seconds + time.perf_counter() - began) / len(found)
    return [
        (
            Portrait(
                image=likeness.image,
                small=likeness.small,
                face=face,
                seed=options.seed,
                generator=generator.info.name,
                version=__version__,
                latent=latent_json(likeness.latents),
                lr_psnr_db=likeness.lr_psnr_db,
                downscale_operator=likeness.downscale_operator,
                seconds=seconds,
                stages={"reading": read.seconds, **likeness.stages},
                matte=likeness.matte if options.matte else None,
                traits=dict(likeness.traits),
                candidate=candidate,
                notes=(*reading.notes, *likeness.notes),
                lr_psnr_natural_db=likeness.lr_psnr_natural_db,
                diversity=likeness.diversity,
                renderer=likeness.renderer or generator.info.name,
            ),
            Who.of(likeness),
        )
        for candidate, likeness in enumerate(found)
    ]


def latent_json(latents: Any) -> Mapping[str, Any]:
    """A batch of one latent as plain JSON values; `pulse.generator.Latents` of it is exact."""
    return {
        "shape": list(latents.z.shape[1:]),
        "z": [float(v) for v in latents.z[0].flatten()],
        "structure": dict(latents.structure[0]) if latents.structure else {},
    }
