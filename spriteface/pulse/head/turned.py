"""How far a head is turned, of sprites that are shaded like photographs.

Flat art knows front, three-quarter and profile, and so does the reading. A shaded sprite says more:
eyes, mouth and nose move against the face's sides. The line through that was fitted to people of the
prior, who look at most 25 degrees aside (tools/train_cuts.py prints it).
"""

from __future__ import annotations

import numpy as np

from ...types import F64, Label, Reading

MOST = 0.6  # radians: beyond, the line isn't known to go on
WEIGHTS = (0.0055, 0.1430, 0.0274, 0.4270, 0.0219, 0.1375, 0.0780, -0.0238, 0.0542)
SIDES = {"left": -1.0, "right": 1.0}


def yaw(reading: Reading) -> float:
    """Radians, positive to the viewer's right."""
    return float(np.clip(offsets(reading) @ np.array(WEIGHTS), -MOST, MOST))


def offsets(reading: Reading) -> F64:
    """(9,) what moves when a head turns: eyes, mouth and nose against the middle of the face, the
    head and one another, in widths of the face; and the reading's word, by its side."""
    lm, side = reading.landmarks, SIDES.get(str(reading.traits.get("side")), 0.0)
    width = max(2.0, lm.face[2] - lm.face[0])
    face, head = (lm.face[0] + lm.face[2]) / 2, (lm.head[0] + lm.head[2]) / 2
    eyes = float(np.mean([x for x, _ in lm.eyes]))
    mouth = float(np.mean([x for x, _ in lm.mouth])) if lm.mouth else eyes
    columns = np.nonzero(reading.labels == Label.NOSE)[1]
    nose = float(columns.mean()) + 0.5 if len(columns) else eyes
    moved = [eyes - face, mouth - face, nose - face, eyes - head, nose - eyes, mouth - eyes]
    view = reading.traits.get("view")
    words = [side * (view == "three_quarter"), side * (view == "profile"), side]
    return np.array([*(m / width for m in moved), *words], np.float64)
