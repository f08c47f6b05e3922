"""Lanes packed into cohorts, cohorts taken apart again; this never changes a number, only the time it takes."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bnsearch.core import tree
from bnsearch.core.evaluate import Evaluation, Outcome
from bnsearch.core.network import Architecture
from bnsearch.core.run import State
from bnsearch.core.train import Record
from bnsearch.search.advance import Advance
from bnsearch.search.plan import Configuration, Init, Plan

FIRST_CALL_STEPS = 1  # nobody knows how long one takes; each further call may have ten times as many
MAX_WIDTH = 20  # more lanes gain nothing
CACHE_BYTES = 14_000_000  # of weights and velocities that a step goes through; see benchmarks/RESULTS.md, "Widths"
MAX_DEATHS = 3  # of workers that trained one and the same lane, without a step in between


@dataclass(frozen=True)
class Lane:
    """One network to train: a trial's number, its configuration and, when it goes on, its state (K = 1)."""

    number: int
    plan: Plan
    configuration: Configuration
    state: State | None = None
    init: Init | None = None  # its own initialiser; None: the plan's

    @property
    def step(self) -> int:
        """Steps done."""
        return self.state.step if self.state else 0


@dataclass(frozen=True)
class Cohort:
    """Lanes of one plan and one step, trained in one call."""

    plan: Plan
    numbers: tuple[int, ...]
    configurations: tuple[Configuration, ...]
    state: State | None
    to_step: int  # where its course ends: a rung, or the end of the run
    call_steps: int = FIRST_CALL_STEPS
    n_deaths: int = 0  # of workers that trained it, one after another
    inits: tuple[Init, ...] = ()  # of each lane; none: all have the plan's

    @property
    def step(self) -> int:
        """Steps done by each lane."""
        return self.state.step if self.state else 0

    @property
    def steps_left(self) -> int:
        """Of all lanes together."""
        return (self.to_step - self.step) * len(self.numbers)


@dataclass(frozen=True)
class LaneNews:
    """What one call brought for one lane."""

    number: int
    state: State  # K = 1
    records: list[Record]  # K = 1 each
    outcome: Outcome | None  # K = 1, after the last step
    at_rung: Evaluation | None  # K = 1, of the validation rows, where the lane has come to a rung
    diverged_at: int | None  # the first step at which a figure is not finite; the lane's end
    seconds: float  # the lane's share of the call's wall time


@dataclass(frozen=True)
class Death:
    """A call that did not come back, for its worker is gone or had no memory."""

    numbers: tuple[int, ...]  # its lanes
    step: int  # from which they are trained again, if they are
    reason: str  # what happened to the worker
    again: tuple[int, ...]  # widths of the cohorts in which they are; none where they are given up

    def __str__(self) -> str:
        """For people: which trials, why, and what is done about it."""
        n = len(self.numbers)
        whom = f"{n} trials ({', '.join(map(str, self.numbers))})" if n > 1 else f"trial {self.numbers[0]}"
        then = f"They go on from step {self.step}, in halves, one of them at a time."
        if n == 1:
            then = (
                f"It goes on from step {self.step}."
                if self.again
                else f"It has lost {MAX_DEATHS} workers: no more of it."
            )
        return f"A worker {self.reason}, while it trained {whom}. {then}"


def best_width(architecture: Architecture, with_velocity: bool) -> int:
    """Lanes of this size that a core trains fastest together."""
    n_weights = sum(a * b for a, b in itertools.pairwise(architecture.widths))
    lane_bytes = 4 * n_weights * (2 if with_velocity else 1)
    return int(np.clip(CACHE_BYTES // lane_bytes, 2, MAX_WIDTH))


def pack(lanes: Sequence[Lane], max_width: int = MAX_WIDTH, rung: int | None = None) -> list[Cohort]:
    """Cohorts of lanes that share plan and step, as even as they go, none wider than is good.

    rung: the step at which they stop; None: the end of the run.
    """
    groups: dict[tuple[Plan, int], list[Lane]] = {}
    for lane in lanes:
        groups.setdefault((lane.plan, lane.step), []).append(lane)
    cohorts = []
    for (plan, _), group in groups.items():
        width = min(max_width, best_width(plan.architecture, plan.with_velocity))
        for chunk in np.array_split(np.arange(len(group)), -(-len(group) // width)):
            members = [group[i] for i in chunk]
            states = [lane.state for lane in members if lane.state is not None]
            state = tree.concatenate(states) if states else None
            numbers, configurations = tuple(m.number for m in members), tuple(m.configuration for m in members)
            to_step = plan.n_steps if rung is None else rung
            cohorts.append(Cohort(plan, numbers, configurations, state, to_step, inits=_own_inits(members)))
    return cohorts


def _own_inits(lanes: Sequence[Lane]) -> tuple[Init, ...]:
    """Each lane's initialiser; none where all have the plan's."""
    if all(lane.init is None for lane in lanes):
        return ()
    return tuple(lane.plan.init if lane.init is None else lane.init for lane in lanes)


def take(cohort: Cohort, lanes: Sequence[int]) -> Cohort:
    """Some lanes of a cohort, by their places in it."""
    return replace(
        cohort,
        numbers=tuple(cohort.numbers[i] for i in lanes),
        configurations=tuple(cohort.configurations[i] for i in lanes),
        state=None if cohort.state is None else tree.take(cohort.state, list(lanes)),
        inits=tuple(cohort.inits[i] for i in lanes) if cohort.inits else (),
    )


def halves(cohort: Cohort) -> tuple[Cohort, Cohort]:
    """A cohort of at least two lanes in two."""
    n = len(cohort.numbers)
    return take(cohort, range(n // 2)), take(cohort, range(n // 2, n))


def after_death(cohort: Cohort, reason: str) -> tuple[Death, list[Cohort]]:
    """What is to be said and done where a call did not come back: half as many lanes at a time; a single lane again,
    but not for ever.
    """
    n_deaths = cohort.n_deaths + 1
    if len(cohort.numbers) > 1:
        again = [replace(half, n_deaths=1) for half in halves(cohort)]
    else:
        again = [replace(cohort, n_deaths=n_deaths)] if n_deaths < MAX_DEATHS else []
    return Death(cohort.numbers, cohort.step, reason, tuple(len(c.numbers) for c in again)), again


def after(cohort: Cohort, result: Advance, call_seconds: float) -> Cohort | None:
    """What is left to train after a call: the cohort without lanes that diverged, or None."""
    if result.state.step >= cohort.to_step:
        return None
    alive = np.flatnonzero(~_diverged(result, len(cohort.numbers))).tolist()
    if not alive:
        return None
    steps = result.state.step - cohort.step
    call_steps = int(np.clip(steps * call_seconds / max(result.seconds, 1e-9), 1, 10 * steps))
    rest = replace(cohort, state=result.state, call_steps=call_steps, n_deaths=0)
    return rest if len(alive) == len(cohort.numbers) else take(rest, alive)


def news(cohort: Cohort, result: Advance) -> list[LaneNews]:
    """What a call brought, lane by lane."""
    n_lanes = len(cohort.numbers)
    diverged = _diverged(result, n_lanes)
    found = []
    for i, number in enumerate(cohort.numbers):
        records = [tree.take(record, [i]) for record in result.records]
        steps = (record.step for record in records if _not_finite(record)[0])
        at = next(steps, result.state.step) if diverged[i] else None
        if at is not None:  # how far the call went on after that depends on the clock
            records = [record for record in records if record.step <= at]
        outcome = None if result.outcome is None or diverged[i] else tree.take(result.outcome, [i])
        at_rung = None if result.at_rung is None or diverged[i] else tree.take(result.at_rung, [i])
        state = tree.take(result.state, [i])
        found.append(LaneNews(number, state, records, outcome, at_rung, at, result.seconds / n_lanes))
    return found


def _diverged(result: Advance, n_lanes: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    bad = np.zeros(n_lanes, dtype=bool)
    for record in result.records:
        bad |= _not_finite(record)
    if result.outcome is not None:  # an exact pass sees rows that the last minibatches did not
        bad |= ~np.isfinite(result.outcome.train_cost)
    return bad if result.at_rung is None else bad | ~np.isfinite(result.at_rung.cost)


def _not_finite(record: Record) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    bad = ~np.isfinite(record.train_cost)
    return bad if record.valid_cost is None else bad | ~np.isfinite(record.valid_cost)
