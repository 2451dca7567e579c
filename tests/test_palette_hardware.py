"""Machines as data, and telling which one an image came from."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from spriteface.cli.palette import palette as command
from spriteface.errors import OptionError, SpritefaceError
from spriteface.files import read_image, read_palette, write_png
from spriteface.palette.detect import detect, whole_scale
from spriteface.palette.hardware import (
    MACHINES,
    all_colors,
    color_codes,
    contains,
    machine,
    nes_composite,
    palette_for,
    raw_to_screen,
    snap,
)
from spriteface.types import Pixels


def drawn_with(colors: np.ndarray, shape=(48, 64), seed=0, scale=1) -> Pixels:
    picks = np.random.default_rng(seed).integers(0, len(colors), shape)
    rgba = np.full((*shape, 4), 255, np.uint8)
    rgba[..., :3] = colors[picks]
    return Pixels(rgba.repeat(scale, 0).repeat(scale, 1))


def test_every_machine_has_colours_and_a_source():
    assert len({m.id for m in MACHINES}) == len(MACHINES)
    for entry in MACHINES:
        assert entry.source and entry.title and entry.screens
        assert len(all_colors(entry.id)) >= entry.count > 1
        assert sum(v is not None for v in (entry.fixed, entry.levels)) + bool(entry.corrected) == 1


def test_published_numbers():
    assert machine("mega-drive-measured").levels[0] == (0, 52, 87, 116, 144, 172, 206, 255)
    assert machine("mega-drive").levels[0] == (0, 36, 73, 109, 146, 182, 219, 255)
    assert machine("snes").levels[0][:4] + machine("snes").levels[0][-1:] == (0, 8, 16, 24, 255)
    assert machine("snes-shifted").levels[0][-1] == 248
    assert machine("master-system").levels[1] == (0, 85, 170, 255)
    assert [machine(n).count for n in ("snes", "mega-drive", "ega", "vga", "amiga")] == [
        32768, 512, 64, 262144, 4096,
    ]  # fmt: skip
    assert [len(machine(n).palette()) for n in ("nes", "gb", "c64", "pico-8", "cga")] == [
        64,
        4,
        16,
        16,
        16,
    ]
    vga = machine("vga-default").fixed
    assert vga[32].tolist() == [0, 0, 255] and vga[40].tolist() == [255, 0, 0] and len(vga) == 256
    assert vga[20].tolist() == [56, 56, 56]
    assert machine("nes-2c03").fixed[0x21].tolist() == [109, 182, 255]  # octal 357


def test_the_boot_roms_colours():
    boot = [m for m in MACHINES if m.id.startswith("gb-color-")]
    assert len(boot) == 51
    up = machine("gb-color-up").fixed
    assert [bytes(c.tolist()).hex() for c in up] == ["ffffff", "ffad63", "843100", "000000"]
    left = {bytes(c.tolist()).hex() for c in machine("gb-color-left").fixed}
    assert {"63a5ff", "0000ff", "ff8484", "943a3a", "7bff31", "008400"} <= left
    assert [bytes(c.tolist()).hex() for c in machine("gb-color-right-b").fixed] == [
        "000000", "008484", "ffde00", "ffffff",
    ]  # fmt: skip
    assert all(4 <= len(m.fixed) <= 12 for m in boot)


def test_corrected_screens():
    black_white = np.array([[0, 0, 0], [255, 255, 255]], np.uint8)
    assert raw_to_screen(black_white, "gbc-lcd").tolist() == [[0, 0, 0], [240, 240, 240]]
    dark = raw_to_screen(black_white, "gba-lcd")
    assert dark[0].tolist() == [0, 0, 0] and (dark[1] > 225).all()
    middle = raw_to_screen(np.array([[128, 128, 128]], np.uint8), "gba-lcd")
    assert middle.max() < 100  # the first model's screen was dark
    with pytest.raises(OptionError, match="32768"):
        machine("snes").palette()


def test_the_computed_composite_palette_is_plausible():
    colors = nes_composite().astype(int)
    table = machine("nes").fixed.astype(int)
    assert colors[0x0D:0x10].max() == 0 and colors[0x20].min() > 245
    for row in (0x10, 0x20):
        for hue, channel in ((0x2, 2), (0x6, 0), (0xA, 1)):  # blue, red, green
            assert colors[row + hue].argmax() == channel == table[row + hue].argmax()
    assert np.abs(colors - table).mean() < 25
    red = nes_composite(emphasis=1).astype(int)
    assert red[0x20, 0] > red[0x20, 1] and red[0x20, 0] > red[0x20, 2]


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("nes", (240, 256)), ("nes-yuv", (32, 32)), ("nes-classic", (48, 64)), ("gb", (144, 160)),
        ("gb-pocket", (16, 16)), ("c64", (200, 160)), ("pico-8", (128, 128)), ("cga", (32, 32)),
        ("mega-drive-measured", (64, 64)), ("zx-spectrum", (192, 256)), ("msx", (32, 32)),
        ("gba-lcd", (160, 240)), ("vga-default", (64, 64)),
    ],
)  # fmt: skip
def test_images_drawn_with_a_machine_are_recognised(name, shape):
    colors = all_colors(name)
    colors = colors[np.random.default_rng(2).permutation(len(colors))[:24]]
    best = detect(drawn_with(colors, shape))[0]
    assert best.fits and best.machine.id == name
    assert any("colours are among" in reason for reason in best.reasons)


def test_five_bits_come_before_six():
    names = [m.machine.id for m in detect(drawn_with(all_colors("snes")[::500]))]
    assert names[0] in ("snes", "gba", "gbc") and "vga" not in names[:3]


def test_enlarged_screens_and_free_colours():
    best = detect(drawn_with(machine("gb").fixed, (144, 160), scale=3))[0]
    assert best.machine.id == "gb" and any("enlarged x3" in r for r in best.reasons)
    free = np.random.default_rng(0).integers(0, 256, (200, 3), np.uint8)
    assert not any(m.fits for m in detect(drawn_with(free)))
    own = detect(drawn_with(np.array([[250, 240, 241], [181, 133, 140], [99, 51, 67], [31, 13, 17]], np.uint8),
                            (144, 160)))  # fmt: skip
    assert "own palette" in own[0].machine.title
    assert detect(Pixels(np.zeros((4, 4, 4), np.uint8))) == []


def test_reasons_against():
    colors = machine("nes").fixed
    crowded = detect(drawn_with(np.unique(colors, axis=0), (64, 64)))
    nes = next(m for m in crowded if m.machine.id == "nes")
    assert any("at once" in a for a in nes.against) and any(
        "tiles have more" in a for a in nes.against
    )


@pytest.mark.parametrize("scale", [1, 2, 3, 5])
def test_whole_scale(scale):
    assert whole_scale(drawn_with(machine("pico-8").fixed, (11, 13), scale=scale).rgba) == scale


def test_snapping_and_fitting_for_a_machine():
    rgb = np.random.default_rng(3).integers(0, 256, (300, 3), np.uint8)
    for name in ("mega-drive", "gba-lcd", "nes", "gbc"):
        entry = machine(name)
        snapped = snap(rgb, entry)
        assert contains(entry, snapped).all()
        assert np.array_equal(snap(snapped, entry), snapped)
    fitted = palette_for(machine("mega-drive"), drawn_with(rgb).rgba, 15)
    assert len(fitted) <= 15 and contains(machine("mega-drive"), fitted.colors[:, :3]).all()
    assert len(palette_for(machine("nes"), drawn_with(rgb).rgba)) == 64
    assert len(color_codes("gba-lcd")) < 32768


# the command


def run(*args: str) -> str:
    result = CliRunner().invoke(command, list(args), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_detect_command(tmp_path):
    path = tmp_path / "a.png"
    write_png(path, drawn_with(machine("pico-8").fixed).rgba)
    assert "pico-8" in run("detect", str(path)) and "+ all 16 colours" in run("detect", str(path))
    found = json.loads(run("detect", "--json", str(path)))[str(path)][0]
    assert found["machine"] == "pico-8" and found["fits"] and found["source"]


def test_convert_extract_and_show(tmp_path):
    gpl, act, png = (str(tmp_path / name) for name in ("p.gpl", "p.act", "p.png"))
    run("convert", "c64", gpl)
    run("convert", gpl, act)
    assert np.array_equal(read_palette(act).colors, machine("c64").palette().colors)
    run("show", gpl, "-o", png)
    assert read_image(png)[0].rgba.shape[0] > 100
    shown = run("show", gpl)
    assert "#68372b" in shown and "16 colours" in shown
    assert json.loads(run("show", gpl, "--json"))["colors"][2]["hex"] == "68372b"
    write_png(tmp_path / "i.png", drawn_with(machine("gb").fixed).rgba)
    run("extract", str(tmp_path / "i.png"), str(tmp_path / "x.hex"))
    assert len(read_palette(tmp_path / "x.hex")) == 4
    run(
        "extract",
        str(tmp_path / "i.png"),
        str(tmp_path / "y.gpl"),
        "--machine",
        "snes",
        "--colors",
        "4",
    )
    assert contains(machine("snes"), read_palette(tmp_path / "y.gpl").colors[:, :3]).all()
    assert "mega-drive-measured" in run("machines")


def test_wrong_words(tmp_path):
    for args in (
        ["show", "nonsense"],
        ["convert", "c64", str(tmp_path / "p.xyz")],
        ["show", "snes"],
    ):
        with pytest.raises(SpritefaceError) as caught:
            CliRunner().invoke(command, args, catch_exceptions=False)
        assert caught.value.hint and caught.value.exit_code == 2
