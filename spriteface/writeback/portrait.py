"""A portrait as a file that says where it came from, and the sidecar that repeats it.

A plain re-save by most programs drops a PNG's metadata, so everything stands in `NAME.json`
too. The provenance packet is the one that IPTC defines for pictures made by a trained model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from ..files import write_bytes, write_png
from ..palette.alpha import cut_out, extend, outline_matte
from ..types import U8, Box, Portrait

RUN_TIMES = ("seconds", "stages")
DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


class Sink(Protocol):
    """Where portraits go."""

    def write(self, portrait: Portrait) -> Path | None:
        """Put a portrait in its place; the path if that made or changed a file.

        Raises:
            SinkError: it can't be written; nothing is left half-done.
        """
        ...


def describe(portrait: Portrait) -> dict[str, Any]:
    """Everything a portrait depends on, as plain JSON values: the sidecar's content.

    Boxes are [x, y, w, h]; `box`, `head_box` and `crop_box` in pixels of the file, those
    ending in `_native` in the artist's own.
    """
    face, frame = portrait.face, portrait.face.frame
    source = frame.source
    return {
        "statement": statement(portrait),
        "source": str(source.path) if source.path else source.name,
        "source_format": source.format,
        "frame": source.frame,
        "frames": source.frames,
        "box": frame.to_file(face.box).as_list(),
        "head_box": frame.to_file(face.head).as_list(),
        "crop_box": frame.to_file(face.crop).as_list(),
        "box_native": face.box.as_list(),
        "crop_box_native": face.crop.as_list(),
        "scale": [float(v) for v in frame.scale],
        "phase": [float(v) for v in frame.phase],
        "face": {
            "name": face.name,
            "score": round(float(face.score), 4),
            "view": str(face.view),
            "side": face.side,
            "kind": face.kind,
            "detector": face.detector,
            "tilt": round(float(face.tilt), 1),
        },
        "seed": int(portrait.seed),
        "candidate": int(portrait.candidate),
        "generator": portrait.generator,
        "renderer": portrait.renderer or portrait.generator,
        "version": portrait.version,
        "latent": plain(portrait.latent),
        "lr_psnr_db": _number(portrait.lr_psnr_db),
        "lr_psnr_natural_db": _number(portrait.lr_psnr_natural_db),
        "diversity": _number(portrait.diversity),
        "downscale_operator": portrait.downscale_operator,
        "seconds": round(float(portrait.seconds), 3),
        "stages": {key: round(float(value), 4) for key, value in portrait.stages.items()},
        "traits": plain(portrait.traits),
        "notes": list(portrait.notes),
        "size": [int(portrait.image.shape[1]), int(portrait.image.shape[0])],
        "sprite_size": [face.pixels.width, face.pixels.height],
        "digital_source_type": DIGITAL_SOURCE_TYPE,
    }


def statement(portrait: Portrait) -> str:
    """One honest sentence about what the picture is."""
    source = portrait.face.frame.source.name
    return (
        f"A person imagined by spriteface {portrait.version} from a sprite in {source}; "
        "nobody is depicted."
    )


def plain(value: Any) -> Any:
    """Plain JSON values of anything array-like, mapping-like or enumerated.

    float32 numbers take their shortest decimal form, which reads back to the same float32.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Box):
        return value.as_list()
    if isinstance(value, np.float32):
        return _number(float(str(value)))
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value] if value.ndim else plain(value[()])
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, bool | int) or value is None:
        return value
    if isinstance(value, float):
        return _number(value)
    if hasattr(value, "detach"):  # a tensor, without importing torch for it
        return plain(value.detach().cpu().numpy())
    return str(value)


def _number(value: float | None) -> float | None:
    """JSON knows neither infinity nor NaN: an infinite PSNR (identical) is written as 999."""
    if value is None:
        return None
    value = float(value)
    if value != value:
        return None
    return max(-999.0, min(999.0, value)) if abs(value) == float("inf") else value


def provenance_xmp(portrait: Portrait) -> str:
    """The XMP packet: an imagined picture, made by a trained model, from that sprite."""
    words = escape(statement(portrait))
    attributes = {
        "Iptc4xmpExt:DigitalSourceType": DIGITAL_SOURCE_TYPE,
        "xmp:CreatorTool": f"spriteface {portrait.version}",
        "dc:source": portrait.face.frame.source.name,
    }
    listed = "\n    ".join(f"{key}={quoteattr(value)}" for key, value in attributes.items())
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    {listed}>
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">{words}</rdf:li></rdf:Alt></dc:description>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def portrait_image(portrait: Portrait) -> U8:
    """What is saved: (R, R, 3), or (R, R, 4) straight alpha where the portrait has a matte."""
    if portrait.matte is None:
        return portrait.image
    return cut_out(portrait.image, portrait.matte)


def with_sprite_outline(portrait: Portrait) -> Portrait:
    """The same portrait with a matte that follows the sprite's outline, smoothly.

    Where the generator's own matte shows background inside that outline, the person's colours
    are continued. A sprite without transparency gives no outline: the portrait is unchanged.
    """
    alpha = portrait.face.pixels.rgba[..., 3]
    if (alpha >= 128).all() or not (alpha >= 128).any():
        return portrait
    height, width = portrait.image.shape[:2]
    image = portrait.image
    if portrait.matte is not None:
        image = extend(image, portrait.matte >= 250, rim=max(1, width // 400))
    return replace(portrait, image=image, matte=outline_matte(alpha, width, height))


def metadata(portrait: Portrait) -> tuple[dict[str, str], str]:
    """tEXt entries and the XMP packet for a picture made from `portrait`.

    How long it took stands in the sidecar alone: the same portrait is the same file, byte by byte.
    """
    about = {key: value for key, value in describe(portrait).items() if key not in RUN_TIMES}
    text = {
        "Description": statement(portrait),
        "Software": f"spriteface {portrait.version}",
        "parameters": json.dumps(about, ensure_ascii=True, separators=(",", ":")),
    }
    return text, provenance_xmp(portrait)


def save_portrait(portrait: Portrait, path: str | Path) -> Path:
    """Write a portrait as PNG with its parameters (tEXt, JSON) and provenance (XMP).

    Raises:
        SinkError: the file can't be written; nothing is left behind.
    """
    text, xmp = metadata(portrait)
    return write_png(path, portrait_image(portrait), text=text, xmp=xmp)


def save_sidecar(portrait: Portrait, path: str | Path) -> Path:
    """Write `describe(portrait)` as JSON.

    Raises:
        SinkError: the file can't be written; nothing is left behind.
    """
    words = json.dumps(describe(portrait), ensure_ascii=False, indent=1)
    return write_bytes(path, (words + "\n").encode("utf-8"))
