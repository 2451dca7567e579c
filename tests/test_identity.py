"""One character in several poses is one person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from spriteface.cli import main
from spriteface.errors import OptionError
from spriteface.extract.characters import characters, colors_of, same_colors
from spriteface.extract.reading import read
from spriteface.options import PortraitOptions
from spriteface.pipeline import (
    _clearest,
    _read,
    find_faces,
    find_person,
    identity_of,
    make_portraits,
)
from spriteface.pulse.generator import Latents
from spriteface.pulse.likeness import LOCKS, SEARCHED, portray
from spriteface.types import U8

SIZE = 64


def pixels(root: Path, name: str) -> U8:
    return np.asarray(Image.open(root / "samples" / f"{name}.png").convert("RGBA"))


@pytest.fixture(scope="module")
def head() -> Any:
    from spriteface.pulse.generator import load_generator

    return load_generator("head")


@pytest.fixture(scope="module")
def poses(head: Any, root: Path) -> Any:
    faces = find_faces(root / "samples" / "character_sheet.png")
    return list(make_portraits([faces[2], faces[0]], generator=head, size=SIZE, steps=2))


def people_of(head: Any, portraits: Any) -> list[Any]:
    zs = torch.tensor([p.latent["z"] for p in portraits])
    return list(head.people(Latents(zs, tuple(p.latent["structure"] for p in portraits))))


def same(one: Any, other: Any) -> bool:
    """Equal records, up to the rounding of a latent."""
    a, b = one.to_json(), other.to_json()
    return bool(a.keys() == b.keys()) and all(_near(a[name], b[name]) for name in a)


def _near(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return bool(a.keys() == b.keys()) and all(_near(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(_near, a, b))
    return bool(a == pytest.approx(b, abs=1e-3)) if isinstance(a, float) else bool(a == b)


# ------------------------------------------------------------------ which poses


def test_poses_of_the_sheet_are_one_character_and_others_are_not(root: Path) -> None:
    sheet = find_faces(root / "samples" / "character_sheet.png")
    others = [
        find_faces(root / "samples" / f"{name}.png")[0]
        for name in ("child", "elf_hero", "princess")
    ]
    assert characters([*sheet, *others]) == [0, 0, 0, 0, 4, 5, 6]


def test_few_colours_say_nothing() -> None:
    screen = np.zeros((8, 8, 4), np.uint8)
    screen[..., 3] = 255
    screen[:4, :, 1] = np.arange(4)[:, None] * 60
    colors = colors_of(screen)
    assert len(colors) == 4 and not same_colors(colors, colors)
    assert not same_colors({}, colors)


# ------------------------------------------------------------------ one person


def test_poses_show_one_person_and_turn(head: Any, poses: Any) -> None:
    side, front = people_of(head, poses)
    for part in ("shape", "skin", "eyes", "hair", "brows", "facial_hair", "clothing"):
        assert same(getattr(side, part), getattr(front, part)), part
    assert all(map(same, side.wear, front.wear)) and len(side.wear) == len(front.wear)
    assert side.seed == front.seed
    assert abs(side.pose.yaw) > abs(front.pose.yaw) + 0.4


def test_the_face_from_the_front_says_who_it_is(root: Path) -> None:
    faces = find_faces(root / "samples" / "character_sheet.png")
    numbers = [0] * len(faces)
    chosen = faces[_clearest(faces, numbers, 0, lambda i: _read(faces[i]))]
    assert chosen.box.x in {f.box.x for f in sorted(faces, key=lambda f: f.box.x)[:2]}


def test_the_order_is_that_of_the_faces(poses: Any, root: Path) -> None:
    faces = find_faces(root / "samples" / "character_sheet.png")
    assert faces[2].box != faces[0].box
    assert [p.face.box for p in poses] == [faces[2].box, faces[0].box]


def test_an_identity_goes_through_json_and_options(head: Any, root: Path, poses: Any) -> None:
    identity = json.loads(json.dumps(identity_of(poses[1])))
    options = PortraitOptions.from_json(
        PortraitOptions(size=SIZE, steps=1, identity=identity).to_json()
    )
    (face,) = find_faces(root / "samples" / "game_frame.png", min_score=0.9)[:1]
    (again,) = make_portraits([face], options, generator=head)
    was, now = people_of(head, [poses[1], again])
    assert same(was.shape, now.shape) and was.hair.style == now.hair.style


def test_find_person_is_who_the_portrait_shows(head: Any, root: Path) -> None:
    (face,) = find_faces(root / "samples" / "plumber.png")
    options = PortraitOptions(size=SIZE, steps=1)
    found = find_person(face, options, generator=head)
    (portrait,) = make_portraits([face], options, generator=head)
    who = Latents(torch.tensor([found["z"]]), (found["structure"],))
    (known,), (shown,) = head.people(who), people_of(head, [portrait])
    assert same(known.shape, shown.shape) and known.hair.style == shown.hair.style


def test_a_trait_that_is_asked_for_overrules_the_identity(
    head: Any, root: Path, poses: Any
) -> None:
    options = PortraitOptions(
        size=SIZE, steps=1, identity=identity_of(poses[1]), traits={"headwear": "none"}
    )
    (bare,) = portray(head, read(pixels(root, "child")), options=options)
    (person,) = head.people(bare.latents)
    assert not person.wear and same(person.shape, people_of(head, poses)[1].shape)


def test_an_identity_of_another_generator_is_refused(head: Any, root: Path) -> None:
    options = PortraitOptions(size=SIZE, identity={"shape": [3], "z": [0.0, 0.0, 0.0]})
    with pytest.raises(OptionError, match="identity"):
        portray(head, read(pixels(root, "child")), options=options)
    with pytest.raises(OptionError, match="identity"):
        PortraitOptions(identity={"x": 1})


def test_locks_of_a_known_person_leave_only_the_frame() -> None:
    from spriteface.pulse.likeness import PERSONAL_LOCKS

    held = {name for lock in PERSONAL_LOCKS for name in LOCKS[lock]}
    assert set(SEARCHED) - held == {"zoom", "camera_x", "camera_y", "pitch"}


def test_the_command_says_what_is_wrong_with_an_identity(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image, missing = str(root / "samples" / "child.png"), str(tmp_path / "none.json")
    with pytest.raises(SystemExit) as stop:
        main(["upscale", image, "-o", str(tmp_path), "--identity", missing])
    assert stop.value.code not in (0, None) and "none.json" in capsys.readouterr().err
