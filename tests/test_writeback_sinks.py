"""Sinks: the portrait in its place, and everything around it as it was."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from spriteface.cli.place import place as place_command
from spriteface.cli.restore import restore as restore_command
from spriteface.errors import InputError, OptionError, SpritefaceError
from spriteface.files import read_aseprite, read_image, write_png
from spriteface.files.aseprite import new_sprite, render_frame, write_aseprite
from spriteface.files.aseprite.write import NewLayer
from spriteface.palette.hardware import machine
from spriteface.types import Box, Face, Frame, Palette, Pixels, Portrait, Source
from spriteface.writeback import save_portrait, save_sidecar, with_sprite_outline
from spriteface.writeback.composite import composite, over, without_head
from spriteface.writeback.enlarge import edge2x, enlarge, scale2x, scale3x
from spriteface.writeback.layered import (
    write_aseprite_layer,
    write_layered_aseprite,
    write_openraster,
)
from spriteface.writeback.load import load_portrait
from spriteface.writeback.packs import (
    MesenPack,
    texture_name,
    tile_bytes,
    write_mesen,
    write_mesen_sprite,
    write_texture,
)
from spriteface.writeback.sinks import FileSink, open_sink, write_frame

CROP = Box(8, 0, 16, 16)
TABLE = Palette(
    np.array(
        [[0, 0, 0, 0], [20, 12, 28, 255], [210, 125, 44, 255], [222, 238, 214, 255]], np.uint8
    ),
    0,
)


def drawn(width: int = 32, height: int = 24) -> Pixels:
    """A figure with a round head at CROP and a body below it, on transparency."""
    y, x = np.mgrid[0:height, 0:width] + 0.5
    head = np.hypot(x - 16, y - 8) < 7
    body = (np.abs(x - 16) < 4) & (y > 12)
    indices = np.zeros((height, width), np.uint8)
    indices[body] = 1
    indices[head] = 2
    indices[7, 13] = indices[7, 18] = 3
    return Pixels(TABLE.colors[indices], indices, TABLE)


def portrait_for(pixels: Pixels, path: Path | None = None, *, matte: bool = True, crop: Box = CROP,
                 scale: float = 1.0) -> Portrait:  # fmt: skip
    frame = Frame(pixels, Source(path, "PNG"), (scale, scale))
    box = Box(crop.x + 3, crop.y + 3, 10, 10)
    face = Face(frame, box, Box(crop.x + 1, crop.y + 1, 14, 14), crop, pixels.crop(crop))
    y, x = np.mgrid[0:128, 0:128] + 0.5
    inside = np.hypot(x - 64, y - 60) < 44
    image = np.full((128, 128, 3), (90, 140, 200), np.uint8)
    image[inside] = 200, 140, 110
    alpha = np.where(inside, 255, 0).astype(np.uint8) if matte else None
    return Portrait(
        image, image[::8, ::8], face, 5, "head", "1.0", {}, 30.0, "area", 1.0, matte=alpha
    )


@pytest.fixture
def saved(tmp_path):
    """A sprite on disc and a portrait of it."""
    path = write_png(tmp_path / "hero.png", drawn())
    return path, portrait_for(drawn(), path)


# enlarging


@pytest.mark.parametrize("how", ["nearest", "scale2x", "xbr"])
@pytest.mark.parametrize("factor", [1, 2, 3, 4, 5, 6, 8, 12])
def test_enlarged_size_and_flat_areas(how, factor):
    rgba = np.zeros((7, 9, 4), np.uint8)
    rgba[2:5, 3:7] = [200, 30, 40, 255]
    seen = enlarge(rgba, factor, how=how)
    assert seen.shape == (7 * factor, 9 * factor, 4)
    middle = seen[3 * factor + factor // 2, 5 * factor]
    assert np.abs(middle.astype(int) - [200, 30, 40, 255]).max() <= 1
    assert seen[0, 0, 3] == 0


@pytest.mark.parametrize("scaler", [scale2x, scale3x])
def test_copying_filters_make_no_new_colours(scaler):
    rgba = np.random.default_rng(0).integers(0, 4, (12, 12, 1), np.uint8).repeat(4, 2) * 60
    known = {tuple(p) for p in rgba.reshape(-1, 4).tolist()}
    assert {tuple(p) for p in scaler(rgba).reshape(-1, 4).tolist()} <= known


def test_scale2x_on_the_published_example():
    """A corner between two equal neighbours is filled, a straight edge is left."""
    black, white = [0, 0, 0, 255], [255, 255, 255, 255]
    rgba = np.array([[white, black, black], [black, white, white], [black, white, white]], np.uint8)
    seen = scale2x(rgba)[..., 0] // 255
    assert seen[2:4, 2:4].tolist() == [[0, 1], [1, 1]]
    straight = np.array([[black] * 4, [white] * 4], np.uint8)
    assert np.array_equal(scale2x(straight), straight.repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("scaler", [scale2x, scale3x, edge2x])
def test_filters_treat_all_directions_alike(scaler, turns):
    rgba = np.random.default_rng(3).integers(0, 3, (9, 9, 1), np.uint8).repeat(4, 2) * 80
    rgba[..., 3] = 255
    assert np.array_equal(np.rot90(scaler(rgba), turns), scaler(np.rot90(rgba, turns)))


def test_the_edge_filter_smooths_a_diagonal():
    rgba = np.zeros((12, 12, 4), np.uint8)
    rgba[..., 3] = 255
    rgba[np.tri(12, dtype=bool)] = 255
    seen = edge2x(rgba)[..., 0]
    assert ((seen > 40) & (seen < 215)).any()
    assert np.array_equal(
        edge2x(rgba[:1, :1].repeat(4, 0).repeat(4, 1)), np.full((8, 8, 4), 255, np.uint8)
    )


def test_wrong_words_for_enlarging():
    with pytest.raises(OptionError, match="surround"):
        enlarge(np.zeros((2, 2, 4), np.uint8), 2, how="magic")
    with pytest.raises(OptionError, match="times"):
        enlarge(np.zeros((2, 2, 4), np.uint8), 0)


# in the frame


def test_the_surroundings_are_untouched():
    portrait = portrait_for(drawn())
    seen = composite([portrait], 8)
    plain = enlarge(drawn().rgba, 8)
    outside = np.ones(seen.shape[:2], bool)
    outside[: 16 * 8, 8 * 8 : 24 * 8] = False
    assert np.array_equal(seen[outside], plain[outside])
    assert seen[60, 128, :3].tolist() == [200, 140, 110]
    # the sprite's head is gone where the portrait's matte is empty
    assert plain[8, 128, 3] == 255 and seen[8, 128, 3] == 0


def test_no_fringe_of_the_portraits_background():
    seen = composite([portrait_for(drawn())], 6)
    edge = (seen[..., 3] > 0) & (seen[..., 3] < 255)
    assert edge.any()
    assert np.abs(seen[edge][:, 0].astype(int) - seen[edge][:, 2]).min() > 0
    assert (seen[edge][:, 0] > seen[edge][:, 2]).mean() > 0.95  # skin, not blue


def test_without_a_matte_the_sprites_outline_decides():
    seen = composite([portrait_for(drawn(), matte=False)], 8)
    assert seen[60, 128, 3] == 255 and seen[4, 70, 3] == 0
    assert ((seen[..., 3] > 0) & (seen[..., 3] < 255)).any()


def test_in_a_scene_the_background_fills_in():
    pixels = drawn()
    scene = pixels.rgba.copy()
    scene[scene[..., 3] == 0] = [60, 120, 60, 255]
    portrait = portrait_for(Pixels(scene))
    face = dataclasses.replace(portrait.face, pixels=pixels.crop(CROP))
    cleared = without_head(scene, face)
    assert (cleared[2:9, 10:22, :3] == [60, 120, 60]).all()
    seen = composite([dataclasses.replace(portrait, face=face)], 6)
    assert (seen[..., 3] == 255).all()
    assert seen[40, 96, :3].tolist() == [200, 140, 110]


@pytest.mark.parametrize("surround", ["nearest", "scale2x", "xbr"])
def test_a_key_colour_keeps_hard_edges(surround):
    pixels = drawn()
    keyed = pixels.rgba.copy()
    keyed[keyed[..., 3] == 0] = [255, 0, 255, 255]
    portrait = portrait_for(Pixels(keyed))
    face = dataclasses.replace(portrait.face, pixels=pixels.crop(CROP))
    seen = composite([dataclasses.replace(portrait, face=face)], 8, surround=surround)
    pinkish = (seen[..., 0] > 210) & (seen[..., 1] < 100) & (seen[..., 2] > 120)
    assert (seen[pinkish][:, :3] == [255, 0, 255]).all() and pinkish.any()


def test_all_poses_of_a_sheet(tmp_path):
    sheet = np.concatenate([drawn().rgba, drawn().rgba, drawn().rgba], axis=1)
    pixels = Pixels(sheet)
    portraits = [portrait_for(pixels, crop=Box(8 + 32 * i, 0, 16, 16)) for i in range(3)]
    path = write_frame(portraits, tmp_path / "sheet.png", factor=4)
    seen = read_image(path)[0].rgba
    assert seen.shape == (24 * 4, 96 * 4, 4)
    assert np.array_equal(seen[:, :128], seen[:, 128:256]) and np.array_equal(
        seen[:, :128], seen[:, 256:]
    )
    notes = json.loads(path.with_suffix(".json").read_text())
    assert [f["placed"] for f in notes["faces"]] == [[32 + 128 * i, 0, 64, 64] for i in range(3)]


def test_portraits_of_different_frames_are_refused():
    with pytest.raises(OptionError, match="different frames"):
        composite([portrait_for(drawn()), portrait_for(drawn(40, 24))], 4)
    with pytest.raises(OptionError, match="no portrait"):
        composite([], 4)


@pytest.mark.parametrize("surround", ["nearest", "scale2x"])
def test_an_indexed_frame_keeps_its_palette(tmp_path, saved, surround):
    path = tmp_path / "out.png"
    write_frame(
        [saved[1]], path, factor=4, surround=surround, palette=TABLE, dither="floyd-steinberg"
    )
    seen, _ = read_image(path)
    assert seen.palette == TABLE
    plain = enlarge(drawn().rgba, 4, how=surround)
    outside = np.ones(seen.rgba.shape[:2], bool)
    outside[:64, 32:96] = False
    assert np.array_equal(seen.rgba[outside], plain[outside])


def test_over_is_exact_where_nothing_lies():
    ground = np.random.default_rng(0).integers(0, 256, (4, 4, 4), np.uint8)
    clear = np.zeros((4, 4, 4), np.uint8)
    assert np.array_equal(over(ground, clear), ground)
    solid = clear.copy()
    solid[...] = [9, 8, 7, 255]
    assert np.array_equal(over(ground, solid), solid)


# layered


def test_openraster(tmp_path, saved):
    path = write_openraster([saved[1]], tmp_path / "a.ora", factor=4)
    with zipfile.ZipFile(path) as archive:
        first = archive.infolist()[0]
        assert first.filename == "mimetype" and first.compress_type == zipfile.ZIP_STORED
        assert archive.read("mimetype") == b"image/openraster"
        root = ElementTree.fromstring(archive.read("stack.xml"))
        assert (root.get("w"), root.get("h")) == ("128", "96")
        layers = list(root.iter("layer"))
        assert "imagined" in layers[0].get("name") and layers[-1].get("name") == "sprite"
        for layer in layers:
            with archive.open(layer.get("src")) as stream:
                Image.open(stream).load()
        with archive.open("mergedimage.png") as stream:
            merged = np.array(Image.open(stream))
        assert {"Thumbnails/thumbnail.png"} <= set(archive.namelist())
    assert np.array_equal(merged, composite([saved[1]], 4))
    again = write_openraster([saved[1]], tmp_path / "b.ora", factor=4)
    assert again.read_bytes() == path.read_bytes()


def test_a_layered_aseprite_file(tmp_path, saved):
    path = write_layered_aseprite([saved[1]], tmp_path / "a.aseprite", factor=4)
    sprite = read_aseprite(path)
    assert sprite.layers[0].name == "sprite" and "imagined" in sprite.layers[-1].name
    assert sprite.slices[0].name == "face" and sprite.slices[0].keys[0].box == Box(44, 12, 40, 40)
    seen = render_frame(sprite).rgba.astype(int)
    wanted = composite([saved[1]], 4).astype(int)
    assert np.abs(seen[..., 3] - wanted[..., 3]).max() <= 1


def test_a_layer_in_the_sprites_own_file(tmp_path):
    pixels = drawn()
    source = write_aseprite(
        new_sprite(32, 24, [NewLayer("hero", [pixels])], palette=TABLE, indexed=True),
        tmp_path / "h.aseprite",
    )
    before = source.read_bytes()
    portrait = portrait_for(read_image(source)[0], source)
    path = write_aseprite_layer([portrait], tmp_path / "out.aseprite")
    assert source.read_bytes() == before
    sprite = read_aseprite(path)
    assert [x.name for x in sprite.layers] == ["hero", "portrait (imagined)"]
    assert sprite.palette() == TABLE
    seen = read_image(path)[0]
    assert seen.indexed and np.array_equal(seen.rgba[..., 3], pixels.rgba[..., 3])


def test_a_png_becomes_a_small_layered_file(tmp_path, saved):
    sprite = read_aseprite(write_aseprite_layer([saved[1]], tmp_path / "o.aseprite"))
    assert (sprite.width, sprite.height, sprite.container.depth) == (32, 24, 8)
    assert sprite.slices[0].name == "face"


# textures and packs


@pytest.mark.parametrize(
    ("name", "emulator"),
    [
        ("tex1_64x64_m_f1e2d3c4b5a69788_0123456789abcdef_9.png", "Dolphin"),
        ("tex1_32x24_f1e2d3c4b5a69788_5.png", "Dolphin"),
        ("tex1_32x24_f1e2d3c4b5a69788_$_8_mip1.png", "Dolphin"),
        ("GAME TITLE#12ABCDEF#0#2_all.png", "GLideN64 / Rice"),
        ("GAME#12ABCDEF#2#1#89ABCDEF_ciByRGBA.png", "GLideN64 / Rice"),
        ("0123456789abcdef-fedcba9876543210-00005dd3.png", "PCSX2"),
        ("0123456789abcdef01234567.png", "PPSSPP"),
        ("1a2b3c4d.png", "hash"),
        ("hero.png", None),
        ("tex1_hero.png", None),
    ],
)
def test_texture_names(name, emulator):
    found = texture_name(Path(name))
    assert (found.emulator if found else None) == emulator


def test_a_texture_keeps_its_name_and_ratio(tmp_path):
    path = write_png(tmp_path / "tex1_32x24_f1e2d3c4b5a69788_5.png", drawn().rgba)
    portrait = portrait_for(drawn(), path)
    written = write_texture([portrait], tmp_path / "load", factor=4)
    assert written == tmp_path / "load" / path.name
    seen = read_image(written)[0].rgba
    assert seen.shape == (96, 128, 4) and seen[0, 0, 3] == 0
    plain = write_png(tmp_path / "hero.png", drawn().rgba)
    with pytest.raises(OptionError, match="hash"):
        write_texture([portrait_for(drawn(), plain)], tmp_path / "load")
    wrong = write_png(tmp_path / "tex1_50x50_f1e2d3c4b5a69788_5.png", drawn().rgba)
    with pytest.raises(OptionError, match="multiple"):
        write_texture([portrait_for(drawn(), wrong)], tmp_path / "load")


def make_pack(folder: Path, scale: int = 2) -> Path:
    folder.mkdir()
    write_png(folder / "Chr_0.png", enlarge(drawn().rgba, scale))
    write_png(folder / "Chr_1.png", enlarge(drawn().rgba, scale))
    (folder / "music.ogg").write_bytes(b"sound")
    (folder / "hires.txt").write_text(
        f"<ver>106\n<scale>{scale}\n<supportedRom>00ff\n<img>Chr_0.png\n<img>Chr_1.png\n"
        "<condition>walk,memoryCheckConstant,10,==,1\n"
        f"<tile>0,2E,FF16360F,{16},0,1,N\n[walk]<tile>1,2F,FF16360F,0,{32},1,N\n# a comment\n"
    )
    return folder


@pytest.mark.parametrize("factor", [1, 2])
def test_a_mesen_pack_is_copied_with_the_portrait(tmp_path, factor):
    pack = make_pack(tmp_path / "pack")
    portrait = portrait_for(drawn(), pack / "Chr_0.png", scale=2.0)
    hires = write_mesen([portrait], pack, tmp_path / "out", factor=factor)
    read = MesenPack.read(tmp_path / "out")
    assert hires.name == "hires.txt" and read.scale == 2 * factor and read.version == 106
    assert read.images == ("Chr_0.png", "Chr_1.png")
    assert f"<tile>0,2E,FF16360F,{16 * factor},0,1,N" in read.lines
    assert f"[walk]<tile>1,2F,FF16360F,0,{32 * factor},1,N" in read.lines
    assert "# a comment" in read.lines
    assert (tmp_path / "out" / "music.ogg").read_bytes() == b"sound"
    changed = read_image(tmp_path / "out" / "Chr_0.png")[0].rgba
    assert changed.shape == (48 * factor, 64 * factor, 4)
    assert changed[14 * factor, 32 * factor, :3].tolist() == [200, 140, 110]
    other = read_image(tmp_path / "out" / "Chr_1.png")[0].rgba
    if factor == 1:
        assert np.array_equal(other, read_image(pack / "Chr_1.png")[0].rgba)


def test_packs_that_cannot_be_used(tmp_path, saved):
    pack = make_pack(tmp_path / "pack")
    portrait = portrait_for(drawn(), pack / "Chr_0.png", scale=2.0)
    with pytest.raises(OptionError, match="exceeds"):
        write_mesen([portrait], pack, tmp_path / "out", factor=6)
    with pytest.raises(OptionError, match="overwrite"):
        write_mesen([portrait], pack, pack)
    with pytest.raises(OptionError, match="not an image of the pack"):
        write_mesen([saved[1]], pack, tmp_path / "out")
    with pytest.raises(InputError, match=r"hires\.txt"):
        MesenPack.read(tmp_path)
    with (pack / "hires.txt").open("a") as stream:
        stream.write("<background>Chr_1.png,1,0,0,10,8,8\n")
    with pytest.raises(InputError, match="offset"):
        write_mesen([portrait], pack, tmp_path / "out", factor=2)


def test_tile_bytes_are_two_planes():
    tile = np.zeros((8, 8), np.uint8)
    tile[0] = [0, 1, 2, 3, 0, 1, 2, 3]
    data = tile_bytes(tile)
    assert data[0] == 0b01010101 and data[8] == 0b00110011 and len(data) == 16


def test_a_mesen_pack_from_scratch(tmp_path):
    nes = machine("nes").palette()
    codes = [0x0F, 0x0F, 0x16, 0x30]
    colors = nes.colors[codes].copy()
    colors[0, 3] = 0
    table = Palette(colors, 0)
    old = drawn()
    pixels = Pixels(table.colors[old.indices], old.indices, table)
    write_mesen_sprite(portrait_for(pixels), tmp_path, scale=4)
    read = MesenPack.read(tmp_path)
    tiles = [line for line in read.lines if line.startswith("<tile>")]
    assert read.scale == 4 and len(tiles) == 4
    fields = tiles[0].removeprefix("<tile>").split(",")
    assert fields[0] == "0" and len(fields[1]) == 32 and fields[3:] == ["0", "0", "1", "N"]
    # black stands at several codes; white at 20 and 30
    assert (
        fields[2][:2] == "FF" and nes.colors[int(fields[2][4:6], 16)].tolist() == colors[2].tolist()
    )
    assert read_image(tmp_path / "portrait.png")[0].rgba.shape == (64, 64, 4)
    with pytest.raises(OptionError, match="grid"):
        write_mesen_sprite(portrait_for(pixels, crop=Box(7, 0, 16, 16)), tmp_path)
    with pytest.raises(OptionError, match="four colours"):
        write_mesen_sprite(portrait_for(Pixels(pixels.rgba)), tmp_path)


# sinks and commands


def test_file_sink_names_every_face(tmp_path, saved):
    sink = FileSink(tmp_path / "out")
    names = [sink.write(saved[1]).name for _ in range(3)]
    assert names == ["hero.png", "hero_2.png", "hero_3.png"]
    assert (tmp_path / "out" / "hero_2.json").is_file()


@pytest.mark.parametrize(
    ("kind", "name"), [("frame", "o.png"), ("ora", "o.ora"), ("aseprite", "o.aseprite")]
)
def test_collecting_sinks_write_at_the_end(tmp_path, saved, kind, name):
    with open_sink(kind, tmp_path / name, times=4) as sink:
        sink.write(saved[1])
        assert not (tmp_path / name).exists()
    assert sink.path == tmp_path / name and (tmp_path / name).exists()
    with pytest.raises(OptionError, match="known"):
        open_sink("cloud", tmp_path / "x")


def test_nothing_is_written_after_an_error(tmp_path, saved):
    def fails() -> None:
        with open_sink("frame", tmp_path / "o.png") as sink:
            sink.write(saved[1])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fails()
    assert not (tmp_path / "o.png").exists()


def run(command, *args: str) -> str:
    result = CliRunner().invoke(command, list(args), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_saved_portrait_loads_with_its_sprite(tmp_path, saved):
    path, portrait = saved
    file = save_portrait(portrait, tmp_path / "p.png")
    seen = load_portrait(file)
    assert seen.face.crop == CROP and seen.seed == 5
    assert np.array_equal(seen.matte, portrait.matte)
    assert np.array_equal(seen.face.frame.pixels.rgba, drawn().rgba)
    assert seen.face.frame.source.path == path
    # another program dropped the metadata: the sidecar helps
    Image.open(file).save(tmp_path / "q.png")
    with pytest.raises(InputError, match="which sprite"):
        load_portrait(tmp_path / "q.png")
    save_sidecar(portrait, tmp_path / "q.json")
    assert load_portrait(tmp_path / "q.png").face.crop == CROP
    path.unlink()
    with pytest.raises(InputError, match="--sprite"):
        load_portrait(file)


def test_restore_command(tmp_path, saved):
    file = save_portrait(saved[1], tmp_path / "p.png")
    out = run(restore_command, str(file), "--dither", "bayer4")
    seen, _ = read_image(tmp_path / "p_restored.png")
    assert "16x16, 4 colours" in out and seen.palette == TABLE
    assert np.array_equal(seen.rgba[..., 3], drawn().crop(CROP).rgba[..., 3])
    out = run(
        restore_command,
        str(file),
        "--times",
        "3",
        "--palette",
        "gb",
        "--limit",
        "8x8:2",
        "-o",
        str(tmp_path / "g.png"),
    )
    assert read_image(tmp_path / "g.png")[0].rgba.shape == (48, 48, 4) and "tiles" in out
    run(
        restore_command,
        str(file),
        "--palette",
        "snes",
        "--colors",
        "5",
        "--extra",
        "2",
        "-o",
        str(tmp_path / "s.png"),
    )
    plain = write_png(tmp_path / "plain.png", saved[1].image)
    run(
        restore_command,
        str(plain),
        "--palette",
        "nes",
        "--size",
        "24x20",
        "-o",
        str(tmp_path / "n.png"),
    )
    assert read_image(tmp_path / "n.png")[0].rgba.shape == (20, 24, 4)
    for args in (["--size", "8"], ["--palette", "nes"], ["--palette", "nes", "--size", "0"]):
        with pytest.raises(SpritefaceError) as caught:
            CliRunner().invoke(restore_command, [str(plain), *args], catch_exceptions=False)
        assert caught.value.hint or "negative" in caught.value.message


def test_a_portrait_along_the_sprites_outline(tmp_path, saved):
    seen = with_sprite_outline(saved[1])
    hard = (drawn().crop(CROP).rgba[..., 3] > 0).repeat(8, 0).repeat(8, 1)
    assert ((seen.matte >= 128) != hard).mean() < 0.03
    inside = seen.matte > 0
    assert (np.abs(seen.image[inside].astype(int) - [200, 140, 110]).max(axis=1) <= 1).all()
    scene = portrait_for(Pixels(np.full((24, 32, 4), 255, np.uint8)))
    assert with_sprite_outline(scene) is scene
    file = save_portrait(saved[1], tmp_path / "p.png")
    args = ["-o", str(tmp_path / "cut.png"), "--as", "portrait", "--outline", "sprite"]
    run(place_command, str(file), *args)
    assert np.array_equal(read_image(tmp_path / "cut.png")[0].rgba[..., 3], seen.matte)
    run(place_command, str(file), str(file), *args)
    assert (tmp_path / "cut_2.png").is_file()
    with pytest.raises(OptionError, match="outline"):
        CliRunner().invoke(
            place_command, [str(file), *args[:4], "--outline", "x"], catch_exceptions=False
        )


def test_place_command(tmp_path, saved):
    file = save_portrait(saved[1], tmp_path / "p.png")
    for name in ("o.png", "o.ora", "o.aseprite"):
        out = run(place_command, str(file), "-o", str(tmp_path / name), "--times", "4")
        assert "imagined" in out and (tmp_path / name).is_file()
    assert np.array_equal(read_image(tmp_path / "o.png")[0].rgba, composite([saved[1]], 4))
