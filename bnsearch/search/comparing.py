"""Compare: variants × repeats, each repeat with its own weights and order, shared by all variants, on the same rows."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState

from bnsearch.core.evaluate import Outcome
from bnsearch.core.run import State, Statistics
from bnsearch.data.prepare import DataReference
from bnsearch.errors import UsageError
from bnsearch.model import save_model
from bnsearch.search.beside import disk_errors, remove_state
from bnsearch.search.cohort import Lane
from bnsearch.search.exporting import folded
from bnsearch.search.levels import is_finished
from bnsearch.search.looking import STATISTICS
from bnsearch.search.open_trial import OpenTrial, add_running
from bnsearch.search.plan import Configuration, Plan
from bnsearch.search.running import run_running
from bnsearch.search.session import Session
from bnsearch.search.setups import COMPARE, Setup
from bnsearch.search.study_file import Study
from bnsearch.search.tables import DataTable, NetworkTable
from bnsearch.search.unchanged import check_unchanged
from bnsearch.search.variants import Comparison, Variant


def comparison_of(study: Study) -> Comparison:
    """What the study file compares; refused where that is nothing."""
    if study.comparison is None:
        raise UsageError(
            f"{study.called} must have a section [compare] with what is varied, such as vary.network.batch_norm = "
            f'["none", "affine"], but has none: add one to {study.file}.'
        )
    return study.comparison


def run_compare(session: Session) -> bool:
    """Bring the comparison to its number of repeats; False where there was nothing to do."""
    comparison = comparison_of(session.study)
    study, variants = _ensure(session, comparison), comparison.variants
    n_repeats = max(comparison.repeats, int(study.user_attrs.get("total", 0)) // len(variants))
    trials, total = study.get_trials(deepcopy=False), n_repeats * len(variants)
    if is_finished(study) and len(trials) >= total:
        return False
    study.set_user_attr("total", total)
    space = {key: CategoricalDistribution(choices) for key, choices in comparison.choices.items()}
    for number in range(len(trials), total):
        repeat, i = divmod(number, len(variants))
        add_running(study, variants[i].params, space, variant=i, repeat=repeat + 1)
    lanes = _Lanes(session, comparison)
    entered = {t.number: t for t in study.get_trials(deepcopy=False)}
    run_running(session, study, lanes, finish=partial(_finish, session, study, entered, lanes))
    return True


def _ensure(session: Session, comparison: Comparison) -> optuna.Study:
    task = task_of_comparison(comparison)
    study = session.store.load(COMPARE)
    if study is not None:
        check_unchanged(session, study, COMPARE, task)
        return study
    variants = [{"label": variant.label, "keys": dict(variant.keys)} for variant in comparison.variants]
    return session.store.create(COMPARE, session.attrs(COMPARE, task, variants=variants))


def task_of_comparison(comparison: Comparison) -> dict[str, Any]:
    """What is asked for, but for the repeats, which may grow; the order of the keys is that of the variants."""
    return {"vary": dict(comparison.varied), "vary_order": list(comparison.varied)}


class _Lanes:
    """Lanes of a comparison: variants of one architecture, data and length share the plan of a repeat, and are trained
    together.
    """

    def __init__(self, session: Session, comparison: Comparison):
        self.materials, self.comparison = session.materials, comparison
        self.with_velocity = any(variant.setup.training.momentum for variant in comparison.variants)
        self.references: dict[DataTable, DataReference] = {}

    def __call__(self, trial: FrozenTrial) -> Lane:
        variant, repeat = self.variant(trial), int(trial.user_attrs["repeat"])
        configuration = Configuration(**variant.setup.default_setting())
        return Lane(trial.number, self.plan(variant.setup, repeat), configuration, init=variant.setup.network.init)

    def variant(self, trial: FrozenTrial) -> Variant:
        """The one that a trial is of."""
        return self.comparison.variants[int(trial.user_attrs["variant"])]

    def plan(self, setup: Setup, repeat: int) -> Plan:
        """The plan of one repeat; in what lanes may differ, it is that of all variants."""
        if setup.data not in self.references:
            self.references[setup.data] = self.materials.prepare(setup, [self.materials.part(setup)])[0]
        common = {"init": self.comparison.setup.network.init}
        shared = setup.model_copy(update={"network": setup.network.model_copy(update=common)})
        plan = self.materials.plan(shared, f"compare.{repeat}", self.references[setup.data], self.with_velocity)
        return replace(plan, with_population=True)


def _finish(
    session: Session,
    study: optuna.Study,
    trials: dict[int, FrozenTrial],
    lanes: _Lanes,
    number: int,
    outcome: Outcome,
    state: State,
) -> None:
    """Keep the network as a model with each kind of moments, so that it may be tested later, and tell its value."""
    assert outcome.valid_accuracy is not None
    trial = trials[number]
    lane, network, repeat = lanes(trial), lanes.variant(trial).setup.network, int(trial.user_attrs["repeat"])
    for statistics in kinds_of_moments(network):
        moments = outcome.population if statistics == "population" else state.moments
        assert moments is not None
        model = folded(session, study, lane, state, repeat, moments)
        with disk_errors(session.study):
            save_model(model, model_path(session.study, number, statistics))
    OpenTrial(session.store.storage, trial).tell(TrialState.COMPLETE, float(outcome.valid_accuracy[0]))
    remove_state(session, study, number)


def kinds_of_moments(network: NetworkTable) -> tuple[Statistics | None, ...]:
    """With which moments a network is kept; where nothing is normalised there are none."""
    return STATISTICS if network.batch_norm != "none" and network.hidden else (None,)


def model_path(study: Study, number: int, statistics: Statistics | None) -> Path:
    """Where a trial's network lies."""
    kind = "" if statistics is None else f"-{statistics}"
    return study.results / "models" / f"{COMPARE}-{number:05d}{kind}.safetensors"
