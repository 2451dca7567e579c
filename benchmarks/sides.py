"""How far aside may a person look before the audit's judges see no face?

    python -m benchmarks sides [PEOPLE] [--mediapipe PYTHON]

Random people of the embedded head at five yaws, in turn to the left and to the right: with and
without the judge of profiles, with the other side named, upside down, as mosaics and as blurs of
16 to 32 px; crops of photographs without faces and noise. MediaPipe, of another kind altogether,
says whether those profiles are faces.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace

import numpy as np
from PIL import Image

from spriteface.audit.judges import judge
from spriteface.pulse.generator import load_generator
from spriteface.pulse.head.person import Pose

from .machine import describe

YAWS = (0.50, 0.65, 0.80, 0.95, 1.12)
PHOTOGRAPHS = (
    "coffee", "chelsea", "rocket", "coins", "moon", "brick", "grass", "gravel", "page", "text",
    "clock", "hubble_deep_field", "immunohistochemistry", "retina",
)  # fmt: skip
CROPS, NOISES, EDGE = 12, 40, 256


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("people", type=int, nargs="?", default=10)
    parser.add_argument("--mediapipe", metavar="PYTHON")
    options = parser.parse_args(arguments)
    print(describe())
    seen = {name: Counter[float]() for name in ("with it", "without", "other side", "upside down")}
    small = Counter[str]()
    portraits = []
    for yaw in YAWS:
        for image, signed in portraits_at(yaw, options.people):
            portraits.append((yaw, image))
            seen["with it"][yaw] += judge(image, yaw=signed).passes
            seen["without"][yaw] += judge(image).passes
            seen["other side"][yaw] += judge(image, yaw=-signed).side is True
            seen["upside down"][yaw] += judge(image[::-1], yaw=signed).side is True
            for name, picture in _enlarged(image):
                small[name] += judge(picture, yaw=signed).passes
    for name, counts in seen.items():
        print(f"{name:12s} of {options.people}:", {yaw: counts[yaw] for yaw in YAWS})
    print(f"mosaics and blurs of {3 * len(portraits)} each:", dict(small) or "none")
    others = [judge(x, yaw=(-1) ** i).side for i, x in enumerate(faceless())]
    print(f"photographs without faces and noise seen as profiles: {sum(others)} of {len(others)}")
    if options.mediapipe:
        from spriteface.audit.mediapipe_judge import faces

        yes = faces([image for _, image in portraits], options.mediapipe)
        print("MediaPipe:", Counter(y for (y, _), ok in zip(portraits, yes, strict=True) if ok))


def portraits_at(yaw: float, people: int) -> list[tuple[np.ndarray, float]]:
    """Portraits (EDGE, EDGE, 3) and their signed yaws."""
    generator = load_generator("head")
    out = []
    for i in range(people):
        person = generator.people(generator.sample(1, 500 + i))[0]
        signed = yaw if i % 2 else -yaw
        camera = replace(person.camera, zoom=1.05, x=1.6 * signed, y=0.0)
        turned = replace(person, pose=Pose(yaw=signed), camera=camera)
        picture = generator.render(generator.latents([turned]), EDGE)[0].permute(1, 2, 0).numpy()
        out.append((np.rint(picture * 255).astype(np.uint8), signed))
    return out


def _enlarged(image: np.ndarray) -> list[tuple[str, np.ndarray]]:
    out = []
    for edge in (16, 24, 32):
        small = Image.fromarray(image).resize((edge, edge), Image.Resampling.BOX)
        for name, way in (
            ("mosaic", Image.Resampling.NEAREST),
            ("blur", Image.Resampling.BICUBIC),
        ):
            out.append((name, np.asarray(small.resize((EDGE, EDGE), way))))
    return out


def faceless() -> list[np.ndarray]:
    """Crops of the photographs that scikit-image ships, and noise of several grains."""
    import skimage.data

    rng = np.random.default_rng(0)
    out = []
    for name in PHOTOGRAPHS:
        image = np.asarray(getattr(skimage.data, name)())
        image = image if image.ndim == 3 else np.dstack([image] * 3)
        height, width = image.shape[:2]
        for _ in range(CROPS):
            edge = int(rng.integers(64, min(height, width) + 1))
            y, x = int(rng.integers(0, height - edge + 1)), int(rng.integers(0, width - edge + 1))
            out.append(np.ascontiguousarray(image[y : y + edge, x : x + edge, :3]))
    for i in range(NOISES):
        noise = rng.integers(0, 256, (16 + 6 * i, 16 + 6 * i, 3)).astype(np.uint8)
        out.append(
            np.asarray(Image.fromarray(noise).resize((EDGE, EDGE), Image.Resampling.BICUBIC))
        )
    return out


if __name__ == "__main__":
    main()
