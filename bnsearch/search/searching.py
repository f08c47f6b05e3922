"""The coarse and the fine stage: propose a batch, train it, until the total is reached."""

from collections.abc import Mapping
from typing import Any, Literal

import optuna
from optuna.trial import FrozenTrial, TrialState

from bnsearch.errors import UsageError
from bnsearch.search.choose import TieSet, rank, tie_set
from bnsearch.search.cohort import Lane
from bnsearch.search.plan import Configuration
from bnsearch.search.running import add_running, run_running
from bnsearch.search.session import Session
from bnsearch.search.setups import Setup
from bnsearch.search.space import (
    TPE_BATCH,
    Box,
    Edge,
    at_hard_limit,
    distributions,
    narrow,
    open_sides,
    propose,
    ranges,
    unresolved,
)
from bnsearch.search.study_file import Study
from bnsearch.search.tables import Range, SearchTable
from bnsearch.search.trials import Trial, counts, finished
from bnsearch.search.unchanged import check_unchanged

SearchStage = Literal["coarse", "fine"]
AnySpace = dict[str, Range | tuple[float, ...]]


def run_search(session: Session, stage: SearchStage) -> bool:
    """Bring a search stage to its total; False where there was nothing to do."""
    table: SearchTable = getattr(session.study.tables, stage)
    study = _ensure(session, stage, table)
    space = stored_space(study)
    if study.user_attrs.get("total", 0) < table.total:
        study.set_user_attr("total", table.total)
    worked = False
    while _propose_batch(session, study, stage, table, space):
        worked = True
        lane_of = _lanes(session, stage)
        run_running(session, study, lane_of)
    found = verdict(study)
    if study.user_attrs.get("verdict") != found:  # also where an earlier process ended just before writing it
        study.set_user_attr("verdict", found)
    return worked


def is_finished(study: optuna.Study | None) -> bool:
    """Has the stage reached the last total asked for, with nothing running?"""
    if study is None:
        return False
    trials = study.get_trials(deepcopy=False)
    running = any(t.state == TrialState.RUNNING for t in trials)
    return not running and sum(counts(t) for t in trials) >= int(study.user_attrs.get("total", 1))


def require(session: Session, stage: SearchStage, for_stage: str) -> optuna.Study:
    """The finished study of an earlier stage."""
    study = session.store.load(stage)
    if study is None or not is_finished(study):
        raise too_early(session.study, for_stage, stage, "has not been run" if study is None else "is not finished")
    check_unchanged(session, study, stage, _task(getattr(session.study.tables, stage)))
    return study


def too_early(study: Study, stage: str, earlier: str, why: str) -> UsageError:
    """The refusal of a stage that builds on another."""
    return UsageError(
        f"`{stage}` needs a finished {earlier} stage, but {study.name}.{earlier} {why}: "
        f"run `bnsearch {earlier} {study.called}` first."
    )


def configuration(setup: Setup, params: Mapping[str, float]) -> Configuration:
    """A trial's parameters, filled up with the study file's setting."""
    return Configuration(**(setup.default_setting() | {name: float(value) for name, value in params.items()}))


def stored_space(study: optuna.Study) -> AnySpace:
    """The space that a stage was made with."""
    space = study.user_attrs["space"]
    return {name: Range(**v) if isinstance(v, dict) else tuple(v) for name, v in space.items()}


def verdict(study: optuna.Study) -> dict[str, Any]:
    """What a search stage found: its best, how many settings it cannot tell apart, and what lies at an edge."""
    trials = finished(study.get_trials(deepcopy=False))
    ties, ranked = tie_set(trials), rank(trials)
    if not ranked:
        return {"best": None, "tied": [], "n_tied": 0, "n_valid": None, "unresolved_edges": []}
    space, open_ = ranges(stored_space(study)), [Edge(**edge) for edge in study.user_attrs["open_sides"]]
    # what fine will be built around: in coarse all tied settings, in fine the best
    at = [trial.params for trial in (ties.tied if study.user_attrs["stage"] == "coarse" else ranked[:1])]
    still = [edge for edge in open_ if any(unresolved(space, [edge], params, len(trials)) for params in at)]
    return {
        "best": ranked[0].number,
        "tied": [trial.number for trial in ties.tied],
        "n_tied": ties.n_within,
        "n_valid": ranked[0].attrs.get("n_valid"),
        "unresolved_edges": [vars(edge) | {"hard_limit": at_hard_limit(edge)} for edge in still],
    }


def _ensure(session: Session, stage: SearchStage, table: SearchTable) -> optuna.Study:
    """The stage's study, made when there is none; fine's box is computed once and stays."""
    study = session.store.load(stage)
    task = _task(table)
    if study is not None:
        check_unchanged(session, study, stage, task)
        return study
    coarse = require(session, "coarse", "fine") if stage == "fine" else None
    space = dict(table.space or {})
    more: dict[str, Any] = {}
    if coarse is not None and table.space is None:
        box, ties = fine_box(coarse)
        space = dict(box.space)
        more["edges"] = [vars(edge) for edge in box.edges]
        more["parent"] = {"study": coarse.study_name, "tied": [t.number for t in ties.tied], "n_within": ties.n_within}
    sides = open_sides(ranges(space), None if coarse is None else ranges(stored_space(coarse)))
    attrs = session.attrs(
        stage,
        task,
        space={name: v.model_dump() if isinstance(v, Range) else list(v) for name, v in space.items()},
        open_sides=[vars(side) for side in sides],
        **more,
    )
    return session.store.create(stage, attrs)


def fine_box(coarse: optuna.Study) -> tuple[Box, TieSet]:
    """Fine's space from the finished coarse trials, and the tied trials that it is built around."""
    trials = finished(coarse.get_trials(deepcopy=False))
    ties = tie_set(trials)
    return narrow(ranges(stored_space(coarse)), [t.params for t in ties.tied], len(trials)), ties


def _task(table: SearchTable) -> dict[str, Any]:
    """What the table asks for, but for the total, which may grow."""
    task: dict[str, Any] = table.model_dump(mode="json", exclude={"trials"})
    return task


def _propose_batch(
    session: Session, study: optuna.Study, stage: SearchStage, table: SearchTable, space: AnySpace
) -> bool:
    """Enter what is still missing of the last batch, or a new one; False when the total is reached and nothing runs."""
    trials = study.get_trials(deepcopy=False)
    batches: list[list[int]] = study.user_attrs.get("batches", [])
    running = any(t.state == TrialState.RUNNING for t in trials)
    if not batches or (not running and len(trials) >= sum(batches[-1])):
        n_missing = table.total - sum(counts(t) for t in trials)
        n = min(n_missing, TPE_BATCH) if table.sampler == "tpe" else n_missing
        if n <= 0:
            return False
        batches = [*batches, [len(trials), n]]
        study.set_user_attr("batches", batches)  # first, so that a restart in the middle proposes the same
    first, n = batches[-1]
    if len(trials) >= first + n:
        return running
    before = [t for t in finished(trials) if t.number < first]
    proposals = _with_default(session, stage, table, space, before, first, n)
    dims = distributions(space)
    for params in proposals[len(trials) - first :]:
        add_running(study, params, dims)
    return bool(proposals) or running


def _with_default(
    session: Session, stage: SearchStage, table: SearchTable, space: AnySpace, before: list[Trial], first: int, n: int
) -> list[dict[str, float]]:
    """A batch; the first of coarse begins with the study file's own setting (not in a grid)."""
    seed = session.study.seed
    if stage == "coarse" and first == 0 and table.sampler != "grid":
        default = session.study.setups[stage].default_setting()
        own = {name: default[name] for name in space}
        return [own, *propose(space, table.sampler, before, 1, n - 1, seed, stage)]
    return propose(space, table.sampler, before, first, n, seed, stage)


class _lanes:
    """Lanes of a search stage: repeat 0, one plan for all."""

    def __init__(self, session: Session, stage: SearchStage):
        data = session.materials.prepare(stage, [session.materials.part(stage)])[0]
        self.setup = session.study.setups[stage]
        self.plan = session.materials.plan(stage, "0", data)

    def __call__(self, trial: FrozenTrial) -> Lane:
        return Lane(trial.number, self.plan, configuration(self.setup, trial.params))
