"""Search quality on a StyleGAN2 with the statistics of faces: a small one, trained on renders of
our embedded head (tools/train_small_stylegan2.py; 128 px, 1.5 MB)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor
from torch.overrides import TorchFunctionMode

from spriteface.errors import Cancelled
from spriteface.pulse.downscale import downscale
from spriteface.pulse.generator import Latents
from spriteface.pulse.search import DEFAULT, diversity, search, search_all
from spriteface.pulse.stylegan import fit_probe, half_works, make_bank
from spriteface.pulse.stylegan2 import StyleGan2, upsample_image
from spriteface.pulse.target import Target, make_target

from .stylegan_layouts import DATA

SAMPLES = Path(__file__).parents[1] / "samples"


class Counting(StyleGan2):
    """Counts how often the network ran in full."""

    full = 0

    def network(self, w: Tensor, noise: object, px: int, half: bool) -> Tensor:
        self.full += len(w) * (px >= self.resolution)
        return super().network(w, noise, px, half)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def network() -> Counting:
    network = Counting(load_file(DATA / "heads128.safetensors"), {}, name="heads128")
    network.state.update(make_bank(network))
    return network


def face(network: StyleGan2, seed: int) -> tuple[Latents, Target]:
    """Somebody whom the network knows, and their 16x16 sprite."""
    latents = network.sample(1, seed)
    with torch.no_grad():
        small = downscale(network.render(latents), (16, 16), "area")[0]
    return latents, Target(small, torch.ones(1, 16, 16))


def test_pictures_look_like_one_kind_of_thing(network: Counting) -> None:
    """Not noise: people differ from one another less than from shuffled pixels."""
    with torch.no_grad():
        images = network.render(network.sample(8, 1), 32)
    assert 0.05 < float(images.std()) < 0.4
    smooth = (images[..., 1:] - images[..., :-1]).abs().mean() / images.std()
    assert float(smooth) < 0.35


def test_default_recipe_reaches_the_sprite(network: Counting) -> None:
    for seed in (901, 902):
        _, target = face(network, seed)
        network.full = 0
        result = search(network, target, seed=0)
        assert result.lr_psnr_db > 30
        assert network.full <= 7  # full-size forwards; there are no full-size gradients
        assert result.steps < 100  # near enough, it stops by itself


def test_default_recipe_is_no_worse_than_the_published_one(network: Counting) -> None:
    """At a tenth of its full-size passes and a handful of previews; on a sprite that nobody looks
    like too, where the wild start is needed."""
    drawn = make_target(np.array(Image.open(SAMPLES / "child.png").convert("RGBA")))
    for target in (face(network, 903)[1], drawn):
        ours = search(network, target, operator="bicubic")
        theirs = search(network, target, recipe="pulse")
        assert ours.distance <= theirs.distance


def test_the_last_word_is_full_precision(network: Counting) -> None:
    """Rounded previews steer, and so do rounded renders between rounds; what is kept is exact."""
    _, target = face(network, 907)

    wholes: list[bool] = []

    class Rounded(Counting):
        def network(self, w: Tensor, noise: object, px: int, half: bool) -> Tensor:
            if px >= self.resolution:
                wholes.append(half)
            return super().network(w, noise, px, half)

    rounded = Rounded(network.state, {}, name="rounded")
    rounded.half = True
    result = search(rounded, target)
    assert wholes[0] and not wholes[-1]
    assert sum(not half for half in wholes) <= 4
    assert result.noise == ()  # it hardly shows in this network
    with torch.no_grad():
        image = network.grained(result.latents, [], network.resolution, exact=True)[0]
        assert torch.equal(image.clamp(0, 1), result.image)
    assert result.lr_psnr_db > 30


def test_steps_that_are_left_go_to_the_next_best_start(network: Counting) -> None:
    short = {"settle": 12, "corrections": 1, "correction_steps": 12}
    drawn = make_target(np.array(Image.open(SAMPLES / "child.png").convert("RGBA")))
    found = {}
    for budget in (0, 35, 40, 60):
        plan = replace(DEFAULT, **{**network.info.extra["recipe"], **short, "budget": budget})
        found[budget] = search(network, drawn, recipe=plan, operator="bicubic")
    assert found[0].steps == found[40].steps == 40  # less than a quarter of 40 is left
    assert found[60].steps == 52 and found[35].steps == 35
    assert found[60].loss <= found[0].loss == found[40].loss


def test_noise_maps_move_where_they_show(network: Counting) -> None:
    """The published recipe moves five of them: without, ours ended at six times its loss where
    noise is a tenth as strong as the features it is added to."""
    strong = {k: torch.tensor(0.1) for k in network.state if k.endswith(".noise_strength")}
    grainy = Counting({**network.state, **strong}, {}, name="grainy")
    drawn = make_target(np.array(Image.open(SAMPLES / "child.png").convert("RGBA")))
    ours = search(grainy, drawn, operator="bicubic")
    assert ours.distance <= search(grainy, drawn, recipe="pulse").distance
    own = [m.flatten(2) for m in grainy.own_noise()]
    assert len(ours.noise) == 5
    for moved, before in zip(ours.noise, own):
        assert not torch.equal(moved, before)
        torch.testing.assert_close(moved.norm(dim=-1), before.norm(dim=-1))


@pytest.mark.parametrize(("strength", "noise"), [(0.1, "moved"), (0.0014, "own")])
def test_noise_that_does_not_show_is_left_alone(
    network: Counting, strength: float, noise: str
) -> None:
    quiet = {k: torch.tensor(strength) for k in network.state if k.endswith(".noise_strength")}
    made = Counting({**network.state, **quiet}, {}, name="made")
    assert made.info.extra["recipe"]["noise"] == noise


def test_a_body_of_other_width_draws_the_same() -> None:
    """What `benchmarks search --wide` rests on."""
    from benchmarks.search import Enlarged, small_network, widened

    small = small_network(noise=0.1)
    wide, lean = widened(small, 128), Enlarged(small, 256)
    z = torch.randn(1, 14, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        few, many = (n.network(n.to_w_plus(z[:, :12]), None, 128, False) for n in (small, wide))
        cut, whole = (lean.network(lean.to_w_plus(z), None, px, False) for px in (128, 256))
    assert torch.allclose(few, many, atol=1e-5) and torch.equal(few, cut)
    assert torch.allclose(upsample_image(few), whole, atol=1e-5)
    assert lean.info.latent_shape == z.shape[1:] and lean.noise_shapes()[-3:] == [
        (128, 128),
        (256, 256),
        (256, 256),
    ]


def test_steps_bound_the_search_before_its_first_render(network: Counting) -> None:
    _, target = face(network, 905)
    told: list[int] = []
    recipe = replace(DEFAULT, **{**network.info.extra["recipe"], "corrections": 0, "wild": 0})

    def on_step(step: int, steps: int, loss: float, preview: Tensor) -> None:
        told.append(steps)

    result = search(network, target, steps=9, recipe=recipe, on_step=on_step)
    assert result.steps == len(told) == 9
    assert set(told) == {9}


def test_the_search_can_be_stopped_within_l_bfgs(network: Counting) -> None:
    _, target = face(network, 905)
    with pytest.raises(Cancelled):
        search(network, target, on_step=lambda step, *_: step < 20)


class DoublesOnCpuOnly(TorchFunctionMode):
    """Refuses `double` on all but what `cpu` gave: mps has no float64, and can't be tried here."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[Tensor] = []

    def __torch_function__(  # type: ignore[no-untyped-def]
        self, func, types, args=(), kwargs=None
    ):
        if func is Tensor.double:
            assert any(args[0] is known for known in self.fetched), "double() on a device"
        out = func(*args, **(kwargs or {}))
        if func is Tensor.cpu:
            self.fetched.append(out)
        return out


def test_double_precision_is_left_to_the_cpu(network: Counting) -> None:
    _, target = face(network, 906)
    own = {k: v for k, v in network.state.items() if not k.startswith("prior.")}
    recipe = replace(DEFAULT, **{**network.info.extra["recipe"], "corrections": 1})
    with DoublesOnCpuOnly():
        search(StyleGan2(own, {}), target, recipe=recipe, steps=12)
        search(network, target, recipe="pulse", steps=2)
        fit_probe([(torch.rand(20, 3), torch.rand(20, 3))])
        with pytest.raises(AssertionError, match="double"):
            (network.state["prior.mean"] + 1).double()


@pytest.mark.parametrize(
    ("device", "half"), [("cpu", False), ("cuda", True), ("cuda:1", True), ("mps", False)]
)
def test_bfloat16_is_chosen_by_device(
    monkeypatch: pytest.MonkeyPatch, device: str, half: bool
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    assert half_works(device) == half


def test_a_narrow_network_is_searched_in_full_precision(network: Counting) -> None:
    """bfloat16 costs accuracy and gains nothing there; whether it is used depends on width."""
    assert not network.half
    latents = network.sample(1, 3)
    with torch.no_grad():
        assert torch.equal(network.preview(latents, 32), network.exact_preview(latents, 32))


def test_several_people_downscale_to_the_same_sprite(network: Counting) -> None:
    _, target = face(network, 904)
    results = search_all(network, target, count=3, seed=5)
    assert min(r.lr_psnr_db for r in results) > 27
    assert diversity(results) > 0.01
    assert len({r.start for r in results}) == 3
    assert np.all(np.diff([r.loss for r in results]) >= 0)
