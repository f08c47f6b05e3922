"""Proposals are pure and lie where they should; a box around tied settings, and what is said about edges."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import qmc

from bnsearch.errors import SpaceError
from bnsearch.search.space import Edge, distributions, narrow, propose, ranges, spacing, unresolved
from bnsearch.search.tables import LIMITS, Range
from bnsearch.search.trials import Trial
from tests.search.helpers import untimed

Setting = Mapping[str, float]
WIDE = {"l2": Range(low=1e-6, high=1e-1), "learning_rate": Range(low=1e-3, high=1.0)}
MIXED = WIDE | {"momentum": Range(low=0.0, high=0.95, log=False)}
SAMPLERS = ("random", "sobol", "tpe")


def done(settings: Sequence[Setting], values: Sequence[float | None] | None = None) -> list[Trial]:
    values = [0.5] * len(settings) if values is None else values
    return [Trial(i, s, v) for i, (s, v) in enumerate(zip(settings, values, strict=True))]


def in_unit_cube(settings: Sequence[Setting], space: Mapping[str, Range]) -> Any:
    """(n, p) places between the ends of each range, in the scale that is searched."""
    rows = []
    for s in settings:
        row = []
        for name, r in space.items():
            scale = math.log if r.log else float
            row.append((scale(s[name]) - scale(r.low)) / (scale(r.high) - scale(r.low)))
        rows.append(row)
    return np.array(rows)


# ---- proposals


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_same_arguments_give_the_same_proposals_and_others_do_not(sampler: str) -> None:
    before = done(propose(MIXED, "random", [], 0, 12, 9, "coarse"), [0.1 * (i % 7) for i in range(12)])

    def ask(first: int = 12, seed: int = 1, stage: str = "coarse") -> list[dict[str, float]]:
        return propose(MIXED, sampler, before, first, 4, seed, stage)

    assert ask() == ask()
    for other in (ask(first=13), ask(seed=2), ask(stage="fine")):
        assert all(one != two for one in ask() for two in other)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("space", [WIDE, MIXED, {"momentum": MIXED["momentum"]}], ids=["two", "three", "linear"])
@given(seed=st.integers(0, 2**62), first=st.integers(0, 100), n=st.integers(0, 6))
@untimed
def test_proposals_lie_within_the_space(sampler: str, space: dict[str, Range], seed: int, first: int, n: int) -> None:
    found = propose(space, sampler, [], first, n, seed, "coarse")
    assert len(found) == n
    for setting in found:
        assert list(setting) == list(space)
        assert all(space[name].low <= value <= space[name].high for name, value in setting.items())
    assert len({tuple(s.values()) for s in found}) == n


def test_random_proposals_are_uniform_in_the_logarithm() -> None:
    places = in_unit_cube(propose(MIXED, "random", [], 0, 600, 4, "coarse"), MIXED)
    for column in places.T:
        assert stats.kstest(column, "uniform").pvalue > 0.001
    # a uniform draw of λ itself would put nine tenths of them into the last decade
    assert 0.1 < np.mean(places[:, 0] > 0.8) < 0.3


def test_random_proposals_of_successive_batches_are_independent() -> None:
    """Seeds derived from the batch's first number must not give the same stream again."""
    singles = [propose(WIDE, "random", [], first, 1, 4, "coarse")[0] for first in range(200)]
    places = in_unit_cube(singles, WIDE)
    for column in places.T:
        assert stats.kstest(column, "uniform").pvalue > 0.001
    assert abs(np.corrcoef(places[:-1, 0], places[1:, 0])[0, 1]) < 0.25


def test_sobol_points_are_spread_better_than_random_ones() -> None:
    def discrepancy(sampler: str, seed: int) -> float:
        return float(qmc.discrepancy(in_unit_cube(propose(WIDE, sampler, [], 0, 32, seed, "coarse"), WIDE)))

    sobol = [discrepancy("sobol", seed) for seed in range(5)]
    random = [discrepancy("random", seed) for seed in range(5)]
    assert max(sobol) < min(random)


@pytest.mark.parametrize("n_before", [0, 1, 7])
def test_sobol_never_proposes_the_lower_corner_nor_a_point_again(n_before: int) -> None:
    before = done(propose(WIDE, "random", [], 0, n_before, 3, "coarse"))
    for seed in range(8):
        batch = propose(WIDE, "sobol", before, n_before, 8, seed, "coarse")
        places = in_unit_cube(batch, WIDE)
        assert (places > 0.0).any(axis=1).all()
        # each of the eight strata of both axes has one point, so the first is a part of the sequence too
        assert sorted((places[:, 0] * 8).astype(int)) == list(range(8))
        assert sorted((places[:, 1] * 8).astype(int)) == list(range(8))


def test_tpe_goes_where_the_finished_trials_were_good() -> None:
    settings = propose(WIDE, "random", [], 0, 40, 5, "coarse")
    nearness = [-abs(math.log10(s["l2"]) + 2) for s in settings]
    for goal in (nearness, [-v for v in nearness]):
        proposed = propose(WIDE, "tpe", done(settings, goal), 40, 12, 5, "coarse")
        distance = np.mean([abs(math.log10(s["l2"]) + 2) for s in proposed])
        if goal is nearness:
            near = distance
    assert near < 0.8 * distance


def test_tpe_avoids_where_trials_diverged() -> None:
    settings = propose(WIDE, "random", [], 0, 40, 5, "coarse")
    high = [s["learning_rate"] > 0.05 for s in settings]
    values = [None if h else 0.5 + 0.01 * i / 40 for i, h in enumerate(high)]
    proposed = propose(WIDE, "tpe", done(settings, values), 40, 16, 5, "coarse")
    assert np.mean([s["learning_rate"] > 0.05 for s in proposed]) < 0.5 * np.mean(high)


GRID = {"l2": (3e-4, 1e-4, 0.0), "learning_rate": (0.5, 0.1)}


def test_a_grid_is_enumerated_in_the_files_order_the_last_parameter_fastest() -> None:
    whole = propose(GRID, "grid", [], 0, 6, seed=1, stage="coarse")
    assert [(s["l2"], s["learning_rate"]) for s in whole] == [
        (3e-4, 0.5),
        (3e-4, 0.1),
        (1e-4, 0.5),
        (1e-4, 0.1),
        (0.0, 0.5),
        (0.0, 0.1),
    ]
    assert propose(GRID, "grid", done(whole[:2]), 2, 3, seed=7, stage="fine") == whole[2:5]
    assert propose(GRID, "grid", [], 6, 3, seed=1, stage="coarse") == []


def test_every_setting_of_a_grid_can_be_entered_into_a_study() -> None:
    for grid in (GRID, {"momentum": (0.9,)}, {"l2": (1.0,), "learning_rate": (10.0,), "momentum": (0.0, 0.5)}):
        dims = distributions(grid)
        n = math.prod(len(values) for values in grid.values())
        for setting in propose(grid, "grid", [], 0, n, 0, "coarse"):
            assert all(dims[name]._contains(dims[name].to_internal_repr(value)) for name, value in setting.items())


def test_the_range_of_a_grid_is_logarithmic_where_that_is_possible() -> None:
    found = ranges(GRID | {"momentum": (0.5, 0.9)})
    assert found["learning_rate"] == Range(low=0.1, high=0.5, log=True)
    assert found["l2"] == Range(low=0.0, high=3e-4, log=False)
    assert found["momentum"] == Range(low=0.5, high=0.9, log=False)


# ---- narrowing

ONE = {"l2": Range(low=1e-6, high=1e-2)}  # four decades


def test_the_box_by_hand() -> None:
    """Two parameters, 16 trials: δ = w/8."""
    space = {"l2": Range(low=1e-5, high=1e-1), "momentum": Range(low=0.0, high=0.8, log=False)}
    tied = [{"l2": 1e-3, "momentum": 0.4}, {"l2": 10**-2.5, "momentum": 0.5}]
    box = narrow(space, tied, 16)
    assert box.edges == ()
    assert box.space["l2"].low == pytest.approx(10**-3.5)
    assert box.space["l2"].high == pytest.approx(1e-2)
    assert box.space["momentum"].low == pytest.approx(0.3)
    assert box.space["momentum"].high == pytest.approx(0.6)
    assert box.space["l2"].log
    assert not box.space["momentum"].log


def test_a_tied_setting_near_an_edge_moves_the_box_beyond_it() -> None:
    """δ = 4/(2·16) = 1/8 decade; the box reaches at most 1.5 decades beyond, here half of four decades would be 2."""
    box = narrow(ONE, [{"l2": 10**-2.2}], 16)
    assert box.edges == (Edge("l2", "high", 1e-2, pytest.approx(10**-0.5)),)
    assert box.space["l2"].high == pytest.approx(10**-0.5)
    assert box.space["l2"].low == pytest.approx(10**-2.325)
    inside = narrow(ONE, [{"l2": 10**-2.3}], 16)
    assert inside.edges == ()
    assert inside.space["l2"].high == pytest.approx(10**-2.175)


def test_a_narrow_range_is_extended_by_half_its_width() -> None:
    box = narrow({"l2": Range(low=1e-4, high=1e-3)}, [{"l2": 1.05e-4}], 20)
    assert [(e.side, e.edge) for e in box.edges] == [("low", 1e-4)]
    assert box.space["l2"].low == pytest.approx(10**-4.5)


@pytest.mark.parametrize(
    ("name", "range_", "at"),
    [
        ("l2", Range(low=1e-3, high=1.0), 0.9),
        ("learning_rate", Range(low=1.0, high=10.0), 9.5),
        ("momentum", Range(low=0.0, high=0.9999, log=False), 0.99),
        ("momentum", Range(low=0.0, high=0.9, log=False), 0.01),
    ],
)
def test_a_hard_limit_stops_the_box_and_the_edge_is_still_reported(name: str, range_: Range, at: float) -> None:
    box = narrow({name: range_}, [{name: at}], 20)
    least, most = LIMITS[name]
    (edge,) = box.edges
    assert edge.extended_to == edge.edge
    assert edge.edge in (least, most)
    assert least <= box.space[name].low < box.space[name].high <= most


def test_no_completed_trial_is_refused_with_a_remedy() -> None:
    with pytest.raises(SpaceError, match=r"at least one finished coarse trial.* widen or move `coarse\.space`"):
        narrow(WIDE, [], 10)


@st.composite
def tied_settings(draw: st.DrawFn) -> tuple[dict[str, Range], list[dict[str, float]], int]:
    """A space within the hard limits, tied settings in it, and how many trials it had."""
    space = {}
    for name in draw(st.lists(st.sampled_from(list(LIMITS)), min_size=1, unique=True)):
        least, most = LIMITS[name]
        log = name != "momentum" and draw(st.booleans())
        low = draw(st.floats(1e-9 if log else least, 0.9 * most))
        high = draw(st.floats(0, 1).map(lambda x, low=low, most=most: low + (most - low) * (0.01 + 0.99 * x)))
        space[name] = Range(low=low, high=min(high, most), log=log)
    share = st.floats(0, 1)
    tied = [{name: _at(range_, draw(share)) for name, range_ in space.items()} for _ in range(draw(st.integers(1, 4)))]
    return space, tied, draw(st.integers(len(tied), 64))


def _at(r: Range, share: float) -> float:
    value = r.low * (r.high / r.low) ** share if r.log else r.low + share * (r.high - r.low)
    return min(max(value, r.low), r.high)


def scaled(value: float, r: Range) -> float:
    return math.log10(value) if r.log else value


@given(tied_settings())
@untimed
def test_a_box_holds_every_tied_setting_within_the_hard_limits(
    case: tuple[dict[str, Range], list[dict[str, float]], int],
) -> None:
    space, tied, n = case
    box = narrow(space, tied, n)
    assert list(box.space) == list(space)
    for name, r in box.space.items():
        assert LIMITS[name][0] <= r.low < r.high <= LIMITS[name][1]
        assert r.log == space[name].log
        assert all(r.low <= s[name] <= r.high for s in tied)


@given(tied_settings())
@untimed
def test_a_box_leaves_the_searched_range_only_where_an_edge_is_reported(
    case: tuple[dict[str, Range], list[dict[str, float]], int],
) -> None:
    space, tied, n = case
    box = narrow(space, tied, n)
    reported = {(edge.name, edge.side) for edge in box.edges}
    for name, r in space.items():
        new = box.space[name]
        low, high = scaled(r.low, r), scaled(r.high, r)
        width = high - low
        delta = width / (2 * n ** (1 / len(space)))
        at = [scaled(s[name], r) for s in tied]
        tolerance = 1e-9 * max(1.0, abs(low), abs(high))
        if abs(min(at) - low - 2 * delta) > tolerance:
            assert ((name, "low") in reported) == (min(at) - low < 2 * delta)
        if abs(high - max(at) - 2 * delta) > tolerance:
            assert ((name, "high") in reported) == (high - max(at) < 2 * delta)
        if (name, "low") not in reported:
            assert new.low >= r.low * (1 - 1e-12)
        if (name, "high") not in reported:
            assert new.high <= r.high * (1 + 1e-12)
        reach = min(width / 2, 1.5) if r.log else width / 2
        extended = {"low": low - reach, "high": high + reach}
        for edge in box.edges:
            if edge.name == name:
                assert edge.edge == getattr(r, edge.side)
                assert edge.extended_to == getattr(new, edge.side)
                wanted = 10.0 ** extended[edge.side] if r.log else extended[edge.side]
                assert edge.extended_to == pytest.approx(min(max(wanted, LIMITS[name][0]), LIMITS[name][1]))


@given(tied_settings(), st.floats(0.001, 1.0))
@untimed
def test_a_box_in_other_units_is_the_same_box(
    case: tuple[dict[str, Range], list[dict[str, float]], int], unit: float
) -> None:
    """Smaller numbers, so that no hard limit is met; edges stay edges and shares of the width stay shares."""
    space, tied, n = case
    space = {name: r for name, r in space.items() if name != "momentum"}
    assume(space)
    assume(all(r.log or r.low > 0.6 * (r.high - r.low) for r in space.values()))  # else a linear box ends at 0
    for name, r in space.items():  # rounding decides what lies exactly 2δ from an edge
        low, high = scaled(r.low, r), scaled(r.high, r)
        two_delta = (high - low) / n ** (1 / len(space))
        at = [scaled(s[name], r) for s in tied]
        assume(all(abs(d - two_delta) > 1e-9 * abs(high) for d in (min(at) - low, high - max(at))))
    shrink = 0.03 * unit  # 1.5 decades of room

    def smaller(factor: float) -> Any:
        ranges_ = {k: Range(low=r.low * factor, high=r.high * factor, log=r.log) for k, r in space.items()}
        return narrow(ranges_, [{k: s[k] * factor for k in space} for s in tied], n)

    one, other = smaller(0.03), smaller(shrink)
    for name, r in one.space.items():
        assert other.space[name].low == pytest.approx(r.low * unit)
        assert other.space[name].high == pytest.approx(r.high * unit)


@pytest.mark.parametrize("value", [0.1, 1e-3, 10.0, 0.7])
def test_a_hyperparameter_that_a_grid_held_fixed_stays_fixed(value: float) -> None:
    """The logarithm of so narrow a range was a point, which the box refused; and it is no edge to search beyond."""
    space = ranges({"l2": (1e-4, 1e-3, 1e-2), "learning_rate": (value,)})
    box = narrow(space, [{"l2": 1e-3, "learning_rate": value}], 3)
    assert box.edges == ()
    assert box.space["l2"].low == pytest.approx(10 ** (-3 - 1 / 3))  # one parameter is searched: δ = 2/(2·3)
    for sampler in SAMPLERS:
        proposed = propose(box.space, sampler, [], 0, 4, 1, "fine")
        assert [s["learning_rate"] for s in proposed] == [value] * 4
        assert len({s["l2"] for s in proposed}) == 4


# ---- is it resolved?

EXTENDED = Edge("l2", "high", 1e-2, 1e-1)
FINE = {"l2": Range(low=1e-5, high=1e-1)}  # four decades; of 16 trials 2δ = 1/4 decade


@pytest.mark.parametrize(("at", "open_"), [(10**-1.2, True), (1e-1, True), (10**-1.3, False), (1e-5, False)])
def test_an_edge_stays_open_when_fines_best_lies_there_again(at: float, open_: bool) -> None:
    assert unresolved(FINE, [EXTENDED], {"l2": at}, 16) == ((EXTENDED,) if open_ else ())


def test_only_extended_sides_can_stay_open() -> None:
    assert unresolved(FINE, [], {"l2": 1e-1}, 16) == ()
    low = Edge("l2", "low", 1e-4, 1e-5)
    assert unresolved(FINE, [low, EXTENDED], {"l2": 1.1e-5}, 16) == (low,)


@given(st.floats(0.1, 50), st.integers(1, 500), st.integers(1, 3))
@example(4.0, 16, 2)
def test_the_spacing_is_half_the_distance_of_a_regular_grid(width: float, n: int, p: int) -> None:
    per_axis = n ** (1 / p)
    assert spacing(width, n, p) == pytest.approx(width / per_axis / 2)
