"""Stochastic gradient descent with momentum and L2. The one place where a network is changed."""

from dataclasses import dataclass

import numpy as np

from bnsearch.core import blas
from bnsearch.core.layers import Keep
from bnsearch.core.network import Network, Tape, Work, backward
from bnsearch.core.tree import Array


@dataclass(frozen=True)
class Settings:
    """The hyperparameters in which lanes differ, each (K, 1, 1)."""

    l2: Array  # λ of λ Σ‖W‖²
    learning_rate: Array
    momentum: Array


def sgd_step(
    network: Network, velocity: Network | None, tape: Tape, d: Array, settings: Settings, shape: float, work: Work
) -> None:
    """One step, in place: v ← ρ v + η (g + 2λW), θ ← θ − v; biases, γ and β without the λ term.

    d = ∂L/∂logits of the batch on the tape (K, n_classes, B), which is used up; η = learning_rate · shape. Without a
    velocity (ρ = 0 for all lanes) the gradient is never written down: W ← (1 − 2ηλ) W − η ∂L/∂W.
    """
    rate = settings.learning_rate * shape
    decay = 2.0 * rate * settings.l2
    dtype = d.dtype
    if velocity is None:
        d *= (-rate).astype(dtype)
        backward(network, tape, d, network, Keep(weights=(1.0 - decay).astype(dtype)), work)
        return
    momentum = settings.momentum.astype(dtype)
    d *= rate.astype(dtype)
    backward(network, tape, d, velocity, Keep(momentum, momentum), work)
    decay = decay.astype(dtype)
    for layer, v in zip(network.dense, velocity.dense, strict=True):
        blas.descend(layer.W, v.W, decay)
        np.subtract(layer.b, v.b, out=layer.b)
    for norm, change in zip(network.norms, velocity.norms, strict=True):
        for parameter, v_ in ((norm.gamma, change.gamma), (norm.beta, change.beta)):
            if parameter is not None and v_ is not None:
                np.subtract(parameter, v_, out=parameter)
