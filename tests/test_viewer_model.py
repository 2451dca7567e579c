"""The viewer without a window: zoom, boxes, undo, and the rows that shape a person."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spriteface.options import PortraitOptions
from spriteface.pipeline import find_faces, open_frame
from spriteface.types import Box
from spriteface.viewer import controls
from spriteface.viewer.document import Document, History, Wish, opened
from spriteface.viewer.geometry import (
    SMALLEST,
    Viewport,
    dragged,
    fit,
    focus,
    grip_at,
    spanned,
    within,
)

boxes = st.builds(
    Box,
    st.integers(-20, 80),
    st.integers(-20, 80),
    st.integers(SMALLEST, 50),
    st.integers(SMALLEST, 50),
)
views = st.builds(Viewport, st.integers(1, 64), st.integers(-900, 900), st.integers(-900, 900))


@given(views, st.integers(-6, 6), st.integers(0, 1200), st.integers(0, 800))
def test_zooming_keeps_what_is_under_the_pointer(
    view: Viewport, steps: int, x: int, y: int
) -> None:
    after = view.zoomed(steps, (x, y))
    assert 1 <= after.zoom <= 64
    for was, now in zip(view.pixel_at((x, y)), after.pixel_at((x, y))):
        assert abs(was - now) <= 1


def test_zooming_in_and_out_passes_the_same_whole_steps() -> None:
    up = [1]
    while up[-1] < 64:
        up.append(Viewport(up[-1]).zoomed(1, (0, 0)).zoom)
    assert up[:9] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    down = [64]
    while down[-1] > 1:
        down.append(Viewport(down[-1]).zoomed(-1, (0, 0)).zoom)
    assert set(range(1, 9)) <= set(down)


@given(st.integers(1, 600), st.integers(1, 600))
def test_a_fitted_picture_is_as_large_as_it_can_be(w: int, h: int) -> None:
    pane = Box(10, 40, 640, 480)
    seen = fit((w, h), pane)
    box = seen.to_screen(Box(0, 0, w, h))
    assert seen.zoom == 1 or (box.w <= pane.w and box.h <= pane.h)
    assert seen.zoom == 64 or (w * (seen.zoom + 1) > pane.w or h * (seen.zoom + 1) > pane.h)
    assert abs((box.x - pane.x) - (pane.right - box.right)) <= 1


def test_focus_puts_a_face_in_the_middle() -> None:
    pane = Box(0, 0, 400, 400)
    seen = focus(Box(100, 60, 20, 20), pane)
    assert seen.zoom == 12
    assert seen.to_screen(Box(100, 60, 20, 20)) == Box(80, 80, 240, 240)


@given(boxes, views)
def test_every_corner_can_be_gripped(box: Box, view: Viewport) -> None:
    s = view.to_screen(box)
    corners = {
        "nw": (s.x, s.y), "ne": (s.right - 1, s.y), "sw": (s.x, s.bottom - 1),
        "se": (s.right - 1, s.bottom - 1),
    }  # fmt: skip
    if min(s.w, s.h) >= 8:
        for grip, point in corners.items():
            assert grip_at(box, view, point) == grip
    assert grip_at(box, view, (s.x + s.w // 2, s.y + s.h // 2)) == "move"
    assert grip_at(box, view, (s.right + 30, s.y)) == ""


@given(
    boxes,
    st.sampled_from(["n", "s", "e", "w", "ne", "sw"]),
    st.integers(-90, 90),
    st.integers(-90, 90),
)
def test_an_edge_never_passes_its_opposite(box: Box, grip: str, dx: int, dy: int) -> None:
    after = dragged(box, grip, dx, dy)
    assert after.w >= SMALLEST and after.h >= SMALLEST
    if "e" in grip:
        assert after.x == box.x
    if "w" in grip:
        assert after.right == box.right
    if "n" not in grip:
        assert after.y == box.y


def test_a_drawn_box_holds_both_ends() -> None:
    assert spanned((7, 9), (4, 12)) == Box(4, 9, 4, 4)
    assert within(Box(-3, 20, 8, 8), (16, 16)) == Box(0, 8, 8, 8)
    assert within(Box(0, 0, 99, 5), (16, 16)) == Box(0, 0, 16, 5)


def test_undo_and_redo() -> None:
    h = History(1).record(2).record(3).amend(4)
    assert h.now == 4 and h.undo().now == 2 and h.undo().undo().undo().now == 1
    assert h.undo().redo().now == 4
    assert h.undo().record(9).future == ()


def table(root: Path) -> Document:
    frame = open_frame(root / "samples" / "plumber.png")
    return opened(frame, 1, [(face, None) for face in find_faces(frame)], seed=3)  # type: ignore[misc]


def test_a_moved_box_forgets_what_was_read(root: Path) -> None:
    document = table(root)
    slot = document.slot
    assert slot is not None and document.number(slot.key) == 1
    moved = document.move_box(slot.key, Box(1, 2, 8, 8))
    assert moved.slot is not None and moved.slot.face.box == Box(1, 2, 8, 8)
    assert moved.slot.wish.seed == 3
    added = moved.add(slot.face)
    assert added.selected != slot.key and added.neighbour(1).selected == slot.key
    assert added.remove(added.selected).selected == slot.key
    assert document.remove(slot.key).selected == -1


def test_a_wish_becomes_options() -> None:
    wish = Wish(seed=5).with_trait("age", 70).with_trait("hair", "white").with_lock("view")
    made = wish.options(PortraitOptions(traits={"age": 20, "sex": 1}, size=64))
    assert made.traits == {"age": 70, "sex": 1, "hair": "white"} and made.size == 64
    assert made.lock == ("view",) and made.seed == 5
    assert wish.with_trait("age", None).traits == {"hair": "white"}
    assert wish.with_lock("view").lock == ()


def test_rows_offer_what_the_generator_knows() -> None:
    from spriteface.pulse.head import from_reading
    from spriteface.pulse.head.person import Person

    person = Person()
    for control in controls.CONTROLS:
        ends = [controls.from_fraction(control, f) for f in (0.0, 0.5, 1.0)]
        values = control.values or ends
        for value in values:
            if "." in control.name:
                person = person.with_value(control.name, value)
            else:
                from_reading.check_traits({control.name: value})
    offered = {c.name: set(c.values) for c in controls.CONTROLS if c.values and not c.colors}
    assert offered["headwear"] == set(from_reading.CHOICES["headwear"])


def test_locks_name_groups_of_the_search() -> None:
    from spriteface.pulse.likeness import LOCKS

    assert {c.group for c in controls.CONTROLS if c.group} <= set(LOCKS)


def test_rows_start_from_the_sprite(root: Path) -> None:
    from spriteface.extract.reading import read

    (face, *_) = find_faces(root / "samples" / "plumber.png")
    reading = read(face.pixels.rgba)
    by_name = {c.name: c for c in controls.CONTROLS}
    headwear, age, skin = by_name["headwear"], by_name["age"], by_name["skin"]
    assert controls.shown(headwear, {}, reading) not in ("", "none")
    assert controls.shown(headwear, {"headwear": "top_hat"}, reading) == "top hat"
    assert controls.stepped(age, {"age": 94}, reading, 5) == 95
    assert controls.stepped(headwear, {"headwear": "none"}, reading, 1) == "plumber_cap"
    assert controls.stepped(headwear, {"headwear": "none"}, reading, -1) == "ninja_mask"
    assert controls.swatch(skin, {}, reading) == tuple(reading.traits["skin_rgb"])
    assert controls.swatch(skin, {"skin": 10}, reading) == controls.MONK[9]
    assert controls.to_fraction(age, {}, reading) is None


@pytest.mark.parametrize("control", controls.CONTROLS, ids=lambda c: c.name)
def test_a_place_on_a_row_is_a_value_and_back(control: controls.Control) -> None:
    for fraction in (0.0, 0.2, 0.7, 1.0):
        value = controls.from_fraction(control, fraction)
        back = controls.to_fraction(control, {control.name: value}, None)
        assert back is not None and controls.from_fraction(control, back) == value


def test_the_window_expects_a_view_where_the_head_draws_it() -> None:
    from spriteface.pulse.words import YAW
    from spriteface.viewer.session import _yaw

    for view in ("three_quarter", "profile"):
        assert _yaw({"view": view, "side": "right"}) == YAW[view]
        assert _yaw({"view": view, "side": "left"}) == -YAW[view]
