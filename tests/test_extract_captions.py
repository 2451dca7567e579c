"""Writing on sheets is told from sprites."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from spriteface.extract import faces
from spriteface.extract.captions import writing
from spriteface.extract.sprites import take_apart
from spriteface.options import ExtractOptions
from spriteface.types import U8
from tests.test_extract_sprites import frame, paste, walker

FONT = ImageFont.load_default_imagefont()


def lettered(text: str, times: int = 1) -> U8:
    width, height = (int(v) for v in FONT.getbbox(text)[2:])
    image = Image.new("L", (width, height))
    ImageDraw.Draw(image).text((0, 0), text, fill=255, font=FONT)
    ink = np.kron(np.asarray(image) > 128, np.ones((times, times), bool))
    out = np.zeros((*ink.shape, 4), np.uint8)
    out[ink] = (250, 240, 90, 255)
    return out


def sheet(times: int) -> U8:
    canvas = np.zeros((120, 200, 4), np.uint8)
    paste(canvas, lettered("HERO OOO", times), 4, 2)
    for x in (10, 40, 70):
        paste(canvas, walker(), x, 44)
    paste(canvas, lettered("BOSS 8008", times), 4, 84)
    return canvas


@pytest.mark.parametrize("times", [1, 2])
def test_letters_are_writing_and_walkers_are_not(times: int) -> None:
    canvas = sheet(times)
    content = canvas[..., 3] > 0
    found = writing(canvas, content)
    walkers = np.zeros_like(content)
    walkers[44:76, 10:86] = True
    assert found[content & ~walkers].mean() > 0.9
    assert not found[walkers].any()


def test_captions_are_marked_and_have_no_faces() -> None:
    scene = take_apart(frame(sheet(2)))
    assert sum(not sprite.text for sprite in scene.sprites) == 3
    for face in faces.find_in(scene, ExtractOptions(min_score=0.05)):
        assert 40 <= face.head.y < 80


def test_a_row_of_flat_figures_is_no_writing() -> None:
    canvas = np.zeros((40, 100, 4), np.uint8)
    for x in (4, 24, 44, 64):
        canvas[4:30, x : x + 14] = (20, 20, 20, 255)
        canvas[8:10, x + 4 : x + 6] = canvas[8:10, x + 8 : x + 10] = 0
    assert not writing(canvas, canvas[..., 3] > 0).any()
