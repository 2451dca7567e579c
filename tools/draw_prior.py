"""Draw the head's prior: histograms of what says most, and a sheet of people from it.

    python -m tools.draw_prior docs/head_prior.png docs/head_prior_sheet.jpg

The sheet's people are `prior.draw_person` of seeds 0 to 63.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from spriteface.pulse.head.prior import draw_person, draw_structure, layout
from spriteface.pulse.head.render import render


def panels(count: int = 4000) -> list[tuple[str, NDArray[np.int64], str, str]]:
    """(label, histogram, lowest, highest) of the dims that say most, and of the cuts."""
    lay, rng = layout(), np.random.default_rng(0)
    z = torch.from_numpy(rng.standard_normal((count, len(lay))).astype(np.float32))
    v = np.stack([lay.values(row, {}).numpy() for row in z])
    column = {name: v[:, i] for name, i in lay.index.items()}
    panels = []
    for name, label in (
        ("tone", "Monk skin tone"), ("gender", "sex of shape"), ("age", "age of shape"),
        ("weight", "weight"), ("hair_melanin", "hair pigment"), ("iris", "iris, brown to blue"),
        ("smile", "smile"), ("yaw", "turn of the head, rad"),
    ):  # fmt: skip
        h, edges = np.histogram(column[name], 10 if name == "tone" else 24)
        panels.append((label, h, f"{edges[0]:.1f}", f"{edges[-1]:.1f}"))
    ancestry = np.exp(np.stack([column[n] for n in ("african", "asian", "caucasian")]))
    largest = (ancestry / ancestry.sum(0)).max(0)
    panels.append(("largest ancestry weight", np.histogram(largest, 24)[0], ".33", "1"))
    people = zip(column["gender"], column["age"])
    cuts = [draw_structure(rng, float(g), float(a))["hair"] for g, a in people]
    names, h = np.unique(cuts, return_counts=True)
    panels.append(("cuts", h, str(names[0]), str(names[-1])))
    return panels


def chart(path: str) -> None:
    picture = Image.new("RGB", (5 * 230, 2 * 150), "white")
    pen = ImageDraw.Draw(picture)
    for i, (label, h, low, high) in enumerate(panels()):
        x, y = (i % 5) * 230 + 14, (i // 5) * 150 + 22
        pen.text((x, y - 16), label, fill=(30, 30, 30))
        wide = 200 / len(h)
        for k, n in enumerate(h):
            box = [x + k * wide, y + 100 - 100 * n / h.max(), x + (k + 1) * wide - 1, y + 100]
            pen.rectangle(box, fill=(70, 110, 160))
        pen.text((x, y + 104), low, fill=(90, 90, 90))
        pen.text((x + 170, y + 104), high, fill=(90, 90, 90))
    picture.save(path)


def sheet(path: str, across: int = 8, size: int = 160) -> None:
    """`across` x `across` people, rendered."""
    picture = Image.new("RGB", (across * size, across * size))
    for seed in range(across * across):
        image = render(draw_person(seed), size).image
        tile = Image.fromarray((image * 255 + 0.5).astype(np.uint8))
        picture.paste(tile, (seed % across * size, seed // across * size))
    picture.save(path, quality=88)


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    chart(sys.argv[1])
    sheet(sys.argv[2])


if __name__ == "__main__":
    main()
