"""Installed checkpoints: a folder each, written whole or not at all.

`<data>/models/NAME/weights.safetensors` holds the tensors in our layout with the prior, the
probes and the bank of starts fitted once; `model.json` says what it is, where it came from,
under which licence, and its SHA-256. The weights that PULSE's readers want are photographs'
worth of other people's work under non-commercial licences: none is shipped, and none is
downloaded without consent.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import GeneratorError, OptionError, SinkError
from .checkpoint import Arrays, Checkpoint, read_isolated, write_safetensors
from .families import check_finite, family_named, family_of, own_config

if TYPE_CHECKING:
    from .stylegan import StyleGan

BANK = 256  # starts kept with every checkpoint
PROBE_PICTURES = 12  # full-size pictures that probes are fitted on

Progress = Callable[[str], None]  # told what is being done

NO_LICENCE = "not stated: see where you got it from"

_NVIDIA_NC = (
    "NVIDIA Source Code License (non-commercial): research and evaluation only, no sale and no "
    "commercial use of the weights; trained on FFHQ, whose photographs are CC BY-NC-SA and the "
    "like. Pictures that you make with it fall under these limits too."
)
_PULSE_NC = (
    "CC BY-NC 4.0 (NVIDIA's StyleGAN weights, converted by a third party): no commercial use; "
    "trained on FFHQ, whose photographs are CC BY-NC-SA and the like."
)


@dataclass(frozen=True)
class Download:
    """One file of a catalogue entry. `sha256` is "" where its publisher gives none: the hash
    seen first is then remembered and shown."""

    url: str
    name: str
    sha256: str = ""


@dataclass(frozen=True)
class CatalogueEntry:
    """A checkpoint that others publish. `about_mb` is what a download costs, roughly."""

    name: str
    summary: str
    licence: str
    files: tuple[Download, ...]
    about_mb: int
    homepage: str
    note: str = ""


_NGC = "https://api.ngc.nvidia.com/v2/models/nvidia/research"

CATALOGUE: tuple[CatalogueEntry, ...] = (
    CatalogueEntry(
        "ffhq-stylegan2-ada",
        "StyleGAN2-ADA, FFHQ, 1024 px",
        _NVIDIA_NC,
        (
            Download(
                "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/ffhq.pkl",
                "ffhq.pkl",
            ),
        ),
        364,
        "https://github.com/NVlabs/stylegan2-ada-pytorch",
    ),
    CatalogueEntry(
        "ffhq-stylegan2-256",
        "StyleGAN2, FFHQ, 256 px: smaller and several times faster",
        _NVIDIA_NC,
        (
            Download(
                f"{_NGC}/stylegan2/versions/1/files/stylegan2-ffhq-256x256.pkl",
                "stylegan2-ffhq-256x256.pkl",
            ),
        ),
        280,
        "https://catalog.ngc.nvidia.com/orgs/nvidia/teams/research/models/stylegan2",
    ),
    CatalogueEntry(
        "ffhq-stylegan3-t",
        "StyleGAN3-T, FFHQ, 1024 px",
        _NVIDIA_NC,
        (
            Download(
                f"{_NGC}/stylegan3/versions/1/files/stylegan3-t-ffhq-1024x1024.pkl",
                "stylegan3-t-ffhq-1024x1024.pkl",
            ),
        ),
        300,
        "https://github.com/NVlabs/stylegan3",
        "several times slower on a CPU than StyleGAN2",
    ),
    CatalogueEntry(
        "pulse",
        "StyleGAN1, FFHQ, 1024 px: the weights of the PULSE paper's code",
        _PULSE_NC,
        (
            Download(
                "https://drive.usercontent.google.com/download?id=1TCViX1YpQyRsklTVYEJwdbmK91vklCo8&confirm=t",
                "synthesis.pt",
            ),
            Download(
                "https://drive.usercontent.google.com/download?id=14R6iHGf5iuVx3DMNsACAl7eBr7Vdpd0k&confirm=t",
                "mapping.pt",
            ),
            Download(
                "https://raw.githubusercontent.com/adamian98/pulse/master/gaussian_fit.pt",
                "gaussian_fit.pt",
            ),
        ),
        105,
        "https://github.com/adamian98/pulse",
        "the first two lie on a private cloud drive that often refuses: try later, or add them by hand",
    ),
)


@dataclass(frozen=True)
class Installed:
    """What `model.json` says. `files` are the originals: name, sha256, bytes."""

    name: str
    family: str
    resolution: int
    licence: str
    provenance: str
    sha256: str
    bytes: int
    config: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[Mapping[str, Any], ...] = ()
    version: int = 1

    @property
    def weights(self) -> Path:
        return folder() / self.name / "weights.safetensors"


def folder() -> Path:
    """Where checkpoints live: SPRITEFACE_DATA, or the platform's data directory."""
    root = os.environ.get("SPRITEFACE_DATA")
    if root:
        return Path(root) / "models"
    from platformdirs import user_data_dir

    return Path(user_data_dir("spriteface", appauthor=False)) / "models"


def catalogue_entry(name: str) -> CatalogueEntry:
    """Raises:
    OptionError: nothing of that name.
    """
    for entry in CATALOGUE:
        if entry.name == name:
            return entry
    known = ", ".join(entry.name for entry in CATALOGUE)
    raise OptionError(f"no model named {name!r} in the catalogue", f"known: {known}")


def installed() -> tuple[Installed, ...]:
    """Every checkpoint installed here, by name; a folder that can't be read is passed over."""
    found = []
    for path in sorted(folder().glob("*/model.json")):
        try:
            data = json.loads(path.read_text())
            if data["name"] == path.parent.name:
                found.append(Installed(**{**data, "files": tuple(data["files"])}))
        except (OSError, ValueError, TypeError, KeyError):
            continue
    return tuple(found)


def find(name: str) -> Installed:
    """Raises:
    OptionError: nothing installed under that name.
    """
    for model in installed():
        if model.name == name:
            return model
    known = ", ".join(model.name for model in installed()) or "none"
    raise OptionError(
        f"no checkpoint named {name!r} is installed (installed: {known})",
        "see `spriteface models list`",
    )


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _merge(parts: Sequence[Checkpoint]) -> tuple[Arrays, dict[str, Any]]:
    tensors: Arrays = {}
    values: dict[str, Any] = {}
    for part in parts:
        twice = sorted(set(tensors) & set(part.tensors))
        if twice:
            raise GeneratorError(
                f"{part.path.name} holds tensors that another file holds too ({twice[0]}, ...)",
                "add the files of one network together, each network on its own",
            )
        tensors.update(part.tensors)
        values.update(part.values)
    return tensors, values


def _check_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,40}", name) or name == "head":
        raise OptionError(
            f"{name!r} can't be a checkpoint's name", "lower-case letters, digits and . _ - only"
        )
    return name


def _default_name(files: Sequence[Path]) -> str:
    stem = files[0].stem if len(files) == 1 else files[0].resolve().parent.name
    return re.sub(r"[^a-z0-9._-]+", "-", stem.lower()).strip("-._")[:40] or "checkpoint"


def add(
    files: Sequence[Path],
    *,
    name: str = "",
    licence: str = NO_LICENCE,
    provenance: str = "",
    force: bool = False,
    progress: Progress = lambda _text: None,
) -> Installed:
    """Read, check, convert and install the file or files of one network.

    Raises:
        UnsafeCheckpointError: a file wants to execute code.
        GeneratorError: not a network that we know, incomplete, or broken.
        OptionError: the name is taken (and not `force`) or no name.
        SinkError: the data directory can't be written.
    """
    name = _check_name(name or _default_name(files))
    if not force and any(model.name == name for model in installed()):
        raise OptionError(
            f"a checkpoint named {name!r} is installed already", "try --name or --force"
        )
    parts = []
    for path in files:
        progress(f"reading {path.name}")
        parts.append(read_isolated(path))
    tensors, values = _merge(parts)
    try:
        family = family_of(tensors)
        state, config = family.canonical(tensors, values)
        config = own_config(values) | config
        check_finite(state)
        progress(f"{family.summary}: fitting prior, probes and starts")
        resolution = _complete(state, config, family.id, name)
    except GeneratorError as error:
        names = ", ".join(path.name for path in files)
        raise GeneratorError(f"{names}: {error.message}", error.hint) from error
    originals = tuple(
        {"name": p.name, "sha256": sha256(p), "bytes": p.stat().st_size} for p in files
    )
    progress("writing")
    return _install(
        name, state, dict(config), family.id, resolution, licence, provenance, originals
    )


def _complete(state: Arrays, config: Mapping[str, Any], family: str, name: str) -> int:
    """Build the network once, run it, and add what is fitted once to `state`. Its resolution."""
    import torch

    from .stylegan import make_bank

    tensors = {key: torch.from_numpy(value) for key, value in state.items()}
    try:
        network = family_named(family).network()(tensors, config, name=name)
        network.sample(1, 0)
        if network.resolution < 64 or network.resolution > 1024:
            raise GeneratorError(f"a network of {network.resolution} px", "64 to 1024 px are known")
        if hasattr(network, "make_probes"):
            network.state.update(network.make_probes(count=PROBE_PICTURES))
        network.state.update(make_bank(network, count=BANK))
        picture = network.render(network.sample(1, 0))
    except (KeyError, RuntimeError, IndexError, MemoryError) as error:
        if isinstance(error, MemoryError) or "memory" in str(error).lower():
            raise GeneratorError(
                f"not enough memory to run this {family} network once",
                "close other programs, or add a smaller checkpoint (256 px take 1 GiB, 1024 px 3)",
            ) from error
        raise GeneratorError(
            f"the network can't be built ({type(error).__name__}: {error})",
            "the file is damaged or of a layout we don't know",
        ) from error
    if not torch.isfinite(picture).all():
        raise GeneratorError(
            "the network gives pictures that are not numbers", "its weights are broken"
        )
    for key, value in network.state.items():
        if key.startswith(("prior.", "probe.", "bank.")):
            state[key] = value.cpu().numpy()
    return network.resolution


def _install(
    name: str,
    state: Arrays,
    config: dict[str, Any],
    family: str,
    resolution: int,
    licence: str,
    provenance: str,
    originals: tuple[Mapping[str, Any], ...],
) -> Installed:
    root = folder()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=".adding-") as temporary:
            fresh = Path(temporary) / name
            fresh.mkdir()
            weights = fresh / "weights.safetensors"
            write_safetensors(weights, state, {"family": family, "config": json.dumps(config)})
            model = Installed(
                name,
                family,
                resolution,
                licence,
                provenance,
                sha256(weights),
                weights.stat().st_size,
                config,
                originals,
            )
            (fresh / "model.json").write_text(json.dumps(dataclasses.asdict(model), indent=1))
            final = root / name
            if final.exists():
                final.rename(Path(temporary) / "replaced")
            fresh.rename(final)
    except OSError as error:
        raise SinkError(
            f"can't write to {root}: {error.strerror or error}",
            "set SPRITEFACE_DATA to a folder with room",
        ) from error
    return model


def load(name: str, device: str = "cpu") -> StyleGan:
    """An installed checkpoint as a generator on `device` (cpu, cuda, mps, cuda:1, ...).

    Raises:
        OptionError: not installed.
        GeneratorError: the weights can't be read, or the device can't be used.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    model = find(name)
    try:
        state = load_file(model.weights)
        network = family_named(model.family).network()(
            state,
            model.config,
            device=device,
            name=name,
            licence=model.licence,
            provenance=model.provenance,
        )
    except (OSError, SafetensorError) as error:
        raise GeneratorError(
            f"the weights of {name!r} can't be read ({error})",
            f"`spriteface models verify {name}`, then add or download it again",
        ) from error
    except (MemoryError, RuntimeError, AssertionError) as error:  # torch's ways of saying no
        raise GeneratorError(
            f"{name!r} doesn't run on {device!r} ({str(error).splitlines()[0]})",
            "try --device cpu, or a smaller checkpoint",
        ) from error
    return network


def verify(name: str) -> Installed:
    """Compare the weights on disc with the hash remembered when they were added.

    Raises:
        GeneratorError: they differ, or are gone.
    """
    model = find(name)
    try:
        seen = sha256(model.weights)
    except OSError as error:
        raise GeneratorError(
            f"the weights of {name!r} can't be read ({error.strerror})",
            "add or download it again",
        ) from error
    if seen != model.sha256:
        raise GeneratorError(
            f"the weights of {name!r} have changed (SHA-256 {seen[:12]}..., was {model.sha256[:12]}...)",
            f"`spriteface models remove {name}` and add it again",
        )
    return model


def remove(name: str) -> None:
    """Delete an installed checkpoint.

    Raises:
        OptionError: not installed.
        SinkError: it can't be deleted.
    """
    path = find(name).weights.parent
    try:
        shutil.rmtree(path)
    except OSError as error:
        raise SinkError(f"can't delete {path}: {error.strerror}") from error
