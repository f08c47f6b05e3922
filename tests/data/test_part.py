"""Which rows train and which validate: in the search, in each repeat of confirm, in final."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnsearch.data.part import Part


@st.composite
def parts(draw: st.DrawFn, max_roll: int = 12) -> Part:
    """A search's rows, the validation ones before or behind, with or without a gap, and a roll."""
    n_valid = draw(st.integers(1, 20))
    n_train = draw(st.integers(n_valid, 60))
    start, gap = draw(st.integers(0, 5)), draw(st.integers(0, 5))
    if draw(st.booleans()):
        train = (start, start + n_train)
        valid = (train[1] + gap, train[1] + gap + n_valid)
    else:
        valid = (start, start + n_valid)
        train = (valid[1] + gap, valid[1] + gap + n_train)
    return Part(train, valid, draw(st.integers(0, max_roll)))


def test_the_search_has_the_study_files_rows() -> None:
    train, valid = Part((2, 5), (7, 9)).rows()
    assert train.tolist() == [2, 3, 4]
    assert valid.tolist() == [7, 8]


def test_final_trains_on_both_and_validates_on_nothing() -> None:
    train, valid = Part((2, 5), (7, 9), together=True).rows()
    assert train.tolist() == [2, 3, 4, 7, 8]
    assert valid.tolist() == []


@pytest.mark.parametrize(
    ("roll", "window"),
    [(1, [16, 17, 18, 19]), (2, [12, 13, 14, 15]), (3, [10, 11, 8 + 0, 9]), (4, [4, 5, 6, 7]), (5, [0, 1, 2, 3])],
)
def test_repeats_validate_on_windows_from_the_end(roll: int, window: list[int]) -> None:
    train, valid = Part((0, 20), (20, 24), roll).rows()
    assert sorted(valid.tolist()) == sorted(window)
    assert sorted(train.tolist()) == sorted(set(range(24)) - set(window))


def test_a_window_that_passes_the_beginning_goes_on_at_the_end() -> None:
    _, valid = Part((100, 110), (110, 114), roll=3).rows()
    assert sorted(valid.tolist()) == [100, 101, 108, 109]


@given(parts())
def test_a_repeat_has_as_many_rows_as_the_search_and_none_twice(part: Part) -> None:
    train, valid = part.rows()
    everyone = set(range(*part.train)) | set(range(*part.valid))
    assert len(train) == part.train[1] - part.train[0]
    assert len(valid) == part.valid[1] - part.valid[0]
    assert sorted([*train.tolist(), *valid.tolist()]) == sorted(everyone)


@given(parts())
def test_rows_of_the_searchs_validation_never_validate_a_finalist(part: Part) -> None:
    searched = set(range(*part.valid))
    train, valid = part.rows()
    if part.roll == 0:
        assert set(valid.tolist()) == searched
    else:
        assert not searched & set(valid.tolist())
        assert searched <= set(train.tolist())


@given(parts(max_roll=0))
def test_repeats_validate_on_different_rows_while_there_are_any(part: Part) -> None:
    n_windows = (part.train[1] - part.train[0]) // (part.valid[1] - part.valid[0])
    windows = [Part(part.train, part.valid, roll).rows()[1] for roll in range(1, n_windows + 1)]
    together = np.concatenate(windows)
    assert len(set(together.tolist())) == len(together)


@given(parts())
def test_rows_are_a_matter_of_the_numbers_alone(part: Part) -> None:
    for one, other in zip(part.rows(), Part(part.train, part.valid, part.roll).rows(), strict=True):
        np.testing.assert_array_equal(one, other)
