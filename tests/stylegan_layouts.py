"""Checkpoint files in other people's layouts, with seeded random weights.

`data/stylegan_parity.json` lists every tensor's name and shape as the original code has them;
`data/stylegan_parity.npz` holds what the original code made of these weights on a CPU, in
float32. How a tensor is filled is written down in `fill` alone.
"""

from __future__ import annotations

import json
import pickle
import sys
import types
import zlib
from collections import OrderedDict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

DATA = Path(__file__).parent / "data"
SEED = 7


@cache
def description() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / "stylegan_parity.json").read_text())
    return found


@cache
def recorded() -> dict[str, np.ndarray]:
    with np.load(DATA / "stylegan_parity.npz") as data:
        return dict(data)


def normal(seed: int, *shape: int) -> Tensor:
    """Standard normal float32 from numpy's frozen generator, the same in every version."""
    drawn = np.random.RandomState(seed).standard_normal(shape)
    return torch.from_numpy(np.asarray(drawn, np.float32))


def fill(name: str, shape: list[int]) -> Tensor:
    """The weights of tensor `name`: standard normal, seeded by its name, scaled by its role."""
    v = normal((zlib.crc32(name.encode()) + SEED) % 2**32, *shape)
    if name.endswith("magnitude_ema"):
        v = v.abs() + 0.5
    if name.endswith(("affine.bias", "modulation.bias")):
        v = v * np.float32(0.1) + 1
    elif name.endswith("bias"):
        v = v * np.float32(0.3)
    if "noise_strength" in name or "noise.weight" in name:
        v = v * np.float32(0.2)
    if name.startswith(("fc", "style.")) or "mapping" in name or "dense" in name:
        v = v * (100 if name.endswith("weight") else 10 if name.endswith("bias") else 1)
    return v


def filled(shapes: dict[str, list[int]]) -> dict[str, Tensor]:
    return {name: fill(name, shape) for name, shape in shapes.items()}


def nvidia(which: str) -> dict[str, Tensor]:
    """sg2, sg3t or sg3r: the generator's tensors."""
    prefix = f"{which}.fixed."
    fixed = {
        key.removeprefix(prefix): torch.from_numpy(np.asarray(value))
        for key, value in recorded().items()
        if key.startswith(prefix)
    }
    return filled(description()[which]["shapes"]) | fixed


def _persistent(meta: Any) -> None:
    raise AssertionError("writing only")


class _Persistent:
    """Pickles as NVIDIA's modules do: through a function that would run the source."""

    source = "raise SystemExit('this source must never run')"

    def __init__(self, kind: str, **plain: Any) -> None:
        self.kind = kind
        self.state: dict[str, Any] = {
            "_parameters": OrderedDict(),
            "_buffers": OrderedDict(),
            "_modules": OrderedDict(),
            "_non_persistent_buffers_set": set(),
            "training": False,
            "bandwidths": np.arange(3.0),
            "cutoff": np.float64(2.5),
            **plain,
        }

    def __reduce__(self) -> Any:
        meta = {
            "type": "class",
            "version": 6,
            "module_src": self.source,
            "class_name": self.kind,
            "state": self.state,
        }
        return _persistent, (meta,)


def write_nvidia(
    path: Path, tensors: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch, **plain: Any
) -> Path:
    """A .pkl as NVIDIA's code writes it: {G, D, G_ema} of modules with their source."""
    root = _Persistent("Generator", **plain)
    for name, value in tensors.items():
        module = root
        *parents, leaf = name.split(".")
        for parent in parents:
            children = module.state["_modules"]
            module = children.setdefault(parent, _Persistent(parent, **plain))
        group = "_parameters" if leaf in ("weight", "bias", "const") else "_buffers"
        kept = torch.nn.Parameter(value) if group == "_parameters" else value
        module.state[group][leaf] = kept
    fake = types.ModuleType("torch_utils.persistence")
    fake._reconstruct_persistent_obj = _persistent  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "torch_utils", types.ModuleType("torch_utils"))
        patch.setitem(sys.modules, "torch_utils.persistence", fake)
        patch.setattr(_persistent, "__module__", "torch_utils.persistence")
        patch.setattr(_persistent, "__qualname__", "_reconstruct_persistent_obj")
        patch.setattr(_persistent, "__name__", "_reconstruct_persistent_obj")
        path.write_bytes(pickle.dumps({"G": None, "D": None, "G_ema": root, "augment_pipe": None}))
    return path


def rosinality() -> dict[str, Tensor]:
    return filled(description()["ros"]["shapes"])


def write_pulse(folder: Path) -> tuple[Path, Path]:
    """synthesis.pt and mapping.pt of the small 256 px StyleGAN1, the second in torch's old
    format."""
    parts = description()["pulse"]
    synthesis, mapping = folder / "synthesis.pt", folder / "mapping.pt"
    state = filled(parts["synthesis"])
    kernel = torch.tensor([1.0, 2.0, 1.0])
    state["blocks.8x8.conv0_up.intermediate.kernel"] = (kernel[:, None] * kernel)[None, None] / 16
    torch.save(OrderedDict(state), synthesis)
    torch.save(OrderedDict(filled(parts["mapping"])), mapping, _use_new_zipfile_serialization=False)
    return synthesis, mapping
