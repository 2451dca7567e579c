"""How the head looks, where a number can tell: lips, brows, hair, children, headwear, exposure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from spriteface.pulse.head import surface as mat
from spriteface.pulse.head.camera import view_of
from spriteface.pulse.head.hair import natural_color
from spriteface.pulse.head.model import head_model
from spriteface.pulse.head.person import Background, Hair, Person, Shape, Skin, Wear
from spriteface.pulse.head.prior import draw, layout, people_from_latents
from spriteface.pulse.head.raster import FAR
from spriteface.pulse.head.regions import regions
from spriteface.pulse.head.render import _defocus, render
from spriteface.pulse.head.scene import SCALP, build, strand_colors
from spriteface.pulse.head.shade import fibre
from spriteface.pulse.head.wear import ITEMS

TONES = (0.2, 0.6, 2.0, 3.5, 5.0)
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def lip_and_cheek(skin: Skin) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean linear albedo of the lower lip and of a cheek."""
    place = regions(0)
    c = place.model.canonical
    lip = (place.lip > 0.9) & (c[:, 1] < -4.1)
    cheek = (
        (np.abs(c[:, 0]) > 3) & (np.abs(c[:, 0]) < 5) & (np.abs(c[:, 1] + 1) < 1) & (c[:, 2] > 6)
    )
    attributes = build(Person(), level=0, strand_count=100).attributes[: len(c)]
    n = len(c)
    albedo, gloss = np.zeros((n, 3), np.float32), np.zeros((n, 2), np.float32)
    height, share = np.zeros(n, np.float32), np.zeros(n, np.float32)
    mat.materials(
        0, n, np.zeros(n, np.int32), c, attributes, np.zeros((n, 2), np.float32),
        mat.parameters(Person(skin=skin)), mat.detail_tile(64), False, albedo, gloss, height, share,
    )  # fmt: skip
    return albedo[lip].mean(0), albedo[cheek].mean(0)


def test_lips_follow_the_melanin() -> None:
    pairs = [lip_and_cheek(Skin(melanin=m)) for m in TONES]
    lips = np.array([float(lip @ LUMINANCE) for lip, _ in pairs])
    assert (np.diff(lips) < 0).all()  # darker skin, darker lips
    contrast = np.array([float((cheek @ LUMINANCE) / (lip @ LUMINANCE)) for lip, cheek in pairs])
    assert (contrast > 1.0).all() and contrast[-1] < contrast[0]
    pink = [float(lip[0] / lip[1] / (cheek[0] / cheek[1])) for lip, cheek in pairs]
    assert pink[0] > 1.2 > pink[-1]  # how much redder than the skin


def test_lipstick_is_dimmed_by_a_dark_lip() -> None:
    worn = [lip_and_cheek(Skin(melanin=m, lipstick=1.0))[0].max() for m in TONES]
    assert (np.diff(worn) < 0).all()


def test_natural_hair_is_brown_rather_than_orange() -> None:
    for melanin in (1.0, 1.6, 2.4):
        r, g, b = natural_color(melanin, 0.15)
        assert r > g > b > 0.15 * r
    assert natural_color(0.3, 0.1)[0] > 8 * natural_color(3.0, 0.1)[0]


def test_brows_are_never_bright_on_dark_skin() -> None:
    blond = Hair(melanin=0.3)
    for melanin in TONES:
        skin = Skin(melanin=melanin)
        brow = strand_colors(Person(hair=blond, skin=skin))[1]
        assert brow.max() <= 0.02 + mat.skin_albedo(melanin, 1.0).max()


def test_the_first_grey_hairs_are_no_wires() -> None:
    def white(grey: float) -> float:
        scene = build(
            Person(hair=Hair("short", melanin=2.8, grey=grey)), level=0, strand_count=3000
        )
        return float(scene.strand_color[scene.strand_grey & (scene.strand_group == SCALP)].mean())

    assert white(0.1) < 0.6 * white(1.0)


def eye_to_face(age: float) -> tuple[float, float]:
    """Height of the open eye, and length of the nose, both over the face's width."""
    model, place = head_model(0), regions(0)
    v = model.subdivide(model.base(Shape(age=age), {}))
    c = model.canonical
    width = np.ptp(v[place.outer_vertices[np.abs(c[place.outer_vertices, 1]) < 2], 0])
    lids = (place.lid > 0.5) & (c[:, 0] > 0)
    face = place.outer_vertices
    tip = v[face[np.argmax(v[face, 2])]]
    return float(np.ptp(v[lids, 1]) / width), float((v[lids, 1].mean() - tip[1]) / width)


def test_a_child_has_a_childs_proportions() -> None:
    (child_eye, child_nose), (eye, nose) = eye_to_face(0.3), eye_to_face(0.7)
    assert child_eye > 1.25 * eye
    assert child_nose < 0.9 * nose


def scalp_of(person: Person, level: int = 0) -> NDArray[np.float32]:
    scene = build(person, level=level, strand_count=1500)
    return np.asarray(scene.strands[scene.strand_group == SCALP])


@pytest.mark.parametrize("kind", [k for k, item in ITEMS.items() if item.press == "hide"])
def test_no_hair_shows_where_cloth_hides_it(kind: str) -> None:
    assert len(scalp_of(Person(hair=Hair("long", length=24.0), wear=(Wear(kind),)))) == 0


def off_skull(person: Person, above: float) -> NDArray[np.float64]:
    """Every covered hair point's distance from the skull's middle; 1 lies on an ellipsoid 0.9 cm
    outside the skull, where the crowns of hats stand."""
    strands = scalp_of(person, level=1)
    place = regions(1)
    skull = head_model(1).subdivide(head_model(1).base(person.shape, {}))
    v = skull[place.outer_vertices[place.outward_ears]]
    v = v[v[:, 1] > 6]
    centre = np.array([0.0, 6.0, (v[:, 2].max() + v[:, 2].min()) / 2])
    axes = np.array([np.abs(v[:, 0]).max(), v[:, 1].max() - 6.0, np.ptp(v[:, 2]) / 2]) + 0.9
    covered = strands[strands[..., 1] > above]
    return np.asarray(np.linalg.norm((covered - centre) / axes, axis=1))


@pytest.mark.parametrize("kind", ["beanie", "bandana", "wizard_hat"])
def test_no_hair_pokes_through_a_hat(kind: str) -> None:
    assert ITEMS[kind].press == "above"
    curls = Person(hair=Hair("curls", length=8.0, lift=0.8, wave=0.4, frequency=2.2))
    hat = Wear(kind)
    worn, bare = (off_skull(p, hat.low + 0.8) for p in (replace(curls, wear=(hat,)), curls))
    assert worn.max() < 1.1
    assert (bare < 1.1).mean() < 0.5


def test_hair_stands_above_a_headband() -> None:
    curls = Person(hair=Hair("curls", length=8.0, lift=0.8, wave=0.4, frequency=2.2))
    bare, banded = scalp_of(curls), scalp_of(replace(curls, wear=(Wear("headband"),)))
    assert banded[..., 1].max() > bare[..., 1].max() - 0.6
    under = [np.abs(hair[np.abs(hair[..., 1] - 7.7) < 0.5][:, 0]).max() for hair in (banded, bare)]
    assert under[0] < under[1] - 0.5  # and it is bound below the band


def test_the_camera_meters_the_face_of_everybody() -> None:
    latents = draw(40, seed=3)
    lay = layout()
    tone = np.array([float(lay.values(z, {})[lay.index["tone"]]) for z in latents.z])
    people = people_from_latents(latents)
    exposure = np.array([p.light.exposure for p in people])
    lit = [
        float(mat.skin_albedo(p.skin.melanin, p.skin.hemoglobin) @ LUMINANCE) * p.light.exposure
        for p in people
    ]
    assert np.corrcoef(tone, exposure)[0, 1] > 0.8
    assert np.corrcoef(tone, np.log(lit))[0, 1] < -0.9  # and yet dark skin stays dark
    assert exposure[tone < 3].mean() < 1.18 < exposure[tone > 5].mean()
    assert all("exposure" in s["offset"] for s in latents.structure)


def test_only_what_is_out_of_focus_is_soft() -> None:
    rng = np.random.default_rng(0)
    picture = rng.random((512, 512, 3)).astype(np.float32)
    depth = np.full((512, 512), -101.0, np.float32)
    depth[:, 256:] = FAR
    out = _defocus(picture, depth, view_of(Person().camera, 512))
    assert np.abs(out[:, :240] - picture[:, :240]).max() < 1e-3
    assert out[:, 280:].std() < 0.8 * picture[:, 280:].std()


def test_corners_of_a_wall_are_darker() -> None:
    person = Person(background=Background("plain", (0.5, 0.5, 0.5)))
    image = render(person, 64, strand_count=2000).image
    assert image[2, 2].mean() < 0.97 * image[2, 32].mean()


def test_light_from_behind_leaves_hair_dark() -> None:
    along = np.linspace(-0.9, 0.9, 181)  # the highlight's cone is among these

    def white(facing: float) -> float:
        return max(fibre(float(t), 0.0, facing, 0.0)[1] for t in along)

    assert white(-0.8) < 0.25 * white(0.9)


def test_a_hairs_tilt_moves_its_highlight() -> None:
    along = np.linspace(-0.6, 0.6, 241)

    def peak(tilt: float) -> float:
        return float(along[np.argmax([fibre(float(t), 0.0, 0.9, tilt)[1] for t in along])])

    assert peak(0.05) < peak(0.0) - 0.05


def braid(**hair: float) -> NDArray[np.float32]:
    """The strands of one plait, (n,K,3)."""
    person = Person(hair=Hair("braids", length=20, side=12, part=0.0, lift=0.3, **hair))
    scene = build(person, level=1, strand_count=3000)
    strands = scene.strands[scene.strand_group == SCALP]
    return strands[strands[:, -1, 0] > 4.0]


def test_a_plaits_hairs_swing_from_edge_to_edge() -> None:
    plait = braid()
    below = plait[:, plait.shape[1] // 3 + 1 :]
    sideways = below[:, :, 0] - below[:, :, 0].mean(0)  # about the plait's middle
    turns = (np.diff(np.sign(sideways), axis=1) != 0).sum(1)
    assert np.median(turns) >= 4
    assert below.shape[1] / np.median(turns) > 2.5  # with points enough for a bow each time


def test_a_parting_between_plaits_is_narrow() -> None:
    person = Person(hair=Hair("braids", length=20, side=12, part=0.0, lift=0.3))
    scene = build(person, level=1, strand_count=12000)
    hair = scene.strands[scene.strand_group == SCALP]
    near = hair[(np.abs(hair[:, 0, 0]) < 0.4) & (hair[:, 0, 1] > 9.0) & (hair[:, 0, 2] > 2.0)]
    assert len(near) > 30
    assert np.median(near[:, 2, 1] - near[:, 0, 1]) > 0.0  # a chord through the skull falls at once


def test_old_age_thins_lips_and_lowers_cheeks() -> None:
    model, place = head_model(0), regions(0)
    young, old = (model.subdivide(model.base(Shape(age=a), {})) for a in (0.7, 0.95))
    front = (place.lip > 0.9) & (model.canonical[:, 2] > 11.5)
    lips = np.ptp(young[front, 1]), np.ptp(old[front, 1])
    assert lips[1] < 0.74 * lips[0]


@pytest.mark.parametrize("melanin", [0.2, 5.0])
def test_a_closed_mouth_is_no_black_slit(melanin: float) -> None:
    person = Person(
        shape=Shape(age=0.7),
        action={"mouthSmileLeft": 0.4, "mouthSmileRight": 0.4},
        skin=Skin(melanin=melanin),
    )

    luminance = render(person, 512, strand_count=300).image @ LUMINANCE
    mouth = luminance[320:390, 200:312]
    assert mouth.min() > 0.2 * np.median(mouth)


def test_curls_are_no_zigzags() -> None:
    hair = Hair("afro", length=9.0, side=6.0, wave=0.3, frequency=6.0, frizz=0.0)
    scene = build(Person(hair=hair), level=1, strand_count=1500)
    strands = scene.strands[scene.strand_group == SCALP]
    step = np.diff(strands, axis=1)
    step /= np.linalg.norm(step, axis=2, keepdims=True) + 1e-9
    along = (step[:, 1:] * step[:, :-1]).sum(2)
    assert (along < 0).mean() < 0.05  # how often a strand turns back on itself
