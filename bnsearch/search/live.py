"""A stage under way as it may be shown: how far it is, who leads, what is left. Pure functions of what is known.

The coordinator makes a view from the networks that it trains, a reader in another process from the database.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from bnsearch.search.halving import n_kept
from bnsearch.search.setups import LEVELS

How = Literal["complete", "pruned", "diverged", "failed"]


@dataclass(frozen=True)
class Budget:
    """What one network of a stage is given."""

    n_steps: int
    epoch_steps: int  # of its own training rows

    @property
    def n_epochs(self) -> int:
        """Evaluations; the last may be of a part of an epoch."""
        return math.ceil(self.n_steps / self.epoch_steps)


@dataclass(frozen=True)
class Going:
    """A network in training."""

    number: int
    params: Mapping[str, float]
    step: int
    curve: Sequence[float]  # its figure after each epoch so far


@dataclass(frozen=True)
class Gone:
    """A network that is over."""

    number: int
    params: Mapping[str, float]
    how: How
    step: int
    curve: Sequence[float]
    value: float | None = None  # of a complete one


@dataclass(frozen=True)
class Tally:
    """The networks that are over, counted."""

    n: int = 0
    n_pruned: int = 0
    n_diverged: int = 0
    n_failed: int = 0
    steps: int = 0
    best: Gone | None = None

    def plus(self, one: Gone) -> "Tally":
        """With one more; the first of equal values is the best."""
        better = one.value is not None and (self.best is None or one.value > (self.best.value or 0.0))
        return replace(
            self,
            n=self.n + 1,
            n_pruned=self.n_pruned + (one.how == "pruned"),
            n_diverged=self.n_diverged + (one.how == "diverged"),
            n_failed=self.n_failed + (one.how == "failed"),
            steps=self.steps + one.step,
            best=one if better else self.best,
        )


@dataclass(frozen=True)
class Course:
    """How a stage's trials go through their budget."""

    budget: Budget
    n_trials: int  # of the stage when it is finished
    rungs: tuple[int, ...] = ()  # steps of all rungs of the batch under way
    n_passed: int = 0  # of these
    keep: float = 1.0  # share of a rung's networks that go on

    @property
    def rungs_ahead(self) -> tuple[int, ...]:
        """Where networks of this batch will yet be stopped."""
        return self.rungs[self.n_passed :]


@dataclass(frozen=True)
class Leader:
    """Whose curve is shown: the best so far, or a mean where a single network means nothing."""

    name: str
    value: float  # at its last evaluation
    curve: tuple[float, ...]
    params: Mapping[str, float] | None  # None of a mean


@dataclass(frozen=True)
class View:
    """A stage under way."""

    study: str  # NAME.coarse
    n_over: int
    n_trials: int
    n_alive: int
    n_pruned: int
    n_diverged: int
    n_failed: int  # given up, for one worker after another died while it trained them
    best: float | None  # of the complete trials of a search
    leader: Leader | None
    course: Course
    epochs_done: float  # of all networks together
    epochs_left: float

    @property
    def n_epochs(self) -> int:
        """Of one network."""
        return self.course.budget.n_epochs

    @property
    def is_search(self) -> bool:
        """Is this a level of the search, where a single trial's value means something?"""
        return _is_search(self.study)


def view(study: str, course: Course, tally: Tally, going: Sequence[Going], curves: Sequence[Sequence[float]]) -> View:
    """Put together what is known of a stage.

    going: the networks in training. curves: those of all its networks, for a mean; a search needs none.
    """
    best = tally.best if _is_search(study) else None
    per_epoch = course.budget.epoch_steps
    return View(
        study=study,
        n_over=tally.n,
        n_trials=course.n_trials,
        n_alive=len(going),
        n_pruned=tally.n_pruned,
        n_diverged=tally.n_diverged,
        n_failed=tally.n_failed,
        best=None if best is None else best.value,
        leader=_best(best, going) if _is_search(study) else _mean(curves),
        course=course,
        epochs_done=(tally.steps + sum(one.step for one in going)) / per_epoch,
        epochs_left=steps_left([one.step for one in going], course, tally.n) / per_epoch,
    )


def steps_left(steps: Sequence[int], course: Course, n_over: int) -> int:
    """Steps that the networks at these steps have before them, counting that rungs stop some, and those of trials that
    are not proposed yet.
    """
    ends = [*course.rungs_ahead, course.budget.n_steps]
    left, n = sum(max(ends[0] - step, 0) for step in steps), len(steps)
    for earlier, later in pairwise(ends):
        n = n_kept(n, course.keep)
        left += n * (later - earlier)
    n_to_come = max(course.n_trials - n_over - len(steps), 0)
    return left + n_to_come * course.budget.n_steps


def _is_search(study: str) -> bool:
    return study.rpartition(".")[2] in LEVELS


def _best(best: Gone | None, going: Sequence[Going]) -> Leader | None:
    """The highest figure at the last evaluation, among complete trials and those in training."""
    found = None if best is None or best.value is None else (best.value, best)
    first = max((one for one in going if one.curve), key=lambda one: (one.curve[-1], -one.number), default=None)
    if first is not None and (found is None or first.curve[-1] > found[0]):
        return Leader(f"trial {first.number}", first.curve[-1], tuple(first.curve), first.params)
    if found is None:
        return None
    return Leader(f"trial {found[1].number}", found[0], tuple(found[1].curve), found[1].params)


def _mean(curves: Sequence[Sequence[float]]) -> Leader | None:
    """After each epoch the mean of the networks that have come so far."""
    longest = max((len(curve) for curve in curves), default=0)
    if longest == 0:
        return None
    reached = [[curve[i] for curve in curves if len(curve) > i] for i in range(longest)]
    means = tuple(sum(values) / len(values) for values in reached)
    n = len(reached[-1])
    return Leader(f"mean of {n} network{'s' * (n != 1)}", means[-1], means, None)
