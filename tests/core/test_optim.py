"""Steps against the recurrence v <- ρ v + η (g + 2λW), θ <- θ - v, the gradient g being that of the gradient check."""

import numpy as np
import pytest

from bnsearch.core import tree
from bnsearch.core.gradcheck import analytic_gradient
from bnsearch.core.losses import cross_entropy, cross_entropy_grad
from bnsearch.core.network import Network, forward, work_for
from bnsearch.core.optim import Settings, sgd_step
from tests.core.helpers import ArrayRows, assert_identical, make_network, make_settings, random_rows

L2, RATE, MOMENTUM = [0.0, 0.5, 0.01], [0.1, 1.0, 0.02], [0.9, 0.0, 0.5]
ALL = make_settings(L2, RATE, MOMENTUM)
WITHOUT_MOMENTUM = make_settings(L2, RATE, [0.0] * 3)
SHAPE = 0.25
BATCHES = [random_rows(20, 10, 10, seed=seed) for seed in range(5)]


def step(network: Network, velocity: Network | None, rows: ArrayRows, settings: Settings, shape: float) -> None:
    """One step on a batch."""
    work = work_for(network, len(rows))
    logits, tape = forward(network, rows.x, work)
    d = cross_entropy_grad(cross_entropy(logits, rows.labels)[1], rows.labels)
    sgd_step(network, velocity, tape, d, settings, shape, work)


@pytest.mark.parametrize("kind", ["affine", "plain", "none"])
@pytest.mark.parametrize("with_velocity", [True, False])
def test_five_steps_follow_the_recurrence_in_each_lane(kind: str, with_velocity: bool) -> None:
    network = make_network((6, 4), n_lanes=3, kind=kind)
    velocity = tree.map(np.zeros_like, network) if with_velocity else None
    theta, v = tree.copy(network), {path: np.zeros_like(leaf) for path, leaf in tree.leaves(network)}
    rate, momentum = (np.reshape(values, (3, 1, 1)) for values in (RATE, MOMENTUM))

    for rows in BATCHES:
        gradient = dict(tree.leaves(analytic_gradient(theta, rows.x, rows.labels, np.array(L2))))
        for path, leaf in tree.leaves(theta):
            v[path] = (momentum * v[path] if with_velocity else 0.0) + SHAPE * rate * gradient[path]
            leaf -= v[path]
        step(network, velocity, rows, ALL if with_velocity else WITHOUT_MOMENTUM, SHAPE)

    for (path, leaf), (_, expected) in zip(tree.leaves(network), tree.leaves(theta), strict=True):
        np.testing.assert_allclose(leaf, expected, rtol=1e-12, atol=1e-14, err_msg=path)
    for path, leaf in tree.leaves(velocity):
        np.testing.assert_allclose(leaf, v[path], rtol=1e-12, atol=1e-14, err_msg=path)


@pytest.mark.parametrize("kind", ["affine", "plain", "none"])
def test_one_step_from_the_textbook(kind: str) -> None:
    network, rows = make_network((6, 4), n_lanes=3, kind=kind), BATCHES[0]
    before, rate, l2 = tree.copy(network), np.reshape(RATE, (3, 1, 1)), np.reshape(L2, (3, 1, 1))
    g = dict(tree.leaves(analytic_gradient(network, rows.x, rows.labels, np.zeros(3))))

    step(network, None, rows, WITHOUT_MOMENTUM, SHAPE)

    for (path, after), (_, theta) in zip(tree.leaves(network), tree.leaves(before), strict=True):
        slope = g[path] + 2.0 * l2 * theta if path.endswith("W") else g[path]
        np.testing.assert_allclose(after, theta - SHAPE * rate * slope, rtol=1e-12, atol=1e-14, err_msg=path)


@pytest.mark.parametrize("with_velocity", [True, False])
def test_a_rate_of_zero_changes_nothing(with_velocity: bool) -> None:
    network = make_network((6,), n_lanes=3)
    before = tree.copy(network)

    step(network, tree.map(np.zeros_like, network) if with_velocity else None, BATCHES[0], ALL, 0.0)

    assert_identical(network, before)


@pytest.mark.parametrize("with_velocity", [True, False])
def test_the_penalty_alone_shrinks_the_weights_by_two_lambda_eta_and_nothing_else(with_velocity: bool) -> None:
    network = make_network((6,), n_lanes=3)
    velocity = tree.map(np.zeros_like, network) if with_velocity else None
    before, work = tree.copy(network), work_for(network, 20)
    logits, tape = forward(network, BATCHES[0].x, work)

    sgd_step(network, velocity, tape, np.zeros_like(logits), make_settings(L2, RATE, MOMENTUM), 1.0, work)

    factor = np.reshape([1.0, 0.0, 1.0 - 2 * 0.01 * 0.02], (3, 1, 1))
    for (path, after), (_, leaf) in zip(tree.leaves(network), tree.leaves(before), strict=True):
        np.testing.assert_allclose(after, leaf * factor if path.endswith("W") else leaf, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("with_velocity", [True, False])
def test_single_precision_parameters_stay_single(with_velocity: bool) -> None:
    def single(seed: int) -> Network:
        return tree.map(lambda a: a.astype(np.float32), make_network((6,), n_lanes=3, seed=seed))

    network, velocity = single(0), single(1) if with_velocity else None
    rows = ArrayRows(BATCHES[0].x.astype(np.float32), BATCHES[0].labels)

    step(network, velocity, rows, ALL, SHAPE)

    assert {leaf.dtype for part in (network, velocity) for _, leaf in tree.leaves(part)} == {np.dtype(np.float32)}
