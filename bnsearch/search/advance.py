"""What a worker does: train a cohort of lanes from one step to another. A pure function of its arguments."""

import time
from dataclasses import dataclass

from bnsearch.core import evaluate, train
from bnsearch.core.evaluate import Evaluation, Outcome
from bnsearch.core.run import State
from bnsearch.core.train import Record
from bnsearch.search.plan import Configuration, Init, Plan, build_run, settings, start_state


@dataclass(frozen=True)
class Advance:
    """A cohort's next state and what was seen on the way."""

    state: State
    records: list[Record]
    outcome: Outcome | None  # after the last step
    at_rung: Evaluation | None  # of the validation rows, where one was asked for
    seconds: float  # wall time in the worker


def advance(
    plan: Plan,
    configurations: tuple[Configuration, ...],
    state: State | None,
    to_step: int,
    at_rung: bool = False,
    inits: tuple[Init, ...] = (),
) -> Advance:
    """Lanes (None: at step 0) trained up to to_step, and measured exactly where the run ends there.

    at_rung: to_step is a rung, so that the lanes are evaluated there, be it an epoch's end or not.
    inits: each lane's own initialiser; none: all have the plan's.
    """
    began = time.perf_counter()
    run, lanes = build_run(plan), settings(configurations)
    if state is None:
        state = start_state(plan, len(configurations), inits)
    state, records = train.advance(state, lanes, run, to_step)
    outcome = evaluate.measure(state, lanes, run) if state.step >= run.n_steps else None
    valid = evaluate.evaluate_valid(state, lanes, run) if at_rung else None
    return Advance(state, records, outcome, valid, time.perf_counter() - began)
