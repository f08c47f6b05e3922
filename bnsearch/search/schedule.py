"""Train cohorts through an executor, so that all workers are at work until the end."""

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field

from bnsearch.search.advance import Advance, advance
from bnsearch.search.cohort import MAX_WIDTH, Cohort, Death, Lane, LaneNews, after, after_death, halves, news, pack
from bnsearch.search.renewed import GONE, how_gone

CALL_SECONDS = 2.0  # long enough to hide a call's cost, short enough for progress


def train_lanes(
    lanes: Sequence[Lane],
    executor: Executor,
    n_workers: int,
    max_width: int = MAX_WIDTH,
    rung: int | None = None,
) -> Iterator[list[LaneNews | Death]]:
    """Train all lanes to a rung's step, or to their end (or divergence), yielding the news of each call.

    Cohorts are finished one after another, but the last few in turn, that with most left to do first, so that they
    end at about the same time; where there are fewer cohorts than workers, the largest is halved. A worker's next call
    is under way before the news of its last are yielded, so workers do not wait for the receiver.

    Lanes whose worker died go on in cohorts of half the width, one of them at a time and nothing beside it: then there
    is as much memory as there can be, and no doubt whose worker dies next. A lane that is given up has no news after
    its Death.
    """
    queue = _Queue(executor, n_workers, pack(lanes, max_width, rung))
    try:
        queue.fill()
        while queue.running:
            done, _ = wait(queue.running, return_when=FIRST_COMPLETED)
            found: list[LaneNews | Death] = []
            for future in done:
                found += queue.take(future)
            queue.fill()
            yield found
    finally:
        for future in queue.running:
            future.cancel()


@dataclass
class _Queue:
    executor: Executor
    n_workers: int
    waiting: list[Cohort]
    running: dict["Future[Advance]", Cohort] = field(default_factory=dict)

    def take(self, future: "Future[Advance]") -> Sequence[LaneNews | Death]:
        """What a call that is over brought; what is left of its lanes waits for the next."""
        cohort = self.running.pop(future)
        try:
            result = future.result()
        except GONE as error:
            death, again = after_death(cohort, how_gone(error))
            self.waiting += again
            return [death]
        rest = after(cohort, result, CALL_SECONDS)
        self.waiting += [] if rest is None else [rest]
        return news(cohort, result)

    def fill(self) -> None:
        """Give every idle worker a cohort, as far as they go."""
        while self.waiting and len(self.running) < (n_workers := self._n_workers()):
            is_near_end = len(self.waiting) + len(self.running) < 2 * n_workers
            choose = max if is_near_end else min
            suspects = [cohort for cohort in self.waiting if cohort.n_deaths]
            cohort = choose(suspects or self.waiting, key=lambda cohort: cohort.steps_left)
            self.waiting.remove(cohort)
            n_idle = n_workers - len(self.running)
            if not self.waiting and n_idle > 1 and len(cohort.numbers) > 1:
                self.waiting += halves(cohort)
                continue
            self.running[self._submitted(cohort)] = cohort

    def _n_workers(self) -> int:
        """As many as there are, but one as long as there is a cohort whose worker died."""
        return 1 if any(cohort.n_deaths for cohort in [*self.waiting, *self.running.values()]) else self.n_workers

    def _submitted(self, cohort: Cohort) -> "Future[Advance]":
        to_step = min(cohort.step + cohort.call_steps, cohort.to_step)
        at_rung = to_step == cohort.to_step < cohort.plan.n_steps
        inits = cohort.inits if cohort.state is None else ()
        return self.executor.submit(advance, cohort.plan, cohort.configurations, cohort.state, to_step, at_rung, inits)
