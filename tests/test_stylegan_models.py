"""Installing checkpoints: families, bad input, the store, and the command line over it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from spriteface.cli import cli
from spriteface.errors import GeneratorError, OptionError, SinkError
from spriteface.pulse import models
from spriteface.pulse.checkpoint import read, write_safetensors
from spriteface.pulse.families import FAMILIES, Family, family_of
from spriteface.pulse.generator import (
    HasBank,
    HasGrain,
    Latents,
    StyleBased,
    entries,
    load_generator,
)
from spriteface.pulse.search import search
from spriteface.pulse.stylegan import fit_probe, probe_rows
from spriteface.pulse.stylegan1 import StyleGan1
from spriteface.pulse.stylegan2 import StyleGan2
from spriteface.pulse.target import make_target

from . import stylegan_layouts as layouts


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPRITEFACE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(models, "BANK", 16)
    monkeypatch.setattr(models, "PROBE_PICTURES", 2)
    return tmp_path / "data"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Path]]:
    """One small network per family, as its own people store it."""
    torch.save({"g_ema": layouts.rosinality(), "latent_avg": torch.zeros(16)}, tmp_path / "r.pt")
    torch.save({"mean": torch.zeros(16), "std": torch.ones(16)}, tmp_path / "gaussian_fit.pt")
    synthesis, mapping = layouts.write_pulse(tmp_path)
    return {
        "stylegan1": [synthesis, tmp_path / "gaussian_fit.pt"],
        "stylegan2": [layouts.write_nvidia(tmp_path / "n.pkl", layouts.nvidia("sg2"), monkeypatch)],
        "stylegan3": [
            layouts.write_nvidia(tmp_path / "m.pkl", layouts.nvidia("sg3t"), monkeypatch)
        ],
        "stylegan2-rosinality": [tmp_path / "r.pt"],
        "stylegan2-tensorflow": [layouts.write_tensorflow(tmp_path / "tf.pkl", monkeypatch)],
        "mapping": [mapping],
    }


def test_each_family_knows_its_own(files: dict[str, list[Path]]) -> None:
    for family in FAMILIES:
        tensors = {k: v for p in files[family.id] for k, v in read(p).tensors.items()}
        assert [f.id for f in FAMILIES if f.detect(tensors)] == [family.id]
        ours, _ = family.canonical(tensors, {})
        again = family_of(ours)  # our own layout is recognised too
        assert again.network is family.network
        assert set(again.canonical(ours, {})[0]) == set(ours)


@pytest.mark.parametrize("family", [f.id for f in FAMILIES])
def test_add_load_search(family: str, files: dict[str, list[Path]]) -> None:
    model = models.add(files[family], name="mine", licence="L", provenance="here")
    assert model.family == family and model.resolution == (256 if family == "stylegan1" else 64)
    assert "mine" in [entry.name for entry in entries()]
    network = load_generator("mine")
    assert network.info.licence == "L" and network.info.provenance == "here"
    assert isinstance(network, StyleBased) and isinstance(network, HasBank)
    assert network.render(network.sample(1, 0)).shape == (1, 3, model.resolution, model.resolution)
    assert isinstance(network, HasGrain)
    own, some = network.own_noise(), network.sample(2, 1)
    assert len(own) == (0 if family == "stylegan3" else len(network.noise_shapes()))
    with torch.no_grad():  # own maps given from outside change nothing, others do
        cut = network.grained(some, [m.expand(2, -1, -1, -1) for m in own[:5]], 64, exact=True)
        assert torch.equal(cut, network.grained(some, [], 64, exact=True))
        bent = network.grained(some, [m + 1 for m in own[:5]], 64, exact=True)
        assert torch.equal(cut, bent) == (family == "stylegan3")
    rgba = np.full((16, 16, 4), 255, np.uint8)
    rgba[..., :3] = np.random.default_rng(0).integers(90, 160, (16, 16, 3))
    result = search(network, make_target(rgba), steps=2, starts=1)
    assert np.isfinite(result.loss) and result.steps >= 2
    assert torch.isfinite(result.image).all()


def test_our_form_survives_a_round_trip(files: dict[str, list[Path]]) -> None:
    """An installed checkpoint's safetensors can be carried elsewhere and added there."""
    first = models.add(files["stylegan2"], name="first")
    second = models.add([first.weights], name="second")
    assert second.family == "stylegan2"
    a, b = (load_generator(name) for name in ("first", "second"))
    assert torch.equal(a.render(a.sample(1, 3)), b.render(b.sample(1, 3)))


def test_our_form_keeps_what_no_shape_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clamp, and where StyleGAN3's input frequencies lie."""
    path = tmp_path / "m.pkl"
    layouts.write_nvidia(
        path, layouts.nvidia("sg3t"), monkeypatch, conv_clamp=7, output_scale=0.5, bandwidth=1.5
    )
    first = models.add([path], name="first")
    assert first.config == {"conv_clamp": 7, "output_scale": 0.5, "first_cutoff": 1.5}
    second = models.add([first.weights], name="second")
    assert second.config == first.config
    a, b = (load_generator(name) for name in ("first", "second"))
    assert torch.equal(a.render(a.sample(1, 3)), b.render(b.sample(1, 3)))


def test_adding_twice_gives_the_same_file(files: dict[str, list[Path]]) -> None:
    """Six times: with two metadata in whatever order, five more would agree once in 32."""
    models.add(files["stylegan2"], name="mine")
    wanted = models.find("mine").weights.read_bytes()
    arrays, said = read(models.find("mine").weights).tensors, {"config": "{}", "family": "f"}
    assert models.add(files["stylegan2"], name="again").sha256 == models.find("mine").sha256
    again = models.find("again").weights
    once = ""
    for _ in range(5):
        write_safetensors(again, arrays, said)
        once = once or models.sha256(again)
        assert models.sha256(again) == once
    write_safetensors(again, arrays, dict(reversed(said.items())))
    assert models.sha256(again) == once
    write_safetensors(again, arrays, {**said, "family": "stylegan2"})
    assert again.read_bytes() == wanted


def test_bank_starts_are_near_and_depend_on_the_seed(files: dict[str, list[Path]]) -> None:
    models.add(files["stylegan2"], name="mine")
    network = load_generator("mine")
    assert isinstance(network, HasBank)
    picture = (network.render(network.sample(1, 8), 16)[0].permute(1, 2, 0).numpy() * 255).astype(
        np.uint8
    )
    target = make_target(np.dstack([picture, np.full((16, 16), 255, np.uint8)]))

    def error(z: torch.Tensor) -> float:
        small = network.render(network.sample(1, 0).with_z(z), 16)
        return float((small - target.image).pow(2).mean())

    near = network.near(target, 2, 0).z
    far = network.sample(16, 99).z
    assert error(near[:1]) < float(np.median([error(z[None]) for z in far]))
    assert not torch.equal(near, network.near(target, 2, 1).z)
    assert torch.equal(near, network.near(target, 2, 0).z)


def test_probe_finds_a_linear_map() -> None:
    x = layouts.normal(1, 3, 5, 8, 8)
    wanted = layouts.normal(2, 3, 6)
    images = torch.einsum("oc,bchw->bohw", wanted[:, :-1], x) + wanted[:, -1, None, None]
    rows = [probe_rows(a[None], b[None], most=40) for a, b in zip(x, images)]
    assert len(rows[0][0]) <= 40
    assert torch.allclose(fit_probe(rows, ridge=0), wanted, atol=1e-4)


def test_pulse_cuts_go_through_their_probe() -> None:
    state = layouts.filled(layouts.description()["pulse"]["synthesis"])
    state = {f"synthesis.{k}": v for k, v in state.items()}
    state |= {"prior.mean": torch.zeros(16), "prior.std": torch.ones(16)}
    network = StyleGan1(state, {})
    latents = network.sample(2, 0)
    uncut = network.network(network.to_w_plus(latents.z), None, 64, half=False)
    assert uncut.shape[-1] == 256  # without a probe there is only the full size
    network.state.update(network.make_probes(count=3))
    cut = network.network(network.to_w_plus(latents.z), None, 64, half=False)
    features, _ = network.features(network.to_w_plus(latents.z), None, 64, half=False)
    probe = network.state["probe.64"]
    expected = torch.einsum("oc,bchw->bohw", probe[:, :-1], features) + probe[:, -1, None, None]
    assert cut.shape[-1] == 64 and torch.allclose(cut, expected, atol=1e-4)


def test_half_a_pair_is_named(files: dict[str, list[Path]]) -> None:
    synthesis, fit = files["stylegan1"]
    with pytest.raises(GeneratorError, match=r"without its synthesis.*mapping\.pt synthesis\.pt"):
        models.add(files["mapping"])
    with pytest.raises(GeneratorError, match=r"synthesis network alone.*gaussian_fit\.pt"):
        models.add([synthesis])
    with pytest.raises(GeneratorError, match="gaussian fit alone"):
        models.add([fit])
    with pytest.raises(GeneratorError, match="another file holds too"):
        models.add([synthesis, synthesis], name="twice")


def test_a_wrong_file_is_named_for_what_it_is(tmp_path: Path) -> None:
    for name, data, said in (
        ("ffhq.pkl", b"<!DOCTYPE html><p>quota exceeded</p>", r"ffhq\.pkl.*a web page"),
        ("face.pt", b"\x89PNG\r\n\x1a\n" + bytes(40), r"face\.pt.*expected \.safetensors"),
        ("notes.txt", b"hello", r"notes\.txt is not a checkpoint"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(GeneratorError, match=said):
            models.add([tmp_path / name])


def test_unknown_and_broken_networks(tmp_path: Path, files: dict[str, list[Path]]) -> None:
    torch.save({"layer.weight": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(
        GeneratorError, match=r"other\.pt: an unknown kind of network \(tensors layer\.weight"
    ):
        models.add([tmp_path / "other.pt"])
    state = layouts.rosinality()
    state["convs.3.conv.weight"][0, 0, 0, 0, 0] = torch.nan
    torch.save({"g_ema": state}, tmp_path / "nan.pt")
    with pytest.raises(
        GeneratorError, match=r"nan\.pt: tensor synthesis\.b16\.conv1\.weight holds NaN"
    ):
        models.add([tmp_path / "nan.pt"])
    tensors = read(files["stylegan2"][0]).tensors
    lacking = {k: v for k, v in tensors.items() if ".b32.torgb.weight" not in k}
    write_safetensors(tmp_path / "lacking.safetensors", lacking, {})
    with pytest.raises(GeneratorError, match="without its block 32"):
        models.add([tmp_path / "lacking.safetensors"])
    bent = dict(tensors)
    bent["G_ema.synthesis.b16.conv0.weight"] = bent["G_ema.synthesis.b16.conv0.weight"][:, :5]
    write_safetensors(tmp_path / "bent.safetensors", bent, {})
    with pytest.raises(GeneratorError, match="can't be built"):
        models.add([tmp_path / "bent.safetensors"])
    assert models.installed() == ()


def test_names(files: dict[str, list[Path]]) -> None:
    assert models.add(files["stylegan2"]).name == "n"
    with pytest.raises(OptionError, match="installed already"):
        models.add(files["stylegan2"])
    models.add(files["stylegan2"], force=True)
    for bad in ("head", "../x", "A b", ""):
        if bad:
            with pytest.raises(OptionError, match="can't be a checkpoint's name"):
                models.add(files["stylegan2"], name=bad)
    with pytest.raises(OptionError, match=r"installed: n\)"):
        models.find("absent")


def test_verify_sees_a_change(files: dict[str, list[Path]]) -> None:
    model = models.add(files["stylegan2"])
    assert models.verify("n") == model
    data = bytearray(model.weights.read_bytes())
    data[-1] ^= 1
    model.weights.write_bytes(data)
    with pytest.raises(GeneratorError, match="have changed"):
        models.verify("n")
    model.weights.write_bytes(data[:100])
    with pytest.raises(GeneratorError, match="can't be read"):
        models.load("n")


def test_unusable_device(files: dict[str, list[Path]]) -> None:
    models.add(files["stylegan2"])
    with pytest.raises(GeneratorError, match="doesn't run on 'cuda:7'"):
        models.load("n", "cuda:7")
    for device in ("cuda:7", "toaster"):
        for name in ("n", "head"):
            with pytest.raises(OptionError, match=rf"'{device}' can't be used here.*--device cpu"):
                load_generator(name, device)
    absent = "vulkan" if torch.backends.mps.is_available() else "mps"
    with pytest.raises(OptionError, match=r"can't be used here \(this build of torch has no such"):
        load_generator("head", absent)
    with pytest.raises(OptionError, match="can't be used here"):
        CliRunner().invoke(cli, ["audit", "--device", "cuda:7"], catch_exceptions=False)


def test_a_network_runs_on_whatever_device_its_tensors_are_on() -> None:
    """On torch's "meta" device, which computes shapes only: no tensor is left on the CPU."""
    state = {k: v.to("meta") for k, v in layouts.nvidia("sg2").items()}
    state |= {"prior.mean": torch.zeros(16), "prior.factor": torch.eye(16)}
    network = StyleGan2(state, {}, device="meta")
    latents = network.sample(2, 0)
    assert latents.z.device.type == "meta"
    assert network.preview(latents, 32).shape == (2, 3, 32, 32)
    assert network.render(latents).device.type == "meta"


class Hungry(StyleGan2):
    """Wants an exbibyte for its picture."""

    def render(self, latents: Latents, size: int | None = None) -> torch.Tensor:
        return torch.empty(1 << 58)


def test_not_enough_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from spriteface.pulse import families

    hungry = Family(
        "hungry",
        "a test's",
        "a .pt",
        lambda tensors: "synthesis.b4.const" in tensors,
        lambda tensors, values: (tensors, {}),
        lambda: Hungry,
    )
    monkeypatch.setattr(families, "FAMILIES", (hungry,))
    torch.save(layouts.nvidia("sg2"), tmp_path / "h.pt")
    with pytest.raises(GeneratorError, match=r"not enough memory.*smaller checkpoint"):
        models.add([tmp_path / "h.pt"])
    assert models.installed() == ()


def test_nothing_half_installed(
    files: dict[str, list[Path]], data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(models, "write_safetensors", full)
    with pytest.raises(SinkError, match="No space left"):
        models.add(files["stylegan2"])
    assert list((data_folder / "models").iterdir()) == []


def test_a_foreign_folder_is_passed_over(data_folder: Path) -> None:
    for name, text in (("a", "{"), ("b", "[]"), ("c", json.dumps({"name": "../a"}))):
        (data_folder / "models" / name).mkdir(parents=True)
        (data_folder / "models" / name / "model.json").write_text(text)
    assert models.installed() == ()


def test_a_family_is_one_record(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As CONTRIBUTING says: detect, canonical, network, one line in the list."""
    from spriteface.pulse import families

    dummy = Family(
        "dummy",
        "a test's own layout",
        "a .pt",
        lambda tensors: "dummy.g.synthesis.b4.const" in tensors,
        lambda tensors, values: ({k.removeprefix("dummy.g."): v for k, v in tensors.items()}, {}),
        lambda: StyleGan2,
    )
    monkeypatch.setattr(families, "FAMILIES", (*FAMILIES, dummy))
    torch.save({"dummy": {"g": layouts.nvidia("sg2")}}, tmp_path / "d.pt")
    assert models.add([tmp_path / "d.pt"]).family == "dummy"
    assert load_generator("d").info.resolution == 64


def test_command_line(files: dict[str, list[Path]], monkeypatch: pytest.MonkeyPatch) -> None:
    run = CliRunner()

    def said(*args: str) -> str:
        done = run.invoke(cli, ["models", *args], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    assert "head" in said("list") and "  none\n" in said("list")
    assert "ffhq-stylegan2-ada" in said("list")
    assert "installed mine: stylegan2, 64 px" in said(
        "add", str(files["stylegan2"][0]), "--name", "mine", "--licence", "CC0"
    )
    assert "mine" in said("list").split("to download")[0]
    assert "licence: CC0" in said("info", "mine") and "n.pkl" in said("info", "mine")
    assert "not stated" in said("info", "mine")  # nobody told us what it was trained on
    assert "identifying anybody" in said("info", "mine")
    assert "unchanged" in said("verify", "mine")
    assert "removed mine" in said("remove", "mine")
    assert "non-commercial" in said("info", "ffhq-stylegan2-ada")
    for card in (said("info", name) for name in ("head", "ffhq-stylegan2-ada", "pulse")):
        assert "identifying anybody" in card and "where its faces come from" in card
        assert card.index("not for:") < card.index("known failures:\n  - ")
    assert "seen no photograph" in said("info", "head") and "CC0" in said("info", "head")
    assert "70,000 photographs" in said("info", "pulse")
    with pytest.raises(OptionError):
        said("info", "mine")


def test_download_needs_consent() -> None:
    with pytest.raises(GeneratorError, match=r"needs your consent.*--accept-licence"):
        CliRunner().invoke(cli, ["models", "download", "pulse"], catch_exceptions=False)


def test_catalogue_is_complete() -> None:
    for entry in models.CATALOGUE:
        assert entry.licence and entry.homepage.startswith("https://") and entry.about_mb > 0
        assert all(item.url.startswith("https://") for item in entry.files)
    assert len({entry.name for entry in models.CATALOGUE}) == len(models.CATALOGUE)
