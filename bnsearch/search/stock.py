"""What the database has of a study, as values that `remaining` works with; nothing is written."""

import optuna
from optuna.trial import FrozenTrial, TrialState

from bnsearch.search.batches import stored_batches
from bnsearch.search.cost import Form
from bnsearch.search.levels import n_finished, needs_further
from bnsearch.search.remaining import Forms, OpenBatch, Stored, StoredLevel, StoredRepeats
from bnsearch.search.session import Session
from bnsearch.search.setups import LEVELS, STAGE_OF, STUDIES, Stage
from bnsearch.search.store import Store
from bnsearch.search.trials import finished
from bnsearch.search.unchanged import check_unchanged


def take_stock(store: Store | None, forms: Forms) -> Stored:
    """All levels and stages; of a study without a database nothing."""
    if store is None:
        return Stored()
    studies = {level: store.load(level) for level in LEVELS}
    return Stored(
        levels={level: _level(study, forms[STAGE_OF[level]]) for level, study in studies.items() if study is not None},
        confirm=_repeats(store, "confirm", forms),
        final=_repeats(store, "final", forms),
    )


def check_stored(session: Session) -> None:
    """Refuse, as a run would, a study whose settings differ from those that its stages were made with."""
    for name in STUDIES:
        study, stage = session.store.load(name), STAGE_OF[name]
        if study is not None:
            table = getattr(session.study.tables, stage)
            check_unchanged(session, study, stage, table.model_dump(mode="json", exclude={"trials", "repeats"}))


def _level(study: optuna.Study, form: Form) -> StoredLevel:
    trials, batches = study.get_trials(deepcopy=False), stored_batches(study)
    done = _under_way(trials, form)
    before, open_ = len(trials), None
    if batches and (done or len(trials) < batches[-1].end):
        last = batches[-1]
        before = last.first
        open_ = OpenBatch(last.n, last.rungs, (*done.values(), *[0] * (last.end - len(trials))))
    return StoredLevel(
        total=int(study.user_attrs.get("total", 0)),
        n_over=n_finished(study),
        cost=sum(t.cost for t in finished(trials[:before])),
        open=open_,
        further=needs_further(study),
    )


def _repeats(store: Store, stage: Stage, forms: Forms) -> StoredRepeats | None:
    study = store.load(stage)
    if study is None:
        return None
    n_lanes = len(study.user_attrs["finalists"]) if stage == "confirm" else 1
    trials = study.get_trials(deepcopy=False)
    done = _under_way(trials, forms[stage])
    return StoredRepeats(
        n_lanes=n_lanes,
        n_repeats=int(study.user_attrs.get("total", 0)) // n_lanes,
        n_entered=len(trials),
        n_over=n_finished(study),
        under_way=tuple((int(trials[number].user_attrs["repeat"]), steps) for number, steps in done.items()),
    )


def _under_way(trials: list[FrozenTrial], form: Form) -> dict[int, int]:
    """Number and steps of each trial that is not over: up to the last figure that the database has, for a state on the
    disk is hardly older.
    """
    return {t.number: min(_last_step(t, form), form.n_steps) for t in trials if t.state == TrialState.RUNNING}


def _last_step(trial: FrozenTrial, form: Form) -> int:
    last = max(trial.intermediate_values, default=0) * form.epoch_steps
    rungs = (v for key, v in trial.user_attrs.items() if key.startswith("rung_") and isinstance(v, dict))
    return max(last, *(int(rung["step"]) for rung in rungs), 0)
