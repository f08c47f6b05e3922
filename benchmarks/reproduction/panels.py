"""Curves over the seeds: panels side by side, a line a mean with a band of ± one standard deviation, or a seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from benchmarks.reproduction.ours import Float, Group
from bnsearch.report.colours import LIGHT
from bnsearch.report.figures.frame import AXIS, frame, titled

WIDTH = 900
BAND = 0.16  # opacity
MOST = 200  # points of a line


@dataclass(frozen=True)
class Line:
    """One group of seeds."""

    name: str
    x: Float  # (n,)
    y: Float  # (R, n)
    colour: str
    dash: str = "solid"
    seeds: bool = False  # each seed a thin line instead of mean and band

    @classmethod
    def of(
        cls, name: str, group: Group, column: str, colour: str, dash: str = "solid", *, seeds: bool = False
    ) -> "Line":
        """A column of a group's curves, accuracies in percent."""
        x, y = group.curve(column)
        kept = np.unique(np.linspace(0, len(x) - 1, min(len(x), MOST)).round().astype(int))
        return cls(name, x[kept], y[:, kept] * (100.0 if column.endswith("accuracy") else 1.0), colour, dash, seeds)


@dataclass(frozen=True)
class Panel:
    """One pair of axes."""

    title: str
    lines: Sequence[Line]
    y: Mapping[str, Any] = field(default_factory=dict)  # plotly's axis, but for what all axes have
    x: Mapping[str, Any] = field(default_factory=dict)


def panels(found: Sequence[Panel], n_columns: int, x_title: str, height: int) -> go.Figure:
    """The panels row by row, with one legend."""
    n_rows = -(-len(found) // n_columns)
    figure = make_subplots(
        n_rows,
        n_columns,
        subplot_titles=[f"<b>{panel.title}</b>" for panel in found],
        horizontal_spacing=0.2 / n_columns,
        vertical_spacing=0.3 / n_rows if n_rows > 1 else 0.0,
    )
    figure.update_layout(frame([], {}, {}, height).layout.to_plotly_json() | {"xaxis": {}, "yaxis": {}})
    # `frame` has its own two axes, whose places are the subplots' here
    figure.update_annotations(font={"size": 13}, yshift=2)
    named: set[str] = set()
    for i, panel in enumerate(found):
        place = {"row": i // n_columns + 1, "col": i % n_columns + 1}
        for line in panel.lines:
            for trace in _traces(line, line.name not in named):
                figure.add_trace(trace, **place)
            named.add(line.name)
        last = place["row"] == n_rows
        figure.update_xaxes(AXIS | (titled(x_title) if last else {}) | dict(panel.x), **place)
        figure.update_yaxes(AXIS | dict(panel.y), **place)
    figure.update_layout(
        width=WIDTH,
        margin={"l": 56, "r": 12, "t": 78, "b": 48},
        legend={"orientation": "h", "x": 0.5, "xanchor": "center", "y": 1.0, "yref": "container", "yanchor": "top"},
    )
    return figure


def _traces(line: Line, shown: bool) -> list[go.Scatter]:
    if line.seeds:
        return [_stroke(line, y, 1, shown and i == 0) for i, y in enumerate(line.y)]
    mean = _stroke(line, _of_seeds(np.mean, line.y), 2, shown)
    return [_band(line), mean] if line.y.shape[0] > 1 else [mean]


def _stroke(line: Line, y: Float, width: int, shown: bool) -> go.Scatter:
    return go.Scatter(
        x=line.x,
        y=y,
        mode="lines",
        line={"color": line.colour, "dash": line.dash, "width": width},
        name=line.name,
        legendgroup=line.name,
        showlegend=shown,
    )


def _band(line: Line) -> go.Scatter:
    mean, sd = _of_seeds(np.mean, line.y), line.y.std(axis=0, ddof=1)
    there = np.isfinite(mean) & np.isfinite(sd)
    x, low, high = line.x[there], (mean - sd)[there], (mean + sd)[there]
    low = np.maximum(low, 0.2 * mean[there])  # a logarithmic axis has no place for less than nothing
    return go.Scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=_clear(line.colour),
        legendgroup=line.name,
        showlegend=False,
        hoverinfo="skip",
    )


def _of_seeds(function: Any, y: Float) -> NDArray[np.float64]:
    return np.asarray(function(y, axis=0), dtype=np.float64)


def _clear(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{BAND})"


WITH, WITHOUT, THIRD = LIGHT.coarse, LIGHT.fine, LIGHT.final
