"""What the tests of the core share: rows in memory, settings from plain numbers, equality bit for bit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bnsearch.core import tree
from bnsearch.core.init import he
from bnsearch.core.network import Architecture, Network, initial_network
from bnsearch.core.optim import Settings
from bnsearch.core.run import Run
from bnsearch.core.schedules import Shape, constant


@dataclass(frozen=True)
class ArrayRows:
    """The rows of two arrays."""

    x: np.ndarray  # (n, D)
    labels: np.ndarray  # (n,)

    def __len__(self) -> int:
        return len(self.x)

    def batch(self, rows: np.ndarray | slice) -> tuple[np.ndarray, np.ndarray]:
        return self.x[rows], self.labels[rows]


def random_rows(
    n_rows: int, n_inputs: int, n_classes: int, seed: int = 0, dtype: type = np.float64, offset: float = 0.0
) -> ArrayRows:
    """Normal inputs around the offset, labels without any relation to them."""
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(n_rows, n_inputs)) + offset).astype(dtype)
    return ArrayRows(x, rng.integers(0, n_classes, n_rows))


def shuffled(n_rows: int, seed: int = 0) -> Callable[[int], np.ndarray]:
    """A permutation for each epoch."""
    return lambda epoch: np.random.default_rng([seed, epoch]).permutation(n_rows)


def make_settings(l2: Sequence[float], learning_rate: Sequence[float], momentum: Sequence[float]) -> Settings:
    """One value a lane."""
    return Settings(*(np.array(values, dtype=np.float64).reshape(-1, 1, 1) for values in (l2, learning_rate, momentum)))


def make_network(
    hidden: tuple[int, ...], n_lanes: int, kind: str = "affine", seed: int = 0, n_inputs: int = 10, n_classes: int = 10
) -> Network:
    """Float64 lanes of different parameters, all of them (biases, γ and β too) away from their usual beginning."""
    rng = np.random.default_rng(seed)
    architecture = Architecture(n_inputs, hidden, n_classes, batch_norm=kind)
    network = initial_network(architecture, he, rng, n_lanes, np.float64)
    return tree.map(lambda a: a + rng.normal(scale=0.1, size=a.shape), network)


def make_run(train: ArrayRows, valid: ArrayRows, architecture: Architecture, **changes: Any) -> Run:
    """A run of 20 steps of 10 rows at a constant rate, with changes."""
    defaults: dict[str, Any] = {"batch_size": 10, "n_steps": 20, "order": shuffled(len(train)), "statistics": "moving"}
    shape: Shape = changes.pop("shape", constant())
    return Run(architecture=architecture, shape=shape, train=train, valid=valid, **(defaults | changes))


def assert_identical(one: Any, other: Any) -> None:
    """Every array of two trees has the same type, shape and values; NaN equals NaN."""
    named, others = dict(tree.leaves(one)), dict(tree.leaves(other))
    assert named.keys() == others.keys()
    for path, a in named.items():
        b = others[path]
        assert a.dtype == b.dtype, path
        assert np.array_equal(a, b, equal_nan=True), f"{path} differs by up to {np.nanmax(np.abs(a * 1.0 - b * 1.0))}"
