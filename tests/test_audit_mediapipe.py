"""MediaPipe as a further judge: asked in an environment of its own, named when it isn't one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from spriteface.audit import run
from spriteface.audit.enlarge import on_gray
from spriteface.audit.mediapipe_judge import faces
from spriteface.audit.shots import sprite
from spriteface.errors import OptionError

from .pulse_toy import ToyGenerator

OTHER = os.environ.get("SPRITEFACE_MEDIAPIPE", "")
PORTRAIT = Path(__file__).resolve().parents[1] / "docs" / "head_portrait_3.jpg"


def test_an_interpreter_that_is_none_is_named() -> None:
    with pytest.raises(OptionError, match="can't run /nowhere/python") as caught:
        faces([np.zeros((8, 8, 3), np.uint8)], "/nowhere/python")
    assert "mediapipe==0.10.21" in str(caught.value.hint)


def test_an_environment_without_it_fails_before_any_portrait_is_made() -> None:
    with pytest.raises(OptionError, match=r"no answer from .*mediapipe"):
        run(ToyGenerator(), ("realism",), mediapipe=sys.executable)


def test_no_pictures_need_no_environment() -> None:
    assert faces([], "/nowhere/python") == []


@pytest.mark.skipif(not OTHER, reason="set SPRITEFACE_MEDIAPIPE to a Python that has mediapipe")
def test_it_sees_a_portrait_and_no_face_in_a_blank() -> None:
    from PIL import Image

    portrait = np.asarray(Image.open(PORTRAIT).convert("RGB"))
    assert faces([portrait, np.full((64, 64, 3), 90, np.uint8)], OTHER) == [True, False]
    assert len(faces([on_gray(sprite(0, 3))], OTHER)) == 1
