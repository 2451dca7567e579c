"""Walking folders, archives and globs, and what emulators call their screenshots."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from spriteface.batch.walk import game_of, walk
from spriteface.errors import InputError

SAMPLES = Path(__file__).resolve().parents[1] / "samples"


@pytest.mark.parametrize(
    ("stem", "game", "taken"),
    [
        ("Sky Castle (USA)-200819-213445", "Sky Castle", "2020-08-19T21:34:45"),  # RetroArch
        ("Sky Castle (Japan, USA) (En,Ja)-cheevo-1234", "Sky Castle", ""),
        ("Sky Castle-0", "Sky Castle", ""),  # mGBA, FCEUX
        ("Sky Castle 2-17", "Sky Castle 2", ""),
        ("Sky Castle [!].003", "Sky Castle", ""),  # Snes9x
        ("Sky Castle003", "Sky Castle", ""),
        ("Sky_Castle_012", "Sky Castle", ""),  # Mesen
        ("GSKY01_2021-08-19_21-34-45", "GSKY01", "2021-08-19T21:34:45"),  # Dolphin
        ("Sky Castle 2021-08-19 21.34.45", "Sky Castle", "2021-08-19T21:34:45"),
        ("Sky Castle_20210819213445", "Sky Castle", "2021-08-19T21:34:45"),
        ("Sky Castle-210899-990000", "Sky Castle", ""),  # no date
        ("Sky Castle (2)", "Sky Castle", ""),
        ("Sky Castle", "Sky Castle", ""),
        ("0001", "castle", ""),  # MAME: the folder says it
        ("Screenshot-12", "castle", ""),
    ],
)
def test_the_game_in_a_name(stem: str, game: str, taken: str) -> None:
    assert game_of(stem, ["castle"]) == (game, taken)


def test_a_number_in_a_folder_that_says_nothing() -> None:
    assert game_of("0001", ["screenshots"]) == ("unsorted", "")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    shots = tmp_path / "shots"
    (shots / "castle").mkdir(parents=True)
    (shots / ".hidden").mkdir()
    (shots / "out").mkdir()
    for name in ("b-0.png", "a-0.png", "castle/0001.PNG", ".hidden/x.png", "out/y.png", ".z.png"):
        shutil.copy(SAMPLES / "child.png", shots / name)
    (shots / "notes.txt").write_text("no picture")
    with zipfile.ZipFile(shots / "pack.zip", "w") as archive:
        archive.write(SAMPLES / "knight.png", "snap/Tower-1.png")
        archive.writestr("readme.txt", "no picture")
        archive.writestr("__MACOSX/._a.png", b"")
    (shots / "loop").symlink_to(shots)
    return shots


def test_a_folder_is_walked_once_and_in_order(tree: Path) -> None:
    items, problems = walk([tree, tree / "a-0.png"], exclude=[tree / "out"])
    assert [i.label.removeprefix(f"{tree}/") for i in items] == [
        "a-0.png", "b-0.png", "castle/0001.PNG", "pack.zip!snap/Tower-1.png",
    ]  # fmt: skip
    assert [i.game for i in items] == ["a", "b", "castle", "Tower"]
    assert not problems
    assert items[0].read() == (SAMPLES / "child.png").read_bytes()
    assert items[3].read() == (SAMPLES / "knight.png").read_bytes()


def test_a_glob(tree: Path) -> None:
    items, _ = walk([str(tree / "**" / "*-0.png")])
    assert [i.path.name for i in items] == ["a-0.png", "b-0.png"]


def test_a_named_file_is_taken_whatever_its_suffix(tree: Path) -> None:
    assert len(walk([tree / "notes.txt"])[0]) == 1


@pytest.mark.parametrize("what", ["missing", "*.nothing"])
def test_nothing_there_is_an_error_that_names_it(tree: Path, what: str) -> None:
    with pytest.raises(InputError, match=r"nothing at .*" + what.replace("*", r"\*")):
        walk([str(tree / what)])


def test_a_broken_archive_is_a_problem_not_the_end(tree: Path) -> None:
    (tree / "bad.zip").write_bytes(b"PK no archive")
    items, problems = walk([tree])
    assert len(items) == 5
    assert [p.path.name for p in problems] == ["bad.zip"]
