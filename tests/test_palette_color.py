"""Colour science against published numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from spriteface.palette import color

# L1 a1 b1 L2 a2 b2 dE: table 1 of Sharma, Wu and Dalal (2005)
SHARMA = """
50 2.6772 -79.7751 50 0 -82.7485 2.0425
50 3.1571 -77.2803 50 0 -82.7485 2.8615
50 2.8361 -74.0200 50 0 -82.7485 3.4412
50 -1.3802 -84.2814 50 0 -82.7485 1.0000
50 -1.1848 -84.8006 50 0 -82.7485 1.0000
50 -0.9009 -85.5211 50 0 -82.7485 1.0000
50 0 0 50 -1 2 2.3669
50 -1 2 50 0 0 2.3669
50 2.4900 -0.0010 50 -2.4900 0.0009 7.1792
50 2.4900 -0.0010 50 -2.4900 0.0010 7.1792
50 2.4900 -0.0010 50 -2.4900 0.0011 7.2195
50 2.4900 -0.0010 50 -2.4900 0.0012 7.2195
50 -0.0010 2.4900 50 0.0009 -2.4900 4.8045
50 -0.0010 2.4900 50 0.0010 -2.4900 4.8045
50 -0.0010 2.4900 50 0.0011 -2.4900 4.7461
50 2.5 0 50 0 -2.5 4.3065
50 2.5 0 73 25 -18 27.1492
50 2.5 0 61 -5 29 22.8977
50 2.5 0 56 -27 -3 31.9030
50 2.5 0 58 24 15 19.4535
50 2.5 0 50 3.1736 0.5854 1.0000
50 2.5 0 50 3.2972 0 1.0000
50 2.5 0 50 1.8634 0.5757 1.0000
50 2.5 0 50 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""


def test_ciede2000_on_all_pairs_of_sharma():
    table = np.array([[float(v) for v in line.split()] for line in SHARMA.strip().splitlines()])
    assert table.shape == (34, 7)
    there = color.delta_e_2000(table[:, :3], table[:, 3:6])
    back = color.delta_e_2000(table[:, 3:6], table[:, :3])
    assert np.abs(there - table[:, 6]).max() < 5.1e-5
    assert np.abs(there - back).max() < 1e-12


# Ottosson's own table of XYZ -> Oklab, three decimals
@pytest.mark.parametrize(
    ("xyz", "lab"),
    [
        ((0.950, 1.000, 1.089), (1.000, 0.000, 0.000)),
        ((1.000, 0.000, 0.000), (0.450, 1.236, -0.019)),
        ((0.000, 1.000, 0.000), (0.922, -0.671, 0.263)),
        ((0.000, 0.000, 1.000), (0.153, -1.415, -0.449)),
    ],
)
def test_oklab_published_table(xyz, lab):
    seen = color.oklab_from_linear(color.linear_from_xyz(np.array(xyz)))
    assert np.abs(seen - lab).max() < 1.5e-3


# CSS Color 4 sample values
@pytest.mark.parametrize(
    ("rgb", "oklab", "lab"),
    [
        ((1, 0, 0), (0.62796, 0.22486, 0.12585), (53.24, 80.09, 67.20)),
        ((0, 1, 0), (0.86644, -0.23389, 0.17950), (87.73, -86.18, 83.18)),
        ((0, 0, 1), (0.45201, -0.03246, -0.31153), (32.30, 79.19, -107.86)),
        ((1, 1, 1), (1.0, 0.0, 0.0), (100.0, 0.0, 0.0)),
        ((0, 0, 0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
    ],
)
def test_primaries(rgb, oklab, lab):
    assert np.abs(color.oklab_from_srgb(np.array(rgb, float)) - oklab).max() < 2e-4
    assert np.abs(color.lab_from_srgb(np.array(rgb, float)) - lab).max() < 0.02


def test_srgb_curve_known_points():
    assert color.linear_from_srgb(0.5) == pytest.approx(0.21404114)
    assert color.linear_from_srgb(0.04045) == pytest.approx(0.0031308, abs=1e-7)
    assert color.srgb_from_linear(0.18) == pytest.approx(0.46135613)


@pytest.mark.parametrize(
    ("there", "back"),
    [
        (color.linear_from_srgb, color.srgb_from_linear),
        (color.oklab_from_srgb, color.srgb_from_oklab),
        (color.lab_from_srgb, color.srgb_from_lab),
    ],
)
def test_every_8_bit_step_comes_back(there, back):
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (4096, 3), np.uint8)
    for dtype, tolerance in ((np.float32, 4e-4), (np.float64, 1e-7)):
        values = (rgb / 255.0).astype(dtype)
        result = back(there(values))
        assert result.dtype == dtype
        assert np.abs(result - values).max() < tolerance
        assert np.array_equal(color.u8_from_srgb(result), rgb)


def test_tables_agree_with_formulas():
    rgb = np.random.default_rng(1).integers(0, 256, (500, 3), np.uint8)
    assert np.allclose(color.linear_from_u8(rgb), color.linear_from_srgb(rgb / 255.0), atol=1e-7)
    assert np.allclose(color.oklab_from_u8(rgb), color.oklab_from_srgb(rgb / 255.0), atol=2e-6)
    assert np.allclose(color.lab_from_u8(rgb), color.lab_from_srgb(rgb / 255.0), atol=2e-4)


# Monk Skin Tone scale: hex -> L*, ITA, whole numbers
@pytest.mark.parametrize(
    ("code", "lightness", "ita"),
    [
        ("f6ede4", 94, 83),
        ("f3e7db", 92, 80),
        ("f7ead0", 93, 72),
        ("eadaba", 88, 65),
        ("d7bd96", 78, 50),
        ("a07e56", 55, 11),
        ("825c43", 43, -20),
        ("604134", 31, -55),
        ("3a312a", 21, -78),
        ("292420", 15, -84),
    ],
)
def test_ita_of_the_monk_scale(code, lightness, ita):
    rgb = np.array(list(bytes.fromhex(code))) / 255.0
    lab = color.lab_from_srgb(rgb)
    assert lab[0] == pytest.approx(lightness, abs=0.75)
    assert color.ita_degrees(lab) == pytest.approx(ita, abs=1.5)


labs = hnp.arrays(np.float64, (3,), elements=st.floats(-100, 100))


@given(labs, labs)
def test_distances_are_symmetric_and_zero_at_home(first, second):
    first[0], second[0] = abs(first[0]), abs(second[0])
    assert color.delta_e_2000(first, first) == pytest.approx(0.0, abs=1e-9)
    there, back = color.delta_e_2000(first, second), color.delta_e_2000(second, first)
    assert there >= 0 and there == pytest.approx(back, abs=1e-8)
