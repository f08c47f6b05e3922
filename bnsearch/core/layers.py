"""The layers, written on the last two axes; the trial axis in front is broadcasting's business.

Samples are columns: an activation is (K, n, B), so a moment of each unit is a mean along the last axis. Only the shared
minibatch stays as it lies in memory, its samples in rows (B, D).

The way back adds: `layer.add_grad(…)` makes θ ← keep·θ + ∂L/∂θ of a layer's arrays θ, whether these are zeros (the
gradient), a velocity, or the parameters themselves (a step of plain gradient descent, with d scaled by −η). Derivatives
with respect to inputs are separate methods, so the first layer never computes them. The way there is complex-safe, so
that a complex step can check every derivative.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from bnsearch.core import blas
from bnsearch.core.tree import Array


def batch_mean(x: Array) -> Array:
    """Mean over the batch, (…, n, B) -> (…, n, 1), as a product with a column of 1/B: one BLAS call per lane."""
    mean: Array = x @ _column(x.shape[-1], x.dtype)
    return mean


def batch_dot(x: Array, y: Array) -> Array:
    """Mean over the batch of x·y, (…, n, B) -> (…, n, 1): one BLAS call per row, without an array of products."""
    dot: Array = (x[..., None, :] @ y[..., :, None])[..., 0]
    dot *= 1.0 / x.shape[-1]
    return dot


@lru_cache(maxsize=64)
def _column(n_batch: int, dtype: np.dtype[Any]) -> Array:
    column = np.full((n_batch, 1), 1.0 / n_batch, dtype=dtype)
    column.flags.writeable = False
    return column


def relu(x: Array) -> Array:
    """max(0, x), in place; complex numbers are compared by their real parts."""
    return np.maximum(x, 0.0, out=x)


def relu_grad_input(y: Array, dy: Array, scratch: Array) -> Array:
    """∂L/∂x from the output y = relu(x) and ∂L/∂y, in place of the latter."""
    dy *= np.greater(y, 0.0, out=scratch)
    return dy


@dataclass(frozen=True)
class Keep:
    """What is left of the arrays that derivatives are added to; None leaves all."""

    weights: Array | None = None  # (K, 1, 1), of every W
    others: Array | None = None  # (K, 1, 1), of b, γ and β


@dataclass(frozen=True)
class Dense:
    """z = W x + b."""

    W: Array  # (K, fan_out, fan_in)
    b: Array  # (K, fan_out, 1)

    def weigh(self, x: Array, out: Array) -> Array:
        """W x, without b: rows (B, fan_in) shared by all lanes, or (K, fan_in, B) -> (K, fan_out, B)."""
        return blas.weigh(self.W, x, out) if x.ndim == 2 else np.matmul(self.W, x, out=out)

    def grad_input(self, d: Array, out: Array) -> Array:
        """∂L/∂x = Wᵀ d, (K, fan_in, B), from d = ∂L/∂z (K, fan_out, B)."""
        return np.matmul(self.W.mT, d, out=out)

    def add_grad(self, x: Array, d: Array, keep: Keep) -> None:
        """Add ∂L/∂W = d xᵀ and ∂L/∂b = Σ_batch d, from the input x of `weigh` and d = ∂L/∂z."""
        _shrink(self.W, keep.weights)
        if x.ndim == 2:
            blas.add_outer(self.W, d, x)
        else:
            np.add(self.W, d @ x.mT, out=self.W)
        _shrink(self.b, keep.others)
        np.add(self.b, batch_mean(d) * d.shape[-1], out=self.b)


@dataclass(frozen=True)
class Moments:
    """Mean and biased variance (1/B) of each unit."""

    mean: Array  # (K, n, 1)
    var: Array  # (K, n, 1)


@dataclass(frozen=True)
class Centred:
    """What a forward pass of batch normalisation leaves for the way back."""

    x: Array  # (K, n, B), minus its mean
    inverse_std: Array  # (K, n, 1)


@dataclass(frozen=True)
class BatchNorm:
    """y = γ x̂ + β with x̂ = (x − mean)/√(var + ε), or y = x̂ where γ and β are None (Ioffe & Szegedy 2015).

    There is no train flag: `forward` takes the moments of its batch, `apply` takes those it is given, so analytic and
    numeric derivatives cannot be taken of different functions by oversight. Both normalise x = z + b. The shift b moves
    the mean and nothing else, so it is added to the moments and never to the batch.
    """

    gamma: Array | None  # (K, n, 1)
    beta: Array | None  # (K, n, 1)
    epsilon: float

    def forward(self, z: Array, b: Array, out: Array) -> tuple[Array, Centred, Moments]:
        """y (in `out`), what the way back needs, and the batch's moments; z (K, n, B) is centred in place."""
        mean = batch_mean(z)
        z -= mean
        moments = Moments(mean + b, batch_dot(z, z))
        tape = Centred(z, self._inverse_std(moments))
        y = np.multiply(z, self._gain(tape.inverse_std), out=out)
        if self.beta is not None:
            y += self.beta
        return y, tape, moments

    def apply(self, z: Array, b: Array, moments: Moments) -> Array:
        """y, in place of z (K, n, B), by these moments."""
        z -= (
            moments.mean - b
        )  # first: a unit that hardly varies would lose its digits in a difference of large products
        z *= self._gain(self._inverse_std(moments))
        if self.beta is not None:
            z += self.beta
        return z

    def grad_input(self, tape: Centred, dy: Array, projection: "Projection", scratch: Array) -> Array:
        """∂L/∂z = γ/√(var + ε) · (dy − mean(dy) − x̂·mean(dy·x̂)), in place of dy."""
        dy -= np.multiply(tape.x, projection.on_x * tape.inverse_std * tape.inverse_std, out=scratch)
        dy -= projection.on_one
        dy *= self._gain(tape.inverse_std)
        return dy

    def add_grad(self, tape: Centred, projection: "Projection", keep: Keep) -> None:
        """Add ∂L/∂γ = Σ_batch dy·x̂ and ∂L/∂β = Σ_batch dy."""
        if self.gamma is not None and self.beta is not None:
            n_batch = tape.x.shape[-1]
            _shrink(self.gamma, keep.others)
            np.add(self.gamma, projection.on_x * tape.inverse_std * n_batch, out=self.gamma)
            _shrink(self.beta, keep.others)
            np.add(self.beta, projection.on_one * n_batch, out=self.beta)

    def _inverse_std(self, moments: Moments) -> Array:
        inverse: Array = 1.0 / np.sqrt(moments.var + self.epsilon)
        return inverse

    def _gain(self, inverse_std: Array) -> Array:
        return inverse_std if self.gamma is None else self.gamma * inverse_std


@dataclass(frozen=True)
class Projection:
    """The part of dy = ∂L/∂y that normalisation takes away: what it has in common with a constant and with x."""

    on_one: Array  # (K, n, 1), mean(dy)
    on_x: Array  # (K, n, 1), mean(dy·(x − mean))


def project(tape: Centred, dy: Array) -> Projection:
    """Both means."""
    return Projection(batch_mean(dy), batch_dot(dy, tape.x))


def _shrink(array: Array, keep: Array | None) -> None:
    if keep is not None:
        np.multiply(array, keep, out=array)
