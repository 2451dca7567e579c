"""Cheap but real work for the tests of the batch: small faces found, small portraits painted.

Workers import this module by name; nothing here needs torch, so a worker is up in no time.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from spriteface.errors import GeneratorError, ImageError
from spriteface.options import ExtractOptions, PortraitOptions
from spriteface.types import Box, Face, Frame, Portrait


def echo(config: Any) -> Callable[[Any], Any]:
    """A worker that does as it is told: for the pool's own tests."""
    blob: list[bytes] = []

    def work(payload: Any) -> Any:
        match payload:
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "hang":
                time.sleep(3600)
            case "eat":
                while len(blob) < 10:
                    blob.append(b"x" * (32 << 20))
                time.sleep(3600)
            case "bad":
                raise ImageError("bad.png is not an image", "look at it")
            case "bug":
                raise ZeroDivisionError("oops")
            case "pid":
                return os.getpid()
            case "threads":
                return os.environ["OMP_NUM_THREADS"], os.environ["SPRITEFACE_THREADS"]
            case ("sleep", seconds):
                time.sleep(seconds)
        return (config, payload)

    return work


def broken(config: Any) -> Callable[[Any], Any]:
    raise RuntimeError("can't start")


def fall_ill(path: Path, kind: str) -> None:
    """What goes wrong with every picture: the word in the file `ill-find` or `ill-make` beside."""
    note = path.parent / f"ill-{kind}"
    match note.read_text().split(maxsplit=1) if note.exists() else []:
        case ["memory"]:
            raise MemoryError
        case ["bug"]:
            raise ZeroDivisionError(f"oops in {os.getpid()}")
        case ["refused", why]:
            raise GeneratorError(why, "mend it")


def find(frame: Frame, options: ExtractOptions) -> list[Face]:
    """The whole picture is a face where it is 16 pixels high; sheets are cut into 16x16 cells."""
    path = frame.source.path
    assert path is not None
    fall_ill(path, "find")
    if "poison" in path.name:
        os.kill(os.getpid(), signal.SIGKILL)
    if "endless" in path.name:
        time.sleep(3600)
    rgba = frame.pixels.rgba
    boxes = [Box(x, 0, 16, 16) for x in range(0, rgba.shape[1] - 15, 16)]
    return [
        Face(frame, box, box, box, frame.pixels.crop(box), score=0.9, detector="test", group=-1)
        for box in boxes
        if frame.pixels.crop(box).rgba[..., 3].any()
    ]


def who(
    face: Face, options: PortraitOptions, *, generator: Any, person_seed: int, candidate: int
) -> dict[str, Any]:
    """A person is a seed and the picture it was first seen in."""
    color = face.pixels.rgba[..., :3].mean(axis=(0, 1)).round().astype(int).tolist()
    return {"shape": [1], "z": [person_seed], "structure": {"color": color, "n": candidate}}


def make(
    faces: Sequence[Face],
    options: PortraitOptions,
    *,
    generator: Any = None,
    person_seed: int | None = None,
    on_event: Any = None,
) -> Iterator[Portrait]:
    """An enlarged, smoothed sprite: nobody, but deterministic and at once."""
    for face in faces:
        assert face.frame.source.path is not None
        fall_ill(face.frame.source.path, "make")
        if delay := os.environ.get("BATCH_TEST_DELAY"):
            time.sleep(float(delay))
        flat = Image.new("RGBA", (face.crop.w, face.crop.h), (90, 100, 120, 255))
        flat.alpha_composite(Image.fromarray(face.pixels.rgba))
        small = np.asarray(flat.convert("RGB"))
        image = flat.convert("RGB").resize((options.size, options.size), Image.Resampling.BICUBIC)
        seed = options.seed if person_seed is None else person_seed
        yield Portrait(
            image=np.asarray(image),
            small=small,
            face=face,
            seed=options.seed,
            generator="test",
            version="0",
            latent=dict(options.identity) or {"shape": [1], "z": [seed]},
            lr_psnr_db=40.0,
            downscale_operator="area",
            seconds=0.0,
            traits=dict(options.traits),
        )
