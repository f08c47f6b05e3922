"""What all figures have in common: fonts, grid, margins, how axes are named, what is said at a point."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from bnsearch.report.colours import LIGHT
from bnsearch.report.records import TrialRecord
from bnsearch.report.words import SYMBOLS, percent, setting
from bnsearch.search.space import ranges
from bnsearch.search.tables import Range

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
WHEN = {"complete": "", "pruned": " when it was stopped", "running": " so far", "diverged": ""}


def frame(traces: Iterable[Any], x: dict[str, Any], y: dict[str, Any], height: int = 380, **layout: Any) -> go.Figure:
    """A figure of these traces; x and y are plotly's axes but for what all axes have."""
    return go.Figure(
        list(traces),
        {
            "template": "none",
            "height": height,
            "paper_bgcolor": LIGHT.paper,
            "plot_bgcolor": LIGHT.paper,
            "font": {"family": FONT, "size": 13, "color": LIGHT.ink},
            "margin": MARGIN,
            "legend": {"orientation": "h", "x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom"},
            "hoverlabel": {
                "bgcolor": LIGHT.panel,
                "bordercolor": LIGHT.muted,
                "font": {"color": LIGHT.ink},
                "align": "left",
            },
            "hovermode": "closest",
            "xaxis": AXIS | x,
            "yaxis": AXIS | y,
            **layout,
        },
    )


# as wide as most figures need: one that has to be widened is drawn twice
MARGIN = {"l": 86, "r": 24, "t": 43, "b": 55}
AXIS: dict[str, Any] = {
    "gridcolor": LIGHT.line,
    "linecolor": LIGHT.muted,
    "showline": True,
    "ticks": "outside",
    "tickcolor": LIGHT.muted,
    "zeroline": False,
    "automargin": True,
    "ticklabeloverflow": "allow",  # none does, with that margin; to find that out takes as long as to draw them
}
PERCENT: dict[str, Any] = {"ticksuffix": " %"}
LOGARITHMIC: dict[str, Any] = {
    "type": "log",
    "exponentformat": "power",
    "tickfont": {"size": 11},  # plotly makes powers a quarter larger
    "nticks": 4,  # of powers; with more each digit between two is named, one upon the other
    "minor": {"ticks": "outside", "ticklen": 3},
}


# at the ends of a line, so that the axis leaves room for it; else it lies upon the border, where it is not seen
UNSEEN: dict[str, Any] = {"symbol": "line-ns", "size": 12, "line": {"width": 0}}


def titled(text: str, **axis: Any) -> dict[str, Any]:
    """An axis with a title close to it."""
    return {"title": {"text": text, "standoff": 8, "font": {"size": 13}}, **axis}


def axis_of(name: str, spaces: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A hyperparameter's axis: logarithmic where each space that has it is."""
    own = [range_of(space[name]) for space in spaces if name in space]
    text = SYMBOLS[name] if SYMBOLS[name] == name else f"{SYMBOLS[name]} ({name})"
    if not own or not all(r.log for r in own):
        return titled(text)
    n_powers = math.log10(max(r.high for r in own) / min(r.low for r in own))
    # powers alone would leave a narrow range without a number
    return titled(text, **LOGARITHMIC, **({"dtick": 1} if n_powers >= 2 else {}))


def range_of(values: Any) -> Range:
    """A stored range, or the one that a grid's values span."""
    return ranges({"": Range(**values) if isinstance(values, Mapping) else tuple(values)})[""]


def told(trial: TrialRecord, what: str = "validation accuracy") -> str:
    """What is said at a trial's point."""
    lines = [f"<b>{trial.label}</b>", setting(trial.params)]
    if trial.accuracy is not None:
        lines.append(f"{what} {percent(trial.accuracy)}{WHEN[trial.state]}")
    if trial.state == "diverged":
        lines.append("diverged")
    return "<br>".join(lines)


def good_ones(values: Sequence[float]) -> list[float] | None:
    """A range of accuracies (in percent) that keeps a few bad ones from hiding how the good ones differ.

    It begins four times as far below the best as the median lies, and is None where that leaves nothing out.
    """
    if not values:
        return None
    best, middle = max(values), sorted(values)[len(values) // 2]
    low = best - 4 * (best - middle)
    return padded(low, best) if best - min(values) > 1.5 * (best - low) > 0 else None


def padded(low: float, high: float) -> list[float]:
    """A range with room for the marks at its ends."""
    pad = max(0.06 * (high - low), 0.2)
    return [low - pad, high + pad]


def shares(values: Iterable[float | None]) -> list[float | None]:
    """Fractions as percent."""
    return [None if value is None else 100 * value for value in values]
