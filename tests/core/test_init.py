"""Initial weights have the spread that their paper asks for."""

import numpy as np
import pytest

from bnsearch.core import tree
from bnsearch.core.init import Initializer, he, normal, xavier, zeros
from bnsearch.core.network import Architecture, initial_network

SHAPE = (400, 300)


@pytest.mark.parametrize(
    ("init", "sigma"),
    [
        pytest.param(he, np.sqrt(2 / 400), id="he"),
        pytest.param(xavier, np.sqrt(2 / 700), id="xavier"),
        pytest.param(normal(1e-3), 1e-3, id="normal"),
    ],
)
def test_weights_are_normal_around_zero_with_the_deviation_of_the_rule(init: Initializer, sigma: float) -> None:
    W = init(np.random.default_rng(0), SHAPE, *SHAPE) / sigma

    n = W.size
    assert W.shape == SHAPE
    assert abs(W.mean()) < 4 / np.sqrt(n)
    assert abs(W.var() - 1.0) < 4 * np.sqrt(2 / n)
    assert abs((W**4).mean() - 3.0) < 4 * np.sqrt(96 / n)


def test_zeros_are_zero() -> None:
    np.testing.assert_array_equal(zeros(np.random.default_rng(0), SHAPE, *SHAPE), np.zeros(SHAPE))


def test_the_fans_count_and_not_the_shape() -> None:
    few, many = (he(np.random.default_rng(0), (10, 7), fan_in, 7) for fan_in in (10, 1000))

    np.testing.assert_allclose(few, 10.0 * many, rtol=1e-14)


@pytest.mark.parametrize("kind", ["affine", "plain", "none"])
def test_a_network_starts_with_equal_lanes_zero_biases_and_neutral_norms(kind: str) -> None:
    network = initial_network(Architecture(12, (8, 6), 5, batch_norm=kind), he, np.random.default_rng(0), 3, np.float32)

    assert network.n_lanes == 3
    assert [dense.W.shape for dense in network.dense] == [(3, 8, 12), (3, 6, 8), (3, 5, 6)]
    assert [dense.b.shape for dense in network.dense] == [(3, 8, 1), (3, 6, 1), (3, 5, 1)]
    assert [m.shape for n in network.norms for m in (n.gamma, n.beta) if m is not None] == (
        [(3, 8, 1)] * 2 + [(3, 6, 1)] * 2 if kind == "affine" else []
    )
    assert len(network.norms) == (0 if kind == "none" else 2)
    for path, leaf in tree.leaves(network):
        assert leaf.dtype == np.float32
        np.testing.assert_array_equal(leaf, np.broadcast_to(leaf[:1], leaf.shape))
        if path.endswith("W"):
            assert len(np.unique(leaf[0])) == leaf[0].size
        else:
            np.testing.assert_array_equal(leaf, 1.0 if path.endswith("gamma") else 0.0)
    with_parameters = [norm.gamma is not None and norm.beta is not None for norm in network.norms]
    assert all(with_parameters) if kind == "affine" else not any(with_parameters)


def test_lanes_do_not_share_memory() -> None:
    network = initial_network(Architecture(4, (3,), 2), he, np.random.default_rng(0), 2, np.float64)

    for _, leaf in tree.leaves(network):
        leaf[0] += 1.0
        assert not np.any(leaf[0] == leaf[1])


def test_on_principal_components_the_first_layer_alone_starts_as_if_it_had_all_inputs() -> None:
    def weights(init_fan_in: int | None) -> list[np.ndarray]:
        architecture = Architecture(30, (8,), 5, init_fan_in=init_fan_in)
        network = initial_network(architecture, he, np.random.default_rng(0), 1, np.float64)
        return [dense.W for dense in network.dense]

    (first, last), (scaled, same) = weights(None), weights(3000)

    np.testing.assert_allclose(first, 10.0 * scaled, rtol=1e-14)
    np.testing.assert_array_equal(last, same)


def test_the_same_generator_gives_the_same_network_whatever_the_number_of_lanes() -> None:
    architecture = Architecture(30, (8,), 5)
    one, many = (initial_network(architecture, he, np.random.default_rng(0), k, np.float32) for k in (1, 20))

    for (_, a), (_, b) in zip(tree.leaves(one), tree.leaves(many), strict=True):
        np.testing.assert_array_equal(a[0], b[19])
