"""The verdict of a gradient check, in words."""

from typing import Any

import pytest

from bnsearch.report.gradient_check import verdict


def record(*wrong: str, **changes: Any) -> dict[str, Any]:
    errors = {"dense.0.W": 3e-15, "dense.0.b": None, "dense.1.W": 2e-15}
    rows = [
        {"parameter": name, "relative_error": error, "agrees": name not in wrong, "expected_zero": error is None}
        for name, error in errors.items()
    ]
    usual = {
        "method": "complex",
        "statistics": "batch",
        "batch_norm": "affine",
        "allowed": 1e-13,
        "exact": False,
        "parameters": rows,
    }
    return usual | changes


def test_a_right_one_says_how_closely() -> None:
    assert verdict(record()) == (
        "Backpropagation is right: it agrees with the complex step to 3.0e-15 of each parameter's largest derivative "
        "(1e-13 is allowed)."
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "because one of them is wrong there."),
        ({"method": "central"}, "because one of them is wrong there."),
        ({"method": "central", "exact": True}, "because a ReLU switches between the two points of a difference"),
        ({"statistics": "frozen"}, "these are derivatives of two functions; --statistics batch compares"),
        ({"statistics": "frozen", "batch_norm": "none"}, "because one of them is wrong there."),
    ],
)
def test_a_wrong_one_names_parameters_and_the_cause(changes: dict[str, Any], words: str) -> None:
    said = verdict(record("dense.0.W", "dense.1.W", **changes))
    assert said.startswith("Backpropagation does not agree with ")
    assert " in 2 of 3 parameters (dense.0.W and dense.1.W), because " in said
    assert words in said
