"""The viewer's frames while a real search runs in its process, without a screen.

    python -m benchmarks.viewer [SECONDS] [SIZE]
    SDL_VIDEODRIVER=x11 xvfb-run -s "-screen 0 1920x1080x24" python -m benchmarks.viewer

Prints processor time and wall time per frame of the window's process, and how often it would
have missed 60 frames a second. Wall times need an idle machine to mean anything.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.machine import describe

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # x11 measures a real window


def main(seconds: float, size: int) -> None:
    import pygame

    from spriteface.options import PortraitOptions
    from spriteface.viewer.app import FPS, App
    from spriteface.viewer.settings import Settings
    from spriteface.viewer.worker import Worker

    sample = Path(__file__).parents[1] / "samples" / "game_frame.png"
    app = App(Worker(), portrait=PortraitOptions(size=size), settings=Settings(1600, 900, 1.0))
    app.session.open(sample)
    clock = pygame.time.Clock()
    while app.session.busy:
        app.frame([])
        clock.tick(FPS)
    app.session.search()
    spent, walls, began = [], [], time.monotonic()
    previews = 0
    while time.monotonic() - began < seconds and app.session.busy:
        cpu, wall = time.thread_time(), time.perf_counter()
        at = 200 + len(spent) % 200, 300
        moved = pygame.event.Event(pygame.MOUSEMOTION, pos=at, rel=(1, 0), buttons=(0, 0, 0))
        app.frame([moved])
        pygame.display.flip()
        spent.append(time.thread_time() - cpu)
        walls.append(time.perf_counter() - wall)
        previews += app.session.preview() is not None
        clock.tick(FPS)
    print(describe(), f"driver {pygame.display.get_driver()}")
    print(f"{len(spent)} frames while searching at {size} px, {previews} of them with a preview")
    for name, values in (("processor", spent), ("wall", walls)):
        ms = np.array(values) * 1000
        late = float((ms > 1000 / FPS).mean())
        print(
            f"{name:9}: median {np.median(ms):.2f} ms, 99% {np.percentile(ms, 99):.2f} ms, "
            f"most {ms.max():.2f} ms, over {1000 / FPS:.1f} ms: {late:.2%}"
        )
    app.close()


if __name__ == "__main__":
    numbers = [float(a) for a in sys.argv[1:]] + [20.0, 256.0][len(sys.argv) - 1 :]
    main(numbers[0], int(numbers[1]))
