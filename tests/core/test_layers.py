"""Each layer against its definition in plain NumPy, on (K, n, B) arrays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bnsearch.core import tree
from bnsearch.core.layers import (
    BatchNorm,
    Dense,
    Keep,
    Moments,
    batch_dot,
    batch_mean,
    project,
    relu,
    relu_grad_input,
)

K, B, N, M = 3, 16, 5, 4
EPSILON = 1e-5


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def norm_of(rng: np.random.Generator, affine: bool, epsilon: float = EPSILON) -> BatchNorm:
    shape = (K, N, 1)
    return (
        BatchNorm(rng.normal(size=shape), rng.normal(size=shape), epsilon) if affine else BatchNorm(None, None, epsilon)
    )


def scaled(norm: BatchNorm, xhat: np.ndarray) -> np.ndarray:
    """γ x̂ + β."""
    return xhat if norm.gamma is None or norm.beta is None else norm.gamma * xhat + norm.beta


def test_dense_weighs_a_shared_batch_with_each_lanes_weights(rng: np.random.Generator) -> None:
    x, W, b = rng.normal(size=(B, N)), rng.normal(size=(K, M, N)), rng.normal(size=(K, M, 1))
    out = np.empty((K, M, B))

    z = Dense(W, b).weigh(x, out)

    assert z is out
    for lane in range(K):
        np.testing.assert_allclose(z[lane], W[lane] @ x.T, rtol=1e-13)


def test_dense_weighs_a_batch_of_each_lane(rng: np.random.Generator) -> None:
    x, W, b = rng.normal(size=(K, N, B)), rng.normal(size=(K, M, N)), rng.normal(size=(K, M, 1))

    z = Dense(W, b).weigh(x, np.empty((K, M, B)))

    np.testing.assert_allclose(z, np.einsum("kmn,knb->kmb", W, x), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("shape", [(B, N), (K, N, B)], ids=["shared inputs", "inputs of each lane"])
def test_dense_gradients_are_those_of_a_bilinear_map(rng: np.random.Generator, shape: tuple[int, ...]) -> None:
    x, W, d = rng.normal(size=shape), rng.normal(size=(K, M, N)), rng.normal(size=(K, M, B))
    each = np.broadcast_to(x.T if x.ndim == 2 else x, (K, N, B))
    grad = Dense(np.zeros((K, M, N)), np.zeros((K, M, 1)))

    grad.add_grad(x, d, Keep())
    below = Dense(W, np.zeros((K, M, 1))).grad_input(d, np.empty((K, N, B)))

    np.testing.assert_allclose(grad.W, np.einsum("knb,kmb->kmn", each, d), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(grad.b, d.sum(axis=2, keepdims=True), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(below, np.einsum("kmb,kmn->knb", d, W), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("shape", [(B, N), (K, N, B)], ids=["shared inputs", "inputs of each lane"])
def test_dense_adds_its_gradients_to_what_is_kept(rng: np.random.Generator, shape: tuple[int, ...]) -> None:
    x, d = rng.normal(size=shape), rng.normal(size=(K, M, B))
    keep = Keep(rng.uniform(size=(K, 1, 1)), rng.uniform(size=(K, 1, 1)))
    grad, into = (Dense(np.zeros((K, M, N)), np.zeros((K, M, 1))) for _ in range(2))
    for leaf in (into.W, into.b):
        leaf += rng.normal(size=leaf.shape)
    W, b = into.W.copy(), into.b.copy()

    grad.add_grad(x, d, Keep())
    into.add_grad(x, d, keep)

    np.testing.assert_allclose(into.W, keep.weights * W + grad.W, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(into.b, keep.others * b + grad.b, rtol=1e-12, atol=1e-13)


@given(x=hnp.arrays(np.float64, (2, 3, 7), elements=st.floats(-1e6, 1e6)))
def test_batch_mean_is_the_mean_over_the_batch(x: np.ndarray) -> None:
    np.testing.assert_allclose(batch_mean(x), x.mean(axis=2, keepdims=True), rtol=1e-12, atol=1e-9)


@given(pair=hnp.arrays(np.float64, (2, 2, 3, 7), elements=st.floats(-1e6, 1e6)))
def test_batch_dot_is_the_mean_of_the_products(pair: np.ndarray) -> None:
    x, y = pair

    np.testing.assert_allclose(batch_dot(x, y), (x * y).mean(axis=2, keepdims=True), rtol=1e-12, atol=1e-3)


def test_batch_dot_of_complex_numbers_is_the_product_without_a_conjugate() -> None:
    # A conjugate would turn the sign of every derivative that a complex step takes of a variance.
    x, y = np.array([[[1 + 2j, 3j]]]), np.array([[[5 - 1j, 2 + 2j]]])

    np.testing.assert_allclose(batch_dot(x, y), [[[(7 + 9j - 6 + 6j) / 2]]])


@given(x=hnp.arrays(np.float32, (2, 7, 3), elements=st.floats(-1e6, 1e6, width=32)))
def test_relu_and_its_derivative(x: np.ndarray) -> None:
    y = relu(x.copy())

    np.testing.assert_array_equal(y, np.maximum(x, 0))
    dx = relu_grad_input(y, np.full_like(x, 3.0), np.empty_like(x))
    np.testing.assert_array_equal(dx, np.where(x > 0, 3.0, 0.0))
    assert y.dtype == dx.dtype == np.float32


def test_relu_and_its_derivative_take_the_place_of_their_arguments() -> None:
    x, dy = np.array([-1.0, 2.0]), np.array([3.0, 4.0])

    assert relu(x) is x
    assert relu_grad_input(x, dy, np.empty(2)) is dy
    np.testing.assert_array_equal(x, [0.0, 2.0])
    np.testing.assert_array_equal(dy, [0.0, 4.0])


def test_relu_of_complex_numbers_goes_by_the_real_part() -> None:
    np.testing.assert_array_equal(relu(np.array([2 + 1e-100j, -2 + 1e-100j])), [2 + 1e-100j, 0])


def test_relu_passes_on_that_a_lane_is_lost() -> None:
    np.testing.assert_array_equal(relu(np.array([np.nan, np.inf, -np.inf])), [np.nan, np.inf, 0.0])


@pytest.mark.parametrize("affine", [True, False], ids=["affine", "plain"])
def test_batch_norm_is_its_definition_and_returns_the_batchs_moments(rng: np.random.Generator, affine: bool) -> None:
    z, b = rng.normal(loc=3.0, scale=2.0, size=(K, N, B)), rng.normal(size=(K, N, 1))
    x, norm, out = z + b, norm_of(rng, affine), np.empty((K, N, B))

    y, tape, moments = norm.forward(z.copy(), b, out)

    mean, var = x.mean(axis=2, keepdims=True), x.var(axis=2, keepdims=True)  # var: divided by B, not by B - 1
    xhat = (x - mean) / np.sqrt(var + EPSILON)
    np.testing.assert_allclose(moments.mean, mean, rtol=1e-12)
    np.testing.assert_allclose(moments.var, var, rtol=1e-12)
    np.testing.assert_allclose(tape.x * tape.inverse_std, xhat, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(y, scaled(norm, xhat), rtol=1e-11, atol=1e-13)
    assert y is out


@pytest.mark.parametrize("affine", [True, False], ids=["affine", "plain"])
def test_a_bias_moves_the_mean_of_the_batch_and_nothing_else(rng: np.random.Generator, affine: bool) -> None:
    z, b, norm = rng.normal(size=(K, N, B)), rng.normal(size=(K, N, 1)), norm_of(rng, affine)

    with_bias, _, moments = norm.forward(z.copy(), b, np.empty_like(z))
    without, _, unmoved = norm.forward(z.copy(), np.zeros_like(b), np.empty_like(z))

    np.testing.assert_array_equal(with_bias, without)
    np.testing.assert_array_equal(moments.var, unmoved.var)
    np.testing.assert_allclose(moments.mean - unmoved.mean, b, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("affine", [True, False], ids=["affine", "plain"])
def test_batch_norm_uses_the_moments_that_it_is_given(rng: np.random.Generator, affine: bool) -> None:
    z, b, norm = rng.normal(size=(K, N, B)), rng.normal(size=(K, N, 1)), norm_of(rng, affine)
    given_moments = Moments(rng.normal(size=(K, N, 1)), rng.uniform(1.0, 2.0, (K, N, 1)))
    before, in_place = tree.copy((b, norm, given_moments)), z.copy()

    y = norm.apply(in_place, b, given_moments)

    expected = scaled(norm, (z + b - given_moments.mean) / np.sqrt(given_moments.var + EPSILON))
    np.testing.assert_allclose(y, expected, rtol=1e-11, atol=1e-13)
    assert y is in_place
    for (_, after), (_, leaf) in zip(tree.leaves((b, norm, given_moments)), tree.leaves(before), strict=True):
        np.testing.assert_array_equal(after, leaf)


@pytest.mark.parametrize("affine", [True, False], ids=["affine", "plain"])
def test_the_batchs_own_moments_applied_give_what_the_forward_pass_gave(rng: np.random.Generator, affine: bool) -> None:
    z, b, norm = rng.normal(loc=2.0, size=(K, N, B)), rng.normal(size=(K, N, 1)), norm_of(rng, affine)

    y, _, moments = norm.forward(z.copy(), b, np.empty_like(z))

    np.testing.assert_allclose(norm.apply(z, b, moments), y, rtol=1e-11, atol=1e-13)


def test_batch_norm_changes_its_input_as_it_says_and_nothing_else(rng: np.random.Generator) -> None:
    z, b, norm = rng.normal(size=(K, N, B)), rng.normal(size=(K, N, 1)), norm_of(rng, affine=True)
    before, centred = tree.copy((b, norm)), z - z.mean(axis=2, keepdims=True)

    y, tape, _ = norm.forward(z, b, np.empty_like(z))

    np.testing.assert_allclose(z, centred, rtol=1e-12, atol=1e-14)
    assert tape.x is z
    assert not np.shares_memory(y, z)
    for (_, after), (_, leaf) in zip(tree.leaves((b, norm)), tree.leaves(before), strict=True):
        np.testing.assert_array_equal(after, leaf)


def test_a_unit_that_never_changes_becomes_beta_and_gets_a_finite_gradient(rng: np.random.Generator) -> None:
    z = np.full((1, 2, B), 0.25, dtype=np.float32)
    norm = BatchNorm(np.ones((1, 2, 1), np.float32), np.full((1, 2, 1), 7.0, np.float32), 1e-7)

    y, tape, _ = norm.forward(z, np.ones((1, 2, 1), np.float32), np.empty_like(z))

    np.testing.assert_array_equal(y, np.full_like(z, 7.0))
    dy = rng.normal(size=z.shape).astype(np.float32)
    assert np.isfinite(norm.grad_input(tape, dy, project(tape, dy), np.empty_like(z))).all()


@pytest.mark.parametrize("affine", [True, False], ids=["affine", "plain"])
def test_no_gradient_flows_along_a_shift_or_a_stretch_of_the_batch(rng: np.random.Generator, affine: bool) -> None:
    x, dy, norm = rng.normal(size=(K, N, B)), rng.normal(size=(K, N, B)), norm_of(rng, affine, epsilon=0.0)

    _, tape, _ = norm.forward(x.copy(), np.zeros((K, N, 1)), np.empty_like(x))
    dx = norm.grad_input(tape, dy, project(tape, dy), np.empty_like(x))

    assert np.abs(dx).max() > 0.1
    np.testing.assert_allclose(dx.sum(axis=2), 0.0, atol=1e-12)
    np.testing.assert_allclose((dx * x).sum(axis=2), 0.0, atol=1e-12)


@pytest.mark.parametrize("affine", [True, False], ids=["affine", "plain"])
def test_batch_norm_gradients_are_their_formulas(rng: np.random.Generator, affine: bool) -> None:
    z, dy, norm = rng.normal(loc=2.0, size=(K, N, B)), rng.normal(size=(K, N, B)), norm_of(rng, affine)
    mean, inverse_std = z.mean(axis=2, keepdims=True), 1.0 / np.sqrt(z.var(axis=2, keepdims=True) + EPSILON)
    xhat, keep = (z - mean) * inverse_std, Keep(others=rng.uniform(size=(K, 1, 1)))
    into = tree.copy(norm)

    _, tape, _ = norm.forward(z, np.zeros((K, N, 1)), np.empty_like(z))
    projection = project(tape, dy)
    into.add_grad(tape, projection, keep)
    in_place = dy.copy()
    dz = norm.grad_input(tape, in_place, projection, np.empty_like(z))

    dxhat = dy if norm.gamma is None else norm.gamma * dy
    expected = dxhat - dxhat.mean(axis=2, keepdims=True) - xhat * (dxhat * xhat).mean(axis=2, keepdims=True)
    np.testing.assert_allclose(dz, expected * inverse_std, rtol=1e-11, atol=1e-13)
    assert dz is in_place
    if norm.gamma is None or norm.beta is None:
        assert into == norm  # without γ and β there is nothing to add to
        return
    np.testing.assert_allclose(
        into.gamma, keep.others * norm.gamma + (dy * xhat).sum(axis=2, keepdims=True), rtol=1e-11, atol=1e-12
    )
    np.testing.assert_allclose(
        into.beta, keep.others * norm.beta + dy.sum(axis=2, keepdims=True), rtol=1e-11, atol=1e-12
    )


def test_single_precision_stays_single(rng: np.random.Generator) -> None:
    def single(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    x, dense = single(B, N), Dense(single(K, M, N), single(K, M, 1))
    norm, keep = BatchNorm(single(K, M, 1), single(K, M, 1), EPSILON), Keep(single(K, 1, 1), single(K, 1, 1))

    z = dense.weigh(x, np.empty((K, M, B), np.float32))
    y, tape, moments = norm.forward(z, dense.b, np.empty_like(z))
    applied = norm.apply(y.copy(), dense.b, moments)
    projection = project(tape, y)
    dz = norm.grad_input(tape, y, projection, np.empty_like(y))
    below = dense.grad_input(dz, np.empty((K, N, B), np.float32))
    dense.add_grad(x, dz, keep)
    norm.add_grad(tape, projection, keep)

    trees = (z, y, tape, moments, applied, projection, dz, below, dense, norm)
    assert {leaf.dtype for _, leaf in tree.leaves(trees)} == {np.dtype(np.float32)}
