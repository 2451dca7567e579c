#!/usr/bin/env python3
"""Filters > Spriteface: realistic portraits from tiny sprite faces, by the spriteface engine.

A thin client: it takes pixels from GIMP, sends them to the engine (spriteface serve, started when
absent) and puts the answer where the user wants it. Put in place by `spriteface install-plugins`;
`spriteface doctor` finds out why it is not in the menu. For GIMP 3.0 and later.
"""

import contextlib
import json
import sys
from pathlib import Path

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, GLib, GObject  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parent))
try:
    from spriteface_bridge import arguments, job, picture
    from spriteface_bridge.client import EngineError
except ModuleNotFoundError as error:
    sys.exit(f"spriteface-bridge: {error}. Run in a terminal: spriteface install-plugins")

MENU = "<Image>/Filters/Spriteface"


class Stopped(Exception):
    pass


class Bridge(Gimp.PlugIn):
    def do_set_i18n(self, name):
        return False

    def do_query_procedures(self):
        return list(PROCEDURES)

    def do_create_procedure(self, name):
        label, about, run, own = PROCEDURES[name]
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, guarded, run)
        procedure.set_image_types("*")
        one_or_more = Gimp.ProcedureSensitivityMask
        procedure.set_sensitivity_mask(one_or_more.DRAWABLE | one_or_more.DRAWABLES)
        procedure.set_menu_label(label)
        procedure.add_menu_path(MENU)
        procedure.set_documentation(about, f"{about}. See docs/gimp.md of spriteface.", name)
        procedure.set_attribution("The spriteface authors", "MIT licence", "2026")
        for argument in own:
            argument.declare(procedure)
        flags = GObject.ParamFlags.READWRITE
        if name == "spriteface-restore":
            procedure.add_palette_argument(
                "palette", "_Palette", "The colours", True, None, True, flags
            )
        if name != "spriteface-find-faces":
            procedure.add_image_return_value("result", "Result", "The new image", True, flags)
        procedure.add_string_return_value("report", "Report", "What was done, as JSON", "", flags)
        return procedure


def guarded(procedure, run_mode, image, drawables, config, run):
    """Whatever goes wrong becomes a message that says what to do; never half a change."""
    status = Gimp.PDBStatusType
    try:
        if len(drawables) != 1:
            raise arguments.BadArgument("Select one layer; several are selected.")
        own = PROCEDURES[procedure.get_name()][3]
        interactive = run_mode == Gimp.RunMode.INTERACTIVE
        if interactive:
            from spriteface_bridge import window

            extra = ["palette"] if procedure.get_name() == "spriteface-restore" else []
            if not window.ask(procedure, config, own, extra):
                raise Stopped
        options = arguments.read(config, own)
        work = Work(procedure, image, drawables[0], config, run_mode)
        result, report = run(work, options)
    except Stopped:
        return procedure.new_return_values(status.CANCEL, None)
    except arguments.BadArgument as error:
        return failed(procedure, status.CALLING_ERROR, str(error))
    except (EngineError, picture.Unusable) as error:
        return failed(procedure, status.EXECUTION_ERROR, str(error))
    values = procedure.new_return_values(status.SUCCESS, None)
    at = 1
    if procedure.get_name() != "spriteface-find-faces":
        values.remove(at)
        values.insert(at, GObject.Value(Gimp.Image, result))
        at += 1
    values.remove(at)
    values.insert(at, GObject.Value(GObject.TYPE_STRING, json.dumps(report)))
    return values


def failed(procedure, status, text):
    error = GLib.Error.new_literal(Gimp.PlugIn.error_quark(), text, 0)
    return procedure.new_return_values(status, error)


class Work:
    """What a procedure works on."""

    def __init__(self, procedure, image, drawable, config, run_mode):
        self.procedure, self.config, self.run_mode = procedure, config, run_mode
        self.image, self.drawable = image, drawable

    def engine(self, kind, images, options):
        """The results of a job. Raises Stopped where the user stopped it."""
        if self.run_mode != Gimp.RunMode.INTERACTIVE:
            return job.run_with_bar(kind, images, options)
        title = f"Spriteface: {self.procedure.get_menu_label().rstrip('.').replace('_', '')}"
        results = job.run_with_window(kind, images, options, title)
        if results is None:
            raise Stopped
        return results

    def show(self, image):
        image.undo_enable()
        if self.run_mode != Gimp.RunMode.NONINTERACTIVE:  # a person waits, Ctrl+F included
            with contextlib.suppress(TypeError):  # GIMP runs without windows: "returned NULL"
                Gimp.Display.new(image)

    def colors(self):
        """The colour map of an indexed image, else None."""
        if self.image.get_base_type() != Gimp.ImageBaseType.INDEXED:
            return None
        return picture.palette_colors(self.image.get_palette())

    def changes(self):
        return Changes(self.image)


class Changes:
    """One undo step around changes to the user's image; a floating selection becomes a layer
    first, as nothing can be put above one."""

    def __init__(self, image):
        self.image = image

    def __enter__(self):
        self.image.undo_group_start()
        floating = self.image.get_floating_sel()
        if floating is not None:
            Gimp.floating_sel_to_layer(floating)

    def __exit__(self, *error):
        self.image.undo_group_end()


def to_palette(work, image, colors, width, height, dither):
    """A picture (rgba8) in a palette of at most 256 colours, as index8.

    Where the palette has room, an extra colour stands for transparent; GIMP keeps that in alpha.
    """
    output = {"colors": [list(color) for color in colors], "dither": dither}
    if len(colors) < 256:
        output["colors"].append([0, 0, 0, 0])
        output["transparent"] = len(colors)
    output |= {"width": width, "height": height}
    [result] = work.engine("restore", [image], {"output": output})
    return next(i for i in result.images if i.name == "restored")


def portrait(work, options):
    colors = work.colors()
    taken = picture.take(work.image, work.drawable)
    wanted = {k: options[k] for k in ("size", "seed", "candidates", "faithful", "matte")}
    wanted |= {k: options[k] for k in ("quality", "steps", "generator")}
    extract = {"detector": options["detector"], "limit": 1 if options["faces"] == "best" else 0}
    results = work.engine("portrait", [taken.picture], {"portrait": wanted, "extract": extract})
    keep = ("face", "face_index", "candidate", "seed", "generator", "version", "lr_psnr_db")
    report = {
        "options": options,
        "portraits": [{k: r.header.get(k) for k in (*keep, "traits", "notes")} for r in results],
    }
    place = {
        "new-image": as_new_image,
        "layer": as_layer,
        "canvas": as_canvas,
        "palette": as_palette,
    }[options["output"]]
    image = place(work, options, taken, results, colors)
    remember(image, report)
    if image.get_id() != work.image.get_id():
        work.show(image)
    else:
        Gimp.displays_flush()
    return image, report


def the(result, name="portrait"):
    return next(image for image in result.images if image.name == name)


def named(result):
    number = f"{result.header['face_index'] + 1}.{result.header['candidate'] + 1}"
    return f"portrait {number} (seed {result.header['seed']})"


def remember(image, report):
    """What the portrait depends on, kept with the image: it can be made again."""
    data = json.dumps(report).encode()
    persistent = 1
    image.attach_parasite(Gimp.Parasite.new("spriteface-portrait", persistent, list(data)))


def as_new_image(work, options, taken, results, colors):
    size = options["size"]
    image = picture.new_image(size, size, "portrait")
    for result in results:
        picture.add_layer(image, the(result), named(result))
    return image


def as_layer(work, options, taken, results, colors):
    """Over each face, as large as the face is in this image."""
    placed = []
    for result in results:
        x, y, width, height = result.header["face"]["crop"]
        small = picture.scaled(the(result), width, height)
        if colors is not None:
            small = to_palette(work, small, colors, width, height, options["dither"])
        placed.append((small, named(result), taken.x + x, taken.y + y))
    put(work, placed)
    return work.image


def as_canvas(work, options, taken, results, colors):
    """Beside the sprite: the canvas grows to the right, the sprite stays where it is."""
    size, placed = options["size"], []
    left = work.image.get_width()
    for i, result in enumerate(results):
        whole = the(result)
        if colors is not None:
            whole = to_palette(work, whole, colors, size, size, options["dither"])
        placed.append((whole, named(result), left + i * size, 0))
    height = max(work.image.get_height(), size)
    put(work, placed, (left + len(results) * size, height))
    return work.image


def put(work, placed, canvas=None):
    with work.changes():
        if canvas:
            work.image.resize(*canvas, 0, 0)
        for small, name, x, y in placed:
            picture.add_layer(work.image, small, name, x, y)
        # the sprite stays selected, so that repeating the filter works on it again
        work.image.set_selected_layers([layer_of(work)])


def layer_of(work):
    """The drawable as a layer: a floating selection has become another item by now."""
    selected = work.image.get_selected_layers()
    return work.drawable if isinstance(work.drawable, Gimp.Layer) else selected[0]


def as_palette(work, options, taken, results, colors):
    """In the sprite's own colours: of the image's colour map, else those that the sprite uses."""
    colors = colors or used_colors(taken.picture)
    size = options["palette-size"] or options["size"]
    image = picture.new_indexed_image(size, size, colors, "portrait")
    for result in results:
        restored = to_palette(work, the(result), colors, size, size, options["dither"])
        picture.add_layer(image, restored, named(result))
    return image


def used_colors(image):
    """The opaque colours of a picture as they appear.

    Raises Unusable where they are too many for a palette.
    """
    data = image.data
    quads = (data[i : i + 4] for i in range(0, len(data), 4))
    colors = list(dict.fromkeys(quad[:3] for quad in quads if quad[3] > 127))
    if not 1 <= len(colors) <= 256:
        raise picture.Unusable(
            f"The sprite uses {len(colors)} colours, too many for a palette. "
            "Convert the image to indexed first, or choose another output."
        )
    return [(*color, 255) for color in colors]


def find_faces(work, options):
    taken = picture.take(work.image, work.drawable)
    extract = {"min_score": options["min-score"], "limit": options["limit"]}
    [result] = work.engine("find", [taken.picture], {"extract": extract})
    faces = result.header["faces"]
    for face in faces:
        for key in ("box", "head", "crop"):
            face[key] = [face[key][0] + taken.x, face[key][1] + taken.y, *face[key][2:]]
    if not faces:
        Gimp.message("Spriteface: no face found. Try a lower score, or select more closely.")
        return None, {"faces": []}
    mark = {"path": mark_path, "guides": mark_guides, "layers": mark_layers}[options["output"]]
    with work.changes():
        mark(work, faces)
    Gimp.displays_flush()
    return None, {"faces": faces}


def mark_path(work, faces):
    """One closed path, a stroke per head."""
    path = Gimp.Path.new(work.image, "Faces")
    work.image.insert_path(path, None, 0)
    for face in faces:
        x, y, w, h = face["head"]
        corners = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
        points = [number for corner in corners for number in corner * 3]
        path.stroke_new_from_points(Gimp.PathStrokeType.BEZIER, points, True)
    path.set_visible(True)


def mark_guides(work, faces):
    width, height = work.image.get_width(), work.image.get_height()
    for face in faces:
        x, y, w, h = face["head"]
        for across in (x, x + w):
            work.image.add_vguide(min(max(across, 0), width))
        for down in (y, y + h):
            work.image.add_hguide(min(max(down, 0), height))


def mark_layers(work, faces):
    """A copy of the layer per face, cut to it: its type, precision and mask stay."""
    _, left, top = work.drawable.get_offsets()
    for number, face in reversed(list(enumerate(faces, 1))):
        x, y, w, h = face["crop"]
        layer = Gimp.Layer.new_from_drawable(work.drawable, work.image)
        work.image.insert_layer(layer, None, 0)
        if isinstance(layer, Gimp.GroupLayer):
            layer = layer.merge()
        if not layer.has_alpha():
            layer.add_alpha()
        layer.resize(w, h, left - x, top - y)
        layer.set_name(f"face {number} ({face['score']:.2f})")


def restore(work, options):
    taken = picture.take(work.image, work.drawable)
    if options["colors"] == "image":
        colors = work.colors()
        if colors is None:
            raise arguments.BadArgument("colors: this image has no colour map of its own.")
    else:
        palette = work.config.get_property("palette") or Gimp.context_get_palette()
        colors = picture.palette_colors(palette)
    if not 1 <= len(colors) <= 256:
        raise arguments.BadArgument(f"palette: {len(colors)} colours are not 1 to 256.")
    width = options["width"] or taken.picture.width
    height = options["height"] or taken.picture.height
    restored = to_palette(work, taken.picture, colors, width, height, options["dither"])
    image = picture.new_indexed_image(width, height, colors, "restored")
    picture.add_layer(image, restored, work.drawable.get_name())
    work.show(image)
    return image, {"options": options, "colors": len(colors)}


PROCEDURES = {
    "spriteface-portrait": (
        "_Portrait of the selected face...",
        "Imagine the person behind a sprite's face, selected or a whole layer",
        portrait,
        arguments.PORTRAIT,
    ),
    "spriteface-find-faces": (
        "_Find faces...",
        "Mark the faces in a sprite sheet or screenshot",
        find_faces,
        arguments.FIND,
    ),
    "spriteface-restore": (
        "_Restore to palette...",
        "Bring a picture into a palette's colours, order and all, as a new indexed image",
        restore,
        arguments.RESTORE,
    ),
}

Gimp.main(Bridge.__gtype__, sys.argv)
