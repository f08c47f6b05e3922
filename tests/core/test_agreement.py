"""How far two gradients are apart: each definition against plain numbers."""

import numpy as np
import pytest

from bnsearch.core import tree
from bnsearch.core.agreement import agree, compare
from bnsearch.core.layers import BatchNorm, Dense
from bnsearch.core.network import Network


def gradient(*entries: float, norms: tuple[BatchNorm, ...] = ()) -> Network:
    """One lane whose first bias has these entries, and whose other derivatives are 1."""
    b = np.array(entries).reshape(1, -1, 1)
    dense = (Dense(np.ones((1, len(entries), 1)), b), Dense(np.ones((1, 1, len(entries))), np.ones((1, 1, 1))))
    return Network(dense, norms)


NORM = (BatchNorm(None, None, 1e-7),)


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


@pytest.mark.parametrize(
    ("a", "g", "to_larger", "to_sum"),
    [
        pytest.param(1.0, 2.0, 0.5, 1 / 3, id="half"),
        pytest.param(-1.0, 2.0, 1.5, 1.0, id="another sign"),
        pytest.param(1e-30, 0.0, 1.0, 1.0, id="nearly nothing"),
        pytest.param(0.0, 0.0, 0.0, 0.0, id="nothing"),
        pytest.param(1.540e-8, 1.545e-8, 3.2e-3, 1.6e-3, id="printed by Baldassarre as 1.74e-3"),
        pytest.param(1.744e-2, -4.814e-1, 1.036, 1.0, id="printed by Baldassarre as 1.00"),
    ],
)
def test_the_definitions_of_the_reports(a: float, g: float, to_larger: float, to_sum: float) -> None:
    """The text of the first names the larger of both; what it printed is a share of their sum, as in the second."""
    bias = compare(gradient(a, 5.0), gradient(g, 5.0))[1]
    np.testing.assert_allclose([bias.to_larger[0], bias.to_sum[0]], [to_larger, to_sum], rtol=0.02)


def test_a_bias_before_a_norm_is_compared_absolutely() -> None:
    """Its derivative is 0; two roundings of 0 are a hundred percent apart."""
    one, other = gradient(1e-16, norms=NORM), gradient(-1e-16, norms=NORM)
    checks = compare(one, other)
    assert [check.parameter for check in checks if check.expected_zero] == ["dense.0.b"]
    assert all(agree(checks, 1e-13))
    assert [bool(right[0]) for right in agree(compare(gradient(1e-16), gradient(-1e-16)), 1e-13)][1] is False
    both_wrong = gradient(0.5, norms=NORM)  # alike, but it must be 0
    assert [bool(right[0]) for right in agree(compare(both_wrong, both_wrong), 1e-13)][1] is False


def test_gradients_that_are_nothing_agree() -> None:
    """Of a layer behind dead units; 0/0 is no error."""
    zero = tree.map(np.zeros_like, gradient(0.0, 0.0))
    checks = compare(zero, zero)
    assert all(agree(checks, 1e-13))
    assert all(check.relative[0] == check.elementwise[0] == 0.0 for check in checks)
