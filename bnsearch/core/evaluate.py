"""Lanes measured on whole parts of the data, with moving moments or with exact ones; this changes nothing for their
training.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bnsearch.core import tree
from bnsearch.core.layers import Dense, Moments, relu
from bnsearch.core.losses import cross_entropy, hits, lane_sum, squared_norm
from bnsearch.core.network import Network, apply, work_for
from bnsearch.core.optim import Settings
from bnsearch.core.run import Rows, Run, State
from bnsearch.core.tree import Array

EVALUATION_ROWS = 1000  # constant, so that an evaluation never depends on the memory at hand
KEPT_BYTES = 128_000_000  # at most, of what a layer gives for all rows


@dataclass(frozen=True)
class Outcome:
    """The lanes measured exactly after their last step; all figures with the moments that `statistics` names."""

    train_loss: Array  # (K,)
    train_cost: Array
    train_accuracy: Array
    valid_loss: Array | None
    valid_cost: Array | None
    valid_accuracy: Array | None
    valid_correct: Array | None  # (K, n_valid) booleans
    population: tuple[Moments, ...] | None  # exact moments of the training part, where `statistics` or the run asks


@dataclass(frozen=True)
class Evaluation:
    """Of one part of the data."""

    loss: Array  # (K,) mean cross-entropy
    cost: Array  # (K,) loss + λ Σ‖W‖²
    accuracy: Array  # (K,)
    correct: Array  # (K, n) booleans


def measure(state: State, settings: Settings, run: Run) -> Outcome:
    """Both parts measured by the very network that the last step left."""
    with np.errstate(all="ignore"):
        moments = evaluation_moments(state, run)
        train = evaluate(state, settings, run.train, moments)
        valid = evaluate(state, settings, run.valid, moments) if len(run.valid) else None
        population = moments if run.statistics == "population" else None
        if population is None and run.with_population:
            population = population_moments(state.network, run.train)
    return Outcome(
        train_loss=train.loss,
        train_cost=train.cost,
        train_accuracy=train.accuracy,
        valid_loss=None if valid is None else valid.loss,
        valid_cost=None if valid is None else valid.cost,
        valid_accuracy=None if valid is None else valid.accuracy,
        valid_correct=None if valid is None else valid.correct,
        population=population,
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

    Layer l is measured with the layers below it normalised by their own population moments. What a layer gives for all
    rows is kept for the one above, for as many lanes at a time as KEPT_BYTES have room for. Where they have none for a
    single lane, each layer begins anew with the rows.
    """
    below = network.dense[: max(len(network.norms) - 1, 0)]  # what the last one gives is for nobody above
    lane_bytes = max((dense.b.shape[1] for dense in below), default=0) * len(rows) * network.dense[0].b.itemsize
    if not 0 < lane_bytes <= KEPT_BYTES:
        return _population_moments(network, rows, is_kept=False)
    n_lanes, found = KEPT_BYTES // lane_bytes, []
    for low in range(0, network.n_lanes, n_lanes):
        some = tree.take(network, slice(low, low + n_lanes))
        found.append(_population_moments(some, rows, is_kept=True))
    return tree.concatenate(found)


def _population_moments(network: Network, rows: Rows, is_kept: bool) -> tuple[Moments, ...]:
    found, kept = list[Moments](), list[Array]()
    for i in range(len(network.norms)):
        weighed, below = (_drain(kept), i - 1) if kept else (_first(network.dense[0], rows), 0)
        for j in range(below, i):
            weighed = _above(network, j, weighed, found[j])
        if is_kept and i + 1 < len(network.norms):
            kept = list(weighed)
            weighed = iter(kept)
        found.append(_moments(weighed, network.dense[i].b, len(rows)))
    return tuple(found)


def _first(dense: Dense, rows: Rows) -> Iterator[Array]:
    """W x of the first layer, of each chunk of rows."""
    return (dense.weigh(x, _room(dense, len(x))) for x, _ in chunks(rows))


def _above(network: Network, i: int, weighed: Iterator[Array], moments: Moments) -> Iterator[Array]:
    """W x of the layer above layer i, of each chunk, from that of layer i, which is overwritten."""
    dense, above = network.dense[i], network.dense[i + 1]
    for z in weighed:
        yield above.weigh(relu(network.norms[i].apply(z, dense.b, moments)), _room(above, z.shape[-1]))


def _drain(arrays: list[Array]) -> Iterator[Array]:
    """One after another, each the last time that it is there."""
    arrays.reverse()
    while arrays:
        yield arrays.pop()


def _room(dense: Dense, n_rows: int) -> Array:
    """For what a layer gives for n_rows rows."""
    return np.empty((*dense.b.shape[:2], n_rows), dense.b.dtype)


def _moments(weighed: Iterator[Array], b: Array, n_rows: int) -> Moments:
    """Of W x + b, from W x of all rows."""
    total = squares = np.zeros(b.shape)
    for chunk in weighed:
        z, ones = (chunk + b).astype(np.float64), np.ones((chunk.shape[-1], 1))
        total, squares = total + z @ ones, squares + (z * z) @ ones
    mean = total / n_rows
    return Moments(mean.astype(b.dtype), np.maximum(squares / n_rows - mean * mean, 0.0).astype(b.dtype))


def penalty(network: Network, settings: Settings) -> Array:
    """λ Σ‖W‖², (K,)."""
    return settings.l2[:, 0, 0] * squared_norm(network.dense)


def chunks(rows: Rows) -> Iterator[tuple[Array, Array]]:
    """The rows in order, EVALUATION_ROWS at a time."""
    for low in range(0, len(rows), EVALUATION_ROWS):
        yield rows.batch(slice(low, min(low + EVALUATION_ROWS, len(rows))))
