"""Time competitors side by side: they alternate on one core, so that a busy machine disturbs all alike."""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

Work = Callable[[], float]  # does work and returns how many units it did


@dataclass(frozen=True)
class Timing:
    """Seconds of one unit of work, a sample each round."""

    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle sample."""
        return statistics.median(self.samples)

    @property
    def minimum(self) -> float:
        """The sample that was disturbed least."""
        return min(self.samples)

    def figures(self) -> dict[str, float]:
        """For RESULTS.json, in milliseconds."""
        return {"median_ms": 1e3 * self.median, "minimum_ms": 1e3 * self.minimum}


@contextmanager
def one_core() -> Iterator[None]:
    """One core and one BLAS thread; a second thread or a move to another core would drown what is compared."""
    # the limit takes hold only of a BLAS that is loaded already
    import scipy.linalg.blas  # noqa: F401

    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if before:
        os.sched_setaffinity(0, {min(before)})
    try:
        with threadpool_limits(1):
            yield
    finally:
        if before:
            os.sched_setaffinity(0, before)


def alternate(competitors: Mapping[str, Work], n_rounds: int) -> dict[str, Timing]:
    """Call each in turn, A B C, then C B A, and so on, after one round to warm up."""
    samples: dict[str, list[float]] = {name: [] for name in competitors}
    for round_ in range(n_rounds + 1):
        for name in list(competitors)[:: -1 if round_ % 2 else 1]:
            began = time.perf_counter()
            n_units = competitors[name]()
            if round_:
                samples[name].append((time.perf_counter() - began) / n_units)
    return {name: Timing(tuple(s)) for name, s in samples.items()}


def median_ratio(a: Sequence[float], b: Sequence[float]) -> float:
    """Median over the rounds of a/b: what disturbs a whole round leaves its ratio as it is."""
    return statistics.median(x / y for x, y in zip(a, b, strict=True))
