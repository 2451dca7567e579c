"""`spriteface extract`: every face of frames, sheets, screenshots and cartridges, as files."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from ..errors import ImageError, InputError, NoFaceError, OptionError, SpritefaceError
from ..options import ExtractOptions, parse_box
from ._interrupt import prompt_interrupts
from ._options import extract_options
from ._report import say_error, unused_name

if TYPE_CHECKING:
    from ..batch.walk import Item
    from ..extract.sprites import Scene
    from ..types import U8, Face, Frame, Pixels

ENLARGED_EDGE = 256  # px: crops are enlarged by the largest whole factor that stays within
LABEL_COLORS = (  # by types.Label, from background to clothing
    "2b2f38", "000000", "ffcc99", "96591e", "5d3a8e", "f4f4f4", "2a5cff", "e0a070", "ff3aa0",
    "ffffff", "6ecc3a", "dc2828", "ff7878", "ffee3a", "787880", "50505c", "ffb070", "3aa8a8",
)  # fmt: skip
BLOCKS = {"8x8": (1, 1), "8x16": (1, 2), "16x16": (2, 2)}


@click.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("faces"), show_default=True, help="Folder for the results; made if absent.")  # fmt: skip
@click.option("--face", "face", metavar="x,y,w,h", help="A face that you know, in the file's pixels.")  # fmt: skip
@click.option("--all-sprites", is_flag=True, help="Write every sprite, not only faces.")
@click.option("--all-frames", is_flag=True, help="Every frame of an animation.")
@click.option("--tile-format", metavar="NAME", help="How a raw tile file is packed, e.g. gb, snes.")  # fmt: skip
@click.option("--tiles", default="8x8", show_default=True, type=click.Choice(list(BLOCKS)), help="Tiles that belong together in ROM graphics.")  # fmt: skip
@click.option("--palette", type=click.Path(path_type=Path), help="Palette file for ROM graphics.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifests instead of a summary.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
@extract_options
def extract(
    images: tuple[Path, ...],
    output: Path,
    face: str | None,
    all_sprites: bool,
    all_frames: bool,
    tile_format: str | None,
    tiles: str,
    palette: Path | None,
    as_json: bool,
    quiet: bool,
    extract: ExtractOptions,
) -> int:
    """Find the faces in IMAGES: frames, sheets, screenshots, ROMs (.nes, .gb, .sfc, .gba, .md),
    and folders or zip archives of pictures.

    For each image: NAME.face-N.png (native pixels), NAME.face-N.x8.png (enlarged),
    NAME.face-N.labels.png (what each pixel shows), NAME.faces.png (an overview) and NAME.json
    (boxes, palette, scale; described in docs/extract.md).
    """
    from tqdm import tqdm

    from ..batch.walk import on_disc
    from ..files.atomic import make_folder, remove_temporary_files

    if face:
        extract = dataclasses.replace(extract, box=parse_box(face))
    block = BLOCKS[tiles]
    manifests: list[dict[str, Any]] = []
    failures: list[SpritefaceError] = []
    names: set[str] = set()
    with prompt_interrupts(remove_temporary_files):
        make_folder(output)
        for item in tqdm(
            _items(images, output, failures), disable=None if not quiet else True, leave=False
        ):
            try:
                with on_disc(item) as path:
                    for frame in _frames(path, extract, all_frames, tile_format, block, palette):
                        name = unused_name(_stem(frame, all_frames), names)
                        manifests.append(_one(frame, name, output, extract, all_sprites))
            except SpritefaceError as error:
                failures.append(error)
                say_error(error)
    if as_json:
        click.echo(json.dumps(manifests, indent=1))
    else:
        for m in manifests:
            scale = "x".join(f"{s:g}" for s in m["grid"]["scale"])
            other = "" if m["grid"]["pixel_art"] else ", not pixel art: taken as it is"
            click.echo(f"{m['image']['file']}: {len(m['faces'])} faces, scale {scale}, background {m['background']['kind']}{other}")  # fmt: skip
        click.echo(f"{sum(len(m['faces']) for m in manifests)} faces in {output}/")
    if failures:
        return failures[0].exit_code
    if manifests and not any(m["faces"] for m in manifests) and not all_sprites:
        raise NoFaceError(
            f"no face in {', '.join(str(p) for p in images[:3])}{' ...' if len(images) > 3 else ''}",
            "lower --min-score, give --scale if the grid is wrong, or mark one with --face x,y,w,h",
        )
    return 0


def _items(images: tuple[Path, ...], output: Path, failures: list[SpritefaceError]) -> list[Item]:
    """What was named, folders and zip archives opened; what can't be is told and kept."""
    from ..batch.walk import Item, walk

    items: list[Item] = []
    for path in images:
        if not path.is_dir() and path.suffix.lower() != ".zip":
            items.append(Item(path))
            continue
        try:
            found, problems = walk([path], exclude=[output])
        except SpritefaceError as error:
            found, problems = [], []
            failures.append(error)
        items += found
        failures += [ImageError(f"{p.path.name}: {p.reason}") for p in problems]
        if not found and not problems:
            failures.append(InputError(f"no pictures in {path}", "PNG, GIF, BMP, JPEG, WebP, .aseprite"))  # fmt: skip
    for failure in failures:
        say_error(failure)
    return items


def _frames(
    path: Path,
    options: ExtractOptions,
    every: bool,
    form: str | None,
    block: tuple[int, int],
    palette: Path | None,
) -> Iterator[Frame]:
    from ..extract.tiles import is_tile_file, pages, read_cartridge
    from ..files import frame_count, read_palette
    from ..pipeline import open_frame

    if form or is_tile_file(path):
        cartridge = read_cartridge(path, form=form)
        colors = read_palette(palette) if palette else None
        yield from pages(cartridge, path, palette=colors, block=block)
        return
    if palette is not None:
        raise OptionError(f"option palette: {path.name} has colours of its own", "only for ROMs")
    numbers = range(frame_count(path)) if every else [options.frame]
    for number in numbers:
        yield open_frame(path, dataclasses.replace(options, frame=number))


def _stem(frame: Frame, every: bool) -> str:
    stem = frame.source.path.stem if frame.source.path else "image"
    several = frame.source.frames > 1 and (every or frame.source.frame)
    return f"{stem}.frame-{frame.source.frame}" if several else stem


def _one(
    frame: Frame, name: str, output: Path, options: ExtractOptions, all_sprites: bool
) -> dict[str, Any]:
    """Write everything of one frame; its manifest."""
    from ..extract.faces import find_in, open_scene
    from ..extract.manifest import manifest
    from ..extract.turning import upright
    from ..files import write_bytes, write_png

    native = dataclasses.replace(options, box=frame.to_native(options.box) if options.box else None)
    scene = open_scene(frame, native)
    faces = find_in(scene, native)
    files = {i: _write_face(face, f"{name}.face-{i + 1}", output) for i, face in enumerate(faces)}
    if all_sprites:
        for i, sprite in enumerate(scene.sprites):
            write_png(output / f"{name}.sprite-{i + 1}.png", upright(sprite))
    write_png(output / f"{name}.faces.png", overview(scene, faces))
    found = manifest(scene, faces, files=files)
    write_bytes(output / f"{name}.json", json.dumps(found, indent=1).encode())
    return found


def _write_face(face: Face, name: str, output: Path) -> dict[str, str]:
    from ..extract.reading import read
    from ..files import write_png

    rgba = face.pixels.rgba
    k = max(1, ENLARGED_EDGE // max(rgba.shape[:2]))
    parts: dict[str, tuple[str, Pixels | U8]] = {
        "crop": (f"{name}.png", face.pixels),
        "enlarged": (f"{name}.x{k}.png", np.repeat(np.repeat(rgba, k, 0), k, 1)),
        "labels": (f"{name}.labels.png", label_picture(read(rgba).labels)),
    }
    for file_name, picture in parts.values():
        write_png(output / file_name, picture)
    return {kind: file_name for kind, (file_name, _) in parts.items()}


def label_picture(labels: U8) -> Pixels:
    """A label map (H, W) as an indexed picture: the index is the label, the colour is ours."""
    from ..types import Palette, Pixels

    colors = np.array([(*bytes.fromhex(c), 255) for c in LABEL_COLORS], np.uint8)
    colors[0, 3] = 0
    palette = Palette(colors, transparent=0)
    return Pixels(colors[labels], labels, palette)


def overview(scene: Scene, faces: list[Face]) -> U8:
    """The frame enlarged with numbered boxes: faces bright, heads dim; (H, W, 3) uint8."""
    from PIL import Image, ImageDraw

    rgba = scene.frame.pixels.rgba
    k = max(1, min(8, 1600 // max(rgba.shape[:2])))
    canvas = Image.new("RGBA", (rgba.shape[1] * k, rgba.shape[0] * k), (58, 58, 66, 255))
    canvas.alpha_composite(Image.fromarray(rgba).resize(canvas.size, Image.Resampling.NEAREST))
    draw = ImageDraw.Draw(canvas)
    for i, face in enumerate(faces):
        for box, color in ((face.head, (255, 160, 0, 255)), (face.box, (0, 255, 120, 255))):
            draw.rectangle((box.x * k, box.y * k, box.right * k - 1, box.bottom * k - 1), outline=color, width=max(1, k // 3))  # fmt: skip
        draw.text((face.head.x * k + 2, max(0, face.head.y * k - 11)), f"{i + 1}  {face.score:.2f}", fill=(255, 255, 255, 255), stroke_width=1, stroke_fill=(0, 0, 0, 255))  # fmt: skip
    return np.asarray(canvas.convert("RGB"))
