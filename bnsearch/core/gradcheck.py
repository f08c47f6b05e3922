"""Every derivative checked against a numeric one: complex step (exact to rounding), or central or forward differences.

Both sides take the moments of the batch, so they differentiate the same function; all lanes are checked at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bnsearch.core import tree
from bnsearch.core.layers import Keep
from bnsearch.core.losses import cross_entropy, cross_entropy_grad
from bnsearch.core.network import Network, backward, cost, forward, work_for
from bnsearch.core.tree import Array

Method = Literal["complex", "central", "forward"]
COMPLEX_STEP = 1e-100  # the error of a complex step is h², far below rounding
REAL_STEP = 1e-6


@dataclass(frozen=True)
class Check:
    """One parameter array compared, (K,) each."""

    parameter: str  # "dense.0.W"
    scale: Array  # max|g| over the array
    absolute: Array  # max|Δ|
    relative: Array  # max|Δ| / max|g|
    elementwise: Array  # max over entries with |g| ≥ 1e-2·max|g| of |Δ|/|g|


def analytic_gradient(network: Network, x: Array, labels: Array, l2: Array) -> Network:
    """∂J/∂θ by backpropagation, the L2 term included; l2 is (K,)."""
    gradient, work = tree.map(np.zeros_like, network), work_for(network, len(x))
    logits, tape = forward(network, x, work)
    d = cross_entropy_grad(cross_entropy(logits, labels)[1], labels)
    backward(network, tape, d, gradient, Keep(), work)
    for layer, grad in zip(network.dense, gradient.dense, strict=True):
        grad.W[...] += 2.0 * l2[:, None, None] * layer.W
    return gradient


def numeric_gradient(network: Network, x: Array, labels: Array, l2: Array, method: Method = "complex") -> Network:
    """∂J/∂θ one entry at a time, the same entry in every lane at once.

    complex: Im J(θ + ih)/h; central: (J(θ+h) − J(θ−h))/2h; forward: (J(θ+h) − J(θ))/h.
    """
    if method == "complex":
        network = tree.map(lambda a: a.astype(np.complex128), network)
    work = tree.copy(network)
    base = cost(work, x, labels, l2) if method == "forward" else None

    def difference(nudge: Callable[[complex], Array]) -> Array:
        if method == "complex":
            return nudge(1j * COMPLEX_STEP).imag / COMPLEX_STEP
        if base is not None:
            return (nudge(REAL_STEP) - base) / REAL_STEP
        return (nudge(REAL_STEP) - nudge(-REAL_STEP)) / (2.0 * REAL_STEP)

    def differentiate(parameter: Array) -> Array:
        derivative = np.zeros(parameter.shape)
        for index in np.ndindex(parameter.shape[1:]):
            at = (slice(None), *index)
            before = parameter[at].copy()

            def nudge(h: complex, at: tuple[slice | int, ...] = at, before: Array = before) -> Array:
                parameter[at] = before + h
                value = cost(work, x, labels, l2)
                parameter[at] = before
                return value

            derivative[at] = difference(nudge)
        return derivative

    return tree.map(differentiate, work)


def compare(analytic: Network, numeric: Network) -> list[Check]:
    """The differences of two gradients, one row for each parameter array."""
    return [_compare(name, a, n) for (name, a), (_, n) in zip(tree.leaves(analytic), tree.leaves(numeric), strict=True)]


def _compare(name: str, analytic: Array, numeric: Array) -> Check:
    a, n = (g.reshape(len(g), -1) for g in (analytic, numeric))
    scale, delta = np.abs(n).max(axis=1), np.abs(a - n)
    large = np.abs(n) >= 1e-2 * scale[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = delta.max(axis=1) / scale
        elementwise = np.where(large, delta / np.abs(n), 0.0).max(axis=1)
    return Check(name, scale, delta.max(axis=1), relative, elementwise)
