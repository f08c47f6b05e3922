"""The learning curves of one trial as a picture: accuracy, loss, cost and learning rate over the steps."""

import math
from collections.abc import Sequence

from bnsearch.report.svg import Frame, Line, chart, picture, stroke, text
from bnsearch.report.words import percent, setting
from bnsearch.search.artifacts import BestTrial, Point

WIDTH, HEIGHT = 800, 510
COLOURS = {"valid": "#0b6cb0", "train": "#b34f00", "learning": "#57616b"}  # by the first word of a column
CHARTS = (  # title, columns, factor, unit, logarithmic where values differ much
    ("accuracy", ("train_accuracy", "valid_accuracy"), 100.0, " %", False),
    ("loss: mean cross-entropy", ("train_loss", "valid_loss"), 1.0, "", True),
    ("cost: loss + λ Σ‖W‖²", ("train_cost", "valid_cost"), 1.0, "", True),
    ("learning rate η", ("learning_rate",), 1.0, "", False),
)


def curve_picture(trial: BestTrial, curve: Sequence[Point]) -> str:
    """SVG of 800 × 510; training figures are means over each epoch's minibatches."""
    kind = "test" if trial.level == "final" else "validation"
    value = "" if trial.value is None else f"{kind} accuracy {percent(trial.value)}"
    title = f"{trial.level} {trial.number}"
    parts = [
        text(24, 30, title, weight="bold"),
        text(24, 48, "  ·  ".join(filter(None, (setting(trial.params), value)))),
    ]
    parts += _legend(any("valid_loss" in point for point in curve))
    for i, (name, columns, factor, unit, log) in enumerate(CHARTS):
        lines = [line for column in columns if (line := _line(curve, column, factor)) is not None]
        frame = Frame(66 + 390 * (i % 2), 98 + 206 * (i // 2), 310, 140)
        if lines:
            parts += chart(name, lines, frame, unit, log)
    parts.append(text(WIDTH / 2, HEIGHT - 16, "step", anchor="middle"))
    return picture(WIDTH, HEIGHT, f"Learning curves of {title}", parts)


def _legend(validated: bool) -> list[str]:
    parts = [stroke([(560, 44), (590, 44)], COLOURS["train"], 1.5, dashed=True), text(596, 48, "training")]
    if validated:
        parts += [stroke([(670, 44), (700, 44)], COLOURS["valid"], 2), text(706, 48, "validation")]
    return parts


def _line(curve: Sequence[Point], column: str, factor: float) -> Line | None:
    """A column over the steps, where it is finite; None where there is nothing of it."""
    points = [(p["step"], factor * p[column]) for p in curve if math.isfinite(p.get(column, math.nan))]
    if not points:
        return None
    rows = column.partition("_")[0]
    return Line([x for x, _ in points], [y for _, y in points], COLOURS[rows], dashed=rows == "train")
