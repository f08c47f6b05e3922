"""What a comparison found, of handmade trials, against computations of their own."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from bnsearch.search.compared import compared
from bnsearch.search.trials import Trial

VARIANTS = [{"label": f"depth {n}", "keys": {"network.hidden": [5] * n}} for n in (1, 2, 3)]
Y = np.array([[0.50, 0.54, 0.52, 0.55], [0.56, 0.61, 0.57, 0.60], [0.51, 0.53, 0.53, 0.55]])


def trial(variant: int, repeat: int, value: float | None, **attrs: Any) -> Trial:
    attrs |= {"variant": variant, "repeat": repeat}
    if value is not None:
        attrs |= {"valid_accuracy": value, "train_accuracy": value + 0.1}
    return Trial(variant + 3 * repeat, {}, value, attrs=attrs)


def trials(y: Any = Y) -> list[Trial]:
    return [trial(i, r, float(y[i][r - 1])) for i in range(3) for r in range(1, 5)]


def test_means_and_differences_have_t_intervals() -> None:
    found = compared(VARIANTS, trials(), 4)
    for i, row in enumerate(found["variants"]):
        interval = stats.ttest_1samp(Y[i], 0.0).confidence_interval(0.95)
        figure = row["valid_accuracy"]
        assert (figure["mean"], figure["low"], figure["high"]) == pytest.approx((Y[i].mean(), *interval))
        assert row["train_accuracy"]["per_seed"] == pytest.approx(list(Y[i] + 0.1))
        assert row["n"] == 4
    paired = stats.ttest_rel(Y[1], Y[0]).confidence_interval(0.95)
    difference = found["variants"][1]["difference"]
    assert (difference["low"], difference["high"]) == pytest.approx(tuple(paired))
    assert difference["per_seed"] == pytest.approx(list(Y[1] - Y[0]))


def test_the_best_is_told_with_those_that_cannot_be_told_from_it() -> None:
    found = compared(VARIANTS, trials(), 4)
    assert (found["best"], found["not_separable"]) == (1, [1])
    close = np.array([Y[0], Y[0] + [0.01, -0.01, 0.02, -0.01], Y[2]])
    assert compared(VARIANTS, trials(close), 4)["not_separable"] == [0, 1, 2]


def test_pairs_are_of_repeats_that_both_came_to_the_end_of() -> None:
    some = [t for t in trials() if (t.attrs["variant"], t.attrs["repeat"]) not in {(0, 1), (1, 4)}]
    some.append(trial(0, 1, None, diverged=True))
    found = compared(VARIANTS, some, 4)
    first, second, third = found["variants"]
    assert (first["n"], first["n_diverged"], second["n"]) == (3, 1, 3)
    assert first["valid_accuracy"]["per_seed"][0] is None
    pairs = second["difference"]["per_seed"]
    assert (pairs[0], pairs[3]) == (None, None)
    assert pairs[1:3] == pytest.approx(list(Y[1][1:3] - Y[0][1:3]))
    assert third["difference"]["mean"] == pytest.approx((Y[2][1:] - Y[0][1:]).mean())
    assert found["best"] == 2, "the others did not come to the end of every repeat"


def test_before_the_first_trial_there_is_nothing_to_say() -> None:
    for n_repeats in (0, 2):
        found = compared(VARIANTS, [], n_repeats)
        assert (found["best"], found["not_separable"]) == (None, [])
        assert all(row["valid_accuracy"] is None for row in found["variants"])


def test_both_kinds_of_moments_are_averaged_apart() -> None:
    by = [{"moving": 0.4, "population": 0.5}, {"moving": 0.42, "population": 0.5}]
    own = [trial(0, r, 0.5, test_accuracy_by_statistics=by[r - 1], test_accuracy=by[r - 1]["moving"]) for r in (1, 2)]
    (row,) = compared(VARIANTS[:1], own, 2)["variants"]
    assert row["test_accuracy_by_statistics"]["moving"]["mean"] == pytest.approx(0.41)
    assert row["test_accuracy_by_statistics"]["population"]["per_seed"] == [0.5, 0.5]
