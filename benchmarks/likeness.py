"""Is the portrait clearly that character? Reading, portraits and known answers, with failures.

    python -m benchmarks.likeness [LABELS.json] [--found]  # reading of labelled faces
    python -m benchmarks.likeness [LABELS.json] --portraits [--size 384] [--limit N] [-o out/]
    python -m benchmarks.likeness --known 300 [--edges 16 24 32] [--size 256] [--jobs 2]

LABELS.json lists images in the face set's format (`file`, `scale_x`, `offset_x`, `key_color`,
`faces` with `head` boxes, ... relative to its folder); the traits seen in them by eye are in
benchmarks/likeness_labels.json. Without it the project's own samples are read. `--found` reads the
crops that a user meets, those of the faces that extraction finds. `--portraits` also
makes each portrait, asks the judges, measures skin tone and LR-PSNR, names the ten worst and why,
and writes a contact sheet. `--known` renders random people, shrinks them to sprites, reads and
searches those, and compares with what is known. Both keep what they have made in the output folder
and go on there after a break, unless code or options have changed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks import machine
from spriteface.extract.reading import read
from spriteface.palette.color import oklab_from_u8
from spriteface.types import Box, Face

HERE = Path(__file__).parent
SAMPLES = HERE.parent / "samples"
FOUND_SCORE, FOUND_IOU = 0.05, 0.3
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
    parser.add_argument("--found", action="store_true", help="read the crops that extraction makes")
    parser.add_argument("--known", type=int, default=0, metavar="N")
    parser.add_argument("--edges", type=int, nargs="*", default=[16, 24, 32])
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="each N-th face only")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("-o", "--output", type=Path, default=Path("out"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    print(machine.describe())
    if options.known:
        report = known_answers(options)
    else:
        if options.found and (options.portraits or not options.labels):
            parser.error("--found wants LABELS.json and goes without --portraits")
        cases = chosen(options.labels, options.every, options.limit)
        if options.found:
            cases = found_cases(options.labels, cases)
        report = {"reading": score_readings(cases)}
        if options.portraits:
            report["portraits"] = score_portraits(len(cases), options)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    return report


# ------------------------------------------------------------------ faces and their truth


def chosen(labels: Path | None, every: int, limit: int) -> list[Case]:
    """The labelled faces, or the samples; each `every`-th, at most `limit` unless that is 0."""
    return list(labelled(labels) if labels else samples())[::every][: limit or None]


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


def found_cases(labels: Path, cases: Sequence[Case]) -> list[Case]:
    """The same faces in the crops that extraction makes of them; those that it misses are left
    out and counted."""
    from spriteface.pipeline import find_faces

    images = {image["file"]: image for image in json.loads(labels.read_text())["images"]}
    seen: dict[str, list[Face]] = {}
    out = []
    for case in cases:
        file = case.truth["file"]
        if file not in seen:
            seen[file] = find_faces(labels.parent / file, min_score=FOUND_SCORE)
        head = Box(*(round(v) for v in images[file]["faces"][case.truth["face"]]["head"]))
        best = max(seen[file], key=lambda face: face.head.iou(head), default=None)
        if best is not None and best.head.iou(head) >= FOUND_IOU:
            out.append(Case(case.name, best.pixels.rgba, case.truth))
    print(f"found {len(out)} of {len(cases)} faces")
    return out


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


def score_portraits(count: int, options: argparse.Namespace) -> dict[str, Any]:
    """Portraits of the faces that `chosen` names, judged, measured and shown."""
    from benchmarks._likeness_search import contact_sheet, run

    config = {
        "labels": str(options.labels) if options.labels else "", "every": options.every,
        "limit": options.limit, "size": options.size, "seed": options.seed,
        "output": str(options.output),
    }  # fmt: skip
    rows = run("face", count, config, options.output / "portraits.jsonl", options.jobs)
    tiles = [Image.open(options.output / row["tile"]) for row in rows]
    path = options.output / "likeness.png"
    contact_sheet(tiles).save(path)
    for row in sorted(rows, key=lambda row: -row["off"])[:10]:
        print(f"{row['name']:36s} {'; '.join(row['why'])}")
    gaps = [abs(row["skin"]) for row in rows if row["skin"] is not None]
    passed, within = sum(row["passes"] for row in rows), sum(gap <= 5 for gap in gaps)
    print(f"judges pass {passed} of {len(rows)}")
    print(f"skin within 5 L*: {within} of {len(gaps)}, at most {max(gaps):.1f} off; sheet: {path}")
    spread = machine.spread
    print(
        f"LR-PSNR {spread([r['psnr'] for r in rows])} dB; {spread([r['cpu'] for r in rows])} CPU-s"
    )
    return {"rows": rows, "skin_within_5": within, "skin_of": len(gaps), "passed": passed}


# ------------------------------------------------------------------ known answers


def known_answers(options: argparse.Namespace) -> dict[str, Any]:
    """Random people, rendered and shrunk: how much of them comes back?"""
    from benchmarks._likeness_search import run

    config = {"edges": options.edges, "size": options.size, "seed": options.seed}
    rows = run("known", options.known, config, options.output / "known.jsonl", options.jobs)
    results: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        for name, value in row["found"].items():
            results[name].append(value)
    for name, values in sorted(results.items()):
        if name.startswith("right"):
            print(f"{name:32s} {100 * sum(values) / len(values):5.1f} % of {len(values)}")
        else:
            worst = min(values) if "dB" in name else max(values)
            middle = statistics.median(values)
            print(f"{name:32s} median {middle:6.2f}  worst {worst:6.2f}  (of {len(values)})")
    cpu = machine.spread([row["cpu"] for row in rows])
    wrong = Counter(f"{row['cut'][0]} read as {row['cut'][1]}" for row in rows if row["cut"])
    print(f"cuts: {'; '.join(f'{n} x {cut}' for cut, n in wrong.most_common(8))}")
    print(f"{cpu} CPU-s a person")
    return {"results": dict(results), "rows": rows}


if __name__ == "__main__":
    main()
