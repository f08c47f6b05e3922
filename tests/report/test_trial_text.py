"""One trial in full, within a terminal of 80 columns."""

import io
from typing import Any

import pytest
from rich.console import Console

from bnsearch.report.trial_text import trial_report

POINT = {
    "epoch": 1.0,
    "step": 1200.0,
    "learning_rate": 0.0123456,
    "train_loss": 1.234567,
    "train_cost": 12.34567,
    "train_accuracy": 0.123456,
    "valid_loss": 1.234567e-5,
    "valid_cost": 123.4567,
    "valid_accuracy": 1.0,
}
RECORD: dict[str, Any] = {
    "study": "mine.coarse",
    "trial": 4,
    "state": "complete",
    "value": 0.98765,
    "value_name": "validation accuracy",
    "params": {"l2": 1.5e-4, "learning_rate": 0.1642, "momentum": 0.9},
    "began": "2030-01-02T03:04:05",
    "ended": "2030-01-02T03:04:15",
    "rungs": [{"rung": 1, "step": 100, "valid_accuracy": 0.5, "valid_loss": 1.0, "rank": 3, "of": 16}],
    "budget": {"n_steps": 2400, "epoch_steps": 1200},
    "reported": {"1": 0.5, "2": 0.98765},
    "curve": [POINT, POINT | {"epoch": 2.0, "step": 2400.0}],
    "attributes": {"valid_loss": 0.0123456789, "diverged": False, "valid_correct": "////", "n_valid": 240},
    "files": {"curve": "mine/curves/coarse-00004.csv"},
}


def shown(width: int = 80, **changes: Any) -> str:
    file = io.StringIO()
    trial_report(RECORD | changes, Console(file=file, width=width))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


@pytest.mark.parametrize(
    "line",
    [
        "Trial     4 of mine.coarse, complete",
        "Value     98.77 % validation accuracy",
        "λ         0.00015 (l2)",
        "η         0.164 (learning_rate)",
        "momentum  0.9",
        "Rung 1    50.00 % at step 100, rank 3 of 16",
        "Reported  50.00 % … 98.77 % over 2 of 2 epochs  ▁█",
        "Figures   valid_loss = 0.0123457",
        "          n_valid = 240",
        "Began     2030-01-02T03:04:05",
        "Ended     2030-01-02T03:04:15",
        "Curve     mine/curves/coarse-00004.csv",
    ],
)
def test_facts(line: str) -> None:
    assert line in shown().splitlines()


def test_long_texts_for_programs_are_left_out() -> None:
    assert "////" not in shown()
    assert "diverged" not in shown()


def test_the_curve_is_a_table_that_fits() -> None:
    lines = shown().splitlines()
    assert lines[-1].split() == (
        ["2", "2400", "0.0123", "1.23", "12.3", "12.35", "%", "1.23e-05", "123", "100.00", "%"]
    ), lines[-1]
    assert max(map(len, lines)) <= 80
    assert len(lines) == len(shown(1000).splitlines()), "no line is wrapped"


def test_a_trial_under_way_has_neither_value_nor_curve_yet() -> None:
    text = shown(state="running", value=None, ended=None, curve=[], reported={"1": 0.5}, rungs=[], files={})
    assert "Trial     4 of mine.coarse, running" in text
    assert "50.00 % … 50.00 % over 1 of 2 epochs" in text
    for word in ("Value", "Ended", "Learning curve", "Rung"):
        assert word not in text


def test_a_trial_of_an_older_version_has_no_budget() -> None:
    assert "over 2 epochs  ▁█" in shown(budget=None)
