"""Learning curves: a figure each of accuracy, loss, cost and learning rate, with all trials; some are visible."""

from collections.abc import Collection, Sequence

import numpy as np
import plotly.graph_objects as go

from bnsearch.report.colours import CYCLE
from bnsearch.report.curves import Curve
from bnsearch.report.figures.frame import LOGARITHMIC, PERCENT, frame, titled
from bnsearch.report.words import setting

FIGURES = ("accuracy", "loss", "cost", "learning_rate")
TITLES = {"accuracy": "accuracy", "loss": "cross-entropy", "cost": "cost", "learning_rate": "learning rate η"}
SCALES = {"accuracy": PERCENT, "loss": LOGARITHMIC, "cost": LOGARITHMIC, "learning_rate": {"rangemode": "tozero"}}


def curves_of(figure: str, curves: Sequence[Curve], shown: Collection[str]) -> go.Figure:
    """A figure over the steps for training rows (dashed) and validation rows; only trials of these labels are visible.

    The page finds a trial's lines by their `meta`.
    """
    traces = []
    colour = {label: CYCLE[i % len(CYCLE)] for i, label in enumerate(shown)}
    for curve in curves:
        label = curve.trial.label
        first = True
        for part, dash in (("valid", "solid"), ("train", "dash")) if figure != "learning_rate" else (("", "solid"),):
            name = f"{part}_{figure}" if part else figure
            if name not in curve.figures:
                continue
            traces.append(
                go.Scatter(
                    x=np.asarray(curve.step, dtype=np.int32),
                    y=np.asarray(curve.figures[name] * (100 if figure == "accuracy" else 1), dtype=np.float32),
                    mode="lines",
                    line={"color": colour.get(label, CYCLE[0]), "dash": dash, "width": 2 if dash == "solid" else 1.5},
                    name=label,
                    legendgroup=label,
                    showlegend=first,
                    meta=label,
                    visible=label in shown,
                    hovertemplate=_said(curve, part, figure),
                )
            )
            first = False
    y = titled(TITLES[figure], **SCALES[figure])
    return frame(traces, titled("step", rangemode="tozero"), y, height=300)


def _said(curve: Curve, part: str, figure: str) -> str:
    value = "%{y:.2f} %" if figure == "accuracy" else "%{y:.4g}"
    rows = {"valid": "validation ", "train": "training ", "": ""}[part]
    what = f"{rows}{TITLES[figure]} {value} at step %{{x:,}}"
    return f"<b>{curve.trial.label}</b><br>{setting(curve.trial.params)}<br>{what}<extra></extra>"
