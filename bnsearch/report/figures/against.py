"""Validation accuracy against one hyperparameter, for all levels of the search."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from bnsearch.report import colours
from bnsearch.report.colours import LIGHT
from bnsearch.report.figures.frame import AXIS, PERCENT, UNSEEN, axis_of, frame, range_of, titled
from bnsearch.report.figures.trials import ACCURACY, drawn, one_entry_a_name, points, range_shown
from bnsearch.report.records import StageRecord
from bnsearch.report.words import SYMBOLS, number, span


def against(name: str, levels: Sequence[StageRecord], default: float | None) -> go.Figure:
    """Accuracy against a hyperparameter; a strip below has the range that each level searched, and what diverged."""
    searched = [level for level in levels if name in level.row["space"]]
    traces: list[Any] = [_ground(), *(_range(name, level) for level in searched)]
    if default is not None:
        traces.append(_default(name, default))
    for level in searched:
        traces += points(
            level,
            drawn(level, name),
            lambda t: (t.params[name], None if t.accuracy is None else 100 * t.accuracy),
            lambda t: (t.params[name], t.stage),
            {"yaxis": "y2"},
        )
    names, foot = [level.name for level in searched], 0.02 + 0.06 * len(searched)
    is_empty = all(t.accuracy is None for level in searched for t in level.trials)
    shown = [0, 100] if is_empty else range_shown(levels)
    strip = {"categoryarray": names[::-1], "range": [-0.7, len(names) - 0.3], "domain": [0, foot], "showgrid": False}
    return frame(
        one_entry_a_name(traces),
        axis_of(name, [level.row["space"] for level in levels]) | {"anchor": "y2"},
        titled(ACCURACY, **PERCENT, range=shown, domain=[foot + 0.03, 1]),
        height=420,
        yaxis2=AXIS | strip | {"type": "category", "ticks": "", "fixedrange": True},
        yaxis3={"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True},
    )


def _ground() -> Any:
    """Nothing: without a trace of its own plotly leaves out the main plot, and with it all that lies in the strip."""
    return go.Scatter(x=[None], y=[None], showlegend=False, hoverinfo="skip", name="")


def _range(name: str, level: StageRecord) -> Any:
    """What a level searched; of a grid, with a mark at each value."""
    values, colour = level.row["space"][name], colours.of(level.name)
    r = range_of(values)
    x = [r.low, r.high] if isinstance(values, Mapping) else sorted(values)
    return go.Scatter(
        x=x,
        y=[level.name] * len(x),
        yaxis="y2",
        mode="lines+markers",
        line={"color": colour, "width": 4},
        marker={"symbol": "line-ns", "size": 11, "line": {"color": colour, "width": 2}},
        hovertext=f"{level.name} searched {SYMBOLS[name]} {span(values)}",
        hoverinfo="text",
        name=f"{level.name} range",
        showlegend=False,
    )


def _default(name: str, value: float) -> Any:
    """A line from the bottom to the top."""
    return go.Scatter(
        x=[value, value],
        y=[0, 1],
        yaxis="y3",
        mode="lines+markers",
        marker=UNSEEN,
        line={"color": LIGHT.muted, "width": 1, "dash": "dot"},
        hovertext=f"default {SYMBOLS[name]} = {number(value)}",
        hoverinfo="text",
        name="default",
    )
