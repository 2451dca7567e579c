"""Our own hand-drawn samples as training data: recoloured, mirrored, moved, on other backgrounds.

Seventeen drawings are few, but each stands for every colouring of it: skins, hats, hair and
clothes change independently here, so that the reader learns shapes and not that caps are red.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from draw_sprites import (
    ARTIST_SKIN,
    CLASSES,
    FACIAL_HAIR,
    GLASSES,
    HAIR_STYLE,
    HEADWEAR,
    LARGEST,
    MONK,
    Drawn,
    _shrunk,
    hex_rgb,
    hsv,
)
from PIL import Image

WORDS = {"pointed hat": "pointed", "round": "clear", "eyepatch": "eyepatch_right"}
SWAP = {
    "left": "right",
    "right": "left",
    "eyepatch_left": "eyepatch_right",
    "eyepatch_right": "eyepatch_left",
}
GROUPS = (("skin",), ("hair", "brow"), ("headwear",), ("facial_hair",), ("clothing",), ("mask",))


def load(folder: Path) -> list[Drawn]:
    """Every single face of `folder`/truth.json that has its labels."""
    about = json.loads((folder / "truth.json").read_text())
    found = []
    for file, sample in about["samples"].items():
        if "labels" not in sample or sample["scale"] != 1 or max(sample["size"]) > 64:
            continue
        rgba = np.asarray(Image.open(folder / file).convert("RGBA")).copy()
        names = [[about["codes"][c] for c in row] for row in sample["labels"]]
        labels = np.array(
            [[CLASSES.index(n) if n in CLASSES else -1 for n in row] for row in names]
        )
        if labels.shape == rgba.shape[:2]:
            found.append(Drawn(rgba, labels, _traits(sample["faces"][0]), _points(labels)))
    return found


def _traits(face: dict[str, str]) -> dict[str, str]:
    """The heads' words; "?" where the truth doesn't say."""

    def word(name: str, known: tuple[str, ...]) -> str:
        value = WORDS.get(face.get(name, ""), face.get(name, ""))
        return value if value in known else "?"

    headwear = word("headwear", HEADWEAR)
    return {
        "headwear": headwear,
        "facial_hair": word("facial_hair", FACIAL_HAIR),
        "hair_style": word("hair_style", HAIR_STYLE),
        "glasses": word("glasses", GLASSES),
        "mask": WORDS.get(face["mask"], face["mask"]),
        "view": face["view"],
        "side": face["side"] or "none",
    }  # fmt: skip


def _points(labels: np.ndarray) -> dict[str, float]:
    def at(name: str) -> tuple[np.ndarray, np.ndarray]:
        return np.nonzero(labels == CLASSES.index(name))

    rows, columns = at("eye")
    middle = (columns.min() + columns.max() + 1) / 2
    left, right = columns[columns < middle], columns[columns >= middle]
    if not len(left) or not len(right) or columns.max() - columns.min() < 4:  # one eye shows
        left = right = columns
    eye_y = float(rows.mean() + 0.5)
    my, mx = at("mouth")
    face = np.isin(
        labels,
        [
            CLASSES.index(n)
            for n in ("skin", "eye", "mouth", "facial_hair", "brow", "glasses", "mask")
        ],
    )
    level = face[int(eye_y) : int(eye_y) + 3].any(0)
    sides = np.nonzero(level)[0]
    strip = face[:, int(middle) - 1 : int(middle) + 2].any(1)
    low = int(eye_y)
    while low + 1 < len(strip) and strip[low + 1]:
        low += 1
    high = int(eye_y)
    while high > 0 and strip[high - 1]:
        high -= 1
    return {
        "eye_left_x": float(left.mean() + 0.5), "eye_left_y": eye_y,
        "eye_right_x": float(right.mean() + 0.5), "eye_right_y": eye_y,
        "mouth_x": float(mx.mean() + 0.5) if len(mx) else middle,
        "mouth_y": float(my.mean() + 0.5) if len(my) else (eye_y + low) / 2,
        "chin_y": low + 1.0, "hairline_y": float(high),
        "face_x0": float(sides[0]), "face_x1": float(sides[-1] + 1),
    }  # fmt: skip


def vary(d: Drawn, rng: np.random.Generator) -> Drawn:
    """Another colouring, side, place and background of a drawing."""
    rgba, labels, traits, points = d.rgba.copy(), d.labels.copy(), dict(d.traits), dict(d.points)
    n = len(labels)
    if traits["view"] == "front" and rng.random() < 0.85:  # nearly all are: teach nothing of that
        traits.update(view="?", side="?")
    for group in GROUPS:
        if rng.random() < 0.75:
            _recolor(rgba, labels, group, rng)
    if rng.random() < 0.5:
        ink = hsv(rng.random(), rng.uniform(0, 0.6), rng.uniform(0.02, 0.3)) * 255
        rgba[labels == CLASSES.index("outline"), :3] = ink
    if rng.random() < 0.5:
        rgba, labels = rgba[:, ::-1].copy(), labels[:, ::-1].copy()
        traits = {k: SWAP.get(v, v) for k, v in traits.items()}
        w = labels.shape[1]
        mirrored = {k: w - v if "_x" in k else v for k, v in points.items()}
        for one, two in (("eye_left", "eye_right"),):
            for axis in ("x", "y"):
                points[f"{one}_{axis}"], points[f"{two}_{axis}"] = (
                    mirrored[f"{two}_{axis}"],
                    mirrored[f"{one}_{axis}"],
                )
        points.update(
            mouth_x=mirrored["mouth_x"], face_x0=mirrored["face_x1"], face_x1=mirrored["face_x0"]
        )
    pad = int(rng.integers(0, 4)) if n <= 24 else 0
    if pad:
        dy, dx = (int(v) for v in rng.integers(0, pad + 1, 2))
        wide = np.zeros((n + pad, labels.shape[1] + pad, 4), np.uint8)
        put = np.full(wide.shape[:2], CLASSES.index("background"))
        (
            wide[dy : dy + n, dx : dx + labels.shape[1]],
            put[dy : dy + n, dx : dx + labels.shape[1]],
        ) = rgba, labels
        rgba, labels = wide, put
        points = {k: v + (dx if "_x" in k else dy) for k, v in points.items()}
    if rng.random() < 0.25:
        color = hsv(rng.random(), rng.uniform(0, 0.8), rng.random()) * 255
        rgba[rgba[..., 3] < 128] = (*color, 255)
    if rng.random() < 0.15:
        noise = rng.normal(size=(*labels.shape, 3)) * rng.uniform(2, 10)
        rgba[..., :3] = np.clip(rgba[..., :3] + noise, 0, 255)
    out = Drawn(rgba, labels, traits, points)
    if max(labels.shape) > LARGEST:
        out = _shrunk(Drawn(rgba, np.maximum(labels, 0), traits, points), LARGEST)
    return out


def _recolor(
    rgba: np.ndarray, labels: np.ndarray, group: tuple[str, ...], rng: np.random.Generator
) -> None:
    mask = np.isin(labels, [CLASSES.index(name) for name in group])
    if not mask.any():
        return
    old = np.median(rgba[mask][:, :3], axis=0) / 255 + 0.02
    if group == ("skin",):
        new = hex_rgb(str(rng.choice((*ARTIST_SKIN, *MONK))))
    elif group[0] in ("hair", "facial_hair"):
        new = hsv(
            rng.choice([rng.uniform(0.02, 0.14), rng.random()], p=[0.7, 0.3]),
            rng.uniform(0, 0.9),
            rng.uniform(0.08, 1),
        )
    else:
        new = hsv(rng.random(), rng.uniform(0, 0.95), rng.uniform(0.12, 1))
    ratio = np.clip((new + 0.02) / old, 0.1, 8)
    rgba[mask, :3] = np.clip((rgba[mask][:, :3] / 255 + 0.01) * ratio * 255, 0, 255)
