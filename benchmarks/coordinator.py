"""What the coordinator and the storage take of N19's whole protocol."""

import time
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

from benchmarks import protocol
from benchmarks.section import Options, Table
from bnsearch.search.advance import Advance
from bnsearch.search.executor import local_executor
from bnsearch.search.materials import cache_folder
from bnsearch.search.session import Session
from bnsearch.search.stages import run_stage

CAPTION = """**Coordinator and storage** in N19's protocol (half cycles of {n} steps), two workers, components 0.99,
data ready; each stage from its first proposal to its last result. Coordinator: processor time of its process over the
wall time. Waiting: the workers' time without a training, before the first one (they start then) and from there to the
end (between two calls, and after a worker's last)."""


class Watched(Executor):
    """Workers whose training time is added up."""

    def __init__(self) -> None:
        self.inner = local_executor(protocol.N_WORKERS)
        self.busy_seconds, self.first_began = 0.0, float("inf")

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As the workers do."""
        future = self.inner.submit(fn, *args, **kwargs)
        future.add_done_callback(self._count)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As the workers do."""
        self.inner.shutdown(wait, cancel_futures=cancel_futures)

    def _count(self, future: Future[Any]) -> None:
        if not future.cancelled() and isinstance(future.result(), Advance):
            seconds = future.result().seconds
            self.busy_seconds += seconds
            self.first_began = min(self.first_began, time.perf_counter() - seconds)


def measure(options: Options, folder: Path) -> tuple[Table, object]:
    """The stages one after another, each in a session of its own, as with three commands."""
    half_cycle_steps = protocol.HALF_CYCLE_STEPS // (10 if options.quick else 1)
    own = protocol.protocol(folder, half_cycle_steps, protocol.COMPONENTS)
    protocol.prepare(own.study(), cache_folder(), options.data_dir)
    figures, more = {}, []
    for stage in ("coarse", "fine", "final"):
        watched = Watched()
        with protocol.opened(own.study(*more), options.data_dir, executor=lambda watched=watched: watched) as session:
            figures[stage] = watch(session, watched, stage)
            if stage == "fine":
                best = session.store.load("fine").best_params
                more = [f"final.setting.l2={best['l2']!r}"]
    figures["all"] = {key: sum(figures[stage][key] for stage in figures) for key in figures["coarse"]}
    rows = []
    for stage, found in figures.items():
        cores = protocol.N_WORKERS * found["wall_seconds"]
        shares = [found["coordinator_seconds"] / found["wall_seconds"], found["start_seconds"] / cores]
        shares.append((cores - found["busy_seconds"] - found["start_seconds"]) / cores)
        rows.append((stage, f"{found['wall_seconds']:.1f}", *(f"{100 * share:.1f} %" for share in shares)))
    header = ("", "wall s", "coordinator", "waiting at the start", "waiting later")
    return Table(header, rows, CAPTION.format(n=half_cycle_steps)), figures


def watch(session: Session, watched: Watched, stage: Any) -> dict[str, float]:
    """Seconds of one stage."""
    began, used = time.perf_counter(), time.process_time()
    run_stage(session, stage)
    return {
        "wall_seconds": time.perf_counter() - began,
        "coordinator_seconds": time.process_time() - used,
        "busy_seconds": watched.busy_seconds,
        "start_seconds": protocol.N_WORKERS * (watched.first_began - began),
    }
