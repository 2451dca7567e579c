"""The embedded head, measured: speed, agreement of its two renders, realism by outside judges.

    python -m benchmarks.head --speed             seconds and CPU seconds per picture, memory
    python -m benchmarks.head --agreement 12      downscales of preview and 1024 px portrait, dB
    python -m benchmarks.head --realism 100       share of frontal samples that the judges accept
    python -m benchmarks.head --tones             lightness and pass rate over the Monk scale
    python -m benchmarks.head --sheet sheet.jpg   36 people at 384 px
    python -m benchmarks.head --studio 4          path traced (Mitsuba) and fast, side by side, and
                                                  their differences; writes docs/studio.jpg

Each prints a table and a line of JSON with the machine. The judges and gates are the audit's
(`spriteface.audit.judges`).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spriteface.audit.judges import judge
from spriteface.audit.stats import wilson
from spriteface.pulse.head import warm
from spriteface.pulse.head.person import Camera, Person, Pose, srgb_to_linear
from spriteface.pulse.head.prior import draw, draw_person, people_from_latents
from spriteface.pulse.head.render import render
from spriteface.pulse.head.skin import MONK, lightness, melanin_tone, tone_melanin

Image = NDArray[np.float32]
BASELINES = 20  # so many samples are judged as mosaic and as blur too


def machine() -> dict[str, Any]:
    return {
        "machine": platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def timed(work: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Median wall and CPU seconds of `rounds` calls."""
    wall, cpu = [], []
    for _ in range(rounds):
        w, c = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - w)
        cpu.append(time.process_time() - c)
    return statistics.median(wall), statistics.median(cpu)


def speed() -> dict[str, Any]:
    import torch

    from spriteface.pulse.generator import Latents
    from spriteface.pulse.head import load, preview, scene
    from spriteface.pulse.head.preview import KNOTS, STRANDS
    from spriteface.pulse.head.threads import each

    torch.set_num_threads(1)
    start = time.process_time()
    warm()
    first = time.process_time() - start
    head = load()
    latents = head.sample(16, seed=3)
    rows: dict[str, Any] = {"load and warm, CPU s": first}

    def previews() -> None:
        for i in range(len(latents)):
            head.preview(latents[i], 64)

    def fresh() -> None:
        preview.forget()
        previews()

    # as a search asks: every member of a batch has a shape, pose and frame of its own
    rng = torch.Generator().manual_seed(0)
    names = head.info.extra["dims"]
    wanted = [
        i for i, n in enumerate(names) if n.startswith("local:") or n in ("yaw", "pitch", "zoom")
    ]

    def moved() -> Latents:
        z = latents.z.clone()
        z[:, wanted] += 0.3 * torch.randn(len(z), len(wanted), generator=rng)
        return latents.with_z(z)

    def batch() -> None:
        head.preview(moved(), 64)

    def labels() -> None:
        head.regions(moved(), 64)

    people = people_from_latents(latents)

    def geometry() -> None:
        scene._small_hair.cache_clear()
        scene._guides.cache_clear()
        each(lambda p: scene.build(p, level=0, strand_count=STRANDS, knots=KNOTS), people)

    def everything() -> None:
        scene._small_hair.cache_clear()
        scene._guides.cache_clear()
        preview.forget()
        head.preview(latents, 64)

    previews()
    for name, work in (
        ("preview 64 px, new colours", previews),
        ("preview 64 px, new shape or pose", fresh),
        ("preview 64 px, batch of 16 new shapes", batch),
        ("label map 64 px, batch of 16 new shapes", labels),
        ("new people's geometry and hair, preview level", geometry),
        ("preview 64 px, batch of 16 new people and hair", everything),
    ):
        wall, cpu = timed(work, 5)
        rows[name + ", ms wall / CPU"] = [round(1e3 * t / len(latents), 1) for t in (wall, cpu)]
    for size in (512, 1024):
        state = iter(people * 2)

        def one(size: int = size, state: Any = state) -> None:
            render(next(state), size)

        wall, cpu = timed(one, 5)
        rows[f"render {size} px, s wall / CPU"] = [round(wall, 2), round(cpu, 2)]
    rows["peak memory, MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return rows


AGREED_SIZES = (64, 32, 24, 16)  # sprites' sizes
AGREED_SEED = 77  # not of the people that the preview's constants were fitted to


def agreement(count: int, size: int = 64) -> dict[str, Any]:
    """Downscales (area, in sRGB, as a portrait's is) of the preview of `size` px and of the
    portrait; and the preview rendered at the small size itself against the portrait's."""
    from spriteface.pulse.head.preview import preview_person

    scores: dict[str, list[float]] = {}
    for person in people_from_latents(draw(count, seed=AGREED_SEED)):
        big = render(person, 1024).image
        small = preview_person(person, size).permute(1, 2, 0).numpy()
        for edge in AGREED_SIZES:
            goal = _area(big, edge)
            scores.setdefault(f"both at {edge} px", []).append(_psnr(_area(small, edge), goal))
            if edge < size:
                own = preview_person(person, edge).permute(1, 2, 0).numpy()
                scores.setdefault(f"preview of {edge} px", []).append(_psnr(own, goal))
    rows: dict[str, Any] = {"people": count}
    for name, values in scores.items():
        rows[f"{name}, dB"] = {
            "mean": round(statistics.mean(values), 2),
            "median": round(statistics.median(values), 2),
            "worst": round(min(values), 2),
            "best": round(max(values), 2),
        }
    return rows


def _area(image: Image, edge: int) -> Image:
    """The mean over the pixels that each of (edge,edge) covers."""
    from spriteface.pulse.downscale import matrix

    rows = matrix("area", len(image), edge)
    return np.asarray(np.einsum("ab,bcd,ec->aed", rows, image, rows, optimize=True), np.float32)


def _psnr(a: Image, b: Image) -> float:
    return float(-10 * np.log10(((a - b) ** 2).mean()))


def frontal(person: Person) -> Person:
    """Looking at the viewer, framed in the middle; what is worn stays."""
    return replace(person, pose=Pose(), camera=Camera())


def realism(count: int, size: int = 160, seed: int = 9000) -> dict[str, Any]:
    by_tone = {tone: [0, 0] for tone in range(1, 11)}
    mosaics = blurs = passed = votes = 0
    failures = []
    for n in range(count):
        person = frontal(draw_person(seed + n))
        image = as_u8(render(person, size).image)
        seen = judge(image)
        tone = float(np.clip(melanin_tone(person.skin.melanin), 1, 10))
        by_tone[round(tone)][1] += 1
        by_tone[round(tone)][0] += seen.passes
        votes += seen.votes
        passed += seen.passes
        if not seen.passes:
            failures.append(
                {
                    "seed": seed + n,
                    "tone": round(tone, 1),
                    "votes": seen.votes,
                    "upright": seen.upright,
                    "blurred": seen.blurred,
                    "mosaic": seen.mosaic,
                }
            )
        if n >= BASELINES:
            continue
        small = image.reshape(16, size // 16, 16, size // 16, 3).mean((1, 3)).astype(np.uint8)
        mosaics += judge(small.repeat(size // 16, 0).repeat(size // 16, 1)).passes
        blurs += judge(_bicubic(small, size)).passes
    rate = wilson(passed, count)
    return {
        "samples": count,
        "size, px": size,
        "passed": f"{passed / count:.3f} ({rate.low:.3f}..{rate.high:.3f})",
        "votes of 3, mean": round(votes / count, 2),
        **{f"tone {tone}": f"{yes}/{n}" for tone, (yes, n) in by_tone.items()},
        "mosaics passed": mosaics / min(count, BASELINES),
        "bicubic passed": blurs / min(count, BASELINES),
        "failures": failures,
    }


def as_u8(image: Image) -> NDArray[np.uint8]:
    return np.asarray(np.rint(image * 255).clip(0, 255), np.uint8)


def _bicubic(small: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    from PIL import Image as Pil

    return np.asarray(Pil.fromarray(small).resize((size, size), Pil.Resampling.BICUBIC))


def tones(size: int = 256, each: int = 8) -> dict[str, Any]:
    """Lightness of cheeks against the swatch, and judges, per Monk tone."""
    rows: dict[str, Any] = {}
    for tone in range(1, 11):
        light, passed = [], 0
        for n in range(each):
            person = frontal(draw_person(7000 + n))
            skin = replace(person.skin, melanin=tone_melanin(tone), freckles=0.0)
            image = render(replace(person, skin=skin, wear=()), size).image
            passed += judge(as_u8(image)).passes
            s = size / 128
            cheeks = [
                image[int(66 * s) : int(76 * s), int(x * s) : int((x + 7) * s)] for x in (46, 75)
            ]
            rgb = np.median(np.concatenate([c.reshape(-1, 3) for c in cheeks]), 0) * 255
            light.append(lightness(srgb_to_linear((int(rgb[0]), int(rgb[1]), int(rgb[2])))))
        swatch = lightness(srgb_to_linear(MONK[tone - 1]))
        rows[f"tone {tone}"] = (
            f"L* {np.median(light):.0f} swatch {swatch:.0f} passed {passed}/{each}"
        )
    return rows


def sheet(path: str, across: int = 6, size: int = 384, seed: int = 1000) -> dict[str, Any]:
    from PIL import Image as Pil

    picture = Pil.new("RGB", (across * size, across * size))
    for n in range(across * across):
        image = render(draw_person(seed + n), size).image
        tile = Pil.fromarray(as_u8(image))
        picture.paste(tile, (n % across * size, n // across * size))
    picture.save(path, quality=88)
    return {"sheet": path, "people": across * across, "first seed": seed}


# seeds of people who differ in tone, age, hair, beard and glasses; the last ones get a helmet
STUDIO_PEOPLE = (1010, 1023, 1024, 1030, 1032, 1029)


def studio(
    count: int, path: str = "docs/studio.jpg", size: int = 512, samples: int = 64
) -> dict[str, Any]:
    """Path-traced and fast portraits of the same people: PSNR at 64 px, and per region the mean
    colours' CIEDE2000 (median over people). The sheet shows pairs, the path-traced left."""
    from PIL import Image as Pil

    from spriteface.pulse.head.labels import label_map
    from spriteface.pulse.head.person import Wear
    from spriteface.pulse.head.studio import renderer, trace

    rows: dict[str, Any] = {"renderer": renderer(), "size, px": size, "paths per pixel": samples}
    gaps: dict[str, list[float]] = {}
    psnr, seconds, pairs = [], [], []
    for seed in STUDIO_PEOPLE[:count]:
        person = draw_person(seed)
        if seed == STUDIO_PEOPLE[-1]:
            person = replace(person, wear=(Wear("viking_helmet"),))
        start = time.process_time()
        traced = trace(person, size, samples=samples).image
        seconds.append(time.process_time() - start)
        fast = render(person, size).image
        psnr.append(float(-10 * np.log10(((_shrunk(traced) - _shrunk(fast)) ** 2).mean())))
        rows[f"person {seed}, dB"] = round(psnr[-1], 2)
        for name, gap in region_gaps(traced, fast, label_map(person, size)).items():
            gaps.setdefault(name, []).append(gap)
        pairs.append(np.concatenate([traced, fast], 1))
    rows["PSNR mean, dB"] = round(statistics.mean(psnr), 2)
    rows["traced, CPU s each"] = round(statistics.median(seconds), 1)
    for name, values in gaps.items():
        rows[f"dE2000 {name}"] = round(statistics.median(values), 1)
    _pair_sheet([Pil.fromarray((p * 255 + 0.5).astype(np.uint8)) for p in pairs], path)
    return rows


def region_gaps(a: Image, b: Image, labels: NDArray[np.int64]) -> dict[str, float]:
    """CIEDE2000 of two pictures' mean colours in every region of at least 0.1 % of them."""
    from spriteface.palette.color import delta_e_2000, lab_from_srgb
    from spriteface.types import Label

    out = {}
    for label in Label:
        here = labels == int(label)
        if here.mean() > 1e-3:
            means = [lab_from_srgb(picture[here].mean(0)) for picture in (a, b)]
            out[label.name.lower()] = float(delta_e_2000(*means))
    return out


def _shrunk(image: Image, size: int = 64) -> Image:
    k = image.shape[0] // size
    return image.reshape(size, k, size, k, 3).mean((1, 3))


def _pair_sheet(pairs: list[Any], path: str, width: int = 800) -> None:
    """The pairs, two in a row."""
    from PIL import Image as Pil

    across = min(2, len(pairs))
    down = -(-len(pairs) // across)
    sheet = Pil.new("RGB", (across * width, down * width // 2))
    for n, pair in enumerate(pairs):
        tile = pair.resize((width, width // 2), Pil.Resampling.LANCZOS)
        sheet.paste(tile, (n % across * width, n // across * width // 2))
        if keep := os.environ.get("STUDIO_PAIRS"):  # a folder for the pairs at full size
            pair.save(Path(keep) / f"pair-{n}.png")
    sheet.save(path, quality=86)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--agreement", type=int, metavar="PEOPLE")
    parser.add_argument("--realism", type=int, metavar="SAMPLES")
    parser.add_argument("--size", type=int, default=160, help="px of --realism's pictures")
    parser.add_argument("--tones", action="store_true")
    parser.add_argument("--sheet", metavar="FILE")
    parser.add_argument("--studio", type=int, metavar="PEOPLE")
    asked = parser.parse_args()
    if not any(v for k, v in vars(asked).items() if k != "size"):
        asked.speed = True
    for name, work in (
        ("speed", speed if asked.speed else None),
        ("agreement", (lambda: agreement(asked.agreement)) if asked.agreement else None),
        ("realism", (lambda: realism(asked.realism, asked.size)) if asked.realism else None),
        ("tones", tones if asked.tones else None),
        ("sheet", (lambda: sheet(asked.sheet)) if asked.sheet else None),
        ("studio", (lambda: studio(asked.studio)) if asked.studio else None),
    ):
        if work is None:
            continue
        result = work()
        print(name)
        for key, value in result.items():
            print(f"  {key:38s} {value}")
        print(json.dumps({"benchmark": f"head {name}", **machine(), **result}, default=str))


if __name__ == "__main__":
    main()
