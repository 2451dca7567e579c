"""Both search recipes on the same weights: CPU-seconds, steps, final loss, in one run.

    python -m benchmarks search                     the small trained StyleGAN2 of tests/data:
                                                    9 targets, 3 seeds, both recipes
    python -m benchmarks search --short             one target of each kind, one seed
    python -m benchmarks search --model NAME        an installed checkpoint
    python -m benchmarks search --wide 256          the small one in a body of full width: the
                                                    same pictures, so the same losses, at what a
                                                    published network costs: seconds by three
                                                    published steps, losses by whole runs
    python -m benchmarks search --wide 512 --whole --kind sprite --targets 1 --seeds 1
                                                    the same with both recipes run to their ends
    python -m benchmarks search --wide 1024 --lean  losses of all pairs at 1024 px, whose pictures
                                                    are the small one's, enlarged by a matrix
    python -m benchmarks search --wide 1024 --lean --noise 0.1
                                                    the same where noise shows: the small one was
                                                    trained with next to none
    python -m benchmarks search --probe             cuts of the small one through a linear probe, as
                                                    networks without small outputs are cut
    python -m benchmarks search --full              a full-size StyleGAN1 of random weights:
                                                    cost only

Loss is the true one: mean squared error of the full-size picture, downscaled by PULSE's
bicubic for both recipes. CPU-seconds of this process on one thread, so that a busy machine
changes them little.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from benchmarks.machine import describe
from spriteface.pulse.downscale import downscale
from spriteface.pulse.generator import load_generator
from spriteface.pulse.loss import geocross, weighted_mse
from spriteface.pulse.search import SearchResult, diversity, search, search_all
from spriteface.pulse.stylegan import StyleGan, fit_probe, half_works, make_bank, probe_rows
from spriteface.pulse.stylegan1 import StyleGan1
from spriteface.pulse.stylegan2 import StyleGan2
from spriteface.pulse.target import Target, make_target

ROOT = Path(__file__).parents[1]
SMALL = ROOT / "tests" / "data" / "heads128.safetensors"


def small_network(noise: float = 0.0) -> StyleGan2:
    """heads128; `noise`: how strong its layers' noise is, 0 for as trained (below 0.0014)."""
    from safetensors.torch import load_file

    state = load_file(SMALL)
    if noise:
        state |= {key: torch.tensor(noise) for key in state if key.endswith(".noise_strength")}
    network = StyleGan2(state, {}, name="heads128", licence="MIT")
    if "bank.z" not in network.state:
        network.state.update(make_bank(network))
    return network


def enlarging(n: int, px: int) -> torch.Tensor:
    """(px, n): a row of n pixels to px by StyleGAN2's [1 3 3 1], doubling by doubling."""
    rows, taps = torch.eye(n)[:, None], torch.tensor([[[1.0, 3.0, 3.0, 1.0]]]) / 4
    while rows.shape[-1] < px:
        rows = F.conv_transpose1d(rows, taps, stride=2, padding=1)
    return rows[:, 0].T.contiguous()


class Enlarged(StyleGan2):
    """What `widened` draws, at next to no cost: the small network's pictures, enlarged as blocks
    without content of their own enlarge them. For losses alone."""

    def __init__(self, small: StyleGan2, px: int) -> None:
        self.px = px
        super().__init__(small.state, {}, name=f"heads128 enlarged to {px} px", licence="MIT")
        self.half = half_works("cpu")  # as the wide body's
        self.info.extra["recipe"] = self.recipe_hints()

    def read_resolution(self) -> int:
        self.own_px = super().read_resolution()
        return self.px

    def read_styles(self) -> tuple[int, int]:
        return 2 * (self.px.bit_length() - 2), super().read_styles()[1]

    def noise_shapes(self) -> list[tuple[int, int]]:
        shapes, r = super().noise_shapes(), 2 * self.own_px
        while r <= self.px:
            shapes, r = [*shapes, (r, r), (r, r)], 2 * r
        return shapes

    def network(
        self, w: torch.Tensor, noise: Sequence[torch.Tensor] | None, px: int, half: bool
    ) -> torch.Tensor:
        image = super().network(w, noise, min(px, self.own_px), half)
        if px <= self.own_px:
            return image
        rows = enlarging(self.own_px, px)
        return rows @ (image @ rows.T)


def widened(small: StyleGan2, px: int) -> StyleGan2:
    """The same pictures from a network as wide as the published ones (config f), `px` px: added
    channels and blocks are zero, so that it costs what they cost."""
    state = {k: v.clone() for k, v in small.state.items() if k.startswith(("mapping.", "prior."))}
    random = torch.Generator().manual_seed(0)
    before_old = before = 0
    for r in [2**i for i in range(2, px.bit_length())]:
        wide, block = min(32768 // r, 512), f"synthesis.b{r}"
        old = small.state.get(f"{block}.torgb.weight")
        narrow = 0 if old is None else old.shape[1]
        if r == 4:
            const = small.state[f"{block}.const"]
            state[f"{block}.const"] = F.pad(const, (0, 0, 0, 0, 0, wide - narrow))
        for conv in ("conv1",) if r == 4 else ("conv0", "conv1"):
            name = f"{block}.{conv}"
            inputs, had = (before, before_old) if conv == "conv0" else (wide, narrow)
            empty = {
                "weight": torch.zeros(0, 0, 3, 3),
                "bias": torch.zeros(0),
                "affine.weight": torch.zeros(0, small.width),
                "affine.bias": torch.zeros(0),
                "noise_const": torch.randn(r, r, generator=random),
                "noise_strength": torch.zeros(()),
            }
            given = {part: small.state.get(f"{name}.{part}", v) for part, v in empty.items()}
            if not narrow:
                had = 0
            grow = (0, 0, 0, 0, 0, inputs - given["weight"].shape[1])
            state[f"{name}.weight"] = F.pad(given["weight"], (*grow, 0, wide - narrow))
            state[f"{name}.bias"] = F.pad(given["bias"], (0, wide - narrow))
            state[f"{name}.affine.weight"] = F.pad(given["affine.weight"], (0, 0, 0, inputs - had))
            state[f"{name}.affine.bias"] = F.pad(given["affine.bias"], (0, inputs - had), value=1.0)
            state[f"{name}.noise_const"] = given["noise_const"]
            state[f"{name}.noise_strength"] = given["noise_strength"]
        rgb = f"{block}.torgb"
        if old is None:
            state[f"{rgb}.weight"] = torch.zeros(3, wide, 1, 1)
            state[f"{rgb}.affine.weight"] = torch.zeros(wide, small.width)
            state[f"{rgb}.affine.bias"] = torch.ones(wide)
            state[f"{rgb}.bias"] = torch.zeros(3)
        else:
            scale = (wide / narrow) ** 0.5  # its equalised learning rate divides by sqrt(inputs)
            state[f"{rgb}.weight"] = F.pad(old * scale, (0, 0, 0, 0, 0, wide - narrow))
            weight, bias = (small.state[f"{rgb}.affine.{p}"] for p in ("weight", "bias"))
            state[f"{rgb}.affine.weight"] = F.pad(weight, (0, 0, 0, wide - narrow))
            state[f"{rgb}.affine.bias"] = F.pad(bias, (0, wide - narrow), value=1.0)
            state[f"{rgb}.bias"] = small.state[f"{rgb}.bias"]
        before, before_old = wide, narrow
    return StyleGan2(state, {}, name=f"heads128 in a body of {px} px", licence="MIT")


def reachable(network: StyleGan, count: int) -> list[tuple[str, Target]]:
    """Downscaled pictures of people whom the network knows: a loss of 0 exists."""
    targets = []
    for i in range(count):
        with torch.no_grad():
            picture = network.render(network.sample(1, 900 + i))
            small = downscale(picture, (16, 16), "bicubic")[0]
        targets.append((f"own face {i}", Target(small.clamp(0, 1), torch.ones(1, 16, 16))))
    return targets


def unseen(count: int) -> list[tuple[str, Target]]:
    """Heads that no network was trained on, at 16x16."""
    head = load_generator("head")
    targets = []
    for i in range(count):
        with torch.no_grad():
            picture = head.preview(head.sample(1, 50_000 + i), 256)
            small = downscale(picture, (16, 16), "bicubic")[0]
        targets.append((f"head {i}", Target(small.clamp(0, 1), torch.ones(1, 16, 16))))
    return targets


def sprites() -> list[tuple[str, Target]]:
    """The 16x16 faces of samples/."""
    from PIL import Image

    targets = []
    for path in sorted((ROOT / "samples").glob("*.png")):
        rgba = np.array(Image.open(path).convert("RGBA"))
        if rgba.shape[:2] == (16, 16):
            targets.append((path.stem, make_target(rgba)))
    return targets


def timed(network: StyleGan, target: Target, recipe: str, seed: int) -> tuple[SearchResult, float]:
    started = time.process_time()
    result = search(network, target, recipe=recipe, seed=seed, operator="bicubic")
    return result, time.process_time() - started


def true_loss(result: SearchResult, target: Target) -> float:
    small = downscale(result.image[None], target.size, "bicubic")
    return float(weighted_mse(small, target)[0])


@dataclass(frozen=True)
class Run:
    """One search: what it cost and how near it came."""

    target: str
    seed: int
    seconds: float
    steps: int
    loss: float
    cross: float  # GEOCROSS: how far apart the rows of W+ are, unnatural where much


def compare(network: StyleGan, targets: list[tuple[str, Target]], seeds: int) -> None:
    """Both recipes on every target with every seed, and the two side by side."""
    print(
        f"{'target':16} seed {'recipe':8} {'CPU-s':>7} {'steps':>6} {'MSE':>10} {'dB':>6} {'cross':>6}"
    )
    runs: dict[str, list[Run]] = {"pulse": [], "default": []}
    for name, target in targets:
        for seed in range(seeds):
            for recipe, done in runs.items():
                result, spent = timed(network, target, recipe, seed)
                loss = true_loss(result, target)
                cross = float(geocross(network.to_w_plus(result.latents.z)))
                done.append(Run(name, seed, spent, result.steps, loss, cross))
                print(
                    f"{name:16} {seed:4} {recipe:8} {spent:7.2f} {result.steps:6} {loss:10.6f} "
                    f"{-10 * np.log10(loss):6.2f} {cross:6.2f}",
                    flush=True,
                )
    print(
        f"\n{'recipe':8} {'CPU-s median':>12} {'worst':>7} {'steps':>6} {'MSE median':>11} {'worst':>10}"
    )
    for recipe, done in runs.items():
        seconds, losses = [r.seconds for r in done], [r.loss for r in done]
        print(
            f"{recipe:8} {statistics.median(seconds):12.2f} {max(seconds):7.2f} "
            f"{statistics.median(r.steps for r in done):6.0f} "
            f"{statistics.median(losses):11.6f} {max(losses):10.6f}"
        )
    pairs = list(zip(runs["pulse"], runs["default"]))
    faster = [p.seconds / d.seconds for p, d in pairs]
    losses = [d.loss / p.loss for p, d in pairs]
    crosses = [statistics.median(r.cross for r in done) for done in runs.values()]
    print(f"GEOCROSS, median: pulse {crosses[0]:.2f}, default {crosses[1]:.2f}")
    print(
        f"default over pulse, {len(pairs)} pairs: {statistics.median(faster):.1f} times faster "
        f"(median; least {min(faster):.1f}); its final loss is {statistics.median(losses):.2f} times "
        f"the published one's (median; most {max(losses):.2f}), no worse in "
        f"{sum(ratio <= 1 for ratio in losses)}"
    )


def people(network: StyleGan, target: Target) -> None:
    started = time.process_time()
    found = search_all(network, target, count=4, seed=1, operator="bicubic")
    spent = time.process_time() - started
    decibels = ", ".join(f"{r.lr_psnr_db:.1f}" for r in found)
    print(
        f"4 candidates: {spent:.1f} CPU-s, LR-PSNR {decibels} dB, diversity {diversity(found):.3f}"
    )


def random_stylegan1(px: int = 1024, width: int = 512) -> StyleGan1:
    """A StyleGAN1 of PULSE's size with random weights and probes."""
    random = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=random)

    state, before, r = {}, 0, 4
    while r <= px:
        channels = min(16384 // r, 512)
        block = f"synthesis.blocks.{r}x{r}"
        if r == 4:
            state |= {
                f"{block}.const": normal(1, channels, 4, 4),
                f"{block}.bias": normal(channels),
            }
        else:
            state[f"{block}.conv0_up.weight"] = normal(channels, before, 3, 3)
            state[f"{block}.conv0_up.bias"] = normal(channels) * 0.1
        conv = "conv" if r == 4 else "conv1"
        state[f"{block}.{conv}.weight"] = normal(channels, channels, 3, 3)
        state[f"{block}.{conv}.bias"] = normal(channels) * 0.1
        for epilogue in ("epi1", "epi2"):
            state[f"{block}.{epilogue}.noise.weight"] = normal(channels) * 0.1
            state[f"{block}.{epilogue}.style_mod.lin.weight"] = normal(2 * channels, width)
            state[f"{block}.{epilogue}.style_mod.lin.bias"] = normal(2 * channels) * 0.1
        before, r = channels, 2 * r
    state |= {"synthesis.torgb.weight": normal(3, before, 1, 1), "synthesis.torgb.bias": normal(3)}
    state |= {"prior.mean": torch.zeros(width), "prior.std": torch.ones(width)}
    network = StyleGan1(state, {}, name="random")
    network.state.update(network.make_probes(sizes=(32, 64), count=2))
    return network


def cost(
    network: StyleGan,
    targets: list[tuple[str, Target]],
    steps: int = 3,
    lean: StyleGan | None = None,
) -> None:
    """`steps` published steps, counted up to 100, against the whole of our recipe on each
    target; the whole of the published one on `lean`, which draws the same pictures."""
    taken: list[float] = []

    def on_step(*_: object) -> None:
        taken.append(time.process_time())

    search(network, targets[0][1], recipe="pulse", steps=steps + 1, on_step=on_step)
    published = statistics.median(b - a for a, b in itertools.pairwise(taken))
    print(f"published step {published:.2f} CPU-s, so 100 steps {100 * published:.0f} CPU-s")
    for name, target in targets:
        if lean is not None:
            theirs = search(lean, target, recipe="pulse", operator="bicubic")
            print(f"{name}: published final loss {true_loss(theirs, target):.6f}", flush=True)
        result, ours = timed(network, target, "default", 0)
        print(
            f"{name}: default recipe {ours:.1f} CPU-s ({result.steps} steps, final loss "
            f"{true_loss(result, target):.6f}): {100 * published / ours:.1f} times faster",
            flush=True,
        )


class Probed(StyleGan2):
    """The small network as one without outputs at small sizes: its cuts go through a linear probe
    on the features there. What a StyleGAN2's skip outputs have drawn already isn't in its
    features, so this is harder than a StyleGAN1, whose features hold everything."""

    probe: torch.Tensor | None = None

    def _to_rgb(self, x: torch.Tensor, w: torch.Tensor, name: str, half: bool) -> torch.Tensor:
        self.features = x.to(self.dtype)
        return super()._to_rgb(x, w, name, half)

    def network(
        self, w: torch.Tensor, noise: Sequence[torch.Tensor] | None, px: int, half: bool
    ) -> torch.Tensor:
        image = super().network(w, noise, px, half)
        if px >= self.resolution or self.probe is None:
            return image
        shown = torch.einsum("oc,bchw->bohw", self.probe[:, :-1], self.features)
        return shown + self.probe[:, -1, None, None]

    @torch.no_grad()
    def pictures(self, seed: int, count: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """(features at 32 px, the full picture downscaled to 32 px) of `count` people."""
        found = []
        for z in self.sample(count, seed).z:
            w = self.to_w_plus(z[None])
            full = downscale(self.network(w, None, self.resolution, half=False), (32, 32))
            self.network(w, None, 32, half=False)
            found.append((self.features, full))
        return found


def probes() -> None:
    """How well a linear probe shows trained features, and what a search by it reaches."""
    plain = small_network()
    network = Probed(plain.state, {}, name="heads128 by a probe", licence="MIT")
    network.probe = fit_probe([probe_rows(x, image) for x, image in network.pictures(3, 12)])
    pairs = network.pictures(4, 8)
    probe = network.probe
    guess = torch.cat([torch.einsum("oc,bchw->bohw", probe[:, :-1], x) for x, _ in pairs])
    truth = torch.cat([image for _, image in pairs])
    error = (guess + probe[:, -1, None, None] - truth).square().mean() / truth.var()
    print(f"a probe at 32 px explains {1 - float(error):.0%} of the variance on other people")
    for name, target in reachable(plain, 5):
        by_output = search(plain, target, operator="bicubic")
        by_probe = search(network, target, operator="bicubic")
        print(
            f"{name}: {by_output.lr_psnr_db:.1f} dB by its outputs, {by_probe.lr_psnr_db:.1f} by it"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", default="")
    parser.add_argument("--wide", type=int, default=0)
    parser.add_argument("--whole", action="store_true", help="with --wide: all published steps")
    parser.add_argument(
        "--lean", action="store_true", help="with --wide: pictures enlarged, losses only"
    )
    parser.add_argument("--noise", type=float, default=0.0, help="strength of the layers' noise")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--probe", action="store_true")
    parser.add_argument("--short", action="store_true", help="one target of each kind, one seed")
    parser.add_argument("--targets", type=int, default=3, help="of each kind")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--kind", choices=["own", "head", "sprite"], nargs="*", default=["own", "head", "sprite"]
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(describe())
    if args.probe:
        probes()
        return
    if args.short:
        args.targets = args.seeds = 1
    if args.full:
        noise = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(1))
        cost(random_stylegan1(), [("noise", Target(noise, torch.ones(1, 16, 16)))])
        return
    loaded = load_generator(args.model) if args.model else small_network(args.noise)
    assert isinstance(loaded, StyleGan), "--model names a StyleGAN checkpoint"
    if args.wide:
        assert isinstance(loaded, StyleGan2) and args.wide >= loaded.resolution
        bank = {k: v for k, v in loaded.state.items() if k.startswith("bank.")}
        lean = Enlarged(loaded, args.wide)
        loaded = lean if args.lean else widened(loaded, args.wide)
        loaded.state.update(bank)
    print(f"{loaded.info.name}: {loaded.resolution} px")
    if args.wide and not (args.whole or args.lean):
        made = {"own": lambda: reachable(lean, 1), "head": lambda: unseen(1), "sprite": sprites}
        skip = {"sprite": slice(2, 3)}.get  # the sprite that no face looks like most
        chosen = [t for kind in args.kind for t in made[kind]()[skip(kind, slice(0, 1))]]
        cost(loaded, chosen, lean=lean)
        return
    makers = {
        "own": lambda: reachable(loaded, args.targets),
        "head": lambda: unseen(args.targets),
        "sprite": lambda: sprites()[: args.targets],
    }
    kinds = [target for kind in args.kind for target in makers[kind]()]
    compare(loaded, kinds, args.seeds)
    if not args.wide:
        people(loaded, kinds[0][1])


if __name__ == "__main__":
    main()
