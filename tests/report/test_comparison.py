"""A comparison in words, of handmade trials."""

from typing import Any

import numpy as np
import pytest

from bnsearch.report.comparison import explained, sentences, table_rows
from bnsearch.search.compared import compared
from tests.search.test_compared import VARIANTS, Y, trial, trials


def of(y: Any) -> dict[str, Any]:
    return compared(VARIANTS, trials(y), 4)


def without(*lost: tuple[int, int]) -> list[list[float | None]]:
    """Y without the repeats of variants that diverged."""
    return [[None if (i, r) in lost else float(Y[i][r]) for r in range(4)] for i in range(3)]


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (Y, "5.75 points above the first, depth 1 (simultaneous 95 % interval 3.75 … 7.75): separable from it"),
        ([Y[0], Y[0] + [0.01, -0.01, 0.02, -0.01], Y[0] - 0.1], "): not separable from it"),
        ([Y[0], Y[0] + 0.1, Y[2]], "10.00 points above the first, depth 1, the same in each; without a spread"),
        ([Y[1], Y[0], Y[2]], "best depth 1: validation accuracy 58.50 % over 4 repeats, the first variant"),
        (without((0, 0)), "above the first, depth 1, in the 3 repeats that this came to the end of (simultaneous"),
        (without((0, 0), (0, 1), (0, 2)), "in the 1 repeat that this came to the end of; one repeat does not say"),
        (without(*((0, r) for r in range(4))), "; the first variant, depth 1, did not come to the end of any repeat"),
    ],
)
def test_the_best_is_set_against_the_first_by_the_interval_of_the_table(y: Any, words: str) -> None:
    assert words in sentences(of(y))[0]


def test_a_best_below_the_first_of_fewer_repeats_is_called_below() -> None:
    y = without((0, 0), (0, 1))
    y[0][2:] = [0.9, 0.8]
    assert "points below the first" in sentences(of(y))[0]


def test_those_that_cannot_be_told_from_the_first_are_named() -> None:
    assert sentences(of(Y))[1] == "cannot be told from the first with 4 repeats: depth 3"
    far = np.array([Y[0], Y[1], Y[0] - [0.3, 0.31, 0.3, 0.29]])
    assert len(sentences(of(far))) == 1


def test_the_table_has_the_interval_that_decides_and_says_which_it_is() -> None:
    rows = list(table_rows(of(Y)))
    assert rows[1][4] == "+5.75 ± 2.00"
    assert "simultaneous 95 % interval (paired t, of the level 1 − .05/2, so that all 2 hold at once)" in explained(
        of(Y)
    )


def test_after_growth_the_table_says_how_many_were_tested() -> None:
    """The test's column was a mean over three beside an n of four."""
    own = [trial(i, r, 0.5, **({"test_accuracy": 0.4} if r < 4 - i else {})) for i in (0, 1) for r in (1, 2, 3, 4)]
    grown = [row[1] for row in table_rows(compared(VARIANTS, own, 4))]
    assert grown == ["4, 3 of 4 tested", "4, 2 of 4 tested", "0"]
    every = [trial(0, r, 0.5, test_accuracy=0.4) for r in (1, 2, 3, 4)]
    assert next(table_rows(compared(VARIANTS, every, 4)))[1] == "4"
    assert next(table_rows(of(Y)))[1] == "4", "nobody asked for a test"
