"""Every derivative, in double precision, against numeric ones; batch statistics on both sides."""

import numpy as np
import pytest

from bnsearch.core import tree
from bnsearch.core.gradcheck import Check, analytic_gradient, compare, numeric_gradient
from bnsearch.core.layers import Dense
from bnsearch.core.losses import cross_entropy, lane_sum
from bnsearch.core.network import Network, apply, cost, forward, work_for
from tests.core.helpers import make_network, random_rows

THREE_LAYERS = (50, 50)
NINE_LAYERS = (50, 30, 20, 20, 10, 10, 10, 10)
ROWS = random_rows(20, 10, 10, seed=7)


def is_hidden_bias(parameter: str, network: Network) -> bool:
    """A bias before a batch normalisation changes nothing: its true gradient is 0."""
    _, layer, name = parameter.split(".")
    return name == "b" and int(layer) < len(network.norms)


def failures(network: Network, checks: list[Check], largest: float, each: float) -> list[str]:
    """The parameters and lanes out of tolerance, as `dense.0.W of lane 1: …`."""
    scale = {check.parameter: check.scale for check in checks}
    found = []
    for check in checks:
        if is_hidden_bias(check.parameter, network):
            # Rounding is in proportion to what was summed up: the same backpropagated errors as in the layer's weights.
            allowed = largest * scale[check.parameter.replace(".b", ".W")]
            right = (check.absolute <= allowed) & (check.scale <= allowed)
        else:
            right = (check.relative <= largest) & (check.elementwise <= each)
        found += [f"{check.parameter} of lane {lane}: {check}" for lane in np.flatnonzero(~right)]
    return found


@pytest.mark.parametrize(
    ("hidden", "kind", "penalty"),
    [
        pytest.param(THREE_LAYERS, "affine", 0.5, id="three layers"),
        pytest.param(NINE_LAYERS, "affine", 0.5, id="nine layers"),
        pytest.param((20, 12), "affine", 0.0, id="no penalty"),
        pytest.param((20, 12), "plain", 0.5, id="plain batch norm"),
        pytest.param((20, 12, 11), "none", 0.5, id="no batch norm"),
        pytest.param((), "none", 0.5, id="softmax regression"),
    ],
)
def test_backpropagation_agrees_with_the_complex_step(hidden: tuple[int, ...], kind: str, penalty: float) -> None:
    network, l2 = make_network(hidden, n_lanes=3, kind=kind), np.full(3, penalty)
    analytic = analytic_gradient(network, ROWS.x, ROWS.labels, l2)

    checks = compare(analytic, numeric_gradient(network, ROWS.x, ROWS.labels, l2, "complex"))

    n_arrays = 2 * (len(hidden) + 1) + (2 * len(hidden) if kind == "affine" else 0)
    assert len(checks) == n_arrays
    assert failures(network, checks, largest=1e-13, each=1e-11) == []
    biases = [c.absolute.max() for c in checks if is_hidden_bias(c.parameter, network)]
    assert max(biases, default=0.0) <= 1e-14


@pytest.mark.parametrize(("method", "tolerance"), [("central", 1e-6), ("forward", 1e-5)])
@pytest.mark.parametrize("kind", ["affine", "plain", "none"])
def test_backpropagation_agrees_with_real_differences(kind: str, method: str, tolerance: float) -> None:
    network, l2 = make_network((12, 8), n_lanes=3, kind=kind), np.array([0.5, 0.0, 0.01])
    analytic = analytic_gradient(network, ROWS.x, ROWS.labels, l2)

    checks = compare(analytic, numeric_gradient(network, ROWS.x, ROWS.labels, l2, method))

    assert failures(network, checks, largest=tolerance, each=10 * tolerance) == []


def test_each_lane_has_the_gradient_of_its_own_penalty() -> None:
    network, l2 = make_network((6,), n_lanes=3), np.array([0.0, 0.5, 3.0])
    numeric = numeric_gradient(network, ROWS.x, ROWS.labels, l2)

    with_penalty = compare(analytic_gradient(network, ROWS.x, ROWS.labels, l2), numeric)
    without = compare(analytic_gradient(network, ROWS.x, ROWS.labels, np.zeros(3)), numeric)

    assert failures(network, with_penalty, largest=1e-13, each=1e-11) == []
    wrong = failures(network, without, largest=1e-3, each=1.0)
    assert [text.split(":")[0] for text in wrong] == [f"dense.{i}.W of lane {k}" for i in (0, 1) for k in (1, 2)]


@pytest.mark.parametrize("parameter", ["dense.0.W", "dense.0.b", "dense.2.b", "norms.1.gamma"])
def test_one_wrong_entry_is_caught_and_named(parameter: str) -> None:
    network, l2 = make_network((12, 8), n_lanes=3), np.full(3, 0.5)
    analytic = analytic_gradient(network, ROWS.x, ROWS.labels, l2)
    numeric = numeric_gradient(network, ROWS.x, ROWS.labels, l2)
    part, layer, name = parameter.split(".")
    array = getattr(getattr(analytic, part)[int(layer)], name)
    array[1].flat[3] += 1e-10

    wrong = failures(network, compare(analytic, numeric), largest=1e-13, each=1e-11)

    assert [text.split(":")[0] for text in wrong] == [f"{parameter} of lane 1"]


def test_compare_measures_each_lane_against_its_own_largest_entry() -> None:
    W = np.array([[[4.0], [2.0], [0.01]], [[400.0], [0.0], [0.0]]])
    right = Network(dense=(Dense(W, np.ones((2, 3, 1))),), norms=())
    wrong = tree.copy(right)
    wrong.dense[0].W[0] += [[0.0], [0.5], [0.01]]  # the last is below a hundredth of the largest
    wrong.dense[0].W[1] += [[0.0], [0.0], [3.0]]

    weights, biases = compare(wrong, right)

    assert (weights.parameter, biases.parameter) == ("dense.0.W", "dense.0.b")
    np.testing.assert_allclose(weights.scale, [4.0, 400.0])
    np.testing.assert_allclose(weights.absolute, [0.5, 3.0])
    np.testing.assert_allclose(weights.relative, [0.125, 0.0075])
    np.testing.assert_allclose(weights.elementwise, [0.25, 0.0])
    np.testing.assert_array_equal(biases.absolute, 0.0)


def test_the_numeric_side_differentiates_through_the_moments_of_the_batch() -> None:
    # One of the two reports evaluated its numeric side with fixed moments, so a right backward pass seemed wrong.
    network, l2 = make_network((12, 8), n_lanes=3), np.zeros(3)
    fixed = forward(network, ROWS.x, work_for(network, len(ROWS)))[1].moments
    nudged = tree.map(lambda a: a.astype(complex), network)
    nudged.dense[0].W[:, 0, 0] += 1e-100j

    through = cost(nudged, ROWS.x, ROWS.labels, l2).imag / 1e-100
    logits = apply(nudged, ROWS.x, fixed, work_for(nudged, len(ROWS)))
    around = lane_sum(cross_entropy(logits, ROWS.labels)[0]).imag / len(ROWS) / 1e-100

    analytic = analytic_gradient(network, ROWS.x, ROWS.labels, l2).dense[0].W[:, 0, 0]
    np.testing.assert_allclose(analytic, through, rtol=1e-11)
    assert np.all(np.abs(analytic - around) > 0.01 * np.abs(analytic))
