"""Lanes measured on whole parts of the data, with moving moments or with exact ones; this changes nothing for their
training.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bnsearch.core.layers import Moments
from bnsearch.core.losses import cross_entropy, hits, lane_sum, squared_norm
from bnsearch.core.network import Network, apply, work_for
from bnsearch.core.optim import Settings
from bnsearch.core.run import Rows, Run, State
from bnsearch.core.tree import Array

EVALUATION_ROWS = 1000  # constant, so that an evaluation never depends on the memory at hand


@dataclass(frozen=True)
class Outcome:
    """The lanes measured exactly after their last step."""

    moments: tuple[Moments, ...]  # with which they were measured: those that `statistics` names
    train_loss: Array  # (K,)
    train_cost: Array
    train_accuracy: Array
    valid_loss: Array | None
    valid_cost: Array | None
    valid_accuracy: Array | None
    valid_correct: Array | None  # (K, n_valid) booleans


@dataclass(frozen=True)
class Evaluation:
    """Of one part of the data."""

    loss: Array  # (K,) mean cross-entropy
    cost: Array  # (K,) loss + λ Σ‖W‖²
    accuracy: Array  # (K,)
    correct: Array  # (K, n) booleans


def measure(state: State, settings: Settings, run: Run) -> Outcome:
    """One exact pass over the training and the validation part."""
    with np.errstate(all="ignore"):
        moments = evaluation_moments(state, run)
        train = evaluate(state, settings, run.train, moments)
        valid = evaluate(state, settings, run.valid, moments) if len(run.valid) else None
    return Outcome(
        moments=moments,
        train_loss=train.loss,
        train_cost=train.cost,
        train_accuracy=train.accuracy,
        valid_loss=None if valid is None else valid.loss,
        valid_cost=None if valid is None else valid.cost,
        valid_accuracy=None if valid is None else valid.accuracy,
        valid_correct=None if valid is None else valid.correct,
    )


def evaluate_valid(state: State, settings: Settings, run: Run) -> Evaluation:
    """The validation part alone, at any step; it changes nothing for the steps that follow."""
    with np.errstate(all="ignore"):
        return evaluate(state, settings, run.valid, evaluation_moments(state, run))


def evaluate(state: State, settings: Settings, rows: Rows, moments: tuple[Moments, ...]) -> Evaluation:
    """Loss and accuracy on all rows, in chunks of EVALUATION_ROWS."""
    loss, work = np.zeros(state.network.n_lanes), None
    correct = []
    for x, labels in chunks(rows):
        work = work_for(state.network, len(x)) if work is None or len(x) < EVALUATION_ROWS else work
        logits = apply(state.network, x, moments, work)
        correct.append(hits(logits, labels))
        loss = loss + lane_sum(cross_entropy(logits, labels)[0])
    loss = loss / len(rows)
    all_correct = np.concatenate(correct, axis=1)
    return Evaluation(loss, loss + penalty(state.network, settings), all_correct.mean(axis=1), all_correct)


def evaluation_moments(state: State, run: Run) -> tuple[Moments, ...]:
    """The moving moments, or those of the whole training part."""
    return state.moments if run.statistics == "moving" else population_moments(state.network, run.train)


def population_moments(network: Network, rows: Rows) -> tuple[Moments, ...]:
    """Exact mean and biased variance of every normalised unit over all rows, layer by layer.

    Layer l is measured with the layers below it normalised by their own population moments, so it takes one pass a
    layer.
    """
    dtype, found = network.dense[0].W.dtype, list[Moments]()
    for layer in range(len(network.norms)):
        # a network that ends with this layer: its logits are what is to be normalised
        first = Network(network.dense[: layer + 1], network.norms[:layer])
        total = squares = np.zeros(0)
        for i, (x, _) in enumerate(chunks(rows)):
            z = apply(first, x, tuple(found), work_for(first, len(x))).astype(np.float64)
            ones = np.ones((len(x), 1))
            total, squares = (z @ ones, (z * z) @ ones) if i == 0 else (total + z @ ones, squares + (z * z) @ ones)
        mean = total / len(rows)
        found.append(Moments(mean.astype(dtype), np.maximum(squares / len(rows) - mean * mean, 0.0).astype(dtype)))
    return tuple(found)


def penalty(network: Network, settings: Settings) -> Array:
    """λ Σ‖W‖², (K,)."""
    return settings.l2[:, 0, 0] * squared_norm(network.dense)


def chunks(rows: Rows) -> Iterator[tuple[Array, Array]]:
    """The rows in order, EVALUATION_ROWS at a time."""
    for low in range(0, len(rows), EVALUATION_ROWS):
        yield rows.batch(slice(low, min(low + EVALUATION_ROWS, len(rows))))
