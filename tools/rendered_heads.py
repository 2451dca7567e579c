"""Renders of the head model turned into labelled sprites: what painted portraits look like small.

A drawing has no anatomy: three-quarter views, profiles, helmets around a jaw and beards in the
light of a studio come from the model instead. Renders are made once (`load`, from the prior with
more headwear and beards than it has, a few CPU-hundredths of a second each); `vary` then recolours,
reduces, limits the palette and outlines them anew every time, as tools/hand_drawn.py does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from draw_sprites import (
    BG,
    BROW,
    CLASSES,
    CLOTH,
    EYE,
    HAT,
    MOUTH,
    OUT,
    POINTS,
    Drawn,
    _legible,
    hsv,
)
from hand_drawn import GROUPS, SWAP, _recolor
from PIL import Image

from spriteface.types import Label

RENDER_PX = 96
YAW_TURNED, YAW_PROFILE = np.radians(14), np.radians(52)
KINDS = {
    "plumber_cap": "cap", "baseball_cap": "cap", "beanie": "beanie", "elf_cap": "pointed",
    "wizard_hat": "pointed", "witch_hat": "pointed", "brim_hat": "brim", "top_hat": "brim",
    "cowboy_hat": "brim", "knight_visor": "helmet", "crown": "crown", "tiara": "crown", "headband": "headband",
    "bandana": "bandana", "turban": "turban", "hood": "hood", "hijab": "hood",
    "knight_helmet": "helmet", "viking_helmet": "horned",
}  # fmt: skip
BEARDS = {"moustache": "moustache", "goatee": "goatee", "van_dyke": "goatee"}
HAIR = {
    "bald": "bald", "afro": "afro", "bob": "bob", "long": "long", "braids": "braids",
    "ponytail": "ponytail", "bun": "bun", "mohawk": "mohawk", "spikes": "spiky", "short": "short",
    "side_part": "short", "buzz": "short", "quiff": "short", "slick": "short", "fringe": "short",
    "curls": "afro", "dreadlocks": "braids", "curtains": "bob",
}  # fmt: skip
TO_CLASS = {
    Label.BACKGROUND: "background", Label.OUTLINE: "outline", Label.SKIN: "skin",
    Label.HAIR: "hair", Label.BROW: "brow", Label.EYE: "eye", Label.IRIS: "eye",
    Label.NOSE: "skin", Label.MOUTH: "mouth", Label.TEETH: "mouth",
    Label.FACIAL_HAIR: "facial_hair", Label.HEADWEAR: "headwear", Label.BAND: "headwear",
    Label.EMBLEM: "headwear", Label.GLASSES: "glasses", Label.MASK: "mask", Label.EAR: "skin",
    Label.CLOTHING: "clothing",
}  # fmt: skip
_CLASS = np.array([CLASSES.index(TO_CLASS[label]) for label in Label])


def load(count: int, seed: int) -> list[Drawn]:
    """`count` heads at RENDER_PX: rgba, labels, traits; points that a label map tells, else NaN."""
    from spriteface.pulse.head.labels import label_map
    from spriteface.pulse.head.preview import preview_person
    from spriteface.pulse.head.prior import draw, people_from_latents

    rng = np.random.default_rng(seed)
    made = []
    for person in people_from_latents(draw(count, seed)):
        who = _dressed(person, rng)
        image = preview_person(who, RENDER_PX).permute(1, 2, 0).numpy()
        labels = _CLASS[label_map(who, RENDER_PX)]
        rgba = np.concatenate([image, np.ones((RENDER_PX, RENDER_PX, 1))], -1)
        rgba8 = np.clip(np.rint(rgba * 255), 0, 255).astype(np.uint8)
        rgba8[labels == BG, 3] = 0
        made.append(Drawn(rgba8, labels, _traits(who, labels), _points(labels)))
    return made


def _dressed(person: Any, rng: np.random.Generator) -> Any:
    """Turned further, and with headwear and beards as often as sprites have them."""
    from spriteface.pulse.head.person import FACIAL_HAIR_STYLES, FacialHair, Wear

    u = rng.uniform
    view = rng.random()
    yaw = u(-0.2, 0.2) if view < 0.35 else u(0.28, 0.85) if view < 0.75 else u(0.95, 1.5)
    sign = rng.choice([-1, 1])
    worn = tuple(w for w in person.wear if w.kind in ("glasses", "sunglasses"))
    if rng.random() < 0.5:
        kind = str(rng.choice(list(KINDS)))
        color = hsv(u(), u(0, 0.9), u(0.05, 0.9)) ** 2.2
        if KINDS[kind] in ("helmet", "horned") and rng.random() < 0.7:
            color = hsv(0.6, u(0, 0.15), u(0.3, 0.9)) ** 2.2
        other = hsv(u(), u(0, 0.9), u(0.05, 0.9)) ** 2.2
        pair = (tuple(float(v) for v in c) for c in (color, other))
        worn = (*worn, Wear(kind, *pair, low=u(7.0, 9.5)))
    beard = person.facial_hair
    if rng.random() < 0.35:
        style = str(rng.choice([s for s in FACIAL_HAIR_STYLES if s not in ("none", "sideburns")]))
        beard = FacialHair(style, length=u(0.8, 9.0), moustache=u(0.6, 2.0))
    pose = replace(person.pose, yaw=float(sign * yaw), roll=float(rng.normal() * 0.06))
    camera = replace(person.camera, zoom=float(u(0.75, 1.0)), y=float(u(0.0, 3.0)))
    return replace(person, pose=pose, wear=worn, facial_hair=beard, camera=camera)


def _traits(person: Any, labels: np.ndarray) -> dict[str, str]:
    kinds = [w.kind for w in person.wear]
    hat = next((KINDS[k] for k in kinds if k in KINDS), "none")
    style = person.facial_hair.style
    beard = "none" if style == "none" else BEARDS.get(style, "beard")
    shown = {name: int((labels == CLASSES.index(name)).sum()) for name in CLASSES}
    turn = abs(person.pose.yaw)
    view = "front" if turn < YAW_TURNED else "three_quarter" if turn < YAW_PROFILE else "profile"
    return {
        "headwear": hat if shown["headwear"] > 40 else "none",
        "facial_hair": beard if shown["facial_hair"] > 12 else "none",
        "hair_style": HAIR.get(person.hair.style, "?"),
        "glasses": "none" if not {"glasses", "sunglasses"} & {*kinds}
        else "dark" if "sunglasses" in kinds else "clear",
        "mask": "none", "view": view,
        "side": "none" if view == "front" else "right" if person.pose.yaw > 0 else "left",
    }  # fmt: skip


def _points(labels: np.ndarray) -> dict[str, float]:
    """Eyes and mouth; what a label map alone doesn't tell is NaN."""
    points = dict.fromkeys(POINTS, float("nan"))
    rows, columns = np.nonzero(labels == EYE)
    if len(rows) >= 4:
        middle = (columns.min() + columns.max() + 1) / 2
        for name, part in (("left", columns < middle), ("right", columns >= middle)):
            alone = columns.max() - columns.min() < 0.12 * len(labels)
            part = part | alone
            points[f"eye_{name}_x"] = float(columns[part].mean() + 0.5)
            points[f"eye_{name}_y"] = float(rows[part].mean() + 0.5)
    rows, columns = np.nonzero(labels == MOUTH)
    if len(rows) >= 4:
        points["mouth_x"], points["mouth_y"] = float(columns.mean() + 0.5), float(rows.mean() + 0.5)
    return points


def vary(d: Drawn, rng: np.random.Generator) -> Drawn:
    """Another sprite of a render; those that nobody could read are made again."""
    for _ in range(4):
        made = _sprite(d, rng)
        if _legible(made):
            break
    return made


def _sprite(d: Drawn, rng: np.random.Generator) -> Drawn:
    """A sprite of a render: cut out, other colours, fewer pixels, a palette, lines, eyes by hand."""
    rgba, labels, traits, points = d.rgba.copy(), d.labels.copy(), dict(d.traits), dict(d.points)
    for group in GROUPS:
        if rng.random() < 0.5:
            _recolor(rgba, labels, group, rng)
    if rng.random() < 0.5:
        rgba, labels, traits, points = _mirrored(rgba, labels, traits, points)
    rgba, labels, points = _head_only(rgba, labels, points, rng)
    n = len(labels)
    size = int(rng.choice([16, 20, 24, 28, 32, 32]))
    small = Image.fromarray(rgba).resize((size, size), Image.Resampling.BOX)
    out = np.array(small)
    out[..., 3] = (out[..., 3] > 110) * 255
    rows = np.clip(((np.arange(size) + 0.5) * n / size).astype(int), 0, n - 1)
    votes = np.eye(len(CLASSES), dtype=np.float32)[labels]
    for name in ("eye", "brow", "mouth", "glasses"):  # an artist keeps what is small
        votes[..., CLASSES.index(name)] *= 2.5
    cells = Image.Resampling.BOX
    share = np.stack(
        [
            np.asarray(Image.fromarray(votes[..., k]).resize((size, size), cells))
            for k in range(len(CLASSES))
        ],
        -1,
    )
    got = share.argmax(-1)
    got[out[..., 3] == 0] = BG
    sharp = np.isin(got, (EYE, BROW, MOUTH)) & (rng.random() < 0.7)
    out[sharp, :3] = rgba[rows][:, rows][sharp, :3]
    points = {k: v * size / n for k, v in points.items()}
    out = _by_hand(out, got, points, rng)
    return Drawn(out, got, traits, points)


def _mirrored(
    rgba: np.ndarray, labels: np.ndarray, traits: dict[str, str], points: dict[str, float]
) -> tuple[np.ndarray, np.ndarray, dict[str, str], dict[str, float]]:
    w = labels.shape[1]
    turned = {k: w - v if "_x" in k else v for k, v in points.items()}
    for axis in ("x", "y"):
        one, two = f"eye_left_{axis}", f"eye_right_{axis}"
        turned[one], turned[two] = turned[two], turned[one]
    turned["face_x0"], turned["face_x1"] = turned["face_x1"], turned["face_x0"]
    swapped = {k: SWAP.get(v, v) for k, v in traits.items()}
    return rgba[:, ::-1].copy(), labels[:, ::-1].copy(), swapped, turned


def _head_only(
    rgba: np.ndarray, labels: np.ndarray, points: dict[str, float], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
    """The square around the head that a detector cuts out; a bust now and then."""
    head = ~np.isin(labels, (BG, CLOTH))
    if rng.random() < 0.2:
        head = labels != BG
    rows, columns = np.nonzero(head.any(1))[0], np.nonzero(head.any(0))[0]
    low = rows[-1] + 1
    if rng.random() < 0.6 and np.isfinite(points["mouth_y"]):  # the neck is left out
        eye = points["eye_left_y"]
        low = min(low, points["mouth_y"] + 0.75 * max(4.0, points["mouth_y"] - eye))
    w, h = columns[-1] + 1 - columns[0], low - rows[0]
    edge = max(24, round(max(w, h) * (1 + 2 * rng.uniform(0.0, 0.15))))
    x0 = round((columns[0] + columns[-1] + 1 - edge) / 2)
    y0 = round((rows[0] + low - edge) / 2)
    n = len(labels)
    out, put = np.zeros((edge, edge, 4), np.uint8), np.full((edge, edge), BG)
    ys, xs = (slice(max(0, o), min(n, o + edge)) for o in (y0, x0))
    to = slice(ys.start - y0, ys.stop - y0), slice(xs.start - x0, xs.stop - x0)
    out[to], put[to] = rgba[ys, xs], labels[ys, xs]
    return out, put, {k: v - (x0 if "_x" in k else y0) for k, v in points.items()}


def _by_hand(
    rgba: np.ndarray, labels: np.ndarray, points: dict[str, float], rng: np.random.Generator
) -> np.ndarray:
    """Contrast, larger eyes, a small palette, an outline, a backdrop."""
    u, S = rng.uniform, len(labels)
    color, solid = rgba[..., :3].astype(np.float32), rgba[..., 3] > 0
    if rng.random() < 0.6:
        color = np.clip((color - 110) * u(1.0, 1.5) + u(100, 135), 0, 255)
    if rng.random() < 0.5:
        _large_eyes(color, labels, points, rng)
    kind = rng.random()
    if kind < 0.55 and solid.sum() > 16:
        flat = Image.fromarray(color.astype(np.uint8)[solid][None])
        few = flat.quantize(int(rng.integers(5, 20)), method=Image.Quantize.MEDIANCUT)
        color[solid] = np.asarray(few.convert("RGB"))[0]
    elif kind < 0.7:
        value = color @ [0.3, 0.59, 0.11] / 255
        seen = value[solid]
        value = np.clip((value - seen.min()) / max(0.1, np.ptp(seen)), 0, 1)
        level = np.rint(value * 3) / 3
        dark, bright = (
            hsv(u(0.2, 0.55), u(0.2, 0.8), u(0.03, 0.25)),
            hsv(u(0.1, 0.5), u(0, 0.6), 0.9),
        )
        color = (dark + (bright - dark) * level[..., None]) * 255
    edge = np.zeros_like(solid)
    if rng.random() < 0.5:
        pad = np.pad(solid, 1)
        edge = (pad[:-2, 1:-1] | pad[2:, 1:-1] | pad[1:-1, :-2] | pad[1:-1, 2:]) & ~solid
        color[edge] = hsv(u(), u(0, 0.6), u(0, 0.2)) * 255
        labels[edge] = OUT
    out = np.zeros((S, S, 4), np.uint8)
    shown = solid | edge
    out[shown, :3], out[shown, 3] = np.clip(color, 0, 255)[shown], 255
    if rng.random() < 0.35:
        out[~shown] = (*(hsv(u(), u(0, 0.8), u()) * 255), 255)
    return out


def _large_eyes(
    color: np.ndarray, labels: np.ndarray, points: dict[str, float], rng: np.random.Generator
) -> None:
    """Pixel artists draw eyes one to four pixels tall, whatever the scale says."""
    tall, wide = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    ink = hsv(rng.random(), rng.uniform(0, 0.8), rng.uniform(0, 0.35)) * 255
    rows, columns = np.mgrid[0 : len(labels), 0 : len(labels)] + 0.5
    for side in ("left", "right"):
        x, y = points[f"eye_{side}_x"], points[f"eye_{side}_y"]
        if not np.isfinite(x + y):
            continue
        at = (np.abs(columns - x) < wide / 2 + 0.2) & (np.abs(rows - y) < tall / 2 + 0.2)
        at &= ~np.isin(labels, (BG, HAT, CLOTH))
        color[at], labels[at] = ink, EYE
        if rng.random() < 0.4:
            white = at & (columns < x)
            color[white] = 235
