"""The dialog of options and the window shown while a job runs. Imported only where one is shown."""

import gi

gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import GdkPixbuf, GimpUi, GLib, GObject, Gtk  # noqa: E402

from .job import words  # noqa: E402

PREVIEW_EDGE = 256


def ask(procedure, config, arguments, extra=()):
    """GIMP's own dialog for the arguments; False if the user cancels.

    Choices are strings to GIMP (see arguments.py), so their menus are made here.
    """
    GimpUi.init("spriteface-bridge")
    dialog = GimpUi.ProcedureDialog.new(procedure, config, procedure.get_menu_label())
    shown = []
    grid = Gtk.Grid(column_spacing=8, row_spacing=6, border_width=12)
    for argument in arguments:
        if argument.choices:
            _menu(grid, config, argument)
        elif isinstance(argument.default, (bool, str)):
            shown.append(argument.name)
        else:
            step = 0.05 if isinstance(argument.default, float) else 1
            scale = dialog.get_spin_scale(argument.name, 1)
            scale.set_scale_limits(argument.low, min(argument.high, 4096))
            scale.set_increments(step, step * 10)
            scale.set_digits(2 if step < 1 else 0)
            shown.append(argument.name)
    dialog.fill([*shown, *extra])
    dialog.get_content_area().pack_start(grid, False, False, 0)
    dialog.get_content_area().reorder_child(grid, 0)
    grid.show_all()
    try:
        return dialog.run()
    finally:
        dialog.destroy()


def _menu(grid, config, argument):
    row = len(grid.get_children()) // 2
    menu = Gtk.ComboBoxText(hexpand=True)
    for value, label in argument.choices:
        menu.append(value, label)
    label = Gtk.Label(label=argument.label, use_underline=True, xalign=0)
    label.set_mnemonic_widget(menu)
    menu.set_tooltip_text(argument.about)
    grid.attach(label, 0, row, 1, 1)
    grid.attach(menu, 1, row, 1, 1)
    both = GObject.BindingFlags.BIDIRECTIONAL | GObject.BindingFlags.SYNC_CREATE
    config.bind_property(argument.name, menu, "active-id", both)


class ProgressWindow:
    """What the engine sees now, how far it is, and a Cancel that works."""

    def __init__(self, title):
        GimpUi.init("spriteface-bridge")
        self.cancelled = False
        self._dialog = Gtk.Dialog(title=title, resizable=False)
        self._dialog.add_button("_Cancel", Gtk.ResponseType.CANCEL)
        self._picture = Gtk.Image()
        self._picture.set_size_request(PREVIEW_EDGE, PREVIEW_EDGE)
        self._bar = Gtk.ProgressBar(show_text=True, text="Reaching the engine")
        box = self._dialog.get_content_area()
        box.set_spacing(8)
        box.set_border_width(12)
        box.pack_start(self._picture, True, True, 0)
        box.pack_start(self._bar, False, False, 0)

    def run(self):
        """Until the job ends or the user stops it."""
        self._dialog.show_all()
        self.cancelled = self._dialog.run() != Gtk.ResponseType.OK
        self._dialog.destroy()
        while Gtk.events_pending():
            Gtk.main_iteration()

    def finish(self):
        self._dialog.response(Gtk.ResponseType.OK)
        return GLib.SOURCE_REMOVE

    def show_progress(self, message):
        self._bar.set_fraction(message.header["fraction"])
        self._bar.set_text(words(message.header))
        for image in message.images[:1]:
            self._picture.set_from_pixbuf(_pixbuf(image))
        return GLib.SOURCE_REMOVE


def _pixbuf(image):
    pixbuf = GdkPixbuf.Pixbuf.new_from_bytes(
        GLib.Bytes.new(image.data),
        GdkPixbuf.Colorspace.RGB,
        True,
        8,
        image.width,
        image.height,
        image.width * 4,
    )
    longest = max(image.width, image.height)
    width, height = (max(1, edge * PREVIEW_EDGE // longest) for edge in (image.width, image.height))
    return pixbuf.scale_simple(width, height, GdkPixbuf.InterpType.BILINEAR)
