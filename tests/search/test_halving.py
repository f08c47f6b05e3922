"""Which lanes go on from a rung, and where rungs lie."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnsearch.search.halving import KEEP, SHARES, Standing, allowed_steps, n_kept, order, rung_steps, survivors
from bnsearch.search.tables import Constant, Cosine, Cyclic, Exponential
from tests.search.helpers import untimed

figures = st.tuples(st.integers(0, 20).map(lambda k: k / 20), st.sampled_from([0.5, 1.0, 2.0]), st.booleans())
rungs = st.lists(figures, min_size=1, max_size=40).map(lambda rows: [Standing(i, *row) for i, row in enumerate(rows)])
keeps = st.sampled_from([0.1, 0.25, KEEP, 0.5, 0.9])


@pytest.mark.parametrize(("n", "kept"), [(24, 12), (16, 8), (21, 11), (8, 4), (5, 4), (3, 3), (96, 48)])
def test_one_half_goes_on_and_at_least_four(n: int, kept: int) -> None:
    lanes = [Standing(i, i / 100, 1.0) for i in range(n)]
    assert survivors(lanes) == list(range(n - 1, n - 1 - kept, -1))


def test_a_share_is_not_rounded_up_for_the_sake_of_a_binary_fraction() -> None:
    """0.7 · 10 is 7.000000000000001."""
    assert n_kept(10, 0.7) == 7


def test_equals_are_told_apart_by_cross_entropy_then_by_number() -> None:
    lanes = [Standing(0, 0.5, 2.0), Standing(1, 0.5, 1.0), Standing(2, 0.5, 1.0), Standing(3, 0.4, 0.1)]
    assert [s.number for s in order(lanes)] == [1, 2, 0, 3]


def test_a_diverged_lane_is_last_and_its_figures_mean_nothing() -> None:
    lanes = [Standing(0, math.nan, math.nan, diverged=True), *(Standing(i, 0.0, 9.0) for i in range(1, 7))]
    assert order(lanes)[-1].number == 0
    assert survivors(lanes) == [1, 2, 3, 4]
    assert survivors(lanes[:3]) == [1, 2]


@untimed
@given(rungs, keeps, st.randoms())
def test_the_order_of_arrival_does_not_matter(lanes: list[Standing], keep: float, random: object) -> None:
    shuffled = list(lanes)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert survivors(shuffled, keep) == survivors(lanes, keep)


@untimed
@given(rungs, keeps)
def test_the_best_always_goes_on_and_nobody_before_a_better_one(lanes: list[Standing], keep: float) -> None:
    kept = survivors(lanes, keep)
    sound = [s for s in lanes if not s.diverged]
    assert len(kept) == min(len(sound), max(4, math.ceil(keep * len(lanes) - 1e-9)))
    if sound:
        assert max(s.accuracy for s in sound) == lanes[kept[0]].accuracy
    gone = [s.accuracy for s in sound if s.number not in kept]
    assert not gone or max(gone) <= min(lanes[i].accuracy for i in kept)


@untimed
@given(rungs)
def test_a_copy_of_a_lane_does_not_change_the_best(lanes: list[Standing]) -> None:
    copy = Standing(len(lanes), lanes[-1].accuracy, lanes[-1].loss, lanes[-1].diverged)
    assert survivors([*lanes, copy])[:1] == survivors(lanes)[:1]


@pytest.mark.parametrize(
    ("schedule", "steps"),
    [
        (Constant(), (10, 20, 30)),
        (Exponential(kind="exponential", decay=0.9), (10, 20, 30)),
        (Cyclic(kind="cyclic", low=0.1, half_cycle_steps=8, cycles=3), (16, 32)),
        (Cyclic(kind="cyclic", low=0.1, half_cycle_steps=20, cycles=1), ()),
        (Cosine(kind="cosine"), ()),
    ],
)
def test_rungs_are_allowed_where_lanes_can_be_compared(schedule: object, steps: tuple[int, ...]) -> None:
    assert allowed_steps(schedule, 40, 10) == steps  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("n_epochs", "steps"), [(20, (50, 100)), (10, (30, 50)), (4, (10, 20)), (3, (10, 20)), (2, (10,)), (1, ())]
)
def test_shares_are_snapped_to_allowed_steps(n_epochs: int, steps: tuple[int, ...]) -> None:
    allowed = allowed_steps(Constant(), 10 * n_epochs, 10)
    assert rung_steps(SHARES, allowed, 10 * n_epochs) == steps


@untimed
@given(
    st.lists(st.floats(0.01, 0.99), min_size=1, max_size=5), st.integers(1, 30), st.integers(1, 9), st.integers(0, 8)
)
def test_a_rung_lies_inside_the_run_and_nowhere_twice(shares: list[float], n: int, every: int, rest: int) -> None:
    n_steps = n * every + min(rest, every - 1)
    allowed = allowed_steps(Constant(), n_steps, every)
    found = rung_steps(shares, allowed, n_steps)
    assert list(found) == sorted(set(found))
    assert set(found) <= set(allowed)
    assert all(0 < step < n_steps for step in found)
    assert bool(found) == bool(allowed)
