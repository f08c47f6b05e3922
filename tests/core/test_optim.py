"""One update against the recurrence v <- ρ v + η (g + 2λW), θ <- θ - v."""

import numpy as np
import pytest

from bnsearch.core import tree
from bnsearch.core.optim import sgd_update
from tests.core.helpers import assert_identical, make_network, make_settings

L2, RATE, MOMENTUM = [0.0, 0.5, 0.01], [0.1, 1.0, 0.02], [0.9, 0.0, 0.5]
ALL = make_settings(L2, RATE, MOMENTUM)
SHAPE = 0.25


@pytest.mark.parametrize("kind", ["affine", "plain", "none"])
@pytest.mark.parametrize("with_velocity", [True, False])
def test_three_updates_follow_the_recurrence_in_each_lane(kind: str, with_velocity: bool) -> None:
    network = make_network((6, 4), n_lanes=3, kind=kind)
    velocity = tree.map(np.zeros_like, network) if with_velocity else None
    theta = {path: leaf.copy() for path, leaf in tree.leaves(network)}
    v = {path: np.zeros_like(leaf) for path, leaf in theta.items()}
    column = [np.reshape(values, (3, 1, 1)) for values in (L2, RATE, MOMENTUM)]

    for step in range(3):
        gradient = make_network((6, 4), n_lanes=3, kind=kind, seed=step + 1)
        for path, g in tree.leaves(gradient):
            weights = path.endswith("W")
            full = g + 2 * column[0] * theta[path] if weights else g
            v[path] = (column[2] * v[path] if with_velocity else 0.0) + SHAPE * column[1] * full
            theta[path] = theta[path] - v[path]
        sgd_update(network, velocity, gradient, ALL, SHAPE)

    for path, leaf in tree.leaves(network):
        np.testing.assert_allclose(leaf, theta[path], rtol=1e-12, atol=1e-14, err_msg=path)
    for path, leaf in tree.leaves(velocity):
        np.testing.assert_allclose(leaf, v[path], rtol=1e-12, atol=1e-14, err_msg=path)


def test_a_rate_of_zero_changes_nothing() -> None:
    network = make_network((6,), n_lanes=3)
    before = tree.copy(network)

    sgd_update(network, None, make_network((6,), n_lanes=3, seed=1), ALL, 0.0)

    assert_identical(network, before)


def test_the_penalty_alone_shrinks_the_weights_by_two_lambda_eta_and_nothing_else() -> None:
    network = make_network((6,), n_lanes=3)
    before = tree.copy(network)

    sgd_update(network, None, tree.map(np.zeros_like, network), make_settings(L2, RATE, MOMENTUM), 1.0)

    factor = np.reshape([1.0, 0.0, 1.0 - 2 * 0.01 * 0.02], (3, 1, 1))
    for (path, after), (_, leaf) in zip(tree.leaves(network), tree.leaves(before), strict=True):
        np.testing.assert_allclose(after, leaf * factor if path.endswith("W") else leaf, rtol=1e-14, atol=1e-15)


def test_single_precision_parameters_stay_single() -> None:
    def single(seed: int) -> object:
        return tree.map(lambda a: a.astype(np.float32), make_network((6,), n_lanes=3, seed=seed))

    network, velocity = single(0), single(1)

    sgd_update(network, velocity, single(2), ALL, SHAPE)

    assert {leaf.dtype for part in (network, velocity) for _, leaf in tree.leaves(part)} == {np.dtype(np.float32)}
