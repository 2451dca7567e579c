"""The checkpoint families we can load: one record each, in one explicit list.

To add one: write its `detect` (names and shapes decide, never a file's name), its `canonical`
(its tensors to our layout) and its `load`, and put a record into FAMILIES. Hyper-parameters
are read from tensor shapes; `config` carries the few plain values that no shape tells.
No torch here until `load` is called.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import GeneratorError
from .checkpoint import Array, Arrays

if TYPE_CHECKING:
    from .stylegan import StyleGan

Values = Mapping[str, Any]
Canonical = tuple[Arrays, dict[str, Any]]  # tensors in our layout, config


@dataclass(frozen=True)
class Family:
    """A way in which generators come.

    `detect(tensors)` recognises the tensors of all its files together; `canonical(tensors,
    values)` gives ours; `network()` imports and returns the class that runs them. `files`
    says what people have.
    """

    id: str
    summary: str
    files: str
    detect: Callable[[Arrays], bool]
    canonical: Callable[[Arrays, Values], Canonical]
    network: Callable[[], type[StyleGan]]


def _stylegan1() -> type[StyleGan]:
    from .stylegan1 import StyleGan1

    return StyleGan1


def _stylegan2() -> type[StyleGan]:
    from .stylegan2 import StyleGan2

    return StyleGan2


def _stylegan3() -> type[StyleGan]:
    from .stylegan3 import StyleGan3

    return StyleGan3


def own_config(values: Values) -> dict[str, Any]:
    """The plain values that our own form keeps beside its tensors; {} for other files."""
    try:
        found = json.loads(str(values.get("config", "{}")))
    except ValueError:
        return {}
    numbers = found.items() if isinstance(found, dict) else ()
    return {key: value for key, value in numbers if isinstance(value, (int, float))}


# PULSE's StyleGAN1


def _is_pulse(tensors: Arrays) -> bool:
    return any(
        re.fullmatch(r"(synthesis\.)?blocks\.4x4\.const|(mapping\.)?dense0\.weight", key)
        for key in tensors
    )


def _from_pulse(tensors: Arrays, values: Values) -> Canonical:
    out: Arrays = {}
    for key, value in tensors.items():
        if key in ("mean", "std"):
            out[f"prior.{key}"] = value
        elif key.startswith("dense"):
            out[f"mapping.{key}"] = value
        elif key.startswith(("blocks.", "torgb.")):
            out[f"synthesis.{key}"] = value
        elif key.startswith(("synthesis.", "mapping.", "prior.", "probe.", "bank.")):
            out[key] = value
    out = {key: value for key, value in out.items() if not key.endswith("intermediate.kernel")}
    if not any(key.startswith("synthesis.") for key in out):
        raise GeneratorError(
            "a StyleGAN1 mapping network without its synthesis network",
            "add both files together: `spriteface models add mapping.pt synthesis.pt`",
        )
    if "mapping.dense0.weight" not in out and "prior.mean" not in out:
        raise GeneratorError(
            "a StyleGAN1 synthesis network alone",
            "add PULSE's mapping.pt or gaussian_fit.pt with it: "
            "`spriteface models add synthesis.pt gaussian_fit.pt`",
        )
    return out, {}


# NVIDIA's StyleGAN2 and StyleGAN3


def _generator_part(tensors: Arrays) -> Arrays:
    """The tensors of `G_ema`, else of `G`, else all; without the prefix."""
    for prefix in ("G_ema.", "G."):
        part = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
        if part:
            return part
    return tensors


def _is_nvidia2(tensors: Arrays) -> bool:
    return "synthesis.b4.const" in _generator_part(tensors)


def _clamp(values: Values) -> dict[str, Any]:
    """The layers' activation clamp; None where a file says none (fp32 training)."""
    found = [v for k, v in values.items() if k.startswith("G_ema.") and k.endswith(".conv_clamp")]
    return {"conv_clamp": float(found[0])} if found else {}


def _keep(tensors: Arrays, prefixes: tuple[str, ...], drop: tuple[str, ...]) -> Arrays:
    return {k: v for k, v in tensors.items() if k.startswith(prefixes) and not k.endswith(drop)}


_OURS = ("mapping.", "synthesis.", "prior.", "probe.", "bank.")


def _from_nvidia2(tensors: Arrays, values: Values) -> Canonical:
    out = _keep(_generator_part(tensors), _OURS, (".resample_filter",))
    if any(".skip." in key for key in out):
        raise GeneratorError(
            "a StyleGAN2 of the residual kind", "only the skip architecture (the usual one) is read"
        )
    if not any(key.startswith("mapping.") for key in out):
        raise GeneratorError("a StyleGAN2 without its mapping network", "add the whole .pkl")
    return out, _clamp(values)


def _is_nvidia3(tensors: Arrays) -> bool:
    return "synthesis.input.freqs" in _generator_part(tensors)


def _from_nvidia3(tensors: Arrays, values: Values) -> Canonical:
    out = _keep(_generator_part(tensors), _OURS, ())
    config = _clamp(values)
    for key, name in (
        ("G_ema.synthesis.margin_size", "margin_size"),
        ("G_ema.synthesis.output_scale", "output_scale"),
        ("G_ema.synthesis.input.bandwidth", "first_cutoff"),
    ):
        if key in values:
            config[name] = float(values[key])
    return out, config


# NVIDIA's StyleGAN2 of TensorFlow times: a tuple (G, D, Gs)


def _is_tensorflow2(tensors: Arrays) -> bool:
    return "2.synthesis/4x4/Conv/mod_weight" in tensors


def _tensorflow_layer(source: Arrays, name: str, target: str, out: Arrays) -> None:
    """One convolution: kernels as (h, w, in, out), those that upscale turned by 180 degrees;
    style biases lack their 1."""
    kernel = source[f"{name}/weight"]
    if name.endswith("Conv0_up"):
        kernel = kernel[::-1, ::-1]
    out[f"{target}.weight"] = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
    out[f"{target}.bias"] = source[f"{name}/bias"]
    out[f"{target}.affine.weight"] = np.ascontiguousarray(source[f"{name}/mod_weight"].T)
    out[f"{target}.affine.bias"] = source[f"{name}/mod_bias"] + np.float32(1)
    if f"{name}/noise_strength" in source:
        out[f"{target}.noise_strength"] = source[f"{name}/noise_strength"]


def _from_tensorflow2(tensors: Arrays, values: Values) -> Canonical:
    source = {k.removeprefix("2."): v for k, v in tensors.items() if k.startswith("2.")}
    if any("ToRGB_lod" in key or "/Skip/" in key for key in source):
        raise GeneratorError(
            "a StyleGAN2 without skip outputs", "only the skip architecture (the usual one) is read"
        )
    out: Arrays = {"synthesis.b4.const": source["synthesis/4x4/Const/const"][0]}
    layer = 0
    while f"mapping/Dense{layer}/weight" in source:
        weight = source[f"mapping/Dense{layer}/weight"]
        out[f"mapping.fc{layer}.weight"] = np.ascontiguousarray(weight.T)
        out[f"mapping.fc{layer}.bias"] = source[f"mapping/Dense{layer}/bias"]
        layer += 1
    px, noise = 4, 0
    while f"synthesis/{px}x{px}/ToRGB/weight" in source:
        convs = {"Conv": "conv1"} if px == 4 else {"Conv0_up": "conv0", "Conv1": "conv1"}
        for theirs, ours in convs.items():
            target = f"synthesis.b{px}.{ours}"
            _tensorflow_layer(source, f"synthesis/{px}x{px}/{theirs}", target, out)
            out[f"{target}.noise_const"] = source[f"synthesis/noise{noise}"][0, 0]
            noise += 1
        _tensorflow_layer(source, f"synthesis/{px}x{px}/ToRGB", f"synthesis.b{px}.torgb", out)
        px *= 2
    return out, {}


# rosinality's StyleGAN2


def _rosinality_part(tensors: Arrays) -> Arrays:
    for prefix in ("g_ema.", "g."):
        part = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
        if "input.input" in part:
            return part
    return tensors


def _is_rosinality(tensors: Arrays) -> bool:
    return "input.input" in _rosinality_part(tensors)


def _rosinality_layer(source: Arrays, name: str, target: str, out: Arrays, rgb: bool) -> None:
    """One convolution: weights lose their leading 1, and where they are demodulated take the
    equalised learning rate in, which our layout leaves out."""
    weight = source[f"{name}.conv.weight"][0]
    scale = 1.0 if rgb else 1 / np.sqrt(weight[0].size)
    out[f"{target}.weight"] = (weight * np.float32(scale)).astype(np.float32)
    for part in ("weight", "bias"):
        out[f"{target}.affine.{part}"] = source[f"{name}.conv.modulation.{part}"]
    if rgb:
        out[f"{target}.bias"] = source[f"{name}.bias"].reshape(3)
    else:
        out[f"{target}.bias"] = source[f"{name}.activate.bias"]
        out[f"{target}.noise_strength"] = source[f"{name}.noise.weight"].reshape(())


def _rosinality_noise(source: Arrays, index: int, px: int) -> Array:
    """The stored noise map, or (early files had none) a fixed one."""
    found = source.get(f"noises.noise_{index}")
    if found is not None:
        return found.reshape(px, px)
    random = np.random.Generator(np.random.PCG64(index))
    return random.standard_normal((px, px)).astype(np.float32)


def _from_rosinality(tensors: Arrays, values: Values) -> Canonical:
    source = _rosinality_part(tensors)
    out: Arrays = {"synthesis.b4.const": source["input.input"][0]}
    for key, value in source.items():
        if match := re.fullmatch(r"style\.(\d+)\.(weight|bias)", key):
            out[f"mapping.fc{int(match[1]) - 1}.{match[2]}"] = value
    if "mapping.fc0.weight" not in out:
        raise GeneratorError("a StyleGAN2 without its mapping network", "add the whole .pt")
    _rosinality_layer(source, "conv1", "synthesis.b4.conv1", out, rgb=False)
    _rosinality_layer(source, "to_rgb1", "synthesis.b4.torgb", out, rgb=True)
    out["synthesis.b4.conv1.noise_const"] = _rosinality_noise(source, 0, 4)
    block = 0
    while f"convs.{2 * block}.conv.weight" in source:
        px = 8 << block
        for i in (0, 1):
            name, target = f"convs.{2 * block + i}", f"synthesis.b{px}.conv{i}"
            _rosinality_layer(source, name, target, out, rgb=False)
            out[f"{target}.noise_const"] = _rosinality_noise(source, 2 * block + 1 + i, px)
        _rosinality_layer(source, f"to_rgbs.{block}", f"synthesis.b{px}.torgb", out, rgb=True)
        block += 1
    return out, {}


FAMILIES: tuple[Family, ...] = (
    Family(
        "stylegan1",
        "StyleGAN1 as PULSE used it",
        "synthesis.pt with mapping.pt and/or gaussian_fit.pt",
        _is_pulse,
        _from_pulse,
        _stylegan1,
    ),
    Family(
        "stylegan2",
        "NVIDIA's StyleGAN2 and StyleGAN2-ADA",
        "a .pkl written by NVIDIA's PyTorch code",
        _is_nvidia2,
        _from_nvidia2,
        _stylegan2,
    ),
    Family(
        "stylegan2-tensorflow",
        "NVIDIA's StyleGAN2 of TensorFlow times",
        "a .pkl written by NVIDIA's TensorFlow code, e.g. stylegan2-ffhq-config-f.pkl",
        _is_tensorflow2,
        _from_tensorflow2,
        _stylegan2,
    ),
    Family(
        "stylegan3",
        "NVIDIA's StyleGAN3, T and R",
        "a .pkl written by NVIDIA's PyTorch code",
        _is_nvidia3,
        _from_nvidia3,
        _stylegan3,
    ),
    Family(
        "stylegan2-rosinality",
        "StyleGAN2 as trained with rosinality's code",
        "a .pt with g_ema",
        _is_rosinality,
        _from_rosinality,
        _stylegan2,
    ),
)


def family_of(tensors: Arrays) -> Family:
    """The family that these tensors belong to.

    Raises:
        GeneratorError: none of them.
    """
    for family in FAMILIES:
        if family.detect(tensors):
            return family
    some = ", ".join(sorted(tensors)[:4])
    if set(tensors) == {"mean", "std"}:
        raise GeneratorError("a gaussian fit alone", "add it together with synthesis.pt")
    known = "; ".join(f"{family.summary} ({family.files})" for family in FAMILIES)
    raise GeneratorError(f"an unknown kind of network (tensors {some}, ...)", f"known: {known}")


def family_named(name: str) -> Family:
    for family in FAMILIES:
        if family.id == name:
            return family
    raise GeneratorError(f"family {name!r} is unknown to this version", "update spriteface")


def check_finite(tensors: Arrays) -> None:
    """Raises:
    GeneratorError: a tensor holds NaN or infinity.
    """
    for key, value in tensors.items():
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise GeneratorError(
                f"tensor {key} holds NaN or infinity where weights are finite",
                "download the file again",
            )
