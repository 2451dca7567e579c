"""Checkpoint files are read, and hostile ones refused, without executing anything."""

from __future__ import annotations

import argparse
import io
import os
import pickle
import struct
import subprocess
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spriteface.errors import GeneratorError, UnsafeCheckpointError
from spriteface.pulse import checkpoint
from spriteface.pulse.checkpoint import read, read_isolated, sniff, write_safetensors
from spriteface.pulse.source_check import objection

from . import stylegan_layouts as layouts

TENSORS = {
    "a.weight": torch.arange(24.0).reshape(2, 3, 4),
    "a.half": torch.linspace(-1, 1, 6).half(),
    "a.brain": torch.linspace(-1, 1, 6).bfloat16(),
    "b": torch.tensor(3.5),
    "turned": torch.arange(12.0).reshape(3, 4).T,
    "part": torch.arange(20.0)[5:11],
    "ids": torch.tensor([1, -2, 3]),
}


def check(found: dict[str, np.ndarray]) -> None:
    assert set(found) == set(TENSORS)
    for key, value in TENSORS.items():
        wanted = value.float() if value.is_floating_point() else value
        np.testing.assert_array_equal(found[key], wanted.numpy())


@pytest.mark.parametrize("modern", [True, False])
def test_torch_files(tmp_path: Path, modern: bool) -> None:
    """The extension doesn't matter, the content does."""
    path = tmp_path / "weights.pkl"
    torch.save(OrderedDict(TENSORS), path, _use_new_zipfile_serialization=modern)
    found = read(path)
    assert found.format == ("zip" if modern else "legacy")
    check(found.tensors)


def test_shared_storage(tmp_path: Path) -> None:
    base = torch.arange(6.0)
    torch.save({"x": base[:3], "y": base[3:]}, tmp_path / "a.pt")
    found = read(tmp_path / "a.pt").tensors
    assert found["x"].tolist() == [0, 1, 2] and found["y"].tolist() == [3, 4, 5]


def test_plain_values_and_namespace(tmp_path: Path) -> None:
    """rosinality's files hold argparse.Namespace."""
    state = {"g_ema": TENSORS, "args": argparse.Namespace(size=256), "step": 7}
    torch.save(state, tmp_path / "a.pt")
    found = read(tmp_path / "a.pt")
    check({k.removeprefix("g_ema."): v for k, v in found.tensors.items()})
    assert found.values["step"] == 7


def test_nvidia_source_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = layouts.write_nvidia(tmp_path / "g.pkl", TENSORS, monkeypatch, conv_clamp=256)
    found = read(path)
    assert found.format == "nvidia"
    check({k.removeprefix("G_ema."): v for k, v in found.tensors.items()})
    assert found.values["G_ema.a.conv_clamp"] == 256
    assert found.values["G_ema.cutoff"] == 2.5


def test_safetensors(tmp_path: Path) -> None:
    arrays = {"x": np.arange(6, dtype=np.float32).reshape(2, 3)}
    write_safetensors(tmp_path / "a.bin", arrays, {"family": "f"})
    found = read(tmp_path / "a.bin")
    assert found.format == "safetensors" and found.values["family"] == "f"
    np.testing.assert_array_equal(found.tensors["x"], arrays["x"])


def test_isolated_reading_gives_the_same(tmp_path: Path) -> None:
    torch.save({"v": {"deep": TENSORS["a.weight"]}, "n": 3}, tmp_path / "a.pt")
    found = read_isolated(tmp_path / "a.pt")
    assert found.format == "zip" and found.values["n"] == 3
    np.testing.assert_array_equal(found.tensors["v.deep"], TENSORS["a.weight"].numpy())


# hostile files: each would write a file if anything of it ran


class Shell:
    def __init__(self, marker: Path) -> None:
        self.command = f"touch {marker}"

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


class Reduced:
    """An object whose unpickling calls what it is told to."""

    def __init__(self, call: Any, *args: Any) -> None:
        self.call, self.args = call, args

    def __reduce__(self) -> Any:
        return self.call, self.args


def hostile_files(folder: Path, marker: Path) -> dict[str, Path]:
    files: dict[str, bytes] = {}
    shell = Shell(marker)
    files["plain"] = pickle.dumps({"G_ema": shell})
    files["protocol0"] = pickle.dumps({"G_ema": shell}, 0)
    for modern in (True, False):
        buffer = io.BytesIO()
        torch.save({"w": torch.zeros(2), "x": shell}, buffer, _use_new_zipfile_serialization=modern)
        files[f"torch-{modern}"] = buffer.getvalue()
    nested = Reduced(torch.storage._load_from_bytes, pickle.dumps(shell))
    files["inside-storage"] = pickle.dumps({"w": nested})
    buffer = io.BytesIO()
    torch.save({"x": shell}, buffer, _use_new_zipfile_serialization=False)
    files["inside-storage-torch"] = pickle.dumps(
        {"w": Reduced(torch.storage._load_from_bytes, buffer.getvalue())}
    )
    files["getattr"] = pickle.dumps(Reduced(getattr, "x", "upper"))
    files["eval"] = pickle.dumps(Reduced(eval, f"open({str(marker)!r}, 'w')"))
    files["dotted"] = b"\x80\x04\x8c\x0bcollections\x8c\x14OrderedDict.fromkeys\x93."
    paths = {}
    for name, data in files.items():
        paths[name] = folder / f"{name}.pkl"
        paths[name].write_bytes(data)
    return paths


def test_hostile_files_are_refused(tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    for name, path in hostile_files(tmp_path, marker).items():
        with pytest.raises(UnsafeCheckpointError) as caught:
            read(path)
        assert path.name in caught.value.message or "nothing was executed" in str(caught.value), (
            name
        )
        assert not marker.exists(), name


HOSTILE_SOURCES = {
    "import of os": "import torch, os\nos.system('touch MARKER')",
    "import of subprocess": "from subprocess import run\nrun(['touch', 'MARKER'])",
    "use of eval": "e = eval\ne('1')",
    "use of __import__": "__import__('posix')",
    "use of open": "open('MARKER', 'w').close()",
    "use of .hub": "import torch\ntorch.hub.list('somebody/net')",
    "import of torch.hub": "from torch.hub import load as f\nf('somebody/net', 'net')",
    "import of numpy.load": "from numpy import load\nload('x', allow_pickle=True)",
    "use of .__subclasses__": "().__class__.__base__.__subclasses__()",
    "use of '__builtins__'": "globals()['__builtins__']",
    "source that can't be parsed": "print 'hello'",
    "characters of source": "#" * (1 << 20) + "####",
}


@pytest.mark.parametrize("reason", HOSTILE_SOURCES)
def test_hostile_source_beside_good_tensors_is_refused(
    reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "executed"
    source = HOSTILE_SOURCES[reason].replace("MARKER", str(marker))
    path = layouts.write_nvidia(tmp_path / "net.pkl", TENSORS, monkeypatch, source=source)
    with pytest.raises(UnsafeCheckpointError, match=r"net\.pkl") as caught:
        read(path)
    assert reason in caught.value.message and "nothing was executed" in caught.value.message
    assert not marker.exists()


def test_source_of_the_published_kind_is_no_objection() -> None:
    source = """
import numpy as np
import scipy.signal
import torch
from torch_utils import misc, persistence
from torch_utils.ops import conv2d_resample, upfirdn2d

@persistence.persistent_class
class SynthesisLayer(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer('filter', upfirdn2d.setup_filter([1, 3, 3, 1]))
        setattr(self, f'b{size}', torch.nn.Parameter(torch.randn([size])))

    def extra_repr(self):
        return f'{self.__class__.__name__} {getattr(self, "b4").dtype}'
"""
    assert objection(source) == ""


def test_hostile_file_is_refused_from_the_subprocess(tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    path = hostile_files(tmp_path, marker)["plain"]
    with pytest.raises(UnsafeCheckpointError, match=r"posix\.system.*nothing was executed"):
        read_isolated(path)
    assert not marker.exists()


def _huge(elements: int) -> bytes:
    """A torch zip whose tensor claims `elements` floats and whose storage holds four."""
    claimed = Reduced(
        torch._utils._rebuild_tensor_v2, "STORAGE", 0, (elements,), (1,), False, OrderedDict()
    )

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj: Any) -> Any:
            return ("storage", torch.FloatStorage, "0", "cpu", 4) if obj == "STORAGE" else None

    data, buffer = io.BytesIO(), io.BytesIO()
    Pickler(data, 2).dump({"w": claimed})
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/data.pkl", data.getvalue())
        archive.writestr("a/data/0", bytes(16))
    return buffer.getvalue()


def test_ten_gigabyte_tensor_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.pt"
    path.write_bytes(_huge(2_684_354_560))
    with pytest.raises(UnsafeCheckpointError, match=r"huge\.pt.*claims 2,684,354,560 elements"):
        read(path)
    path.write_bytes(_huge(4))
    assert read(path).tensors["w"].shape == (4,)


def test_ten_gigabyte_safetensors_header_is_refused(tmp_path: Path) -> None:
    header = b'{"w":{"dtype":"F32","shape":[2684354560],"data_offsets":[0,10737418240]}}'
    path = tmp_path / "huge.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(16))
    with pytest.raises(GeneratorError, match="damaged"):
        read(path)


def test_zip_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", pickle.dumps({}))
        archive.writestr("a/data/0", bytes(50_000_000))
    with pytest.raises(UnsafeCheckpointError, match="unpacks to more"):
        read(path)


@pytest.mark.skipif(os.name != "posix", reason="no memory limit on this system")
def test_memory_bomb_is_stopped(tmp_path: Path) -> None:
    """A pickle that memoises at a huge index makes its reader allocate gigabytes."""
    path = tmp_path / "bomb.pkl"
    path.write_bytes(b"\x80\x02}r" + struct.pack("<I", 2**31 - 1) + b".")
    with pytest.raises(GeneratorError, match=r"memory|could not be read"):
        read_isolated(path, memory_bytes=1 << 30)


@pytest.mark.skipif(os.name != "posix", reason="nobody is killed so on this system")
def test_a_reader_killed_for_memory_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Linux does when memory runs out: the child is killed before it can say anything."""
    torch.save({"w": torch.zeros(2)}, tmp_path / "a.pt")
    real = subprocess.run

    def killed(command: list[str], **options: Any) -> Any:
        return real([*command[:2], "import os; os.kill(os.getpid(), 9)"], **options)

    monkeypatch.setattr(subprocess, "run", killed)
    with pytest.raises(GeneratorError, match=r"a\.pt.*want of memory.*machine with more memory"):
        read_isolated(tmp_path / "a.pt")


def test_damaged_and_wrong_files(tmp_path: Path) -> None:
    good = tmp_path / "good.pt"
    torch.save(OrderedDict(TENSORS), good, _use_new_zipfile_serialization=False)
    cases = {
        "cut.pt": (good.read_bytes()[:-9], "truncated"),
        "short.pt": (good.read_bytes()[:200], "damaged|truncated"),
        "empty.pt": (b"", "an empty file"),
        "page.pkl": (b"<!DOCTYPE html><html>quota exceeded</html>", "a web page"),
        "picture.pt": (b"\x89PNG\r\n\x1a\n" + bytes(30), "not a checkpoint"),
        "number.pkl": (pickle.dumps(3), "no tensors"),
    }
    for name, (data, words) in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(GeneratorError, match=words):
            read(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(GeneratorError, match="not one that torch wrote"):
        read(tmp_path / "other.zip")
    with pytest.raises(GeneratorError, match="no file"):
        read_isolated(tmp_path / "absent.pt")


def test_every_cut_of_a_file_is_an_error_not_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "cut.pt"
    for modern in (True, False):
        buffer = io.BytesIO()
        torch.save({"w": torch.arange(3.0)}, buffer, _use_new_zipfile_serialization=modern)
        whole = buffer.getvalue()
        for length in range(0, len(whole) - 1, 23):
            path.write_bytes(whole[:length])
            with pytest.raises(GeneratorError):
                read(path)


def test_sniff(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"hello world, nothing here")
    assert sniff(tmp_path / "a") == ""


def test_reader_needs_no_torch() -> None:
    """The subprocess must stay small: its module imports no torch."""
    source = Path(checkpoint.__file__).read_text()
    assert "import torch" not in source
