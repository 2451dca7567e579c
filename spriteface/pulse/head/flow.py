"""How a small picture changes with shape, expression, pose and camera, to first order.

Rasterising has no useful derivative, but image motion has: where a parameter moves the surface by
(u, v) px, the picture changes by -(dI/dx u + dI/dy v). Motions of the sliders are linear and known,
so a search can have a gradient for all of them at the price of one more pass over the pixels.
What appears or vanishes at silhouettes is only followed as far as the motion is carried one pixel
outwards; new shadows aren't followed at all.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from ...types import F32
from .camera import NECK_PIVOT, head_share, rotation, view_of
from .identity import slider_moves
from .model import head_model
from .noise import KERNEL
from .person import Person
from .prior import layout
from .scene import Scene

RIGID = ("yaw", "pitch", "roll", "zoom", "camera_x", "camera_y")
# what a positive expression dim does, as `prior` spells it out
_EXPRESSIONS: dict[str, dict[str, float]] = {
    "smile": {"mouthSmile": 1.0, "cheekSquint": 0.4, "eyeSquint": 0.25},
    "jaw": {"jawOpen": 1.0},
    "eyes_open": {"eyeWide": 1.0},
    "brow_up": {"browInnerUp": 1.0},
    "brow_down": {"browDown": 1.0},
}


@lru_cache(maxsize=1)
def moving_dims() -> tuple[str, ...]:
    """Names of the dims whose gradient `motion` gives, in its order."""
    sliders = [d.name for d in layout().dims if d.kind == "slider"]
    return (*sliders, *_EXPRESSIONS, *RIGID)


@lru_cache(maxsize=1)
def _moves() -> F32:
    """(N,V,3) surface displacement, cm, per unit of every slider and expression, unposed."""
    model = head_model(0)
    names, all_moves = slider_moves()
    sliders = [d.name.removeprefix("local:") for d in layout().dims if d.kind == "slider"]
    rows = [all_moves[names.index(n)] for n in sliders]
    for parts in _EXPRESSIONS.values():
        delta = np.zeros((model.n_base, 3), np.float32)
        for name, weight in parts.items():
            for target in (name, f"{name}Left", f"{name}Right"):
                if target in model.index:
                    ids, d = model.displacement(model.index[target])
                    delta[ids] += weight * d
        rows.append(model.subdivide(delta))
    return np.ascontiguousarray(np.stack(rows), np.float32)


@njit(**KERNEL)
def _pixel_motion(
    face: Any, bary: Any, faces: Any, vertices: Any, turns: Any, strand: Any, along: Any, strands: Any,
    moves: Any, turn: Any, axes: Any, pivot: Any, eye: Any, focal: float, zoom: float, out: Any,
) -> None:  # fmt: skip
    """Motion (N,2,H,W) px per unit of every dim at each covered pixel's first sample."""
    h, w = out.shape[2], out.shape[3]
    s = face.shape[0] // h
    n_moves, n_body = moves.shape[0], moves.shape[1]
    p = np.empty(3, np.float64)
    d = np.empty(3, np.float64)
    for y in range(h):
        for x in range(w):
            f = face[y * s, x * s]
            n = strand[y * s, x * s]
            if n < 0 and f < 0:
                continue
            i = j = k = 0
            a = b = c = 0.0
            share = 1.0
            if n >= 0:
                knot = int(along[y * s, x * s])
                for e in range(3):
                    p[e] = strands[n, knot, e]
            else:
                i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
                a = bary[y * s, x * s, 0]
                b = bary[y * s, x * s, 1]
                c = 1.0 - a - b
                for e in range(3):
                    p[e] = a * vertices[i, e] + b * vertices[j, e] + c * vertices[k, e]
                share = a * turns[i] + b * turns[j] + c * turns[k]
            away = 1.0 / (eye[2] - p[2])
            px = (p[0] - eye[0]) * away
            py = (p[1] - eye[1]) * away
            if n < 0 and i < n_body and j < n_body and k < n_body:
                for m in range(n_moves):
                    for e in range(3):
                        d[e] = a * moves[m, i, e] + b * moves[m, j, e] + c * moves[m, k, e]
                    dx = turn[0, 0] * d[0] + turn[0, 1] * d[1] + turn[0, 2] * d[2]
                    dy = turn[1, 0] * d[0] + turn[1, 1] * d[1] + turn[1, 2] * d[2]
                    dz = turn[2, 0] * d[0] + turn[2, 1] * d[1] + turn[2, 2] * d[2]
                    out[m, 0, y, x] = focal * away * (dx + px * dz)
                    out[m, 1, y, x] = -focal * away * (dy + py * dz)
            for r in range(3):
                qx = p[0] - pivot[0]
                qy = p[1] - pivot[1]
                qz = p[2] - pivot[2]
                dx = share * (axes[r, 1] * qz - axes[r, 2] * qy)
                dy = share * (axes[r, 2] * qx - axes[r, 0] * qz)
                dz = share * (axes[r, 0] * qy - axes[r, 1] * qx)
                out[n_moves + r, 0, y, x] = focal * away * (dx + px * dz)
                out[n_moves + r, 1, y, x] = -focal * away * (dy + py * dz)
            out[n_moves + 3, 0, y, x] = focal * px / zoom
            out[n_moves + 3, 1, y, x] = -focal * py / zoom
            out[n_moves + 4, 0, y, x] = -focal * away
            out[n_moves + 5, 1, y, x] = focal * away


def motion(person: Person, scene: Scene, buffers: tuple[Any, ...], size: int) -> F32:
    """(N,2,size,size) px per unit of every dim of `moving_dims`; `buffers` are `preview.see`'s."""
    face, bary, strand, along = buffers
    pose = person.pose
    turn = rotation(pose.yaw, pose.pitch, pose.roll).astype(np.float64)
    roll_only = rotation(0.0, 0.0, pose.roll)
    nodded = rotation(0.0, pose.pitch, pose.roll)
    axes = np.stack([nodded[:, 1], roll_only[:, 0], [0.0, 0.0, 1.0]]).astype(np.float64)
    view = view_of(person.camera, size)
    turns = np.ones(len(scene.vertices), np.float32)
    body = scene.place.model.canonical
    turns[: len(body)] = head_share(body[:, 1])
    moves = _moves()
    out = np.zeros((len(moves) + len(RIGID), 2, size, size), np.float32)
    strands = scene.strands if len(scene.strands) else np.zeros((1, 1, 3), np.float32)
    _pixel_motion(
        face, bary, scene.faces, scene.vertices, turns, strand, along, strands, moves, turn, axes,
        NECK_PIVOT.astype(np.float64), view.eye.astype(np.float64), view.focal, person.camera.zoom, out,
    )  # fmt: skip
    step = face.shape[0] // size
    covered = (face[::step, ::step] >= 0) | (strand[::step, ::step] >= 0)
    return _carried_outwards(out, covered)


def _carried_outwards(out: F32, covered: NDArray[np.bool_]) -> F32:
    """Motion copied to the pixel next to a silhouette, so that edges move as a whole."""
    far, (rows, columns) = distance_transform_edt(~covered, return_indices=True)
    near = (far > 0) & (far < 1.5)
    out[:, :, near] = out[:, :, rows[near], columns[near]]
    return out


def moved(image: Tensor, values: Tensor, flows: F32) -> Tensor:
    """The picture (3,H,W) unchanged, with a gradient to the moving dims' `values` (D,) added."""
    still = image.detach()
    gx = torch.zeros_like(still)
    gy = torch.zeros_like(still)
    gx[:, :, 1:-1] = (still[:, :, 2:] - still[:, :, :-2]) / 2
    gy[:, 1:-1] = (still[:, 2:] - still[:, :-2]) / 2
    u, v = torch.from_numpy(flows).unbind(1)
    rows = [layout().index[name] for name in moving_dims()]
    change = values[rows] - values[rows].detach()
    along_x = torch.einsum("n,nhw->hw", change, u)
    along_y = torch.einsum("n,nhw->hw", change, v)
    return image - gx * along_x - gy * along_y
