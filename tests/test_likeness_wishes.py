"""What a user sets comes out, and what a user locks the search leaves alone, for every name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spriteface.extract.reading import read
from spriteface.options import PortraitOptions
from spriteface.pulse.fit import LOCKS, SEARCHED, SET_HOLDS, evolved
from spriteface.pulse.generator import Latents, load_generator
from spriteface.pulse.goal import goal_of
from spriteface.pulse.head.from_reading import NAMES, same_person, start
from spriteface.pulse.head.person import Person
from spriteface.pulse.head.wear import by_slot
from spriteface.pulse.progress import Progress
from spriteface.types import Reading


@pytest.fixture(scope="module")
def head() -> Any:
    return load_generator("head")


@pytest.fixture(scope="module")
def reading(root: Path) -> Reading:
    """A bearded man without a hat, from the front: everything can be set, and moves."""
    return read(np.asarray(Image.open(root / "samples" / "old_sailor.png").convert("RGBA")))


@pytest.fixture(scope="module")
def afro(root: Path) -> Reading:
    return read(np.asarray(Image.open(root / "samples" / "afro_hero.png").convert("RGBA")))


def worn(person: Person, slot: str) -> str:
    item = by_slot(person.wear).get(slot)
    return item.kind if item else "none"


def greenest(color: Any) -> bool:
    return bool(color is not None and color[1] > 2 * max(color[0], color[2]))


SHOWN: dict[str, tuple[Any, Callable[[Person], bool]]] = {
    "skin": (9, lambda p: p.skin.melanin > 4),
    "hair": ("#20c020", lambda p: greenest(p.hair.color)),
    "hair_style": ("mohawk", lambda p: p.hair.style == "mohawk"),
    "hair_length": ("long", lambda p: p.hair.style == "long"),
    "beard": ("goatee", lambda p: p.facial_hair.style == "goatee"),
    "beard_color": ("#20c020", lambda p: greenest(p.facial_hair.color)),
    "age": (90, lambda p: p.shape.age > 0.95 and p.skin.age > 0.9),
    "sex": ("woman", lambda p: p.shape.gender == 1.0),
    "build": (0.9, lambda p: p.shape.weight == 0.9),
    "smile": (0.9, lambda p: p.action["mouthSmileLeft"] == 0.9),
    "nose": (1, lambda p: p.shape.local["nose/nose-volume"] > 0.4),
    "headwear": ("top_hat", lambda p: worn(p, "head") == "top_hat"),
    "hat_color": ("#20c020", lambda p: greenest(by_slot(p.wear)["head"].color)),
    "glasses": ("dark", lambda p: worn(p, "eyes") == "sunglasses"),
    "mask": ("lower", lambda p: worn(p, "face") == "lower_mask"),
    "eyes": ("#20c020", lambda p: p.eyes.iris[1] > 5 * p.eyes.iris[0]),
    "ears": ("pointed", lambda p: p.shape.local["ears/ear-shape-pointed"] == 1.2),
    "view": ("profile", lambda p: abs(p.pose.yaw) > 0.8),
    "side": ("left", lambda p: p.pose.yaw < 0),
    "background": ("#20c020", lambda p: greenest(p.background.color)),
    "clothes": ("#20c020", lambda p: greenest(p.clothing.color)),
    "hair.wave": (0.5, lambda p: p.hair.wave == 0.5),
}
TOGETHER = {
    "hat_color": {"headwear": "beanie"},
    "side": {"view": "three_quarter"},
    "beard_color": {"beard": "full"},
}


def test_every_trait_is_tried() -> None:
    assert set(NAMES) <= set(SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_set_comes_out(reading: Reading, afro: Reading, name: str) -> None:
    value, shown = SHOWN[name]
    others = TOGETHER.get(name, {})
    for seen in (reading, afro):
        free = start(seen, count=1, seed=3, traits=others)[0]
        made = start(seen, count=1, seed=3, traits={**others, name: value})[0]
        assert not shown(free), "nothing would be shown by this value"
        assert shown(made)
        if name not in ("view", "side", "smile", "hair.wave"):  # in other poses too
            assert shown(same_person(free, made, (*others, name)))


def searched(head: Any, reading: Reading, **options: Any) -> tuple[Latents, Latents]:
    """Before and after the search."""
    chosen = PortraitOptions(seed=2, **options)
    before = head.start(reading, count=1, seed=2, traits=chosen.traits)
    after, _ = evolved(head, before, goal_of(reading), chosen, 0, Progress(None, 1))
    return before, after


def values(head: Any, latents: Latents) -> dict[str, float]:
    """What the search may move, by its name."""
    p = head.people(latents)[0]
    out = {
        "zoom": p.camera.zoom, "camera_x": p.camera.x, "camera_y": p.camera.y, "pitch": p.pose.pitch,
        "weight": p.shape.weight, "beard_length": p.facial_hair.length,
        "hair_length": p.hair.length, "hair_side": p.hair.side,
    }  # fmt: skip
    if "head" in by_slot(p.wear):
        hat = by_slot(p.wear)["head"]
        out |= {"head.low": hat.low, "head.size": hat.size}
    return out | {f"local:{name}": value for name, value in p.shape.local.items()}


def moved(head: Any, before: Latents, after: Latents) -> set[str]:
    was, made = values(head, before), values(head, after)
    # a person read from a latent and written again differs by up to 3e-4
    return {n for n in was | made if abs(was.get(n, 0.0) - made.get(n, 0.0)) > 1e-3}


def test_locks_name_what_the_search_moves(head: Any) -> None:
    dims = set(head.info.extra["dims"])
    assert set(SEARCHED) <= dims and all(LOCKS.values())
    assert all(set(names) <= dims for names in (*LOCKS.values(), *SET_HOLDS.values()))


@pytest.fixture(scope="module")
def free(head: Any, afro: Reading) -> set[str]:
    """What moves when nothing is locked."""
    return moved(head, *searched(head, afro))


@pytest.mark.parametrize("lock", [name for name in LOCKS if name not in ("headwear", "beard")])
def test_what_is_locked_stays(head: Any, afro: Reading, free: set[str], lock: str) -> None:
    assert free & set(LOCKS[lock]), "it would have stayed anyway"
    kept = moved(head, *searched(head, afro, lock=(lock,)))
    assert kept and not kept & set(LOCKS[lock])


@pytest.mark.parametrize("lock", ["headwear", "beard"])
def test_what_is_worn_is_locked(head: Any, root: Path, lock: str) -> None:
    free: set[str] = set()
    for sprite in ("viking", "old_sailor", "pirate", "plumber"):
        seen = read(np.asarray(Image.open(root / "samples" / f"{sprite}.png").convert("RGBA")))
        free |= moved(head, *searched(head, seen))
        kept = moved(head, *searched(head, seen, lock=(lock,)))
        assert not kept & set(LOCKS[lock])
    assert free & set(LOCKS[lock]), "it would have stayed anyway"


@pytest.mark.parametrize(
    ("name", "value"), [("build", 0.9), ("hair.length", 4.0), ("camera.zoom", 1.1)]
)
def test_the_search_leaves_what_is_set(
    head: Any, afro: Reading, free: set[str], name: str, value: float
) -> None:
    assert free & set(SET_HOLDS[name])
    kept = moved(head, *searched(head, afro, traits={name: value}))
    assert kept and not kept & set(SET_HOLDS[name])
