"""Softmax cross-entropy and the penalty against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import logsumexp, softmax

from bnsearch.core.layers import Dense
from bnsearch.core.losses import cross_entropy, cross_entropy_grad, hits, lane_sum, squared_norm

LABELS = np.array([0, 3, 1, 2, 3, 0])


@given(logits=hnp.arrays(np.float64, (2, 4, len(LABELS)), elements=st.floats(-50, 50)))
def test_cross_entropy_is_minus_the_log_of_the_softmax(logits: np.ndarray) -> None:
    losses, probabilities = cross_entropy(logits.copy(), LABELS)

    of_label = logits[:, LABELS, np.arange(len(LABELS))]
    np.testing.assert_allclose(losses, logsumexp(logits, axis=-2) - of_label, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(probabilities, softmax(logits, axis=-2), rtol=1e-12, atol=1e-300)


def test_probabilities_take_the_place_of_the_logits_and_their_gradient_that_of_the_probabilities() -> None:
    logits = np.random.default_rng(0).normal(size=(2, 4, len(LABELS)))

    _, probabilities = cross_entropy(logits, LABELS)

    assert probabilities is logits
    assert cross_entropy_grad(probabilities, LABELS) is logits


def test_equal_logits_cost_the_log_of_the_number_of_classes() -> None:
    losses, probabilities = cross_entropy(np.zeros((1, 4, len(LABELS))), LABELS)

    np.testing.assert_allclose(losses, np.log(4.0), rtol=1e-15)
    np.testing.assert_array_equal(probabilities, 0.25)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_huge_logits_in_single_precision_neither_overflow_nor_warn(sign: float) -> None:
    logits = np.zeros((1, 3, 4), dtype=np.float32)
    logits[0, 1, :] = sign * 1e4

    losses, probabilities = cross_entropy(logits, np.array([0, 1, 2, 1]))

    if sign > 0:
        expected, row = [1e4, 0.0, 1e4, 0.0], [0.0, 1.0, 0.0]
    else:
        expected, row = [np.log(2.0), 1e4 + np.log(2.0), np.log(2.0), 1e4 + np.log(2.0)], [0.5, 0.0, 0.5]
    np.testing.assert_allclose(losses[0], expected, rtol=1e-6)
    np.testing.assert_allclose(probabilities[0].T, [row] * 4)
    assert np.isfinite(cross_entropy_grad(probabilities, np.array([0, 1, 2, 1]))).all()


def test_gradient_of_the_mean_is_probability_minus_one_hot() -> None:
    logits = np.random.default_rng(0).normal(size=(2, 4, len(LABELS)))
    _, probabilities = cross_entropy(logits, LABELS)

    grad = cross_entropy_grad(probabilities.copy(), LABELS)

    np.testing.assert_allclose(grad, (probabilities - np.eye(4)[:, LABELS]) / len(LABELS), rtol=1e-14)
    np.testing.assert_allclose(grad.sum(axis=-2), 0.0, atol=1e-15)


def test_lane_sum_of_many_single_precision_values_is_taken_in_double() -> None:
    values = np.full((2, 100_000), 0.1, dtype=np.float32)
    values[1] *= 3

    total = lane_sum(values)

    assert total.dtype == np.float64
    np.testing.assert_allclose(total, values.astype(np.float64).sum(axis=1), rtol=1e-12)


def test_hits_are_the_largest_logits_and_a_tie_goes_to_the_lower_class() -> None:
    rows = np.array([[[1.0, 2.0, 0.0], [3.0, 3.0, 0.0], [0.0, 3.0, 3.0]]])
    logits = rows.mT

    np.testing.assert_array_equal(hits(logits, np.array([1, 0, 1])), [[True, True, True]])
    np.testing.assert_array_equal(hits(logits, np.array([0, 1, 2])), [[False, False, False]])


def test_nan_in_one_lane_does_not_change_the_ties_of_another() -> None:
    """Once, the NaN of one lane made up for the ties of its neighbour in a count over all lanes."""
    tied, labels = np.zeros((1, 2, 4)), np.array([1, 1, 1, 0])
    together = hits(np.concatenate([np.full_like(tied, np.nan), tied]), labels)

    np.testing.assert_array_equal(together[1:], hits(tied, labels))
    np.testing.assert_array_equal(together[1], [False, False, False, True])


def test_squared_norm_sums_all_weight_matrices_and_no_bias() -> None:
    rng = np.random.default_rng(0)
    first = Dense(rng.normal(size=(3, 5, 4)), np.full((3, 5, 1), 100.0))
    last = Dense(rng.normal(size=(3, 2, 5)), np.full((3, 2, 1), 100.0))

    expected = (first.W**2).sum(axis=(1, 2)) + (last.W**2).sum(axis=(1, 2))
    np.testing.assert_allclose(squared_norm((first, last)), expected, rtol=1e-13)
