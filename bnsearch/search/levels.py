"""The levels of the search as they are stored: what each searched and found, and where a further one is due."""

from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from bnsearch.errors import UsageError
from bnsearch.search.batches import batches_in
from bnsearch.search.choose import TieSet, rank, tie_set
from bnsearch.search.session import Session
from bnsearch.search.setups import LEVELS, STAGE_OF, SearchStage
from bnsearch.search.space import Box, at_hard_limit, narrow, ranges, stored_sides, unresolved
from bnsearch.search.study_file import Study
from bnsearch.search.tables import Range, SearchTable
from bnsearch.search.trials import counts, finished
from bnsearch.search.unchanged import check_unchanged

AnySpace = dict[str, Range | tuple[float, ...]]


def is_finished(study: optuna.Study | None) -> bool:
    """Has the study reached the last total asked for, with nothing running?"""
    if study is None:
        return False
    running = any(t.state == TrialState.RUNNING for t in study.get_trials(deepcopy=False))
    return not running and n_finished(study) >= int(study.user_attrs.get("total", 1))


def n_finished(study: optuna.Study) -> int:
    """Trials that are over."""
    return sum(counts(trial) for trial in study.get_trials(deepcopy=False))


def needs_further(study: optuna.Study) -> bool:
    """Is a further level due: a finished fine in a computed box whose best lies at an end that could move on?"""
    if study.user_attrs["stage"] != "fine" or "parent" not in study.user_attrs or not is_finished(study):
        return False
    return any(not edge["hard_limit"] for edge in verdict(study)["unresolved_edges"])


def require(session: Session, stage: SearchStage, for_stage: str) -> list[optuna.Study]:
    """The finished levels of an earlier stage."""
    levels = [level for level in LEVELS if STAGE_OF[level] == stage]
    studies = [study for level in levels if (study := session.store.load(level)) is not None]
    if not studies:
        raise too_early(session.study, for_stage, stage, f"{session.study.name}.{stage} has not been run")
    for study in studies:
        if not is_finished(study):
            raise too_early(session.study, for_stage, stage, f"{study.study_name} is not finished")
        check_unchanged(session, study, stage, task_of(getattr(session.study.tables, stage)))
    if needs_further(studies[-1]):
        why = f"the further level that the best of {studies[-1].study_name} asks for has not been run"
        raise too_early(session.study, for_stage, stage, why)
    return studies


def too_early(study: Study, stage: str, earlier: str, why: str) -> UsageError:
    """The refusal of a stage that builds on another."""
    return UsageError(
        f"`{stage}` needs a finished {earlier} stage, but {why}: run `bnsearch {earlier} {study.called}` first."
    )


def task_of(table: SearchTable) -> dict[str, Any]:
    """What the table asks for, but for the total, which may grow."""
    task: dict[str, Any] = table.model_dump(mode="json", exclude={"trials"})
    return task


def stored_space(study: optuna.Study) -> AnySpace:
    """The space that a level was made with."""
    space = study.user_attrs["space"]
    return {name: Range(**v) if isinstance(v, dict) else tuple(v) for name, v in space.items()}


def searched(studies: Sequence[optuna.Study]) -> dict[str, Range]:
    """The smallest ranges that hold all that these levels searched."""
    hull: dict[str, Range] = {}
    for study in studies:
        for name, range_ in ranges(stored_space(study)).items():
            so_far = hull.get(name, range_)
            low, high = min(range_.low, so_far.low), max(range_.high, so_far.high)
            hull[name] = Range(low=low, high=high, log=range_.log and so_far.log)
    return hull


def box_around(parent: optuna.Study) -> tuple[Box, TieSet, int]:
    """The next level's space from a level's finished trials, the tied ones that it is built around, of how many."""
    trials = finished(parent.get_trials(deepcopy=False))
    ties = tie_set(trials)
    return narrow(ranges(stored_space(parent)), [t.params for t in ties.tied], len(trials)), ties, len(trials)


def halving(attrs: Mapping[str, Any], trials: Sequence[FrozenTrial]) -> dict[str, Any]:
    """Were rungs asked for, had any batch some, and how many trials were stopped at which share of the budget?

    attrs: of a level's study.
    """
    shares = [t.user_attrs.get("pruned_at_share") for t in trials]
    return {
        "asked": bool(attrs.get("task", {}).get("rungs")),
        "in_effect": any(batch.rungs for batch in batches_in(attrs)),
        "stopped": [
            {"share": share, "trials": shares.count(share)} for share in sorted({s for s in shares if s is not None})
        ],
    }


def verdict(study: optuna.Study) -> dict[str, Any]:
    """What a level found: its best, how many settings it cannot tell apart, and what lies at an edge."""
    trials = finished(study.get_trials(deepcopy=False))
    ties, ranked = tie_set(trials), rank(trials)
    if not ranked:
        return {"best": None, "tied": [], "n_tied": 0, "n_valid": None, "unresolved_edges": []}
    space, open_ = ranges(stored_space(study)), stored_sides(study.user_attrs)
    # in coarse all tied settings, which fine will be built around, in fine the best
    at = ties.tied if study.user_attrs["stage"] == "coarse" else ranked[:1]
    still = [edge for edge in open_ if any(unresolved(space, [edge], t.params, len(trials)) for t in at)]
    return {
        "best": ranked[0].number,
        "tied": [trial.number for trial in ties.tied],
        "n_tied": ties.n_within,
        "n_valid": ranked[0].attrs.get("n_valid"),
        "unresolved_edges": [vars(edge) | {"hard_limit": at_hard_limit(edge)} for edge in still],
    }
