"""Options that several commands share, collected into the records of `spriteface.options`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from ..options import (
    ExtractOptions,
    PortraitOptions,
    parse_color,
    parse_pair,
    parse_sheet,
)

Function = Callable[..., Any]


def extract_options(command: Function) -> Function:
    """Adds the options of `ExtractOptions`; the command gets them as `extract`."""

    @click.option("--scale", "ex_scale", metavar="N|X,Y", help="Pixel size of the image, if detection errs.")  # fmt: skip
    @click.option("--phase", "ex_phase", metavar="N|X,Y", help="Offset of the pixel grid in file pixels.")  # fmt: skip
    @click.option("--sheet", "ex_sheet", metavar="WxH[+MARGIN[+SPACING]]", help="Cells of a sprite sheet.")  # fmt: skip
    @click.option("--key", "ex_key", metavar="RRGGBB", help="Key colour that means transparent.")
    @click.option("--merge", "ex_merge", type=int, default=ExtractOptions.merge, show_default=True, metavar="PX", help="Gap that still joins pieces of a sprite.")  # fmt: skip
    @click.option("--tilt", "ex_tilt", type=float, default=0.0, metavar="DEGREES", help="Heads lean by this clockwise; they are stood up.")  # fmt: skip
    @click.option("--min-score", "ex_min_score", type=float, default=ExtractOptions.min_score, show_default=True, help="Faces below this are not taken.")  # fmt: skip
    @click.option("--frame", "ex_frame", type=int, default=0, show_default=True, help="Frame of an animation, from 0.")  # fmt: skip
    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        raw = {k[3:]: kwargs.pop(k) for k in list(kwargs) if k.startswith("ex_")}
        extract = ExtractOptions(
            frame=raw["frame"],
            scale=parse_pair(raw["scale"], "scale") if raw["scale"] else None,
            phase=parse_pair(raw["phase"], "phase") if raw["phase"] else None,
            sheet=parse_sheet(raw["sheet"]) if raw["sheet"] else None,
            key=parse_color(raw["key"]) if raw["key"] else None,
            merge=raw["merge"],
            tilt=raw["tilt"],
            min_score=raw["min_score"],
        )
        return command(*args, extract=extract, **kwargs)

    return wrapper


def portrait_options(command: Function) -> Function:
    """Adds the options of `PortraitOptions`; the command gets them as `portrait`."""

    @click.option("--size", "po_size", type=int, default=PortraitOptions.size, show_default=True, help="Edge of the portrait in pixels.")  # fmt: skip
    @click.option("--seed", "po_seed", type=int, default=0, show_default=True, help="The same seed gives the same picture.")  # fmt: skip
    @click.option("--candidates", "po_candidates", type=int, default=1, show_default=True, help="Different people per face.")  # fmt: skip
    @click.option("--generator", "po_generator", default="head", show_default=True, help="See `spriteface models list`.")  # fmt: skip
    @click.option("--faithful", "po_faithful", type=float, default=0.0, show_default=True, help="0: a natural person; 1: downscaled, it equals the sprite.")  # fmt: skip
    @click.option("--recipe", "po_recipe", default="default", show_default=True, help="Search recipe: default, or pulse as published.")  # fmt: skip
    @click.option("--steps", "po_steps", type=int, default=0, help="Search steps; 0 is the recipe's own number.")  # fmt: skip
    @click.option("--set", "po_set", multiple=True, metavar="TRAIT=VALUE", help="Overrule a trait, e.g. hair=blond, age=70.")  # fmt: skip
    @click.option("--lock", "po_lock", multiple=True, metavar="TRAIT", help="Keep a trait exactly as read.")  # fmt: skip
    @click.option("--identity", "po_identity", metavar="NAME.json", help="Show the person of an earlier portrait.")  # fmt: skip
    @click.option("--skin-tolerance", "po_skin_tolerance", type=float, default=0.0, show_default=True, help="How far skin may be from the sprite's, in L*; 0 locks it, 100 lets go.")  # fmt: skip
    @click.option("--matte", "po_matte", is_flag=True, help="Transparent background.")
    @click.option("--device", "po_device", default="cpu", show_default=True, help="cpu, cuda or mps.")  # fmt: skip
    @click.option("--quality", "po_quality", default="standard", show_default=True, help="standard, or studio (path traced, needs the extra).")  # fmt: skip
    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        raw = {k[3:]: kwargs.pop(k) for k in list(kwargs) if k.startswith("po_")}
        traits = raw.pop("set")
        if raw["identity"]:
            from ..writeback.load import load_identity

            raw["identity"] = load_identity(raw["identity"])
        else:
            raw["identity"] = {}
        portrait = PortraitOptions(traits=_pairs(traits), lock=tuple(raw.pop("lock")), **raw)
        return command(*args, portrait=portrait, **kwargs)

    return wrapper


def _pairs(items: tuple[str, ...]) -> dict[str, Any]:
    pairs: dict[str, Any] = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{item!r} is not TRAIT=VALUE", param_hint="--set")
        pairs[name] = _number(value)
    return pairs


def _number(text: str) -> Any:
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text
