"""Pack lanes into cohorts and advance them through an executor.

Packing never changes a lane's numbers, only the time they take.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace

import numpy as np

from bnsearch.core import tree
from bnsearch.core.train import Outcome, Record, State
from bnsearch.errors import WorkerError
from bnsearch.search.advance import Advance, advance
from bnsearch.search.plan import Configuration, Plan

CALL_SECONDS = 2.0  # long enough to hide a call's cost, short enough for progress
FIRST_CALL_STEPS = 20
MAX_WIDTH = 20


@dataclass(frozen=True)
class Lane:
    """One network to train: a trial's number, its configuration and, when it goes on, its state (K = 1)."""

    number: int
    plan: Plan
    configuration: Configuration
    state: State | None = None

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
    call_steps: int = FIRST_CALL_STEPS

    @property
    def step(self) -> int:
        """Steps done by each lane."""
        return self.state.step if self.state else 0


@dataclass(frozen=True)
class LaneNews:
    """What one call brought for one lane."""

    number: int
    state: State  # K = 1
    records: list[Record]  # K = 1 each
    outcome: Outcome | None  # K = 1, after the last step
    diverged_at: int | None  # the step of the first record that is not finite; the lane's end
    seconds: float  # the lane's share of the call's wall time


@dataclass
class _Queue:
    waiting: deque[Cohort]
    running: dict["Future[Advance]", Cohort] = field(default_factory=dict)


def pack(lanes: Sequence[Lane], n_workers: int, max_width: int = MAX_WIDTH) -> list[Cohort]:
    """Cohorts of lanes that share plan and step, as even as the workers allow, at most max_width wide."""
    groups: dict[tuple[Plan, int], list[Lane]] = {}
    for lane in lanes:
        groups.setdefault((lane.plan, lane.step), []).append(lane)
    cohorts = []
    for (plan, _), group in groups.items():
        # with many groups each is a unit of work of its own; a single one is shared out among the workers
        n_parts = max(-(-len(group) // max_width), min(n_workers, len(group)) if len(groups) == 1 else 1)
        for chunk in np.array_split(np.arange(len(group)), n_parts):
            members = [group[i] for i in chunk]
            states = [lane.state for lane in members if lane.state is not None]
            state = tree.concatenate(states) if states else None
            cohorts.append(
                Cohort(plan, tuple(m.number for m in members), tuple(m.configuration for m in members), state)
            )
    return cohorts


def train_lanes(
    lanes: Sequence[Lane], executor: Executor, n_workers: int, max_width: int = MAX_WIDTH
) -> Iterator[list[LaneNews]]:
    """Train all lanes to their end (or divergence), yielding the news of each call.

    A cohort's next call is under way before its news are yielded, so workers do not wait for the receiver.
    """
    queue = _Queue(deque(pack(lanes, n_workers, max_width)))
    try:
        while queue.waiting or queue.running:
            while queue.waiting and len(queue.running) < n_workers:
                _submit(queue, queue.waiting.popleft(), executor)
            done, _ = wait(queue.running, return_when=FIRST_COMPLETED)
            news = []
            for future in done:
                cohort = queue.running.pop(future)
                result = future.result()
                news.append(_news(cohort, result))
                rest = _go_on(cohort, result)
                if rest is not None:
                    _submit(queue, rest, executor)
            yield from news
    except BrokenProcessPool as error:
        raise WorkerError(
            "A worker process died; run the same command again to go on where the study stands."
        ) from error
    finally:
        for future in queue.running:
            future.cancel()


def _submit(queue: _Queue, cohort: Cohort, executor: Executor) -> None:
    to_step = min(cohort.step + cohort.call_steps, cohort.plan.n_steps)
    future = executor.submit(advance, cohort.plan, cohort.configurations, cohort.state, to_step)
    queue.running[future] = cohort


def _go_on(cohort: Cohort, result: Advance) -> Cohort | None:
    """The cohort without lanes that diverged, or None when none is left to train."""
    if result.outcome is not None:
        return None
    alive = np.flatnonzero(~_diverged(result.records, len(cohort.numbers)))
    if not len(alive):
        return None
    steps = result.state.step - cohort.step
    call_steps = int(np.clip(steps * CALL_SECONDS / max(result.seconds, 1e-9), 1, 10 * steps))
    if len(alive) == len(cohort.numbers):
        return replace(cohort, state=result.state, call_steps=call_steps)
    return Cohort(
        cohort.plan,
        tuple(cohort.numbers[i] for i in alive),
        tuple(cohort.configurations[i] for i in alive),
        tree.take(result.state, alive),
        call_steps,
    )


def _news(cohort: Cohort, result: Advance) -> list[LaneNews]:
    n_lanes = len(cohort.numbers)
    diverged = _diverged(result.records, n_lanes)
    news = []
    for i, number in enumerate(cohort.numbers):
        records = [tree.take(record, [i]) for record in result.records]
        at = next((record.step for record in records if _not_finite(record)[0]), None) if diverged[i] else None
        outcome = None if result.outcome is None or diverged[i] else tree.take(result.outcome, [i])
        news.append(LaneNews(number, tree.take(result.state, [i]), records, outcome, at, result.seconds / n_lanes))
    return news


def _diverged(records: list[Record], n_lanes: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    bad = np.zeros(n_lanes, dtype=bool)
    for record in records:
        bad |= _not_finite(record)
    return bad


def _not_finite(record: Record) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    bad = ~np.isfinite(record.train_cost)
    return bad if record.valid_cost is None else bad | ~np.isfinite(record.valid_cost)
