"""Persons and latents: every parameter survives the way there and back."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from spriteface.errors import OptionError
from spriteface.pulse.head.identity import MEASURES, measure_slopes, slider_moves, slider_root
from spriteface.pulse.head.person import (
    HAIR_STYLES,
    Background,
    Emblem,
    FacialHair,
    Hair,
    Person,
    Pose,
    Shape,
    Skin,
    Wear,
    srgb_to_linear,
)
from spriteface.pulse.head.prior import (
    draw,
    draw_person,
    latents_from_people,
    layout,
    people_from_latents,
)
from spriteface.pulse.head.skin import MONK, match_skin, melanin_tone, tone_melanin
from spriteface.pulse.head.wear import ITEMS


def _numbers(value: object, path: str = "") -> dict[str, float]:
    if isinstance(value, dict):
        return {k: v for key, x in value.items() for k, v in _numbers(x, f"{path}.{key}").items()}
    if isinstance(value, list):
        return {k: v for i, x in enumerate(value) for k, v in _numbers(x, f"{path}[{i}]").items()}
    return {path: float(value)} if isinstance(value, int | float) else {}


def assert_same(a: Person, b: Person, tolerance: float = 2e-3) -> None:
    x, y = _numbers(a.to_json()), _numbers(b.to_json())
    for key in set(x) | set(y):
        assert abs(x.get(key, 0.0) - y.get(key, 0.0)) < tolerance, key


PIRATE = Person(
    shape=Shape(gender=0.05, age=0.85, african=0.1, asian=0.2, caucasian=0.7,
                local={"nose/nose-volume": 0.9, "ears/ear-shape-pointed": 1.4}),
    action={"jawOpen": 0.3, "mouthSmileLeft": 0.5, "mouthSmileRight": 0.2, "tongueOut": 0.1},
    pose=Pose(yaw=1.1, gaze_x=-0.2),
    skin=Skin(melanin=3.0, tint=(0.4, 1.0, 0.5)),
    hair=Hair(style="long", color=(0.8, 0.1, 0.02), fringe=4.0, grey=0.3),
    facial_hair=FacialHair("wizard", length=12.0, color=(0.5, 0.5, 0.5)),
    wear=(Wear("bandana", (0.4, 0.02, 0.02)), Wear("eye_patch", (0.01, 0.01, 0.01), (0.01, 0.01, 0.01), side=-1.0),
          Wear("earrings", (0.8, 0.5, 0.1), (0.8, 0.5, 0.1))),
    seed=7,
)  # fmt: skip


def test_person_survives_json() -> None:
    text = json.dumps(PIRATE.to_json())
    assert Person.from_json(json.loads(text)) == PIRATE


def test_unknown_and_absurd_values_are_refused() -> None:
    with pytest.raises(OptionError, match="unknown key"):
        Person.from_json({"nose": 1})
    with pytest.raises(OptionError, match=r"hair.length"):
        Hair(length=900.0)
    with pytest.raises(OptionError, match="'perm' is unknown"):
        Hair(style="perm")


def test_values_can_be_set_by_name() -> None:
    p = Person().with_value("hair.style", "afro").with_value("hair.color", "#ff0000")
    assert p.hair.style == "afro" and p.hair.color == (1.0, 0.0, 0.0)
    assert p.with_value("shape.local.nose/nose-hump", "0.5").shape.local == {"nose/nose-hump": 0.5}
    assert p.with_value("skin.melanin", "2").skin.melanin == 2.0
    with pytest.raises(OptionError, match="no parameter named"):
        p.with_value("hair.colour", "red")
    with pytest.raises(OptionError, match="is not a float"):
        p.with_value("skin.melanin", "dark")


def test_a_person_survives_the_latent_space() -> None:
    emblem = Wear("plumber_cap", (0.6, 0.02, 0.02), emblem=Emblem("disc", (0.7, 0.7, 0.7), x=0.5))
    capped = replace(PIRATE, wear=(emblem,), background=Background("plain", (0.1, 0.2, 0.6)))
    for person in (Person(), PIRATE, capped):
        back = people_from_latents(latents_from_people([person]))[0]
        assert_same(person, back)
        assert [w.kind for w in back.wear] == [w.kind for w in person.wear]


def test_latents_stay_plausible_for_implausible_people() -> None:
    z = latents_from_people([PIRATE]).z
    assert float(z.abs().max()) <= 2.5 and torch.isfinite(z).all()


def test_drawn_people_survive_too() -> None:
    latents = draw(6, seed=11)
    people = people_from_latents(latents)
    for a, b in zip(people, people_from_latents(latents_from_people(people))):
        assert_same(a, b)


def test_draws_depend_on_seed_and_place_only() -> None:
    a, b, other = draw(3, seed=5), draw(5, seed=5), draw(3, seed=6)
    assert torch.equal(a.z, b.z[:3]) and a.structure == b.structure[:3]
    assert not torch.equal(a.z, other.z)


def test_prior_ties_skin_tone_to_nothing() -> None:
    latents = draw(500, seed=1)
    lay = layout()
    values = np.stack([lay.values(z, {}).numpy() for z in latents.z])
    tone = values[:, lay.index["tone"]]
    counts = np.histogram(tone, bins=10, range=(1, 10))[0]
    assert counts.min() > 25  # uniform over the Monk scale
    for name in ("gender", "age", "african", "asian", "caucasian", "hair_melanin", "iris"):
        other = values[:, lay.index[name]]
        assert abs(np.corrcoef(tone, other)[0, 1]) < 0.15, name
    afro = np.array([s["hair"] == "afro" for s in latents.structure])
    assert abs(tone[afro].mean() - tone[~afro].mean()) < 1.5


def test_identities_vary_as_faces_do() -> None:
    lay = layout()
    sliders = [d for d in lay.dims if d.kind == "slider"]
    names, _ = slider_moves()
    columns = [names.index(d.name.removeprefix("local:")) for d in sliders]
    root = slider_root([names[c] for c in columns], [d.b for d in sliders])
    spread = np.sqrt(((measure_slopes()[:, columns] @ root) ** 2).sum(1))
    target = np.array([m[3] for m in MEASURES.values()])
    assert (spread < 1.3 * target).all()  # no odd skulls and chins
    assert np.median(spread / target) > 0.5  # and yet different people


def test_every_dimension_is_named_once_and_described() -> None:
    lay = layout()
    assert len(set(lay.names)) == len(lay.names)
    assert all(d.about for d in lay.dims)


def test_tones_and_pigments_are_inverse() -> None:
    for tone in (1.0, 3.3, 6.5, 10.0, 11.0):
        assert melanin_tone(tone_melanin(tone)) == pytest.approx(tone, abs=1e-6)
    melanins = [match_skin(rgb)[0] for rgb in MONK]
    assert all(a <= b + 1e-6 for a, b in itertools.pairwise(melanins[2:]))


def test_fantasy_skin_becomes_a_tint() -> None:
    _, _, tint = match_skin((70, 160, 60))
    assert tint[1] > 2 * tint[0]
    assert match_skin((224, 172, 105))[2] == (1.0, 1.0, 1.0)


def test_styles_and_items_are_known_everywhere() -> None:
    assert len(HAIR_STYLES) >= 16
    assert {"plumber_cap", "crown", "knight_visor", "eye_patch", "glasses"} <= set(ITEMS)
    assert draw_person(3).hair.style in HAIR_STYLES
    assert srgb_to_linear("#ffffff") == (1.0, 1.0, 1.0)
