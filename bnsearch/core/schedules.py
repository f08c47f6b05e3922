"""Learning-rate schedules as shapes of the step: η(step) = learning_rate × shape(step), every shape being at most 1.

A shape takes a step (or an array of steps, counted from 0) and returns a float64 of the same shape.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Shape = Callable[[ArrayLike], NDArray[np.float64]]


def constant() -> Shape:
    """1."""
    return lambda step: np.ones_like(np.asarray(step, dtype=np.float64))


def exponential(decay: float, steps_per_epoch: int) -> Shape:
    """decay^epoch, constant within an epoch (B17)."""
    return lambda step: np.asarray(decay ** (np.asarray(step) // steps_per_epoch), dtype=np.float64)


def cyclic(low: float, half_cycle_steps: int) -> Shape:
    """A triangle that starts at `low`, reaches 1 after half_cycle_steps and is back after as many more (Smith
    2017; N19).
    """

    def shape(step: ArrayLike) -> NDArray[np.float64]:
        phase = np.asarray(step) % (2 * half_cycle_steps) / half_cycle_steps  # 0..2
        return np.asarray(low + (1.0 - low) * (1.0 - np.abs(phase - 1.0)))

    return shape


def cosine(n_steps: int, warmup_steps: int, final: float) -> Shape:
    """Linear from 1/warmup_steps to 1, then half a cosine from 1 down to `final` at n_steps (Loshchilov & Hutter
    2017).
    """

    def shape(step: ArrayLike) -> NDArray[np.float64]:
        s = np.asarray(step, dtype=np.float64)
        rise = (s + 1.0) / max(warmup_steps, 1)
        progress = np.clip((s - warmup_steps) / max(n_steps - warmup_steps, 1), 0.0, 1.0)
        fall = final + (1.0 - final) * 0.5 * (1.0 + np.cos(np.pi * progress))
        return np.where(s < warmup_steps, rise, fall)

    return shape
