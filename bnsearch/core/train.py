"""Training of K lanes in lockstep: `advance(state, …, to_step) -> state, records`, a pure function of its arguments.

A state is complete: training may stop after any step, be stored, lose or gain lanes and go on, to the same numbers.
"""

from dataclasses import dataclass

import numpy as np

from bnsearch.core import tree
from bnsearch.core.evaluate import evaluate, evaluation_moments, penalty
from bnsearch.core.layers import Moments
from bnsearch.core.losses import cross_entropy, cross_entropy_grad, hits, lane_sum
from bnsearch.core.network import forward, work_for
from bnsearch.core.optim import Settings, sgd_step
from bnsearch.core.run import Run, State
from bnsearch.core.tree import Array


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
