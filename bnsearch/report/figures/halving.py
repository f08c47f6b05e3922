"""Successive halving as survival: who was still training after each rung, and how they stood."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from bnsearch.report import colours
from bnsearch.report.colours import LIGHT
from bnsearch.report.figures.frame import PERCENT, frame, good_ones, shares, titled, told
from bnsearch.report.figures.trials import completed
from bnsearch.report.records import StageRecord, TrialRecord
from bnsearch.report.sample import ranked, some

LINES = 300  # of one level in a figure


def halved(levels: Sequence[StageRecord]) -> list[StageRecord]:
    """Those of whose trials some were stopped at a rung."""
    return [level for level in levels if any(t.state == "pruned" and t.n_steps for t in level.trials)]


def with_course(level: StageRecord) -> list[TrialRecord]:
    """Trials that came to a rung."""
    return [t for t in level.trials if t.rungs]


def courses(levels: Sequence[StageRecord]) -> go.Figure:
    """Each trial's validation accuracy from rung to rung, those that were stopped in another colour."""
    traces = []
    for level in levels:
        own = some(ranked(with_course(level)), LINES)
        stopped = [t for t in own if t.state != "complete"]
        whole = [t for t in own if t.state == "complete"]
        traces.append(_lines(level, stopped, f"{level.name}, stopped", LIGHT.stopped))
        traces.append(_lines(level, whole, f"{level.name}, to the end", colours.of(level.name)))
    seen = [100 * accuracy for level in levels for t in level.trials for _, accuracy in t.rungs]
    y = titled("validation accuracy", **PERCENT, range=good_ones([*seen, *completed(levels)]))
    return frame(traces, _budget(levels), y, height=340)


def survivors(levels: Sequence[StageRecord]) -> go.Figure:
    """How many trials were under way after each share of the budget."""
    traces = []
    for level in levels:
        ends = [100.0 if t.state == "complete" else 100 * (t.stopped_at or 0) / _n_steps(level) for t in level.trials]
        x = [0.0, *sorted({end for end in ends if end < 100.0}), 100.0]
        y = [len(ends), *(sum(end > at for end in ends) for at in x[1:-1])]
        y.append(y[-1])
        line = {"color": colours.of(level.name), "width": 2.5, "shape": "hv"}
        said = [f"{level.name}: {n} trials after {at:.0f} % of the budget" for at, n in zip(x, y, strict=True)]
        traces.append(
            go.Scatter(x=x, y=y, mode="lines+markers", line=line, name=level.name, text=said, hoverinfo="text")
        )
    return frame(traces, _budget(levels), titled("trials under way", rangemode="tozero"), height=340)


def _budget(levels: Sequence[StageRecord]) -> dict[str, Any]:
    """Shares of the budget, with a tick at each rung."""
    rungs = {100 * step / _n_steps(level) for level in levels for t in level.trials for step, _ in t.rungs}
    at = [0.0, *sorted(rungs), 100.0]
    return titled("share of the budget", tickvals=at, ticktext=[f"{share:.0f} %" for share in at], range=[-2, 104])


def _n_steps(level: StageRecord) -> int:
    return next((t.n_steps for t in level.trials if t.n_steps), 1)


def _lines(level: StageRecord, trials: Sequence[TrialRecord], name: str, colour: str) -> go.Scatter:
    """All trials as one trace, with gaps between them."""
    x: list[float | None] = []
    y: list[float | None] = []
    said: list[str] = []
    n_steps = _n_steps(level)
    for trial in trials:
        points = [*trial.rungs, *([(n_steps, trial.accuracy)] if trial.state == "complete" else [])]
        x += [*(100 * step / n_steps for step, _ in points), None]
        y += [*shares(accuracy for _, accuracy in points), None]
        said += [told(trial)] * (len(points) + 1)
    marker = {"size": 6, "symbol": colours.SYMBOLS[level.name]}
    line = {"color": colour, "width": 1.2}
    return go.Scatter(
        x=x, y=y, mode="lines+markers", line=line, marker=marker, name=name, hovertext=said, hoverinfo="text"
    )
