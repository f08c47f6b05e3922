"""The network INPUT -> [dense -> batch norm -> ReLU] × hidden layers -> dense -> softmax, and its gradient.

The gradient of a Network is a Network: the same dataclass with ∂cost/∂θ in the place of each parameter θ.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bnsearch.core.init import Initializer
from bnsearch.core.layers import BatchNorm, Dense, Moments, Normalized, relu, relu_grad_input
from bnsearch.core.losses import cross_entropy, cross_entropy_grad, hits, lane_sum, squared_norm
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

    inputs: tuple[Array, ...]  # (B, D), then (K, B, n) after each ReLU
    normalized: tuple[Normalized, ...]
    moments: tuple[Moments, ...]


@dataclass(frozen=True)
class Gradient:
    """One minibatch seen by all lanes."""

    network: Network  # ∂(mean loss)/∂θ; the L2 term is the optimiser's
    loss_sum: Array  # (K,) float64, Σ cross-entropy over the batch
    n_correct: Array  # (K,) int64
    moments: tuple[Moments, ...]  # of this batch


def initial_network(
    architecture: Architecture, init: Initializer, rng: np.random.Generator, n_lanes: int, dtype: type
) -> Network:
    """K equal networks: weights drawn once from rng, biases 0, γ = 1, β = 0."""
    widths = architecture.widths

    def dense(i: int) -> Dense:
        fan_in = architecture.init_fan_in or widths[0] if i == 0 else widths[i]
        W: Array = init(rng, (widths[i], widths[i + 1]), fan_in, widths[i + 1]).astype(dtype)
        return Dense(np.repeat(W[None], n_lanes, axis=0), np.zeros((n_lanes, 1, widths[i + 1]), dtype))

    def norm(n: int) -> BatchNorm:
        affine = architecture.batch_norm == "affine"
        gamma: Array | None = np.ones((n_lanes, 1, n), dtype) if affine else None
        return BatchNorm(gamma, np.zeros((n_lanes, 1, n), dtype) if affine else None, architecture.bn_epsilon)

    norms = () if architecture.batch_norm == "none" else tuple(norm(n) for n in architecture.hidden)
    return Network(tuple(dense(i) for i in range(len(widths) - 1)), norms)


def forward(network: Network, x: Array, moments: tuple[Moments, ...] | None = None) -> tuple[Array, Tape]:
    """Logits (K, B, n_classes) and the tape of a batch x (B, D); moments of the batch itself unless moments are
    given.
    """
    inputs, normalized, used = [x], [], []
    for i, dense in enumerate(network.dense[:-1]):
        z = dense.forward(inputs[-1])
        if network.norms:
            z, tape, batch = network.norms[i].forward(z, None if moments is None else moments[i])
            normalized.append(tape)
            used.append(batch)
        inputs.append(relu(z))
    return network.dense[-1].forward(inputs[-1]), Tape(tuple(inputs), tuple(normalized), tuple(used))


def cost(network: Network, x: Array, labels: Array, l2: Array, moments: tuple[Moments, ...] | None = None) -> Array:
    """J = mean cross-entropy + λ Σ‖W‖² of each lane, (K,); l2 is (K,)."""
    losses, _ = cross_entropy(forward(network, x, moments)[0], labels)
    total: Array = lane_sum(losses) / len(labels) + l2 * squared_norm(network.dense)
    return total


def gradient(network: Network, x: Array, labels: Array) -> Gradient:
    """Backpropagation of the mean cross-entropy of a batch x (B, D), labels (B,), through the batch's own moments."""
    logits, tape = forward(network, x)
    losses, probabilities = cross_entropy(logits, labels)
    n_correct = hits(logits, labels).sum(axis=-1)
    d = cross_entropy_grad(probabilities, labels)
    dense, norms = [network.dense[-1].grad(tape.inputs[-1], d)], []
    for i in reversed(range(len(network.dense) - 1)):
        d = relu_grad_input(tape.inputs[i + 1], network.dense[i + 1].grad_input(d))
        if network.norms:
            norms.append(network.norms[i].grad(tape.normalized[i], d))
            d = network.norms[i].grad_input(tape.normalized[i], d)
        dense.append(network.dense[i].grad(tape.inputs[i], d))
    return Gradient(Network(tuple(dense[::-1]), tuple(norms[::-1])), lane_sum(losses), n_correct, tape.moments)
