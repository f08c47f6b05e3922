"""Intervals of means, against scipy's and by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy import stats

from bnsearch.search import intervals
from tests.search.helpers import untimed


@given(
    st.lists(st.integers(0, 10_000).map(lambda i: i / 10_000), min_size=2, max_size=9).filter(lambda v: len(set(v)) > 1)
)
@untimed
def test_the_interval_over_seeds_is_students(accuracies: list[float]) -> None:
    found = intervals.over_seeds(accuracies)
    low, high = stats.t.interval(0.95, len(accuracies) - 1, loc=np.mean(accuracies), scale=stats.sem(accuracies))
    assert (found.mean, found.low, found.high) == pytest.approx((np.mean(accuracies), max(low, 0.0), min(high, 1.0)))


def test_the_interval_over_images_by_hand() -> None:
    correct = np.array([[1, 1, 0, 1], [1, 0, 0, 1], [1, 1, 0, 0]], dtype=bool)
    accuracies = [0.75, 0.5, 0.5]
    hits = [1.0, 2 / 3, 0.0, 2 / 3]
    mean = sum(accuracies) / 3
    s2 = sum((a - mean) ** 2 for a in accuracies) / 2
    image2 = sum((h - sum(hits) / 4) ** 2 for h in hits) / 3
    half = 1.96 * math.sqrt(s2 / 3 + image2 / 4)
    found = intervals.over_images(correct)
    assert found.mean == pytest.approx(mean)
    assert found.low == pytest.approx(max(mean - half, 0))
    assert found.high == pytest.approx(min(mean + half, 1))


def test_the_interval_over_images_of_one_decided_network_is_the_binomial_one() -> None:
    correct = np.repeat((np.arange(1000) < 600)[None], 4, axis=0)
    found = intervals.over_images(correct)
    assert found.high - found.mean == pytest.approx(1.96 * math.sqrt(0.6 * 0.4 / 999))


@given(hnp.arrays(np.bool_, st.tuples(st.integers(2, 6), st.integers(2, 40))))
@untimed
def test_the_interval_over_images_is_a_share_around_the_mean(correct: NDArray[np.bool_]) -> None:
    found = intervals.over_images(correct)
    assert 0.0 <= found.low <= found.mean + 1e-12
    assert found.mean - 1e-12 <= found.high <= 1.0


@given(st.lists(st.floats(-1.0, 1.0), min_size=2, max_size=9), st.integers(1, 12))
@untimed
def test_intervals_of_several_differences_are_students_each_at_its_share_of_the_error(
    differences: list[float], n_differences: int
) -> None:
    found = intervals.over_pairs(differences, n_differences)
    half = stats.t.ppf(1 - 0.025 / n_differences, len(differences) - 1) * stats.sem(differences)
    assert found.mean == pytest.approx(np.mean(differences), abs=1e-12)
    assert (found.high - found.mean, found.mean - found.low) == pytest.approx((half, half), abs=1e-9)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@untimed
def test_the_interval_of_one_predictor_is_wilsons(counts: tuple[int, int]) -> None:
    found, expected = intervals.over_images_of_one(*counts), stats.binomtest(*counts).proportion_ci(method="wilson")
    assert found.mean == counts[0] / counts[1]
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=2e-5)  # 1.96 for 1.959964
