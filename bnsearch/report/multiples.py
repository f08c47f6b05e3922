"""Small multiples: each trial's training and validation accuracy in miniature, all on the same scale of accuracy.

Steps are on a scale for each stage: beside the long runs of final the short ones of coarse would be specks.
"""

from collections.abc import Collection, Sequence

import numpy as np

from bnsearch.report.curves import Curve, Float
from bnsearch.report.sections.parts import Multiple
from bnsearch.report.words import percent, setting

WIDTH, HEIGHT = 100.0, 50.0
ENDS = {"complete": "", "pruned": ", stopped", "diverged": "diverged", "running": ", so far"}


def multiples(curves: Sequence[Curve], selected: Collection[str]) -> list[Multiple]:
    """One for each curve, in their order."""
    figures = [curve.figures[name] for curve in curves for name in NAMES if name in curve.figures]
    values = np.concatenate(figures) if figures else np.empty(0)
    values = values[np.isfinite(values)]
    # the worst tenth of all points run along the lower border, so that the good ones are told apart
    low, high = (float(np.quantile(values, 0.1)), float(values.max())) if len(values) else (0.0, 1.0)
    n_steps: dict[str, float] = {}  # of the longest of each stage
    for curve in curves:
        n_steps[curve.trial.stage] = max(n_steps.get(curve.trial.stage, 1.0), float(curve.step[-1]))
    found = []
    for curve in curves:
        trial = curve.trial
        what = "test " if trial.stage == "final" else ""
        end = "" if trial.accuracy is None else f"{what}{percent(trial.accuracy)}"
        train, valid = (_path(curve.step / n_steps[trial.stage], curve.figures.get(name), low, high) for name in NAMES)
        title = f"{trial.label}: {setting(trial.params)}, {end}{ENDS[trial.state]}"
        line = f"{end}{ENDS[trial.state]}"
        found.append(Multiple(trial.label, line, title, trial.state, valid, train, trial.label in selected))
    return found


NAMES = ("train_accuracy", "valid_accuracy")


def _path(share: Float, values: Float | None, low: float, high: float) -> str:
    """An SVG path; it begins anew after a gap."""
    if values is None:
        return ""
    x, y = WIDTH * share, HEIGHT * (1 - np.clip((values - low) / ((high - low) or 1.0), 0.0, 1.0))
    parts, pen = [], "M"
    for a, b in zip(x, y, strict=True):
        if not np.isfinite(b):
            pen = "M"
            continue
        parts.append(f"{pen}{a:.1f} {b:.1f}")
        pen = "L"
    return "".join(parts)
