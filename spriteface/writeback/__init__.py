"""Results out of the house: portraits with their origin, comparisons, and sinks.

Everything written says that the person is imagined. Files appear whole or not at all.
"""

from __future__ import annotations

from .portrait import (
    DIGITAL_SOURCE_TYPE,
    Sink,
    describe,
    portrait_image,
    provenance_xmp,
    save_portrait,
    save_sidecar,
    with_sprite_outline,
)
from .sheets import comparison, contact_sheet, save_comparison, save_contact_sheet

__all__ = [
    "DIGITAL_SOURCE_TYPE",
    "Sink",
    "comparison",
    "contact_sheet",
    "describe",
    "portrait_image",
    "provenance_xmp",
    "save_comparison",
    "save_contact_sheet",
    "save_portrait",
    "save_sidecar",
    "with_sprite_outline",
]
