"""Moving pictures: frames come back, a GIF's dark shades stay apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spriteface.errors import SinkError
from spriteface.files.animation import write_animation


def frames_of(path: Path) -> list[np.ndarray]:
    with Image.open(path) as image:
        assert image.info["loop"] == 0 and image.info["duration"] == 90
        out = []
        for k in range(getattr(image, "n_frames", 1)):
            image.seek(k)
            out.append(np.asarray(image.convert("RGB")).astype(float))
        return out


def dark_ramps() -> list[np.ndarray]:
    """Six frames: a smooth dark ramp, beside bright noise that wants most of a palette."""
    rng = np.random.default_rng(0)
    frames = []
    for k in range(6):
        frame = rng.integers(0, 256, (48, 64, 3), np.uint8)
        frame[:, :40] = (np.linspace(10, 60, 40)[None, :, None] * (1.0, 0.7, 0.5)).round() + k
        frames.append(frame)
    return frames


def test_a_png_keeps_every_colour(tmp_path: Path) -> None:
    frames = dark_ramps()
    seen = frames_of(write_animation(tmp_path / "a.png", frames, duration_ms=90))
    assert len(seen) == 6 and all(np.array_equal(a, b) for a, b in zip(frames, seen))


def test_a_gif_dithers_dark_shades(tmp_path: Path) -> None:
    frames = dark_ramps()
    seen = frames_of(write_animation(tmp_path / "a.gif", frames, duration_ms=90))
    assert len(seen) == 6
    for frame, back in zip(frames, seen):
        blocks = [
            x[:, :40].reshape(6, 8, 5, 8, 3).mean((1, 3)) for x in (frame.astype(float), back)
        ]
        assert np.abs(blocks[0] - blocks[1]).max() < 8, "on average the shades are right"


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError):
        write_animation(tmp_path / "file" / "a.gif", dark_ramps(), duration_ms=90)
