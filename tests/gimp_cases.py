"""Cases that run inside a real GIMP, through python-fu-eval; test_gimp.py starts it.

Each case calls the plug-in's procedures through the procedure database, as a script would, and
looks at what became of the images. The verdict goes to a JSON file: {case: "" or what was wrong}.
`HERE` (a folder) is set by whoever executes this.
"""

import json
import os
import shutil
import time
import traceback

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
gi.require_version("Babl", "0.1")
from gi.repository import Babl, Gegl, Gimp, GLib  # noqa: E402

HERE = os.environ.get("SPRITEFACE_CASES", "/tmp")
with open(f"{HERE}/setup.json", encoding="utf-8") as file:
    SETUP = json.load(file)
with open(f"{HERE}/sprite.rgba", "rb") as file:
    SPRITE = file.read()
W, H = SETUP["width"], SETUP["height"]
X, Y = 3, 2  # where the layer lies in its image: offsets are to be respected
RGBA = "R'G'B'A u8"
NONE = Gegl.AbyssPolicy.NONE
BASE = Gimp.ImageBaseType
STATUS = Gimp.PDBStatusType
CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def cases(names, make):
    for name in names:
        CASES[f"{make.__name__}[{name}]"] = lambda name=name: make(*name.split("-"))


def check(condition, *said):
    if not condition:
        raise AssertionError(" ".join(map(str, said)))


# --- images


def rect(x, y, w, h):
    return Gegl.Rectangle.new(x, y, w, h)


def put(drawable, encoding, data, box=None):
    buffer = drawable.get_buffer()
    box = box or rect(0, 0, drawable.get_width(), drawable.get_height())
    buffer.set(box, encoding, data)
    buffer.flush()
    drawable.update(box.x, box.y, box.width, box.height)


def pixels(drawable, encoding=RGBA):
    box = rect(0, 0, drawable.get_width(), drawable.get_height())
    return bytes(drawable.get_buffer().get(box, 1.0, encoding, NONE))


def color(red, green, blue):
    entry = Gegl.Color.new("black")
    entry.set_bytes(Babl.format("R'G'B' u8"), GLib.Bytes.new(bytes([red, green, blue])))
    return entry


def opaque(data):
    out = bytearray(data)
    out[3::4] = b"\xff" * (len(data) // 4)
    return bytes(out)


def distinct(data):
    return list(dict.fromkeys(data[i : i + 3] for i in range(0, len(data), 4) if data[i + 3]))


def palette_of(colors, name="case"):
    palette = Gimp.Palette.new(name)
    for number, entry in enumerate(colors):
        palette.add_entry(str(number), color(*entry))
    return palette


def sprite_image(mode):
    """The sprite as an image of a mode; its layer lies at (X, Y)."""
    size = W + 8, H + 6
    base = {"gray": BASE.GRAY, "indexed": BASE.INDEXED}.get(mode, BASE.RGB)
    if mode == "float":
        image = Gimp.Image.new_with_precision(*size, base, Gimp.Precision.FLOAT_LINEAR)
    else:
        image = Gimp.Image.new(*size, base)
    kind = {
        "rgb": Gimp.ImageType.RGB_IMAGE,
        "gray": Gimp.ImageType.GRAYA_IMAGE,
        "indexed": Gimp.ImageType.INDEXEDA_IMAGE,
    }.get(mode, Gimp.ImageType.RGBA_IMAGE)
    layer = Gimp.Layer.new(image, "sprite", W, H, kind, 100.0, Gimp.LayerMode.NORMAL)
    if mode == "indexed":
        image.set_palette(palette_of(TABLE))
    image.insert_layer(layer, None, 0)
    layer.set_offsets(X, Y)
    if mode == "indexed":
        data = bytearray()
        for i in range(0, len(SPRITE), 4):
            # the last of two equal colours: only the index itself tells them apart
            seen = SPRITE[i + 3] > 0
            data += bytes([LAST[SPRITE[i : i + 3]] if seen else 0, 255 if seen else 0])
        put(layer, Babl.get_name(layer.get_format()), bytes(data))
    elif mode == "gray":
        put(layer, RGBA, SPRITE)
    else:
        put(layer, RGBA, SPRITE if mode != "rgb" else opaque(SPRITE))
    return image, layer


COLORS = distinct(SPRITE)
TABLE = [COLORS[0], *reversed(COLORS)]  # an order of the artist's own, one colour twice
LAST = {entry: number for number, entry in enumerate(TABLE)}


def state_of(image):
    """All that a well-behaved plug-in leaves alone."""

    def of(item):
        inner = [of(child) for child in item.get_children()] if item.is_group() else []
        return (
            item.get_name(),
            pixels(item, None) if not item.is_group() else b"",
            tuple(item.get_offsets()),
            pixels(item.get_mask(), None) if item.get_mask() else None,
            inner,
        )

    table = [bytes(c.get_bytes(Babl.format("R'G'B' u8")).get_data()) for c in colors_of(image)]
    return {
        "layers": [of(layer) for layer in image.get_layers()],
        "size": (image.get_width(), image.get_height()),
        "type": (image.get_base_type(), image.get_precision()),
        "selection": pixels(image.get_selection(), "Y u8"),
        "selected": [layer.get_name() for layer in image.get_selected_layers()],
        "colors": table,
    }


def colors_of(image):
    if image.get_base_type() != BASE.INDEXED:
        return []
    return image.get_palette().get_colors()


# --- calls


def call(name, image, *drawables, mode=Gimp.RunMode.NONINTERACTIVE, **values):
    """The status and return values of a procedure."""
    procedure = Gimp.get_pdb().lookup_procedure(name)
    check(procedure is not None, name, "is not registered")
    config = procedure.create_config()
    config.set_property("run-mode", mode)
    config.set_property("image", image)
    config.set_core_object_array("drawables", list(drawables))
    for key, value in values.items():
        config.set_property(key.replace("_", "-"), value)
    result = procedure.run(config)
    return [result.index(i) for i in range(result.length())]


def done(name, image, *drawables, **values):
    """As `call`, but it must succeed; without the status."""
    status, *rest = call(name, image, *drawables, **values)
    check(status == STATUS.SUCCESS, status.value_nick, *rest)
    return rest


def fails(said, name, image, *drawables, status=STATUS.EXECUTION_ERROR, **values):
    got, *rest = call(name, image, *drawables, **values)
    check(got == status, "status is", got.value_nick, rest)
    for words in [said] if isinstance(said, str) else said:
        check(words in str(rest[0]), repr(rest[0]), "does not say", repr(words))


def quick(**values):
    """Options for a small portrait of the whole selection."""
    return {"size": 64, "steps": 1, "detector": "whole", **values}


# --- what is taken: restoring to the sprite's own colours must give the sprite back


def regions(image, layer, region):
    """(drawable, expected pixels, width, height): of the sprite as it is in that region."""
    data = opaque(SPRITE) if not layer.has_alpha() else SPRITE
    if image.get_base_type() == BASE.GRAY:
        data = pixels(layer)
    if region == "whole":
        return layer, data, W, H
    if region in ("rectangle", "floating"):
        x, y, w, h = W // 4, H // 4, W // 2, H // 2
        image.select_rectangle(Gimp.ChannelOps.REPLACE, X + x, Y + y, w, h)
        rows = [data[4 * (W * (y + r) + x) :][: 4 * w] for r in range(h)]
        if region == "rectangle":
            return layer, b"".join(rows), w, h
        Gimp.edit_copy([layer])
        [floating] = Gimp.edit_paste(layer, False)
        check(floating.is_floating_sel(), "not floating")
        return floating, b"".join(rows), w, h
    if region == "shape":
        image.select_ellipse(Gimp.ChannelOps.REPLACE, X, Y, W, H)
        sel = bytes(image.get_selection().get_buffer().get(rect(X, Y, W, H), 1.0, "Y u8", NONE))
        return layer, times(data, sel), W, H
    if region == "mask":
        mask = layer.create_mask(Gimp.AddMaskType.WHITE)
        layer.add_mask(mask)
        shown = b"\xff" * (W * (H - 4)) + b"\0" * (W * 4)
        put(mask, "Y u8", shown)
        return layer, times(data, shown), W, H
    if region == "group":
        group = Gimp.GroupLayer.new(image, "group")
        image.insert_layer(group, None, 0)
        image.reorder_item(layer, group, 0)
        return group, data, W, H
    if region == "filter":
        effect = Gimp.DrawableFilter.new(layer, "gegl:invert-gamma", "inverted")
        layer.append_filter(effect)
        flipped = bytearray(255 - value for value in data)
        flipped[3::4] = data[3::4]
        return layer, bytes(flipped), W, H
    raise AssertionError(region)


def times(data, mask):
    out = bytearray(data)
    out[3::4] = bytes((a * m + 127) // 255 for a, m in zip(data[3::4], mask))
    return bytes(out)


def taken(mode, region):
    image, layer = sprite_image(mode)
    drawable, expected, w, h = regions(image, layer, region)
    before = state_of(image)
    seen = distinct(expected)
    result, _ = done("spriteface-restore", image, drawable, palette=palette_of(seen, "own"))
    check(state_of(image) == before, "the image was changed")
    [got] = result.get_layers()
    check((got.get_width(), got.get_height()) == (w, h), got.get_width(), got.get_height())
    check(result.get_base_type() == BASE.INDEXED)
    table = [bytes(c.get_bytes(Babl.format("R'G'B' u8")).get_data()) for c in colors_of(result)]
    check(table == [bytes(entry) for entry in seen], "other colours or another order")
    out = pixels(got)
    wrong = 0
    for i in range(0, len(out), 4):
        hidden = expected[i + 3] < 128
        same = out[i + 3] == 0 if hidden else out[i : i + 3] == expected[i : i + 3]
        wrong += not same
    check(wrong == 0, wrong, "of", w * h, "pixels are not those of the sprite")


MODES = ("rgb", "rgba", "gray", "indexed", "float")
cases(
    [
        f"{mode}-{region}"
        for mode in MODES
        for region in ("whole", "rectangle", "shape", "mask", "group", "floating", "filter")
        if (mode, region) != ("indexed", "filter")  # GIMP itself has none there
    ],
    taken,
)


# --- portraits


def portrait(mode, output, region="whole"):
    image, layer = sprite_image(mode)
    drawable, *_ = regions(image, layer, region)
    before = state_of(image)
    values = quick(output=output.replace("_", "-"))
    result, report = done("spriteface-portrait", image, drawable, **values)
    [made] = json.loads(report)["portraits"]
    check(made["seed"] == 0 and made["generator"], report)
    check(result.get_parasite("spriteface-portrait") is not None, "no parasite")
    own = result.get_id() == image.get_id()
    check(own == (output in ("layer", "canvas")), "the wrong image was returned")
    if not own:
        check(state_of(image) == before, "the original was changed")
        [new] = result.get_layers()
        check((new.get_width(), new.get_height()) == (64, 64))
        check(len(distinct(pixels(new))) > 3, "an empty picture")
        wanted = BASE.INDEXED if output == "palette" else BASE.RGB
        check(result.get_base_type() == wanted)
        if output == "palette" and mode == "indexed":
            check(state_of(result)["colors"] == before["colors"], "another palette")
        return
    after = state_of(image)
    new = image.get_layers()[0]
    check(after["type"] == before["type"], "the image's type changed")
    check(after["colors"] == before["colors"], "the palette changed")
    check(len(distinct(pixels(new))) > 1, "an empty picture")
    if region != "floating":
        check(after["layers"][1:] == before["layers"], "other layers were changed")
        check(after["selected"] == before["selected"], "another layer is selected")
    else:
        check(image.get_floating_sel() is None, "still floating")
    if output == "canvas":
        check(after["size"] == (before["size"][0] + 64, max(before["size"][1], 64)))
        check(tuple(new.get_offsets())[1:] == (before["size"][0], 0), new.get_offsets())
    else:
        check(after["size"] == before["size"], "the canvas changed")


OUTPUTS = ("new_image", "layer", "canvas", "palette")
REGIONS = ("new_image-shape", "new_image-mask", "layer-rectangle", "layer-group", "layer-floating")
cases([f"{mode}-{output}" for mode in MODES for output in OUTPUTS], portrait)
cases([f"rgba-{region}" for region in REGIONS], portrait)


@case
def several_candidates_become_layers():
    image, layer = sprite_image("rgba")
    result, report = done("spriteface-portrait", image, layer, **quick(candidates=2, matte=True))
    check(len(result.get_layers()) == 2)
    check(len({layer.get_name() for layer in result.get_layers()}) == 2)
    check(len(json.loads(report)["portraits"]) == 2)


@case
def the_face_is_looked_for():
    image, layer = sprite_image("rgba")
    _, report = done("spriteface-portrait", image, layer, size=64, steps=1)
    [made] = json.loads(report)["portraits"]
    check(made["face"]["detector"] != "whole", made["face"])


@case
def again_with_last_values():
    image, layer = sprite_image("rgba")
    again = Gimp.RunMode.WITH_LAST_VALS
    result, _ = done("spriteface-restore", image, layer, mode=again)
    check(result.get_width() == W)
    result, _ = done("spriteface-restore", image, layer, mode=again)
    check(result.get_width() == W)


@case
def restore_at_another_size_with_dither():
    image, layer = sprite_image("indexed")
    values = {"width": 2 * W, "height": 2 * H, "dither": "bayer", "colors": "image"}
    result, _ = done("spriteface-restore", image, layer, **values)
    check(result.get_width() == 2 * W)
    check(state_of(result)["colors"] == state_of(image)["colors"], "another palette")


# --- faces


def found(mode, output):
    image, layer = sprite_image(mode)
    before = state_of(image)
    [report] = done("spriteface-find-faces", image, layer, output=output)
    faces = json.loads(report)["faces"]
    check(len(faces) == 1, len(faces), "faces")
    x, y, w, h = faces[0]["crop"]
    check(X <= faces[0]["box"][0] <= X + W, faces)
    after = state_of(image)
    if output == "path":
        [path] = image.get_paths()
        check(len(path.get_strokes()) == 1)
    elif output == "guides":
        guides, guide = 0, image.find_next_guide(0)
        while guide:
            guides, guide = guides + 1, image.find_next_guide(guide)
        check(guides == 4, guides)
    if output != "layers":
        check(after == before, "pixels were changed")
        return
    new = image.get_layers()[0]
    check(new.get_name().startswith("face 1"), new.get_name())
    check((new.get_width(), new.get_height()) == (w, h))
    check(tuple(new.get_offsets())[1:] == (x, y))
    check(after["layers"][1:] == before["layers"], "other layers were changed")
    inner = x - X, y - Y
    for row in range(0, h, 3):  # the very pixels of the sprite
        for column in range(0, w, 3):
            sx, sy = column + inner[0], row + inner[1]
            if not (0 <= sx < W and 0 <= sy < H) or not SPRITE[4 * (sy * W + sx) + 3]:
                continue
            at = 4 * (row * w + column)
            own = pixels(new)[at : at + 3]
            check(own == SPRITE[4 * (sy * W + sx) :][:3] or mode == "gray", row, column)


cases(
    [f"{m}-{o}" for m in ("rgba", "indexed", "float") for o in ("path", "guides", "layers")], found
)


@case
def no_face_is_no_error():
    image = Gimp.Image.new(20, 20, BASE.RGB)
    kind = Gimp.ImageType.RGB_IMAGE
    layer = Gimp.Layer.new(image, "flat", 20, 20, kind, 100.0, Gimp.LayerMode.NORMAL)
    image.insert_layer(layer, None, 0)
    put(layer, "R'G'B' u8", b"\x40\x50\x60" * 400)
    [report] = done("spriteface-find-faces", image, layer)
    check(json.loads(report) == {"faces": []}, report)
    fails("no face", "spriteface-portrait", image, layer)


# --- what cannot be done


def bad(name, value, said):
    image, layer = sprite_image("rgba")
    before = state_of(image)
    try:
        number = float(value) if "." in value else int(value)
    except ValueError:
        number = value
    error = STATUS.CALLING_ERROR
    fails([name, said], "spriteface-portrait", image, layer, status=error, **{name: number})
    check(state_of(image) == before, "the image was changed")


cases(
    [
        "size-63-64 and 4096",
        "size-4097-64 and 4096",
        "candidates-0-1 and 16",
        "candidates-17-1 and 16",
        "faithful-1.5-0 and 1",
        "output-nowhere-canvas",
        "quality-best-studio",
        "detector-nobody-whole",
        "dither-some-atkinson",
        "faces-none-best",
    ],
    bad,
)


@case
def an_unknown_generator():
    image, layer = sprite_image("rgba")
    fails(["nobody", "Log:"], "spriteface-portrait", image, layer, **quick(generator="nobody"))
    fails("no name", "spriteface-portrait", image, layer, **quick(generator="/etc/passwd"))


@case
def several_layers():
    image, layer = sprite_image("rgba")
    other = layer.copy()
    image.insert_layer(other, None, 0)
    error = STATUS.CALLING_ERROR
    fails("Select one layer", "spriteface-portrait", image, layer, other, status=error)


@case
def a_selection_beside_the_layer():
    image, layer = sprite_image("rgba")
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 2, 1)
    fails("outside the layer", "spriteface-portrait", image, layer)


@case
def nothing_visible():
    image, layer = sprite_image("rgba")
    put(layer, RGBA, bytes(4 * W * H))
    fails("transparent", "spriteface-portrait", image, layer)


@case
def too_many_colours_for_a_palette():
    image = Gimp.Image.new(64, 64, BASE.RGB)
    kind = Gimp.ImageType.RGB_IMAGE
    layer = Gimp.Layer.new(image, "many", 64, 64, kind, 100.0, Gimp.LayerMode.NORMAL)
    image.insert_layer(layer, None, 0)
    put(layer, "R'G'B' u8", bytes(v for i in range(4096) for v in (i % 64 * 4, i // 64 * 4, 90)))
    fails("Convert the image to indexed", "spriteface-portrait", image, layer,
          **quick(output="palette"))  # fmt: skip


@case
def no_colour_map():
    image, layer = sprite_image("rgba")
    error = STATUS.CALLING_ERROR
    fails("no colour map", "spriteface-restore", image, layer, colors="image", status=error)


# --- the way to the engine

FOLDER = SETUP["plugin"]


class Replaced:
    """A file of the plug-in with other contents for a while; None: absent."""

    def __init__(self, name, change):
        self.path = f"{FOLDER}/{name}"
        with open(self.path, encoding="utf-8") as file:
            self.old = file.read()
        self.new = change(self.old)

    def __enter__(self):
        os.remove(self.path)
        if self.new is not None:
            self.write(self.new)

    def __exit__(self, *error):
        self.write(self.old)

    def write(self, text):
        # Python tells a changed module by its size and second: too coarse for us
        shutil.rmtree(f"{FOLDER}/spriteface_bridge/__pycache__", ignore_errors=True)
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)


def launch_with(**changes):
    return lambda old: json.dumps({**json.loads(old), **changes})


@case
def the_engine_is_absent_and_does_not_start():
    image, layer = sprite_image("rgba")
    command = ["/bin/sh", "-c", "echo the reason is given >&2; exit 3"]
    with Replaced("engine.json", launch_with(state="/nowhere/engine.json", command=command)):
        fails(["the reason is given", "doctor", "Log:"], "spriteface-portrait", image, layer)
    with Replaced("engine.json", launch_with(state="/nowhere", command=["/no/such/python"])):
        fails(["does not start", "doctor", "Log:"], "spriteface-portrait", image, layer)


@case
def the_engine_crashed_and_left_its_file():
    image, layer = sprite_image("rgba")
    with open(f"{HERE}/stale.json", "w", encoding="utf-8") as file:
        json.dump({"port": 1, "token": "x", "protocol": 1}, file)
    with Replaced("engine.json", launch_with(state=f"{HERE}/stale.json", command=["/bin/false"])):
        fails(["does not start", "doctor"], "spriteface-portrait", image, layer)


@case
def the_launch_file_is_missing():
    image, layer = sprite_image("rgba")
    with Replaced("engine.json", lambda old: None):
        fails("install-plugins", "spriteface-portrait", image, layer)
    with Replaced("engine.json", lambda old: "{"):
        fails("install-plugins", "spriteface-portrait", image, layer)


@case
def another_version_of_the_protocol():
    image, layer = sprite_image("rgba")
    with Replaced(
        "spriteface_bridge/wire.py", lambda old: old.replace("PROTOCOL = 1", "PROTOCOL = 2")
    ):
        fails(["protocol 1", "protocol 2", "update"], "spriteface-portrait", image, layer)
    done("spriteface-restore", image, layer)


@case
def stopped_by_gimp():
    """GIMP stops a plug-in by killing it; whoever started us does that to ours now."""
    image, layer = sprite_image("rgba")
    before = state_of(image)
    with open(f"{HERE}/kill-me", "w", encoding="utf-8"):
        pass
    status, *rest = call("spriteface-portrait", image, layer, size=1024, candidates=16,
                         detector="whole", output="layer")  # fmt: skip
    check(status != STATUS.SUCCESS, status.value_nick, rest)
    check(state_of(image) == before, "half a change was left")
    check(not os.path.exists(f"{HERE}/kill-me"), "it ended before it was killed")
    done("spriteface-restore", image, layer)


@case
def every_option_is_an_argument():
    pdb = Gimp.get_pdb()
    wanted = {"size", "seed", "candidates", "faithful", "matte", "output", "faces", "detector"}
    wanted |= {"quality", "dither", "palette-size", "steps", "generator"}
    names = {a.name for a in pdb.lookup_procedure("spriteface-portrait").get_arguments()}
    check(wanted <= names, wanted - names)
    for name in ("spriteface-portrait", "spriteface-find-faces", "spriteface-restore"):
        procedure = pdb.lookup_procedure(name)
        check(procedure.get_menu_paths() == ["<Image>/Filters/Spriteface"])
        check(procedure.get_image_types() == "*")


def main():
    verdict = {"gimp": Gimp.version(), "cases": {}, "seconds": {}}
    only = SETUP.get("only", "")
    for name, run in CASES.items():
        if only and only not in name:
            continue
        began = time.monotonic()
        try:
            run()
            verdict["cases"][name] = ""
        except Exception:
            verdict["cases"][name] = traceback.format_exc()
        verdict["seconds"][name] = round(time.monotonic() - began, 3)
        for image in Gimp.get_images():
            image.delete()
    with open(f"{HERE}/verdict.json", "w", encoding="utf-8") as file:
        json.dump(verdict, file, indent=1)


main()
