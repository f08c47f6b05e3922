"""Stochastic gradient descent with momentum and L2. The one place where arrays are changed in place."""

from dataclasses import dataclass

import numpy as np

from bnsearch.core import tree
from bnsearch.core.network import Network
from bnsearch.core.tree import Array


@dataclass(frozen=True)
class Settings:
    """The hyperparameters in which lanes differ, each (K, 1, 1)."""

    l2: Array  # λ of λ Σ‖W‖²
    learning_rate: Array
    momentum: Array


def sgd_update(network: Network, velocity: Network | None, gradient: Network, settings: Settings, shape: float) -> None:
    """One step, in place: v ← ρ v + η (g + 2λW), W ← W − v; biases, γ and β without the λ term.

    η = learning_rate · shape. Without a velocity (ρ = 0 for all lanes) v is η (g + 2λW). The gradient is used up.
    """
    dtype = network.dense[0].W.dtype
    rate = (settings.learning_rate * shape).astype(dtype)
    momentum = settings.momentum.astype(dtype)
    decay = (2.0 * settings.l2).astype(dtype)
    for layer, grad in zip(network.dense, gradient.dense, strict=True):
        np.add(grad.W, decay * layer.W, out=grad.W)

    def descend(parameter: Array, g: Array, v: Array | None = None) -> Array:
        g *= rate
        if v is not None:
            v *= momentum
            v += g
            g = v
        parameter -= g
        return parameter

    if velocity is None:
        tree.map(descend, network, gradient)
    else:
        tree.map(descend, network, gradient, velocity)
