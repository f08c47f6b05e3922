"""Draw the figures of docs/selection.md as SVG, without a plotting library."""

import itertools
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from benchmarks.selection import null
from benchmarks.selection.report import REFERENCE, judgements
from benchmarks.selection.separation import RULES
from benchmarks.selection.table import load_table

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
INK, PALE, BLUE, ORANGE = "#1f2937", "#d1d5db", "#2563eb", "#d97706"
LOW, HIGH = np.array([236, 231, 242]), np.array([4, 78, 123])  # colours of the worst and the best


def draw() -> None:
    """All of them."""
    IMAGES.mkdir(exist_ok=True)
    for name, picture in (("table", table_picture("cifar10")), ("regret", regret_picture()), ("null", null_picture())):
        (IMAGES / f"selection-{name}.svg").write_text(picture, encoding="utf-8")


def regret_picture() -> str:
    """Mean regret with two standard errors, by method, table and number of rows."""
    panels = [(table, n) for table in ("cifar10", "held-out") for n in (1_000, 5_000)]
    found = [judgements(*panel) for panel in panels]
    names = list(found[0])
    left, wide, row, top = 230, 150, 20, 40
    most = max(j.regret.value for of in found for j in of.values()) * 1.08
    parts = []
    for k, name in enumerate(names):
        weight = ' font-weight="bold"' if name == REFERENCE else ""
        parts.append(text(left - 12, top + k * row + 4, name, anchor="end", extra=weight))
        parts.append(line(left, top + k * row, left + len(panels) * (wide + 14), top + k * row, PALE, 0.5))
    for i, ((table, n), of) in enumerate(zip(panels, found, strict=True)):
        x0 = left + i * (wide + 14)
        parts.append(text(x0 + wide / 2, 18, f"{table}, n = {n:,}", anchor="middle", extra=' font-weight="bold"'))
        parts += axis(x0, top + len(names) * row, wide, 100 * most)
        for k, name in enumerate(names):
            if name not in of:
                continue
            mean, y = of[name].regret, top + k * row
            at, half = x0 + wide * mean.value / most, wide * 2 * mean.error / most
            colour = BLUE if name.startswith("chain") else ORANGE
            parts += [line(at - half, y, at + half, y, colour, 2), dot(at, y, 3.5, colour)]
    height = top + len(names) * row + 40
    caption = "regret in points of accuracy, ± 2 standard errors"
    parts.append(text(left + len(panels) * (wide + 14) / 2, height - 6, caption, anchor="middle"))
    return svg(left + len(panels) * (wide + 14) + 10, height, parts)


def null_picture() -> str:
    """How often any of equal finalists is called worse, by rule and number of finalists."""
    numbers, n_valid = (2, 3, 4, 5), 1_000
    table, left, top, wide, high = load_table("cifar10"), 60, 20, 420, 240
    rates = [null.false_separation(null.draws(table, n_valid, m)) for m in numbers]
    most = 0.5

    def at(m: float, rate: float) -> tuple[float, float]:
        return left + wide * (m - 1.8) / 3.4, top + high * (1 - rate / most)

    parts = []
    for percent in range(0, 51, 10):
        y = at(2, percent / 100)[1]
        parts += [line(left, y, left + wide, y, PALE, 0.5), text(left - 8, y + 4, f"{percent} %", anchor="end")]
    y = at(2, 0.05)[1]
    parts += [line(left, y, left + wide, y, ORANGE, 1), text(left - 8, y + 4, "5 %", anchor="end")]
    for rule in RULES:
        found = [rate[rule][0] for rate in rates]
        colour, points = BLUE if rule == "Tukey" else INK, [at(m, r) for m, r in zip(numbers, found, strict=True)]
        parts += [line(*a, *b, colour, 1.5) for a, b in itertools.pairwise(points)]
        parts += [dot(x, y, 3, colour) for x, y in points]
        parts.append(text(points[-1][0] + 10, points[-1][1] + (-3 if rule == "Dunnett" else 5), rule))
    parts += [text(at(m, 0)[0], top + high + 18, str(m), anchor="middle") for m in numbers]
    caption = f"equal finalists (cifar10, n = {n_valid:,}, 5 repeats): one of them is called worse"
    parts.append(text(left + wide / 2, top + high + 40, caption, anchor="middle"))
    return svg(left + wide + 80, top + high + 52, parts)


def table_picture(name: str) -> str:
    """The settings of a table, dark where they are good."""
    table, left, top, wide, high = load_table(name), 70, 20, 420, 320
    accuracy = table.hits.mean(axis=1) / table.bits.shape[1]
    worst = float(np.quantile(accuracy, 0.4))
    parts = []
    for (x, y), value in zip(table.places, accuracy, strict=True):
        share = float(np.clip((value - worst) / (accuracy.max() - worst), 0, 1)) ** 2
        colour = "#" + "".join(f"{round(c):02x}" for c in LOW + share * (HIGH - LOW))
        parts.append(dot(left + wide * x, top + high * (1 - y), 6, colour, value))
    x, y = table.places[int(accuracy.argmax())]
    parts.append(
        f'<circle cx="{left + wide * x:.1f}" cy="{top + high * (1 - y):.1f}" r="9" fill="none" stroke="{ORANGE}" '
        'stroke-width="2"/>'
    )
    for axis_name, range_ in table.spec.space.items():
        low, high_ = round(math.log10(range_.low)), round(math.log10(range_.high))
        for power in range(low, high_ + 1):
            share = (power - low) / (high_ - low)
            if axis_name == "l2":
                parts.append(text(left + wide * share, top + high + 18, f"1e{power}", anchor="middle"))
            else:
                parts.append(text(left - 10, top + high * (1 - share) + 4, f"1e{power}", anchor="end"))
    parts.append(text(left + wide / 2, top + high + 38, "λ", anchor="middle"))
    parts.append(text(16, top + high / 2, "η", anchor="middle"))
    caption = f"{100 * accuracy.max():.1f} % at the ring; palest: {100 * worst:.1f} % and less"
    parts.append(text(left + wide / 2, top + high + 58, caption, anchor="middle"))
    return svg(left + wide + 20, top + high + 70, parts)


def axis(x: float, y: float, wide: float, most: float) -> list[str]:
    """A horizontal axis from 0 to `most` with a tick at each half."""
    parts = [line(x, y, x + wide, y, INK, 1)]
    step = 0.5 if most < 3 else 1.0
    for value in np.arange(0, most, step):
        at = x + wide * value / most
        parts += [line(at, y, at, y + 4, INK, 1), text(at, y + 16, f"{value:g}", anchor="middle")]
    return parts


def text(x: float, y: float, words: str, anchor: str = "start", extra: str = "") -> str:
    """Words at a place."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float) -> str:
    """A straight line."""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"/>'


def dot(x: float, y: float, radius: float, colour: str, value: float | None = None) -> str:
    """A disc, with its accuracy as a hint where it has one."""
    hint = "" if value is None else f"<title>{100 * value:.2f} %</title>"
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}">{hint}</circle>'


def svg(width: float, height: float, parts: Sequence[str]) -> str:
    """A whole picture."""
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}'
    style = f'font-family="Helvetica, Arial, sans-serif" font-size="12" fill="{INK}"'
    white = f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>'
    return "\n".join([f"{head} {style}>", white, *parts, "</svg>", ""])
