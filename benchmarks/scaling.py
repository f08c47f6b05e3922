"""The coarse stage with one worker process and with two."""

import itertools
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

TEXT = """Seconds of N19's coarse stage with shortened cycles, from the first proposal to the last result, the start of
the workers included; data already prepared; one worker and two in turn. The ratio is the median of the rounds' own
ratios. Of 10 trials each of two workers has a cohort of 5, which costs more a lane than one of 10; of 40 trials both
have cohorts of 20 (19 on the full input), as one worker has."""
N_TRIALS = (10, 40)


def measure(options: Options) -> Section:
    """Full input and components."""
    rows, figures = [], {}
    with tempfile.TemporaryDirectory() as folder:
        inputs = (("full input", None), ("components 0.99", protocol.COMPONENTS))
        for (kind, components), n_trials in itertools.product(inputs, N_TRIALS):
            name, half_cycle_steps = f"{kind}, {n_trials} trials", steps_of(n_trials, options)
            print(f"  {name} ...", file=sys.stderr)

            def study_in(
                where: str, components: float | None = components, steps: int = half_cycle_steps, n: int = n_trials
            ) -> protocol.Study:
                own = protocol.protocol(Path(folder) / where, steps, components)
                return own.study(f"coarse.trials={n}", "coarse.rungs=[]")

            protocol.prepare(study_in("preparation"), cache_folder(), options.data_dir)
            one, two = alternating(study_in, name, options)
            ratio = median_ratio(one, two)
            times = [f"{value:.1f}" for value in (median(one), min(one), median(two), min(two))]
            rows.append((name, *times, f"{ratio:.2f}"))
            figures[name] = {"one_worker_seconds": one, "two_workers_seconds": two, "ratio": ratio}
    header = ("seconds", "one worker", "minimum", "two workers", "minimum", "one / two")
    steps = " and ".join(f"{steps_of(n, options)} ({n} trials)" for n in N_TRIALS)
    caption = f"2 cycles with half cycles of {steps} steps"
    return Section("Two workers", TEXT, [Table(header, rows, caption)], figures)


def steps_of(n_trials: int, options: Options) -> int:
    """Of a half cycle, so that all take about as long."""
    return protocol.HALF_CYCLE_STEPS * 10 // n_trials // (20 if options.quick else 1)


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
