"""A lane does not know its neighbours: its numbers are the same bit for bit, however it is packed or interrupted."""

import dataclasses
import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnsearch.core import blas, tree
from bnsearch.core.evaluate import Outcome, measure
from bnsearch.core.init import he
from bnsearch.core.network import Architecture, initial_network
from bnsearch.core.optim import Settings
from bnsearch.core.run import Run, State, start
from bnsearch.core.schedules import cyclic
from bnsearch.core.train import Record, advance
from tests.core.helpers import ArrayRows, assert_identical, make_run, make_settings, random_rows, shuffled

N_LANES, N_STEPS = 8, 20
EVERYONE = list(range(N_LANES))
L2 = [1e-3, 0.0, 1e-2, 1e-4, 0.1, 3e-3, 1e-5, 5e-2]
LEARNING_RATE = [0.1, 0.3, 0.01, 0.05, 0.2, 0.02, 0.4, 0.15]
MOMENTUM = [0.9, 0.0, 0.5, 0.8, 0.99, 0.0, 0.3, 0.95]

TRAIN = random_rows(330, 37, 7, seed=1, dtype=np.float32, offset=0.5)  # six minibatches an epoch, thirty rows left over
VALID = random_rows(1234, 37, 7, seed=2, dtype=np.float32, offset=0.5)  # two chunks of an evaluation

Trained = tuple[State, list[Record], Outcome]


@functools.cache
def odd_run(kind: str = "affine", statistics: str = "moving") -> Run:
    architecture = Architecture(37, (33, 21), 7, batch_norm=kind)
    return make_run(
        TRAIN,
        VALID,
        architecture,
        batch_size=50,
        n_steps=N_STEPS,
        order=shuffled(len(TRAIN), seed=3),
        statistics=statistics,
        shape=cyclic(0.01, 7),
    )


def settings_of(lanes: list[int], with_momentum: bool) -> Settings:
    return make_settings(
        [L2[k] for k in lanes], [LEARNING_RATE[k] for k in lanes], [MOMENTUM[k] * with_momentum for k in lanes]
    )


def first_state(run: Run, n_lanes: int, with_velocity: bool) -> State:
    network = initial_network(run.architecture, he, np.random.default_rng(4), n_lanes, np.float32)
    return start(network, with_velocity)


def train(run: Run, lanes: list[int], with_momentum: bool) -> Trained:
    """The given lanes of the eight, from start to end in one call."""
    chosen = settings_of(lanes, with_momentum)
    state, records = advance(first_state(run, len(lanes), with_momentum), chosen, run, run.n_steps)
    return state, records, measure(state, chosen, run)


@functools.cache
def cohort_of_eight(kind: str = "affine", statistics: str = "moving", with_momentum: bool = True) -> Trained:
    return train(odd_run(kind, statistics), EVERYONE, with_momentum)


def assert_same_run(found: Trained, expected: Trained, lanes: list[int]) -> None:
    """All that a user could see of a run, against those lanes of another."""
    assert found[0].step == expected[0].step
    assert_identical(found[0], tree.take(expected[0], lanes))
    assert_same_records(found[1], expected[1], lanes)
    assert_identical(found[2], tree.take(expected[2], lanes))


def assert_same_records(found: list[Record], expected: list[Record], lanes: list[int]) -> None:
    assert [(r.epoch, r.step) for r in found] == [(r.epoch, r.step) for r in expected]
    for one, other in zip(found, expected, strict=True):
        assert_identical(one, tree.take(other, lanes))


def test_the_lanes_of_the_cohort_are_finite_and_differ() -> None:
    state, records, outcome = cohort_of_eight()

    assert all(np.isfinite(leaf).all() for _, leaf in tree.leaves(state))
    assert [r.step for r in records] == [6, 12, 18, 20]
    for figures in (outcome.train_loss, outcome.valid_loss, records[-1].train_cost, state.network.dense[0].W[:, 0, 0]):
        assert len(np.unique(figures)) == N_LANES


@pytest.mark.parametrize("with_momentum", [True, False], ids=["momentum", "no momentum"])
@pytest.mark.parametrize("statistics", ["moving", "population"])
@pytest.mark.parametrize("kind", ["affine", "plain", "none"])
def test_a_lane_alone_equals_itself_in_a_cohort(kind: str, statistics: str, with_momentum: bool) -> None:
    cohort = cohort_of_eight(kind, statistics, with_momentum)
    for lane in (0, 4, 7):
        assert_same_run(train(odd_run(kind, statistics), [lane], with_momentum), cohort, [lane])


@pytest.mark.parametrize(
    "lanes",
    [
        pytest.param([7, 6, 5, 4, 3, 2, 1, 0], id="other places"),
        pytest.param([3, 3], id="itself as a neighbour"),
        pytest.param([5, 0, 2], id="fewer neighbours"),
        pytest.param([*range(8), *range(8), 1, 2, 3, 6], id="twenty lanes"),
    ],
)
def test_neither_place_nor_number_of_neighbours_matters(lanes: list[int]) -> None:
    assert_same_run(train(odd_run(), lanes, with_momentum=True), cohort_of_eight(), lanes)


def test_a_lane_without_momentum_is_the_same_whatever_its_neighbours_have() -> None:
    # Whether there is a velocity is the run's affair, for all lanes of a study; without one a step rounds otherwise.
    for lane in (k for k in EVERYONE if MOMENTUM[k] == 0.0):
        assert_same_run(train(odd_run(), [lane], with_momentum=True), cohort_of_eight(), [lane])


@pytest.mark.parametrize("kind", ["affine", "plain", "none"])
def test_a_velocity_without_momentum_leads_to_the_same_network_but_for_rounding(kind: str) -> None:
    rows = ArrayRows(TRAIN.x.astype(np.float64), TRAIN.labels)
    run = dataclasses.replace(odd_run(kind), train=rows, valid=rows)
    network = initial_network(run.architecture, he, np.random.default_rng(4), N_LANES, np.float64)
    none = settings_of(EVERYONE, with_momentum=False)

    (one, _), (other, _) = (advance(start(network, velocity), none, run, N_STEPS) for velocity in (True, False))

    assert (one.velocity is None, other.velocity is None) == (False, True)
    for (path, a), (_, b) in zip(tree.leaves(one.network), tree.leaves(other.network), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12, err_msg=path)


@settings(max_examples=25)
@given(
    cuts=st.lists(st.integers(0, N_STEPS), max_size=6).map(sorted),
    statistics=st.sampled_from(["moving", "population"]),
)
def test_many_uneven_calls_equal_one(cuts: list[int], statistics: str) -> None:
    run, chosen = odd_run(statistics=statistics), settings_of(EVERYONE, True)
    state, records = first_state(run, N_LANES, with_velocity=True), []
    for to_step in (*cuts, N_STEPS):
        state, more = advance(state, chosen, run, to_step)
        records += more

    assert_same_run((state, records, measure(state, chosen, run)), cohort_of_eight(statistics=statistics), EVERYONE)


@settings(max_examples=25)
@given(
    step=st.integers(0, N_STEPS - 1),
    lanes=st.lists(st.integers(0, N_LANES - 1), min_size=1, max_size=10),
    with_momentum=st.booleans(),
)
def test_lanes_taken_out_at_any_step_go_on_the_same(step: int, lanes: list[int], with_momentum: bool) -> None:
    run = odd_run()
    half, before = advance(first_state(run, N_LANES, with_momentum), settings_of(EVERYONE, with_momentum), run, step)
    chosen = settings_of(lanes, with_momentum)
    state, after = advance(tree.take(half, lanes), chosen, run, N_STEPS)

    records = [tree.take(record, lanes) for record in before] + after
    expected = cohort_of_eight(with_momentum=with_momentum)
    assert_same_run((state, records, measure(state, chosen, run)), expected, lanes)


def test_two_lanes_pruned_in_the_middle_of_an_epoch_change_nothing_for_the_rest() -> None:
    run, survivors = odd_run(), [0, 1, 3, 4, 6, 7]
    half, _ = advance(first_state(run, N_LANES, True), settings_of(EVERYONE, True), run, 9)
    chosen = settings_of(survivors, True)
    state, records = advance(tree.take(half, survivors), chosen, run, N_STEPS)

    _, expected, outcome = cohort_of_eight()
    assert_same_records(records, expected[1:], survivors)
    assert_identical(measure(state, chosen, run), tree.take(outcome, survivors))


@pytest.mark.parametrize("step", [0, 6, 10])
def test_repacking_with_strangers_changes_nothing(step: int) -> None:
    run = odd_run()
    one, _ = advance(first_state(run, 3, True), settings_of([0, 1, 2], True), run, step)
    other, _ = advance(first_state(run, 5, True), settings_of([3, 4, 5, 6, 7], True), run, step)
    order = [6, 1, 0, 3, 7]  # places in the concatenation, which holds lanes 0..7
    packed = tree.take(tree.concatenate([one, other]), order)
    chosen = settings_of(order, True)

    state, _ = advance(packed, chosen, run, N_STEPS)

    expected, _, outcome = cohort_of_eight()
    assert_identical(state, tree.take(expected, order))
    assert_identical(measure(state, chosen, run), tree.take(outcome, order))


def test_a_state_written_down_and_read_again_goes_on_the_same() -> None:
    run, chosen = odd_run(), settings_of([2], True)
    half, before = advance(first_state(run, 1, True), chosen, run, 15)
    stored = {path: leaf.tobytes() for path, leaf in tree.leaves(half)}

    empty = dataclasses.replace(first_state(run, 1, True), step=15)
    arrays = {path: np.frombuffer(stored[path], leaf.dtype).reshape(leaf.shape) for path, leaf in tree.leaves(empty)}
    state, after = advance(tree.with_leaves(empty, arrays), chosen, run, N_STEPS)

    assert_same_run((state, before + after, measure(state, chosen, run)), cohort_of_eight(), [2])


@pytest.mark.parametrize("with_momentum", [True, False], ids=["momentum", "no momentum"])
@pytest.mark.parametrize("kind", ["affine", "none"])
def test_a_diverging_neighbour_changes_nothing(kind: str, with_momentum: bool) -> None:
    run, lanes = odd_run(kind), [0, 5, 7]
    calm = settings_of(lanes, with_momentum)
    wild = make_settings([1.0], [1e30], [0.9 * with_momentum])
    mixed = tree.concatenate([tree.take(calm, [0]), wild, tree.take(calm, [1, 2])])

    state, records = advance(first_state(run, 4, with_momentum), mixed, run, N_STEPS)
    outcome = measure(state, mixed, run)

    assert np.isnan(state.network.dense[0].W[1]).any()
    assert not np.isfinite(outcome.train_loss[1])
    places = [0, 2, 3]
    found = (tree.take(state, places), [tree.take(r, places) for r in records], tree.take(outcome, places))
    assert_same_run(found, cohort_of_eight(kind, with_momentum=with_momentum), lanes)


@functools.cache
def large_rows(n_rows: int, n_inputs: int) -> ArrayRows:
    return random_rows(n_rows, n_inputs, 10, seed=n_inputs, dtype=np.float32)


@pytest.mark.parametrize(
    ("n_inputs", "hidden"),
    [(550, (50, 50)), (3072, (50, 50)), (550, (50, 30, 20, 20, 10, 10, 10, 10))],
    ids=["550-50-50-10", "3072-50-50-10", "nine layers"],
)
def test_realistic_sizes(n_inputs: int, hidden: tuple[int, ...]) -> None:
    rows = large_rows(250, n_inputs)
    run = make_run(rows, rows, Architecture(n_inputs, hidden, 10), batch_size=100, n_steps=5)
    cohort = train(run, EVERYONE, with_momentum=True)

    for lanes in ([6], [7, 1, 6]):
        assert_same_run(train(run, lanes, with_momentum=True), cohort, lanes)


@functools.cache
def raw_cifar10() -> Run:
    """A first layer large enough for a product of all lanes at once."""
    rows = large_rows(250, 3072)
    return make_run(rows, rows, Architecture(3072, (50, 50), 10), batch_size=100, n_steps=5)


@functools.cache
def cohort_of_six(with_momentum: bool) -> Trained:
    return train(raw_cifar10(), EVERYONE[:6], with_momentum)


@pytest.mark.parametrize("with_momentum", [True, False], ids=["momentum", "no momentum"])
@pytest.mark.parametrize("tall", [True, False], ids=["all lanes at once if exact", "lane by lane"])
def test_products_of_all_lanes_at_once_change_no_bit(
    with_momentum: bool, tall: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, expected = raw_cifar10(), cohort_of_six(with_momentum)
    if not tall:
        monkeypatch.setattr(blas, "_tall_is_exact", lambda *_: False)

    for lanes in ([2], [5, 0], EVERYONE[:6]):
        assert_same_run(train(run, lanes, with_momentum), expected, lanes)
    half, before = advance(first_state(run, 6, with_momentum), settings_of(EVERYONE[:6], with_momentum), run, 2)
    for lanes in ([1, 4], [3]):
        chosen = settings_of(lanes, with_momentum)
        state, after = advance(tree.take(half, lanes), chosen, run, run.n_steps)
        records = [tree.take(record, lanes) for record in before] + after
        assert_same_run((state, records, measure(state, chosen, run)), expected, lanes)


@pytest.mark.parametrize("n_rows", [1, 999, 1000, 1001, 2500])
def test_evaluations_of_any_number_of_rows(n_rows: int) -> None:
    valid = random_rows(n_rows, 37, 7, seed=n_rows, dtype=np.float32)
    run = make_run(TRAIN, valid, odd_run().architecture, batch_size=50, n_steps=3)
    chosen = settings_of(EVERYONE, False)
    state, _ = advance(first_state(run, N_LANES, False), chosen, run, 3)
    together = measure(state, chosen, run)

    for lane in EVERYONE:
        alone = measure(tree.take(state, [lane]), tree.take(chosen, [lane]), run)
        assert_identical(alone, tree.take(together, [lane]))


WIDTHS = st.sampled_from([1, 2, 3, 5, 8, 13, 16, 31, 50, 64, 97, 130])


@settings(max_examples=50)
@given(
    n_inputs=WIDTHS,
    hidden=st.lists(WIDTHS, max_size=3).map(tuple),
    n_classes=st.integers(2, 12),
    batch_size=WIDTHS,
    kind=st.sampled_from(["affine", "plain", "none"]),
    dtype=st.sampled_from([np.float32, np.float64]),
    n_lanes=st.integers(2, 20),
)
def test_any_architecture(
    n_inputs: int, hidden: tuple[int, ...], n_classes: int, batch_size: int, kind: str, dtype: type, n_lanes: int
) -> None:
    rows = random_rows(2 * batch_size + 1, n_inputs, n_classes, dtype=dtype)
    architecture = Architecture(n_inputs, hidden, n_classes, batch_norm=kind)
    run = make_run(rows, rows, architecture, batch_size=batch_size, n_steps=3)
    spread = np.linspace(0.1, 0.9, n_lanes)
    together = make_settings(0.1 * spread, 0.5 * spread, spread)
    alone = tree.take(together, [n_lanes - 1])

    def first(k: int) -> State:
        return start(initial_network(architecture, he, np.random.default_rng(0), k, dtype), with_velocity=True)

    cohort, records = advance(first(n_lanes), together, run, 3)
    lane, its_records = advance(first(1), alone, run, 3)

    found = (lane, its_records, measure(lane, alone, run))
    assert_same_run(found, (cohort, records, measure(cohort, together, run)), [n_lanes - 1])
