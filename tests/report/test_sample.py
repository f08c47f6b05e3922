"""Which of very many trials are drawn."""

from itertools import pairwise

from bnsearch.report.sample import ranked, some, told
from tests.report.made import COARSE_TRIALS, FINE_TRIALS, stopped, trial


def test_best_first_and_of_those_that_were_stopped_the_later_ones() -> None:
    order = [t.number for t in ranked(COARSE_TRIALS)]
    assert order == [4, 0, 2, 1, 3]
    assert [t.number for t in ranked(FINE_TRIALS)] == [1, 2, 0, 3]


def test_of_equals_the_lower_loss_then_the_lower_number() -> None:
    found = [trial("fine", 2, 1, 1, 0.9, loss=0.3), trial("fine", 1, 1, 1, 0.9), trial("fine", 0, 1, 1, 0.9, loss=0.3)]
    assert [t.number for t in ranked(found)] == [1, 0, 2]
    late, early = stopped("fine", 1, 1, 1, 0.5, 0.1), stopped("fine", 0, 1, 1, 0.9)
    assert ranked([early, late]) == [late, early]


def test_all_of_few_and_the_best_and_an_even_sample_of_many() -> None:
    assert some(range(8), 8) == list(range(8))
    found = some(range(10_000), 2000)
    assert len(found) == len(set(found)) == 2000
    assert found[:500] == list(range(500))
    assert found == sorted(found)
    gaps = {b - a for a, b in pairwise(found[500:])}
    assert gaps == {6, 7}
    assert found[-1] > 9990


def test_one_that_must_be_there_takes_its_neighbours_place() -> None:
    found, usual = some(range(10_000), 60, keep=1_000), some(range(10_000), 60)
    assert 1_000 not in usual
    assert set(found) - set(usual) == {1_000}
    assert len(found) == 60
    assert found == sorted(found)
    for keep in (3, usual[40], 10_001):  # there anyway, or not at all
        assert some(range(10_000), 60, keep) == usual
    assert some(range(10_000), 60, keep=9_999) == [*usual[:-1], 9_999]


def test_it_is_said_where_not_all_are_drawn() -> None:
    assert told(5, 5) is None
    assert told(2000, 10_000) == "2,000 of 10,000 trials are drawn: the best 500 and an even sample of the others."
