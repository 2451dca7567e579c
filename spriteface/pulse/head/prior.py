"""The latent space: what every number of z means, and the prior that it is drawn from.

z is one vector of independent standard normals. Each dimension turns into a named parameter by a
stated map (`Dim.kind`); discrete choices (cut, beard, wear ...) travel beside it in `structure`.
The prior is even and declared: skin tone uniform over the Monk scale, sex and age balanced; tone,
ancestry of shape, hair and sex independent of one another, so that no combination is rare.

`structure` also holds `offset`: what a person has beyond the map's reach (pointed ears, a
profile's yaw), so that person -> latent -> person is exact while z stays a plausible draw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..generator import Latents
from .hair import STYLES, natural_color
from .identity import slider_mean, slider_root
from .model import head_model
from .person import (
    BACKGROUND_KINDS,
    Background,
    Brows,
    Camera,
    Clothing,
    Color,
    Emblem,
    Eyes,
    FacialHair,
    Hair,
    Light,
    Person,
    Pose,
    Shape,
    Skin,
    Wear,
)
from .skin import TONE_MELANIN, melanin_tone
from .surface import skin_albedo
from .wear import by_slot

Structure = Mapping[str, Any]
REACH = 2.5  # a z beyond this is an offset, not a draw


@dataclass(frozen=True)
class Dim:
    """One dimension of z.

    `kind`: normal (a mean, b standard deviation), slider (b its own spread, correlated with
    the other sliders about the mean of `identity.slider_mean`), log (a median, b sigma of the logarithm),
    uniform (from a to b), curve (quantiles at even steps in `knots`), color (one of three
    neighbouring dims that make a colour: correlated, uniform in sRGB). `gradient` says whether
    `preview` is differentiable in it.
    """

    name: str
    kind: str
    a: float
    b: float
    about: str
    gradient: bool = False
    knots: tuple[float, ...] = ()


def _normal(name: str, mean: float, sd: float, about: str, gradient: bool = False) -> Dim:
    return Dim(name, "normal", mean, sd, about, gradient)


def _uniform(name: str, low: float, high: float, about: str, gradient: bool = False) -> Dim:
    return Dim(name, "uniform", low, high, about, gradient)


def _log(name: str, median: float, sigma: float, about: str, gradient: bool = True) -> Dim:
    return Dim(name, "log", median, sigma, about, gradient)


def _curve(name: str, knots: Sequence[float], about: str, gradient: bool = False) -> Dim:
    return Dim(name, "curve", knots[0], knots[-1], about, gradient, tuple(knots))


def _color(name: str, about: str, share: float = 0.70) -> list[Dim]:
    """Three dims of a colour; `share` is how much of it is lightness alone."""
    return [Dim(f"{name}.{c}", "color", share, 1.0, f"{about}, {c}", True) for c in "rgb"]


# sliders that shear or shift the head; the camera and the pose do that
_NOT_SAMPLED = ("head/head-trans", "head/head-angle", "neck/neck-trans")
_DEFAULT_SIGMA = 0.25
_SIGMA = {
    "head/head-square": 0.05, "head/head-rectangular": 0.10, "head/head-triangular": 0.08,
    "head/head-invertedtriangular": 0.08, "head/head-diamond": 0.08, "head/head-round": 0.12,
    "head/head-oval": 0.20, "head/head-age": 0.10, "chin/chin-triangle": 0.10, "chin/chin-bones": 0.18,
    "head/head-scale-depth": 0.10, "head/head-back-scale-depth": 0.12, "head/head-scale-vert": 0.12,
    "head/head-scale-horiz": 0.12, "forehead/forehead-nubian": 0.10, "forehead/forehead-temple": 0.15,
    "eyes/eye-epicanthus": 0.15, "eyes/eye-push1": 0.15, "eyes/eye-push2": 0.15,
    "mouth/mouth-trans-z": 0.10, "eyes/eye-height1": 0.15, "eyes/eye-height2": 0.15,
    "eyes/eye-height3": 0.15, "nose/nose-septumangle": 0.15, "nose/nose-compression": 0.15,
    "mouth/mouth-scale-depth": 0.15, "eyes/eye-corner1": 0.15, "eyes/eye-corner2": 0.15,
    "ears/ear-shape-pointed": 0.06,
}  # fmt: skip
_SIGMA_BY_FOLDER = {"neck": 0.12, "ears": 0.25}
ASYM_SIGMA = 0.05

IRISES: dict[str, tuple[Color, Color]] = {
    "dark brown": ((0.095, 0.045, 0.02), (0.04, 0.018, 0.009)),
    "brown": ((0.16, 0.076, 0.03), (0.075, 0.034, 0.014)),
    "hazel": ((0.20, 0.135, 0.052), (0.085, 0.085, 0.035)),
    "green": ((0.125, 0.15, 0.08), (0.065, 0.072, 0.034)),
    "grey": ((0.21, 0.235, 0.255), (0.10, 0.115, 0.13)),
    "blue": ((0.14, 0.24, 0.36), (0.07, 0.12, 0.20)),
}
_IRIS_STEPS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.5, 2.6, 3.9, 5.0)  # quantiles along IRISES' order
_GENDER = tuple(np.sin(np.linspace(0, np.pi / 2, 33)) ** 2)  # mostly clear, some between
_AGE = (0.26, 0.40, 0.58, 0.66, 0.69, 0.72, 0.76, 0.80, 0.85, 0.92, 1.0)
_EXPRESSIONS = (
    _normal("smile", 0.36, 0.22, "smile; below 0 a frown of the mouth"),
    _normal("jaw", -0.04, 0.03, "open jaw"),
    _normal("eyes_open", 0.26, 0.10, "wide eyes; below 0 squinting"),
    _normal("brow_up", 0.08, 0.10, "raised inner brows"),
    _normal("brow_down", 0.08, 0.10, "lowered brows"),
    _normal("smirk", 0.0, 0.05, "one-sided smile, + to the subject's left"),
)

# mean and standard deviation of a cut's numbers: length, side, lift, wave, frequency, frizz
_CUTS: dict[str, tuple[tuple[float, float], ...]] = {
    "bald": ((1.0, 0.1), (1.0, 0.1), (0.5, 0.1), (0.05, 0.02), (1.0, 0.2), (0.5, 0.2)),
    "receding": ((2.5, 0.6), (1.6, 0.5), (0.5, 0.15), (0.05, 0.03), (1.0, 0.3), (0.7, 0.2)),
    "buzz": ((0.5, 0.1), (0.4, 0.1), (0.8, 0.1), (0.0, 0.01), (1.0, 0.2), (0.3, 0.1)),
    "short": ((3.6, 0.9), (1.5, 0.5), (0.6, 0.15), (0.09, 0.05), (1.2, 0.4), (0.8, 0.3)),
    "side_part": ((6.5, 1.2), (2.4, 0.7), (0.55, 0.15), (0.07, 0.04), (0.9, 0.3), (0.5, 0.2)),
    "fringe": ((6.5, 0.6), (5.0, 1.0), (0.45, 0.12), (0.06, 0.04), (0.9, 0.3), (0.5, 0.2)),
    "quiff": ((5.5, 1.0), (1.4, 0.5), (0.7, 0.15), (0.08, 0.04), (1.0, 0.3), (0.5, 0.2)),
    "slick": ((7.0, 1.2), (5.0, 1.0), (0.4, 0.12), (0.04, 0.02), (0.8, 0.2), (0.35, 0.1)),
    "bob": ((15.0, 1.5), (12.0, 1.0), (0.55, 0.15), (0.06, 0.05), (0.8, 0.3), (0.4, 0.15)),
    "long": ((24.0, 4.0), (20.0, 3.0), (0.6, 0.18), (0.18, 0.12), (0.9, 0.3), (0.6, 0.25)),
    "curtains": ((10.0, 1.2), (7.0, 1.0), (0.6, 0.15), (0.12, 0.06), (0.8, 0.2), (0.5, 0.2)),
    "ponytail": ((22.0, 4.0), (12.0, 1.0), (0.35, 0.1), (0.05, 0.03), (0.8, 0.2), (0.4, 0.15)),
    "bun": ((22.0, 4.0), (12.0, 1.0), (0.35, 0.1), (0.04, 0.02), (0.8, 0.2), (0.35, 0.15)),
    "braids": ((22.0, 3.0), (12.0, 1.0), (0.3, 0.1), (0.03, 0.02), (0.8, 0.2), (0.3, 0.1)),
    "spikes": ((4.5, 0.8), (1.8, 0.5), (0.8, 0.1), (0.02, 0.01), (1.0, 0.2), (0.3, 0.1)),
    "mohawk": ((7.0, 1.3), (0.4, 0.1), (0.8, 0.1), (0.03, 0.02), (1.0, 0.2), (0.4, 0.1)),
    "curls": ((8.0, 1.8), (5.0, 1.0), (0.7, 0.15), (0.42, 0.06), (2.2, 0.4), (0.7, 0.2)),
    "afro": ((4.5, 1.2), (3.0, 0.8), (0.8, 0.1), (0.30, 0.04), (5.0, 0.6), (1.9, 0.3)),
    "dreadlocks": ((14.0, 3.5), (12.0, 2.0), (0.6, 0.15), (0.07, 0.03), (2.0, 0.4), (0.3, 0.1)),
}  # fmt: skip
_CUT_DIMS = ("hair_length", "hair_side", "hair_lift", "hair_wave", "hair_frequency", "hair_frizz")
_BEARD_LENGTH = {
    "long": (6.0, 1.2),
    "wizard": (12.0, 1.5),
    "goatee": (0.9, 0.3),
    "sideburns": (0.7, 0.15),
    "chinstrap": (0.5, 0.12),
}
_MOUSTACHE = {
    "walrus": (1.6, 0.2),
    "handlebar": (1.2, 0.2),
    "wizard": (2.2, 0.3),
    "long": (1.4, 0.2),
}


def _make_layout() -> tuple[Dim, ...]:
    model = head_model(0)
    dims = [
        _curve("gender", _GENDER, "0 male to 1 female shape"),
        _curve("age", _AGE, ".33 child, .67 young adult, 1 old"),
        _normal("african", 0.0, 1.2, "log weight of a macro shape"),
        _normal("asian", 0.0, 1.2, "log weight of a macro shape"),
        _normal("caucasian", 0.0, 1.2, "log weight of a macro shape"),
        _normal("muscle", 0.5, 0.14, "muscle"),
        _normal("weight", 0.5, 0.15, "body fat"),
    ]
    for name in model.local_names:
        if not name.startswith(_NOT_SAMPLED) and not name.endswith("-x"):
            sigma = _SIGMA.get(name, _SIGMA_BY_FOLDER.get(name.split("/")[0], _DEFAULT_SIGMA))
            dims.append(Dim(f"local:{name}", "slider", 0.0, sigma, "face slider"))
    dims += [
        _normal(f"asym:{name[:-2]}", 0.0, ASYM_SIGMA, "asymmetry, + right")
        for name in model.asym_names
        if name.endswith("-l")
    ]
    dims += _EXPRESSIONS
    dims += [
        _normal("yaw", 0.0, 0.15, "turn of the head, rad"),
        _normal("pitch", 0.0, 0.04, "nod, rad"),
        _normal("roll", 0.0, 0.03, "tilt, rad"),
        _normal("gaze_x", 0.0, 0.05, "eyes' turn beyond looking at the viewer, rad"),
        _normal("gaze_y", 0.0, 0.02, "eyes' nod, rad"),
        _uniform("tone", 1.0, 10.0, "Monk skin tone", True),
        _uniform("hemoglobin", 0.6, 1.4, "redness", True),
        _uniform("blush", 0.2, 1.1, "red cheeks and nose"),
        _normal("skin_age", 0.0, 0.10, "wrinkles beyond the shape's age"),
        _curve("freckles", (0.0, 0.0, 0.0, 0.0, 0.1, 0.25, 0.8), "freckles"),
        _uniform("moles", 0.0, 0.6, "moles"),
        _uniform("oily", 0.15, 0.75, "gloss"),
        _curve("stubble", (0.0, 0.0, 0.15, 0.35, 0.6), "beard shadow, men only"),
        *(_log(f"tint.{c}", 1.0, 0.7, f"tint of an unnatural skin, {c}") for c in "rgb"),
        _curve("lipstick", (0.0, 0.0, 0.15, 0.35, 0.65), "lipstick, on women"),
        _log("lip_color.r", 0.32, 0.25, "lipstick, r", False),
        _log("lip_color.g", 0.055, 0.3, "lipstick, g", False),
        _log("lip_color.b", 0.065, 0.35, "lipstick, b", False),
        _curve("iris", _IRIS_STEPS, "dark brown, brown, hazel, green, grey, blue: 0..5"),
        *_color("iris_color", "free iris"),
        _uniform("pupil", 0.17, 0.25, "pupil radius, cm"),
        *(_normal(d, *_CUTS["short"][i], "of the cut") for i, d in enumerate(_CUT_DIMS)),
        _normal("hair_part", 0.0, 1.9, "x of the parting, cm"),
        _normal("hair_sweep", 0.0, 0.6, "sideways combing"),
        _normal("hair_forward", 0.25, 0.35, "forward combing"),
        _normal("hairline", 9.6, 0.30, "y of the hairline, cm"),
        _normal("hair_clump", 0.42, 0.10, "gathering to locks"),
        _normal("fringe", 5.2, 0.4, "length of a fringe where there is one, cm"),
        _normal("curtain", 1.0, 0.06, "width left to the face"),
        _curve("hair_melanin", (0.28, 1.2, 1.8, 2.2, 2.5, 2.7, 2.85, 3.0, 3.1, 3.2), "hair pigment", True),
        _curve("hair_red", (0.0, 0.08, 0.15, 0.22, 0.3, 0.4, 1.1), "red hair pigment", True),
        *_color("hair_color", "dyed hair"),
        _curve("grey", (0.0, 0.2, 0.5, 0.8, 1.0), "share of white hairs in old age"),
        _normal("brow_density", 0.85, 0.15, "brow density"),
        _normal("brow_width", 1.0, 0.15, "brow height"),
        *_color("brow_color", "free brows"),
        _normal("beard_length", 1.0, 0.4, "beard at the chin, cm"),
        _normal("moustache_length", 1.0, 0.15, "moustache, cm"),
        _normal("beard_density", 1.0, 0.12, "hairs"),
        *_color("beard_color", "free beard"),
        *(d for slot in ("head", "face", "ears") for d in _color(f"{slot}.color", f"{slot} item")),
        *(_log(f"eyes.color.{c}", 0.03, 0.8, f"frame of glasses, {c}") for c in "rgb"),
        *(d for slot in ("head", "eyes") for d in _color(f"{slot}.color2", f"{slot} item's second")),
        *_color("emblem", "emblem"),
        _normal("head.low", 8.3, 0.25, "headwear's lower edge, cm"),
        _normal("head.size", 1.0, 0.10, "headwear's size"),
        _normal("head.side", 0.0, 0.45, "headwear's lean"),
        *_color("cloth", "clothes", 0.80),
        *_color("cloth2", "collar or trim", 0.92),
        _normal("key_x", 0.0, 0.60, "key light's tangent sideways"),
        _normal("key_y", 0.6, 0.15, "key light's tangent upwards"),
        _normal("key", 2.0, 0.30, "key power", True),
        _normal("fill", 0.44, 0.12, "fill power", True),
        _normal("rim", 0.9, 0.35, "rim power", True),
        _normal("ambient", 0.53, 0.08, "ambient power", True),
        _normal("warm", 0.03, 0.06, "warmth", True),
        _normal("exposure", 1.18, 0.05, "exposure", True),
    ]  # fmt: skip
    for lobe in ("front", "left", "right", "above", "below"):
        dims += [_log(f"room_{lobe}.{c}", 0.02, 0.9, f"room light from {lobe}, {c}") for c in "rgb"]
    dims += [
        _normal("zoom", 1.0, 0.04, "magnification"),
        _normal("camera_x", 0.0, 0.25, "frame, cm"),
        _normal("camera_y", 0.0, 0.25, "frame, cm"),
        *_color("background", "behind the person", 0.95),
        *_color("background_edge", "behind, at the edges", 0.95),
    ]
    return tuple(dims)


class Layout:
    """The dimensions with vectorised maps both ways; built once (`layout()`)."""

    def __init__(self, dims: tuple[Dim, ...]) -> None:
        self.dims = dims
        self.names = tuple(d.name for d in dims)
        self.index = {name: i for i, name in enumerate(self.names)}
        kinds = np.array([d.kind for d in dims])
        self._rows = {
            k: torch.from_numpy(np.flatnonzero(kinds == k))
            for k in ("normal", "slider", "log", "uniform", "curve", "color")
        }
        self.a = torch.tensor([d.a for d in dims], dtype=torch.float32)
        self.b = torch.tensor([d.b for d in dims], dtype=torch.float32)
        sliders = [dims[int(i)] for i in self._rows["slider"]]
        root = slider_root([d.name.removeprefix("local:") for d in sliders], [d.b for d in sliders])
        mean = slider_mean([d.name.removeprefix("local:") for d in sliders], root)
        self.a[self._rows["slider"]] = torch.from_numpy(mean).float()
        self._slider_root = torch.from_numpy(root).float()
        self._slider_inverse = torch.from_numpy(np.linalg.inv(root)).float()
        self._knots = [dims[int(i)].knots for i in self._rows["curve"]]
        self._last_knots = torch.tensor([len(k) - 1 for k in self._knots])
        self._curves = torch.zeros(len(self._knots), int(self._last_knots.max()) + 1)
        for curve, knots in zip(self._curves, self._knots):
            curve[: len(knots)] = torch.tensor(knots)
        # symmetric square roots of correlation matrices: colours mostly vary in lightness
        share = self.a[self._rows["color"]].reshape(-1, 3)[:, :1, None]
        low, high = (1 - share) ** 0.5, (1 + 2 * share) ** 0.5
        self._mix = low * torch.eye(3) + (high - low) / 3  # (colours, 3, 3)
        self._unmix = torch.linalg.inv(self._mix)

    def __len__(self) -> int:
        return len(self.dims)

    def scales(self, structure: Structure) -> tuple[Tensor, Tensor]:
        """`a` and `b` of every dim for these choices (a cut has its own lengths)."""
        a, b = self.a.clone(), self.b.clone()

        def put(name: str, pair: tuple[float, float]) -> None:
            a[self.index[name]], b[self.index[name]] = pair

        for name, pair in zip(_CUT_DIMS, _CUTS[structure.get("hair", "short")]):
            put(name, pair)
        style = structure.get("facial_hair", "none")
        put("beard_length", _BEARD_LENGTH.get(style, (1.0, 0.4)))
        put("moustache_length", _MOUSTACHE.get(style, (0.9, 0.15)))
        return a, b

    def values(self, z: Tensor, structure: Structure) -> Tensor:
        """(D,) parameter values of one z (D,), differentiable; colours are linear RGB."""
        a, b = self.scales(structure)
        out = a + b * z
        rows = self._rows["slider"]
        out = out.index_copy(0, rows, a[rows] + self._slider_root @ z[rows])
        rows = self._rows["log"]
        out = out.index_copy(0, rows, a[rows] * torch.exp(b[rows] * z[rows]))
        rows = self._rows["uniform"]
        u = torch.special.ndtr(z[rows])
        out = out.index_copy(0, rows, a[rows] + (b[rows] - a[rows]) * u)
        rows = self._rows["curve"]
        u = torch.special.ndtr(z[rows])
        out = out.index_copy(0, rows, _interpolate(u, self._curves, self._last_knots))
        rows = self._rows["color"]
        srgb = torch.special.ndtr(_mixed(z[rows], self._mix))
        out = out.index_copy(0, rows, _to_linear(srgb))
        offset = structure.get("offset", {})
        if offset:
            extra = [0.0] * len(self)
            for name, value in offset.items():
                if name in self.index:
                    extra[self.index[name]] = float(value)
            out = out + torch.tensor(extra)
        return out

    def inverse(self, values: Tensor, structure: Structure) -> tuple[Tensor, dict[str, float]]:
        """The z (D,) nearest to parameter values (D,), within REACH, and the offsets left over."""
        a, b = self.scales(structure)
        z = (values - a) / b
        rows = self._rows["slider"]
        z[rows] = self._slider_inverse @ (values[rows] - a[rows])
        rows = self._rows["log"]
        z[rows] = torch.log(values[rows].clamp(min=1e-5) / a[rows]) / b[rows]
        rows = self._rows["uniform"]
        z[rows] = _quantile((values[rows] - a[rows]) / (b[rows] - a[rows]))
        rows = self._rows["curve"]
        z[rows] = torch.stack(
            [_quantile(_locate(float(values[i]), k)) for i, k in zip(rows.tolist(), self._knots)]
        )
        rows = self._rows["color"]
        unit = _quantile(_to_srgb(values[rows]))
        z[rows] = _mixed(unit, self._unmix)
        z = z.clamp(-REACH, REACH)
        bare = {k: v for k, v in structure.items() if k != "offset"}
        left = values - self.values(z, bare)
        offset = {n: float(v) for n, v in zip(self.names, left.tolist()) if abs(v) > 1e-4}
        return z, offset


def _mixed(triples: Tensor, matrices: Tensor) -> Tensor:
    """Every three neighbours of (3C,) through their own (C,3,3) matrix."""
    return torch.einsum("ci,cij->cj", triples.reshape(-1, 3), matrices).reshape(-1)


def _interpolate(u: Tensor, curves: Tensor, last: Tensor) -> Tensor:
    """Every curve (C,K) at its own share (C,) of the way to its knot number `last` (C,)."""
    position = u * last
    i = torch.minimum(position.detach().long(), last - 1)[:, None]
    f = position - i[:, 0]
    return curves.gather(1, i)[:, 0] * (1 - f) + curves.gather(1, i + 1)[:, 0] * f


def _locate(value: float, knots: tuple[float, ...]) -> Tensor:
    """The share at which a rising curve reaches `value`; the middle of a flat stretch."""
    k = np.asarray(knots)
    steps = np.linspace(0, 1, len(k))
    low = np.interp(value, k + np.arange(len(k)) * 1e-9, steps)
    flat = steps[np.isclose(k, value, atol=1e-6)]
    return torch.tensor(float(flat.mean()) if len(flat) > 1 else float(low))


def _quantile(u: Tensor) -> Tensor:
    return torch.special.ndtri(u.clamp(0.004, 0.996))


def _to_linear(srgb: Tensor) -> Tensor:
    return torch.where(
        srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055).clamp(min=1e-4) ** 2.4
    )


def _to_srgb(linear: Tensor) -> Tensor:
    x = linear.clamp(0, 1)
    return torch.where(x <= 0.0031308, 12.92 * x, 1.055 * x.clamp(min=1e-6) ** (1 / 2.4) - 0.055)


@lru_cache(maxsize=1)
def layout() -> Layout:
    """The layout of z."""
    return Layout(_make_layout())


@lru_cache(maxsize=1)
def mean_sliders() -> Mapping[str, float]:
    """The prior's mean of every face slider, by its name in `Shape.local`."""
    lay = layout()
    return {
        name.removeprefix("local:"): float(lay.a[i])
        for name, i in lay.index.items()
        if name.startswith("local:")
    }


# ---------------------------------------------------------------- latent -> person
@lru_cache(maxsize=1)
def _log_melanin() -> Tensor:
    return torch.log(torch.tensor(TONE_MELANIN))


def tone_to_melanin(tone: Tensor) -> Tensor:
    """Melanin of Monk tones, differentiable."""
    table = _log_melanin()
    position = tone - 1.0  # beyond the scale's ends it goes on as its last step does
    i = position.detach().floor().clamp(0, 8).long()
    f = position - i
    return torch.exp(table[i] * (1 - f) + table[i + 1] * f)


def iris_colors(position: float) -> tuple[Color, Color]:
    """Outer and inner colour at a place along IRISES, 0..5."""
    table = np.array(list(IRISES.values()))
    x = float(np.clip(position, 0, len(table) - 1))
    i = min(int(x), len(table) - 2)
    mixed = table[i] * (1 - (x - i)) + table[i + 1] * (x - i)
    return _rgb(mixed[0]), _rgb(mixed[1])


def _rgb(values: Any) -> Color:
    r, g, b = (float(v) for v in values)
    return r, g, b


def _ramp(a: float, b: float, x: float) -> float:
    t = min(1.0, max(0.0, (x - a) / (b - a)))
    return t * t * (3 - 2 * t)


def grey_share(age: float) -> float:
    """How much of `grey` an age lets show."""
    return _ramp(0.76, 0.97, age)


def wrinkles(age: float) -> float:
    """Skin age that goes with a shape's age."""
    return min(1.0, max(0.0, (age - 0.66) / 0.34))


class _Values:
    """Named access to a vector of values."""

    def __init__(self, values: Sequence[float], index: Mapping[str, int]) -> None:
        self._values, self._index = values, index

    def __getitem__(self, name: str) -> float:
        return self._values[self._index[name]]

    def color(self, name: str) -> Color:
        r, g, b = (self[f"{name}.{c}"] for c in "rgb")
        return r, g, b

    def group(self, prefix: str) -> dict[str, float]:
        return {
            n.removeprefix(prefix): self._values[i]
            for n, i in self._index.items()
            if n.startswith(prefix)
        }


def _clip(value: float, low: float, high: float) -> float:
    return float(min(high, max(low, value)))


def person_from_latent(z: Tensor, structure: Structure) -> Person:
    """The person that one z (D,) and its choices describe."""
    values = layout().values(z.detach().float().cpu(), structure)
    v = _Values(values.tolist(), layout().index)
    shape = _shape_from(v)
    natural = structure.get("skin", "natural") == "natural"
    iris, inner = iris_colors(v["iris"])
    if structure.get("iris", "natural") == "free":
        iris = v.color("iris_color")
        inner = _rgb(structure.get("iris_inner", np.array(iris) * 0.45))
    woman = _ramp(0.35, 0.65, shape.gender)
    adult = _ramp(0.50, 0.62, shape.age)
    melanin = float(tone_to_melanin(torch.tensor(v["tone"])))
    skin = Skin(
        melanin=melanin,
        hemoglobin=_clip(v["hemoglobin"], 0.3, 1.8),
        blush=_clip(v["blush"], 0, 1.5),
        age=_clip(wrinkles(shape.age) + v["skin_age"], 0, 1),
        freckles=_clip(v["freckles"], 0, 1),
        moles=_clip(v["moles"], 0, 1),
        oily=_clip(v["oily"], 0, 1),
        stubble=_clip(v["stubble"] * (1 - woman) * adult, 0, 1),
        tint=(1.0, 1.0, 1.0) if natural else v.color("tint"),
        lipstick=_clip(v["lipstick"] * woman * adult, 0, 1),
        lip_color=v.color("lip_color"),
    )
    return Person(
        shape=shape,
        action=_actions_from(v, structure),
        pose=Pose(v["yaw"], v["pitch"], v["roll"], v["gaze_x"] - 0.7 * v["yaw"], v["gaze_y"]),
        skin=skin,
        eyes=Eyes(iris, inner, _clip(v["pupil"], 0.12, 0.32)),
        hair=_hair_from(v, structure, shape.age),
        brows=Brows(
            _clip(v["brow_density"], 0, 1.5),
            _clip(v["brow_width"], 0.5, 1.8),
            v.color("brow_color") if structure.get("brow_color") == "free" else None,
        ),
        facial_hair=FacialHair(
            structure.get("facial_hair", "none"),
            _clip(v["beard_length"], 0.2, 16.0),
            _clip(v["moustache_length"], 0.3, 3.0),
            _clip(v["beard_density"], 0.2, 1.6),
            v.color("beard_color") if structure.get("beard_color") == "free" else None,
        ),
        wear=_wear_from(v, structure),
        clothing=Clothing(structure.get("clothing", "tshirt"), v.color("cloth"), v.color("cloth2")),
        light=_light_from(v),
        camera=Camera(_clip(v["zoom"], 0.3, 4.0), v["camera_x"], v["camera_y"]),
        background=Background(
            structure.get("background", "gradient"),
            v.color("background"),
            v.color("background_edge"),
            structure.get("grid"),
        ),
        seed=int(structure.get("seed", 0)),
    )


def _shape_from(v: _Values) -> Shape:
    weights = np.exp([v["african"], v["asian"], v["caucasian"]])
    african, asian, caucasian = (float(w) for w in weights / weights.sum())
    local = {k: x for k, x in v.group("local:").items() if abs(x) > 1e-3}
    asym = {}
    for stem, x in v.group("asym:").items():
        if abs(x) > 1e-3:
            asym[f"{stem}-{'r' if x > 0 else 'l'}"] = abs(x)
    gender, age = _clip(v["gender"], 0, 1), _clip(v["age"], 0, 1)
    muscle, weight = _clip(v["muscle"], 0, 1), _clip(v["weight"], 0, 1)
    return Shape(gender, age, african, asian, caucasian, muscle, weight, local, asym)


def _actions_from(v: _Values, structure: Structure) -> dict[str, float]:
    out: dict[str, float] = {}

    def pair(name: str, left: float, right: float | None = None) -> None:
        for side, x in (("Left", left), ("Right", left if right is None else right)):
            if x > 1e-3:
                out[f"{name}{side}"] = out.get(f"{name}{side}", 0.0) + x

    smile, smirk = v["smile"], v["smirk"]
    pair("mouthSmile", max(smile, 0) + max(smirk, 0), max(smile, 0) + max(-smirk, 0))
    pair("cheekSquint", 0.4 * max(smile, 0))
    pair("eyeSquint", 0.25 * max(smile, 0) + max(-v["eyes_open"], 0))
    pair("mouthFrown", max(-smile, 0))
    pair("eyeWide", max(v["eyes_open"], 0))
    pair("browDown", max(v["brow_down"], 0))
    for name, x in (("browInnerUp", v["brow_up"]), ("jawOpen", v["jaw"])):
        if x > 1e-3:
            out[name] = x
    for name, x in structure.get("action", {}).items():
        out[name] = out.get(name, 0.0) + float(x)
    return out


def _hair_from(v: _Values, structure: Structure, age: float) -> Hair:
    grey = v["grey"] if structure.get("grey") == "free" else v["grey"] * grey_share(age)
    return Hair(
        style=structure.get("hair", "short"),
        length=_clip(v["hair_length"], 0.3, 34),
        side=_clip(v["hair_side"], 0.2, 34),
        lift=_clip(v["hair_lift"], 0.05, 1.5),
        part=_clip(v["hair_part"], -5, 5),
        sweep=_clip(v["hair_sweep"], -1.5, 1.5),
        forward=_clip(v["hair_forward"], -1.5, 1.5),
        hairline=_clip(v["hairline"], 8.6, 12.5),
        wave=_clip(v["hair_wave"], 0, 0.6),
        frequency=_clip(v["hair_frequency"], 0.3, 7),
        clump=_clip(v["hair_clump"], 0, 0.95),
        frizz=_clip(v["hair_frizz"], 0, 2.5),
        fringe=_clip(v["fringe"], 0.5, 9) if structure.get("fringe") else 0.0,
        curtain=_clip(v["curtain"], 0.6, 1.4),
        melanin=_clip(v["hair_melanin"], 0.15, 3.4),
        red=_clip(v["hair_red"], 0, 1.3),
        color=v.color("hair_color") if structure.get("hair_color") == "free" else None,
        grey=_clip(grey, 0, 1),
    )


def _wear_from(v: _Values, structure: Structure) -> tuple[Wear, ...]:
    out = []
    for slot in ("head", "face", "eyes", "ears"):
        kind = structure.get(f"wear_{slot}")
        if not kind:
            continue
        color = v.color(f"{slot}.color")
        color2 = v.color(f"{slot}.color2") if slot in ("head", "eyes") else color
        wear = Wear(kind, color, color2, side=float(structure.get(f"side_{slot}", 0.0)))
        if slot == "head":
            emblem = structure.get("emblem")
            wear = replace(
                wear,
                low=_clip(v["head.low"], 6, 11),
                size=_clip(v["head.size"], 0.4, 2),
                side=_clip(v["head.side"], -1, 1),
                emblem=Emblem(color=v.color("emblem"), **emblem) if emblem else None,
            )
        out.append(wear)
    return tuple(out)


def _light_from(v: _Values) -> Light:
    room = tuple(v.color(f"room_{lobe}") for lobe in ("front", "left", "right", "above", "below"))
    return Light(
        v["key_x"], v["key_y"], _clip(v["key"], 0, 5), _clip(v["fill"], 0, 2.5), _clip(v["rim"], 0, 4),
        _clip(v["ambient"], 0, 2.5), _clip(v["warm"], -0.4, 0.5), _clip(v["exposure"], 0.3, 3.5), room,
    )  # fmt: skip


def people_from_latents(latents: Latents) -> list[Person]:
    """The people a batch describes."""
    return [person_from_latent(z, s) for z, s in zip(latents.z, latents.structure)]


# ---------------------------------------------------------------- person -> latent
def structure_of(person: Person) -> dict[str, Any]:
    """A person's discrete choices, without offsets."""
    out: dict[str, Any] = {
        "hair": person.hair.style,
        "fringe": person.hair.fringe > 0,
        "hair_color": "free" if person.hair.color else "natural",
        "grey": "free",
        "skin": "natural" if person.skin.tint == (1.0, 1.0, 1.0) else "tinted",
        "iris": "free",
        "iris_inner": list(person.eyes.iris_inner),
        "brow_color": "free" if person.brows.color else "natural",
        "facial_hair": person.facial_hair.style,
        "beard_color": "free" if person.facial_hair.color else "natural",
        "clothing": person.clothing.style,
        "background": person.background.kind,
        "seed": person.seed,
    }
    if person.background.grid is not None:
        out["grid"] = person.background.grid
    for slot, wear in by_slot(person.wear).items():
        out[f"wear_{slot}"] = wear.kind
        if slot != "head":
            out[f"side_{slot}"] = wear.side
        elif wear.emblem:
            e = wear.emblem
            out["emblem"] = {"shape": e.shape, "radius": e.radius, "x": e.x, "y": e.y}
    return out


def latent_from_person(person: Person) -> tuple[Tensor, dict[str, Any]]:
    """z (D,) and structure of a person; what z can't reach is kept in `offset`."""
    structure = structure_of(person)
    lay = layout()
    values = lay.values(torch.zeros(len(lay)), structure)
    rest = _put_values(values, person)
    if rest:
        structure["action"] = rest
    z, offset = lay.inverse(values, structure)
    for name in _inactive(structure):
        z[lay.index[name]] = 0.0
        offset.pop(name, None)
    structure["offset"] = offset
    return z, structure


def _inactive(structure: Structure) -> list[str]:
    """Dims that these choices leave without effect."""
    out = []
    for choice, prefix in (
        ("hair_color", "hair_color"),
        ("brow_color", "brow_color"),
        ("beard_color", "beard_color"),
    ):
        if structure.get(choice) != "free":
            out += [f"{prefix}.{c}" for c in "rgb"]
    if structure.get("skin") == "natural":
        out += [f"tint.{c}" for c in "rgb"]
    out += ["iris"] if structure.get("iris") == "free" else [f"iris_color.{c}" for c in "rgb"]
    if not structure.get("fringe"):
        out.append("fringe")
    for slot in ("head", "face", "eyes", "ears"):
        if not structure.get(f"wear_{slot}"):
            out += [n for n in layout().names if n.startswith(f"{slot}.")]
    if not structure.get("emblem"):
        out += [f"emblem.{c}" for c in "rgb"]
    return out


def _put_values(values: Tensor, p: Person) -> dict[str, float]:
    """Write a person's numbers into a value vector; returns actions that no dim expresses."""
    index = layout().index

    def put(name: str, value: float) -> None:
        if name in index:
            values[index[name]] = value

    def put_color(name: str, color: Color | None) -> None:
        if color is not None:
            for c, x in zip("rgb", color):
                put(f"{name}.{c}", x)

    s, total = p.shape, max(p.shape.african + p.shape.asian + p.shape.caucasian, 1e-6)
    logs = np.log([max(w / total, 0.01) for w in (s.african, s.asian, s.caucasian)])
    for name, x in zip(("african", "asian", "caucasian"), logs - logs.mean()):
        put(name, float(x))
    for name in ("gender", "age", "muscle", "weight"):
        put(name, getattr(s, name))
    for name, i in index.items():
        if name.startswith("local:"):
            values[i] = s.local.get(name.removeprefix("local:"), 0.0)
        elif name.startswith("asym:"):
            stem = name.removeprefix("asym:")
            values[i] = s.asym.get(f"{stem}-r", 0.0) - s.asym.get(f"{stem}-l", 0.0)
    pose, k = p.pose, p.skin
    for name, x in (
        ("yaw", pose.yaw),
        ("pitch", pose.pitch),
        ("roll", pose.roll),
        ("gaze_y", pose.gaze_y),
    ):
        put(name, x)
    put("gaze_x", pose.gaze_x + 0.7 * pose.yaw)
    put("tone", melanin_tone(k.melanin))
    for name in ("hemoglobin", "blush", "freckles", "moles", "oily"):
        put(name, getattr(k, name))
    put("skin_age", k.age - wrinkles(s.age))
    woman, adult = _ramp(0.35, 0.65, s.gender), _ramp(0.50, 0.62, s.age)
    put("stubble", k.stubble / ((1 - woman) * adult) if (1 - woman) * adult > 1e-3 else 0.0)
    put("lipstick", k.lipstick / (woman * adult) if woman * adult > 1e-3 else 0.0)
    put_color("tint", k.tint)
    put_color("lip_color", k.lip_color)
    put_color("iris_color", p.eyes.iris)
    put("pupil", p.eyes.pupil)
    h = p.hair
    for name in (
        "length",
        "side",
        "lift",
        "wave",
        "frequency",
        "frizz",
        "part",
        "sweep",
        "forward",
        "clump",
        "melanin",
        "red",
    ):
        put(f"hair_{name}", getattr(h, name))
    for name in ("hairline", "curtain", "grey"):
        put(name, getattr(h, name))
    if h.fringe:
        put("fringe", h.fringe)
    put_color("hair_color", h.color)
    put("brow_density", p.brows.density)
    put("brow_width", p.brows.width)
    put_color("brow_color", p.brows.color)
    put("beard_length", p.facial_hair.length)
    put("moustache_length", p.facial_hair.moustache)
    put("beard_density", p.facial_hair.density)
    put_color("beard_color", p.facial_hair.color)
    for slot, wear in by_slot(p.wear).items():
        put_color(f"{slot}.color", wear.color)
        put_color(f"{slot}.color2", wear.color2)
        if slot == "head":
            for name in ("low", "size", "side"):
                put(f"head.{name}", getattr(wear, name))
            put_color("emblem", wear.emblem.color if wear.emblem else None)
    put_color("cloth", p.clothing.color)
    put_color("cloth2", p.clothing.color2)
    for name in ("key_x", "key_y", "key", "fill", "rim", "ambient", "warm", "exposure"):
        put(name, getattr(p.light, name))
    for lobe, color in zip(("front", "left", "right", "above", "below"), p.light.room):
        put_color(f"room_{lobe}", color)
    put("zoom", p.camera.zoom)
    put("camera_x", p.camera.x)
    put("camera_y", p.camera.y)
    put_color("background", p.background.color)
    put_color("background_edge", p.background.edge)
    return _put_actions(values, p.action, index)


def _put_actions(
    values: Tensor, action: Mapping[str, float], index: Mapping[str, int]
) -> dict[str, float]:
    def get(name: str) -> float:
        return float(action.get(name, 0.0))

    left, right = get("mouthSmileLeft"), get("mouthSmileRight")
    frown = (get("mouthFrownLeft") + get("mouthFrownRight")) / 2
    smile = min(left, right)
    found = {
        "smile": smile - frown if smile > 0 or frown > 0 else 0.0,
        "smirk": left - right,
        "jaw": get("jawOpen"),
        "brow_up": get("browInnerUp"),
        "brow_down": (get("browDownLeft") + get("browDownRight")) / 2,
        "eyes_open": (get("eyeWideLeft") + get("eyeWideRight")) / 2,
    }
    for name, value in found.items():
        values[index[name]] = value
    made = _actions_from(_Values(values.tolist(), index), {})
    names = set(made) | set(action)
    rest = {n: get(n) - made.get(n, 0.0) for n in sorted(names)}
    return {n: x for n, x in rest.items() if abs(x) > 1e-4}


def latents_from_people(people: Sequence[Person]) -> Latents:
    """A batch that describes these people exactly."""
    pairs = [latent_from_person(p) for p in people]
    if not pairs:
        return Latents(torch.zeros(0, len(layout())))
    return Latents(torch.stack([z for z, _ in pairs]), tuple(s for _, s in pairs))


# ---------------------------------------------------------------- the prior
HAIR_SHARES = {
    "bald": 0.5, "receding": 0.6, "buzz": 1.0, "short": 2.2, "side_part": 1.6, "fringe": 0.9, "quiff": 1.0,
    "slick": 0.8, "bob": 1.4, "long": 2.4, "curtains": 0.9, "ponytail": 1.2, "bun": 1.0, "braids": 0.7,
    "spikes": 0.3, "mohawk": 0.15, "curls": 1.5, "afro": 1.0, "dreadlocks": 0.6,
}  # fmt: skip
# how a cut's share changes for men (-) and women (+): who wears what is the one tie we keep
_WORN_BY = {
    "bald": -1.0, "receding": -1.0, "buzz": -0.8, "short": -0.6, "side_part": -0.5, "quiff": -0.8, "slick": -0.5,
    "spikes": -0.6, "bob": 0.85, "long": 0.75, "ponytail": 0.8, "bun": 0.8, "braids": 0.8, "fringe": 0.1,
}  # fmt: skip
_BEARD_SHARES = {
    "none": 9.0, "moustache": 0.8, "handlebar": 0.25, "walrus": 0.3, "goatee": 1.0, "van_dyke": 0.4,
    "chinstrap": 0.4, "sideburns": 0.3, "full": 2.4, "long": 0.5, "wizard": 0.0,
}  # fmt: skip


def _pick(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    names = list(shares)
    weight = np.array([max(shares[n], 0.0) for n in names])
    return names[int(rng.choice(len(names), p=weight / weight.sum()))]


def draw_structure(rng: np.random.Generator, gender: float, age: float) -> dict[str, Any]:
    """Discrete choices from the prior for a person of this sex and age."""
    lean = 2 * gender - 1
    shares = {n: s * max(0.02, 1 + lean * _WORN_BY.get(n, 0.0)) for n, s in HAIR_SHARES.items()}
    if age < 0.62:
        shares |= {"bald": 0.0, "receding": 0.0, "slick": 0.1, "mohawk": 0.0}
    elif age < 0.72:
        shares["receding"] = 0.0
    beard = "none" if gender > 0.5 or age < 0.66 else _pick(rng, _BEARD_SHARES)
    hair = _pick(rng, shares)
    out: dict[str, Any] = {
        "hair": hair,
        "fringe": bool(
            rng.random()
            < (0.3 if STYLES.get(hair) and STYLES[hair].parted and hair != "side_part" else 0.0)
        ),
        "facial_hair": beard,
        "clothing": _pick(rng, {"tshirt": 3.0, "collar": 1.5}),
        "background": _pick(rng, dict(zip(BACKGROUND_KINDS, (3.0, 0.5, 1.5)))),
        "seed": int(rng.integers(1 << 30)),
    }
    if rng.random() < 0.10:
        out["wear_eyes"] = "glasses"
    if rng.random() < 0.25 * gender:
        out["wear_ears"] = "earrings"
    return out


METERED_ALBEDO, METER_STRENGTH = 0.40, 0.26
HAIR_METERED, GREY_ALBEDO = 0.08, 0.45  # the hair's share of the reading, a white hair's albedo
LUMINANCE = (0.2126, 0.7152, 0.0722)


def metered(v: _Values) -> dict[str, float]:
    """Offsets of the camera and the studio that a photographer sets by looking at the face.

    Exposure goes with a power of the face's own reflectance, for everybody: about a fourth of
    full compensation, so that dark skin stays dark and light skin light; pale hair isn't burnt
    out. Dark skin gets its light from two sides rather than from everywhere, because it shows its
    form by highlights. The backdrop has a light of its own and keeps its brightness; the rim light
    follows, so that a dark head stands out, but not what is pale already.
    """
    melanin = float(tone_to_melanin(torch.tensor(v["tone"])))
    grey = _clip(v["grey"] * grey_share(v["age"]), 0, 1)
    dyed = natural_color(_clip(v["hair_melanin"], 0.15, 3.4), _clip(v["hair_red"], 0, 1.3))
    hair = (1 - grey) * float(np.dot(LUMINANCE, dyed)) + grey * GREY_ALBEDO
    skin = float(np.dot(LUMINANCE, skin_albedo(melanin, v["hemoglobin"])))
    albedo = (1 - HAIR_METERED) * skin + HAIR_METERED * hair
    gain = float((METERED_ALBEDO / albedo) ** METER_STRENGTH)
    modelled, pale = melanin / (melanin + 3.0), min(hair / GREY_ALBEDO, 1.0)
    out = {
        "exposure": v["exposure"] * (gain - 1),
        "rim": v["rim"] * (0.5 * max(gain - 1, 0) * (1 - pale) - 0.5 * modelled * pale),
        "fill": v["fill"] * 1.2 * modelled,
        "ambient": -v["ambient"] * 0.6 * modelled,
    }
    for name in ("background", "background_edge"):
        for c, x in zip("rgb", v.color(name)):
            out[f"{name}.{c}"] = x * (gain**-0.8 - 1)
    return out


def draw(count: int, seed: int) -> Latents:
    """`count` draws from the prior; the n-th depends on (seed, n) only."""
    lay = layout()
    rows, structures = [], []
    for n in range(count):
        rng = np.random.default_rng([seed, n])
        z = torch.from_numpy(rng.standard_normal(len(lay)).astype(np.float32))
        v = lay.values(z, {})
        gender, age = float(v[lay.index["gender"]]), float(v[lay.index["age"]])
        structure = draw_structure(rng, gender, age)
        structure["offset"] = metered(_Values(v.tolist(), lay.index))
        structures.append(structure)
        rows.append(z)
    z = torch.stack(rows) if rows else torch.zeros(0, len(lay))
    return Latents(z, tuple(structures))


def draw_person(seed: int, *, face_camera: bool = False) -> Person:
    """One complete person from the prior; `face_camera` looks straight at the viewer."""
    person = people_from_latents(draw(1, seed))[0]
    if face_camera:
        person = replace(person, pose=Pose(), camera=Camera())
    return person
