"""What lanes go through, and how far they are: the course of a run, and the state of K lanes between two steps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from bnsearch.core import tree
from bnsearch.core.layers import Moments
from bnsearch.core.network import Architecture, Network
from bnsearch.core.schedules import Shape
from bnsearch.core.tree import Array

Statistics = Literal["moving", "population"]


class Rows(Protocol):
    """The rows of one part (training, validation, …) of a data set."""

    def __len__(self) -> int: ...

    def batch(self, rows: Array | slice) -> tuple[Array, Array]:
        """Inputs (B, D) as C-contiguous floats and labels (B,) as integers; the next call may overwrite the inputs."""
        ...


@dataclass(frozen=True)
class Run:
    """What all lanes of a cohort go through."""

    architecture: Architecture
    shape: Shape  # η(step) = learning_rate · shape(step)
    batch_size: int
    n_steps: int
    order: Callable[[int], Array]  # epoch, from 0 -> a permutation of the training rows
    statistics: Statistics  # which moments an evaluation uses
    train: Rows
    valid: Rows  # may be empty
    with_population: bool = False  # the end brings population moments, also where an evaluation does not use them

    @property
    def steps_per_epoch(self) -> int:
        """Whole minibatches of the training rows; each epoch leaves out the remainder of its own permutation."""
        return len(self.train) // self.batch_size


@dataclass(frozen=True)
class State:
    """K lanes between two steps."""

    step: int
    network: Network
    velocity: Network | None  # None where no lane has momentum
    moments: tuple[Moments, ...]  # moving
    loss_sum: Array  # (K,) float64, Σ cross-entropy of the epoch so far
    n_correct: Array  # (K,) int64


def start(network: Network, with_velocity: bool) -> State:
    """The state before the first step."""
    k, dtype = network.n_lanes, network.dense[0].W.dtype
    widths = [dense.b.shape[-2] for dense in network.dense[:-1]] if network.norms else []
    moments = tuple(Moments(np.zeros((k, n, 1), dtype), np.ones((k, n, 1), dtype)) for n in widths)
    velocity = tree.map(np.zeros_like, network) if with_velocity else None
    return State(0, network, velocity, moments, np.zeros(k), np.zeros(k, np.int64))
