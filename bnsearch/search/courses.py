"""How far the trials of a study are, from what the database has of them."""

from collections.abc import Sequence

import optuna
from optuna.trial import FrozenTrial, TrialState

from bnsearch.search.batches import batches_in
from bnsearch.search.live import Budget, Course, Going, Gone, Tally, View, view
from bnsearch.search.rungs import rungs_of
from bnsearch.search.tables import KEEP
from bnsearch.search.trials import counts

BUDGET = "budget"  # attribute of a study: what each of its networks is given


def store_budget(study: optuna.Study, budget: Budget) -> None:
    """For readers, who have no data to count."""
    if study.user_attrs.get(BUDGET) != vars(budget):
        study.set_user_attr(BUDGET, vars(budget))


def tally(trials: Sequence[FrozenTrial], budget: Budget) -> Tally:
    """Of those that are over."""
    over = [trial for trial in trials if counts(trial)]
    complete = [trial for trial in over if trial.state == TrialState.COMPLETE]
    best = max(complete, key=lambda trial: (trial.value or 0.0, -trial.number), default=None)
    return Tally(
        n=len(over),
        n_pruned=sum(trial.state == TrialState.PRUNED for trial in over),
        n_diverged=sum("diverged" in trial.user_attrs for trial in over),
        n_failed=sum("failed" in trial.user_attrs for trial in over),
        steps=sum(_steps(trial, budget) for trial in over),
        best=None
        if best is None
        else Gone(best.number, best.params, "complete", budget.n_steps, curve(best), best.value),
    )


def curve(trial: FrozenTrial) -> tuple[float, ...]:
    """What was reported after each epoch."""
    return tuple(value for _, value in sorted(trial.intermediate_values.items()))


def view_of(study: optuna.Study) -> View | None:
    """The stage as it stands in the database; None where it has not come to training yet."""
    attrs = study.user_attrs
    trials = study.get_trials(deepcopy=False)
    running = [trial for trial in trials if trial.state == TrialState.RUNNING]
    if BUDGET not in attrs:
        return None
    budget = Budget(**attrs[BUDGET])
    batch = next(iter(batches_in(attrs)[-1:]), None)
    rungs = rungs_of(batch)
    # who goes on from a rung is told its rank there
    passed = (sum(f"{rung.key}_rank" in trial.user_attrs for rung in rungs) for trial in running)
    n_passed = min(passed, default=len(rungs))
    course = Course(
        budget,
        n_trials=int(attrs.get("total", len(trials))),
        rungs=tuple(rung.step for rung in rungs),
        n_passed=n_passed,
        keep=float(attrs.get("task", {}).get("keep") or KEEP),
    )
    going = [_going(trial, budget) for trial in running]
    return view(study.study_name, course, tally(trials, budget), going, [curve(trial) for trial in trials])


def _going(trial: FrozenTrial, budget: Budget) -> Going:
    """A trial in training: as far as its last report."""
    step = min(max(trial.intermediate_values, default=0) * budget.epoch_steps, budget.n_steps)
    return Going(trial.number, trial.params, step, curve(trial))


def _steps(trial: FrozenTrial, budget: Budget) -> int:
    """Steps that a trial was trained for before it was over."""
    ends = (trial.user_attrs.get(key) for key in ("pruned_at_step", "diverged_step", "failed_step"))
    return next((int(step) for step in ends if step is not None), budget.n_steps)
