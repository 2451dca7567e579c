"""The work behind `likeness`: portraits in one or several processes, with a record to go on from."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.likeness import Case, chosen, verdicts
from spriteface.audit.play import fingerprint
from spriteface.batch.executor import Task
from spriteface.batch.pool import LocalPool
from spriteface.extract.reading import read
from spriteface.options import PortraitOptions
from spriteface.palette.color import delta_e_2000, lab_from_u8
from spriteface.pulse.colors import as_believed, median_lab
from spriteface.pulse.head.cuts import KIND_OF
from spriteface.types import Label, Reading

Row = dict[str, Any]


def run(kind: str, count: int, config: Mapping[str, Any], record: Path, jobs: int) -> list[Row]:
    """Rows 0..count-1 of `kind` ("face" or "known"); those that the record holds aren't made
    again."""
    from spriteface.pulse.generator import load_generator

    belongs = fingerprint(load_generator("head").info, PortraitOptions(seed=config["seed"]))
    head = json.dumps([belongs, kind, {**config, "limit": 0}], sort_keys=True)
    done = _recorded(record, head)
    left = [i for i in range(count) if i not in done]
    record.parent.mkdir(parents=True, exist_ok=True)
    with record.open("a" if done else "w") as file:
        if not done:
            file.write(head + "\n")
        for i, row in _made(kind, left, config, jobs):
            done[i] = row
            file.write(json.dumps([i, row]) + "\n")
            file.flush()
            print(f"{len(done)} of {count}", end="\r", flush=True)
    return [done[i] for i in range(count)]


def _recorded(record: Path, head: str) -> dict[int, Row]:
    if not record.exists():
        return {}
    first, *lines = record.read_text().splitlines() or [""]
    if first != head:
        return {}
    found = {}
    for line in lines:
        try:
            i, row = json.loads(line)
        except ValueError:  # cut short by a crash
            continue
        found[int(i)] = row
    return found


def _made(kind: str, left: list[int], config: Mapping[str, Any], jobs: int) -> Any:
    """(number, row) of each as it is finished."""
    if jobs < 2:
        work = work_for((kind, dict(config)))
        for i in left:
            yield i, work(i)
        return
    pool = LocalPool("benchmarks._likeness_search:work_for", (kind, dict(config)), workers=jobs)
    waiting, under_way = list(left), 0
    try:
        while waiting or under_way:
            while waiting and under_way < jobs:
                number = waiting.pop(0)
                pool.submit(Task(str(number), number, alone=True))
                under_way += 1
            for result in pool.results(1.0):
                under_way -= 1
                if result.failure is not None:
                    raise result.failure.error()
                yield result.task.payload, result.value
    finally:
        pool.close()


def work_for(config: tuple[str, Mapping[str, Any]]) -> Callable[[int], Row]:
    """What a process does with the number of a row."""
    import torch

    from spriteface.pulse.generator import load_generator

    torch.set_num_threads(1)
    kind, how = config
    generator = load_generator("head")
    if kind == "known":
        return lambda i: known(generator, i, how)
    cases = chosen(Path(how["labels"]) if how["labels"] else None, how["every"], how["limit"])
    return lambda i: portrayed(generator, cases[i], i, how)


# ------------------------------------------------------------------ portraits of drawn faces


def portrayed(generator: Any, case: Case, i: int, how: Mapping[str, Any]) -> Row:
    """One face's portrait, judged and measured; its tile is written into the output folder."""
    from spriteface.audit.judges import judge
    from spriteface.pulse.likeness import portray

    reading = read(case.rgba)
    began = time.process_time()
    options = PortraitOptions(size=how["size"], seed=how["seed"])
    made = portray(generator, reading, options=options)[0]
    cpu = time.process_time() - began
    gap = skin_gap(generator, made, reading, how["size"])
    yaw = float(generator.people(made.latents)[0].pose.yaw)
    word = judge(made.image, yaw=yaw)
    wrong = [
        f"{n} read as {w}"
        for n, right, w, _ in verdicts(dict(reading.traits), case.truth)
        if not right
    ]
    why = list(wrong)
    if not word.passes:
        why.append(
            f"judges: {word.votes} of {word.judges}{'' if word.upright else ', no more upright than upside down'}"
            f"{', blurred' * word.blurred}{', flat' * word.mosaic}{', not seen aside' * (word.side is False)}"
        )
    if np.isfinite(gap) and abs(gap) > 5:
        why.append(f"skin {gap:+.1f} L*")
    path = Path(how["output"]) / "tiles" / f"{i:03d}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    tile(case, reading, made.image, made.small).save(path)
    return {
        "name": case.name, "skin": float(gap) if np.isfinite(gap) else None, "passes": bool(word.passes),
        "votes": int(word.votes), "upright": bool(word.upright), "yaw": yaw, "side": word.side,
        "gates": [word.flat_share, word.comb, word.slope, word.detail], "psnr": float(made.lr_psnr_db),
        "loss": float(made.loss), "off": float(len(why) + made.loss), "why": why, "cpu": cpu,
        "tile": f"tiles/{i:03d}.png", "view": str(reading.traits["view"]),
    }  # fmt: skip


def skin_gap(generator: Any, made: Any, reading: Reading, size: int) -> float:
    """Portrait skin L* minus the sprite's; NaN where no skin shows or colours say nothing."""
    if reading.traits["mono"] or not hasattr(generator, "regions"):
        return float("nan")
    shown = generator.regions(made.latents, size)[0].numpy()
    seen = median_lab(made.image, np.isin(shown, (Label.SKIN, Label.NOSE)))
    if seen is None:
        return float("nan")
    wanted = as_believed(reading).traits["skin_rgb"]
    if wanted is None:
        return float("nan")
    return float(seen[0] - lab_from_u8(np.array(wanted, np.uint8))[0])


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


FRONT_YAW = 0.35  # up to which hair tied behind the head is hidden by it


def same_cut(was: Any, made: Any) -> bool:
    """Whether two people's hair is alike as far as a few pixels show it: what is tied behind a
    head seen from the front, and what is cropped or receding, can't be told from short hair."""
    near, found = KIND_OF[was.hair.style], KIND_OF[made.hair.style]
    hidden = was.hair.style in ("ponytail", "bun") and abs(was.pose.yaw) < FRONT_YAW
    cropped = was.hair.style in ("receding", "buzz")
    return near == found or (found == "short" and (hidden or cropped))


def known(generator: Any, i: int, how: Mapping[str, Any]) -> Row:
    """Random person `i`, rendered and shrunk to a sprite, read and searched."""
    import torch

    from spriteface.pulse.downscale import downscale_array
    from spriteface.pulse.likeness import portray

    began = time.process_time()
    size, edge = how["size"], how["edges"][i % len(how["edges"])]
    truth = generator.sample(1, 900_000 + 1000 * how["seed"] + i)
    with torch.no_grad():
        picture = generator.render(truth, size)[0].permute(1, 2, 0).numpy()
        matte = generator.matte(truth, size)[0].numpy()
    small = downscale_array(picture, (edge, edge))
    alpha = downscale_array(matte[..., None].astype(np.float32), (edge, edge))
    rgba = np.concatenate([small, (alpha > 0.5).astype(np.float32)], -1)
    reading = read(np.clip(np.rint(rgba * 255), 0, 255).astype(np.uint8))
    options = PortraitOptions(size=size, seed=i, faithful=1.0)
    made = portray(generator, reading, options=options)[0]
    found = {n: float(x) for n, x in compare(generator, truth, made).items() if np.isfinite(x)}
    styles = [generator.people(latents)[0].hair.style for latents in (truth, made.latents)]
    wrong = not found["right: cut, as far as it shows"]
    return {
        "found": found,
        "edge": edge,
        "cut": styles if wrong else None,
        "cpu": time.process_time() - began,
    }


def compare(generator: Any, truth: Any, found: Any) -> dict[str, float]:
    """What of `truth` came back in `found`; "right: ..." are 0 or 1."""
    results: dict[str, float] = {}
    was, made = generator.people(truth)[0], generator.people(found.latents)[0]
    results["LR-PSNR, natural, dB"] = found.lr_psnr_natural_db
    results["LR-PSNR, faithful, dB"] = found.lr_psnr_db

    def worn(person: Any, slot: str) -> str:
        from spriteface.pulse.head.wear import ITEMS

        kinds = [w.kind for w in person.wear if ITEMS[w.kind].slot == slot]
        return kinds[0] if kinds else ""

    results["right: headwear or none"] = bool(worn(was, "head")) == bool(worn(made, "head"))
    if worn(was, "head"):
        results["right: headwear kind"] = worn(was, "head") == worn(made, "head")
    results["right: beard or none"] = (was.facial_hair.style != "none") == (
        made.facial_hair.style != "none"
    )
    results["right: glasses or none"] = bool(worn(was, "eyes")) == bool(worn(made, "eyes"))
    near, found_cut = KIND_OF[was.hair.style], KIND_OF[made.hair.style]
    results["right: cut, to the letter"] = near == found_cut
    results["right: cut, as far as it shows"] = same_cut(was, made)
    results["yaw, degrees off"] = abs(np.degrees(was.pose.yaw - made.pose.yaw))
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
            results["skin, L* off"] = abs(float(labs[0][0] - labs[1][0]))
        else:
            results["hair, CIEDE2000"] = float(delta_e_2000(labs[0], labs[1]))
    return results
