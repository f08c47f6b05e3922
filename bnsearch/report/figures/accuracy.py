"""The test accuracy: each network, their mean with its intervals, and what it is to be compared with."""

from typing import Any

import plotly.graph_objects as go

from bnsearch.report.colours import LIGHT
from bnsearch.report.figures.frame import PERCENT, frame, titled
from bnsearch.report.words import Row, interval, percent

Line = tuple[str, float, Row | None, str, str]  # its name, value, interval, colour and symbol


def accuracies(result: Row) -> go.Figure:
    """One line for each kind of figure, the headline on top."""
    accuracy, traces = result["test_accuracy"], []
    per_seed = accuracy["per_seed"]
    lines = lines_of(result)
    for name, value, around, colour, symbol in lines:
        said = f"<b>{name}</b><br>{percent(value)}" + (f"<br>95 % interval {interval(around)}" if around else "")
        error = None
        if around:
            low, high = max(around["low"], 0.0), min(around["high"], 1.0)
            error = {
                "type": "data",
                "symmetric": False,
                "array": [100 * (high - value)],
                "arrayminus": [100 * (value - low)],
                "thickness": 2.5,
                "width": 7,
                "color": colour,
            }
        marker = {"size": 11, "color": colour, "symbol": symbol}
        traces.append(
            go.Scatter(
                x=[100 * value],
                y=[name],
                error_x=error,
                mode="markers",
                marker=marker,
                hovertext=said,
                hoverinfo="text",
            )
        )
    each_said = [f"<b>network {i}</b><br>{percent(value)}" for i, value in enumerate(per_seed, start=1)]
    each = {"size": 9, "color": LIGHT.final, "opacity": 0.55}
    traces.append(
        go.Scatter(
            x=[100 * value for value in per_seed],
            y=[NETWORKS] * len(per_seed),
            mode="markers",
            marker=each,
            hovertext=each_said,
            hoverinfo="text",
        )
    )
    names = [lines[0][0], lines[1][0], NETWORKS, *(line[0] for line in lines[2:])]
    rows: dict[str, Any] = {"type": "category", "categoryorder": "array", "categoryarray": names[::-1]}
    rows["range"] = [-0.6, len(names) - 0.4]
    return frame(
        traces, titled("accuracy", **PERCENT), rows, height=70 + 40 * len(names), showlegend=False, margin=MARGIN
    )


NETWORKS = "each network"
MARGIN = {"l": 175, "r": 12, "t": 8, "b": 51}


def lines_of(result: Row) -> list[Line]:
    """The mean over new images and over seeds, the ensemble, the other moments, and what was expected."""
    accuracy, together, by = result["test_accuracy"], result.get("ensemble"), result.get("test_accuracy_by_statistics")
    mean = accuracy["mean"]
    found: list[Line] = [
        ("mean, over new images", mean, accuracy, LIGHT.best, "diamond"),
        ("mean, over seeds", mean, result["test_accuracy_over_seeds"], LIGHT.final, "diamond"),
    ]
    if together:
        found.append(("networks together", together["accuracy"], together, LIGHT.fine2, "square"))
    if by:
        other = next(name for name in by if name != result["bn_statistics"])
        found.append((f"{other} moments", by[other], None, LIGHT.muted, "circle-open"))
    if result.get("valid_accuracy") is not None:
        found.append(("on validation rows", result["valid_accuracy"], None, LIGHT.coarse, "circle-open"))
    return found
