"""Portraits in place of the faces: in the whole frame or sheet, enlarged.

The frame is enlarged by a whole factor; the portrait takes the face's square in it. Which part
of the square it takes is a matte: the generator's own where the portrait has one (the sprite's
head is first taken out, so nothing of it sticks out behind), else the sprite's outline. At the
sides of the square the portrait fades out over less than a native pixel, so shoulders meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from ..errors import OptionError
from ..extract.turning import shown, standing
from ..palette.alpha import bleed, cut_out, find_key_color, outline_matte
from ..palette.color import linear_from_u8, srgb_from_linear, u8_from_srgb
from ..types import F32, RGB, U8, Bool, Box, Face, Portrait
from .enlarge import enlarge


def composite(
    portraits: Sequence[Portrait], factor: int, *, surround: str = "nearest", feather: float = 0.6
) -> U8:
    """All portraits of one frame in it, enlarged by `factor`: (H * factor, W * factor, 4).

    Args:
        portraits: of the same frame; one for each face that is to be replaced.
        surround: how the rest is enlarged; see `enlarge`.
        feather: width of the fade at the square's sides, in native px.

    Raises:
        OptionError: no portraits, or of different frames.
    """
    if not portraits:
        raise OptionError("there is no portrait to put into a frame")
    frame = portraits[0].face.frame
    if any(p.face.frame.pixels.rgba.shape != frame.pixels.rgba.shape for p in portraits):
        raise OptionError("the portraits come from different frames", "write them one by one")
    ground = frame.pixels.rgba
    for portrait in portraits:
        if portrait.matte is not None:
            ground = without_head(ground, portrait.face)
    key = find_key_color(frame.pixels)
    hard = key.color if key is not None and key.classic else None
    canvas = _enlarged(ground, factor, surround, hard)
    for portrait in portraits:
        place(canvas, portrait, (float(factor), float(factor)), feather=feather, key=hard)
    return canvas


def _enlarged(rgba: U8, factor: int, surround: str, key: RGB | None) -> U8:
    """`enlarge`, with a key colour kept out of every mix."""
    if key is None or surround != "xbr":
        return enlarge(rgba, factor, how=surround)
    clear = rgba.copy()
    clear[(rgba[..., :3] == np.array(key, np.uint8)).all(axis=2)] = 0
    canvas = enlarge(clear, factor, how=surround)
    visible = canvas[..., 3:] >= 128
    canvas[..., 3] = 255
    return np.where(visible, canvas, np.array([*key, 255], np.uint8))


def without_head(rgba: U8, face: Face) -> U8:
    """The frame (H, W, 4) with the face's sprite taken out of its square.

    A transparent frame gets transparent there; in a scene the nearest background fills in.
    """
    height, width = rgba.shape[:2]
    inner = face.crop.clip(width, height)
    at = inner.shift(-face.crop.x, -face.crop.y)
    figure = np.zeros((height, width), bool)
    figure[inner.slices()] = shown(face)[at.slices()]
    removed = figure.copy()
    if joins_body(face):
        removed[max(0, face.box.bottom) :] = False
    result = rgba.copy()
    if figure[inner.slices()].all() or not figure.any():
        return result  # nothing is known about what lies behind
    if (rgba[..., 3] == 0).any():
        result[removed] = 0
        return result
    hole = result.copy()
    hole[figure, 3] = 0  # nor may the shoulders, which stay, colour the gap
    result[removed, :3] = bleed(hole)[removed, :3]
    return result


def place(
    canvas: U8, portrait: Portrait, scale: tuple[float, float],
    phase: tuple[float, float] = (0.0, 0.0), *, feather: float = 0.6, key: RGB | None = None,
) -> None:  # fmt: skip
    """Draw a portrait into `canvas` (H, W, 4), where `canvas px = native * scale + phase`.

    Over a key colour the edge is hard, or the game would show a fringe of it.
    """
    crop = portrait.face.crop
    x0, y0 = round(crop.x * scale[0] + phase[0]), round(crop.y * scale[1] + phase[1])
    x1, y1 = round(crop.right * scale[0] + phase[0]), round(crop.bottom * scale[1] + phase[1])
    box = Box(x0, y0, max(1, x1 - x0), max(1, y1 - y0))
    layer = portrait_layer(portrait, box.w, box.h, feather=feather)
    inner = box.clip(canvas.shape[1], canvas.shape[0])
    if not inner.area:
        return
    part = layer[inner.shift(-box.x, -box.y).slices()]
    if key is not None:
        on_key = (canvas[inner.slices()][..., :3] == np.array(key, np.uint8)).all(axis=2)
        clean = np.where(part[..., 3] >= 128, 255, 0).astype(np.uint8)
        part = part.copy()
        part[..., 3] = np.where(on_key, clean, part[..., 3])
    canvas[inner.slices()] = over(canvas[inner.slices()], part)


def _leaning(layer: U8, degrees: float) -> U8:
    """A layer (H, W, 4) turned clockwise about its middle; exact by quarters."""
    if degrees % 90 == 0 and layer.shape[0] == layer.shape[1]:
        return np.ascontiguousarray(np.rot90(layer, -round(degrees / 90)))
    soft = Image.fromarray(layer).convert("RGBa")  # weighted by alpha, or edges would darken
    return np.array(soft.rotate(-degrees, Image.Resampling.BICUBIC).convert("RGBA"))


def portrait_layer(portrait: Portrait, width: int, height: int, *, feather: float = 0.6) -> U8:
    """The portrait at the size of its square, cut out: (height, width, 4) straight RGBA."""
    face = portrait.face
    if face.tilt:  # a head that leans in its frame gets a portrait that leans as much
        straight = replace(portrait, face=standing(face))
        layer = portrait_layer(straight, width, height, feather=feather)
        return _leaning(layer, face.tilt)
    if portrait.matte is not None:
        rgba = cut_out(portrait.image, portrait.matte)
        matte = _resized(portrait.matte, width, height)
        image = _resized(rgba[..., :3], width, height)
    else:
        image = _resized(portrait.image, width, height)
        matte = _sprite_matte(face, width, height)
    fade = _fade(face, width, height, feather)
    if joins_body(face):
        fade = fade * _into_body(face, width, height)
    alpha = np.rint(matte.astype(np.float32) * fade).astype(np.uint8)
    return np.dstack([image, alpha])


def joins_body(face: Face) -> bool:
    """Whether the figure goes on below the face's square: then it keeps its shoulders."""
    alpha = face.pixels.rgba[..., 3]
    below_chin = face.box.bottom - face.crop.y
    return bool(
        face.crop.bottom < face.frame.pixels.height
        and 0 < below_chin < face.crop.h
        and (alpha[-1] > 0).any()
        and (alpha == 0).any()
    )


def _into_body(face: Face, width: int, height: int) -> F32:
    """Below the chin the portrait stays within the sprite's outline and fades into it."""
    chin = (face.box.bottom - face.crop.y) / face.crop.h * height
    outline = outline_matte(face.pixels.rgba[..., 3], width, height).astype(np.float32) / 255.0
    t = np.clip((np.arange(height) + 0.5 - chin) / max(1.0, height - chin), 0.0, 1.0)[:, None]
    bound = np.clip(t * 4.0, 0.0, 1.0)  # the outline takes over within a quarter of the way
    body: F32 = ((1.0 - bound) + bound * outline) * (1.0 - t * t * (3.0 - 2.0 * t))
    return body.astype(np.float32)


def _resized(image: U8, width: int, height: int) -> U8:
    """Area or Lanczos in linear light for colours, plain for mattes."""
    if image.shape[:2] == (height, width):
        return image
    how = Image.Resampling.LANCZOS
    if image.ndim == 2:
        return np.array(Image.fromarray(image).resize((width, height), how), np.uint8)
    light = linear_from_u8(image)
    planes = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(light[..., c])).resize((width, height), how)
        )
        for c in range(3)
    ]
    return u8_from_srgb(srgb_from_linear(np.clip(np.stack(planes, axis=2), 0.0, 1.0)))


def _sprite_matte(face: Face, width: int, height: int) -> U8:
    """The sprite's outline, or a soft oval around the head where there is no outline."""
    alpha = face.pixels.rgba[..., 3]
    if (alpha < 128).any():
        return outline_matte(alpha, width, height)
    head = face.head.shift(-face.crop.x, -face.crop.y)
    sx, sy = width / face.crop.w, height / face.crop.h
    cx, cy = (head.x + head.w / 2) * sx, (head.y + head.h / 2) * sy
    rx, ry = max(1.0, head.w / 2 * sx), max(1.0, head.h / 2 * sy)
    y, x = np.mgrid[0:height, 0:width] + 0.5
    distance = np.hypot((x - cx) / rx, (y - cy) / ry)
    oval: U8 = np.rint(255.0 * np.clip((1.15 - distance) / 0.2, 0.0, 1.0)).astype(np.uint8)
    return oval


def _fade(face: Face, width: int, height: int, feather: float) -> F32:
    """1 inside, falling to 0 at those sides of the square that lie inside the frame."""
    frame = face.frame.pixels
    crop = face.crop
    sides: list[tuple[bool, F32]] = [
        (crop.x > 0, _ramp(width, crop.w, feather)),
        (crop.right < frame.width, _ramp(width, crop.w, feather)[::-1]),
        (crop.y > 0, _ramp(height, crop.h, feather)),
        (crop.bottom < frame.height, _ramp(height, crop.h, feather)[::-1]),
    ]
    across = np.ones(width, np.float32)
    down = np.ones(height, np.float32)
    for i, (inside, ramp) in enumerate(sides):
        if inside and i < 2:
            across *= ramp
        elif inside:
            down *= ramp
    fade: F32 = down[:, None] * across[None]
    return fade


def _ramp(length: int, native: int, feather: float) -> F32:
    """A smooth rise from 0 to 1 over `feather` native px at the start of `length` px."""
    span = max(1.0, feather * length / native)
    t = np.clip((np.arange(length) + 0.5) / span, 0.0, 1.0)
    rise: F32 = (t * t * (3.0 - 2.0 * t)).astype(np.float32)
    return rise


def over(ground: U8, layer: U8) -> U8:
    """Straight RGBA over straight RGBA, in floating point, colours mixed in linear light."""
    a = layer[..., 3:].astype(np.float32) / 255.0
    b = ground[..., 3:].astype(np.float32) / 255.0 * (1.0 - a)
    alpha = a + b
    light = (linear_from_u8(layer[..., :3]) * a + linear_from_u8(ground[..., :3]) * b) / np.maximum(
        alpha, 1e-6
    )
    mixed = np.concatenate([u8_from_srgb(srgb_from_linear(light)), u8_from_srgb(alpha)], axis=2)
    untouched: Bool = layer[..., 3] == 0
    return np.where(untouched[..., None], ground, mixed)
