"""MediaPipe's face detector as a further judge, in a Python environment of its own.

MediaPipe 0.10.21 carries its short-range model in its wheel and pins an old numpy, so it can't
live beside the rest. This file is both ends: `faces` asks, and run as a script by the other
environment's Python, which needs nothing of ours, it answers.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

EDGE = 128  # px: what the short-range model itself looks at
LEAST_CONFIDENCE = 0.5
SETUP = "python3.11 -m venv judge && judge/bin/pip install mediapipe==0.10.21"


def faces(images: Sequence[np.ndarray], python: str) -> list[bool]:
    """Whether the detector sees a face in each picture (H, W, 3) uint8 sRGB.

    Args:
        images: any sizes; each is judged at 128 px.
        python: the interpreter of an environment with MediaPipe.

    Raises:
        OptionError: no such interpreter, or MediaPipe doesn't work in it.
    """
    from PIL import Image

    from ..errors import OptionError

    if not images:
        return []
    squares = [Image.fromarray(i).resize((EDGE, EDGE), Image.Resampling.BOX) for i in images]
    with tempfile.TemporaryDirectory(prefix="spriteface-judge-") as folder:
        asked = Path(folder) / "pictures.npy"
        np.save(asked, np.stack([np.asarray(s) for s in squares]))
        try:
            done = subprocess.run(
                [python, "-I", str(Path(__file__).resolve()), str(asked)],
                capture_output=True,
                text=True,
                check=True,
            )
            answer = json.loads(done.stdout.strip().splitlines()[-1])
        except OSError as error:
            raise OptionError(f"option mediapipe: can't run {python}: {error.strerror}", SETUP) from error  # fmt: skip
        except (subprocess.CalledProcessError, IndexError, ValueError) as error:
            said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
            raise OptionError(
                f"option mediapipe: no answer from {python}: {said[-1] if said else 'nothing'}",
                f"it needs an environment with MediaPipe: {SETUP}",
            ) from error
    return [bool(seen) for seen in answer]


def _answer(path: str) -> None:
    from mediapipe.python.solutions.face_detection import FaceDetection

    pictures = np.load(path)
    with FaceDetection(model_selection=0, min_detection_confidence=LEAST_CONFIDENCE) as detector:
        seen = [bool(detector.process(np.ascontiguousarray(p)).detections) for p in pictures]
    sys.stdout.write(json.dumps(seen) + "\n")


if __name__ == "__main__":
    _answer(sys.argv[1])
