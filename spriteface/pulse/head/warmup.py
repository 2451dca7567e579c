"""First use: compile the kernels into numba's disk cache, and say how far it is."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import camera, flow, labels, preview, raster, scene, shade, strands, surface, transport
from .person import FacialHair, Hair, Person, Wear
from .prior import latents_from_people

_KERNELS: tuple[Any, ...] = (
    raster.raster_triangles, raster.raster_strands, raster.light_depths, raster.vertex_visibility,
    raster.vertex_normals, shade.shade_surface, shade.near_shadows, shade.shade_strands, shade.resolve, surface.materials,
    strands._grow, strands._fill, strands._push_out, strands._press, transport.number_points,
    camera._project, camera._turn, labels._vote, scene._carry, scene._nearest,
    transport.expose, transport.expose_strands, transport.vertex_shares, transport.paint, transport.develop, transport.gather, transport.gather_slope,
    transport.develop_slope, transport.product_slope, flow._pixel_motion,
)  # fmt: skip


def is_warm() -> bool:
    """Whether every kernel has a cache entry newer than its source."""
    return all(_cached(kernel) for kernel in _KERNELS)


def _cached(kernel: Any) -> bool:
    source = Path(kernel.py_func.__code__.co_filename)
    return any(e.stat().st_mtime >= source.stat().st_mtime for e in _entries(kernel))


def _entries(kernel: Any) -> list[Path]:
    source = Path(kernel.py_func.__code__.co_filename)
    folder = Path(kernel.stats.cache_path or source.parent)
    return list(folder.glob(f"{source.stem}.{kernel.py_func.__qualname__}-*.nbi"))


def warm(on_progress: Callable[[float, str], None] | None = None) -> None:
    """Render two tiny pictures, so that every kernel is compiled and cached."""
    from .render import render

    tell = on_progress or (lambda share, what: None)
    person = Person(hair=Hair(), facial_hair=FacialHair("full"), wear=(Wear("plumber_cap"),))
    tell(0.0, "preview")
    latents = latents_from_people([person])
    z = latents.z[0].requires_grad_()
    preview.preview_latent(z, latents.structure[0], 16, shape=True).sum().backward()  # type: ignore[no-untyped-call]
    labels.label_map(person, 16)
    stages = ("geometry", "shadows", "raster", "hair", "surface", "develop")
    render(person, 64, on_stage=lambda name: tell(0.3 + 0.7 * stages.index(name) / 6, name))
    for (
        kernel
    ) in _KERNELS:  # numba goes by what a file says, we by its date: a checkout changes that
        for entry in _entries(kernel):
            with contextlib.suppress(OSError):
                os.utime(entry)
    tell(1.0, "ready")
