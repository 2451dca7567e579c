"""Is the portrait clearly that character? Reading, portraits and known answers, with failures.

    python -m benchmarks.likeness [LABELS.json]            # reading of labelled faces
    python -m benchmarks.likeness [LABELS.json] --portraits [--size 384] [--limit N] [-o out/]
    python -m benchmarks.likeness --known 30 [--edges 16 24 32]

LABELS.json lists images in the face set's format (`file`, `scale_x`, `offset_x`, `key_color`,
`faces` with `head` boxes, ... relative to its folder); the traits seen in them by eye are in
benchmarks/likeness_labels.json. Without it the project's own samples are read. `--portraits` also
makes each portrait and measures its skin tone and LR-PSNR, and writes a contact sheet. `--known`
renders random people, shrinks them to sprites, reads and searches those, and compares with what
is known.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from benchmarks import machine
from spriteface.extract.reading import read
from spriteface.palette.color import delta_e_2000, lab_from_u8, oklab_from_u8
from spriteface.pulse.colors import median_lab
from spriteface.types import Label, Reading

HERE = Path(__file__).parent
SAMPLES = HERE.parent / "samples"
TRAITS = ("headwear", "hair_word", "hair_length", "facial_hair", "glasses", "mask")
# words that name one thing: a beret is a cap to one and a beanie to another
SAME = {
    "bandana": ("cap", "headband"), "beanie": ("cap", "helmet"), "turban": ("cap",),
    "horned": ("helmet",), "brim": ("cap",), "cap": ("brim", "helmet"), "helmet": ("hood",),
}  # fmt: skip
SAMPLE_WORDS = {
    "none": "", "auburn": "ginger", "dark": "black", "round": "clear", "pointed hat": "pointed",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Case:
    """One face and what a person sees in it; None is not judged, "" is absent."""

    name: str
    rgba: np.ndarray
    truth: dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("labels", type=Path, nargs="?")
    parser.add_argument("--portraits", action="store_true")
    parser.add_argument("--known", type=int, default=0, metavar="N")
    parser.add_argument("--edges", type=int, nargs="*", default=[16, 24, 32])
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="each N-th face only")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, default=Path("out"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    print(machine.describe())
    if options.known:
        report = known_answers(options.known, options.edges, options.seed)
    else:
        cases = list(labelled(options.labels) if options.labels else samples())
        cases = cases[:: options.every][: options.limit or None]
        report = {"reading": score_readings(cases)}
        if options.portraits:
            report["portraits"] = score_portraits(cases, options)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    return report


# ------------------------------------------------------------------ faces and their truth


def labelled(labels: Path) -> Iterator[Case]:
    """Faces of a face set that likeness_labels.json knows, cropped a tenth around the head."""
    images = {image["file"]: image for image in json.loads(labels.read_text())["images"]}
    for truth in json.loads((HERE / "likeness_labels.json").read_text())["faces"]:
        image = images[truth["file"]]
        face = image["faces"][truth["face"]]
        name = f"{Path(truth['file']).stem}_{truth['face']}"
        yield Case(
            name, head_crop(native(labels.parent / truth["file"], image), face["head"]), truth
        )


def native(path: Path, image: dict[str, Any]) -> np.ndarray:
    """(H, W, 4): whole-number enlargement undone, the key colour transparent."""
    rgba = np.asarray(Image.open(path).convert("RGBA"))
    s, x, y = int(image["scale_x"]), int(image["offset_x"]), int(image["offset_y"])
    rgba = rgba[y + s // 2 :: s, x + s // 2 :: s].copy()
    if image["key_color"]:
        key = np.array(image["key_color"])
        rgba[np.abs(rgba[..., :3].astype(int) - key).max(-1) < 3, 3] = 0
    return rgba


def head_crop(rgba: np.ndarray, head: Sequence[float]) -> np.ndarray:
    x, y, w, h = head
    margin = max(1, round(0.1 * max(w, h)))
    edge = int(max(w, h) + 2 * margin)
    x0, y0 = round(x + w / 2 - edge / 2), round(y + h / 2 - edge / 2)
    out = np.zeros((edge, edge, 4), np.uint8)
    rows = slice(max(0, y0), min(rgba.shape[0], y0 + edge))
    columns = slice(max(0, x0), min(rgba.shape[1], x0 + edge))
    out[rows.start - y0 : rows.stop - y0, columns.start - x0 : columns.stop - x0] = rgba[
        rows, columns
    ]
    return out


def samples() -> Iterator[Case]:
    """The project's own single faces, with their truth."""
    truth = json.loads((SAMPLES / "truth.json").read_text())["samples"]
    for file, about in truth.items():
        if "labels" not in about or about["scale"] != 1:
            continue
        rgba = np.asarray(Image.open(SAMPLES / file).convert("RGBA"))
        face = about["faces"][0]
        yield Case(Path(file).stem, rgba, _sample_truth(face))


def _sample_truth(face: dict[str, Any]) -> dict[str, Any]:
    def word(name: str) -> str:
        return SAMPLE_WORDS.get(face[name], face[name])

    hair = word("hair")
    near = {"ginger": ["ginger", "red", "brown"], "black": ["black", "brown", "grey", "green"],
            "grey": ["grey", "white"], "white": ["white", "grey"]}  # fmt: skip
    return {
        "view": face["view"], "side": face["side"],
        "headwear": [word("headwear")],
        "hair_word": near.get(hair, [hair]) if hair else None,
        "hair_length": None,
        "facial_hair": [word("facial_hair")], "glasses": [word("glasses")],
        "mask": None if word("mask") else [""], "skin": None,
    }  # fmt: skip


# ------------------------------------------------------------------ reading


def verdicts(traits: dict[str, Any], truth: dict[str, Any]) -> list[tuple[str, bool, str, bool]]:
    """(name, right, what was read, whether the trait is present) for every judged trait."""
    out = []
    for name in TRAITS:
        good = truth.get(name)
        if good is None:
            continue
        seen = traits[name]
        if name == "hair_length" and traits["bald"]:
            seen = "none"
        right = seen in good or bool(set(SAME.get(seen, ())) & set(good))
        if name == "facial_hair" and seen and any(good):
            right = right or (
                {seen, *good} <= {"goatee", "beard", "moustache"} and seen != "moustache"
            )
        out.append((name, right, seen or "none", good not in ([""], ["none"])))
    if truth.get("skin"):
        wanted = np.array([int(truth["skin"][i : i + 2], 16) for i in (0, 2, 4)], np.uint8)
        gap = oklab_from_u8(wanted) - oklab_from_u8(np.array(traits["skin_rgb"], np.uint8))
        out.append(("skin", float(np.linalg.norm(gap)) < 0.09, str(traits["skin_rgb"]), True))
    views = [truth["view"]] if isinstance(truth["view"], str) else truth["view"]
    out.append(("view", traits["view"] in views, traits["view"], True))
    same = (traits["view"] == "profile") in [view == "profile" for view in views]
    out.append(("view, front or profile", same, traits["view"], True))
    if truth["side"] and traits["view"] != "front":
        out.append(("side", traits["side"] == truth["side"], traits["side"], True))
    return out


def score_readings(cases: Sequence[Case]) -> dict[str, Any]:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    milliseconds, perfect, wrong = [], 0, []
    read(cases[0].rgba)
    for case in cases:
        began = time.process_time()
        reading = read(case.rgba)
        milliseconds.append(1000 * (time.process_time() - began))
        found = verdicts(dict(reading.traits), case.truth)
        for name, right, _, present in found:
            count = counts[name]
            count[0] += right
            count[1] += 1
            count[2] += right and present
            count[3] += present
        bad = [f"{n}={seen}" for n, right, seen, _ in found if not right and n != "view"]
        perfect += not bad
        if bad:
            wrong.append(f"{case.name:36s} {'  '.join(bad)}")
    print("\n".join(wrong))
    print(f"\n{'trait':26s} right of all   right where present")
    for name, (right, n, right_present, present) in counts.items():
        print(f"{name:26s} {right:4d} of {n:4d}   {right_present:4d} of {present:4d}")
    traits = [counts[name] for name in (*TRAITS, "skin") if name in counts]
    share = sum(c[2] for c in traits) / max(1, sum(c[3] for c in traits))
    print(f"traits right where present: {share:.3f}; nothing wrong in {perfect} of {len(cases)}")
    print(f"reading: {machine.spread(milliseconds)} CPU ms")
    return {
        "counts": {k: list(v) for k, v in counts.items()}, "present": share, "perfect": perfect,
        "faces": len(cases), "milliseconds": statistics.median(milliseconds),
    }  # fmt: skip


# ------------------------------------------------------------------ portraits


def score_portraits(cases: Sequence[Case], options: argparse.Namespace) -> dict[str, Any]:
    from spriteface.audit.judges import judge
    from spriteface.options import PortraitOptions
    from spriteface.pulse.generator import load_generator
    from spriteface.pulse.likeness import portray

    generator = load_generator("head")
    rows, tiles = [], []
    for case in cases:
        reading = read(case.rgba)
        began = time.process_time()
        made = portray(
            generator, reading, options=PortraitOptions(size=options.size, seed=options.seed)
        )[0]
        seconds = time.process_time() - began
        gap = skin_gap(generator, made, reading, options.size)
        word = judge(made.image)
        passes = word.passes
        rows.append((case.name, gap, made.lr_psnr_db, seconds, passes))
        tiles.append(tile(case, reading, made.image, made.small))
        print(
            f"{case.name:36s} skin L* {gap:+5.1f}  LR-PSNR {made.lr_psnr_db:5.1f} dB  "
            f"{seconds:5.1f} CPU-s{'' if passes else f'  judges: {word}'}",
            flush=True,
        )
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "likeness.png"
    contact_sheet(tiles).save(path)
    gaps = [abs(row[1]) for row in rows if np.isfinite(row[1])]
    passed = sum(row[4] for row in rows)
    print(f"judges pass {passed} of {len(rows)}")
    within = sum(g <= 5 for g in gaps)
    print(f"skin within 5 L*: {within} of {len(gaps)}; sheet: {path}")
    print(
        f"LR-PSNR {machine.spread([r[2] for r in rows])} dB; {machine.spread([r[3] for r in rows])} CPU-s"
    )
    return {"rows": rows, "skin_within_5": within, "skin_of": len(gaps), "passed": passed}


def skin_gap(generator: Any, made: Any, reading: Reading, size: int) -> float:
    """Portrait skin L* minus the sprite's; NaN where no skin shows or colours say nothing."""
    if reading.traits["mono"] or not hasattr(generator, "regions"):
        return float("nan")
    shown = generator.regions(made.latents, size)[0].numpy()
    seen = median_lab(made.image, np.isin(shown, (Label.SKIN, Label.NOSE)))
    if seen is None:
        return float("nan")
    return float(seen[0] - lab_from_u8(np.array(reading.traits["skin_rgb"], np.uint8))[0])


PALETTE = np.array([
    (40, 44, 52), (0, 0, 0), (255, 205, 160), (150, 90, 30), (90, 60, 140), (255, 255, 255),
    (40, 90, 255), (230, 150, 110), (255, 60, 160), (255, 220, 240), (110, 200, 60), (220, 40, 40),
    (255, 120, 120), (255, 240, 60), (120, 120, 190), (120, 120, 130), (255, 170, 110), (60, 170, 170),
], np.uint8)  # fmt: skip


def tile(
    case: Case, reading: Reading, portrait: np.ndarray, small: np.ndarray, edge: int = 192
) -> Image.Image:
    """Sprite, labels, portrait and downscaled portrait side by side."""
    out = Image.new("RGB", (4 * edge + 6, edge + 30), (60, 66, 74))
    sprite = Image.fromarray(case.rgba).resize((edge, edge), Image.Resampling.NEAREST)
    out.paste(sprite, (0, 0), sprite)
    for i, (picture, how) in enumerate((
        (PALETTE[reading.labels], Image.Resampling.NEAREST),
        (portrait, Image.Resampling.LANCZOS),
        (small, Image.Resampling.NEAREST),
    )):  # fmt: skip
        out.paste(Image.fromarray(picture).resize((edge, edge), how), ((i + 1) * edge, 0))
    t = reading.traits
    text = f"{case.name}: {t['view']} {t['side']} | {t['headwear'] or 'no hat'} | {t['hair_word']} {t['hair_length']} {t['hair_style']}"
    more = f"{t['facial_hair'] or 'no beard'} | {t['glasses']} {t['mask']} | {t['age']} | confidence {reading.confidence_overall:.2f}"
    draw = ImageDraw.Draw(out)
    draw.text((2, edge + 2), text, fill=(255, 255, 255))
    draw.text((2, edge + 15), more, fill=(200, 220, 255))
    return out


def contact_sheet(tiles: Sequence[Image.Image], columns: int = 2) -> Image.Image:
    w, h = tiles[0].size
    rows = (len(tiles) + columns - 1) // columns
    sheet = Image.new("RGB", (columns * w, rows * h), (60, 66, 74))
    for i, one in enumerate(tiles):
        sheet.paste(one, (i % columns * w, i // columns * h))
    return sheet


# ------------------------------------------------------------------ known answers


# cuts by what is left of them in a few pixels
NEAR_CUTS = {
    **dict.fromkeys(("bald", "receding", "buzz"), "none"),
    **dict.fromkeys(("short", "side_part", "fringe", "quiff", "slick", "spikes", "mohawk"), "short"),
    **dict.fromkeys(("bob", "long", "curtains", "braids", "dreadlocks"), "long"),
    **dict.fromkeys(("ponytail", "bun"), "tied"), **dict.fromkeys(("curls", "afro"), "round"),
}  # fmt: skip


def known_answers(count: int, edges: Sequence[int], seed: int) -> dict[str, Any]:
    """Random people, rendered and shrunk: how much of them comes back?"""
    import torch

    from spriteface.options import PortraitOptions
    from spriteface.pulse.downscale import downscale_array
    from spriteface.pulse.generator import load_generator
    from spriteface.pulse.likeness import portray

    generator: Any = load_generator("head")
    truth = generator.sample(count, 900_000 + seed)
    results: dict[str, list[float]] = defaultdict(list)
    for i in range(count):
        edge = edges[i % len(edges)]
        with torch.no_grad():
            picture = generator.render(truth[i], 512)[0].permute(1, 2, 0).numpy()
            matte = generator.matte(truth[i], 512)[0].numpy()
        small = downscale_array(picture, (edge, edge))
        alpha = downscale_array(matte[..., None].astype(np.float32), (edge, edge))
        rgba = np.concatenate([small, (alpha > 0.5).astype(np.float32)], -1)
        reading = read(np.clip(np.rint(rgba * 255), 0, 255).astype(np.uint8))
        options = PortraitOptions(size=512, seed=i, faithful=1.0)
        compare(generator, truth[i], portray(generator, reading, options=options)[0], results)
    for name, values in results.items():
        known = [v for v in values if np.isfinite(v)]
        if name.startswith("right"):
            print(f"{name:32s} {100 * sum(known) / max(1, len(known)):5.1f} % of {len(known)}")
        else:
            print(f"{name:32s} median {statistics.median(known):6.2f}  (of {len(known)})")
    return {name: list(values) for name, values in results.items()}


def compare(generator: Any, truth: Any, found: Any, results: dict[str, list[float]]) -> None:
    was, made = generator.people(truth)[0], generator.people(found.latents)[0]
    results["LR-PSNR, natural, dB"].append(found.lr_psnr_natural_db)
    results["LR-PSNR, faithful, dB"].append(found.lr_psnr_db)

    def worn(person: Any, slot: str) -> str:
        from spriteface.pulse.head.wear import ITEMS

        kinds = [w.kind for w in person.wear if ITEMS[w.kind].slot == slot]
        return kinds[0] if kinds else ""

    results["right: headwear or none"].append(bool(worn(was, "head")) == bool(worn(made, "head")))
    if worn(was, "head"):
        results["right: headwear kind"].append(worn(was, "head") == worn(made, "head"))
    results["right: beard or none"].append(
        (was.facial_hair.style != "none") == (made.facial_hair.style != "none")
    )
    results["right: glasses or none"].append(bool(worn(was, "eyes")) == bool(worn(made, "eyes")))
    near = NEAR_CUTS.get(was.hair.style, was.hair.style)
    results["right: hair length or none"].append(near == NEAR_CUTS.get(made.hair.style, ""))
    results["yaw, degrees off"].append(abs(np.degrees(was.pose.yaw - made.pose.yaw)))
    import torch

    with torch.no_grad():
        shown = [generator.regions(x, 128)[0].numpy() for x in (truth, found.latents)]
        seen = [
            generator.preview(x, 128)[0].permute(1, 2, 0).numpy() for x in (truth, found.latents)
        ]
    for name, labels in (("skin", (Label.SKIN,)), ("hair", (Label.HAIR,))):
        masks = [np.isin(s, labels) for s in shown]
        if min(m.sum() for m in masks) < 20:
            continue
        labs = [
            np.median(lab_from_u8(np.clip(p[m] * 255, 0, 255).astype(np.uint8)), axis=0)
            for p, m in zip(seen, masks, strict=True)
        ]
        if name == "skin":
            results["skin, L* off"].append(abs(float(labs[0][0] - labs[1][0])))
        else:
            results["hair, CIEDE2000"].append(float(delta_e_2000(labs[0], labs[1])))


if __name__ == "__main__":
    main()
