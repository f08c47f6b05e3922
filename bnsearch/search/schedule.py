"""Train cohorts through an executor, so that all workers are at work until the end."""

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field

from bnsearch.errors import WorkerError
from bnsearch.search.advance import Advance, advance
from bnsearch.search.cohort import MAX_WIDTH, Cohort, Lane, LaneNews, after, halves, news, pack

CALL_SECONDS = 2.0  # long enough to hide a call's cost, short enough for progress


def train_lanes(
    lanes: Sequence[Lane],
    executor: Executor,
    n_workers: int,
    max_width: int = MAX_WIDTH,
    rung: int | None = None,
) -> Iterator[list[LaneNews]]:
    """Train all lanes to a rung's step, or to their end (or divergence), yielding the news of each call.

    Cohorts are finished one after another, but the last few in turn, that with most left to do first, so that they
    end at about the same time; where there are fewer cohorts than workers, the largest is halved. A worker's next call
    is under way before the news of its last are yielded, so workers do not wait for the receiver.
    """
    queue = _Queue(executor, n_workers, pack(lanes, max_width, rung))
    try:
        queue.fill()
        while queue.running:
            done, _ = wait(queue.running, return_when=FIRST_COMPLETED)
            results = [(queue.running.pop(future), future.result()) for future in done]
            rests = [after(cohort, result, CALL_SECONDS) for cohort, result in results]
            queue.waiting += [rest for rest in rests if rest is not None]
            queue.fill()
            yield [item for cohort, result in results for item in news(cohort, result)]
    except BrokenProcessPool as error:
        raise WorkerError(
            "A worker process died; run the same command again to go on where the study stands."
        ) from error
    finally:
        for future in queue.running:
            future.cancel()


@dataclass
class _Queue:
    executor: Executor
    n_workers: int
    waiting: list[Cohort]
    running: dict["Future[Advance]", Cohort] = field(default_factory=dict)

    def fill(self) -> None:
        """Give every idle worker a cohort, as far as they go."""
        while self.waiting and len(self.running) < self.n_workers:
            is_near_end = len(self.waiting) + len(self.running) < 2 * self.n_workers
            choose = max if is_near_end else min
            cohort = choose(self.waiting, key=lambda cohort: cohort.steps_left)
            self.waiting.remove(cohort)
            n_idle = self.n_workers - len(self.running)
            if not self.waiting and n_idle > 1 and len(cohort.numbers) > 1:
                self.waiting += halves(cohort)
                continue
            self.running[self._submitted(cohort)] = cohort

    def _submitted(self, cohort: Cohort) -> "Future[Advance]":
        to_step = min(cohort.step + cohort.call_steps, cohort.to_step)
        at_rung = to_step == cohort.to_step < cohort.plan.n_steps
        return self.executor.submit(advance, cohort.plan, cohort.configurations, cohort.state, to_step, at_rung)
