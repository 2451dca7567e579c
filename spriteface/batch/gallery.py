"""What a batch leaves for people to look at: one page, and contact sheets.

The page (`index.html`) needs no server and no network: style, script and the list of characters
are inside it, pictures lie beside it and are loaded as they come into view, so that thousands
of portraits open at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from importlib import resources
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .manifest import FaceRow, Manifest
from .recognise import Kind
from .run import slug

if TYPE_CHECKING:
    from PIL import Image

MAX_LISTED = 60  # occurrences shown per character; the manifest has them all
SHEET_COLUMNS, SHEET_ROWS, TILE_PX = 6, 8, 160


def write_gallery(manifest: Manifest, out: Path) -> Path:
    """OUT/index.html, from what is on record.

    Raises:
        SinkError: it can't be written.
    """
    from ..files.atomic import write_bytes

    template = resources.files(__package__).joinpath("gallery.html").read_text("utf-8")
    data = json.dumps(_page_data(manifest), ensure_ascii=False, separators=(",", ":"))
    # "</script>" in a file's name must not end the script element
    page = template.replace("@DATA@", data.replace("<", "\\u003c"))
    return write_bytes(out / "index.html", page.encode("utf-8"))


def _page_data(manifest: Manifest) -> dict[str, Any]:
    names: dict[str, int] = {}
    characters = [_character(manifest, row, made, names) for row, made, _ in manifest.characters()]
    kin = _kin(manifest)
    met: dict[str, int] = {}
    for character in characters:
        met[character["name"]] = number = met.get(character["name"], 0) + 1
        character["name"] += f" ({number})" if number > 1 else ""
        character["kin"] = kin.get(character["face"], [])[:24]
    games = sorted({game for c in characters for game in c["games"]})
    files = sum(manifest.counts("files").values())
    return {"files": files, "games": games, "names": list(names), "characters": characters}


def _character(
    manifest: Manifest, row: FaceRow, made: list[dict[str, Any]], names: dict[str, int]
) -> dict[str, Any]:
    where: list[tuple[int, list[int], bool]] = []
    games: dict[str, None] = {row.game: None}
    first: list[str] = []
    seen = 0
    for file, game, _taken, box, mirrored, frame in manifest.where(row.id):
        seen += 1
        games[game] = None
        if len(where) < MAX_LISTED:
            name = Path(file.rpartition("!")[2]).name + (f", frame {frame}" if frame else "")
            where.append((names.setdefault(name, len(names)), box, mirrored))
            first += [name] if seen <= 8 and name not in first else []
    height, width = row.found.rgba.shape[:2]
    return {
        "face": row.id,
        "name": row.found.name or row.name,
        "game": row.game,
        "games": list(games),
        "size": [width, height],
        "seen": seen,
        "where": where,
        "text": " ".join((row.found.name, row.name, *games, *first)).lower(),
        "made": [_files(one) for one in made],
    }


def _files(made: dict[str, Any]) -> dict[str, Any]:
    portrait, sidecar, sprite, thumb = made["files"]
    return {
        "portrait": portrait,
        "sidecar": sidecar,
        "sprite": sprite,
        "thumb": thumb,
        "psnr": round(min(999.0, float(made["lr_psnr_db"])), 2),
    }


def _kin(manifest: Manifest) -> dict[int, list[tuple[int, str]]]:
    """Faces with portraits of their own that are related, both ways."""
    kin: dict[int, list[tuple[int, str]]] = {}
    for face, portrait, linked, kind in manifest.links():
        if kind in (Kind.POSE, Kind.PALETTE) and portrait == face:
            kin.setdefault(face, []).append((linked, str(kind)))
            kin.setdefault(linked, []).append((face, str(kind)))
    return kin


def write_contact_sheets(manifest: Manifest, out: Path) -> list[Path]:
    """OUT/contact/GAME-01.png and so on: sprite and portrait side by side.

    Raises:
        SinkError: one can't be written.
    """
    from ..files.atomic import atomic_file

    written = []
    rows = ((row.game, row.name, made[0]["files"]) for row, made, _ in manifest.characters())
    for game, group in groupby(sorted(rows), key=lambda r: r[0]):
        for number, page in enumerate(_pages(group), 1):
            path = out / "contact" / f"{slug(game)}-{number:02}.png"
            with atomic_file(path) as stream:
                _sheet(out, game, page).save(stream, "PNG")
            written.append(path)
    return written


def _pages(rows: Iterable[Any]) -> Iterator[list[Any]]:
    page: list[Any] = []
    for row in rows:
        page.append(row)
        if len(page) == SHEET_COLUMNS * SHEET_ROWS:
            yield page
            page = []
    if page:
        yield page


def _sheet(out: Path, game: str, rows: list[Any]) -> Image.Image:
    from PIL import Image, ImageDraw, ImageFont

    columns = min(SHEET_COLUMNS, len(rows))
    lines = -(-len(rows) // columns)
    cell, label, gap = 2 * TILE_PX, 20, 10
    size = (columns * (cell + gap) + gap, lines * (TILE_PX + label + gap) + gap + 28)
    sheet = Image.new("RGB", size, (24, 25, 31))
    draw = ImageDraw.Draw(sheet)
    draw.text((gap, 8), game, (236, 238, 244), ImageFont.load_default(18))
    small = ImageFont.load_default(12)
    for i, (_, name, (_portrait, _sidecar, sprite, thumb)) in enumerate(rows):
        x = gap + i % columns * (cell + gap)
        y = gap + 28 + i // columns * (TILE_PX + label + gap)
        _paste(sheet, out / sprite, (x, y), Image.Resampling.NEAREST)
        _paste(sheet, out / thumb, (x + TILE_PX, y), Image.Resampling.LANCZOS)
        draw.text((x, y + TILE_PX + 2), name[:46], (154, 160, 178), small)
    return sheet


def _paste(sheet: Image.Image, path: Path, at: tuple[int, int], how: Image.Resampling) -> None:
    """A picture into its tile; one that has gone missing leaves the tile empty."""
    from PIL import Image

    tile = Image.new("RGBA", (TILE_PX, TILE_PX), (42, 45, 56, 255))
    try:
        with Image.open(path) as opened:
            picture = opened.convert("RGBA")
    except OSError:
        sheet.paste(tile, at)
        return
    factor = TILE_PX / max(picture.size)
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    picture = picture.resize(size, how)
    tile.alpha_composite(picture, ((TILE_PX - size[0]) // 2, (TILE_PX - size[1]) // 2))
    sheet.paste(tile, at)
