"""All trials over two hyperparameters, coloured by validation accuracy, with the box that each level searched."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from bnsearch.report import colours
from bnsearch.report.colours import LIGHT
from bnsearch.report.figures.frame import MARGIN, UNSEEN, axis_of, frame, good_ones, range_of
from bnsearch.report.figures.trials import ACCURACY, completed, drawn, one_entry_a_name, points
from bnsearch.report.records import StageRecord, TrialRecord


def over(names: tuple[str, str], levels: Sequence[StageRecord]) -> go.Figure:
    """A point for each trial that has both."""
    spaces = [level.row["space"] for level in levels]
    both = [level for level in levels if all(name in level.row["space"] for name in names)]
    traces: list[Any] = [_box(names, level) for level in both]

    def at(trial: TrialRecord) -> tuple[float, float]:
        return trial.params[names[0]], trial.params[names[1]]

    for level in both:
        traces += points(level, drawn(level, *names), at, at, {}, coloured=True)
        if any(t.state == "complete" for t in level.trials):
            traces.append(_entry(level))
    return frame(
        one_entry_a_name(traces),
        axis_of(names[0], spaces),
        axis_of(names[1], spaces),
        height=460,
        margin=MARGIN | {"r": 132},  # with room for the bar of colours
        coloraxis=_scale(completed(levels)),
    )


def _scale(values: Sequence[float]) -> dict[str, Any]:
    """Colours that tell the good ones apart; all that are worse have the lowest."""
    low, _ = good_ones(values) or (min(values, default=0.0), None)
    return {
        "colorscale": "Viridis",
        "cmin": low,
        "cmax": max(values, default=100.0),
        "colorbar": {
            "title": {"text": ACCURACY, "side": "right", "font": {"size": 13}},
            "ticksuffix": " %",
            "thickness": 12,
        },
    }


def _box(names: tuple[str, str], level: StageRecord) -> Any:
    x, y = (range_of(level.row["space"][name]) for name in names)
    return go.Scatter(
        x=[x.low, x.high, x.high, x.low, x.low],
        y=[y.low, y.low, y.high, y.high, y.low],
        mode="lines+markers",
        marker=UNSEEN,
        line={"color": colours.of(level.name), "width": 1.5, "dash": "dash" if level.name == "coarse" else "solid"},
        name=f"{level.name} range",
        hoverinfo="skip",
    )


def _entry(level: StageRecord) -> Any:
    """The legend's entry for points of many colours."""
    marker = {"symbol": colours.SYMBOLS[level.name], "color": LIGHT.stopped, "size": 9}
    return go.Scatter(x=[None], y=[None], mode="markers", marker=marker, name=level.name, hoverinfo="skip")
