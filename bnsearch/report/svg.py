"""Line charts as SVG: small, drawn in a millisecond, and without a plotting library in the coordinator."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

INK, GREY, PALE, PAPER = "#1a1f24", "#57616b", "#dde2e7", "#ffffff"
FONT = "Helvetica, Arial, 'DejaVu Sans', sans-serif"
WIDE = 20.0  # times: values that span more are drawn on a logarithmic axis where they may be


@dataclass(frozen=True)
class Line:
    """One curve."""

    x: Sequence[float]
    y: Sequence[float]
    colour: str
    dashed: bool = False


@dataclass(frozen=True)
class Frame:
    """Where a chart's axes lie, in pixels."""

    left: float
    top: float
    width: float
    height: float


def chart(title: str, lines: Sequence[Line], frame: Frame, unit: str = "", log: bool = False) -> Iterator[str]:
    """Curves over one pair of axes, the x axis from 0; unit: what stands behind each number of the y axis, which is
    logarithmic where that is allowed and the values span much more than a decade.
    """
    right, bottom = frame.left + frame.width, frame.top + frame.height
    high_x = max(x for line in lines for x in line.x)
    marks, at = scale([y for line in lines for y in line.y], log)

    def place(x: float, y: float) -> tuple[float, float]:
        return frame.left + frame.width * x / high_x, bottom - frame.height * at(y)

    for value in marks:
        y = place(0, value)[1]
        yield stroke([(frame.left, y), (right, y)], PALE, 1)
        yield text(frame.left - 6, y + 4, f"{value:g}{unit}", anchor="end", colour=GREY)
    for value in (mark for mark in ticks(0, high_x, 6) if mark <= high_x):
        yield text(place(value, marks[0])[0], bottom + 16, f"{value:,g}", anchor="middle", colour=GREY)
    yield stroke([(frame.left, bottom), (right, bottom)], GREY, 1)
    for line in lines:
        points = [place(x, y) for x, y in zip(line.x, line.y, strict=True)]
        yield stroke(points, line.colour, 1.5 if line.dashed else 2, line.dashed)
    yield text(frame.left, frame.top - 10, title, weight="bold")


def scale(values: Sequence[float], log: bool) -> tuple[list[float], Callable[[float], float]]:
    """Ticks around the values, and where between the first (0) and the last (1) a value lies."""
    low, high = min(values), max(values)
    if log and low > 0 and high / low > WIDE:
        marks = log_ticks(low, high)
        bottom, top = math.log(marks[0]), math.log(marks[-1])
        return marks, lambda value: (math.log(value) - bottom) / (top - bottom)
    if high <= low:
        low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
    marks = ticks(low, high)
    return marks, lambda value: (value - marks[0]) / (marks[-1] - marks[0])


def ticks(low: float, high: float, n: int = 4) -> list[float]:
    """About n round numbers, the first and the last around the range."""
    rough = (high - low) / n
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(m for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Powers of ten around the range, with 2 and 5 between them where there is room; every other one where not."""
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        marks = [float(f"{m}e{power}") for power in range(first, last + 1) for m in factors]
        below, above = [m for m in marks if m <= low * 1.0001], [m for m in marks if m >= high * 0.9999]
        marks = [m for m in marks if below[-1] <= m <= above[0]]
        if len(marks) <= most:
            return marks
    step = -(-(len(marks) - 1) // (most - 1))
    return [10.0**power for power in range(first, last + step, step)]


def picture(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    """A whole picture on white paper, readable on a dark page too."""
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size} font-family="{FONT}" font-size="12">'
    paper = f'<rect width="{width:.0f}" height="{height:.0f}" fill="{PAPER}"/>'
    return "\n".join([head, f"<title>{escape(title)}</title>", paper, *parts, "</svg>", ""])


def text(x: float, y: float, words: str, anchor: str = "start", colour: str = INK, weight: str = "normal") -> str:
    """Words at a place."""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} fill="{colour}" font-weight="{weight}">{escape(words)}</text>'


def stroke(points: Sequence[tuple[float, float]], colour: str, width: float, dashed: bool = False) -> str:
    """A line through points; a single one is a dot."""
    if len(points) == 1:
        return f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="{width + 1:g}" fill="{colour}"/>'
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashes = ' stroke-dasharray="5 3"' if dashed else ""
    shape = f'fill="none" stroke="{colour}" stroke-width="{width:g}" stroke-linejoin="round"{dashes}'
    return f'<polyline points="{path}" {shape}/>'
