"""What the jobs do: the pipeline's two calls and the way back to a palette, spoken as messages."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Cancelled, InputError, NoFaceError, PaletteError
from ..types import U8, Face, Palette, Pixels, Portrait
from . import wire
from .request import OutputOptions, Request

if TYPE_CHECKING:
    from ..pipeline import Event
    from ..pulse.generator import Generator

PROGRESS_SECONDS = 0.1
PREVIEW_SECONDS = 0.25
PREVIEW_EDGE_MAX = 256


_warm: dict[tuple[str, str], Generator] = {}


def to_pixels(image: wire.Image) -> Pixels:
    """The artist's pixels of an image from the wire; indices and palette kept."""
    raw = np.frombuffer(image.data, np.uint8)
    if image.format == "rgba8":
        return Pixels(raw.reshape(image.height, image.width, 4).copy())
    flat = raw.reshape(image.height, image.width)
    if image.format == "gray8":
        return Pixels(np.dstack([flat, flat, flat, np.full_like(flat, 255)]))
    assert image.palette is not None
    colors = np.array(image.palette, np.uint8)
    transparent = image.transparent
    if transparent is not None and transparent < len(colors):
        colors[transparent, 3] = 0
    else:
        transparent = None
    return Pixels(colors[flat], flat.copy(), Palette(colors, transparent))


def to_image(array: U8, name: str) -> wire.Image:
    """(H, W, 3 or 4) uint8 as an rgba8 image."""
    if array.shape[2] == 3:
        array = np.dstack([array, np.full(array.shape[:2], 255, np.uint8)])
    height, width = array.shape[:2]
    return wire.Image(width, height, np.ascontiguousarray(array).tobytes(), name=name)


def to_indexed(indices: U8, palette: Palette, name: str) -> wire.Image:
    height, width = indices.shape
    return wire.Image(
        width,
        height,
        np.ascontiguousarray(indices).tobytes(),
        format="index8",
        name=name,
        palette=tuple((int(r), int(g), int(b), int(a)) for r, g, b, a in palette.colors),
        transparent=palette.transparent,
    )


class Outlet:
    """The events of one job on their way out: thinned, numbered, and asked whether to go on."""

    def __init__(self, send: Callable[[bytes], None], job: str, cancelled: threading.Event) -> None:
        self._send = send
        self._job = job
        self._cancelled = cancelled
        self._fraction = 0.0
        self._stage = ""
        self._last_progress = self._last_preview = -1e9
        self.results = 0

    def check(self) -> None:
        """Raises Cancelled once the client has asked for it."""
        if self._cancelled.is_set():
            raise Cancelled("stopped")

    def wait(self, seconds: float) -> None:
        """Sleep, unless a cancel comes."""
        self._cancelled.wait(seconds)

    def progress(
        self,
        stage: str,
        fraction: float,
        *,
        face: int = 0,
        preview: U8 | None = None,
        loss: float | None = None,
    ) -> bool:
        """Tell the client, unless it was told just now; False means stop."""
        now = time.monotonic()
        self._fraction = max(self._fraction, min(1.0, float(fraction)))
        show = preview is not None and now - self._last_preview >= PREVIEW_SECONDS
        due = stage != self._stage or now - self._last_progress >= PROGRESS_SECONDS
        if show or due:
            header = {
                "type": "progress",
                "id": self._job,
                "stage": stage,
                "fraction": round(self._fraction, 4),
                "face": face,
                "loss": None if loss is None or not np.isfinite(loss) else float(loss),
            }
            images = []
            if show and preview is not None:
                images = [to_image(_shrink(preview), "preview")]
                self._last_preview = now
            self._stage, self._last_progress = stage, now
            self._send(wire.encode(header, images))
        return not self._cancelled.is_set()

    def result(self, header: dict[str, Any], images: Sequence[wire.Image]) -> None:
        whole = {"type": "result", "id": self._job, "index": self.results, **header}
        self._send(wire.encode(_plain(whole), images))
        self.results += 1


def _shrink(preview: U8) -> U8:
    """Every n-th pixel, so that no edge is longer than the protocol allows."""
    step = -(-max(preview.shape[:2]) // PREVIEW_EDGE_MAX)
    return preview[::step, ::step]


def _plain(value: Any) -> Any:
    """Values of numpy, tuples and mappings as JSON knows them; NaN as null."""
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "items"):
        return {str(key): _plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):  # a torch.Tensor, without importing torch
        return _plain(value.tolist())
    return str(value)


def _generator(
    name: str, device: str, on_prepare: Callable[[str], None] = lambda what: None
) -> Generator:
    """The generator by name, loaded once per process."""
    from ..pulse.generator import load_generator

    key = name, device
    if key not in _warm:
        _warm[key] = load_generator(name, device, on_prepare=on_prepare)
    return _warm[key]


def warm_up() -> list[str]:
    """Load the default generator; the names of all."""
    from .. import pipeline  # noqa: F401  the imports themselves take seconds
    from ..pulse.generator import entries

    _generator("head", "cpu")
    return [entry.name for entry in entries()]


def _only_image(images: Sequence[wire.Image]) -> Pixels:
    if not images:
        raise InputError("the job came without an image")
    return to_pixels(images[0])


def _faces(request: Request, pixels: Pixels, out: Outlet) -> list[Face]:
    from ..pipeline import find_faces

    out.progress("finding", 0.0)
    faces = find_faces(pixels, request.extract)
    out.check()
    return faces


def face_json(face: Face) -> dict[str, Any]:
    """A face as the editors see it: boxes in pixels of the picture they sent."""
    return {
        "box": face.frame.to_file(face.box).as_list(),
        "head": face.frame.to_file(face.head).as_list(),
        "crop": face.frame.to_file(face.crop).as_list(),
        "native_box": face.box.as_list(),
        "native_crop": face.crop.as_list(),
        "score": float(face.score),
        "view": str(face.view.value),
        "side": face.side,
        "kind": face.kind,
        "detector": face.detector,
        "name": face.name,
        "group": face.group,
    }


def find(request: Request, images: Sequence[wire.Image], out: Outlet) -> None:
    pixels = _only_image(images)
    faces = _faces(request, pixels, out)
    header: dict[str, Any] = {"faces": [face_json(face) for face in faces]}
    if faces:
        frame = faces[0].frame
        header |= {
            "scale": list(frame.scale),
            "phase": list(frame.phase),
            "native_size": [frame.pixels.width, frame.pixels.height],
        }
    out.result(header, [])


def portrait(request: Request, images: Sequence[wire.Image], out: Outlet) -> None:
    from ..pipeline import make_portraits

    pixels = _only_image(images)
    faces = _faces(request, pixels, out)
    if not faces:
        raise NoFaceError(
            f"no face in the picture ({pixels.width}x{pixels.height} px)",
            "select the face more closely, or choose the detector 'whole'",
        )
    options = request.portrait
    out.progress("loading", 0.0)

    def on_prepare(what: str) -> None:
        out.progress(what, 0.0)

    generator = _generator(options.generator, options.device, on_prepare)

    def on_event(event: Event) -> bool:
        fraction = (event.face + event.fraction) / event.faces
        return out.progress(
            event.stage, fraction, face=event.face, preview=event.preview, loss=event.loss
        )

    index = {id(face): i for i, face in enumerate(faces)}
    for made in make_portraits(faces, options, generator=generator, on_event=on_event):
        out.check()
        _deliver(made, index[id(made.face)], pixels, request.output, out)
        out.check()


def _deliver(
    made: Portrait, index: int, pixels: Pixels, output: OutputOptions, out: Outlet
) -> None:
    rgba = made.image
    if made.matte is not None:
        rgba = np.dstack([made.image, made.matte])
    images = [to_image(rgba, "portrait"), to_image(made.small, "small")]
    if output.palette:
        out.progress("restoring", 0.0, face=index)
        restored = _restore(rgba, made.face.pixels, _palette(output, pixels), output)
        assert restored.palette is not None and restored.indices is not None
        images.append(to_indexed(restored.indices, restored.palette, "restored"))
    out.result(
        {
            "face": face_json(made.face),
            "face_index": index,
            "candidate": made.candidate,
            "seed": made.seed,
            "generator": made.generator,
            "version": made.version,
            "lr_psnr_db": made.lr_psnr_db,
            "downscale_operator": made.downscale_operator,
            "seconds": made.seconds,
            "traits": made.traits,
            "notes": made.notes,
            "latent": made.latent,
        },
        images,
    )


def _palette(output: OutputOptions, pixels: Pixels | None) -> Palette:
    """The colours to restore to: those given, else the picture's own, in their order."""
    if output.colors is not None:
        transparent = output.transparent
        if transparent is not None and transparent >= len(output.colors):
            raise PaletteError(
                f"transparent index {transparent} is beyond {len(output.colors)} colours"
            )
        return Palette(np.array(output.colors, np.uint8), transparent)
    if pixels is None:
        raise PaletteError("no palette to restore to", "choose one")
    from ..palette.restore import palette_of

    return palette_of(pixels)


def _restore(rgba: U8, sprite: Pixels | None, palette: Palette, output: OutputOptions) -> Pixels:
    """A picture (H, W, 3 or 4) as indices into exactly this palette."""
    from ..palette.alpha import bleed
    from ..palette.restore import restore as to_palette

    alpha = sprite.rgba[..., 3] if sprite is not None and output.keep_alpha else None
    opaque = palette.transparent is None  # no index could say "nothing here"
    restored = to_palette(
        bleed(rgba)[..., :3] if opaque else rgba,
        palette,
        width=output.width or rgba.shape[1],
        height=output.height or rgba.shape[0],
        alpha=None if opaque else alpha,
        dither=output.dither,
    )
    assert restored.pixels.indexed
    return restored.pixels


def restore(request: Request, images: Sequence[wire.Image], out: Outlet) -> None:
    """A picture in the colours of a palette, at the size asked for."""
    picture = _only_image(images)
    source = next((to_pixels(i) for i in images[1:] if i.name == "source"), None)
    palette = _palette(request.output, source)
    out.progress("restoring", 0.0)
    restored = _restore(picture.rgba, source, palette, request.output)
    assert restored.palette is not None and restored.indices is not None
    out.check()
    used = np.unique(restored.indices).tolist()
    images = [to_indexed(restored.indices, restored.palette, "restored")]
    out.result({"used": used}, [*images, to_image(restored.rgba, "preview")])


def echo(request: Request, images: Sequence[wire.Image], out: Outlet) -> None:
    """The image back, after `repeat` previews of it."""
    pixels = to_pixels(images[0])
    for i in range(request.repeat):
        out.check()
        out.progress("searching", i / request.repeat, preview=pixels.rgba[..., :3])
        out.wait(request.pause_seconds)
    out.check()
    out.result({}, [images[0]])


KINDS: dict[str, Callable[[Request, Sequence[wire.Image], Outlet], None]] = {
    "find": find,
    "portrait": portrait,
    "restore": restore,
    "echo": echo,
}
