"""The coarse and the fine stage, level by level: propose a batch, train it, until the total is reached."""

from collections.abc import Mapping
from functools import cached_property

import optuna
from optuna.trial import FrozenTrial, TrialState

from bnsearch.search.batches import Batch, rungs_for, store_batches, stored_batches
from bnsearch.search.cohort import Lane
from bnsearch.search.levels import (
    AnySpace,
    box_around,
    is_finished,
    needs_further,
    require,
    searched,
    stored_space,
    task_of,
    verdict,
)
from bnsearch.search.open_trial import add_running
from bnsearch.search.plan import Configuration, Plan
from bnsearch.search.running import run_running
from bnsearch.search.session import Session
from bnsearch.search.setups import LEVELS, STAGE_OF, Level, SearchStage, Setup
from bnsearch.search.space import TPE_BATCH, distributions, open_sides, propose, ranges
from bnsearch.search.tables import Range, SearchTable
from bnsearch.search.trials import Trial, counts, finished
from bnsearch.search.unchanged import check_unchanged


def run_search(session: Session, stage: SearchStage) -> bool:
    """Bring a search stage to its total, as far as the session may begin batches; False where there was nothing to do.

    Where fine's best lies at an end of its computed box, a further level of as many trials goes on from there, once.
    From then on fine itself stays as it is, and a larger total is the further level's.
    """
    table: SearchTable = getattr(session.study.tables, stage)
    worked, asked, parent = False, 0, None
    for level in LEVELS:
        if STAGE_OF[level] != stage:
            continue
        study = _ensure(session, level, table, parent)
        # what was asked for before comes first, so that a restart with a larger total takes the same course
        asked = int(study.user_attrs.get("total", asked))
        for total in sorted({asked, max(asked, table.total)} - {0}):
            if not needs_further(study):
                worked = _grow(session, study, level, table, total) or worked
            if not is_finished(study):
                return worked  # nor is a larger total begun
        found = verdict(study)
        if study.user_attrs.get("verdict") != found:  # also where an earlier process ended just before writing it
            study.set_user_attr("verdict", found)
        if not needs_further(study) or not session.may_begin():
            break
        asked, parent = int(study.user_attrs["total"]), study
    return worked


def configuration(setup: Setup, params: Mapping[str, float]) -> Configuration:
    """A trial's parameters, filled up with the study file's setting."""
    return Configuration(**(setup.default_setting() | {name: float(value) for name, value in params.items()}))


def _ensure(session: Session, level: Level, table: SearchTable, parent: optuna.Study | None) -> optuna.Study:
    """The level's study, made when there is none; a computed space is computed once and stays.

    parent: the finished level of the same stage that this one goes on from.
    """
    study, stage, task = session.store.load(level), STAGE_OF[level], task_of(table)
    if study is not None:
        check_unchanged(session, study, stage, task)
        return study
    before = [] if level == "coarse" else require(session, "coarse", stage)
    if parent is not None:
        before.append(parent)
    space, more = dict(table.space or {}), {}
    if before and table.space is None:
        box, ties, n_trials = box_around(before[-1])
        space = dict(box.space)
        tied = [trial.number for trial in ties.tied]
        more = {
            "edges": [vars(edge) for edge in box.edges],
            "parent": {
                "study": before[-1].study_name,
                "tied": tied,
                "n_within": ties.n_within,
                "n_trials": n_trials,
            },
        }
    sides = open_sides(ranges(space), searched(before) if before else None)
    attrs = session.attrs(
        level,
        task,
        space={name: v.model_dump() if isinstance(v, Range) else list(v) for name, v in space.items()},
        open_sides=[vars(side) for side in sides],
        **more,
    )
    return session.store.create(level, attrs)


def _grow(session: Session, study: optuna.Study, level: Level, table: SearchTable, total: int) -> bool:
    """Bring a level to a total; False where there was nothing to do."""
    if study.user_attrs.get("total", 0) < total:
        study.set_user_attr("total", total)
    worked, lanes = False, _Lanes(session, level)
    while (batch := _propose_batch(session, study, level, table, total, lanes)) is not None:
        worked = True
        run_running(session, study, lanes, batch=batch, keep=table.kept_share)
    return worked


def _propose_batch(
    session: Session, study: optuna.Study, level: Level, table: SearchTable, total: int, lanes: "_Lanes"
) -> Batch | None:
    """Enter what is still missing of the last batch, or a new one; None when nothing runs and the total is reached, or
    no new one may begin.
    """
    trials, space = study.get_trials(deepcopy=False), stored_space(study)
    batches = stored_batches(study)
    running = any(t.state == TrialState.RUNNING for t in trials)
    if not batches or (not running and len(trials) >= batches[-1].end):
        n_missing = total - sum(counts(t) for t in trials)
        n = min(n_missing, TPE_BATCH) if table.sampler == "tpe" else n_missing
        if n <= 0 or not session.may_begin():
            return None
        rungs = rungs_for(table, lanes.setup.training, session.materials.n_train(lanes.stage), n)
        batches.append(Batch(len(trials), n, rungs))
        store_batches(study, batches)  # first, so that a restart in the middle proposes the same
    batch = batches[-1]
    if len(trials) < batch.end:
        before = [t for t in finished(trials) if t.number < batch.first]
        proposals = _with_default(session, level, table, space, before, batch.first, batch.n)
        dims = distributions(space)
        for params in proposals[len(trials) - batch.first :]:
            add_running(study, params, dims)
        return batch if proposals or running else None
    return batch if running else None


def _with_default(
    session: Session, level: Level, table: SearchTable, space: AnySpace, before: list[Trial], first: int, n: int
) -> list[dict[str, float]]:
    """A batch; the first of coarse begins with the study file's own setting (not in a grid)."""
    seed = session.study.seed
    if level == "coarse" and first == 0 and table.sampler != "grid":
        default = session.study.setups[level].default_setting()
        own = {name: default[name] for name in space}
        return [own, *propose(space, table.sampler, before, 1, n - 1, seed, level)]
    return propose(space, table.sampler, before, first, n, seed, level)


class _Lanes:
    """Lanes of a level: repeat 0, one plan for all."""

    def __init__(self, session: Session, level: Level):
        stage = STAGE_OF[level]
        self.session, self.stage = session, stage
        self.setup = session.study.setups[stage]

    @cached_property
    def plan(self) -> Plan:
        """Made when first needed, for it needs the data."""
        materials = self.session.materials
        return materials.plan(self.stage, "0", materials.prepare(self.stage, [materials.part(self.stage)])[0])

    def __call__(self, trial: FrozenTrial) -> Lane:
        return Lane(trial.number, self.plan, configuration(self.setup, trial.params))
