"""Training of K lanes in lockstep: `advance(state, …, to_step) -> state, records`, a pure function of its arguments.

A state is complete: training may stop after any step, be stored, lose or gain lanes and go on, to the same numbers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from bnsearch.core import tree
from bnsearch.core.layers import Moments
from bnsearch.core.losses import cross_entropy, cross_entropy_grad, hits, lane_sum, squared_norm
from bnsearch.core.network import Architecture, Network, apply, forward, work_for
from bnsearch.core.optim import Settings, sgd_step
from bnsearch.core.schedules import Shape
from bnsearch.core.tree import Array

Statistics = Literal["moving", "population"]
EVALUATION_ROWS = 1000  # constant, so that an evaluation never depends on the memory at hand


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


@dataclass(frozen=True)
class Record:
    """One evaluation. Training figures are means over the epoch's minibatches, each seen before its update."""

    epoch: int  # 1 after the first; the last may be a part of one
    step: int
    learning_rate: Array  # (K,) of the last step, as are all below
    train_loss: Array
    train_cost: Array
    train_accuracy: Array
    valid_loss: Array | None
    valid_cost: Array | None
    valid_accuracy: Array | None


@dataclass(frozen=True)
class Outcome:
    """The lanes measured exactly after their last step, with the moments that `statistics` names."""

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


def start(network: Network, with_velocity: bool) -> State:
    """The state before the first step."""
    k, dtype = network.n_lanes, network.dense[0].W.dtype
    widths = [dense.b.shape[-2] for dense in network.dense[:-1]] if network.norms else []
    moments = tuple(Moments(np.zeros((k, n, 1), dtype), np.ones((k, n, 1), dtype)) for n in widths)
    velocity = tree.map(np.zeros_like, network) if with_velocity else None
    return State(0, network, velocity, moments, np.zeros(k), np.zeros(k, np.int64))


def advance(state: State, settings: Settings, run: Run, to_step: int) -> tuple[State, list[Record]]:
    """Train up to to_step (at most run.n_steps) and evaluate at each epoch's end and after the last step.

    The given state stays as it was. Overflow and NaN are results like others; the caller looks at the records.
    """
    network, velocity, moments = tree.copy(state.network), tree.copy(state.velocity), tree.copy(state.moments)
    loss_sum, n_correct = state.loss_sum, state.n_correct
    records, per_epoch, order = [], run.steps_per_epoch, None
    last = min(to_step, run.n_steps)
    shapes = run.shape(np.arange(state.step, max(last, state.step)))
    work = work_for(network, run.batch_size)
    with np.errstate(all="ignore"):
        for step in range(state.step, last):
            epoch, i = divmod(step, per_epoch)
            if order is None or i == 0:
                order = run.order(epoch)
            x, labels = run.train.batch(order[i * run.batch_size : (i + 1) * run.batch_size])
            logits, tape = forward(network, x, work)
            n_correct = n_correct + hits(logits, labels).sum(axis=-1)
            losses, probabilities = cross_entropy(logits, labels)
            loss_sum = loss_sum + lane_sum(losses)
            d = cross_entropy_grad(probabilities, labels)
            sgd_step(network, velocity, tape, d, settings, float(shapes[step - state.step]), work)
            follow(moments, tape.moments, run.architecture.bn_average if step else 0.0)
            if i + 1 == per_epoch or step + 1 == run.n_steps:
                now = State(step + 1, network, velocity, moments, loss_sum, n_correct)
                records.append(record(now, settings, run))
                loss_sum, n_correct = np.zeros_like(loss_sum), np.zeros_like(n_correct)
    return State(max(state.step, last), network, velocity, moments, loss_sum, n_correct), records


def follow(average: tuple[Moments, ...], batch: tuple[Moments, ...], alpha: float) -> None:
    """average ← α·average + (1 − α)·batch, in place; α = 0 at the first step starts it from the first batch."""
    for mine, new in zip(average, batch, strict=True):
        for a, b in ((mine.mean, new.mean), (mine.var, new.var)):
            np.multiply(a, alpha, out=a)
            np.add(a, b * (1.0 - alpha), out=a)


def record(state: State, settings: Settings, run: Run) -> Record:
    """The figures at an epoch's end (or the last step), from a state that still holds the epoch's sums."""
    epoch, rest = divmod(state.step, run.steps_per_epoch)
    n_seen = (rest or run.steps_per_epoch) * run.batch_size
    train_loss = state.loss_sum / n_seen
    rate = (settings.learning_rate * float(run.shape(state.step - 1)))[:, 0, 0]
    valid = evaluate(state, settings, run.valid, evaluation_moments(state, run)) if len(run.valid) else None
    return Record(
        epoch=epoch + (rest > 0),
        step=state.step,
        learning_rate=rate,
        train_loss=train_loss,
        train_cost=train_loss + penalty(state.network, settings),
        train_accuracy=state.n_correct / n_seen,
        valid_loss=None if valid is None else valid.loss,
        valid_cost=None if valid is None else valid.cost,
        valid_accuracy=None if valid is None else valid.accuracy,
    )


def measure(state: State, settings: Settings, run: Run) -> Outcome:
    """One exact pass over the training and the validation part."""
    with np.errstate(all="ignore"):
        moments = evaluation_moments(state, run)
        train = evaluate(state, settings, run.train, moments)
        valid = evaluate(state, settings, run.valid, moments) if len(run.valid) else None
    return Outcome(
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
