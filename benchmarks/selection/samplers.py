"""Optuna's own samplers and its pruner, one trial after another."""

import warnings
from collections.abc import Callable

import optuna
from optuna.pruners import BasePruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, GPSampler, TPESampler
from optuna.trial import TrialState

from benchmarks.selection.methods import Found, Search
from benchmarks.selection.specs import RUNGS
from benchmarks.selection.table import FULL
from benchmarks.selection.world import World
from bnsearch.search.space import distributions
from bnsearch.search.trials import Trial

UNITS = [round(share / RUNGS[0]) for share in RUNGS]  # 1, 2, 4: a rung's resource for the pruner


def asked(make_sampler: Callable[[int], BaseSampler], make_pruner: Callable[[], BasePruner] = NopPruner) -> Search:
    """Ask, map to a setting, train, tell; a study's trial has the setting's own λ and η."""

    def search(world: World, budget: float) -> Found:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sampler = make_sampler(world.number * 10_000 + world.n_valid)
            study = optuna.create_study(direction="maximize", sampler=sampler, pruner=make_pruner())
            complete, dims = list[Trial](), distributions(world.table.spec.space)
            while world.cost + 1 <= budget:
                proposal = dict(world.table.spec.default)
                if world.used:
                    draft = study.ask(dims)
                    proposal = dict(draft.params)
                    study.tell(draft, state=TrialState.FAIL)  # which samplers do not look at
                number = world.begin(proposal)
                params = world.table.params(world.used[number])
                if make_pruner is NopPruner:
                    found = world.measure(number, FULL)
                    study.add_trial(optuna.create_trial(params=params, distributions=dims, value=found.value))
                    complete.append(found)
                    continue
                study.enqueue_trial(params)
                trial = study.ask(dims)
                for rung in range(FULL + 1):
                    found = world.measure(number, rung, rung - 1)
                    trial.report(found.value or 0.0, UNITS[rung])
                    if rung < FULL and trial.should_prune():
                        study.tell(trial, state=TrialState.PRUNED)
                        break
                else:
                    study.tell(trial, found.value)
                    complete.append(found)
        return Found(complete, complete)

    return search


def tpe(seed: int) -> BaseSampler:
    """Optuna's default sampler with its default arguments."""
    return TPESampler(seed=seed)


def gp(seed: int) -> BaseSampler:
    """A Gaussian process; needs PyTorch."""
    import torch

    torch.set_num_threads(1)
    return GPSampler(seed=seed)


def halves() -> BasePruner:
    """Rungs at ¼ and ½ of the budget, the better half goes on."""
    return SuccessiveHalvingPruner(min_resource=1, reduction_factor=2)


def quarter() -> BasePruner:
    """Optuna's default factor: a rung at ¼ of the budget, the best quarter goes on."""
    return SuccessiveHalvingPruner(min_resource=1, reduction_factor=4)
