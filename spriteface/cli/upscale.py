"""`spriteface upscale`: sprites in, portraits out."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import Cancelled, OptionError, SpritefaceError
from ..options import ExtractOptions, PortraitOptions, parse_box
from ._interrupt import prompt_interrupts
from ._options import extract_options, portrait_options
from ._report import say_error, unused_name

if TYPE_CHECKING:
    from ..pipeline import Event
    from ..pulse.generator import Generator
    from ..types import Face, Portrait


@dataclass
class Outcome:
    """What became of one input file."""

    path: Path
    faces: int = 0
    seconds: float = 0.0
    psnr_db: list[float] = field(default_factory=list)
    diversity: list[float] = field(default_factory=list)
    portraits: list[dict[str, Any]] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    error: SpritefaceError | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "source": str(self.path),
            "faces": self.faces,
            "seconds": round(self.seconds, 3),
            "lr_psnr_db": [round(v, 2) for v in self.psnr_db],
            "portraits": self.portraits,
            "written": self.written,
            "error": self.error.message if self.error else None,
            "hint": self.error.hint if self.error else None,
        }


@click.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("portraits"), show_default=True, help="Folder for the results; made if absent.")  # fmt: skip
@click.option("--face", default="all", show_default=True, metavar="all|N|x,y,w,h", help="All faces, the N-th found, or a box in the file's pixels.")  # fmt: skip
@click.option("--contact-sheet", type=click.Path(path_type=Path), help="Also write one picture of all results.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print a JSON report instead of a table.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
@portrait_options
@extract_options
def upscale(
    images: tuple[Path, ...],
    output: Path,
    face: str,
    contact_sheet: Path | None,
    as_json: bool,
    quiet: bool,
    portrait: PortraitOptions,
    extract: ExtractOptions,
) -> int:
    """Make realistic portraits of the faces in IMAGES.

    Each face becomes NAME.png (the portrait), NAME.compare.png (sprite, portrait, portrait
    downscaled again) and NAME.json. The person is imagined, never recovered: nobody can know
    who the sprite shows.
    """
    from ..files.atomic import remove_temporary_files

    extract, index = _select(face, extract)
    with prompt_interrupts(remove_temporary_files):
        run = _Run(output, portrait, extract, index, show_progress=not quiet)
        outcomes = run.all(images)
        if contact_sheet is not None and run.finished:
            from ..writeback import save_contact_sheet

            save_contact_sheet(run.finished, contact_sheet)
    if as_json:
        click.echo(json.dumps({"results": [o.to_json() for o in outcomes]}, indent=2))
    else:
        _print_table(outcomes, output, contact_sheet if run.finished else None)
    failed = [o.error for o in outcomes if o.error]
    return failed[0].exit_code if failed else 0


def _select(face: str, extract: ExtractOptions) -> tuple[ExtractOptions, int | None]:
    import dataclasses

    if face == "all":
        return extract, None
    if face.isdigit():
        if int(face) < 1:
            raise OptionError(f"option face: {face!r}", "faces are counted from 1")
        return extract, int(face)
    return dataclasses.replace(extract, box=parse_box(face)), None


class _Run:
    """One run over several files: the generator is loaded once, a failure stops only its file."""

    def __init__(
        self,
        output: Path,
        portrait: PortraitOptions,
        extract: ExtractOptions,
        index: int | None,
        *,
        show_progress: bool,
    ) -> None:
        self.output, self.portrait, self.extract, self.index = output, portrait, extract, index
        self.show_progress = show_progress
        self.generator: Generator | None = None
        self.finished: list[Portrait] = []
        self.names: set[str] = set()

    def all(self, images: tuple[Path, ...]) -> list[Outcome]:
        from ..files.atomic import make_folder

        make_folder(self.output)
        return [self.one(path, i, len(images)) for i, path in enumerate(images)]

    def one(self, path: Path, number: int, count: int) -> Outcome:
        from tqdm import tqdm

        outcome = Outcome(path)
        began = time.perf_counter()
        label = f"[{number + 1}/{count}] {path.name}"
        bar = tqdm(total=1000, desc=label, leave=False, disable=None if self.show_progress else True, bar_format="{desc} {bar} {percentage:3.0f}% {remaining} left{postfix}")  # fmt: skip
        try:
            with bar:
                self._portraits(path, outcome, bar)
        except Cancelled:
            raise
        except SpritefaceError as error:
            outcome.error = error
            say_error(error)
        outcome.seconds = time.perf_counter() - began
        return outcome

    def _portraits(self, path: Path, outcome: Outcome, bar: Any) -> None:
        from ..pipeline import make_portraits, require_faces

        faces = require_faces(path, self.extract, index=self.index)
        outcome.faces = len(faces)
        if self.generator is None:
            self.generator = self._load(bar)

        def show(event: Event) -> bool:
            bar.set_postfix_str(event.stage, refresh=False)
            done = (event.face + event.fraction) / event.faces * 1000
            bar.update(max(0.0, done - bar.n))
            return True

        for portrait in make_portraits(
            faces, self.portrait, generator=self.generator, on_event=show
        ):
            self._write(portrait, path, faces, outcome)

    def _load(self, bar: Any) -> Generator:
        from ..pulse.generator import load_generator

        def preparing(what: str) -> None:
            if self.show_progress:
                bar.write(f"spriteface: {what}", file=sys.stderr)

        return load_generator(self.portrait.generator, self.portrait.device, on_prepare=preparing)

    def _write(
        self,
        portrait: Portrait,
        path: Path,
        faces: list[Face],
        outcome: Outcome,
    ) -> None:
        from ..writeback import save_comparison, save_portrait, save_sidecar

        number = next(i for i, face in enumerate(faces) if face is portrait.face)
        name = self._free_name(path, number, len(faces), portrait.candidate)
        target = self.output / name
        outcome.written += [
            str(save_portrait(portrait, target.with_name(f"{name}.png"))),
            str(save_comparison(portrait, target.with_name(f"{name}.compare.png"))),
            str(save_sidecar(portrait, target.with_name(f"{name}.json"))),
        ]
        outcome.psnr_db.append(portrait.lr_psnr_db)
        if portrait.diversity is not None and portrait.candidate == 0:
            outcome.diversity.append(portrait.diversity)
        outcome.portraits.append(_about(name, portrait))
        self.finished.append(portrait)

    def _free_name(self, path: Path, number: int, faces: int, candidate: int) -> str:
        """NAME, with the face and candidate number where there are several."""
        name = path.stem
        if faces > 1:
            name += f".face-{number + 1}"
        if self.portrait.candidates > 1:
            name += f".candidate-{candidate + 1}"
        return unused_name(name, self.names)


def _about(name: str, portrait: Portrait) -> dict[str, Any]:
    """What a script wants to know of one portrait; the sidecar says the rest."""

    def rounded(value: float | None) -> float | None:
        return None if value is None else round(value, 3)

    return {
        "name": name,
        "candidate": portrait.candidate,
        "renderer": portrait.renderer,
        "lr_psnr_db": rounded(portrait.lr_psnr_db),
        "lr_psnr_natural_db": rounded(portrait.lr_psnr_natural_db),
        "diversity": rounded(portrait.diversity),
        "seconds": rounded(portrait.seconds),
        "stages": {stage: rounded(seconds) for stage, seconds in portrait.stages.items()},
    }


def _print_table(outcomes: list[Outcome], output: Path, sheet: Path | None) -> None:
    width = max(4, *(len(o.path.name) for o in outcomes))
    click.echo(f"{'file':<{width}}  faces  seconds  LR-PSNR dB")
    for o in outcomes:
        psnr = " ".join(f"{v:.1f}" for v in o.psnr_db) or "-"
        if o.error:
            psnr = f"failed: {o.error.message}"
        click.echo(f"{o.path.name:<{width}}  {o.faces:>5}  {o.seconds:>7.1f}  {psnr}")
    for o in outcomes:
        if o.diversity:
            spread = " ".join(f"{v:.2f}" for v in o.diversity)
            click.echo(f"{o.path.name}: diversity of the candidates {spread} (strangers: 1)")
    failed = sum(o.error is not None for o in outcomes)
    made = sum(len(o.psnr_db) for o in outcomes)
    click.echo(f"{made} portraits (imagined, never recovered) in {output}/", nl=not failed)
    if failed:
        click.echo(f"; {failed} of {len(outcomes)} files failed")
    if sheet is not None:
        click.echo(f"contact sheet: {sheet}")
