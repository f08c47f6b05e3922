"""The first thing that anyone runs: `bnsearch run digits`, with all defaults, as a process."""

import json
import re
from pathlib import Path

import numpy as np
import optuna
import pytest

from bnsearch import load_model
from bnsearch.data import digits
from tests.cli.helpers import program, written

pytestmark = pytest.mark.slow
# trials and epochs; final takes as many steps, which are fewer epochs of its more rows
STAGES = {
    "coarse": (24, 20),
    "fine": (16, 20),
    "confirm": (20, 20),
    "final": (5, 17),
}  # the default is one of four finalists


def test_run_digits(tmp_path: Path) -> None:
    """One run, from nothing to a tested network, and all that can be asked about it afterwards."""
    first = program("run", "digits", "--json", folder=tmp_path)
    assert first.returncode == 0, first.stderr
    progress = re.compile(r".* \.\.\.|.*: done in .*|digits\.\w+: \d+ %, .*")  # the last where a stage takes long
    assert all(map(progress.fullmatch, first.stderr.splitlines())), first.stderr
    result = json.loads(first.stdout)
    files = written(tmp_path)

    second = program("run", "digits", folder=tmp_path)
    assert second.returncode == 0
    assert "Every stage of digits is finished: nothing to do." in second.stdout
    assert written(tmp_path) == files

    accuracy = result["test_accuracy"]
    assert accuracy["mean"] >= 0.97
    assert accuracy["low"] <= accuracy["mean"] <= accuracy["high"] <= 1.0
    assert accuracy["mean"] == pytest.approx(np.mean(accuracy["per_seed"]))
    assert 0.97 <= result["valid_accuracy"] <= 1.0
    assert f"{100 * accuracy['mean']:.2f} %" in second.stdout

    X, y = digits.load().read_test()
    confusion = np.array(result["confusion"])
    n_seeds = len(accuracy["per_seed"])
    assert n_seeds == 5
    assert (confusion.sum(axis=1) == n_seeds * np.bincount(y)).all(), "a row for each true class"
    assert np.trace(confusion) / confusion.sum() == pytest.approx(accuracy["mean"])

    for path, own in zip(result["models"], accuracy["per_seed"], strict=True):
        model = load_model(tmp_path / path)
        assert float(np.mean(model.predict(X) == y)) == own
    assert result["model"] == result["models"][0]

    assert result["database"] == "sqlite:///studies/digits.db"
    storage = optuna.storages.RDBStorage(f"sqlite:///{tmp_path}/studies/digits.db")
    for stage, (total, n_epochs) in STAGES.items():
        study = optuna.load_study(study_name=f"digits.{stage}", storage=storage)
        assert len(study.trials) == total, stage
        for trial in study.trials:
            assert trial.state == optuna.trial.TrialState.COMPLETE
            assert {"l2", "learning_rate"} <= trial.params.keys()
            assert 0.0 <= trial.value <= 1.0
            assert sorted(trial.intermediate_values) == list(range(1, n_epochs + 1))
            assert f"studies/digits/curves/{stage}-{trial.number:05d}.csv" in files
    storage.remove_session()
    storage.engine.dispose()
