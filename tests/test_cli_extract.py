"""`spriteface extract` on real files: what it writes and what it says."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spriteface.cli import main


def run(args: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(["extract", *args, "-q"])
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


def test_a_sheet(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = root / "samples" / "character_sheet.png"
    code, out, _ = run([str(sheet), "-o", str(tmp_path), "--json"], capsys)
    assert code == 0
    (found,) = json.loads(out)
    assert found["background"]["kind"] == "key"
    assert found == json.loads((tmp_path / "character_sheet.json").read_text())
    assert len(found["faces"]) >= 4
    with Image.open(sheet) as picture:
        whole = np.asarray(picture.convert("RGBA"))
    for number in range(1, 5):
        with Image.open(tmp_path / f"character_sheet.face-{number}.labels.png") as labels:
            assert labels.mode == "P"
        with Image.open(tmp_path / f"character_sheet.face-{number}.png") as crop:
            pixels = np.asarray(crop.convert("RGBA"))
        x, y, w, h = found["faces"][number - 1]["crop"]
        assert pixels.shape[:2] == (h, w)
        for v in range(max(0, -y), h):  # every opaque pixel of the crop is the sheet's own
            for u in range(max(0, -x), w):
                if pixels[v, u, 3]:
                    assert tuple(pixels[v, u]) == tuple(whole[y + v, x + u])
    assert (tmp_path / "character_sheet.faces.png").exists()


def test_a_scaled_frame_gives_the_same_faces(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = [str(root / "samples" / n) for n in ("game_frame.png", "game_frame_x3.png")]
    code, out, _ = run([*args, "-o", str(tmp_path), "--json"], capsys)
    assert code == 0
    one, three = json.loads(out)
    assert three["grid"]["scale"] == [3.0, 3.0]
    assert [f["box"] for f in one["faces"]] == [f["box"] for f in three["faces"]]
    assert three["faces"][0]["file_box"] == [3 * v for v in three["faces"][0]["box"]]


def chr_tiles(levels: np.ndarray) -> bytes:
    """A picture (16, 16) of values 0..3 as four NES tiles: two bit planes of 8 bytes each."""
    out = b""
    for y in (0, 8):
        for x in (0, 8):
            tile = levels[y : y + 8, x : x + 8]
            out += b"".join(np.packbits(tile >> bit & 1, axis=1).tobytes() for bit in (0, 1))
    return out


def test_a_cartridge(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Image.open(root / "samples" / "plumber.png") as picture:
        rgba = np.asarray(picture.convert("RGBA")).astype(int)
    levels = np.where(rgba[..., 3] > 0, 1 + np.minimum(2, rgba[..., :3].sum(2) // 200), 0)
    tiles = chr_tiles(levels.astype(np.uint8)) * 16
    rom = b"NES\x1a" + bytes([1, 1]) + bytes(10) + bytes(16384) + tiles.ljust(8192, b"\0")
    (tmp_path / "game.nes").write_bytes(rom)
    args = [str(tmp_path / "game.nes"), "-o", str(tmp_path / "out"), "--all-sprites"]
    code, out, _ = run([*args, "--tiles", "16x16", "--json"], capsys)
    assert code == 0
    assert json.loads(out)[0]["image"]["file"] == "game.nes"
    assert list((tmp_path / "out").glob("*.sprite-*.png"))


def test_no_face_and_bad_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("RGB", (32, 32), (90, 140, 220)).save(tmp_path / "sky.png")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    code, _, err = run([str(tmp_path / "sky.png"), "-o", str(tmp_path / "a")], capsys)
    assert code == 3
    assert "sky.png" in err
    assert "--min-score" in err
    both = [str(tmp_path / "bad.png"), str(tmp_path / "sky.png")]
    code, _, err = run([*both, "-o", str(tmp_path / "b")], capsys)
    assert code == 2
    assert "bad.png" in err
    assert (tmp_path / "b" / "sky.json").exists()


def test_archives_and_folders(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shots = tmp_path / "shots"
    (shots / "more").mkdir(parents=True)
    plumber = (root / "samples" / "plumber.png").read_bytes()
    with zipfile.ZipFile(shots / "pack.zip", "w") as archive:
        archive.writestr("snap/plumber.png", plumber)
        archive.writestr("snap/broken.png", b"no picture")
        archive.writestr("read.me", b"nothing")
    (shots / "more" / "plumber.png").write_bytes(plumber)
    (shots / "no.zip").write_bytes(b"no archive")
    code, out, err = run([str(shots), "-o", str(tmp_path / "out"), "--json"], capsys)
    assert code == 2
    assert "pack.zip!snap/broken.png" in err
    assert "no.zip" in err
    found = json.loads(out)
    assert [m["image"]["file"] for m in found] == ["plumber.png", "plumber.png"]
    assert len(found[0]["faces"]) == 1
    names = {p.name for p in (tmp_path / "out").glob("*.json")}
    assert len(names) == 2


def test_pieces_are_joined_by_the_merge_distance(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rgba = np.zeros((40, 40, 4), np.uint8)
    rgba[4:14, 4:34] = rgba[18:30, 4:34] = (200, 80, 40, 255)
    Image.fromarray(rgba).save(tmp_path / "two.png")
    counts = []
    for merge in ("0", "5"):
        args = [
            str(tmp_path / "two.png"),
            "-o",
            str(tmp_path / "o"),
            "--scale",
            "1",
            "--merge",
            merge,
        ]
        _, out, _ = run([*args, "--json", "--all-sprites"], capsys)
        counts.append(len(json.loads(out)[0]["sprites"]))
    assert counts == [2, 1]
    code, _, err = run([str(tmp_path / "two.png"), "--merge", "-1"], capsys)
    assert code == 2
    assert "merge" in err
