"""Every family at every size from 64 to 1024 px: narrow networks in the files of their own people,
read, recognised, drawn. Sizes are told from tensors alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from spriteface.pulse.checkpoint import read
from spriteface.pulse.families import family_of

from . import stylegan_layouts as layouts

WIDTH, CHANNELS = 8, 4
Shapes = dict[str, list[int]]


def mapping(prefix: str, layers: int) -> Shapes:
    shapes: Shapes = {}
    for i in range(layers):
        shapes |= {f"{prefix}{i}.weight": [WIDTH, WIDTH], f"{prefix}{i}.bias": [WIDTH]}
    return shapes


def sizes(px: int) -> list[int]:
    return [2**i for i in range(2, px.bit_length())]


def stylegan2(px: int) -> dict[str, Tensor]:
    shapes = mapping("mapping.fc", 3) | {"mapping.w_avg": [WIDTH]}
    shapes["synthesis.b4.const"] = [CHANNELS, 4, 4]
    for r in sizes(px):
        for layer in ("conv1", "torgb") if r == 4 else ("conv0", "conv1", "torgb"):
            name, rgb = f"synthesis.b{r}.{layer}", layer == "torgb"
            shapes[f"{name}.weight"] = [3, CHANNELS, 1, 1] if rgb else [CHANNELS, CHANNELS, 3, 3]
            shapes[f"{name}.bias"] = [3 if rgb else CHANNELS]
            shapes |= {f"{name}.affine.weight": [CHANNELS, WIDTH]}
            shapes |= {f"{name}.affine.bias": [CHANNELS]}
            if not rgb:
                shapes |= {f"{name}.noise_const": [r, r], f"{name}.noise_strength": []}
    return layouts.filled(shapes)


def rosinality(px: int) -> dict[str, Tensor]:
    shapes = mapping("style.", 4)
    del shapes["style.0.weight"], shapes["style.0.bias"]  # style.0 normalises
    shapes["input.input"] = [1, CHANNELS, 4, 4]
    layers = ["conv1", *(f"convs.{i}" for i in range(2 * len(sizes(px)) - 2))]
    outputs = ["to_rgb1", *(f"to_rgbs.{i}" for i in range(len(sizes(px)) - 1))]
    for name in layers:
        shapes[f"{name}.conv.weight"] = [1, CHANNELS, CHANNELS, 3, 3]
        shapes |= {f"{name}.noise.weight": [1], f"{name}.activate.bias": [CHANNELS]}
    for name in outputs:
        shapes |= {f"{name}.conv.weight": [1, 3, CHANNELS, 1, 1], f"{name}.bias": [1, 3, 1, 1]}
    for name in (*layers, *outputs):
        shapes[f"{name}.conv.modulation.weight"] = [CHANNELS, WIDTH]
        shapes[f"{name}.conv.modulation.bias"] = [CHANNELS]
    for i in range(len(layers)):
        shapes[f"noises.noise_{i}"] = [1, 1, *[2 ** ((i + 5) // 2)] * 2]
    return layouts.filled(shapes)


def stylegan1(px: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    shapes: Shapes = {"torgb.weight": [3, CHANNELS, 1, 1], "torgb.bias": [3]}
    for r in sizes(px):
        block = f"blocks.{r}x{r}"
        shapes |= (
            {f"{block}.const": [1, CHANNELS, 4, 4], f"{block}.bias": [CHANNELS]} if r == 4 else {}
        )
        for conv in ("conv",) if r == 4 else ("conv0_up", "conv1"):
            shapes[f"{block}.{conv}.weight"] = [CHANNELS, CHANNELS, 3, 3]
            shapes[f"{block}.{conv}.bias"] = [CHANNELS]
        for epilogue in ("epi1", "epi2"):
            shapes[f"{block}.{epilogue}.noise.weight"] = [CHANNELS]
            shapes[f"{block}.{epilogue}.style_mod.lin.weight"] = [2 * CHANNELS, WIDTH]
            shapes[f"{block}.{epilogue}.style_mod.lin.bias"] = [2 * CHANNELS]
    return layouts.filled(shapes), layouts.filled(mapping("dense", 8))


def stylegan3(px: int, radial: bool, channels: int = 2) -> dict[str, Tensor]:
    """Layers as the paper plans them (appendix): cutoffs and stopbands in geometric progression
    over 14 layers, of which the last two are critically sampled; sampling rates are powers of two."""
    steps = np.minimum(np.arange(15) / 12, 1)
    first_stop, last_stop = 2**2.1, px / 2 * 2**0.3
    cutoffs = 2 * (px / 2 / 2) ** steps
    stops = first_stop * (last_stop / first_stop) ** steps
    rates = np.exp2(np.ceil(np.log2(np.minimum(stops * 2, px))))
    outs = np.where(np.arange(15) < 13, rates + 20, px).astype(int)
    assert np.all(cutoffs <= rates / 2)
    shapes = mapping("mapping.fc", 2) | {"mapping.w_avg": [WIDTH]}
    shapes |= {
        "synthesis.input.weight": [channels, channels],
        "synthesis.input.freqs": [channels, 2],
    }
    shapes |= {"synthesis.input.phases": [channels], "synthesis.input.transform": [3, 3]}
    shapes |= {"synthesis.input.affine.weight": [4, WIDTH], "synthesis.input.affine.bias": [4]}
    fixed: dict[str, Tensor] = {}
    kernel = 1 if radial else 3
    for i in range(15):
        last = i == 14
        name, rate_in = f"synthesis.L{i}_{outs[i]}_{3 if last else channels}", rates[max(i - 1, 0)]
        work = max(rate_in, rates[i]) * (1 if last else 2)
        k = 1 if last else kernel
        shapes[f"{name}.weight"] = [3 if last else channels, channels, k, k]
        shapes |= {f"{name}.bias": [3 if last else channels], f"{name}.magnitude_ema": []}
        shapes |= {f"{name}.affine.weight": [channels, WIDTH], f"{name}.affine.bias": [channels]}
        for which, factor in (("up", work / rate_in), ("down", work / rates[i])):
            if factor > 1:
                n = int(6 * factor)
                flat = radial and which == "down" and i < 13
                taps = torch.full((n, n) if flat else (n,), 1.0)
                fixed[f"{name}.{which}_filter"] = taps / taps.sum()
    return layouts.filled(shapes) | fixed


LAYOUTS = ("stylegan1", "stylegan2", "stylegan2-tensorflow", "stylegan2-rosinality")


SIZES = (64, 128, 256, 512, 1024)
CASES = [(layout, px) for layout in LAYOUTS for px in SIZES]
CASES += [("stylegan3-t", px) for px in (64, 256, 1024)]  # the largest takes seconds
CASES += [("stylegan3-r", px) for px in (64, 128, 512)]


@pytest.mark.parametrize(("layout", "px"), CASES)
def test_read_and_drawn(
    layout: str, px: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [tmp_path / "a"]
    if layout == "stylegan1":
        paths.append(tmp_path / "b")
        for part, path in zip(stylegan1(px), paths):
            torch.save(part, path)
    elif layout == "stylegan2-rosinality":
        torch.save({"g_ema": rosinality(px)}, paths[0])
    elif layout == "stylegan2-tensorflow":
        layouts.write_tensorflow(paths[0], monkeypatch, stylegan2(px))
    elif layout == "stylegan2":
        layouts.write_nvidia(paths[0], stylegan2(px), monkeypatch)
    else:
        layouts.write_nvidia(paths[0], stylegan3(px, layout[-1] == "r"), monkeypatch)
    parts = [read(path) for path in paths]
    tensors = {k: v for part in parts for k, v in part.tensors.items()}
    family = family_of(tensors)
    assert layout.startswith(family.id)
    state, config = family.canonical(tensors, parts[0].values)
    network = family.network()({k: torch.from_numpy(v) for k, v in state.items()}, config)
    assert network.info.resolution == px and network.info.latent_shape[1] == WIDTH
    latents = network.sample(1, 0)
    image = network.render(latents)
    assert image.shape == (1, 3, px, px) and bool(torch.isfinite(image).all())
    assert float(image.std()) > 0.001
    if "stylegan3" not in layout:  # uncut, without probes, its preview is the whole picture again
        with torch.no_grad():
            assert network.preview(latents, 32).shape == (1, 3, 32, 32)
