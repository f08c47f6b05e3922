"""Handmade records of a study that was searched coarse and fine, with trials of every kind, confirmed and tested."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from bnsearch.model import Model
from bnsearch.report.curves import Curve
from bnsearch.report.records import StageRecord, StudyRecord, TrialRecord
from bnsearch.search.mistakes import Mistakes
from tests.report import rows
from tests.report.rows import changed

BEGAN = datetime(2030, 1, 2, 3, 4, 5)
CLASSES = ["cat", "dog"]
SPACE = rows.COARSE["space"]
SETUP = {
    "data": {"source": "mine.npz", "train": [0, 100], "valid": [100, 120], "components": None},
    "network": {"hidden": [3]},
    "training": {"l2": 1e-3, "learning_rate": 0.1, "momentum": 0.9, "epochs": 4},
}


def trial(stage: str, number: int, l2: float, rate: float, accuracy: float | None, **more: Any) -> TrialRecord:
    """A trial that ran to its end, one second after the one before."""
    values: dict[str, Any] = {
        "state": "complete",
        "loss": None if accuracy is None else 1.0 - accuracy,
        "n_epochs": 4,
        "seconds": 0.5,
        "ended": BEGAN + timedelta(seconds=1 + number),
    }
    return TrialRecord(
        stage=stage, number=number, params={"l2": l2, "learning_rate": rate}, accuracy=accuracy, **values | more
    )


def stopped(stage: str, number: int, l2: float, rate: float, *at_rungs: float) -> TrialRecord:
    """One that was stopped at its last rung, of those at a quarter and half of 8 steps."""
    rungs = tuple(zip((2, 4), at_rungs, strict=False))
    return trial(
        stage,
        number,
        l2,
        rate,
        at_rungs[-1],
        state="pruned",
        loss=None,
        rungs=rungs,
        stopped_at=rungs[-1][0],
        n_steps=8,
    )


COARSE_TRIALS = (
    trial("coarse", 0, 1e-3, 0.1, 0.95, rungs=((2, 0.7), (4, 0.8))),
    stopped("coarse", 1, 1e-5, 0.01, 0.5),
    stopped("coarse", 2, 1e-2, 0.02, 0.75, 0.78),
    trial("coarse", 3, 1e-4, 1.0, None, state="diverged", stopped_at=1, n_steps=8),
    trial("coarse", 4, 1e-4, 0.2, 0.97, rungs=((2, 0.6), (4, 0.9))),
)
FINE_TRIALS = (
    trial("fine", 0, 2e-4, 0.15, 0.96),
    trial("fine", 1, 5e-5, 0.3, 0.98),
    trial("fine", 2, 4e-5, 0.2, 0.975),
    trial("fine", 3, 3e-5, 0.2, 0.9, state="running", loss=None, ended=None),
)


def stage(row: Any, trials: tuple[TrialRecord, ...] = (), **more: Any) -> StageRecord:
    """One with the usual settings."""
    values: dict[str, Any] = {
        "setup": SETUP,
        "task": {},
        "seed": 0,
        "fingerprint": "f" * 64,
        "version": "0.1.0",
        "revision": None,
        "began": BEGAN,
    }
    return StageRecord(row=row, trials=trials, **values | more)


COARSE = stage(
    changed(rows.COARSE, verdict__best=4, verdict__tied=[4, 0], verdict__n_tied=2),
    COARSE_TRIALS,
    task={"sampler": "sobol"},
    requests=(5,),
)
FINE = stage(
    changed(
        rows.FINE,
        space={"l2": {"low": 2e-5, "high": 5e-4, "log": True}, "learning_rate": {"low": 0.1, "high": 2.0, "log": True}},
        verdict__best=1,
        verdict__tied=[1, 2],
        verdict__n_tied=2,
    ),
    FINE_TRIALS,
    task={"sampler": "sobol"},
    requests=(4,),
)
CONFIRM = stage(rows.CONFIRM, tuple(trial("confirm", i, 1e-4, 0.2, 0.96) for i in range(6)), n_finalists=3)
RESULT = {
    "classes": CLASSES,
    "per_class": [
        {"class": "cat", "precision": 181 / 183, "recall": 181 / 182},
        {"class": "dog", "precision": None, "recall": 180 / 182},
    ],
    "n_test": 182,
    "train_accuracy": 0.99,
}
FINAL = stage(
    changed(rows.FINAL, result=rows.RESULT | RESULT),
    tuple(trial("final", i, 1e-4, 0.2, 0.98) for i in range(2)),
    task={"setting": None},
)
MISTAKES = Mistakes(
    X=np.arange(8, dtype=np.uint8).reshape(2, 4),
    rows=np.array([7, 3]),
    y=np.array([0, 1]),
    predicted=np.array([1, 0]),
    confidence=np.array([0.9, 0.8]),
    of_truth=np.array([0.1, 0.2]),
    n_wrong=2,
    n_test=182,
    image_shape=(2, 2),
    unit=1 / 16,
)
MODEL = Model(
    (np.array([[1.0, 0.0, 0.1], [0.0, 0.0, 0.2], [-1.0, 0.0, 0.0], [0.5, 0.01, 0.3]]), np.ones((3, 2))),
    (np.zeros(3), np.zeros(2)),
    tuple(CLASSES),
    {"image_shape": [2, 2]},
)
LOOK = {"at": "2030-01-02T03:04:05+00:00", "purpose": "mine.final: 2 networks", "refused": None}
STUDY = StudyRecord(
    name="mine",
    called="mine.toml",
    file=Path("mine.toml"),
    bundled=False,
    results=Path("mine"),
    database="sqlite:///mine.db",
    stages=(COARSE, FINE, CONFIRM, FINAL),
    looks=[LOOK],
    model=MODEL,
    mistakes=MISTAKES,
)


def with_stages(*stages: StageRecord) -> StudyRecord:
    """The study with some of its stages."""
    more: dict[str, Any] = {} if FINAL in stages else {"looks": (), "model": None, "mistakes": None}
    return replace(STUDY, stages=stages, **more)


def curve(of: TrialRecord, **figures: list[float]) -> Curve:
    """Four epochs of two steps."""
    usual = {
        "learning_rate": [0.1, 0.1, 0.05, 0.0],
        "train_loss": [2.0, 1.0, 0.5, 0.4],
        "train_cost": [2.5, 1.5, 1.0, 0.9],
        "train_accuracy": [0.2, 0.6, 0.8, 0.99],
        "valid_loss": [1.8, 0.9, 0.6, 0.7],
        "valid_cost": [2.3, 1.4, 1.1, 1.2],
        "valid_accuracy": [0.3, 0.6, 0.8, 0.95],
    }
    n = len(next(iter(figures.values()), usual["learning_rate"]))
    columns = {name: np.array(values) for name, values in (figures or usual).items()}
    return Curve(of, 2.0 * np.arange(1, n + 1), columns)


CURVES = [curve(t) for t in (FINE_TRIALS[1], COARSE_TRIALS[4], COARSE_TRIALS[0], COARSE_TRIALS[1])]
