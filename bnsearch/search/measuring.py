"""How fast this machine trains: a few steps of the real core in every worker at once, as in a search."""

import sys
import time
from concurrent.futures import Executor
from dataclasses import replace

import numpy as np
import optuna
import sqlalchemy as sa
from optuna.samplers import RandomSampler
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from bnsearch.core import evaluate, schedules, train
from bnsearch.core.tree import Array
from bnsearch.errors import WorkerError
from bnsearch.search.cohort import best_width
from bnsearch.search.cost import Pace
from bnsearch.search.open_trial import OpenTrial, add_running
from bnsearch.search.plan import Configuration, Plan, build_run, settings, start_state
from bnsearch.search.renewed import GONE, how_gone

STEP_SECONDS, ROW_SECONDS = 0.2, 0.1  # of measuring at each width, at least
WIDTHS = (1, 4)  # and as many lanes as a cohort may have; a step is nearly a constant and so much a lane
N_TRIALS, N_REPORTS = 5, 10


def measure_pace(plan: Plan, configuration: Configuration, executor: Executor, n_workers: int) -> Pace:
    """Means over the workers, each busy with cohorts of the same width, from one lane to the widest."""
    widest = best_width(plan.architecture, plan.with_velocity)
    widths = (*(width for width in WIDTHS if width < widest), widest)
    steps, rows = [], []
    for width in widths:
        calls = [executor.submit(pace_of, plan, configuration, width) for _ in range(n_workers)]
        try:
            found = [call.result() for call in calls]
        except GONE as error:
            raise WorkerError(
                f"Workers must train {width} networks together to be measured, but one {how_gone(error)}: see to "
                f"memory, or give fewer --workers."
            ) from error
        steps.append(sum(step for step, _ in found) / n_workers)
        rows.append(sum(row for _, row in found) / n_workers)
    return Pace(widths, tuple(steps), tuple(rows))


def pace_of(plan: Plan, configuration: Configuration, width: int) -> tuple[float, float]:
    """Seconds of a step, and of the evaluation of a row, by a cohort of so many lanes."""
    run, lanes = build_run(plan), settings((configuration,) * width)
    # as long as need be, at a constant η; evaluations are measured by themselves
    endless = replace(run, valid=_NoRows(), shape=schedules.constant(), n_steps=sys.maxsize)
    state, n, seconds = start_state(plan, width), 1, 0.0
    while seconds < STEP_SECONDS:  # the first calls take longer, and do not count
        n, began = 2 * n, time.perf_counter()
        state, _ = train.advance(state, lanes, endless, state.step + n)
        seconds = time.perf_counter() - began
    spent_rows, n_rows = 0.0, 0
    while spent_rows < ROW_SECONDS:
        began = time.perf_counter()
        with np.errstate(all="ignore"):  # they may have diverged
            evaluate.evaluate(state, lanes, run.valid, state.moments)
        spent_rows, n_rows = spent_rows + time.perf_counter() - began, n_rows + len(run.valid)
    return seconds / n, spent_rows / n_rows


class _NoRows:
    """An empty part."""

    def __len__(self) -> int:
        return 0

    def batch(self, rows: Array | slice) -> tuple[Array, Array]:
        """Nobody asks for it."""
        raise IndexError(rows)


def trial_seconds() -> float:
    """Of a trial in a database: measured on one in memory, for nobody waits for a file on the disk."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    one = {"poolclass": sa.pool.StaticPool, "connect_args": {"check_same_thread": False}}
    storage = RDBStorage("sqlite://", engine_kwargs=one)
    study = optuna.create_study(storage=storage, sampler=RandomSampler(0), direction="maximize")
    space = {"l2": optuna.distributions.FloatDistribution(0.0, 1.0)}
    for number in range(N_TRIALS):
        if number == 1:  # the first takes longer
            began = time.perf_counter()
        add_running(study, {"l2": 0.5}, space)
        trial = OpenTrial(storage, study.get_trials(deepcopy=False)[number])
        trial.report(dict.fromkeys(range(N_REPORTS), 0.5))
        trial.set_user_attrs({f"figure_{i}": 0.5 for i in range(N_REPORTS)})
        trial.tell(TrialState.COMPLETE, 0.5)
    seconds = (time.perf_counter() - began) / (N_TRIALS - 1)
    storage.remove_session()
    storage.engine.dispose()
    return seconds
