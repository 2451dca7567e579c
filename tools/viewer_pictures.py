"""Pictures of the viewer for docs/viewer.md: a search on its way, and before and after.

python -m tools.viewer_pictures docs/images
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

import pygame

ROOT = Path(__file__).resolve().parents[1]
SIZE = (1280, 800)
SHOWN_AT = 14  # steps into the search


def main(folder: Path) -> None:
    from spriteface.options import PortraitOptions
    from spriteface.viewer.app import App
    from spriteface.viewer.settings import Settings
    from spriteface.viewer.window import MODES
    from tests.viewer_tools import Clock, Inline, event, press, settle

    with tempfile.TemporaryDirectory() as out:
        os.environ["SPRITEFACE_STATE"] = out
        settings = Settings(*SIZE, scale=1.0)
        portrait = PortraitOptions(size=1024)
        app = App(Inline(), portrait=portrait, out=Path(out), settings=settings, now=Clock())
        sprite = str(ROOT / "samples" / "spiky_hero.png")
        app.frame([event(pygame.DROPFILE, file=sprite)])
        settle(app)
        press(app, pygame.K_RETURN)
        for _ in range(SHOWN_AT):
            app.frame([])
        pygame.image.save(app.surface, str(folder / "viewer-search.png"))
        settle(app)
        while MODES[app.eyes.mode] != "before and after":
            press(app, pygame.K_v, "v")
        app.frame([])
        pygame.image.save(app.surface, str(folder / "viewer-compare.png"))
        app.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
