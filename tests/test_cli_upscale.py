"""`spriteface upscale` as a person uses it: real files, the real generator, real failures."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spriteface.cli import main

SIZE = ["--size", "96", "-q"]


def run(args: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(args)
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


@pytest.fixture(scope="module")
def plumber(root: Path) -> Path:
    return root / "samples" / "plumber.png"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb() -> bytes:
    """A small PNG that declares 30000x30000 pixels."""
    head = struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def broken_files(folder: Path, good: bytes) -> dict[str, Path]:
    crc = bytearray(good)
    at = good.index(b"IDAT") + 6
    crc[at] ^= 0xFF
    zero = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 0, 8, 2, 0, 0, 0))
    contents = {
        "text.png": b"this is not an image",
        "empty.png": b"",
        "truncated.png": good[: len(good) // 2],
        "crc.png": bytes(crc),
        "zero.png": zero + chunk(b"IEND", b""),
        "bomb.png": bomb(),
    }
    paths = {name: folder / name for name in contents}
    for name, data in contents.items():
        paths[name].write_bytes(data)
    frames = [Image.new("P", (16, 16), i % 3) for i in range(401)]
    paths["many.gif"] = folder / "many.gif"
    frames[0].save(paths["many.gif"], save_all=True, append_images=frames[1:], optimize=False)
    paths["one-colour.png"] = folder / "one-colour.png"
    Image.new("RGB", (16, 16), (40, 90, 200)).save(paths["one-colour.png"])
    paths["no-face.png"] = folder / "no-face.png"
    bricks = np.full((40, 40, 3), (150, 60, 50), np.uint8)
    bricks[::8] = 90
    for row in range(5):
        bricks[row * 8 : row * 8 + 8, (row % 2) * 4 :: 8] = 90
    Image.fromarray(bricks).save(paths["no-face.png"])
    paths["folder"] = folder / "folder"
    paths["folder"].mkdir()
    paths["absent.png"] = folder / "absent.png"
    return paths


def test_every_bad_input_is_named_and_the_good_ones_finish(
    plumber: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = broken_files(tmp_path, plumber.read_bytes())
    out = tmp_path / "out"
    inputs = [str(p) for p in bad.values()]
    code, _, err = run(["upscale", *inputs, str(plumber), "-o", str(out), *SIZE, "--json"], capsys)
    assert code != 0
    for name in bad:
        assert name in err, f"{name} is not named in:\n{err}"
    assert err.count("try:") == len(bad), err
    assert sorted(p.name for p in out.iterdir()) == [
        "plumber.compare.png",
        "plumber.json",
        "plumber.png",
    ]


def test_report_and_files(
    plumber: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(["upscale", str(plumber), "-o", str(tmp_path), *SIZE, "--json"], capsys)
    assert code == 0
    result = json.loads(out)["results"][0]
    assert result["faces"] == 1
    assert result["error"] is None
    sidecar = json.loads((tmp_path / "plumber.json").read_text())
    for key in (
        "source",
        "box",
        "seed",
        "generator",
        "version",
        "latent",
        "lr_psnr_db",
        "downscale_operator",
        "seconds",
    ):
        assert key in sidecar
    assert len(sidecar["box"]) == 4
    with Image.open(tmp_path / "plumber.png") as picture:
        assert picture.size == (96, 96)
        assert "trainedAlgorithmicMedia" in picture.info["XML:com.adobe.xmp"]
        text = " ".join(str(v) for v in picture.info.values()).lower()
    assert "imagined" in text
    assert "recovered" not in text.replace("never recovered", "").replace("not recovered", "")


def test_same_seed_same_picture_other_seed_other_person(
    plumber: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = []
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        args = ["upscale", str(plumber), "-o", str(tmp_path / name), "--seed", seed, *SIZE]
        assert run(args, capsys)[0] == 0
        with Image.open(tmp_path / name / "plumber.png") as picture:
            pictures.append(np.asarray(picture).astype(int))
    assert np.array_equal(pictures[0], pictures[1])
    assert np.abs(pictures[0] - pictures[2]).mean() > 1


def test_face_by_number_and_box(
    plumber: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["upscale", str(plumber), "-o", str(tmp_path), *SIZE]
    assert run([*args, "--face", "1"], capsys)[0] == 0
    code, _, err = run([*args, "--face", "7"], capsys)
    assert code == 3
    assert "no face 7 in plumber.png" in err
    assert run([*args, "--face", "2,2,12,13"], capsys)[0] == 0
    code, _, err = run([*args, "--face", "left"], capsys)
    assert code == 2
    assert "x,y,w,h" in err


@pytest.mark.parametrize(
    "option", [["--size", "7"], ["--faithful", "3"], ["--scale", "0.2"], ["--key", "pinkish"]]
)
def test_bad_options(
    option: list[str], plumber: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(["upscale", str(plumber), "-o", str(tmp_path / "x"), *option], capsys)
    assert code == 2
    assert option[0].removeprefix("--") in err
    assert not (tmp_path / "x").exists()


def test_unwritable_output(
    plumber: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    code, _, err = run(["upscale", str(plumber), "-o", str(blocked), *SIZE], capsys)
    assert code == 5
    assert str(blocked) in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_disc_full_leaves_nothing(plumber: Path, tmp_path: Path) -> None:
    """A real full file system: a tiny tmpfs where mounting is allowed."""
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(small)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small tmpfs needs root and the right to mount")
    try:
        with pytest.raises(SystemExit) as stop:
            main(["upscale", str(plumber), "-o", str(small), "--size", "256", "-q"])
        assert stop.value.code == 5
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_ctrl_c_stops_and_leaves_nothing_half_written(plumber: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "spriteface", "upscale", *[str(plumber)] * 20, "-o", str(out)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not list(out.glob("*.json")) and time.monotonic() < deadline:
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        time.sleep(0.05)
    time.sleep(0.3)
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert time.monotonic() - sent < 4, "took too long to stop"  # two seconds, and a slow machine
    assert process.returncode == 130
    assert "stopped" in err
    assert "Traceback" not in err
    for path in out.iterdir():
        assert path.suffix in (".png", ".json")
        if path.suffix == ".png":
            with Image.open(path) as picture:
                picture.load()
        else:
            json.loads(path.read_text())
