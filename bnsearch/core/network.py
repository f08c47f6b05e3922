"""The network INPUT -> [dense -> batch norm -> ReLU] × hidden layers -> dense -> softmax, and its gradient.

The gradient of a Network is a Network: the same dataclass with ∂cost/∂θ in the place of each parameter θ.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bnsearch.core.init import Initializer
from bnsearch.core.layers import BatchNorm, Centred, Dense, Keep, Moments, project, relu, relu_grad_input
from bnsearch.core.losses import cross_entropy, lane_sum, squared_norm
from bnsearch.core.tree import Array

BatchNormKind = Literal["affine", "plain", "none"]


@dataclass(frozen=True)
class Architecture:
    """What all lanes of a cohort have in common."""

    n_inputs: int
    hidden: tuple[int, ...]
    n_classes: int
    batch_norm: BatchNormKind = "affine"  # plain: no γ and β
    bn_epsilon: float = 1e-7
    bn_average: float = 0.9  # α of moving ← α·moving + (1 − α)·batch
    init_fan_in: int | None = None  # of the first layer, when the inputs are components of more dimensions

    @property
    def widths(self) -> tuple[int, ...]:
        """Units from the inputs to the classes."""
        return (self.n_inputs, *self.hidden, self.n_classes)


@dataclass(frozen=True)
class Network:
    """Parameters of K networks of one architecture."""

    dense: tuple[Dense, ...]  # one more than hidden layers
    norms: tuple[BatchNorm, ...]  # one for each hidden layer, or none

    @property
    def n_lanes(self) -> int:
        """K."""
        return len(self.dense[0].W)


@dataclass(frozen=True)
class Tape:
    """The inputs of each dense layer and each normalisation's leftovers, for the way back."""

    inputs: tuple[Array, ...]  # (B, D), then (K, n, B) after each ReLU
    centred: tuple[Centred, ...]
    moments: tuple[Moments, ...]  # of the batch


@dataclass(frozen=True)
class Work:
    """Room for one batch on its way through a network and back, so that no step asks the system for memory."""

    weighed: tuple[Array, ...]  # (K, n, B) of each dense layer
    outputs: tuple[Array, ...]  # (K, n, B) of each hidden layer
    back: tuple[tuple[Array, Array], ...]  # a derivative and scratch of each hidden layer; neighbours share nothing


def work_for(network: Network, n_rows: int) -> Work:
    """Room for n_rows samples."""
    k, dtype = network.n_lanes, network.dense[0].W.dtype
    widths = [dense.W.shape[1] for dense in network.dense]
    size = k * n_rows * max(widths[:-1], default=0)
    pools = [np.empty(size, dtype) for _ in range(3)]  # derivatives of odd and even layers, scratch of all

    def view(pool: int, n: int) -> Array:
        return pools[pool][: k * n * n_rows].reshape(k, n, n_rows)

    return Work(
        weighed=tuple(np.empty((k, n, n_rows), dtype) for n in widths),
        outputs=tuple(np.empty((k, n, n_rows), dtype) for n in widths[:-1]),
        back=tuple((view(i % 2, n), view(2, n)) for i, n in enumerate(widths[:-1])),
    )


def initial_network(
    architecture: Architecture, init: Initializer, rng: np.random.Generator, n_lanes: int, dtype: type
) -> Network:
    """K equal networks: weights drawn once from rng, biases 0, γ = 1, β = 0."""
    widths = architecture.widths

    def dense(i: int) -> Dense:
        fan_in = architecture.init_fan_in or widths[0] if i == 0 else widths[i]
        W: Array = init(rng, (widths[i + 1], widths[i]), fan_in, widths[i + 1]).astype(dtype)
        return Dense(np.repeat(W[None], n_lanes, axis=0), np.zeros((n_lanes, widths[i + 1], 1), dtype))

    def norm(n: int) -> BatchNorm:
        affine = architecture.batch_norm == "affine"
        gamma: Array | None = np.ones((n_lanes, n, 1), dtype) if affine else None
        return BatchNorm(gamma, np.zeros((n_lanes, n, 1), dtype) if affine else None, architecture.bn_epsilon)

    norms = () if architecture.batch_norm == "none" else tuple(norm(n) for n in architecture.hidden)
    return Network(tuple(dense(i) for i in range(len(widths) - 1)), norms)


def forward(network: Network, x: Array, work: Work) -> tuple[Array, Tape]:
    """Logits (K, n_classes, B) and the tape of a batch x (B, D), by the moments of the batch itself."""
    inputs, centred, used = [x], [], []
    for i, dense in enumerate(network.dense[:-1]):
        z = dense.weigh(inputs[-1], work.weighed[i])
        if network.norms:
            y, tape, moments = network.norms[i].forward(z, dense.b, work.outputs[i])
            centred.append(tape)
            used.append(moments)
        else:
            y = np.add(z, dense.b, out=work.outputs[i])
        inputs.append(relu(y))
    last = network.dense[-1]
    return last.weigh(inputs[-1], work.weighed[-1]) + last.b, Tape(tuple(inputs), tuple(centred), tuple(used))


def apply(network: Network, x: Array, moments: tuple[Moments, ...], work: Work) -> Array:
    """Logits (K, n_classes, B) of a batch x (B, D) by given moments, one for each hidden layer with a norm."""
    for i, dense in enumerate(network.dense[:-1]):
        z = dense.weigh(x, work.weighed[i])
        x = relu(network.norms[i].apply(z, dense.b, moments[i]) if network.norms else np.add(z, dense.b, out=z))
    return network.dense[-1].weigh(x, work.weighed[-1]) + network.dense[-1].b


def backward(network: Network, tape: Tape, d: Array, into: Network, keep: Keep, work: Work) -> None:
    """Add ∂(Σ d·logits)/∂θ to the arrays of `into`, θ ← keep·θ + ∂/∂θ; d (K, n_classes, B).

    `into` may be the network itself: a layer's parameters are changed after their last use.
    """
    for i in reversed(range(len(network.dense))):
        below = network.dense[i].grad_input(d, work.back[i - 1][0]) if i else None
        into.dense[i].add_grad(tape.inputs[i], d, keep)
        if below is None:
            return
        scratch = work.back[i - 1][1]
        d = relu_grad_input(tape.inputs[i], below, scratch)
        if network.norms:
            norm, centred = network.norms[i - 1], tape.centred[i - 1]
            projection = project(centred, d)
            d = norm.grad_input(centred, d, projection, scratch)
            into.norms[i - 1].add_grad(centred, projection, keep)


def cost(network: Network, x: Array, labels: Array, l2: Array, moments: tuple[Moments, ...] | None = None) -> Array:
    """J = mean cross-entropy + λ Σ‖W‖² of each lane, (K,); by the batch's own moments, or by those that are given.

    l2 is (K,).
    """
    work = work_for(network, len(x))
    logits = forward(network, x, work)[0] if moments is None else apply(network, x, moments, work)
    losses, _ = cross_entropy(logits, labels)
    total: Array = lane_sum(losses) / len(labels) + l2 * squared_norm(network.dense)
    return total
