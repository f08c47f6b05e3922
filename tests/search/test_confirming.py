"""What confirm says of each finalist, from a table of accuracies alone."""

import numpy as np
from hypothesis import given
from numpy.typing import NDArray
from scipy import stats

from bnsearch.search import choose
from bnsearch.search.confirming import judged
from tests.search.test_choose import block, tables, untimed

FINALISTS = [{"params": {"l2": 10.0**-i}, "stage": "fine", "trial": i, "default": False} for i in range(6)]


@given(tables)
@untimed
def test_tied_is_whose_interval_contains_0(y: NDArray[np.float64]) -> None:
    """An interval for each pair by itself lay clear of 0 where the finalist was called tied."""
    rows = judged(FINALISTS, range(len(y)), y)
    for row in (row for row in rows if row["difference_interval"] is not None):
        low, high = row["difference_interval"]
        assert low <= row["behind_best"] <= high
        assert row["separable"] == (low > 0.0)


def test_a_difference_that_only_its_own_pair_would_separate_is_tied() -> None:
    y = block([[0.545, 0.528, 0.509], [0.487, 0.490, 0.500], [0.500, 0.493, 0.487]])
    of_a_pair = stats.t.ppf(0.975, 4) * np.sqrt(2 * choose.blocks(y).mse / 3)
    for row in judged(FINALISTS, range(3), y)[1:]:
        assert row["behind_best"] > of_a_pair  # else the example shows nothing
        assert not row["separable"]
        assert row["difference_interval"][0] < 0.0 < row["difference_interval"][1]
