"""The one place where other people's image errors become ours.

Decoders raise whatever suits them (SyntaxError, struct.error, ValueError, zlib.error, EOFError,
plain OSError ...), some only warn, and some stay silent about a broken file. Everything that
reads a file here does it inside `reading(path)`, so callers see `ImageError` and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import stat
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from ..errors import ImageError, SpritefaceError

MEBI = 1 << 20
KNOWN = "PNG, GIF, BMP, JPEG, WebP and .aseprite files can be read"

# `warnings.catch_warnings` and Pillow's own state belong to the process, so one file at a time.
_lock = threading.RLock()


@dataclass(frozen=True)
class Limits:
    """What a file may ask for before it counts as an accident or an attack.

    The environment variables SPRITEFACE_MAX_PIXELS, SPRITEFACE_MAX_FRAMES and
    SPRITEFACE_MAX_BYTES raise them for somebody who knows the file.
    """

    pixels: int = 64 * MEBI
    frames: int = 400
    bytes: int = 512 * MEBI

    @classmethod
    def from_environment(cls) -> Limits:
        """The defaults, overruled by the environment; nonsense in a variable is ignored."""

        def number(name: str, default: int) -> int:
            text = os.environ.get(name, "")
            return int(text) if text.isdecimal() and int(text) > 0 else default

        return cls(
            number("SPRITEFACE_MAX_PIXELS", cls.pixels),
            number("SPRITEFACE_MAX_FRAMES", cls.frames),
            number("SPRITEFACE_MAX_BYTES", cls.bytes),
        )


def check_size(name: str, width: int, height: int, limits: Limits) -> None:
    """
    Raises:
        ImageError: nothing to see, or far more than a picture.
    """
    if width <= 0 or height <= 0:
        raise ImageError(f"{name} has no pixels ({width}x{height})", "export the image again")
    if width * height > limits.pixels:
        raise ImageError(
            f"{name} unpacks to {width}x{height} pixels, more than {limits.pixels:,}",
            "crop it to the part with the face, or set SPRITEFACE_MAX_PIXELS if you trust the file",
        )


def check_frames(name: str, frames: int, limits: Limits) -> None:
    """
    Raises:
        ImageError: more frames than anybody would want a portrait of.
    """
    if frames > limits.frames:
        raise ImageError(
            f"{name} has {frames} frames, more than {limits.frames}",
            "save the frame you want as a file of its own, "
            "or set SPRITEFACE_MAX_FRAMES if you trust the file",
        )


def read_bytes(path: Path, limits: Limits) -> bytes:
    """The whole file.

    Raises:
        ImageError: it is missing, a folder, unreadable, empty or absurdly large.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ImageError(f"{path} is a folder", "name the image files in it, or use `batch`")
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(f"{path} is not a regular file", "save it as a file first")
        if status.st_size > limits.bytes:
            raise ImageError(
                f"{path} is {status.st_size / MEBI:.0f} MiB, more than {limits.bytes // MEBI}",
                "crop it, or set SPRITEFACE_MAX_BYTES if you trust the file",
            )
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ImageError(f"{path} does not exist", "check the spelling of the path") from error
    except PermissionError as error:
        raise ImageError(f"no permission to read {path}", "check its access rights") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ImageError(f"can't read {path}: {reason}", "check the path and the disc") from error
    if not data:
        raise ImageError(f"{path} is empty (0 bytes)", "copy or export the image again")
    return data


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn every foreign error inside the block into an `ImageError` that names `path`."""
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what matters is checked by `check_size` and friends
        try:
            yield
        except SpritefaceError:
            raise
        except UnidentifiedImageError as error:
            raise ImageError(f"{path} is not an image that can be read", KNOWN) from error
        except Image.DecompressionBombError as error:
            raise ImageError(
                f"{path} unpacks to far more pixels than a picture has",
                "crop it to the part with the face",
            ) from error
        except MemoryError as error:
            raise ImageError(f"{path} does not fit into memory", "crop it first") from error
        except (
            OSError,
            ValueError,
            SyntaxError,
            EOFError,
            KeyError,
            IndexError,
            TypeError,
            AttributeError,
            OverflowError,
            AssertionError,
            NotImplementedError,
            struct.error,
            zlib.error,
        ) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else "unreadable"
            raise ImageError(
                f"{path} is broken or cut off ({reason})", "copy or export the image again"
            ) from error


_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def check_png(name: str, data: bytes, limits: Limits) -> None:
    """Walk a PNG's chunks: decoders skip the checksum of the pixel data, we don't.

    Raises:
        ImageError: a chunk is cut off, its checksum is wrong, or the size makes no sense.
    """
    if data[12:16] == b"IHDR" and len(data) >= 24:
        width, height = struct.unpack_from(">II", data, 16)
        check_size(name, width, height, limits)
    at, ended = len(_PNG_MAGIC), False
    view = memoryview(data)
    while not ended:
        if at + 12 > len(data):
            raise _png_error(name, "it ends before its last chunk")
        length, kind = struct.unpack_from(">I4s", data, at)
        label = kind.decode("latin-1") if kind.isalpha() else repr(kind)
        if at + 12 + length > len(data):
            raise _png_error(name, f"it ends in the middle of chunk {label}")
        (crc,) = struct.unpack_from(">I", data, at + 8 + length)
        if zlib.crc32(view[at + 4 : at + 8 + length]) != crc:
            raise _png_error(name, f"the checksum of chunk {label} is wrong")
        ended = kind == b"IEND"
        at += 12 + length


def _png_error(name: str, what: str) -> ImageError:
    return ImageError(f"{name} is a broken PNG: {what}", "copy or export the image again")


def is_png(data: bytes) -> bool:
    return data.startswith(_PNG_MAGIC)
