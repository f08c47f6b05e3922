"""Confirm: the finalists' accuracies over the repeats, and how far each is behind the best."""

from typing import Any

import plotly.graph_objects as go

from bnsearch.report.colours import LIGHT
from bnsearch.report.figures.frame import PERCENT, frame, shares, titled
from bnsearch.report.words import Row, interval, percent, setting
from bnsearch.search.intervals import over_pairs


def called(finalist: Row) -> str:
    """A finalist by where it comes from."""
    return "default" if finalist["default"] else f"{finalist['stage']} {finalist['trial']}"


def judged(finalist: Row, verdict: Row) -> str:
    """How it stands against the best."""
    if finalist["finalist"] == verdict["winner"]:
        return "chosen"
    return "worse" if finalist["separable"] else "tied"


def dots(verdict: Row) -> go.Figure:
    """A dot for each repeat, a bar at the mean with its 95 % interval over repeats: ± t(.975, R − 1)·s/√R."""
    found = _best_last(verdict)
    x, y, said, means, over, half = [], [], [], [], [], []
    for f in found:
        around = over_pairs(f["accuracies"]) if len(f["accuracies"]) > 1 else None
        known = f"<br>95 % interval {interval({'low': around.low, 'high': around.high})}" if around else ""
        over.append(f"<b>{called(f)}</b><br>{setting(f['params'])}<br>mean {percent(f['mean'])}{known}")
        means.append(100 * f["mean"])
        half.append(100 * (around.high - around.mean) if around else 0.0)
        for repeat, accuracy in enumerate(f["accuracies"], start=1):
            x.append(100 * accuracy)
            y.append(called(f))
            said.append(f"<b>{called(f)}</b><br>{setting(f['params'])}<br>repeat {repeat}: {percent(accuracy)}")
    each = {"size": 9, "color": LIGHT.coarse, "opacity": 0.55}
    bar = {"symbol": "line-ns", "size": 22, "line": {"width": 3, "color": LIGHT.ink}}
    names = [called(f) for f in found]
    return frame(
        [
            go.Scatter(x=x, y=y, mode="markers", marker=each, hovertext=said, hoverinfo="text", name="one repeat"),
            go.Scatter(
                x=means,
                y=names,
                error_x={"array": half, "thickness": 1.5, "width": 5, "color": LIGHT.ink},
                mode="markers",
                marker=bar,
                hovertext=over,
                hoverinfo="text",
                name="mean with its 95 % interval",
            ),
        ],
        titled("validation accuracy", **PERCENT),
        _rows(found),
        height=_height(found),
    )


def differences(verdict: Row) -> go.Figure:
    """Points behind the best, with the simultaneous 95 % interval of each difference: tied if it contains 0."""
    found = _best_last(verdict)
    traces: list[Any] = []
    for judgement, colour in (("chosen", LIGHT.best), ("tied", LIGHT.coarse), ("worse", LIGHT.bad)):
        own = [f for f in found if judged(f, verdict) == judgement]
        if not own:
            continue
        half = [
            50 * (f["difference_interval"][1] - f["difference_interval"][0]) if f["difference_interval"] else 0.0
            for f in own
        ]
        traces.append(
            go.Scatter(
                x=shares(f["behind_best"] for f in own),
                y=[called(f) for f in own],
                error_x={"array": half, "thickness": 2, "width": 6, "color": colour},
                mode="markers",
                marker={"size": 10, "color": colour, "symbol": "star" if judgement == "chosen" else "square"},
                name=judgement,
                hovertext=[_behind(f) for f in own],
                hoverinfo="text",
            )
        )
    zero = {"zeroline": True, "zerolinecolor": LIGHT.muted, "zerolinewidth": 1}
    return frame(traces, titled("points behind the best", **zero), _rows(found), height=_height(found))


def _behind(f: Row) -> str:
    end = ""
    if f["difference_interval"]:
        low, high = (100 * value for value in f["difference_interval"])
        end = f" ({low:.2f} … {high:.2f})"
    return f"<b>{called(f)}</b><br>{setting(f['params'])}<br>{100 * f['behind_best']:.2f} points behind{end}"


def _best_last(verdict: Row) -> list[Row]:
    """From the bottom of the figure to its top."""
    return sorted(verdict["finalists"], key=lambda f: (f["mean"], f["finalist"] == verdict["winner"]))


def _rows(found: list[Row]) -> dict[str, Any]:
    names = [called(f) for f in found]
    return {"type": "category", "categoryorder": "array", "categoryarray": names, "range": [-0.6, len(names) - 0.4]}


def _height(found: list[Row]) -> int:
    return 110 + 44 * len(found)
