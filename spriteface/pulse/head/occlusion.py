"""Ambient occlusion of the mean head, per vertex: baked into the data (tools/bake_head.py)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...types import F32
from .light import frames_of, sphere
from .model import BODY, EYE_L, EYE_R, TEETH_LOW, TEETH_UP, HeadModel
from .raster import FAR, light_depths, vertex_normals, vertex_visibility

DIRECTIONS, BATCH, MAP_SIZE, EXTENT_CM = 160, 20, 900, 16.0


def vertex_occlusion(model: HeadModel) -> NDArray[np.uint8]:
    """(V,) uint8, 255 open to 0 closed: cosine-weighted share of the sky that a vertex sees."""
    vertices = model.canonical
    faces = model.triangles(BODY, EYE_L, EYE_R, TEETH_UP, TEETH_LOW)
    normals = vertex_normals(vertices, model.triangles(BODY))
    frames = frames_of(sphere(DIRECTIONS))
    centre = np.array([0.0, 1.0, 4.0], np.float32)
    strands: F32 = np.zeros((0, 2, 3), np.float32)
    seen, total = np.zeros(model.n_vertices), np.zeros(model.n_vertices)
    wanted = np.ones(model.n_vertices, np.uint8)
    for start in range(0, DIRECTIONS, BATCH):
        part = frames[start : start + BATCH]
        maps = np.full((BATCH, MAP_SIZE, MAP_SIZE), FAR, np.float32)
        light_depths(0, BATCH, vertices, faces, strands, 1, part, centre, EXTENT_CM, maps, 0)
        visible = np.zeros((model.n_vertices, BATCH), np.uint8)
        vertex_visibility(
            0,
            model.n_vertices,
            vertices,
            normals,
            wanted,
            part,
            centre,
            EXTENT_CM,
            maps,
            0.05,
            visible,
        )
        cosine = np.maximum(normals @ part[:, 0].T, 0.0)
        seen += (cosine * visible / 255.0).sum(1)
        total += cosine.sum(1)
    return np.round(255 * seen / np.maximum(total, 1e-6)).astype(np.uint8)
