"""Learning curves, as the CSV files of a study's results hold them."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bnsearch.report.records import TrialRecord

Float = NDArray[np.float64]
MOST = 400  # points of a curve that are kept


@dataclass(frozen=True, eq=False)
class Curve:
    """The figures of one trial at each epoch's end."""

    trial: TrialRecord
    step: Float  # (n,)
    figures: Mapping[str, Float]  # (n,) each, by the columns' names; NaN where there is none

    @property
    def is_line(self) -> bool:
        """Has it two points or more?"""
        return any(np.isfinite(values).sum() > 1 for values in self.figures.values())

    def at_end(self, name: str) -> float | None:
        """The last figure of a column."""
        values = self.figures.get(name, np.empty(0))
        return float(values[-1]) if len(values) and np.isfinite(values[-1]) else None


def read_curves(results: Path, trials: Iterable[TrialRecord]) -> list[Curve]:
    """The curves of those trials that have one; a file is written when its trial is over."""
    found = (_read(results / "curves" / f"{trial.stage}-{trial.number:05d}.csv", trial) for trial in trials)
    return [curve for curve in found if curve is not None]


def _read(path: Path, trial: TrialRecord) -> Curve | None:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        kept = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST)).round().astype(int))
        columns = {name: np.array([float(rows[i][name]) for i in kept]) for name in (rows[0] if rows else ())}
    except (OSError, ValueError, TypeError, csv.Error):  # gone, or not as bnsearch wrote it
        return None
    if "step" not in columns:
        return None
    for values in columns.values():
        values[~np.isfinite(values)] = np.nan
    return Curve(trial, columns["step"], {name: v for name, v in columns.items() if name not in ("step", "epoch")})
