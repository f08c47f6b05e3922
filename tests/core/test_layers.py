"""Each layer against its definition in plain NumPy, on (K, B, n) arrays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bnsearch.core import tree
from bnsearch.core.layers import BatchNorm, Dense, Moments, batch_mean, relu, relu_grad_input
from tests.core.helpers import untimed

K, B, N, M = 3, 16, 5, 4
EPSILON = 1e-5


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_dense_maps_a_shared_batch_through_the_weights_of_each_lane(rng: np.random.Generator) -> None:
    x, W, b = rng.normal(size=(B, N)), rng.normal(size=(K, N, M)), rng.normal(size=(K, 1, M))

    y = Dense(W, b).forward(x)

    assert y.shape == (K, B, M)
    for lane in range(K):
        np.testing.assert_allclose(y[lane], x @ W[lane] + b[lane], rtol=1e-13)


def test_dense_maps_a_batch_of_each_lane(rng: np.random.Generator) -> None:
    x, W, b = rng.normal(size=(K, B, N)), rng.normal(size=(K, N, M)), rng.normal(size=(K, 1, M))

    np.testing.assert_allclose(Dense(W, b).forward(x), np.einsum("kbn,knm->kbm", x, W) + b, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("shape", [(B, N), (K, B, N)], ids=["shared inputs", "inputs of each lane"])
def test_dense_gradients_are_those_of_a_bilinear_map(rng: np.random.Generator, shape: tuple[int, ...]) -> None:
    x, W, dy = rng.normal(size=shape), rng.normal(size=(K, N, M)), rng.normal(size=(K, B, M))
    layer = Dense(W, np.zeros((K, 1, M)))
    each = np.broadcast_to(x, (K, B, N))

    grad = layer.grad(x, dy)

    np.testing.assert_allclose(grad.W, np.einsum("kbn,kbm->knm", each, dy), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(grad.b, dy.sum(axis=1, keepdims=True), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(layer.grad_input(dy), np.einsum("kbm,knm->kbn", dy, W), rtol=1e-12, atol=1e-13)


@untimed
@given(x=hnp.arrays(np.float64, (2, 7, 3), elements=st.floats(-1e6, 1e6)))
def test_batch_mean_is_the_mean_over_the_batch(x: np.ndarray) -> None:
    np.testing.assert_allclose(batch_mean(x), x.mean(axis=1, keepdims=True), rtol=1e-12, atol=1e-9)


@untimed
@given(x=hnp.arrays(np.float32, (2, 7, 3), elements=st.floats(-1e6, 1e6, width=32)))
def test_relu_and_its_derivative(x: np.ndarray) -> None:
    y = relu(x)

    np.testing.assert_array_equal(y, np.maximum(x, 0))
    np.testing.assert_array_equal(relu_grad_input(y, np.full_like(x, 3.0)), np.where(x > 0, 3.0, 0.0))
    assert y.dtype == np.float32


def test_relu_of_complex_numbers_goes_by_the_real_part() -> None:
    np.testing.assert_array_equal(relu(np.array([2 + 1e-100j, -2 + 1e-100j])), [2 + 1e-100j, 0])


@pytest.mark.parametrize("affine", [True, False], ids=["affine", "plain"])
def test_batch_norm_is_its_definition_and_returns_the_batchs_moments(rng: np.random.Generator, affine: bool) -> None:
    x = rng.normal(loc=3.0, scale=2.0, size=(K, B, N))
    gamma, beta = (rng.normal(size=(K, 1, N)), rng.normal(size=(K, 1, N))) if affine else (None, None)

    y, tape, moments = BatchNorm(gamma, beta, EPSILON).forward(x)

    mean, var = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)  # var: divided by B, not by B - 1
    xhat = (x - mean) / np.sqrt(var + EPSILON)
    np.testing.assert_allclose(moments.mean, mean, rtol=1e-12)
    np.testing.assert_allclose(moments.var, var, rtol=1e-12)
    np.testing.assert_allclose(tape.xhat, xhat, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(y, gamma * xhat + beta if affine else xhat, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("affine", [True, False], ids=["affine", "plain"])
def test_batch_norm_uses_the_moments_that_it_is_given(rng: np.random.Generator, affine: bool) -> None:
    x = rng.normal(size=(K, B, N))
    gamma, beta = (rng.normal(size=(K, 1, N)), rng.normal(size=(K, 1, N))) if affine else (1.0, 0.0)
    given_moments = Moments(rng.normal(size=(K, 1, N)), rng.uniform(1.0, 2.0, (K, 1, N)))

    y, _, used = BatchNorm(*((gamma, beta) if affine else (None, None)), EPSILON).forward(x, given_moments)

    expected = gamma * (x - given_moments.mean) / np.sqrt(given_moments.var + EPSILON) + beta
    np.testing.assert_allclose(y, expected, rtol=1e-11, atol=1e-13)
    assert used is given_moments


def test_batch_norm_leaves_its_input_as_it_was(rng: np.random.Generator) -> None:
    x = rng.normal(size=(K, B, N))
    before = x.copy()
    norm = BatchNorm(np.ones((K, 1, N)), np.zeros((K, 1, N)), EPSILON)

    _, _, moments = norm.forward(x)
    norm.forward(x, moments)

    np.testing.assert_array_equal(x, before)


def test_a_unit_that_never_changes_becomes_beta_and_gets_a_finite_gradient(rng: np.random.Generator) -> None:
    x = np.full((1, B, 2), 0.25, dtype=np.float32)
    norm = BatchNorm(np.ones((1, 1, 2), np.float32), np.full((1, 1, 2), 7.0, np.float32), 1e-7)

    y, tape, _ = norm.forward(x)

    np.testing.assert_array_equal(y, np.full_like(x, 7.0))
    assert np.isfinite(norm.grad_input(tape, rng.normal(size=x.shape).astype(np.float32))).all()


@pytest.mark.parametrize("affine", [True, False], ids=["affine", "plain"])
def test_no_gradient_flows_along_a_shift_or_a_stretch_of_the_batch(rng: np.random.Generator, affine: bool) -> None:
    x, dy = rng.normal(size=(K, B, N)), rng.normal(size=(K, B, N))
    gamma, beta = (rng.normal(size=(K, 1, N)), rng.normal(size=(K, 1, N))) if affine else (None, None)
    norm = BatchNorm(gamma, beta, 0.0)

    _, tape, _ = norm.forward(x)
    dx = norm.grad_input(tape, dy)

    assert np.abs(dx).max() > 0.1
    np.testing.assert_allclose(dx.sum(axis=1), 0.0, atol=1e-12)
    np.testing.assert_allclose((dx * x).sum(axis=1), 0.0, atol=1e-12)


def test_single_precision_stays_single(rng: np.random.Generator) -> None:
    x = rng.normal(size=(B, N)).astype(np.float32)
    dense = Dense(rng.normal(size=(K, N, M)).astype(np.float32), np.zeros((K, 1, M), np.float32))
    norm = BatchNorm(np.ones((K, 1, M), np.float32), np.zeros((K, 1, M), np.float32), EPSILON)

    z = dense.forward(x)
    y, tape, moments = norm.forward(z)
    dz = norm.grad_input(tape, y)

    trees = (z, y, moments, dz, dense.grad_input(dz), dense.grad(x, y), norm.grad(tape, y))
    assert {leaf.dtype for _, leaf in tree.leaves(trees)} == {np.dtype(np.float32)}
