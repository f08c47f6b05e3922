"""Learning curves of a comparison: the mean over a variant's repeats, in a band from the lowest to the highest."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from bnsearch.report.colours import CYCLE
from bnsearch.report.curves import Curve, Float
from bnsearch.report.figures.frame import LOGARITHMIC, PERCENT, frame, titled
from bnsearch.report.words import Row, plain

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
WIDTHS = (2.0, 1.0, 3.5)
MOST_SHOWN = 24  # the others are shown when their names are pressed
FIGURES = {  # a column of the curves, and its axis
    "train_accuracy": ("training accuracy", PERCENT),
    "valid_accuracy": ("validation accuracy", PERCENT),
    "train_loss": ("training cross-entropy", LOGARITHMIC),
    "valid_loss": ("validation cross-entropy", LOGARITHMIC),
    "train_cost": ("training cost", LOGARITHMIC),
    "valid_cost": ("validation cost", LOGARITHMIC),
}


@dataclass(frozen=True)
class Look:
    """How a variant's line looks."""

    colour: str
    dash: str
    width: float


def looks(variants: Sequence[Row]) -> list[Look]:
    """Colours tell the values of the key apart that has most of them, dashes the next one's, widths a third one's."""
    keys = told_by(variants)
    choices: tuple[Sequence[Any], ...] = (CYCLE, DASHES, WIDTHS)

    def look(row: Row) -> Look:
        own = [values[0] for values in choices]
        for i, (key, values) in enumerate(zip(keys, choices, strict=False)):
            own[i] = values[_values(variants, key).index(row["keys"][key]) % len(values)]
        return Look(*own)

    return [look(row) for row in variants]


def told_by(variants: Sequence[Row]) -> list[str]:
    """The keys in which variants differ, that of most values first."""
    n = {key: len(_values(variants, key)) for key in variants[0]["keys"]}
    return sorted((key for key in n if n[key] > 1), key=lambda key: -n[key])


def _values(variants: Sequence[Row], key: str) -> list[Any]:
    """In the order of their first variant; some are lists, which cannot be hashed."""
    found: list[Any] = []
    for row in variants:
        if row["keys"][key] not in found:
            found.append(row["keys"][key])
    return found


def course(name: str, variants: Sequence[Row], curves: Mapping[int, Sequence[Curve]]) -> go.Figure:
    """One figure of all variants against the step; curves: of each variant's networks that came to the end."""
    title, axis = FIGURES[name]
    traces = []
    for i, (row, look) in enumerate(zip(variants, looks(variants), strict=True)):
        own = [curve for curve in curves.get(row["variant"], ()) if name in curve.figures]
        if own:
            traces += _lines(row, look, own, name, True if i < MOST_SHOWN else "legendonly")
    n = sum(trace.showlegend for trace in traces)
    room = 19 * n  # of the names, one below the other
    legend = {"x": 0, "y": 0, "yref": "container", "yanchor": "bottom", "font": {"size": 11}, "tracegroupgap": 0}
    return frame(
        traces,
        titled("step", rangemode="tozero"),
        titled(title, **axis),
        height=350 + room,
        legend={**legend, "maxheight": 1.0},
        margin={"l": 56, "r": 12, "t": 12, "b": 60 + room},
    )


def _lines(row: Row, look: Look, curves: Sequence[Curve], name: str, visible: bool | str) -> list[go.Scatter]:
    """The band, where there is more than one network, and the mean above it; both go by the same name."""
    step, low, mean, high = _over_repeats(curves, name)
    if not len(step):
        return []
    label, n = plain(str(row["label"])), len(curves)
    group: dict[str, Any] = {"legendgroup": str(row["variant"]), "visible": visible, "name": label}
    band = go.Scatter(
        x=np.concatenate([step, step[::-1]]).astype(np.int32),
        y=np.concatenate([high, low[::-1]]).astype(np.float32),
        fill="toself",
        fillcolor=look.colour,
        line={"width": 0},
        mode="lines",
        opacity=0.15,
        hoverinfo="skip",
        showlegend=False,
        **group,
    )
    value = "%{y:.2f} %" if name.endswith("accuracy") else "%{y:.4g}"
    line = go.Scatter(
        x=step.astype(np.int32),
        y=mean.astype(np.float32),
        mode="lines",
        line={"color": look.colour, "dash": look.dash, "width": look.width},
        hovertemplate=f"<b>{label}</b><br>{FIGURES[name][0]} {value} at step %{{x:,}}, mean of {n}<extra></extra>",
        showlegend=True,
        **group,
    )
    return [band, line] if n > 1 else [line]


def _over_repeats(curves: Sequence[Curve], name: str) -> tuple[Float, Float, Float, Float]:
    """Steps, and at each the lowest, the mean and the highest figure; a curve that was cut short ends the others."""
    n = min(len(curve.step) for curve in curves)
    values = np.stack([curve.figures[name][:n] for curve in curves]) * (100 if name.endswith("accuracy") else 1)
    there = np.isfinite(values).any(axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of steps where none has a figure, which are left out
        found = np.nanmin(values, axis=0), np.nanmean(values, axis=0), np.nanmax(values, axis=0)
    return curves[0].step[:n][there], *(figure[there] for figure in found)
