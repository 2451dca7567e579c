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

    def __init__(self, kind: str, source: str = source, **plain: Any) -> None:
        self.kind, self.source = kind, source
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


class _TfNetwork:
    """Pickles as NVIDIA's TensorFlow networks do."""

    __module__ = "dnnlib.tflib.network"
    __qualname__ = "Network"

    def __init__(self, variables: list[tuple[str, np.ndarray]], **components: _TfNetwork) -> None:
        self.__dict__.update(
            version=4,
            name="G",
            static_kwargs={"resolution": 64},
            components=components,
            build_module_src="raise SystemExit('this source must never run')",
            build_func_name="G_main",
            variables=variables,
        )


def tensorflow(tensors: dict[str, Tensor]) -> _TfNetwork:
    """The network of `nvidia("sg2")`, its tensors as TensorFlow's files name and turn them."""
    mapping, synthesis = [], []
    noise = 0
    for layer in range(3):
        for part in ("weight", "bias"):
            value = tensors[f"mapping.fc{layer}.{part}"].numpy()
            mapping.append((f"Dense{layer}/{part}", value.T))
    synthesis.append(("4x4/Const/const", tensors["synthesis.b4.const"].numpy()[None]))
    px = 4
    while f"synthesis.b{px}.const" in tensors or f"synthesis.b{px}.conv0.weight" in tensors:
        names = {"conv1": "Conv" if px == 4 else "Conv1", "torgb": "ToRGB"}
        names = names if px == 4 else {"conv0": "Conv0_up", **names}
        for ours, theirs in names.items():
            source, target = f"synthesis.b{px}.{ours}", f"{px}x{px}/{theirs}"
            kernel = tensors[f"{source}.weight"].numpy().transpose(2, 3, 1, 0)
            kernel = kernel[::-1, ::-1] if ours == "conv0" else kernel
            synthesis.append((f"{target}/weight", kernel))
            synthesis.append((f"{target}/bias", tensors[f"{source}.bias"].numpy()))
            synthesis.append((f"{target}/mod_weight", tensors[f"{source}.affine.weight"].numpy().T))
            synthesis.append((f"{target}/mod_bias", tensors[f"{source}.affine.bias"].numpy() - 1))
            if ours != "torgb":
                strength = tensors[f"{source}.noise_strength"].numpy()
                synthesis.append((f"{target}/noise_strength", strength))
                grain = tensors[f"{source}.noise_const"].numpy()[None, None]
                synthesis.append((f"noise{noise}", grain))
                noise += 1
        px *= 2
    parts = {"mapping": _TfNetwork(mapping), "synthesis": _TfNetwork(synthesis)}
    average = [("dlatent_avg", tensors["mapping.w_avg"].numpy())]
    return _TfNetwork(average, **parts)


def write_tensorflow(
    path: Path, monkeypatch: pytest.MonkeyPatch, tensors: dict[str, Tensor] | None = None
) -> Path:
    """A .pkl (G, D, Gs) as NVIDIA's TensorFlow code writes it."""
    network = tensorflow(tensors or nvidia("sg2"))
    modules = {name: types.ModuleType(name) for name in ("dnnlib", "dnnlib.tflib")}
    modules["dnnlib.tflib.network"] = types.ModuleType("dnnlib.tflib.network")
    modules["dnnlib.tflib.network"].Network = _TfNetwork  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        for name, module in modules.items():
            patch.setitem(sys.modules, name, module)
        path.write_bytes(pickle.dumps((_TfNetwork([]), _TfNetwork([]), network)))
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
