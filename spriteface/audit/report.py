"""The report card as text, as JSON, and as one HTML file with its pictures inside."""

from __future__ import annotations

import base64
import dataclasses
import html
import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..files import write_bytes
from ..palette.color import srgb_from_lab, u8_from_srgb
from ..types import U8
from .skin_tone import Sample, SkinToneCard
from .stats import Interval, Verdict
from .suites import Consistency, Diversity, Realism, as_plain


@dataclass(frozen=True)
class Picture:
    """`name` is that of its file, without a suffix."""

    name: str
    title: str
    image: U8


@dataclass(frozen=True)
class Report:
    """Everything one run of the audit found; a suite that wasn't asked for is None or empty."""

    generator: str
    version: str
    effort: str
    size: int
    consistency: Sequence[Consistency] = ()
    realism: Sequence[Realism] = ()
    diversity: Diversity | None = None
    skin_tone: SkinToneCard | None = None
    pictures: Sequence[Picture] = ()

    @property
    def failed(self) -> bool:
        return self.skin_tone is not None and self.skin_tone.verdict is Verdict.FAIL

    def to_json(self) -> dict[str, Any]:
        return {
            "generator": self.generator,
            "version": self.version,
            "effort": self.effort,
            "portrait_px": self.size,
            "imagined": True,
            "consistency": as_plain(list(self.consistency)),
            "realism": as_plain(list(self.realism)),
            "diversity": as_plain(self.diversity),
            "skin_tone": self._skin_tone(),
            "skin_tone_verdict": str(self.skin_tone.verdict) if self.skin_tone else None,
        }

    def _skin_tone(self) -> Any:
        """The card; its samples as a table, a line each, because there are a thousand."""
        if self.skin_tone is None:
            return None
        card: Any = as_plain(dataclasses.replace(self.skin_tone, samples=()))
        names = [f.name for f in dataclasses.fields(Sample)]
        rows = [as_plain([getattr(s, name) for name in names]) for s in self.skin_tone.samples]
        return {**card, "samples": {"columns": names, "rows": rows}}


Table = tuple[str, list[str], list[list[str]]]  # title, head, rows


def tables(report: Report) -> list[Table]:
    """The card as titled tables of text, the one source of both text and HTML."""
    found: list[Table] = []
    if report.consistency:
        found.append(_consistency(report.consistency))
    if report.realism:
        found.append(_realism(report.realism))
    if report.diversity:
        found.append(_diversity(report.diversity))
    if report.skin_tone:
        found += _skin_tone(report.skin_tone)
    return found


def _n(value: float, digits: int = 1) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "-"


def _span(found: Interval, digits: int = 1) -> str:
    return f"{_n(found.value, digits)} [{_n(found.low, digits)}, {_n(found.high, digits)}]"


def _consistency(cards: Sequence[Consistency]) -> Table:
    rows = [
        [
            c.mode,
            _span(c.lr_psnr_db),
            f"{_n(c.delta_e_median)} / {_n(c.delta_e_p95)}",
            f"{c.palette_kept:.0%}",
            f"{c.count}",
            f"{c.failures}",
            _n(c.seconds, 2),
        ]
        for c in cards
    ]
    title = f"Consistency: the portrait made small again (operator: {cards[0].operator})"
    head = [
        "mode",
        "LR-PSNR dB median [95 % of sprites]",
        "CIEDE2000 median / p95",
        "palette kept",
        "sprites",
        "failures",
        "seconds",
    ]
    return title, head, rows


def _realism(cards: Sequence[Realism]) -> Table:
    rows = [
        [
            c.kind,
            f"{c.passed}/{c.count}",
            f"{c.rate.value:.0%} [{c.rate.low:.0%}, {c.rate.high:.0%}]",
            _n(c.votes),
            f"{c.mosaics}",
            f"{c.blurred}",
            f"{c.upside_down}",
            f"{c.failures}",
            "not asked" if c.mediapipe is None else f"{c.mediapipe}",
        ]
        for c in cards
    ]
    head = [
        "picture",
        "passed",
        "rate [95 % Wilson]",
        "votes of 3",
        "mosaics",
        "blurs",
        "no more upright than upside down",
        "failures",
        "MediaPipe alone",
    ]
    return "Realism: independent judges, with gates against mosaics and blur", head, rows


def _diversity(card: Diversity) -> Table:
    def tone(values: tuple[float, float, float]) -> str:
        return " / ".join(_n(v) for v in values)

    rows = [
        [
            f"RMSE between the {card.candidates} candidates of {card.sprites} sprites, 64 px",
            _n(card.candidate_rmse, 3),
        ],
        ["the same between strangers (draws of the prior)", _n(card.stranger_rmse, 3)],
        ["percentile of latents under the prior, 5 / 50 / 95 %", tone(card.prior_percentile)],
        [
            f"skin L* for a blank 4x4 input, {card.blanks} seeds, 5 / 50 / 95 %",
            tone(card.blank_tone),
        ],
        ["skin L* of the declared prior, 5 / 50 / 95 %", tone(card.declared_tone)],
        [
            "distance of the two (Kolmogorov-Smirnov)",
            f"{_n(card.ks, 3)} (agree below {_n(card.ks_limit, 3)})",
        ],
        ["failures", f"{card.failures}"],
    ]
    return "Diversity: what the sprite leaves open", ["figure", "value"], rows


def _skin_tone(card: SkinToneCard) -> list[Table]:
    rows = [
        [
            f"{r.tone + 1}",
            f"{r.count}",
            f"{r.failures}",
            _span(r.delta_l),
            _n(r.delta_ita),
            _n(r.delta_hue),
            _n(r.skin_over_eye, 2),
            f"{r.pass_rate.value:.0%}" if r.pass_rate else "-",
        ]
        for r in card.rows
    ]
    head = [
        "Monk tone",
        "portraits",
        "failures",
        "delta L* [95 %]",
        "delta ITA",
        "delta hue",
        "skin / eye-white L*",
        "judges",
    ]
    light = f"slope of skin over eye-white L*, portrait on sprite: {_span(card.lighting, 2)}"
    tones = (f"Skin tone: portrait minus sprite, per tone ({light})", head, rows)
    answers = [
        [
            c.name,
            c.about,
            _span(c.estimate, 2),
            _margin(c.margin),
            str(c.verdict),
        ]
        for c in card.criteria
    ]
    verdict = f"Skin-tone parity: {card.verdict}"
    return [
        tones,
        (verdict, ["criterion", "what", "estimate [95 %]", "must lie in", "verdict"], answers),
    ]


def _margin(margin: tuple[float, float]) -> str:
    low, high = margin
    return f"{low:g} to {high:g}" if math.isfinite(high) else f"at least {low:g}"


def as_text(report: Report) -> str:
    """The card for a terminal."""
    lines = [
        f"Report card: {report.generator} {report.version} ({report.effort} audit, portraits of {report.size} px)"
    ]
    lines.append("All portraits are imagined; these figures say how, not whom.")
    for title, head, rows in tables(report):
        widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
        lines += ["", title]
        lines += [
            "  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip()
            for row in [head, *rows]
        ]
    return "\n".join(lines)


def as_markdown(report: Report) -> str:
    """The card for a repository; its pictures lie beside it."""
    lines = [f"# Report card: {report.generator} {report.version}", ""]
    lines += [f"{report.effort} audit, portraits of {report.size} px, all imagined.", ""]
    for title, head, rows in tables(report):
        lines += [f"## {title}", "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        lines += ["| " + " | ".join(row) + " |" for row in rows] + [""]
    for picture in report.pictures:
        lines += [f"## {picture.title}", "", f"![{picture.title}]({picture.name}.jpg)", ""]
    return "\n".join(lines)


_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:0 0 2em}td,th{padding:.25em .7em;border-bottom:1px solid #ddd;
text-align:left}th{background:#f3f3f3}.pass{color:#0a6b2d;font-weight:600}.fail{color:#b00020;
font-weight:600}.inconclusive{color:#8a5a00;font-weight:600}img{max-width:100%}figure{margin:1em 0}
.tone{display:inline-block;width:1em;height:1em;vertical-align:-.1em;margin-right:.4em}
"""


def as_html(report: Report) -> str:
    """One self-contained page."""
    parts = [f"<h1>Report card: {html.escape(report.generator)} {html.escape(report.version)}</h1>"]
    parts.append(
        f"<p>{report.effort} audit, portraits of {report.size} px. Every portrait is imagined, never recovered.</p>"
    )
    for title, head, rows in tables(report):
        parts.append(f"<h2>{html.escape(title)}</h2><table><tr>")
        parts += [f"<th>{html.escape(cell)}</th>" for cell in head]
        parts.append("</tr>")
        for row in rows:
            cells = "".join(_cell(cell) for cell in row)
            parts.append(f"<tr>{cells}</tr>")
        parts.append("</table>")
    if report.skin_tone:
        parts.append(_swatches(report.skin_tone))
    for picture in report.pictures:
        title = html.escape(picture.title)
        parts.append(
            f"<figure><img alt='{title}' src='{_embedded(picture.image)}'>"
            f"<figcaption>{title}</figcaption></figure>"
        )
    body = "".join(parts)
    return f"<!doctype html><html lang='en'><meta charset='utf-8'><title>Report card</title><style>{_STYLE}</style><body>{body}</body></html>"


def _cell(text: str) -> str:
    kind = f" class='{text}'" if text in set(Verdict) else ""
    return f"<td{kind}>{html.escape(text)}</td>"


def _swatches(card: SkinToneCard) -> str:
    """Each tone's colour in the sprite beside the mean colour in the portraits."""
    rows = []
    for row in card.rows:
        mine = [s for s in card.samples if s.tone == row.tone]
        pair = [np.mean([getattr(s, key) for s in mine], axis=0) for key in ("lab_in", "lab_out")]
        colors = ["#" + bytes(u8_from_srgb(srgb_from_lab(lab))).hex() for lab in pair]
        boxes = "".join(
            f"<span class='tone' style='width:6em;background:{c}'></span>" for c in colors
        )
        rows.append(f"<div>{row.tone + 1:2d} {boxes}</div>")
    return "<h2>Sprite and portrait skin, by tone</h2>" + "".join(rows)


def _jpeg(picture: U8) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=85, optimize=True)
    return buffer.getvalue()


def _embedded(picture: U8) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(_jpeg(picture)).decode()


def _json_text(plain: Any) -> str:
    """Indented, but a row of samples on one line."""
    text = json.dumps(plain, indent=1)
    table = (plain.get("skin_tone") or {}).get("samples")
    if not table:
        return text
    rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in table["rows"])
    return text.replace(json.dumps(table["rows"], indent=1).replace("\n", "\n   "), f"[\n{rows}]")


def save(report: Report, folder: Path, *, page: bool = True) -> list[Path]:
    """Write report.json, report.md with its pictures and, if `page`, report.html, which needs no
    other file; each whole or not at all."""
    files = {
        "report.json": _json_text(report.to_json()).encode(),
        "report.md": as_markdown(report).encode(),
        **{f"{p.name}.jpg": _jpeg(p.image) for p in report.pictures},
    }
    if page:
        files["report.html"] = as_html(report).encode()
    return [write_bytes(folder / name, data) for name, data in files.items()]
