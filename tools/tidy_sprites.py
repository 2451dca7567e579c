"""Draw tidy sprite faces as game artists set them, pixel by pixel, with per-pixel truth.

tools/draw_sprites.py bends and tilts everything, so from it alone a network learns that a face off
its head's middle means little. Here nothing is bent: a face seen from the front is mirrored to the
pixel, and a head that is turned a little shows it as artists show it: features moved by a pixel
or two, the far eye narrower, an ear and the mass of the hair on the near side only, the far cheek
at the head's own edge. Afros and curls have rough outlines, caps straight dark brims, helmets
cheek guards, beards join the hair at the temples.

`draw(rng)` -> `Drawn`, as tools/draw_sprites.py has it; its materials, outlines and framing serve.
"""

from __future__ import annotations

from typing import Any

import draw_sprites as ds
import numpy as np
from draw_sprites import (
    BEARD,
    BROW,
    CLOTH,
    EYE,
    FACIAL_HAIR,
    GLASS,
    HAIR,
    HAIR_STYLE,
    HAT,
    HEADWEAR,
    MASK,
    MOUTH,
    OUT,
    SKIN,
    Canvas,
    Drawn,
    hsv,
)

Plan = dict[str, Any]
COVERED = ("cap", "beanie", "brim", "bandana", "turban", "pointed", "helmet", "horned")


def draw(rng: np.random.Generator) -> Drawn:
    """One random sprite that can be read."""
    while True:
        drawn = _attempt(rng)
        if ds._legible(drawn):
            return drawn if len(drawn.labels) <= ds.LARGEST else ds._shrunk(drawn, ds.LARGEST)


def _attempt(rng: np.random.Generator) -> Drawn:
    u = rng.uniform
    wide = int(rng.choice(np.arange(8, 27), p=_widths()))
    size = int(wide * u(1.7, 2.0)) + 6
    row, column = np.mgrid[0:size, 0:size] + 0.5
    c = Canvas(
        rng, size, column, row, column, row, np.zeros((size, size), int),
        np.zeros((size, size, 3)), np.zeros((size, size), bool),
    )  # fmt: skip
    palette = str(rng.choice(["free", "hand-held", "steps"], p=[0.82, 0.13, 0.05]))
    c.style = {
        "light": (0.0, u(0.1, 1.0)) if rng.random() < 0.5 else (rng.choice([-1, 1]) * u(0.3, 1), 0.4),
        "simple": rng.random() < 0.4, "palette": palette, "painted": wide > 18 and rng.random() < 0.3,
        "outline": rng.choice(["none", "black", "tinted"], p=[0.15, 0.5, 0.35]),
    }  # fmt: skip
    p = _plan(c, wide)
    ds._materials(c, p)
    _back(c, p)
    _face(c, p)
    _features(c, p)
    _beard(c, p)
    _hair(c, p)
    _hat(c, p)
    _covers(c, p)
    ds._outline(c, p)
    return ds._finish(c, p)


def _widths() -> np.ndarray:
    wide = np.arange(8, 27)
    odds = np.exp(-(((wide - 13.0) / 5.0) ** 2))
    return odds / odds.sum()


def _plan(c: Canvas, wide: int) -> Plan:
    rng, u = c.rng, c.rng.uniform
    view = str(rng.choice(ds.VIEWS, p=[0.4, 0.4, 0.2]))
    sign = 0 if view == "front" else int(rng.choice([-1, 1]))
    headwear = str(
        rng.choice(
            HEADWEAR,
            p=[0.54, 0.13, 0.02, 0.02, 0.05, 0.01, 0.04, 0.03, 0.01, 0.08, 0.01, 0.05, 0.01],
        )
    )
    style = str(
        rng.choice(HAIR_STYLE, p=[0.09, 0.27, 0.12, 0.13, 0.12, 0.12, 0.03, 0.06, 0.05, 0.01])
    )
    beard = str(rng.choice(FACIAL_HAIR, p=[0.62, 0.08, 0.1, 0.2]))
    mask = "lower" if headwear == "ninja" or rng.random() < 0.02 else "none"
    a = wide / 2
    tall = round(wide * u(0.8, 1.15))
    cx = round(c.size / 2) + (0.5 if wide % 2 else 0.0)
    top = round(c.size * u(0.3, 0.36))
    eye = top + round(tall * u(0.42, 0.72))
    eye = min(eye, top + tall - 3)
    turn = {
        "front": 0, "three_quarter": max(1, round(wide * u(0.06, 0.24))), "profile": round(wide * u(0.2, 0.34)),
    }[view]  # fmt: skip
    if mask != "none":
        beard = "none"
    return {
        "being": "human", "closed": False, "view": view, "sign": sign,
        "side": {0: "none", -1: "left", 1: "right"}[sign], "headwear": headwear, "style": style,
        "beard": beard, "mask": mask,
        "glasses": str(rng.choice(ds.GLASSES, p=[0.88, 0.06, 0.06])) if mask == "none" else "none",
        "a": a, "b": tall / 2, "cx": cx, "cy": top + tall / 2, "top": top, "chin": float(top + tall),
        "turn": turn, "fx": cx + sign * turn, "eye_y": float(eye),
        "hairline": float(min(top + max(1, round(tall * u(0.12, 0.36))), eye - 2)),
        "p": float(rng.choice([2.0, 2.6, 3.4])), "eyes": [],
        "hx": cx - sign * round(turn * u(0.2, 0.7)),
    }  # fmt: skip


def _d(c: Canvas, p: Plan, x: float | None = None) -> np.ndarray:
    """Columns from the middle; positive is where the face looks (to the right from the front)."""
    return (p["sign"] or 1) * (c.column - (p["cx"] if x is None else x))


def _back(c: Canvas, p: Plan) -> None:
    """Hair behind the head and shoulders."""
    rng, u, a, sign = c.rng, c.rng.uniform, p["a"], p["sign"]
    d = _d(c, p, p["hx"])
    style, chin = p["style"], p["chin"]
    shown = p["headwear"] not in ("hood", "ninja")
    if shown and style in ("long", "bob", "braids"):
        low = chin + (round(a * u(0.2, 1.6)) if style != "bob" else -round(a * u(0.0, 0.5)))
        half = a + rng.integers(0, 3)
        mass = (np.abs(d) < half) & (c.row > p["cy"] - 1) & (c.row < low)
        if sign and rng.random() < 0.75:  # on the near side only
            mass &= d < (0.0 if p["view"] == "profile" else u(-0.4, 0.3) * a)
        if style == "braids":
            mass &= np.abs(d) > 0.6 * a
        c.fill(mass, "hair", HAIR, c.style["hair_texture"])
    if shown and style == "ponytail":
        s = -1 if sign else rng.choice([-1, 1])
        x = s * (a + rng.integers(0, 3))
        tail = (np.abs(d - x) < max(1, a * u(0.2, 0.4))) & (c.row > p["cy"] - a * u(0.2, 0.9))
        c.fill(tail & (c.row < chin + a * u(-0.6, 0.6)), "hair", HAIR, c.style["hair_texture"])
    neck = np.abs(d + 0.0) < max(1, round(a * u(0.3, 0.5)))
    c.fill(neck & (c.row > p["cy"]) & (c.row < chin + 2), "skin", SKIN)
    top = chin + rng.integers(-1, 2)
    slope = np.clip(np.abs(d) - a * 0.4, 0, None) * u(0.0, 0.6)
    body = (c.row > top + slope) & (np.abs(d) < a * u(0.9, 1.5))
    c.fill(body, "cloth", CLOTH, str(rng.choice(["", "folds"])))


def _skull(c: Canvas, p: Plan, more: float = 0.0, x: float | None = None) -> np.ndarray:
    x = p["cx"] if x is None else x
    return c.ellipse(x, p["cy"], p["a"] + more, p["b"] + more, p["p"])


def _face(c: Canvas, p: Plan) -> None:
    """Skin: the head's lower half narrows to the chin, a turned one's far cheek ends at its edge."""
    rng, u, a = c.rng, c.rng.uniform, p["a"]
    d, face = _d(c, p), _skull(c, p)
    low = np.clip((c.row - p["eye_y"]) / max(1.0, p["chin"] - p["eye_y"]), 0, 1)
    taper = u(0.0, 0.35) * low**2 * a
    lean = p["turn"] * u(0.2, 0.8) * low if p["sign"] else 0.0
    face &= np.abs(d - lean) < a - taper + 0.01
    if p["view"] == "profile":
        front = d > -a * u(0.05, 0.35)
        face &= front | (c.row < p["hairline"])
        nose = (np.abs(c.row - p["eye_y"] - rng.integers(1, 3)) < 0.6) & (d > 0)
        edge = np.where(face, d, -99.0).max(1, keepdims=True)
        if rng.random() < 0.75:
            face |= nose & (d <= edge + 1.1)
        if p["style"] == "bald" or p["headwear"] == "ninja":
            face |= _skull(c, p)
    elif p["sign"] and rng.random() < 0.5:  # the socket of the far eye, the far cheek
        far = d > np.where(face, d, -99.0).max(1, keepdims=True) - 0.6
        face &= ~(far & (np.abs(c.row - p["eye_y"]) < u(0.6, 1.6)))
    c.fill(face, "skin", SKIN)
    p["face"] = face
    ear, high = rng.random(), max(1, round(a * u(0.2, 0.4)))
    level = np.abs(c.row - p["eye_y"] - 0.5 * high) < high / 2 + 0.01
    edge = rng.integers(0, 2)
    if p["view"] == "front" and ear < 0.55:
        c.fill((np.abs(d) < a + edge + 0.5) & (np.abs(d) > a - 1) & level & ~face, "skin", SKIN)
    elif p["sign"]:
        x = -a + (p["turn"] * u(0.0, 1.0) if p["view"] == "three_quarter" else a * u(0.6, 1.1))
        p["ear"] = (np.abs(d - x) < rng.integers(1, 3) * 0.5 + 0.3) & level
        p["ear_shown"] = ear < 0.7
    _shade(c, p, d)


def _shade(c: Canvas, p: Plan, d: np.ndarray) -> None:
    """The side away from the light, under the fringe, under the chin."""
    rng, u, a, skin = c.rng, c.rng.uniform, p["a"], c.ramps["skin"]
    here, kind = p["face"] & (c.labels == SKIN), rng.random()
    if kind < 0.45:
        s = rng.choice([-1, 1]) if not p["sign"] else rng.choice([-1, 1], p=[0.75, 0.25])
        c.color[here & (s * d > a * u(0.35, 0.8))] = skin[1]
    elif kind < 0.6:
        c.color[here & (np.abs(d) > a - u(1.0, 2.0))] = skin[1]
    if rng.random() < 0.4:
        c.color[here & (c.row < p["hairline"] + u(0.6, 2.2))] = skin[1]
    if rng.random() < 0.3:
        c.color[here & (c.row > p["chin"] - u(1.0, 2.0))] = skin[1]


def _features(c: Canvas, p: Plan) -> None:
    rng, u, a = c.rng, c.rng.uniform, p["a"]
    skin, ink = c.ramps["skin"], c.style["ink"]
    d, room = _d(c, p, p["fx"]), p["chin"] - p["eye_y"]
    wide = max(1, min(4, round(a * u(0.16, 0.42))))
    high = max(1, min(5, round(a * u(0.16, 0.6))))
    gap = max(wide / 2 + 0.5, round(a * u(0.32, 0.6) * 2) / 2)
    kind = str(rng.choice(["dots", "white", "lash", "iris"], p=[0.3, 0.25, 0.25, 0.2]))
    iris = ink if rng.random() < 0.3 else hsv(u(), u(0.3, 1), u(0.25, 0.8))
    white, glance = np.ones(3) * u(0.85, 1.0), rng.random() < 0.6
    top = round(p["eye_y"] - high / 2)
    sides = (1,) if p["view"] == "profile" else (-1, 1)
    narrower = rng.random() < 0.65
    brows, lift = rng.random() < 0.35, rng.integers(1, 3)
    for s in sides:
        x = s * gap if p["view"] != "profile" else 0.0
        w = wide
        if p["view"] == "profile" or (p["view"] == "three_quarter" and s == 1 and narrower):
            w = max(1, wide - 1)
        x0 = round(p["fx"] + (p["sign"] or 1) * x - w / 2)
        eye = (c.column > x0) & (c.column < x0 + w) & (c.row > top) & (c.row < top + high)
        eye &= p["face"]
        if not eye.any():
            continue
        p["eyes"].append((float(c.column[eye].mean()), float(c.row[eye].mean())))
        c.flat(eye, ink if kind == "dots" else iris, EYE)
        if kind in ("white", "lash") and w >= 2:
            outer = (c.column - (x0 + w / 2)) * (p["sign"] if p["sign"] and glance else -s)
            c.flat(eye & (outer < (0 if w < 4 else -0.6)), white, EYE)
        elif kind in ("white", "lash") and high >= 3:
            c.flat(eye & (c.row > top + high - 1), white, EYE)
        if kind in ("lash", "iris") and high >= 2:
            c.flat(eye & (c.row < top + 1), ink, EYE)
        if brows and top - lift > p["hairline"]:
            over = (c.column > x0 - 0.6) & (c.column < x0 + w + 0.6)
            over &= (c.row > top - lift) & (c.row < top - lift + 1) & p["face"]
            c.flat(over, c.ramps["hair"][1] if p["style"] != "bald" else skin[0], BROW)
    ahead = 1.0 if p["sign"] else 0.0
    edge = np.where(p["face"], d, -99.0).max()
    nose_y, mouth_y = (
        p["eye_y"] + max(1, round(room * u(0.3, 0.45))),
        p["eye_y"] + max(2, round(room * u(0.55, 0.78))),
    )
    if rng.random() < 0.5 and p["view"] != "profile":
        half = 0.55 if c.column.size and (2 * p["cx"]) % 2 else 1.05
        spot = (np.abs(d - ahead) < half) & (np.abs(c.row - nose_y) < 0.6) & (c.labels == SKIN)
        c.color[spot & p["face"]] = skin[rng.choice([0, 1, 1, 3])]
    half = max(0.6, a * u(0.12, 0.4))
    x = ahead if p["view"] != "profile" else edge - half
    mouth = (np.abs(d - x) < half) & (np.abs(c.row - mouth_y) < rng.choice([0.55, 0.55, 1.05]))
    mouth &= p["face"]
    p["mouth_y"], p["mouth_x"] = mouth_y, p["fx"] + (p["sign"] or 1) * x
    if rng.random() < 0.75:
        lips = hsv(u(-0.04, 0.03), u(0.35, 0.8), u(0.4, 0.9)) if rng.random() < 0.5 else skin[0]
        c.flat(mouth, ink if rng.random() < 0.15 else lips, MOUTH)


def _beard(c: Canvas, p: Plan) -> None:
    """A moustache over the mouth, a tuft below it, or a beard that joins the hair at the temples."""
    rng, u, a = c.rng, c.rng.uniform, p["a"]
    kind, my, chin = p["beard"], p["mouth_y"], p["chin"]
    if kind == "none":
        return
    d = _d(c, p, p["mouth_x"] if p["view"] != "profile" else p["fx"])
    free = (c.labels == SKIN) & (c.row > p["eye_y"] + 0.6)
    lip = (np.abs(d) < a * u(0.3, 0.65)) & (np.abs(c.row - my + 1) < 0.6) & p["face"]
    below = (np.abs(d) < max(0.6, a * u(0.15, 0.4))) & (c.row > my + 0.6)
    below &= c.row < chin + rng.integers(0, 2)
    if kind == "moustache":
        ends = (np.abs(np.abs(d) - a * 0.5) < 0.6) & (np.abs(c.row - my) < 0.6)
        area = lip | (ends & p["face"] & (rng.random() < 0.35))
    elif kind == "goatee":
        around = (np.abs(np.abs(d) - a * u(0.3, 0.45)) < 0.6) & (np.abs(c.row - my) < 1.2)
        area = below | (lip & (rng.random() < 0.6)) | (around & (rng.random() < 0.6) & p["face"])
    else:
        jaw = _skull(c, p, 1.0 if rng.random() < 0.5 else 0.0)
        rim = a * u(0.55, 0.95)
        start = p["eye_y"] + u(0.6, 2.0)
        sides = np.abs(_d(c, p)) > rim
        full = rng.random() < 0.7
        area = jaw & (
            ((c.row > my - 0.6) & (full | (c.row > my + 0.6))) | (sides & (c.row > start))
        )
        area |= lip & (rng.random() < 0.75)
        if p["view"] == "profile":
            area &= _d(c, p) > -a * u(0.1, 0.4)
        if rng.random() < 0.35:
            long = chin + round(a * u(0.2, 1.3))
            point = np.abs(d) < a * u(0.6, 1.0) * (1 - 0.6 * np.clip((c.row - chin) / a, 0, 1))
            area |= point & (c.row > my) & (c.row < long)
        free |= c.row > my
    keep = (c.labels == MOUTH) & (rng.random() < 0.8)
    area &= (free | (c.labels == MOUTH)) & ~keep & (c.labels != EYE) & (c.row > p["eye_y"] + 0.6)
    c.fill(area, "beard", BEARD, str(rng.choice(["", "", "noise"])))


def _hair(c: Canvas, p: Plan) -> None:
    """Cap of hair, fringe and what falls beside the face; rough and round for an afro."""
    rng, u, a = c.rng, c.rng.uniform, p["a"]
    style, sign = p["style"], p["sign"]
    if style == "bald" or p["headwear"] in ("hood", "ninja"):
        _ear(c, p)
        return
    d, dh = _d(c, p), _d(c, p, p["hx"])
    thick = 0.0 if style == "mohawk" else float(rng.integers(0, 3))
    high = thick + float(rng.integers(0, 3))
    curly = style == "afro" or (style in ("bob", "short") and rng.random() < 0.15)
    middle = p["cy"] - u(0.0, 0.35) * p["b"]
    rx, ry = a + thick, p["b"] + high
    if style == "afro":
        rx, ry = a * u(1.12, 1.6), p["b"] * u(1.1, 1.55)
    mass = c.ellipse(p["hx"], middle, rx, ry, 2.0 if style == "afro" else p["p"])
    if curly:
        angle = np.arctan2(c.row - middle, np.abs(dh) if not sign else dh)
        far = np.hypot(dh / rx, (c.row - middle) / ry)
        waves = np.abs(np.sin(angle * rng.integers(4, 9) + u(0, 3)))
        mass = far < 1 + u(0.0, 0.12) * (2 * waves - 1)
    elif style == "spiky":
        across = np.abs(dh) if not sign and rng.random() < 0.6 else dh
        tip = p["top"] - high - np.abs(np.sin(across * u(0.7, 1.6) + u(0, 3))) * a * u(0.2, 0.7)
        mass |= (c.row > tip) & (c.row < p["cy"]) & (np.abs(dh) < a * u(0.9, 1.2))
    elif style == "mohawk":
        mass = (np.abs(dh) < max(1, a * u(0.2, 0.35))) & (c.row > p["top"] - a * u(0.3, 0.7))
        mass &= c.row < p["hairline"]
    elif style == "bun":
        x, r = (-u(0.3, 1.0) * a if sign else 0.0), max(1.5, a * u(0.25, 0.45))
        mass |= (dh - x) ** 2 + (c.row - p["top"] + r * u(-0.4, 0.8)) ** 2 < r**2
    ears = p["eye_y"] + a * u(-0.3, 0.4)
    low = {
        "long": p["chin"], "braids": p["chin"], "bob": p["chin"] - a * u(-0.1, 0.6),
        "afro": p["eye_y"] + a * u(-0.3, 0.9),
    }.get(style, ears)  # fmt: skip
    mass &= c.row < low
    fringe = _fringe(c, p, d)
    beside, far = _beside(c, p)
    inner = p["face"] & (c.row > fringe) & (d > -a + beside) & (d < a - far)
    if p["view"] == "profile":
        inner = p["face"] & (c.row > fringe) & (d > -a * u(-0.1, 0.3))
    mass &= ~inner & (c.labels != EYE)
    mass &= ~((c.labels == BEARD) & (c.row > p["eye_y"] + 1)) & (c.labels != MOUTH)
    c.fill(mass, "hair", HAIR, "noise" if curly and rng.random() < 0.6 else c.style["hair_texture"])
    p["hair_mass"] = mass
    _ear(c, p)
    hair = c.labels == HAIR
    if hair.any() and rng.random() < 0.3:
        c.color[
            hair & (np.abs(c.row - p["top"] - a * u(0.1, 0.6)) < 0.6) & (np.abs(dh) < 0.6 * a)
        ] = c.ramps["hair"][3]
    if sign and rng.random() < 0.35:  # the back of the head lies in the shade
        c.color[hair & (dh < -a * u(0.1, 0.6))] = c.ramps["hair"][1]


def _fringe(c: Canvas, p: Plan, d: np.ndarray) -> np.ndarray:
    """The row where the face begins, per pixel."""
    rng, u, a, line = c.rng, c.rng.uniform, p["a"], p["hairline"]
    shape, limit = rng.random(), p["eye_y"] - 0.5
    if shape < 0.3:
        out = np.full_like(d, line)
    elif shape < 0.55:  # parted in the middle, or a widow's peak
        out = line + np.abs(d - p["turn"]) / a * u(-0.8, 2.0)
    elif shape < 0.8:  # points
        out = line + np.abs((np.abs(d) * u(0.3, 0.6)) % 2 - 1) * u(0.5, 2.0)
    else:  # to one side
        s = rng.choice([-1, 1])
        out = line + s * d / a * u(0.6, 2.0)
    return np.minimum(out, limit)


def _beside(c: Canvas, p: Plan) -> tuple[float, float]:
    """How many pixels of hair cover the head's edges: on the near side and on the far one."""
    rng, u, a = c.rng, c.rng.uniform, p["a"]
    side = float(rng.integers(0, 1 + max(1, round(0.3 * a))))
    if p["view"] == "front":
        return side, side
    return side + p["turn"] * u(0.4, 1.2), float(rng.integers(0, 2)) if side else 0.0


def _ear(c: Canvas, p: Plan) -> None:
    """The near ear of a turned head lies on the hair."""
    if p.get("ear_shown") and "ear" in p:
        c.fill(p["ear"] & c.alpha & (c.labels != EYE), "skin", SKIN)


def _hat(c: Canvas, p: Plan) -> None:
    kind = p["headwear"]
    if kind == "none":
        return
    rng, u, a, top = c.rng, c.rng.uniform, p["a"], p["top"]
    d = _d(c, p, p["hx"])
    line = min(p["hairline"] + rng.integers(-1, 2), p["eye_y"] - 1.0)
    grow = float(rng.integers(0, 3))
    shell = c.ellipse(p["hx"], p["cy"], a + grow, p["b"] + grow + rng.integers(0, 2), p["p"])
    if kind in COVERED:
        over = (c.labels == HAIR) & (c.row < line)
        if p["style"] in ("afro", "spiky", "bun", "mohawk") or rng.random() < 0.8:
            c.erase(over & ~shell)
    tex = str(rng.choice(["", "", "folds"]))
    if kind in ("cap", "brim", "beanie", "bandana", "turban", "pointed", "horned"):
        c.fill(shell & (c.row < line), "hat", HAT, tex)
    if kind == "cap":
        reach, thick = a + grow + rng.integers(-1, 2), rng.integers(1, 3)
        ahead = p["sign"] and round(a * u(0.2, 0.7))
        bar = (d < reach + ahead) & (d > -reach + (ahead if rng.random() < 0.5 else 0))
        c.fill(bar & (c.row > line - thick) & (c.row < line), "brim", HAT)
        if rng.random() < 0.3:
            c.fill(shell & (c.row > line - thick - 2) & (c.row < line - thick), "band", HAT)
        if rng.random() < 0.3 and p["view"] != "profile":
            spot = (np.abs(d - p["turn"]) < max(1, 0.2 * a)) & (np.abs(c.row - line + 3.5) < 1.1)
            c.flat(spot & (c.labels == HAT), c.ramps["emblem"][2], HAT)
    elif kind == "brim":
        reach, thick = a + grow + rng.integers(1, 2 + max(2, round(0.5 * a))), rng.integers(1, 3)
        c.fill((np.abs(d) < reach) & (c.row > line - thick) & (c.row < line), "brim", HAT)
        if rng.random() < 0.5:
            c.fill(shell & (c.row > line - thick - 2) & (c.row < line - thick), "band", HAT)
    elif kind == "pointed":
        cone = np.abs(d - u(-0.3, 0.3) * (line - c.row)) < (c.row - top + a * u(0.6, 1.1)) * 0.55
        c.fill(cone & (c.row < line) & (np.abs(d) < a + grow), "hat", HAT, tex)
    elif kind in ("crown", "headband"):
        low = line if kind == "headband" else p["top"] + 1
        thick = rng.integers(1, 3) + (kind == "crown")
        bar = (np.abs(d) < a + 1) & (c.row > low - thick) & (c.row < low) & c.alpha
        if kind == "crown":
            bar |= (
                (np.abs(d) < 0.7 * a)
                & (c.row > low - thick - 1)
                & (c.row < low)
                & (c.column.astype(int) % 2 == 0)
            )
        c.fill(bar & (c.labels != EYE), "hat", HAT)
    elif kind == "bandana":
        knot = np.abs(d + (1 if p["sign"] else rng.choice([-1, 1])) * a * 1.1) < a * u(0.15, 0.35)
        c.fill(knot & (np.abs(c.row - line - 1) < u(1, 2.5)), "hat", HAT)
    elif kind in ("helmet", "hood"):
        _around(c, p, d, shell, line, kind)
    elif kind == "ninja":
        slit = np.abs(c.row - p["eye_y"]) < u(1.2, 2.2)
        c.fill(shell & (c.row < p["eye_y"]) & ~slit, "hat", HAT, tex)
        c.fill(shell & (c.row > p["eye_y"]) & ~slit, "hat", MASK, tex)
        if p["view"] != "front":
            c.fill(shell & slit & (d < -a * u(0.0, 0.4)), "hat", HAT)
    if kind == "horned":
        for s in (-1, 1):
            horn = (np.abs(d - s * (a + 1)) < 1.6) & (
                np.abs(c.row - line + a * u(0.4, 0.9)) < a * 0.45
            )
            c.fill(horn, "emblem", HAT)


def _around(c: Canvas, p: Plan, d: np.ndarray, shell: np.ndarray, line: float, kind: str) -> None:
    """A helmet with cheek guards or a hood: it frames the face on both sides."""
    rng, u, a = c.rng, c.rng.uniform, p["a"]
    rim = a - rng.integers(1, 2 + max(1, round(0.25 * a)))
    near = rim - p["turn"] * (1.0 if p["sign"] else 0.0)
    opening = (d < rim + (p["turn"] if p["sign"] else 0)) & (d > -near) & (c.row > line)
    low = p["chin"] + (
        rng.integers(0, 3) if kind == "hood" else -rng.integers(0, 1 + round(0.5 * a))
    )
    if kind == "hood":
        shell |= (np.abs(d) < a + u(0, 2)) & (c.row > p["cy"]) & (c.row < low)
        if rng.random() < 0.4:
            shell |= (
                (np.abs(d + 0.3 * a) < (c.row - p["top"] + a) * 0.5)
                & (c.row > p["top"] - a * 0.5)
                & (c.row < p["cy"])
            )
    area = shell & ~opening & (c.row < low) & (c.labels != EYE)
    c.erase((c.labels == HAIR) & ~shell & (rng.random() < 0.8))
    inside = opening & (c.labels == HAIR) & (c.row < p["chin"])
    if rng.random() < 0.6:
        c.fill(inside & p["face"], "skin", SKIN)
    c.fill(area, "hat", HAT, str(rng.choice(["", "folds"])))
    if kind == "helmet":
        if rng.random() < 0.4:
            c.fill(area & (c.row > line - 1) & (c.row < line), "brim", HAT)
        if rng.random() < 0.25:
            c.fill((np.abs(d) < 1) & (c.row > line) & (c.row < p["mouth_y"] - 1), "hat", HAT)
        if rng.random() < 0.2:
            c.fill(
                (np.abs(d) < max(1, 0.2 * a)) & (c.row < line) & (c.row > p["top"] - 3), "band", HAT
            )


def _covers(c: Canvas, p: Plan) -> None:
    """Glasses, and a cloth over the mouth."""
    rng, u, a = c.rng, c.rng.uniform, p["a"]
    d = _d(c, p, p["fx"])
    if p["glasses"] != "none" and p["eyes"]:
        tone = hsv(u(), u(0, 0.5), u(0, 0.25)) if rng.random() < 0.75 else c.ramps["cover"][2]
        row, half = round(p["eye_y"] - 0.5) + 0.5, max(1.0, a * u(0.16, 0.32))
        lens = np.zeros_like(c.alpha)
        for x, _ in p["eyes"]:
            lens |= (np.abs(c.column - x) < half + 0.3) & (np.abs(c.row - row) < half)
        lens &= p["face"]
        if p["glasses"] == "dark":
            c.flat(lens, tone, GLASS)
            if rng.random() < 0.4:
                c.flat(lens & (c.row < row) & (np.roll(c.column, 1, 1) % 3 < 1), tone + 0.3, GLASS)
        else:
            inner = (
                np.roll(lens, 1, 1)
                & np.roll(lens, -1, 1)
                & np.roll(lens, 1, 0)
                & np.roll(lens, -1, 0)
            )
            c.flat(lens & ~inner & (c.labels != EYE), tone, GLASS)
        bridge = (np.abs(c.row - row) < 0.6) & p["face"] & (np.abs(d) < a * u(0.3, 1.0))
        c.flat(bridge & (c.labels == SKIN), tone, GLASS)
    if p["mask"] == "lower" and p["headwear"] != "ninja":
        c.fill(p["face"] & (c.row > p["eye_y"] + 1.2) & (c.labels != EYE), "cover", MASK)
        c.labels[(c.labels == OUT) & p["face"]] = OUT
