"""Portraits that look aside, before judges who mostly know faces from the front."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from spriteface.audit.judges import SIDE_YAW, judge
from spriteface.pulse.head.person import Pose
from spriteface.pulse.head.prior import draw_person
from spriteface.pulse.head.render import render
from spriteface.types import U8

EDGE = 256


@pytest.fixture(scope="module")
def profiles() -> dict[float, U8]:
    """Two people, one looking left and one right, by their yaw."""
    out = {}
    for seed, yaw in ((506, -1.0), (507, 1.0)):
        person = draw_person(seed)
        camera = replace(person.camera, zoom=1.05, x=1.6 * yaw, y=0.0)
        person = replace(person, pose=Pose(yaw=yaw), camera=camera, wear=())
        picture = render(person, EDGE, strand_count=12000).image
        out[yaw] = np.rint(picture * 255).clip(0, 255).astype(np.uint8)
    return out


def test_a_profile_passes_by_the_judge_of_profiles_alone(profiles: dict[float, U8]) -> None:
    for yaw, image in profiles.items():
        assert not judge(image).passes and judge(image).side is None  # the frontal ones see none
        assert judge(image, yaw=yaw).side and judge(image, yaw=yaw).passes


def test_it_must_look_where_it_is_said_to(profiles: dict[float, U8]) -> None:
    for yaw, image in profiles.items():
        assert judge(image, yaw=-yaw).side is False
        assert judge(np.ascontiguousarray(image[:, ::-1]), yaw=-yaw).passes
        assert judge(image[::-1], yaw=yaw).side is False


def test_it_is_asked_of_portraits_that_look_aside_only(profiles: dict[float, U8]) -> None:
    image = profiles[1.0]
    assert judge(image, yaw=SIDE_YAW - 0.01).side is None
    assert judge(image, yaw=SIDE_YAW).side is not None


@pytest.mark.parametrize("edge", [16, 24, 32])
@pytest.mark.parametrize("way", [Image.Resampling.NEAREST, Image.Resampling.BICUBIC])
def test_enlarged_profiles_fail(
    profiles: dict[float, U8], edge: int, way: Image.Resampling
) -> None:
    for yaw, image in profiles.items():
        small = Image.fromarray(image).resize((edge, edge), Image.Resampling.BOX)
        assert not judge(np.asarray(small.resize((EDGE, EDGE), way)), yaw=yaw).passes


def test_noise_is_no_profile() -> None:
    rng = np.random.default_rng(0)
    for edge in (16, 32, 64, 128, 256):
        noise = Image.fromarray(rng.integers(0, 256, (edge, edge, 3)).astype(np.uint8))
        picture = np.asarray(noise.resize((EDGE, EDGE), Image.Resampling.BICUBIC))
        assert not judge(picture, yaw=1.0).side and not judge(picture, yaw=-1.0).side
