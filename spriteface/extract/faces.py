"""The one call that the pipeline uses: faces of a frame, cropped and ready to be read.

A face's `crop` is a square around the head with a little room, in native px; it may reach over
the frame's border, where its pixels are transparent. `file = native * scale + phase` and
`native = crop origin + crop px` hold exactly, so a crop can always be put back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import ndimage as ndi

from ..options import ExtractOptions
from ..types import Bool, Box, Face, Frame, Pixels, Sprite
from .detect import Detector, Found, load_detector
from .groups import group_pictures
from .sheet import from_option
from .sidecar import Named, find_sidecar, read_sidecar
from .sprites import Scene, masked, take_apart
from .turning import laid_down, turned_crop, upright

ROOM = 1.12  # edge of the crop in head sizes
WHOLE = 1.5  # a picture of at most this many crops is the crop of its one head
BUST = 1.8  # the same, where shoulders as wide as BUST_WIDTH of it are cut off by its lower edge:
BUST_WIDTH = 0.6  # hair that hangs there is the head's, be it below what the detector calls so
BEHIND = 0.6  # of a colour's pixels: so many in a background of tiles make it the background's
HIDDEN = 0.3  # of a face: a background that is to cover more of it isn't one


def find(frame: Frame, options: ExtractOptions | None = None) -> list[Face]:
    """Faces of a frame in native resolution, best first; [] when there is none.

    `options.box` always wins: it is returned as the only face, with score 1.

    Raises:
        OptionError: there is no detector of the name that was asked for.
    """
    options = options or ExtractOptions()
    return find_in(open_scene(frame, options), options)


def open_scene(frame: Frame, options: ExtractOptions) -> Scene:
    """A frame taken apart: by the options' sheet, by a sidecar beside the file, or as found.

    Raises:
        ImageError: there is a sidecar and it is broken.
    """
    sheet = from_option(options.sheet) if options.sheet else None
    named: list[Named] = []
    path = frame.source.path
    if sheet is None and path is not None and (beside := find_sidecar(path)) is not None:
        size = frame.file_size or (frame.pixels.width, frame.pixels.height)
        named = read_sidecar(beside, *size)
    return take_apart(frame, key=options.key, merge=options.merge, sheet=sheet, named=named)


def find_in(scene: Scene, options: ExtractOptions) -> list[Face]:
    """The faces of a frame that was taken apart already; see `find`."""
    if options.box is not None:
        return [_face(scene, replace(_given(options.box, scene), tilt=options.tilt), "user")]
    if marked := marked_faces(scene.frame):
        faces = [
            replace(_face(scene, _given(box, scene), "slice"), name=name)
            for name, box in marked.items()
        ]
        return _grouped(faces[: options.limit] if options.limit else faces)
    detector = load_detector(options.detector)
    found = [f for f in _detected(scene, detector) if f.score >= options.min_score]
    if options.limit:
        found = found[: options.limit]
    leaning = [replace(f, tilt=f.tilt + options.tilt) for f in found]
    return _grouped([_face(scene, f, detector.name) for f in leaning])


def _detected(scene: Scene, detector: Detector) -> list[Found]:
    """What the detector sees, best first; sprites that lie turned are stood up for it."""
    found = list(detector.detect(scene))
    for number, sprite in enumerate(scene.sprites):
        if sprite.turned:
            found = [f for f in found if 2 * sprite.box.intersection(f.head) < f.head.area]
            found += _stood_up(scene.frame, sprite, number, detector)
    return sorted(found, key=lambda f: -f.score)


def _stood_up(frame: Frame, sprite: Sprite, number: int, detector: Detector) -> list[Found]:
    standing = Frame(upright(sprite), frame.source)
    return [
        replace(
            found,
            box=laid_down(found.box, sprite.box),
            head=laid_down(found.head, sprite.box),
            sprite=number,
            tilt=90.0,
        )
        for found in detector.detect(take_apart(standing))
    ]


def marked_faces(frame: Frame) -> dict[str, Box]:
    """Boxes in native px that the artist marked: slices of an .aseprite file named "face...".

    They count as given by the user, so nothing else is looked for.
    """
    slices = frame.source.info.get("slices", {})
    boxes = {name: Box(*box) for name, box in slices.items() if name.lower().startswith("face")}
    size = frame.pixels.width, frame.pixels.height
    native = {name: frame.to_native(box).clip(*size) for name, box in boxes.items()}
    return {name: box for name, box in native.items() if box.area}


def crop_around(head: Box, *, room: float = ROOM) -> Box:
    """The square around a head, a little larger than it, in native px."""
    edge = max(head.w, head.h)
    edge = max(edge, round(edge * room))
    x = head.x + (head.w - edge) // 2
    y = head.y + (head.h - edge) // 2
    return Box(x, y, edge, edge)


def _given(box: Box, scene: Scene) -> Found:
    """The user's face box: its head is guessed within the sprite that it lies on."""
    up, aside = round(0.6 * box.h), round(0.25 * box.w)
    around = Box(box.x - aside, box.y - up, box.w + 2 * aside, box.h + up)
    head = around.clip(scene.frame.pixels.width, scene.frame.pixels.height)
    if scene.background.kind != "none":
        head = _content_box(scene, head) or head
    return Found(box, _union(box, head), 1.0)


def _content_box(scene: Scene, box: Box) -> Box | None:
    content = ~scene.background.mask[box.slices()]
    rows, columns = np.flatnonzero(content.any(axis=1)), np.flatnonzero(content.any(axis=0))
    if not len(rows):
        return None
    x, y = box.x + int(columns[0]), box.y + int(rows[0])
    return Box(x, y, int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1)


def _union(a: Box, b: Box) -> Box:
    x, y = min(a.x, b.x), min(a.y, b.y)
    return Box(x, y, max(a.right, b.right) - x, max(a.bottom, b.bottom) - y)


def _face(scene: Scene, found: Found, detector: str) -> Face:
    crop = crop_around(found.head)
    small = scene.frame.pixels.width, scene.frame.pixels.height
    most = BUST if _is_bust(scene) else WHOLE
    if max(small) <= most * crop.w and abs(small[0] - small[1]) <= 0.1 * max(small):
        crop = Box(0, 0, max(small), max(small))  # a picture of one head is its own crop
    return Face(
        frame=scene.frame,
        box=found.box,
        head=found.head,
        crop=crop,
        pixels=_crop_pixels(scene, crop, found.tilt, face=found.box),
        score=found.score,
        view=found.view,
        side=found.side,
        kind=found.kind,
        detector=detector,
        name=_sprite_name(scene, found),
        tilt=found.tilt,
    )


def _is_bust(scene: Scene) -> bool:
    """Whether the picture's lower edge cuts off somebody's shoulders."""
    if scene.background.kind == "none":
        return False
    return bool((~scene.background.mask[-1]).mean() >= BUST_WIDTH)


def _sees(scene: Scene, face: Box) -> bool:
    """Whether the background, as far as it was told apart, leaves the face: one that is part of a
    repeated tile passes for background, and a crop without it would be empty."""
    if scene.background.kind == "none":
        return False
    inner = face.clip(scene.frame.pixels.width, scene.frame.pixels.height)
    covered = scene.background.mask[inner.slices()]
    return bool(covered.size and covered.mean() <= HIDDEN)


def _sprite_name(scene: Scene, found: Found) -> str:
    """The name of the sprite that a face lies on, as a sidecar or a sheet gives it."""
    if found.sprite >= 0:
        return scene.sprites[found.sprite].name
    overlaps = [s.box.intersection(found.head) for s in scene.sprites]
    best = int(np.argmax(overlaps)) if overlaps else -1
    return scene.sprites[best].name if best >= 0 and overlaps[best] else ""


def _crop_pixels(scene: Scene, crop: Box, tilt: float, *, face: Box) -> Pixels:
    """The frame inside the crop, its background at alpha 0 where that could be told apart; the
    head upright."""
    if tilt:
        return turned_crop(lambda box: _crop_pixels(scene, box, 0.0, face=face), crop, tilt)
    pixels = scene.frame.pixels
    if not _sees(scene, face):
        return pixels.crop(crop)
    inner = crop.clip(pixels.width, pixels.height)
    content = np.zeros((crop.h, crop.w), bool)
    shown = ~scene.background.mask[inner.slices()]
    if scene.background.kind == "tiles":
        shown &= ~_rest_of_background(scene, inner, face)
    content[inner.shift(-crop.x, -crop.y).slices()] = shown
    return masked(pixels.crop(crop), content)


def _rest_of_background(scene: Scene, box: Box, face: Box) -> Bool:
    """(h, w): what a background of tiles left where a head stands before it: in the colours that
    are nearly all background round about, none of them the face's, and joined to the rest of it."""
    frame = scene.frame.pixels
    around = Box(box.x - box.w, box.y - box.h, 3 * box.w, 3 * box.h).clip(frame.width, frame.height)
    packed = frame.rgba[around.slices()].astype(np.int64) @ np.array([65536, 256, 1, 0])
    behind = scene.background.mask[around.slices()]
    colors, code = np.unique(packed, return_inverse=True)
    code = code.reshape(packed.shape)
    every, hidden = (np.bincount(c.ravel(), minlength=len(colors)) for c in (code, code[behind]))
    aside, up = round(0.2 * face.w), round(0.2 * face.h)  # beside a chin, its box shows scenery
    inner = Box(face.x + aside, face.y + up, face.w - 2 * aside, face.h - 2 * up)
    inner = inner.clip(frame.width, frame.height).shift(-around.x, -around.y)
    painted = np.bincount(code[inner.slices()].ravel(), minlength=len(colors)) > 0
    like = behind | ((hidden >= BEHIND * every) & ~painted)[code]
    parts, _ = ndi.label(like)
    joined = np.isin(parts, np.unique(parts[behind])) & like
    left: Bool = joined[box.shift(-around.x, -around.y).slices()]
    return left


def _grouped(faces: Sequence[Face]) -> list[Face]:
    """Faces that are copies, mirrors or palette swaps of one another get one group number."""
    groups = group_pictures([face.pixels.rgba for face in faces])
    return [replace(face, group=group) for face, group in zip(faces, groups)]
