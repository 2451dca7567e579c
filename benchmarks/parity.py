"""Full-size networks against the original code: PULSE's StyleGAN1 and StyleGAN2-ADA config f.

    python -m benchmarks parity

Seeded weights, W+ and noise as in tests/stylegan_layouts.py; every 16th pixel and a crop of
what the original code made of them in float32 are kept in tests/data/stylegan_parity.npz.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import torch

from benchmarks.machine import describe
from spriteface.pulse.stylegan import StyleGan
from spriteface.pulse.stylegan1 import StyleGan1
from spriteface.pulse.stylegan2 import StyleGan2
from tests import stylegan_layouts as layouts

TOLERANCE = 1e-4


def network(which: str) -> StyleGan:
    state = layouts.filled(layouts.description()[which]["shapes"])
    if which == "full1":
        state = {f"synthesis.{k}": v for k, v in state.items()}
        print(f"StyleGAN1: {sum(v.numel() for v in state.values()):,} elements")
        state |= {"prior.mean": torch.zeros(512), "prior.std": torch.ones(512)}
        return StyleGan1(state, {})
    return StyleGan2(state, {"conv_clamp": 256.0})


def main() -> None:
    torch.set_num_threads(1)
    print(describe())
    arrays = layouts.recorded()
    worst = 0.0
    for which in ("full1", "full2"):
        net = network(which)
        w = layouts.normal(2, 1, 18, 512)
        noise = None
        if which == "full1":
            noise = [layouts.normal(100 + i, 1, 1, *s) for i, s in enumerate(net.noise_shapes())]
        started = time.process_time()
        with torch.no_grad():
            image = net.network(w, noise, 1024, half=False).numpy()
        spent = time.process_time() - started
        differences = (
            np.abs(image[..., ::16, ::16] - arrays[f"{which}.image"]).max(),
            np.abs(image[..., 500:532, 500:532] - arrays[f"{which}.crop"]).max(),
        )
        worst = max(worst, *differences)
        print(
            f"{which}: {spent:.1f} CPU-s, std {image.std():.2f}, largest difference {max(differences):.1e}"
        )
    sys.exit(0 if worst < TOLERANCE else f"above {TOLERANCE}")


if __name__ == "__main__":
    main()
