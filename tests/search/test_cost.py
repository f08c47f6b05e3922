"""What trainings cost, from how long a step takes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnsearch.search.cost import Form, Pace, Piece, batch_rounds, lane_steps, new_rounds, piece, repeat_round, trainings
from bnsearch.search.cost import round_seconds as seconds_at
from tests.search.helpers import untimed

PACE = Pace((1, 2, 4), (1.0, 1.5, 2.5), (0.1, 0.15, 0.25))
FORM = Form(n_steps=100, epoch_steps=10, evaluation_rows=10, end_rows=30)
HALVED = replace(FORM, rungs=(30, 50))


def round_seconds(pieces: list[Piece], n_workers: int, pace: Pace = PACE) -> float:
    return seconds_at(FORM, pace, pieces, n_workers)


def test_a_pace_is_straight_between_what_was_measured() -> None:
    assert [PACE.step_seconds(width) for width in (1, 2, 3, 4)] == [1.0, 1.5, 2.0, 2.5]
    assert PACE.row_seconds(2) == pytest.approx(0.15)


def test_evaluations_fall_on_epochs_ends_and_on_the_last_step() -> None:
    assert piece(FORM, 3, 0, 100) == Piece(3, 100, 10, to_end=True)
    assert piece(replace(FORM, n_steps=105), 3, 0, 105).evaluations == 11
    assert piece(FORM, 3, 0, 25).evaluations == 2 + 1, "and at a rung"
    assert piece(FORM, 3, 0, 30).evaluations == 3 + 1, "a rung at an epoch's end is evaluated for itself"
    assert piece(FORM, 3, 30, 100).evaluations == 7


def test_a_round_of_one_cohort_and_one_worker_takes_its_steps_and_evaluations() -> None:
    rows = 10 * 10 + 30
    assert round_seconds([piece(FORM, 4, 0, 100)], 1) == pytest.approx(100 * 2.5 + rows * 0.25)


def test_workers_share_the_cohorts_and_a_lone_one_is_halved() -> None:
    eight, four = [piece(FORM, 8, 0, 100)], [piece(FORM, 4, 0, 100)]
    assert round_seconds(eight, 2) == pytest.approx(round_seconds(eight, 1) / 2)
    assert round_seconds(four, 2) == round_seconds([piece(FORM, 2, 0, 100)], 1)


def test_repeats_never_share_a_cohort() -> None:
    apart = [piece(FORM, 1, 0, 100, groups=4)]
    assert round_seconds(apart, 1) == pytest.approx(4 * round_seconds([piece(FORM, 1, 0, 100)], 1))


@untimed
@given(
    lanes=st.integers(1, 40),
    groups=st.integers(1, 6),
    workers=st.integers(1, 9),
    width=st.integers(2, 20),
)
def test_more_workers_never_take_longer_than_one_nor_more_than_their_share_less(
    lanes: int, groups: int, workers: int, width: int
) -> None:
    pace = Pace((1, width), (1.0, 0.5 * (1 + width)), (0.1, 0.05 * (1 + width)))
    pieces = [Piece(lanes, 100, 10, True, groups)]
    alone, shared = round_seconds(pieces, 1, pace), round_seconds(pieces, workers, pace)
    assert alone / workers - 1e-9 <= shared <= alone + 1e-9


def test_rungs_save_the_steps_of_those_who_do_not_go_on() -> None:
    rounds = new_rounds(HALVED, 24)
    assert [(p.lanes, p.steps) for pieces in rounds for p in pieces] == [(24, 30), (12, 20), (6, 50)]
    assert lane_steps(rounds) == 24 * 30 + 12 * 20 + 6 * 50
    assert trainings(HALVED, rounds) == pytest.approx(12.6)
    assert trainings(HALVED, new_rounds(HALVED, 15)) == 15, "too few for rungs"


def test_batches_are_trained_one_after_another() -> None:
    rounds = new_rounds(replace(FORM, batch=16), 40)
    assert [[(p.lanes, p.steps) for p in pieces] for pieces in rounds] == [[(16, 100)], [(16, 100)], [(8, 100)]]
    assert not new_rounds(FORM, 0)


def test_a_batch_goes_on_from_where_its_lanes_stand() -> None:
    rounds = batch_rounds(FORM, 24, (30, 50), [40] * 8 + [30] * 4)
    assert [[(p.lanes, p.steps) for p in pieces] for pieces in rounds] == [[(4, 20), (8, 10)], [(6, 50)]]
    assert batch_rounds(FORM, 24, (), []) == []


def test_repeats_of_alike_lanes_are_counted_together() -> None:
    fresh = [(repeat, 0) for repeat in (1, 2, 3) for _ in range(4)]
    assert repeat_round(FORM, fresh) == [Piece(4, 100, 10, True, groups=3)]
    assert repeat_round(FORM, [(1, 0), (1, 60), (2, 0)]) == [
        Piece(1, 100, 10, True, groups=2),
        Piece(1, 40, 4, True, groups=1),
    ]
