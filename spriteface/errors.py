"""Errors that reach a person.

    SpritefaceError                 exit 1
    ├── InputError                  exit 2   the file or the options given can't be used
    │   ├── ImageError                       not an image, broken, too large
    │   ├── PaletteError                     not a palette, broken
    │   └── OptionError                      an option's value makes no sense
    ├── NoFaceError                 exit 3   nothing that looks like a face
    ├── GeneratorError              exit 4   a generator or checkpoint can't be loaded or run
    │   └── UnsafeCheckpointError            a checkpoint that wants to execute code
    ├── SinkError                   exit 5   a result can't be written
    ├── ServiceError                exit 6   the engine can't be reached or refuses
    └── Cancelled                   exit 130 stopped by the person

Each names the thing, says what was seen, and in `hint` what to try.
"""

from __future__ import annotations


class SpritefaceError(Exception):
    """Base of all errors meant for people.

    Args:
        message: what was seen, naming the file or option.
        hint: what to try next; may be empty.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}: {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[type[SpritefaceError], tuple[str, str]]:
        return type(self), (self.message, self.hint)


class InputError(SpritefaceError):
    exit_code = 2


class ImageError(InputError):
    pass


class PaletteError(InputError):
    pass


class OptionError(InputError):
    pass


class NoFaceError(SpritefaceError):
    exit_code = 3


class GeneratorError(SpritefaceError):
    exit_code = 4


class UnsafeCheckpointError(GeneratorError):
    pass


class SinkError(SpritefaceError):
    exit_code = 5


class ServiceError(SpritefaceError):
    exit_code = 6


class Cancelled(SpritefaceError):
    exit_code = 130
