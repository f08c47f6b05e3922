"""Run the chain as far as a budget of time goes; nothing is begun that will not fit, and no number depends on it."""

import time
from dataclasses import dataclass, replace

from bnsearch.search.forecast import Forecast
from bnsearch.search.remaining import Work
from bnsearch.search.session import Session
from bnsearch.search.setups import Stage
from bnsearch.search.stages import run_stage, stages_of
from bnsearch.search.stock import check_stored


@dataclass(frozen=True)
class Outcome:
    """What a run within a budget did."""

    worked: bool
    left_out: tuple[Stage, ...]
    seconds_needed: float  # expected, of what was left out
    seconds_left: float


@dataclass
class Clock:
    """What is left of a budget, and how long the rest will take, by how long what was done has taken."""

    end: float  # as time.monotonic() counts
    expected: float = 0.0  # seconds of what was done
    spent: float = 0.0

    @property
    def left(self) -> float:
        """Seconds."""
        return self.end - time.monotonic()

    def corrected(self, seconds: float) -> float:
        """An expectation where earlier ones were too short; a second more or less says nothing."""
        return seconds * max(1.0, (self.spent + 1.0) / (self.expected + 1.0))


def run_within(session: Session, budget_seconds: float, began: float) -> Outcome:
    """Run what is missing and fits; began: when the command did, as time.monotonic() counts."""
    check_stored(session)  # before anything is measured
    clock, forecast, worked = Clock(began + budget_seconds), Forecast(session.materials, began), False

    def left(stage: Stage) -> Work:
        return next(w for w in forecast.works(forecast.stored(session.store)) if w.stage == stage)

    def needed(stage: Stage) -> float:
        return clock.corrected(forecast.seconds(left(stage)))

    for stage in stages_of(session.study):
        before, begun = left(stage), time.monotonic()

        def fits(stage: Stage = stage) -> bool:
            return needed(stage) <= clock.left

        if before.n_left and not fits():
            break
        worked = run_stage(replace(session, may_begin=fits), stage) or worked
        after = left(stage)
        if before.n_left:  # of which not all may have been begun, or a further level was due
            clock.spent += time.monotonic() - begun
            clock.expected += forecast.seconds(before) * (after.n_over - before.n_over) / before.n_left
        if after.n_left:
            break
    left_out = tuple(stage for stage in stages_of(session.study) if left(stage).n_left)
    return Outcome(worked, left_out, sum(map(needed, left_out)), clock.left)
