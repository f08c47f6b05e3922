"""Every derivative by backpropagation and by a numeric way: complex step (exact to rounding), central or forward
differences.

Both sides take the moments of the batch, so they differentiate the same function; all lanes are checked at once. Only
whoever hands moments to the numeric side holds them fixed there, and so differentiates another function.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np

from bnsearch.core import tree
from bnsearch.core.layers import Keep, Moments
from bnsearch.core.losses import cross_entropy, cross_entropy_grad
from bnsearch.core.network import Network, backward, cost, forward, work_for
from bnsearch.core.tree import Array

Method = Literal["complex", "central", "forward"]
COMPLEX_STEP = 1e-100  # the error of a complex step is h², far below rounding
REAL_STEP = 1e-6
MANY_COPIES = 64  # more are no faster
MANY_NUMBERS = 1 << 20  # in all copies together: 16 MB of complex ones


def analytic_gradient(network: Network, x: Array, labels: Array, l2: Array) -> Network:
    """∂J/∂θ by backpropagation, the L2 term included; l2 is (K,)."""
    gradient, work = tree.map(np.zeros_like, network), work_for(network, len(x))
    logits, tape = forward(network, x, work)
    d = cross_entropy_grad(cross_entropy(logits, labels)[1], labels)
    backward(network, tape, d, gradient, Keep(), work)
    for layer, grad in zip(network.dense, gradient.dense, strict=True):
        grad.W[...] += 2.0 * l2[:, None, None] * layer.W
    return gradient


def batch_moments(network: Network, x: Array) -> tuple[Moments, ...]:
    """Of every normalised unit: what moving moments begin with when x is their first batch."""
    return forward(network, x, work_for(network, len(x)))[1].moments


def numeric_gradient(
    network: Network,
    x: Array,
    labels: Array,
    l2: Array,
    method: Method = "complex",
    frozen: tuple[Moments, ...] | None = None,
) -> Network:
    """∂J/∂θ one entry at a time, the same entry in every lane at once.

    complex: Im J(θ + ih)/h; central: (J(θ+h) − J(θ−h))/2h; forward: (J(θ+h) − J(θ))/h.

    One after another, small networks would leave the machine idle. So there are many copies of all lanes, lanes
    themselves, and in each of them another entry is changed. frozen: moments that stay as they are whatever the
    entry, in place of the batch's own.
    """
    if method == "complex":
        network = tree.map(lambda a: a.astype(np.complex128), network)
    arrays = [array.reshape(network.n_lanes, -1) for _, array in tree.leaves(network)]
    entries = [(i, entry) for i, array in enumerate(arrays) for entry in range(array.shape[1])]
    n_copies = min(MANY_COPIES, len(entries), max(1, MANY_NUMBERS // sum(array.size for array in arrays)))
    many, many_l2 = _copies(network, n_copies), np.tile(l2, n_copies)
    many_frozen = None if frozen is None else _copies(frozen, n_copies)
    views = [array.reshape(n_copies, network.n_lanes, -1) for _, array in tree.leaves(many)]
    derivatives = [np.empty(array.shape) for array in arrays]

    for low in range(0, len(entries), n_copies):
        chunk = entries[low : low + n_copies]

        def nudge(h: complex, chunk: list[tuple[int, int]] = chunk) -> Array:
            for copy, (i, entry) in enumerate(chunk):
                views[i][copy, :, entry] = arrays[i][:, entry] + h
            return cost(many, x, labels, many_l2, many_frozen).reshape(n_copies, -1)

        for copy, (slope, (i, entry)) in enumerate(zip(_difference(nudge, method), chunk, strict=False)):
            derivatives[i][:, entry] = slope
            views[i][copy, :, entry] = arrays[i][:, entry]
    found = iter(derivatives)
    return tree.map(lambda array: next(found).reshape(array.shape), network)


def _difference(cost_at: Callable[[complex], Array], method: Method) -> Array:
    if method == "complex":
        return cost_at(1j * COMPLEX_STEP).imag / COMPLEX_STEP
    if method == "forward":
        return (cost_at(REAL_STEP) - cost_at(0.0)) / REAL_STEP
    return (cost_at(REAL_STEP) - cost_at(-REAL_STEP)) / (2.0 * REAL_STEP)


def _copies(of: tree.T, n: int) -> tree.T:
    return tree.map(lambda array: np.tile(array, (n, 1, 1)), of)
