"""What a comparison found, of handmade trials, against computations of their own."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bnsearch.search.compared import compared
from bnsearch.search.trials import Trial
from tests.search.helpers import untimed

VARIANTS = [{"label": f"depth {n}", "keys": {"network.hidden": [5] * n}} for n in (1, 2, 3)]
Y = np.array([[0.50, 0.54, 0.52, 0.55], [0.56, 0.61, 0.57, 0.60], [0.51, 0.53, 0.53, 0.55]])


def trial(variant: int, repeat: int, value: float | None, **attrs: Any) -> Trial:
    attrs |= {"variant": variant, "repeat": repeat}
    if value is not None:
        attrs |= {"valid_accuracy": value, "train_accuracy": value + 0.1}
    return Trial(variant + 3 * repeat, {}, value, attrs=attrs)


def trials(y: Any = Y) -> list[Trial]:
    return [trial(i, r, y[i][r - 1]) for i in range(3) for r in range(1, 5) if y[i][r - 1] is not None]


def separable(found: dict[str, Any]) -> list[bool | None]:
    return [row["separable"] for row in found["variants"]]


def test_means_and_differences_have_t_intervals() -> None:
    found = compared(VARIANTS, trials(), 4)
    for i, row in enumerate(found["variants"]):
        interval = stats.ttest_1samp(Y[i], 0.0).confidence_interval(0.95)
        figure = row["valid_accuracy"]
        assert (figure["mean"], figure["low"], figure["high"]) == pytest.approx((Y[i].mean(), *interval))
        assert row["train_accuracy"]["per_seed"] == pytest.approx(list(Y[i] + 0.1))
        assert row["n"] == 4
    paired = stats.ttest_rel(Y[1], Y[0]).confidence_interval(1 - 0.05 / 2)
    difference = found["variants"][1]["difference"]
    assert (difference["low"], difference["high"]) == pytest.approx(tuple(paired))
    assert difference["per_seed"] == pytest.approx(list(Y[1] - Y[0]))


def test_the_best_is_told_and_who_can_be_told_from_the_first() -> None:
    found = compared(VARIANTS, trials(), 4)
    assert (found["best"], separable(found)) == (1, [None, True, False])
    close = np.array([Y[0], Y[0] + [0.01, -0.01, 0.02, -0.01], Y[2]])
    assert separable(compared(VARIANTS, trials(close), 4)) == [None, False, False]


def test_variants_of_another_spread_change_nothing() -> None:
    """One spread for all variants called a difference uncertain whose own interval was clear of 0."""
    wild = np.array([Y[0], Y[1], [0.1, 0.9, 0.2, 0.8]])
    found = compared(VARIANTS, trials(wild), 4)
    assert separable(found) == [None, True, False]
    assert found["variants"][1]["difference"] == compared(VARIANTS, trials(), 4)["variants"][1]["difference"]


@given(
    st.lists(
        st.lists(st.none() | st.integers(0, 30).map(lambda i: i / 30), min_size=4, max_size=4), min_size=3, max_size=3
    )
)
@untimed
def test_separable_is_whose_interval_leaves_0_out(y: list[list[float | None]]) -> None:
    found = compared(VARIANTS, trials(y), 4)
    for row in found["variants"][1:]:
        pairs = [a - b for a, b in zip(y[row["variant"]], y[0], strict=True) if a is not None and b is not None]
        difference = row["difference"]
        assert (difference is None) == (not pairs)
        if len(pairs) < 2 or np.std(pairs) < 1e-9:
            assert not row["separable"]
            assert difference is None or difference["low"] is difference["high"] is None
            continue
        assert row["separable"] == (difference["low"] > 0 or difference["high"] < 0)
        by_scipy = stats.ttest_1samp(pairs, 0.0)
        interval = by_scipy.confidence_interval(1 - 0.05 / 2)
        assert (difference["low"], difference["high"]) == pytest.approx(tuple(interval))
        assert row["separable"] == (2 * by_scipy.pvalue < 0.05)


def test_the_method_is_named() -> None:
    said = compared(VARIANTS, trials(), 4)["differences"]
    assert (said["n"], said["simultaneous"], said["each"]) == (2, 0.95, pytest.approx(0.975))
    assert "Bonferroni" in said["method"]


def test_equal_differences_have_no_interval() -> None:
    """They differed in the last bit, which made an interval of no width that left 0 out."""
    found = compared(VARIANTS, trials(np.array([Y[0], Y[0] + 0.1, Y[0]])), 4)
    for row, mean in zip(found["variants"][1:], (0.1, 0.0), strict=True):
        assert row["difference"] == {"mean": pytest.approx(mean), "low": None, "high": None, "per_seed": [mean] * 4}
    assert separable(found) == [None, False, False]


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
        assert (found["best"], separable(found)) == (None, [None, False, False])
        assert all(row["valid_accuracy"] is None for row in found["variants"])


def test_both_kinds_of_moments_are_averaged_apart() -> None:
    by = [{"moving": 0.4, "population": 0.5}, {"moving": 0.42, "population": 0.5}]
    own = [trial(0, r, 0.5, test_accuracy_by_statistics=by[r - 1], test_accuracy=by[r - 1]["moving"]) for r in (1, 2)]
    (row,) = compared(VARIANTS[:1], own, 2)["variants"]
    assert row["test_accuracy_by_statistics"]["moving"]["mean"] == pytest.approx(0.41)
    assert row["test_accuracy_by_statistics"]["population"]["per_seed"] == [0.5, 0.5]
