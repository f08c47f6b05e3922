"""A training run as its user sees it: it learns, its records say what they claim, its evaluations are exact."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from scipy.special import log_softmax

from bnsearch.core import evaluate, tree
from bnsearch.core.evaluate import measure, population_moments
from bnsearch.core.init import he
from bnsearch.core.layers import Moments
from bnsearch.core.network import Architecture, Network, initial_network
from bnsearch.core.optim import Settings
from bnsearch.core.run import Run, State, Statistics, start
from bnsearch.core.schedules import constant, cosine, cyclic
from bnsearch.core.train import advance
from tests.core.helpers import ArrayRows, assert_identical, make_run, make_settings, random_rows, shuffled

K = 3
SETTINGS = make_settings([0.0, 0.01, 0.1], [0.1, 0.05, 0.2], [0.0, 0.9, 0.5])
TRAIN = random_rows(47, 6, 4, seed=1, offset=3.0)  # four minibatches of ten rows an epoch, seven rows left over
VALID = random_rows(31, 6, 4, seed=2, offset=3.0)
NO_ROWS = random_rows(0, 6, 4)


def small_run(hidden: tuple[int, ...] = (5, 4), kind: str = "affine", **changes: Any) -> Run:
    architecture = Architecture(6, hidden, 4, batch_norm=kind, bn_average=changes.pop("bn_average", 0.9))
    return make_run(changes.pop("train", TRAIN), changes.pop("valid", VALID), architecture, **changes)


def first_state(run: Run, n_lanes: int = K, dtype: type = np.float64) -> State:
    return start(initial_network(run.architecture, he, np.random.default_rng(0), n_lanes, dtype), with_velocity=True)


def losses_and_hits(
    network: Network, lane: int, rows: ArrayRows, moments: tuple[Moments, ...] | None, epsilon: float = 1e-7
) -> tuple[np.ndarray, np.ndarray]:
    """One lane on its own, straight from the definitions; moments of the rows themselves unless given."""
    h = rows.x.astype(np.float64)
    for i, dense in enumerate(network.dense[:-1]):
        z = h @ dense.W[lane].T.astype(np.float64) + dense.b[lane].T
        if network.norms:
            mean, var = (z.mean(0), z.var(0)) if moments is None else (moments[i].mean[lane].T, moments[i].var[lane].T)
            z = (z - mean) / np.sqrt(var + epsilon)
            if network.norms[i].gamma is not None:
                z = network.norms[i].gamma[lane].T * z + network.norms[i].beta[lane].T
        h = np.maximum(z, 0.0)
    logits = h @ network.dense[-1].W[lane].T.astype(np.float64) + network.dense[-1].b[lane].T
    return -log_softmax(logits, axis=1)[np.arange(len(rows)), rows.labels], logits.argmax(axis=1) == rows.labels


def penalty(network: Network, settings: Settings, lane: int) -> float:
    return float(settings.l2[lane, 0, 0] * sum((dense.W[lane] ** 2).sum() for dense in network.dense))


def minibatch(run: Run, step: int) -> ArrayRows:
    epoch, i = divmod(step, run.steps_per_epoch)
    return ArrayRows(*TRAIN.batch(run.order(epoch)[i * run.batch_size : (i + 1) * run.batch_size]))


def moments_layer_by_layer(network: Network, rows: ArrayRows, epsilon: float = 1e-7) -> list[Moments]:
    """Mean and variance of each normalised unit of all lanes over all rows at once, two passes in float64."""
    found, h = [], rows.x.astype(np.float64)
    for dense, norm in zip(network.dense, network.norms, strict=False):
        z = h @ dense.W.mT.astype(np.float64) + dense.b.mT
        mean = z.mean(axis=1, keepdims=True)
        var = ((z - mean) ** 2).mean(axis=1, keepdims=True)
        found.append(Moments(mean.mT, var.mT))
        h = np.maximum(norm.gamma.mT * (z - mean) / np.sqrt(var + epsilon) + norm.beta.mT, 0.0)
    return found


@pytest.mark.parametrize(("kind", "hidden"), [("affine", (32, 32)), ("plain", (32, 32)), ("none", (64,))])
def test_fifty_random_points_are_learned_by_heart(kind: str, hidden: tuple[int, ...]) -> None:
    rows, architecture = random_rows(50, 10, 5, seed=5, dtype=np.float32), Architecture(10, hidden, 5, batch_norm=kind)
    run = make_run(rows, NO_ROWS, architecture, batch_size=25, n_steps=400, shape=cosine(400, 0, 0.0))
    settings = make_settings([0.0, 0.0], [0.1, 0.05], [0.9, 0.8])

    state, records = advance(first_state(run, 2, np.float32), settings, run, run.n_steps)

    np.testing.assert_array_equal(measure(state, settings, run).train_accuracy, 1.0)
    assert np.all(records[-1].train_loss < 0.05 * records[0].train_loss)


def test_records_fall_on_epoch_ends_and_on_the_last_step() -> None:
    run = small_run(n_steps=10, shape=cyclic(0.1, 3))

    state, records = advance(first_state(run), SETTINGS, run, 10)

    assert [(r.epoch, r.step) for r in records] == [(1, 4), (2, 8), (3, 10)]
    assert state.step == 10
    for record in records:
        expected = SETTINGS.learning_rate[:, 0, 0] * float(cyclic(0.1, 3)(record.step - 1))
        np.testing.assert_allclose(record.learning_rate, expected, rtol=1e-15)


def test_a_last_step_that_ends_an_epoch_is_recorded_once() -> None:
    run = small_run(n_steps=8)

    assert [(r.epoch, r.step) for r in advance(first_state(run), SETTINGS, run, 8)[1]] == [(1, 4), (2, 8)]


def test_training_stops_at_the_runs_last_step_and_stays_there() -> None:
    run = small_run(n_steps=6)
    state, records = advance(first_state(run), SETTINGS, run, 1000)

    again, none = advance(state, SETTINGS, run, 1000)

    assert (state.step, len(records)) == (6, 2)
    assert (again.step, none) == (6, [])
    assert_identical(again, state)


def test_a_step_that_lies_behind_changes_nothing() -> None:
    run = small_run()
    state, _ = advance(first_state(run), SETTINGS, run, 7)

    again, records = advance(state, SETTINGS, run, 3)

    assert (again.step, records) == (7, [])
    assert_identical(again, state)


@pytest.mark.parametrize("kind", ["affine", "plain", "none"])
def test_training_figures_are_means_over_minibatches_each_seen_before_its_update(kind: str) -> None:
    run = small_run(kind=kind, n_steps=6)
    before = [advance(first_state(run), SETTINGS, run, step)[0].network for step in range(6)]

    state, records = advance(first_state(run), SETTINGS, run, 6)

    middle = advance(first_state(run), SETTINGS, run, 4)[0].network
    for record, steps, after in zip(records, [range(4), range(4, 6)], [middle, state.network], strict=True):
        for lane in range(K):
            seen = [losses_and_hits(before[step], lane, minibatch(run, step), moments=None) for step in steps]
            loss = np.mean([losses for losses, _ in seen])
            assert record.train_loss[lane] == pytest.approx(loss, rel=1e-10)
            assert record.train_accuracy[lane] == pytest.approx(np.mean([hit for _, hit in seen]), rel=1e-14)
            assert record.train_cost[lane] == pytest.approx(loss + penalty(after, SETTINGS, lane), rel=1e-10)


def test_every_row_is_drawn_at_most_once_an_epoch_in_the_given_order() -> None:
    asked: list[np.ndarray] = []

    class Watched(ArrayRows):
        def batch(self, rows: np.ndarray | slice) -> tuple[np.ndarray, np.ndarray]:
            asked.append(rows)
            return super().batch(rows)

    run = small_run(n_steps=10, train=Watched(TRAIN.x, TRAIN.labels))
    advance(first_state(run), SETTINGS, run, 10)

    expected = [run.order(epoch)[:40] for epoch in (0, 1)] + [run.order(2)[:20]]
    np.testing.assert_array_equal(np.concatenate(asked), np.concatenate(expected))


@pytest.mark.parametrize("to_step", [1, 4, 9])
def test_advance_leaves_the_given_state_and_settings_as_they_were(to_step: int) -> None:
    run = small_run()
    state, _ = advance(first_state(run), SETTINGS, run, 3)
    before, settings = tree.copy(state), tree.copy(SETTINGS)

    after, _ = advance(state, SETTINGS, run, to_step)

    assert_identical(state, before)
    assert_identical(SETTINGS, settings)
    assert state.step == 3
    assert not any(np.shares_memory(a, b) for _, a in tree.leaves(after.network) for _, b in tree.leaves(state.network))


def test_moving_moments_start_from_the_first_batch_and_follow_the_recurrence() -> None:
    run = small_run(bn_average=0.7)
    states = [advance(first_state(run), SETTINGS, run, step)[0] for step in range(6)]

    expected = moments_layer_by_layer(states[0].network, minibatch(run, 0))
    for step in range(1, 6):
        for found, wanted in zip(states[step].moments, expected, strict=True):
            np.testing.assert_allclose(found.mean, wanted.mean, rtol=1e-10)
            np.testing.assert_allclose(found.var, wanted.var, rtol=1e-10)
        batch = moments_layer_by_layer(states[step].network, minibatch(run, step))
        expected = [
            Moments(0.7 * old.mean + 0.3 * new.mean, 0.7 * old.var + 0.3 * new.var)
            for old, new in zip(expected, batch, strict=True)
        ]


@pytest.mark.parametrize("kind", ["affine", "plain", "none"])
def test_measure_and_the_last_record_are_what_a_hand_computation_gives(kind: str) -> None:
    run = small_run(kind=kind)
    state, records = advance(first_state(run), SETTINGS, run, run.n_steps)

    outcome = measure(state, SETTINGS, run)

    assert outcome.valid_correct.shape == (K, len(VALID))
    for lane in range(K):
        cost_of_weights = penalty(state.network, SETTINGS, lane)
        train, train_hits = losses_and_hits(state.network, lane, TRAIN, state.moments)
        valid, valid_hits = losses_and_hits(state.network, lane, VALID, state.moments)
        assert outcome.train_loss[lane] == pytest.approx(train.mean(), rel=1e-11)
        assert outcome.train_cost[lane] == pytest.approx(train.mean() + cost_of_weights, rel=1e-11)
        assert outcome.train_accuracy[lane] == pytest.approx(train_hits.mean(), rel=1e-15)
        assert outcome.valid_loss[lane] == pytest.approx(valid.mean(), rel=1e-11)
        assert outcome.valid_cost[lane] == pytest.approx(valid.mean() + cost_of_weights, rel=1e-11)
        assert outcome.valid_accuracy[lane] == pytest.approx(valid_hits.mean(), rel=1e-15)
        np.testing.assert_array_equal(outcome.valid_correct[lane], valid_hits)
    for name in ("valid_loss", "valid_cost", "valid_accuracy"):
        np.testing.assert_array_equal(getattr(records[-1], name), getattr(outcome, name))


def test_without_validation_rows_there_are_no_validation_figures() -> None:
    run = small_run(valid=NO_ROWS)
    state, records = advance(first_state(run), SETTINGS, run, run.n_steps)
    outcome = measure(state, SETTINGS, run)

    for figures in (*records, outcome):
        names = [field.name for field in dataclasses.fields(figures) if field.name != "population"]
        assert [name for name in names if getattr(figures, name) is None] == [n for n in names if n.startswith("valid")]


@pytest.mark.parametrize("statistics", ["moving", "population"])
def test_population_moments_come_where_they_are_used_or_asked_for(statistics: Statistics) -> None:
    run = small_run(statistics=statistics)
    state, _ = advance(first_state(run), SETTINGS, run, run.n_steps)
    unasked, asked = (measure(state, SETTINGS, dataclasses.replace(run, with_population=w)) for w in (False, True))

    assert (unasked.population is None) == (statistics == "moving")
    assert asked.population is not None
    for found, expected in zip(asked.population, population_moments(state.network, run.train), strict=True):
        np.testing.assert_array_equal(found.mean, expected.mean)
        np.testing.assert_array_equal(found.var, expected.var)
    for name in ("train_loss", "valid_loss", "valid_correct"):
        np.testing.assert_array_equal(getattr(asked, name), getattr(unasked, name))


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-10), (np.float32, 1e-4)])
@pytest.mark.parametrize("n_rows", [1, 50, 1000, 1001, 2345])
def test_population_moments_are_exact_over_all_chunks(n_rows: int, dtype: type, tolerance: float) -> None:
    rows = random_rows(n_rows, 6, 4, seed=n_rows, dtype=dtype, offset=5.0)
    run = small_run(train=TRAIN)
    network = tree.map(lambda a: a.astype(dtype), advance(first_state(run), SETTINGS, run, 5)[0].network)

    found = population_moments(network, rows)

    assert len(found) == 2
    for moments, expected in zip(found, moments_layer_by_layer(network, rows), strict=True):
        assert moments.mean.dtype == moments.var.dtype == dtype
        np.testing.assert_allclose(moments.mean, expected.mean, rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(moments.var, expected.var, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("room", [0, 2 * 5 * 47 * 8, 10**9])
def test_population_moments_of_lanes_do_not_depend_on_the_room_for_outputs(
    room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = small_run(hidden=(5, 4, 3))
    network, expected = advance(first_state(run), SETTINGS, run, 5)[0].network, []
    for lane in range(K):
        expected.append(population_moments(tree.take(network, [lane]), TRAIN))
    monkeypatch.setattr(evaluate, "KEPT_BYTES", room)  # none: lane by lane; of two lanes; of all

    assert_identical(population_moments(network, TRAIN), tree.concatenate(expected))


def test_population_statistics_mend_what_slow_moving_averages_spoil_on_uncentred_inputs() -> None:
    slow = small_run(bn_average=0.99, n_steps=40, order=shuffled(len(TRAIN), seed=3))
    exact = dataclasses.replace(slow, statistics="population")
    state, records = advance(first_state(slow), SETTINGS, slow, 40)
    same_state, other_records = advance(first_state(exact), SETTINGS, exact, 40)

    by_moving, by_population = measure(state, SETTINGS, slow), measure(state, SETTINGS, exact)

    assert_identical(same_state, state)  # statistics are a matter of evaluation, not of training
    true_moments = tuple(moments_layer_by_layer(state.network, TRAIN))
    for lane in range(K):
        valid, valid_hits = losses_and_hits(state.network, lane, VALID, true_moments)
        train, _ = losses_and_hits(state.network, lane, TRAIN, true_moments)
        assert by_population.valid_loss[lane] == pytest.approx(valid.mean(), rel=1e-9)
        assert by_population.train_loss[lane] == pytest.approx(train.mean(), rel=1e-9)
        np.testing.assert_array_equal(by_population.valid_correct[lane], valid_hits)
    assert np.all(np.abs(by_moving.train_loss - by_population.train_loss) > 0.01)
    assert np.all(by_population.train_loss < by_moving.train_loss)
    np.testing.assert_array_equal(other_records[-1].valid_loss, by_population.valid_loss)
    np.testing.assert_array_equal(records[-1].valid_loss, by_moving.valid_loss)
    np.testing.assert_array_equal(other_records[-1].train_loss, records[-1].train_loss)


def test_single_precision_stays_single_and_its_sums_are_double() -> None:
    rows = random_rows(47, 6, 4, dtype=np.float32)
    run = small_run(train=rows, valid=rows, shape=constant())

    state, records = advance(first_state(run, dtype=np.float32), SETTINGS, run, 6)

    for path, leaf in tree.leaves(state):
        expected = {"loss_sum": np.float64, "n_correct": np.int64}.get(path, np.float32)
        assert leaf.dtype == expected, path
    assert {leaf.dtype for _, leaf in tree.leaves(records[0])} == {np.dtype(np.float64)}


def test_single_and_double_precision_agree_over_a_short_run() -> None:
    def final(dtype: type) -> np.ndarray:
        rows = ArrayRows(TRAIN.x.astype(dtype), TRAIN.labels)
        run = small_run(train=rows, valid=rows, n_steps=8)
        return measure(advance(first_state(run, dtype=dtype), SETTINGS, run, 8)[0], SETTINGS, run).train_loss

    np.testing.assert_allclose(final(np.float32), final(np.float64), rtol=1e-4)


def test_a_lane_that_overflows_gives_nan_without_a_warning() -> None:
    run = small_run(kind="none")
    settings = make_settings([0.0] * K, [0.1, 1e200, 0.1], [0.0] * K)

    state, records = advance(first_state(run), settings, run, run.n_steps)

    finite = np.isfinite(measure(state, settings, run).valid_loss)
    np.testing.assert_array_equal(finite, [True, False, True])
    np.testing.assert_array_equal(np.isfinite(records[-1].train_loss), [True, False, True])
