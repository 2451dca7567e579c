"""A saved portrait back as a value, so that it can be restored or put into its frame later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..errors import ImageError, InputError, OptionError
from ..files import read_image
from ..files.boundary import reading
from ..options import ExtractOptions
from ..types import Box, Face, Frame, Pixels, Portrait, View


def load_portrait(path: str | Path, *, sprite: str | Path | None = None) -> Portrait:
    """Read a portrait that `save_portrait` wrote, together with the sprite it came from.

    What it depends on is read from the picture, or from NAME.json beside it when another
    program dropped it. `sprite` overrules where the source lies now.

    Raises:
        ImageError: a file can't be read.
        InputError: it isn't a portrait made here, or its source is gone.
    """
    path = Path(path)
    pixels, _ = read_image(path)
    data = parameters(path)
    frame = _open_source(path, data, sprite)
    crop, box = _box(data["crop_box_native"]), _box(data["box_native"])
    about = data.get("face", {})
    small_w, small_h = data.get("sprite_size", [crop.w, crop.h])
    tilt = float(about.get("tilt", 0.0))
    face = Face(
        frame, box, box, crop, _cut_from_background(frame, box, crop, tilt), float(about.get("score", 1.0)),
        View(about.get("view", "front")), about.get("side", ""), about.get("kind", "human"),
        about.get("detector", ""), about.get("name", ""), tilt=tilt,
    )  # fmt: skip
    alpha = pixels.rgba[..., 3]
    small = Image.fromarray(pixels.rgba[..., :3]).resize((small_w, small_h), Image.Resampling.BOX)
    return Portrait(
        np.ascontiguousarray(pixels.rgba[..., :3]),
        np.array(small, np.uint8),
        face,
        int(data.get("seed", 0)),
        str(data.get("generator", "")),
        str(data.get("version", "")),
        data.get("latent", {}),
        float(data.get("lr_psnr_db") or 0.0),
        str(data.get("downscale_operator", "area")),
        float(data.get("seconds", 0.0)),
        matte=alpha if (alpha < 255).any() else None,
        traits=data.get("traits", {}),
        candidate=int(data.get("candidate", 0)),
        renderer=str(data.get("renderer", "")),
    )


def load_identity(path: str | Path) -> dict[str, Any]:
    """The person that a portrait's sidecar describes, for `PortraitOptions.identity`.

    Raises:
        OptionError: it can't be read, or isn't a sidecar.
    """
    from ..pulse.colors import sprite_colors

    try:
        about = json.loads(Path(path).read_text("utf-8"))
        return {**about["latent"], "colors": sprite_colors(about.get("traits", {}))}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OptionError(
            f"option identity: {path} can't be read: {error}",
            "expected the NAME.json beside a portrait",
        ) from error


def _cut_from_background(frame: Frame, box: Box, crop: Box, tilt: float) -> Pixels:
    """The face's square, upright, with the sprite's background at alpha 0, as the portrait saw
    it."""
    from ..extract.turning import turned_crop
    from ..pipeline import find_faces

    for face in find_faces(frame, box=box, tilt=tilt):
        if face.crop == crop:
            return face.pixels
    return turned_crop(frame.pixels.crop, crop, tilt)


def parameters(path: Path) -> Mapping[str, Any]:
    """The JSON in the picture, or in the sidecar.

    Raises:
        InputError: neither has it.
    """
    with reading(path), Image.open(path) as image:
        image.load()
        text = getattr(image, "text", {}).get("parameters", "")
    if not text and path.with_suffix(".json").is_file():
        text = path.with_suffix(".json").read_text("utf-8")
    try:
        data = json.loads(text)
    except ValueError:
        data = {}
    if not isinstance(data, dict) or not {"crop_box_native", "box_native"} <= set(data):
        raise InputError(
            f"{path} doesn't say which sprite it came from",
            "use a portrait written by spriteface, or keep its .json beside it",
        )
    return data


def _open_source(path: Path, data: Mapping[str, Any], sprite: str | Path | None) -> Frame:
    from ..pipeline import open_frame

    named = Path(sprite) if sprite is not None else Path(str(data.get("source", "")))
    beside = path.parent / named.name
    source = named if sprite is not None or named.is_file() else beside
    scale, phase = data.get("scale", [1.0, 1.0]), data.get("phase", [0.0, 0.0])
    options = ExtractOptions(
        frame=int(data.get("frame", 0)), scale=(scale[0], scale[1]), phase=(phase[0], phase[1])
    )
    try:
        return open_frame(source, options)
    except ImageError as error:
        raise InputError(
            f"the sprite of {path} can't be read: {error.message}", "say where it is with --sprite"
        ) from error


def _box(values: Any) -> Box:
    return Box(*(int(v) for v in values))
