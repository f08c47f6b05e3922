"""The confusion matrix of the test set, as counts and as shares of each true class."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from bnsearch.report.colours import LIGHT, SCALE
from bnsearch.report.figures.frame import frame, titled
from bnsearch.report.words import plain

MAX_WRITTEN = 20  # classes; with more of them numbers would not fit


def matrix(counts: Sequence[Sequence[int]], classes: Sequence[str], normalised: bool) -> go.Figure:
    """Rows are true classes; the colours of counts and shares are alike: white is none, the darkest the most."""
    table = np.array(counts, dtype=np.float64)
    z = 100 * rows_normalised(table) if normalised else table
    names = [plain(name) for name in classes]
    traces = [_cells(z, table, names, normalised)]
    if len(names) <= MAX_WRITTEN:
        traces += [_numbers(z, names, normalised, upper) for upper in (False, True)]
    shown = {"type": "category", "showgrid": False, "ticks": "", "showline": False}
    return frame(
        traces,
        titled("predicted class", constrain="domain", **shown),
        titled("true class", autorange="reversed", scaleanchor="x", constrain="domain", **shown),
        height=150 + 38 * min(len(names), MAX_WRITTEN),
        showlegend=False,
        margin={"l": 56, "r": 12, "t": 12, "b": 56},
    )


def rows_normalised(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares of each true class; 0 for a class that is not there."""
    total = table.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(table, total, out=np.zeros_like(table), where=total > 0))


def _cells(z: NDArray[np.float64], table: NDArray[np.float64], names: list[str], normalised: bool) -> go.Heatmap:
    share = 100 * rows_normalised(table)
    said = [
        [
            f"true <b>{true}</b>, predicted <b>{predicted}</b><br>"
            f"{table[i, j]:,.0f} answers, {share[i, j]:.1f} % of {true}"
            for j, predicted in enumerate(names)
        ]
        for i, true in enumerate(names)
    ]
    return go.Heatmap(
        z=z,
        x=names,
        y=names,
        hovertext=said,
        hoverinfo="text",
        colorscale=SCALE,
        zmin=0,
        zmax=100 if normalised else float(table.max(initial=1.0)),
        xgap=1,
        ygap=1,
        showscale=False,
    )


def _numbers(z: NDArray[np.float64], names: list[str], normalised: bool, upper: bool) -> go.Scatter:
    """What stands in the cells of one half of the scale; nothing where nothing is."""
    half = (100.0 if normalised else float(z.max(initial=1.0))) / 2
    at = [(i, j) for i, j in zip(*np.nonzero(z), strict=True) if (z[i, j] >= half) == upper]
    return go.Scatter(
        x=[names[j] for _, j in at],
        y=[names[i] for i, _ in at],
        text=[f"{z[i, j]:.0f}" if not normalised or z[i, j] >= 0.95 else f"{z[i, j]:.1f}" for i, j in at],
        mode="text",
        textfont={"color": LIGHT.on_high if upper else LIGHT.on_low, "size": 12},
        hoverinfo="skip",
    )
