"""The same face in another frame: mirrored, recoloured, blinking, in another pose."""

from __future__ import annotations

import numpy as np
import pytest

from spriteface.batch.recognise import Gallery, Kind, distance, fingerprint
from spriteface.types import U8, Box
from tools import draw_samples

FACES = {d.name: draw_samples.paint(d) for d in draw_samples.DRAWINGS if len(d.rows) == 16}


def padded(rgba: U8, *, by: int = 5) -> U8:
    return np.pad(rgba, ((by, 1), (2, by), (0, 0)))


@pytest.fixture
def gallery() -> Gallery:
    met = Gallery()
    for number, rgba in enumerate(FACES.values()):
        print_ = fingerprint(rgba)
        assert met.match(print_, "castle").kind is Kind.NEW
        met.add(number, print_, "castle")
    return met


def test_where_it_stands_and_what_lies_under_alpha_0_make_no_difference() -> None:
    rgba = FACES["wizard"]
    noisy = padded(rgba)
    noisy[noisy[..., 3] == 0, :3] = 77
    assert fingerprint(noisy).exact == fingerprint(rgba).exact


def test_exact_and_mirrored(gallery: Gallery) -> None:
    for number, rgba in enumerate(FACES.values()):
        again = gallery.match(fingerprint(padded(rgba)), "another game")
        assert (again.kind, again.face, again.mirrored) == (Kind.SAME, number, False)
        flipped = gallery.match(fingerprint(padded(rgba[:, ::-1])), "castle")
        assert flipped.face == number
        if not np.array_equal(rgba, rgba[:, ::-1]):
            assert (flipped.kind, flipped.mirrored) == (Kind.MIRRORED, True)


def test_a_palette_swap_is_linked_and_kept_apart(gallery: Gallery) -> None:
    names = list(FACES)
    swapped = FACES["plumber"].copy()
    swapped[..., :3] = swapped[..., [1, 0, 2]]  # the red cap turns green
    match = gallery.match(fingerprint(swapped), "castle")
    assert (match.kind, match.face) == (Kind.PALETTE, names.index("plumber"))
    assert match.person == match.portrait == -1
    mirrored = gallery.match(fingerprint(swapped[:, ::-1]), "castle")
    assert mirrored.kind is Kind.PALETTE


def test_a_blink_shares_the_portrait(gallery: Gallery) -> None:
    blink = FACES["elf_hero"].copy()
    blink[10, [5, 6, 11, 12]] = blink[9, 6]
    match = gallery.match(fingerprint(blink), "castle")
    number = list(FACES).index("elf_hero")
    assert (match.kind, match.portrait, match.person) == (Kind.NEAR, number, number)
    assert gallery.match(fingerprint(blink), "another game").kind is Kind.NEW


def walker(legs: str, tunic: tuple[int, int, int] | None = None) -> U8:
    rgba = draw_samples.figure(draw_samples.HEAD_FRONT, draw_samples.BODY_FRONT, legs)
    if tunic is not None:
        rgba[16:25][rgba[16:25, :, 1] > 120] = (*tunic, 255)
    return rgba


def test_a_step_shares_the_portrait_and_other_clothes_do_not() -> None:
    head = Box(0, 0, 16, 16)
    met = Gallery()
    met.add(0, fingerprint(walker(draw_samples.LEGS_FRONT), head), "castle")
    step = fingerprint(walker(draw_samples.LEGS_FRONT_STEP), head)
    assert (met.match(step, "castle").kind, met.match(step, "castle").portrait) == (Kind.NEAR, 0)
    red = fingerprint(walker(draw_samples.LEGS_FRONT_STEP, (220, 40, 50)), head)
    assert met.match(red, "castle").portrait == -1


def test_near_matching_can_be_switched_off() -> None:
    met = Gallery(near=0.0)
    met.add(0, fingerprint(FACES["elf_hero"]), "castle")
    blink = FACES["elf_hero"].copy()
    blink[10, [5, 6, 11, 12]] = blink[9, 6]
    assert met.match(fingerprint(blink), "castle").kind is Kind.POSE


def test_a_shaved_moustache_is_another_portrait() -> None:
    met = Gallery()
    plumber = FACES["plumber"]
    met.add(0, fingerprint(plumber), "castle")
    shaved = plumber.copy()
    shaved[12:14, 3:13] = plumber[8, 6]
    match = met.match(fingerprint(shaved), "castle")
    assert match.kind is Kind.POSE and match.portrait == -1


def test_poses_are_one_person() -> None:
    sheet = draw_samples.character_sheet()
    sheet[(sheet[..., :3] == draw_samples.SHEET_KEY).all(axis=2)] = 0
    front, step, side, side_step = (sheet[:16, x : x + 24] for x in (0, 24, 48, 72))
    met = Gallery()
    met.add(0, fingerprint(front), "castle")
    assert met.match(fingerprint(step), "castle").kind is Kind.SAME  # the head didn't move
    turned = met.match(fingerprint(side), "castle")
    assert (turned.kind, turned.person, turned.portrait) == (Kind.POSE, 0, -1)
    met.add(1, fingerprint(side), "castle", person=turned.person)
    assert met.match(fingerprint(side_step), "castle").person == 0


def test_different_people_stay_different() -> None:
    prints = [fingerprint(rgba) for rgba in FACES.values()]
    apart = [distance(a, b) for i, a in enumerate(prints) for b in prints[:i]]
    assert min(apart) > 0.4
    assert distance(prints[0], prints[0]) == 0.0


def test_nothing_opaque() -> None:
    empty = fingerprint(np.zeros((16, 16, 4), np.uint8))
    assert empty.colors == 0 and empty.pixels.shape == (1, 1, 4)
