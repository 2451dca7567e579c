"""`spriteface imagine`: render people from the prior, or from named values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import OptionError, SinkError
from ._interrupt import prompt_interrupts

if TYPE_CHECKING:
    from PIL import Image

    from ..pulse.head.person import Person


def _settings(values: tuple[str, ...]) -> list[tuple[str, str]]:
    pairs = []
    for text in values:
        name, equals, value = text.partition("=")
        if not equals:
            raise OptionError(f"--set {text}: no value", "write NAME=VALUE, e.g. hair.style=afro")
        pairs.append((name.strip(), value.strip()))
    return pairs


@click.command()
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder to write to."
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))
@click.option("--count", default=1, show_default=True, type=click.IntRange(1, 1000))
@click.option("--size", default=1024, show_default=True, type=click.IntRange(64, 2048))
@click.option(
    "--set", "values", multiple=True, metavar="NAME=VALUE",
    help="Fix a parameter, e.g. hair.style=afro, skin.melanin=2, hair.color=#a03020, wear=crown.",
)  # fmt: skip
@click.option(
    "--quality", type=click.Choice(["standard", "studio"]), default="standard", show_default=True,
    help="studio: path traced, minutes each, needs the extra.",
)  # fmt: skip
@click.option("--turntable", is_flag=True, help="Write a turning GIF of each person too.")
@click.option("--list", "show", is_flag=True, help="List the parameters and stop.")
def imagine(
    out: Path | None,
    seed: int,
    count: int,
    size: int,
    values: tuple[str, ...],
    quality: str,
    turntable: bool,
    show: bool,
) -> None:
    """Render people drawn from the head's prior, or with values that you name."""
    from ..pulse.head import is_warm, warm
    from ..pulse.head.prior import draw as draw_latents
    from ..pulse.head.prior import people_from_latents

    if show:
        for line in _parameter_lines():
            click.echo(line)
        return
    if out is None:
        raise click.UsageError("Missing option '-o' / '--out': the folder to write to.")
    settings = _settings(values)
    people = [_apply(p, settings) for p in people_from_latents(draw_latents(count, seed))]
    if quality == "studio":
        from ..pulse.head.studio import renderer

        click.echo(f"rendering with {renderer()}", err=True)
    if not is_warm():
        click.echo("preparing the renderer (once, about half a minute)...", err=True)
        warm()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(
            f"{out}: {error.strerror or error}", "choose another folder with -o"
        ) from error
    from tqdm import tqdm

    with prompt_interrupts(lambda: None):
        for n, person in enumerate(tqdm(people, unit="person", disable=count == 1)):
            _write(person, out / f"person-{seed}-{n:03d}", size, quality, turntable)
    click.echo(f"{count} imagined in {out}")


def _apply(person: Person, settings: list[tuple[str, str]]) -> Person:
    from dataclasses import replace

    from ..pulse.head.person import Wear
    from ..pulse.head.wear import item_of

    for name, value in settings:
        if name == "wear":
            worn = tuple(Wear(kind) for kind in value.split(",") if kind)
            for w in worn:
                item_of(w)
            person = replace(person, wear=worn)
        else:
            person = person.with_value(name, value)
    return person


def _write(person: Person, stem: Path, size: int, quality: str, turntable: bool) -> None:
    import numpy as np
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    from ..files.animation import write_animation
    from ..pulse.head.render import render

    def as_image(p: Person, edge: int) -> Image.Image:
        return Image.fromarray((render(p, edge).image * 255 + 0.5).astype("uint8"))

    about = PngInfo()
    try:
        if quality == "studio":
            picture, name = _traced(person, size)
        else:
            picture, name = as_image(person, size), "head"
        about.add_text("renderer", name)
        picture.save(stem.with_suffix(".png"), pnginfo=about)
        stem.with_suffix(".json").write_text(json.dumps(person.to_json(), indent=1) + "\n")
        if turntable:
            frames = [np.asarray(as_image(p, min(size, 384))) for p in turned(person)]
            write_animation(stem.with_suffix(".gif"), frames, duration_ms=90)
    except OSError as error:
        raise SinkError(
            f"{stem}: {error.strerror or error}", "free space or choose another folder"
        ) from error


def _traced(person: Person, size: int) -> tuple[Image.Image, str]:
    """The studio portrait with a bar of its own, and what traced it."""
    from PIL import Image
    from tqdm import tqdm

    from ..pulse.head.studio import renderer, trace

    with tqdm(unit="pass", leave=False) as bar:

        def told(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        image = trace(person, size, on_pass=told).image
    return Image.fromarray((image * 255 + 0.5).astype("uint8")), renderer()


def turned(person: Person, steps: int = 24, reach: float = 1.1) -> list[Person]:
    """The person looking from one side to the other and back, `reach` rad to each."""
    import math
    from dataclasses import replace

    angles = [reach * math.sin(2 * math.pi * k / steps) for k in range(steps)]
    return [replace(person, pose=replace(person.pose, yaw=a, gaze_x=-0.3 * a)) for a in angles]


def _parameter_lines() -> list[str]:
    import dataclasses

    from ..pulse.head.person import Person
    from ..pulse.head.wear import ITEMS

    lines = []
    for part in dataclasses.fields(Person):
        value: Any = getattr(Person(), part.name)
        if not dataclasses.is_dataclass(value):
            continue
        for f in dataclasses.fields(value):
            if "range" in f.metadata:
                low, high = f.metadata["range"]
                lines.append(f"{part.name}.{f.name} = {low:g}..{high:g}  {f.metadata['about']}")
            elif "choices" in f.metadata:
                lines.append(f"{part.name}.{f.name} = {' '.join(f.metadata['choices'])}")
    lines.append(f"wear = {' '.join(ITEMS)} (comma separated)")
    return lines
