"""The training step that is compared: one network, one batch size, one setting, and the data."""

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bnsearch.data.transform import Transform

Array = NDArray[Any]
BATCH, L2, LEARNING_RATE, EPSILON, AVERAGE = 100, 0.005, 0.01, 1e-7, 0.9


@dataclass(frozen=True)
class Problem:
    """A network with batch normalisation (γ, β), trained by gradient descent with L2 on all weight matrices."""

    widths: tuple[int, ...]  # from the inputs to the classes
    momentum: float = 0.0

    @property
    def flop(self) -> int:
        """Floating-point operations of a step, products only, two to a multiply-add.

        Forward and weight gradient of each layer, input gradient of all but the first.
        """
        pairs = itertools.pairwise(self.widths)
        return 2 * BATCH * sum((2 if i == 0 else 3) * a * b for i, (a, b) in enumerate(pairs))

    def weights(self) -> list[Array]:
        """The same initial weights for all, (fan_out, fan_in) float32."""
        rng = np.random.default_rng(1)
        return [rng.normal(0.0, (2 / a) ** 0.5, (b, a)).astype(np.float32) for a, b in itertools.pairwise(self.widths)]


class Data:
    """Random images as bytes and standardised, or, on few inputs, random components; and the order of the rows."""

    def __init__(self, n_rows: int, n_inputs: int, images: bool):
        rng = np.random.default_rng(0)
        self.raw: Array | None = None
        self.transform = Transform(np.full(n_inputs, 1 / 74), np.full(n_inputs, -127.5 / 74))
        if images:
            self.raw = rng.integers(0, 256, (n_rows, n_inputs), dtype=np.uint8)
            self.X: Array = self.transform.standardize(self.raw)
        else:
            self.X = rng.standard_normal((n_rows, n_inputs), dtype=np.float32)
        self.y = rng.integers(0, 10, n_rows)
        self.order = rng.permutation(n_rows)

    def rows(self, step: int) -> Array:
        """The rows of a step's minibatch."""
        i = step % (len(self.y) // BATCH)
        return self.order[i * BATCH : (i + 1) * BATCH]

    @cached_property
    def on_jax(self) -> Any:
        """Inputs and labels as JAX's arrays, made once."""
        import jax.numpy as jnp

        return jnp.asarray(self.X), jnp.asarray(self.y)


class Trainer(Protocol):
    """One competitor: networks that go on from where they are."""

    n_lanes: int  # networks trained at once

    def train(self, n_steps: int) -> None:
        """Train for so many steps more, gathering each minibatch."""

    def weights(self) -> list[Array]:
        """Of one network, (fan_out, fan_in)."""
