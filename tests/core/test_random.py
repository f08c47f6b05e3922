"""Generators by name: the same everywhere for the same name, different for any other."""

import itertools

import numpy as np
import pytest

from bnsearch.core.random import generator


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ((0, "0", "weights", None), 8708223946613482724),
        ((7, "confirm-3", "order", 12), 1859168234525512051),
    ],
)
def test_the_numbers_of_a_name_never_change(name: tuple[int, str, str, int | None], first: int) -> None:
    # Any change here changes every search that was ever run.
    assert generator(*name).bit_generator.random_raw() == first


def test_equal_names_give_equal_numbers() -> None:
    one, other = (generator(3, "0", "order", epoch=5).permutation(1000) for _ in range(2))

    np.testing.assert_array_equal(one, other)


def test_names_that_differ_in_anything_give_different_numbers() -> None:
    names = itertools.product([0, 1, 10], ["0", "1", "final-0"], ["weights", "order"], [None, 0, 1, 10])

    firsts = [generator(*name).bit_generator.random_raw() for name in names]

    assert len(set(firsts)) == len(firsts) == 72
