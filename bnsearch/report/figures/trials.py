"""Trials of the search as points: which are drawn, how each kind is marked, and one entry of the legend for each."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import plotly.graph_objects as go

from bnsearch.report import colours
from bnsearch.report.colours import LIGHT
from bnsearch.report.figures.frame import good_ones, padded, shares, told
from bnsearch.report.records import StageRecord, TrialRecord
from bnsearch.report.sample import POINTS, ranked, some

ACCURACY = "validation accuracy"
MANY = 300  # beyond this points are small
DIVERGED = {"symbol": "x-thin", "size": 9, "line": {"width": 2, "color": LIGHT.bad}}
Place = tuple[float | str | None, float | str | None]


def drawn(level: StageRecord, *names: str) -> list[TrialRecord]:
    """A level's trials that have these hyperparameters, sampled where they are very many."""
    return some(ranked([t for t in level.trials if all(name in t.params for name in names)]), POINTS)


def completed(levels: Sequence[StageRecord]) -> list[float]:
    """Accuracies of the completed trials, in percent."""
    complete = (t.accuracy for level in levels for t in level.trials if t.state == "complete")
    return [100 * accuracy for accuracy in complete if accuracy is not None]


def range_shown(levels: Sequence[StageRecord]) -> list[float] | None:
    """Of accuracies, in percent: where completed trials lie, and below them at most as much room again for the better
    half of those that were stopped early, whose accuracies are of an earlier time. None before a trial has completed.
    """
    ended = completed(levels)
    if not ended:
        return None
    low, high = good_ones(ended) or padded(min(ended), max(ended))
    seen = [(100 * t.accuracy, t.state) for level in levels for t in level.trials if t.accuracy is not None]
    stopped = sorted(accuracy for accuracy, state in seen if state == "pruned")
    if stopped:
        low = min(low, max(padded(stopped[len(stopped) // 2], high)[0], low - (high - low)))
    best = max(accuracy for accuracy, _ in seen)
    return [low, max(high, best + 0.06 * (best - low))]


def points(
    level: StageRecord,
    trials: Sequence[TrialRecord],
    at: Callable[[TrialRecord], Place],
    at_lost: Callable[[TrialRecord], Place],
    lost: dict[str, Any],
    coloured: bool = False,
) -> Iterator[Any]:
    """A trace for each kind: stopped early, under way, completed, tied with the best, the best, diverged.

    coloured: completed ones by their accuracy. lost: what else is to be said of the trace of diverged ones.
    """
    verdict = level.row["verdict"] or {}
    best, tied = verdict.get("best"), set(verdict.get("tied", ()))
    symbol, colour = colours.SYMBOLS[level.name], colours.of(level.name)
    size = 9 if len(trials) <= MANY else 6
    open_ = {"symbol": f"{symbol}-open", "size": size - 1, "color": LIGHT.stopped, "line": {"width": 1.4}}
    whole = {"symbol": symbol, "size": size, "color": colour, "line": {"width": 0.7, "color": LIGHT.paper}}
    if coloured:
        own = [t for t in trials if t.state == "complete" and t.number != best]
        scale = {"color": shares(t.accuracy for t in own), "coloraxis": "coloraxis"}
        whole |= scale | {"size": size + 2, "line": {"width": 0.8, "color": LIGHT.muted}}
    ring = {"symbol": f"{symbol}-open", "size": 15, "color": LIGHT.ink, "line": {"width": 1.5}}
    star = {"symbol": "star", "size": 17, "color": colour, "line": {"width": 1.3, "color": LIGHT.ink}}
    kinds: list[tuple[str, dict[str, Any], Callable[[TrialRecord], bool]]] = [
        ("stopped early", open_, lambda t: t.state == "pruned"),
        ("under way", open_ | {"size": 5}, lambda t: t.state == "running" and t.accuracy is not None),
        (level.name, whole, lambda t: t.state == "complete" and t.number != best),
        ("tied", ring, lambda t: t.number in tied and t.number != best),
        ("best", star, lambda t: t.number == best),
    ]
    for name, marker, belongs in kinds:
        if own := [t for t in trials if belongs(t)]:
            # a legend has no single colour for points of many
            yield dots(own, at, marker=marker, name=name, showlegend=False if "coloraxis" in marker else None)
    if own := [t for t in trials if t.state == "diverged"]:
        yield dots(own, at_lost, marker=DIVERGED, name="diverged", **lost)


def dots(trials: Sequence[TrialRecord], at: Callable[[TrialRecord], Place], **trace: Any) -> Any:
    """A point for each trial."""
    x, y = zip(*map(at, trials), strict=True)
    said = [told(t) for t in trials]
    return go.Scatter(x=list(x), y=list(y), mode="markers", hovertext=said, hoverinfo="text", **trace)


def one_entry_a_name(traces: Sequence[Any]) -> Sequence[Any]:
    """One entry of the legend for all traces of a name, which it shows and hides together."""
    seen: set[str] = set()
    for trace in traces:
        trace.legendgroup = trace.name
        if trace.showlegend is None:  # else it has none
            trace.showlegend = trace.name not in seen
            seen.add(trace.name)
    return traces
