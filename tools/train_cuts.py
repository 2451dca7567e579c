"""Make the bank of silhouettes by which cuts are told apart, `pulse/head/data/cuts.npz`, and the
line by which turned heads are, `turned.WEIGHTS`.

    python tools/train_cuts.py [--people 1300] [--test 240]

Random people of the prior are shown as sprites of 16, 24 and 32 px, read, and their silhouettes
fitted by multinomial logistic regression (L-BFGS, L2). People without headwear only: under a hat
there is no silhouette. Make it again whenever the reader's network changes: half a CPU-second a
person. The same code makes the same bytes on one machine; the file that stands in the package is of
an earlier look of the head and comes out a little otherwise.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from spriteface.extract.reading import read
from spriteface.pulse.downscale import downscale_array
from spriteface.pulse.generator import load_generator
from spriteface.pulse.head.cuts import DATA, KIND_OF, KINDS, thumbnail
from spriteface.pulse.head.turned import offsets
from spriteface.types import Label, Reading

FIRST, FIRST_TEST = 200_000, 100_000  # seeds; the benchmark's known people begin at 900,000
EDGES, PENALTY, RIDGE, SHOWN = (16, 24, 32), 0.05, 5.0, 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--people", type=int, default=1300)
    parser.add_argument("--test", type=int, default=240)
    parser.add_argument("-o", "--out", type=Path, default=DATA)
    options = parser.parse_args()
    torch.set_num_threads(1)
    thumbnails, kinds, aside = silhouettes(FIRST, options.people)
    made = bank(thumbnails, kinds)
    np.savez_compressed(options.out, **made)
    print("turned.WEIGHTS =", tuple(float(w) for w in np.round(turning(*aside), 4)))
    thumbnails, kinds, _ = silhouettes(FIRST_TEST, options.test)
    x = np.c_[thumbnails - made["middle"], np.ones(len(kinds))]
    found = (x @ made["weights"]).argmax(1)
    wrong = Counter((KINDS[a], KINDS[b]) for a, b in zip(kinds, found, strict=True) if a != b)
    print(f"kind right in {int((found == kinds).sum())} of {len(kinds)}; {wrong.most_common(8)}")


def silhouettes(
    first: int, count: int
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Thumbnails (count, n), numbers of their kinds (count,), offsets (count, 9) and yaws."""
    generator = load_generator("head")
    rows, kinds, moved, yaws = [], [], [], []
    for number in range(first, first + count):
        latents = generator.sample(1, number)
        person = generator.people(latents)[0]
        reading = shown(generator, latents, EDGES[number % len(EDGES)])
        rows.append(thumbnail(reading))
        kinds.append(KINDS.index(KIND_OF[person.hair.style]))
        moved.append(offsets(reading))
        yaws.append(person.pose.yaw)
        print(f"{number - first + 1} of {count}", end="\r", flush=True)
    return np.stack(rows), np.array(kinds), (np.stack(moved), np.array(yaws))


def turning(moved: np.ndarray, yaws: np.ndarray) -> np.ndarray:
    """(9,): the line from offsets to yaw, by ridge regression."""
    return np.linalg.solve(moved.T @ moved + RIDGE * np.eye(moved.shape[1]), moved.T @ yaws)


def shown(generator, latents, edge: int) -> Reading:
    """The reading of a person shrunk to a sprite of `edge` pixels."""
    with torch.no_grad():
        picture = generator.preview(latents, SHOWN * edge)[0].permute(1, 2, 0).numpy()
        labels = generator.regions(latents, SHOWN * edge)[0].numpy()
    person = (labels != Label.BACKGROUND)[..., None].astype(np.float32)
    cover = downscale_array(person, (edge, edge)) > 0.5
    rgba = np.concatenate([downscale_array(picture, (edge, edge)), cover], -1)
    return read(np.clip(np.rint(rgba * 255), 0, 255).astype(np.uint8))


def bank(thumbnails: np.ndarray, kinds: np.ndarray) -> dict[str, np.ndarray]:
    """What is kept, by its names in the file: float16 as it is read again."""
    middle = thumbnails.mean(0)
    weights = fitted(thumbnails - middle, kinds)
    return {"weights": weights.astype(np.float16), "middle": middle.astype(np.float16)}


def fitted(thumbnails: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """(n + 1, kinds): weights of the thumbnail and a bias each."""
    x = torch.tensor(np.c_[thumbnails, np.ones(len(kinds))], dtype=torch.float64)
    y = torch.tensor(kinds)
    weights = torch.zeros(x.shape[1], len(KINDS), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=300, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        fit = torch.nn.functional.cross_entropy(x @ weights, y)
        fit = fit + PENALTY * weights[:-1].pow(2).sum()
        fit.backward()
        return fit

    optimiser.step(loss)
    return weights.detach().numpy()


if __name__ == "__main__":
    main()
