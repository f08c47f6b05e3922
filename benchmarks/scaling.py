"""The coarse stage with one worker process and with two."""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks import protocol
from benchmarks.section import Options, Section, Table
from benchmarks.timing import median_ratio
from bnsearch.search.materials import cache_folder
from bnsearch.search.stages import run_stage

TEXT = """Seconds of N19's coarse stage (10 trials) with shortened cycles, from the first proposal to the last result,
the start of the workers included; data already prepared; one worker and two in turn. The ratio is the median of the
rounds' own ratios."""


def measure(options: Options) -> Section:
    """Full input and components."""
    half_cycle_steps = protocol.HALF_CYCLE_STEPS // (20 if options.quick else 2)
    rows, figures = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for name, components in (("full input", None), ("components 0.99", protocol.COMPONENTS)):
            print(f"  {name} ...", file=sys.stderr)

            def study_in(where: str, components: float | None = components) -> protocol.Study:
                return protocol.protocol(Path(folder) / where, half_cycle_steps, components).study()

            protocol.prepare(study_in("preparation"), cache_folder(), options.data_dir)
            one, two = alternating(study_in, name, options)
            ratio = median_ratio(one, two)
            times = [f"{value:.1f}" for value in (median(one), min(one), median(two), min(two))]
            rows.append((name, *times, f"{ratio:.2f}"))
            figures[name] = {"one_worker_seconds": one, "two_workers_seconds": two, "ratio": ratio}
    header = ("seconds", "one worker", "minimum", "two workers", "minimum", "one / two")
    caption = f"2 cycles with half cycles of {half_cycle_steps} steps"
    return Section("Two workers", TEXT, [Table(header, rows, caption)], figures)


def alternating(
    study_in: Callable[[str], protocol.Study], name: str, options: Options
) -> tuple[list[float], list[float]]:
    """Wall times with one worker and with two, a fresh study each."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for round_ in range(options.rounds(5)):
        for n_workers in (2, 1) if round_ % 2 else (1, 2):
            study = study_in(f"{name} {round_} {n_workers}")
            with protocol.opened(study, options.data_dir, n_workers) as session:
                began = time.perf_counter()
                run_stage(session, "coarse")
                seconds[n_workers].append(time.perf_counter() - began)
    return seconds[1], seconds[2]
