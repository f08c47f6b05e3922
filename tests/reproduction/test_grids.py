"""What the page says of B17's grids: how much of a ranking is noise, and of what."""

from typing import Any

import numpy as np
import pytest

from benchmarks.reproduction import theirs
from benchmarks.reproduction.ours import Comparison, Float
from benchmarks.reproduction.ranking import better_half, spearman
from benchmarks.reproduction.sections import grids
from tests.reproduction.made import MadeGroup, group

RNG = np.random.default_rng(0)


def _comparison(moving: Float, exact: Float) -> Comparison:
    variants: list[tuple[dict[str, Any], MadeGroup]] = [
        ({"bn_statistics": kind, "learning_rate": 0.1, "l2": float(i)}, group(valid_accuracy=row.tolist()))
        for kind, y in (("moving", moving), ("population", exact))
        for i, row in enumerate(y)
    ]
    return Comparison("made.compare", tuple(variants))


def test_noise_that_chose_a_half_does_not_judge_it() -> None:
    y = RNG.normal(0.3, 0.02, (40, 6))
    found = better_half(y, y)
    assert found.alike == pytest.approx(1.0)
    assert found.between < 0.5 * found.within
    assert abs(found.correlation) < 0.2


def test_the_better_half_of_settings_that_differ() -> None:
    truth = np.linspace(0.1, 0.5, 9)[:, None]
    y = truth + RNG.normal(0.0, 1e-4, (9, 5))
    found = better_half(y, -y)
    assert (found.correlation, found.alike) == pytest.approx((1.0, -1.0))
    assert found.between == pytest.approx(truth[4:].std(ddof=1), rel=0.01)
    assert spearman(np.array([1.0, 2.0, 3.0]), np.array([5.0, 6.0, 9.0])) == pytest.approx(1.0)


def test_a_seed_that_diverged_leaves_the_others_in_their_columns() -> None:
    y = np.array([[0.3, 0.4, 0.5], [0.2, 0.3, 0.4]])
    comparison = _comparison(y, y)
    keys, whole = comparison.variants[0]
    lost = MadeGroup(whole.study, (whole.trials[0], whole.trials[2]), whole.curves, 1)
    again = Comparison(comparison.study, ((keys, lost), *comparison.variants[1:]))
    assert grids.accuracies(again, "moving").tolist() == [[0.3, 0.1, 0.5], [0.2, 0.3, 0.4]]


def test_a_ranking_that_is_noise_and_one_that_stands() -> None:
    noise, other = RNG.normal(0.3, 0.02, (2, 20, 5))
    said = grids._said(_comparison(noise, other), theirs.B17_FINE)
    assert "good settings was mostly noise" in said
    assert "not the order of the networks" in said
    assert "most of a ranking would still be noise" in said
    clear = np.linspace(0.2, 0.5, 20)[:, None] + RNG.normal(0.0, 1e-3, (20, 5))
    said = grids._said(_comparison(clear, clear), theirs.B17_FINE)
    assert "good settings was partly noise" in said
    assert "the same networks in the same order" in said
    assert "the ranking would stand" in said


def test_two_seeds_cannot_choose_and_judge() -> None:
    y = RNG.normal(0.3, 0.02, (6, 2))
    assert "better half" not in grids._said(_comparison(y, y), theirs.B17_FINE)
