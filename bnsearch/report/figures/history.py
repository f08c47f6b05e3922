"""The course of the search: what each trial reached when it ended, and the best so far."""

from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate

import plotly.graph_objects as go

from bnsearch.report import colours
from bnsearch.report.colours import LIGHT
from bnsearch.report.figures.frame import PERCENT, frame, good_ones, shares, titled, told
from bnsearch.report.figures.trials import completed
from bnsearch.report.records import StageRecord, TrialRecord
from bnsearch.report.sample import POINTS, ranked, some


def course(levels: Sequence[StageRecord]) -> go.Figure:
    """Validation accuracy of completed trials against the time since the first one began."""
    began = min((level.began for level in levels if level.began), default=datetime.min)
    everything = sorted(_ended([t for level in levels for t in level.trials]), key=lambda t: _seconds(t, began))
    unit, size = _unit(_seconds(everything[-1], began) if everything else 0.0)
    traces = []
    for level in levels:
        own = some(ranked(_ended(level.trials)), POINTS)
        marker = {"symbol": colours.SYMBOLS[level.name], "size": 8, "color": colours.of(level.name), "opacity": 0.8}
        traces.append(
            go.Scatter(
                x=[_seconds(trial, began) / size for trial in own],
                y=shares(trial.accuracy for trial in own),
                mode="markers",
                marker=marker,
                name=level.name,
                hovertext=[told(trial) for trial in own],
                hoverinfo="text",
            )
        )
    best = list(accumulate((t.accuracy or 0.0 for t in everything), max))
    # a step wherever it rises, and its end
    at = [i for i in range(len(best)) if i == 0 or best[i] > best[i - 1] or i + 1 == len(best)]
    traces.append(
        go.Scatter(
            x=[_seconds(everything[i], began) / size for i in at],
            y=shares(best[i] for i in at),
            mode="lines",
            line={"shape": "hv", "color": LIGHT.best, "width": 2},
            name="best so far",
            hoverinfo="skip",
        )
    )
    x = titled(f"{unit} since the first trial began", rangemode="tozero")
    y = titled("validation accuracy", **PERCENT, range=good_ones(completed(levels)))
    return frame(traces, x, y, height=320)


def _ended(trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    return [t for t in trials if t.state == "complete" and t.ended is not None]


def _seconds(trial: TrialRecord, began: datetime) -> float:
    return 0.0 if trial.ended is None else (trial.ended - began).total_seconds()


def _unit(seconds: float) -> tuple[str, float]:
    """In which the axis counts, and how many seconds it has."""
    return next((unit for unit in UNITS if seconds < 120 * unit[1]), UNITS[-1])


UNITS = (("seconds", 1.0), ("minutes", 60.0), ("hours", 3600.0))
