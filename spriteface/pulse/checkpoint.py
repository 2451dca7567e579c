"""Reading other people's checkpoints without running what is in them.

A pickle is a program. This reader runs a small part of that language: it knows a list of
harmless names, builds arrays itself from bytes that it has measured, and refuses all else by
name. Source code carried inside NVIDIA's files is never run; it is parsed, and a file whose
source does what no network needs is refused (`source_check`). What a file is, is decided by its
content:

* zip: torch.save since 1.6 (PULSE, rosinality);
* three pickles and raw storages: torch.save before 1.6 (PULSE's gaussian_fit.pt);
* one pickle: NVIDIA's StyleGAN2-ADA and StyleGAN3, modules with their state, and their older
  TensorFlow files, networks with lists of variables;
* safetensors: no code by design.

No torch here: arrays only, so that the conversion can run in a small process whose memory is
limited (`read_isolated`).
"""

from __future__ import annotations

import argparse
import io
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import GeneratorError, UnsafeCheckpointError
from .source_check import objection

Array = NDArray[Any]
Arrays = dict[str, Array]

MAX_BYTES = 4 << 30  # no face generator that we know is larger
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_OURS = "spriteface"  # the metadata of the safetensors files that we write
_ADVICE = "get it from its author's own page, and don't load it with other programs"

_STORAGES: dict[str, tuple[str, int]] = {
    "FloatStorage": ("<f4", 4),
    "DoubleStorage": ("<f8", 8),
    "HalfStorage": ("<f2", 2),
    "BFloat16Storage": ("bf16", 2),
    "LongStorage": ("<i8", 8),
    "IntStorage": ("<i4", 4),
    "ShortStorage": ("<i2", 2),
    "CharStorage": ("<i1", 1),
    "ByteStorage": ("<u1", 1),
    "BoolStorage": ("|b1", 1),
}


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a file holds: tensors by dotted name, and plain values found beside them.

    `format` says how it was stored (zip, legacy, nvidia, safetensors).
    """

    path: Path
    format: str
    tensors: Arrays
    values: Mapping[str, Any] = field(default_factory=dict)


class _Storage:
    """Raw bytes and their element type."""

    def __init__(self, dtype: str, data: bytes | memoryview) -> None:
        self.dtype, self.data = dtype, data


class _Later:
    """A legacy storage whose bytes follow the pickle."""

    def __init__(self, dtype: str, size: int) -> None:
        self.dtype, self.size = dtype, size
        self.data: bytes = b""


class _Module:
    """An inert stand-in for an object: its class's name and the state it was given."""

    def __init__(self, kind: str = "") -> None:
        self.kind = kind
        self.state: dict[str, Any] = {}

    def __setstate__(self, state: Any) -> None:
        self.state = state if isinstance(state, dict) else {}


class _TfNetwork(_Module):
    """NVIDIA's TensorFlow network: variables as (name, array), components as networks. Its
    source is checked and dropped."""

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)
        _check_source(self.state.pop("build_module_src", ""))


def _check_source(source: Any) -> None:
    found = objection(source) if isinstance(source, str) else "source that is no text"
    if found:
        raise UnsafeCheckpointError(
            f"the file carries Python source with {found}, which no network needs; "
            "nothing was executed",
            f"{_ADVICE}; if you trust it, have its own program save G_ema.state_dict() and add that",
        )


class _LazyTensor:
    """A tensor whose storage may not have been read yet."""

    def __init__(self, storage: Any, offset: Any, size: Any, stride: Any, *_rest: Any) -> None:
        if not isinstance(storage, (_Storage, _Later)):
            raise UnsafeCheckpointError("a tensor without storage", _ADVICE)
        numbers = (offset, *size, *stride)
        if len(size) != len(stride) or not all(isinstance(n, int) and n >= 0 for n in numbers):
            raise UnsafeCheckpointError("a tensor with a senseless shape", _ADVICE)
        self.storage, self.offset = storage, offset
        self.size, self.stride = tuple(size), tuple(stride)

    def array(self) -> Array:
        """A copy, float32 for all floating types.

        Raises:
            UnsafeCheckpointError: the tensor claims more than its storage holds.
        """
        code = "<u2" if self.storage.dtype == "bf16" else self.storage.dtype
        flat = np.frombuffer(
            self.storage.data, code, len(self.storage.data) // np.dtype(code).itemsize
        )
        count = int(np.prod(self.size, dtype=object)) if self.size else 1
        last = self.offset + sum((n - 1) * s for n, s in zip(self.size, self.stride))
        if count and (last >= len(flat) or count > len(flat)):
            raise UnsafeCheckpointError(
                f"a tensor claims {count:,} elements, its storage holds {len(flat):,}", _ADVICE
            )
        if not count:
            return np.zeros(self.size, np.float32)
        strides = [s * flat.itemsize for s in self.stride]
        view = np.lib.stride_tricks.as_strided(flat[self.offset :], self.size, strides)
        if self.storage.dtype == "bf16":
            return (view.astype(np.uint32) << 16).view(np.float32)
        return view.astype(np.float32) if view.dtype.kind == "f" else view.copy()


def _rebuild_tensor(storage: Any, offset: Any, size: Any, stride: Any, *rest: Any) -> _LazyTensor:
    return _LazyTensor(storage, offset, size, stride)


def _rebuild_parameter(data: Any, *rest: Any) -> Any:
    return data


def _persistent_object(meta: Any) -> _Module:
    """NVIDIA's modules: {type, version, module_src, class_name, state}. The source is checked
    and dropped."""
    if not isinstance(meta, dict) or not isinstance(meta.get("state"), dict):
        raise UnsafeCheckpointError("a persistent object without a state", _ADVICE)
    _check_source(meta.get("module_src", ""))
    module = _Module(str(meta.get("class_name", "")))
    module.state = meta["state"]
    return module


class _EasyDict(dict[str, Any]):
    """dnnlib's dictionary with attributes, without the attributes."""

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.update(state)


class _Dtype:
    """numpy's element type, as its code only."""

    def __init__(self, code: Any, *_rest: Any) -> None:
        self.code = str(code)
        self.order = "<"

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">", "|", "="):
            self.order = state[1]

    def known(self) -> np.dtype[Any]:
        code = self.code.lstrip("<>|=")
        if code not in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "b1"):
            raise UnsafeCheckpointError(f"a numpy array of {self.code!r}", _ADVICE)
        return np.dtype(self.order + code)


class _NumpyArray:
    """numpy's array: NVIDIA's modules keep small ones as attributes, TensorFlow's all weights."""

    def __init__(self, *_args: Any) -> None:
        self._state: tuple[Any, ...] = ()

    def __setstate__(self, state: Any) -> None:
        self._state = state if isinstance(state, tuple) and len(state) == 5 else ()

    def array(self) -> Array:
        if not self._state:
            raise UnsafeCheckpointError("a numpy array without contents", _ADVICE)
        _, shape, dtype, fortran, data = self._state
        if isinstance(data, str):
            data = data.encode("latin1")
        if not isinstance(dtype, _Dtype) or not isinstance(data, bytes):
            raise UnsafeCheckpointError("a numpy array of objects", _ADVICE)
        flat = np.frombuffer(data, dtype.known())
        if int(np.prod(shape, dtype=object)) != len(flat):
            raise UnsafeCheckpointError("a numpy array that claims more than it holds", _ADVICE)
        return flat.reshape(shape, order="F" if fortran else "C")


def _numpy_scalar(dtype: Any, data: Any = b"") -> float | int | bool | None:
    if isinstance(data, str):
        data = data.encode("latin1")
    if not isinstance(dtype, _Dtype) or not isinstance(data, bytes):
        return None
    values = np.frombuffer(data, dtype.known())
    item: float | int | bool | None = values[0].item() if len(values) == 1 else None
    return item


_NAMES: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("dnnlib.util", "EasyDict"): _EasyDict,
    ("dnnlib", "EasyDict"): _EasyDict,
    ("argparse", "Namespace"): argparse.Namespace,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _rebuild_parameter,
    ("torch", "Size"): tuple,
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _NumpyArray,
    **{
        (f"numpy.{core}.multiarray", name): stub
        for core in ("core", "_core")
        for name, stub in (("scalar", _numpy_scalar), ("_reconstruct", _NumpyArray))
    },
    **{(module, "set"): set for module in ("builtins", "__builtin__")},
    ("_codecs", "encode"): lambda text, _encoding="latin1": str(text).encode("latin1"),
    ("torch_utils.persistence", "_reconstruct_persistent_obj"): _persistent_object,
    ("dnnlib.tflib.network", "Network"): _TfNetwork,
}


class _Reader(pickle.Unpickler):
    """The restricted pickle machine. `depth` guards against storages nested for ever."""

    def __init__(
        self, file: BinaryIO, path: Path, load_storage: Callable[[Any], Any], depth: int = 0
    ) -> None:
        super().__init__(file, encoding="latin1")
        self.path, self.load_storage, self.depth = path, load_storage, depth

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _NAMES:
            return _NAMES[module, name]
        if module in ("torch", "torch.storage") and name in _STORAGES:
            return _STORAGES[name]
        if (module, name) == ("torch.storage", "_load_from_bytes"):
            return self._nested
        raise UnsafeCheckpointError(
            f"{self.path.name} asks for {module}.{name}, which no checkpoint needs; "
            "nothing was executed",
            _ADVICE,
        )

    def persistent_load(self, pid: Any) -> Any:
        return self.load_storage(pid)

    def _nested(self, data: Any) -> Any:
        """NVIDIA's pickles hold each storage as a whole torch.save of its own."""
        if not isinstance(data, bytes) or self.depth > 0:
            raise UnsafeCheckpointError(f"{self.path.name}: storages inside storages", _ADVICE)
        return _read_legacy(io.BytesIO(data), self.path, depth=1)


def _legacy_storage(table: dict[str, _Later], path: Path) -> Callable[[Any], Any]:
    def load(pid: Any) -> Any:
        match pid:
            case ("storage", (str(dtype), int(width)), str(key), _, int(size), None):
                if not 0 <= size * width <= MAX_BYTES:
                    raise UnsafeCheckpointError(
                        f"{path.name}: a storage of {size:,} elements", _ADVICE
                    )
                return table.setdefault(key, _Later(dtype, size))
        raise UnsafeCheckpointError(f"{path.name}: an unknown kind of storage", _ADVICE)

    return load


def _read_legacy(file: BinaryIO, path: Path, depth: int = 0) -> Any:
    """Magic number, protocol, system info, the object, storage keys, then the storages."""
    table: dict[str, _Later] = {}
    load = _legacy_storage(table, path)

    def part() -> Any:
        return _Reader(file, path, load, depth).load()

    if part() != _LEGACY_MAGIC:
        raise GeneratorError(f"{path.name}: not a torch file", "is it the file you meant?")
    part()
    part()
    found = part()
    keys = part()
    for key in keys:
        later = table.get(key)
        if later is None:
            raise UnsafeCheckpointError(f"{path.name}: a storage that nothing uses", _ADVICE)
        size = int.from_bytes(file.read(8), "little")
        width = dict(_STORAGES.values())[later.dtype]
        data = file.read(size * width) if size == later.size else b""
        if size != later.size or len(data) != size * width:
            raise GeneratorError(f"{path.name} is truncated", "download it again")
        later.data = data
    return found


def _read_zip(path: Path) -> Any:
    """A zip of data.pkl and one uncompressed record per storage."""
    with zipfile.ZipFile(path) as archive:
        entries = {info.filename: info for info in archive.infolist()}
        pickles = [name for name in entries if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise GeneratorError(
                f"{path.name} is a zip, but not one that torch wrote", "unpack it first"
            )
        if sum(info.file_size for info in entries.values()) > min(MAX_BYTES, path.stat().st_size):
            raise UnsafeCheckpointError(f"{path.name} unpacks to more than it holds", _ADVICE)
        root = pickles[0].removesuffix("data.pkl")
        cache: dict[str, _Storage] = {}

        def load(pid: Any) -> Any:
            match pid:
                case ("storage", (str(dtype), int(width)), str(key), _, int(size)):
                    if key not in cache:
                        info = entries.get(f"{root}data/{key}")
                        if info is None or info.file_size < size * width:
                            raise UnsafeCheckpointError(
                                f"{path.name}: storage {key} claims {size:,} elements", _ADVICE
                            )
                        cache[key] = _Storage(dtype, archive.read(info))
                    return cache[key]
            raise UnsafeCheckpointError(f"{path.name}: an unknown kind of storage", _ADVICE)

        return _Reader(io.BytesIO(archive.read(pickles[0])), path, load).load()


def _no_storage(pid: Any) -> Any:
    raise UnsafeCheckpointError("a storage reference outside a torch file", _ADVICE)


def _package_path() -> dict[str, str]:
    """The environment, with this package importable from anywhere."""
    home = str(Path(__file__).resolve().parents[2])
    rest = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([home, rest] if rest else [home])}


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))


def _flatten(
    found: Any, prefix: str, tensors: Arrays, values: dict[str, Any], depth: int = 0
) -> None:
    """Tensors and plain values of nested dictionaries and modules, by dotted name."""
    if depth > 32:
        raise UnsafeCheckpointError("a checkpoint nested deeper than any network", _ADVICE)
    if isinstance(found, _LazyTensor):
        tensors[prefix.removesuffix(".")] = found.array()
    elif isinstance(found, _NumpyArray):
        pass  # attributes; no torch checkpoint keeps weights so
    elif isinstance(found, _TfNetwork):
        for name, value in found.state.get("variables") or ():
            if isinstance(value, _NumpyArray):
                tensors[f"{prefix}{name}"] = value.array().astype(np.float32)
        for name, value in (found.state.get("components") or {}).items():
            _flatten(value, f"{prefix}{name}/", tensors, values, depth + 1)
    elif isinstance(found, (list, tuple)):
        for i, value in enumerate(found):
            _flatten(value, f"{prefix}{i}.", tensors, values, depth + 1)
    elif isinstance(found, _Module):
        for group in ("_parameters", "_buffers", "_modules"):
            _flatten(found.state.get(group) or {}, prefix, tensors, values, depth + 1)
        values[f"{prefix}class"] = found.kind
        for key, value in found.state.items():
            if _plain(value) and value is not None:
                values[f"{prefix}{key}"] = value
    elif isinstance(found, Mapping):
        for key, value in found.items():
            _flatten(value, f"{prefix}{key}.", tensors, values, depth + 1)
    elif _plain(found) and found is not None:
        values[prefix.removesuffix(".")] = found


def _read_safetensors(path: Path) -> tuple[Arrays, dict[str, Any]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            values: dict[str, Any] = dict(file.metadata() or {})
            values |= json.loads(values.pop(_OURS, "{}"))
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, TypeError, ValueError) as error:
        raise GeneratorError(
            f"{path.name} is a damaged safetensors file ({error})", "download it again"
        ) from error
    return tensors, values


def sniff(path: Path) -> str:
    """zip, legacy, pickle or safetensors, by content; "" for something else."""
    with path.open("rb") as file:
        head = file.read(16)
    if head[:4] == b"PK\x03\x04":
        return "zip"
    if head[:1] == b"\x80":
        # torch's old magic number is the first thing such a file pickles
        return "legacy" if _LEGACY_MAGIC.to_bytes(10, "little") in head else "pickle"
    if len(head) > 9 and head[8:9] == b"{":
        return "safetensors"
    if head[:1] in (b"(", b"c", b"]", b"}"):  # the oldest pickles begin with their first opcode
        return "pickle"
    return ""


def read(path: Path) -> Checkpoint:
    """The tensors of a checkpoint file, read without executing any of it.

    Raises:
        UnsafeCheckpointError: it asks for something that no checkpoint needs.
        GeneratorError: it isn't a checkpoint, or is damaged or too large.
    """
    try:
        size = path.stat().st_size
        kind = sniff(path)
    except OSError as error:
        raise GeneratorError(f"can't read {path}: {error.strerror}") from error
    if size > MAX_BYTES:
        raise GeneratorError(f"{path.name} has {size >> 30} GiB: too large for a face generator")
    tensors: Arrays = {}
    values: dict[str, Any] = {}
    try:
        if kind == "safetensors":
            tensors, values = _read_safetensors(path)
        elif kind == "zip":
            _flatten(_read_zip(path), "", tensors, values)
        elif kind == "legacy":
            with path.open("rb") as file:
                _flatten(_read_legacy(file, path), "", tensors, values)
        elif kind == "pickle":
            with path.open("rb") as file:
                _flatten(_Reader(file, path, _no_storage).load(), "", tensors, values)
            kind = "nvidia"
        else:
            raise GeneratorError(
                f"{path.name} is not a checkpoint (seen: {_describe(path)})",
                "expected .safetensors, a torch .pt, or NVIDIA's .pkl",
            )
    except GeneratorError as error:
        if path.name in error.message:
            raise
        raise type(error)(f"{path.name}: {error.message}", error.hint) from error
    except MemoryError as error:
        raise GeneratorError(
            f"{path.name} needs more memory than it should", "the file is damaged or hostile"
        ) from error
    except Exception as error:  # whatever a broken pickle or zip makes the readers raise
        raise GeneratorError(
            f"{path.name} is damaged ({type(error).__name__}: {error})", "download it again"
        ) from error
    if not tensors:
        raise GeneratorError(f"{path.name} holds no tensors", "is it the file you meant?")
    return Checkpoint(path, kind, tensors, values)


def _describe(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(16)
    if not head:
        return "an empty file"
    if head.lstrip()[:1] == b"<":
        return "a web page: the download gave an error page instead of the file"
    return f"bytes {head[:8].hex(' ')}"


def write_safetensors(
    path: Path, tensors: Mapping[str, Array], metadata: Mapping[str, str]
) -> None:
    """Write `tensors` and string `metadata`, contiguous; the same ones always give the same bytes.

    The metadata are one entry: safetensors keeps several in an order that changes by itself.
    """
    from safetensors.numpy import save_file

    save_file(
        {key: np.ascontiguousarray(value) for key, value in tensors.items()},
        path,
        metadata={_OURS: json.dumps(dict(metadata), sort_keys=True)},
    )


def _limit_memory(limit: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limit; the sizes checked above still hold
        return
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _child(source: str, result: str, limit: str) -> None:
    """The subprocess: read `source`, write tensors and values to `result`, errors to stdout."""
    _limit_memory(int(limit))
    try:
        found = read(Path(source))
        texts = {"values": json.dumps(dict(found.values)), "format": found.format}
        write_safetensors(Path(result), found.tensors, texts)
    except (GeneratorError, MemoryError) as error:
        unsafe = isinstance(error, UnsafeCheckpointError)
        message = getattr(error, "message", "not enough memory")
        hint = getattr(error, "hint", "the file is damaged or hostile")
        sys.stdout.write(json.dumps({"unsafe": unsafe, "message": message, "hint": hint}))
        sys.exit(3)


def read_isolated(path: Path, *, memory_bytes: int = 0, timeout_seconds: float = 600) -> Checkpoint:
    """`read` in a process of its own with a memory limit (0: 4 times the file and 1.5 GiB).

    Raises:
        UnsafeCheckpointError, GeneratorError: as in `read`, or the process died.
    """
    if not path.is_file():
        raise GeneratorError(f"no file {path}", "check the path")
    limit = memory_bytes or 4 * path.stat().st_size + (3 << 29)
    with tempfile.TemporaryDirectory(prefix="spriteface-") as folder:
        result = Path(folder) / "tensors.safetensors"
        code = "import sys; from spriteface.pulse.checkpoint import _child; _child(*sys.argv[1:])"
        command = [sys.executable, "-c", code, str(path.resolve()), str(result), str(limit)]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=timeout_seconds,
                check=False,
                env=_package_path(),
            )
        except subprocess.TimeoutExpired as error:
            raise GeneratorError(
                f"{path.name} wasn't read within {timeout_seconds:.0f} s",
                "the file is damaged or hostile",
            ) from error
        if done.returncode == 3 and done.stdout:
            said = json.loads(done.stdout)
            kind = UnsafeCheckpointError if said["unsafe"] else GeneratorError
            raise kind(said["message"], said["hint"])
        if done.returncode == -getattr(signal, "SIGKILL", 9):
            raise GeneratorError(
                f"{path.name}: the system stopped its reading, most likely for want of memory "
                f"(it may take {limit >> 20} MiB)",
                "close other programs, or add it on a machine with more memory and carry "
                "weights.safetensors over",
            )
        if done.returncode or not result.exists():
            reason = done.stderr.strip().splitlines()[-1:] or [f"exit {done.returncode}"]
            raise GeneratorError(
                f"{path.name} could not be read ({reason[0]})", "the file is damaged or hostile"
            )
        tensors, texts = _read_safetensors(result)
    return Checkpoint(path, texts["format"], tensors, json.loads(texts["values"]))
