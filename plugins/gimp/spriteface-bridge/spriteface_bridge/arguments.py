"""The procedures' arguments, and why they are checked here.

GIMP answers a value outside an argument's range with a warning on the console and then runs the
procedure with the default: a script that asks for 9000 px would get 1024 and never know. So GIMP
is told wide ranges and plain strings, and `read` checks; the dialog shows the real ones.
"""

from dataclasses import dataclass

from gi.repository import GObject

INT_MAX = 2**31 - 1


class BadArgument(Exception):
    pass


@dataclass(frozen=True)
class Argument:
    """`low` and `high` bound numbers, `choices` (value -> label) strings."""

    name: str
    label: str
    about: str
    default: object
    low: float = 0
    high: float = 0
    choices: tuple = ()

    def declare(self, procedure):
        flags = GObject.ParamFlags.READWRITE
        if isinstance(self.default, bool):
            procedure.add_boolean_argument(self.name, self.label, self.about, self.default, flags)
        elif isinstance(self.default, int):
            about = f"{self.about} ({self.low} to {self.high})"
            procedure.add_int_argument(
                self.name, self.label, about, -INT_MAX, INT_MAX, self.default, flags
            )
        elif isinstance(self.default, float):
            about = f"{self.about} ({self.low:g} to {self.high:g})"
            procedure.add_double_argument(
                self.name, self.label, about, -1e9, 1e9, self.default, flags
            )
        else:
            known = ", ".join(value for value, _ in self.choices)
            about = f"{self.about} ({known})" if known else self.about
            procedure.add_string_argument(self.name, self.label, about, self.default, flags)

    def check(self, value):
        """The value; BadArgument where it makes no sense."""
        if self.choices and value not in dict(self.choices):
            known = ", ".join(name for name, _ in self.choices)
            raise BadArgument(f"{self.name}: {value!r} is unknown. Known: {known}.")
        number = isinstance(self.default, (int, float)) and not isinstance(self.default, bool)
        if number and not self.low <= value <= self.high:
            raise BadArgument(
                f"{self.name}: {value:g} is not between {self.low:g} and {self.high:g}."
            )
        return value


def read(config, arguments):
    """The checked values of a procedure's configuration, by name."""
    return {a.name: a.check(config.get_property(a.name)) for a in arguments}


DITHERS = (
    ("none", "None"),
    ("bayer", "Ordered (Bayer)"),
    ("blue-noise", "Blue noise"),
    ("floyd-steinberg", "Floyd-Steinberg"),
    ("atkinson", "Atkinson"),
)

PORTRAIT = (
    Argument("size", "Si_ze", "Edge of the portrait in pixels", 1024, 64, 4096),
    Argument("seed", "S_eed", "Another number, another person", 0, 0, INT_MAX),
    Argument("candidates", "Ca_ndidates", "How many different people", 1, 1, 16),
    Argument("faithful", "_Faithful", "0: a natural person, 1: exactly the sprite", 0.0, 0, 1),
    Argument("matte", "_Transparent background", "Cut the person out", False),
    Argument(
        "output",
        "O_utput",
        "Where the portrait goes",
        "new-image",
        choices=(
            ("new-image", "A new image"),
            ("layer", "A new layer over the face, at this image's size"),
            ("canvas", "A new layer beside the sprite, canvas enlarged"),
            ("palette", "A new image in the sprite's palette"),
        ),
    ),
    Argument(
        "faces",
        "_Which faces",
        "Which faces of the selection",
        "best",
        choices=(("best", "The best one"), ("all", "All")),
    ),
    Argument(
        "detector",
        "_Detector",
        "How the face is found",
        "auto",
        choices=(("auto", "Look for it"), ("whole", "The selection is the face")),
    ),
    Argument(
        "quality",
        "_Quality",
        "Studio needs the extra renderer",
        "standard",
        choices=(("standard", "Standard"), ("studio", "Studio")),
    ),
    Argument("dither", "Dit_her", "Dithering in the palette", "none", choices=DITHERS),
    Argument("palette-size", "_Palette size", "Edge in the palette; 0: as large", 0, 0, 4096),
    Argument("steps", "Se_arch steps", "0: as many as are usual", 0, 0, 10000),
    Argument("generator", "_Generator", "The generator's name", "head"),
)

FIND = (
    Argument("min-score", "_Lowest score", "How sure a face must be", 0.35, 0, 1),
    Argument("limit", "At _most", "How many faces; 0: all", 0, 0, 1000),
    Argument(
        "output",
        "O_utput",
        "How the faces are marked",
        "path",
        choices=(("path", "A path"), ("guides", "Guides"), ("layers", "One layer per face")),
    ),
)

RESTORE = (
    Argument("width", "_Width", "0: as it is", 0, 0, 4096),
    Argument("height", "_Height", "0: as it is", 0, 0, 4096),
    Argument("dither", "Dit_her", "Dithering", "none", choices=DITHERS),
    Argument(
        "colors",
        "Co_lours",
        "Where the palette is from",
        "palette",
        choices=(("palette", "The palette below"), ("image", "The image's own colour map")),
    ),
)
