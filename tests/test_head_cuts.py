"""Cuts told by their silhouettes: people never seen are known again, flat art is taken at its word."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spriteface.extract.reading import read
from spriteface.palette.color import lab_from_u8
from spriteface.pulse.colors import as_believed, flatness
from spriteface.pulse.generator import load_generator
from spriteface.pulse.head import turned
from spriteface.pulse.head.cuts import DATA, KIND_OF, KINDS, likely, settled, thumbnail
from spriteface.pulse.head.from_reading import Wish, _cut_as_read, start
from spriteface.pulse.head.person import HAIR_STYLES
from spriteface.types import Label, Reading

PEOPLE = range(910_000, 910_036)


@pytest.fixture(scope="module")
def trainer(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("train_cuts", root / "tools" / "train_cuts.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def people(trainer: ModuleType) -> list[tuple[Any, Reading]]:
    """Unseen people and what is read off them as sprites of 24 px."""
    head = load_generator("head")
    drawn = [head.sample(1, seed) for seed in PEOPLE]
    return [(head.people(one)[0], trainer.shown(head, one, 24)) for one in drawn]


@pytest.fixture(scope="module")
def samples(root: Path) -> list[Reading]:
    files = sorted((root / "samples").glob("*.png"))
    pictures = [np.asarray(Image.open(p).convert("RGBA")) for p in files]
    return [read(rgba) for rgba in pictures if max(rgba.shape) <= 48]


def test_every_cut_is_of_a_kind() -> None:
    assert set(KIND_OF) == set(HAIR_STYLES) and set(KIND_OF.values()) == set(KINDS)


def test_the_tool_makes_the_same_file_again_of_the_form_that_is_shipped(
    trainer: ModuleType, people: list[tuple[Any, Reading]], tmp_path: Path
) -> None:
    shown = np.stack([thumbnail(seen) for _, seen in people])
    kinds = np.array([KINDS.index(KIND_OF[person.hair.style]) for person, _ in people])
    for name in ("one", "two"):
        np.savez_compressed(tmp_path / f"{name}.npz", **trainer.bank(shown, kinds))
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    with np.load(tmp_path / "one.npz") as made, np.load(DATA) as shipped:
        assert {k: (v.shape, v.dtype) for k, v in made.items()} == {
            k: (v.shape, v.dtype) for k, v in shipped.items()
        }
        x = np.c_[shown - made["middle"], np.ones(len(kinds))]
        assert ((x @ made["weights"]).argmax(1) == kinds).mean() > 0.8


def test_unseen_people_have_their_kind_of_cut(people: list[tuple[Any, Reading]]) -> None:
    """By chance it would be a third."""
    right = [KINDS[likely(seen).argmax()] == KIND_OF[person.hair.style] for person, seen in people]
    assert np.mean(right) > 0.6
    assert np.isclose(np.exp(likely(people[0][1])).sum(), 1.0)


def test_a_silhouette_overrules_the_reading_of_a_shaded_sprite(
    people: list[tuple[Any, Reading]],
) -> None:
    round_hair = [seen for person, seen in people if KIND_OF[person.hair.style] == "round"]
    assert len(round_hair) >= 3
    assert any(KIND_OF[settled(seen, "short")] == "round" for seen in round_hair)


def test_flat_art_keeps_its_word(samples: list[Reading], people: list[tuple[Any, Reading]]) -> None:
    assert len(samples) >= 15
    assert min(flatness(seen) for seen in samples) > 0.35
    assert max(flatness(seen) for _, seen in people) < 0.1
    rng = np.random.default_rng(0)
    read_as = [_cut_as_read(Wish(seen, seen.traits, {}), rng) for seen in samples]
    kept = [settled(seen, cut) == cut for seen, cut in zip(samples, read_as, strict=True)]
    assert np.mean(kept) > 0.9 and len(set(read_as)) > 4


def test_a_clear_word_on_flat_art_stands_against_a_silhouette(samples: list[Reading]) -> None:
    """One that is as good as a guess gives way to a silhouette that is sure of itself."""
    looks_round = max(samples, key=lambda seen: likely(seen)[KINDS.index("round")])
    assert KINDS[likely(looks_round).argmax()] == "round"
    words = {"ponytail": 0.75, "afro": 0.07, "short": 0.18}
    clear = replace(looks_round, trait_chances={"hair_style": words})
    assert settled(clear, "ponytail") == "ponytail"
    doubtful = {"afro": 0.6, "short": 0.39, "ponytail": 0.01}
    other = replace(looks_round, trait_chances={"hair_style": doubtful})
    assert KIND_OF[settled(other, "ponytail")] == "round"


def test_skin_of_a_shaded_sprite_is_measured_with_its_shadows(
    people: list[tuple[Any, Reading]], samples: list[Reading]
) -> None:
    for _, seen in people[:12]:
        believed = as_believed(seen)
        skin = seen.pixels[(seen.labels == Label.SKIN) & (seen.pixels[..., 3] > 127)][:, :3]
        middle = np.median(lab_from_u8(skin), axis=0)
        assert (
            np.abs(lab_from_u8(np.array(believed.traits["skin_rgb"], np.uint8)) - middle).max() < 1
        )
        assert as_believed(believed).traits == believed.traits
    for seen in samples:
        assert as_believed(seen).traits["skin_rgb"] in (None, seen.traits["skin_rgb"])


def test_shaded_heads_are_turned_as_far_as_they_are(people: list[tuple[Any, Reading]]) -> None:
    off = [abs(np.degrees(turned.yaw(seen) - person.pose.yaw)) for person, seen in people]
    still = [abs(np.degrees(person.pose.yaw)) for person, _ in people]
    assert np.mean(off) < 5 < np.mean(still)
    made = [start(seen, count=1, seed=1)[0] for _, seen in people]
    assert (
        np.mean([a.pose.yaw == turned.yaw(b) for a, (_, b) in zip(made, people, strict=True)]) > 0.9
    )
    asked = start(people[0][1], count=1, seed=1, traits={"view": "front"})[0]
    assert abs(asked.pose.yaw) < 0.1
