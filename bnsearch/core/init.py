"""Initialisers of a weight matrix: `(rng, shape, fan_in, fan_out) -> array`.

The fans are given apart from the shape: on k principal components of D inputs the weights start as if the fan-in were
still D, because under batch normalisation the norm of W sets the effective learning rate.
"""

from collections.abc import Callable

import numpy as np

from bnsearch.core.tree import Array

Initializer = Callable[[np.random.Generator, tuple[int, ...], int, int], Array]


def he(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
    """W ~ N(0, 2/fan_in) (He et al. 2015, for ReLU)."""
    return rng.normal(0.0, np.sqrt(2.0 / fan_in), shape)


def xavier(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
    """W ~ N(0, 2/(fan_in + fan_out)) (Glorot & Bengio 2010)."""
    return rng.normal(0.0, np.sqrt(2.0 / (fan_in + fan_out)), shape)


def normal(sigma: float) -> Initializer:
    """W ~ N(0, sigma²), whatever the fans."""

    def init(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
        return rng.normal(0.0, sigma, shape)

    return init


def zeros(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
    """W = 0."""
    return np.zeros(shape)
