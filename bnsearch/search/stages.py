"""The chain coarse -> fine -> confirm -> final: run what is asked for, or what is missing; take stock; start over."""

import shutil
from typing import Any

from optuna.trial import TrialState

from bnsearch.errors import UsageError
from bnsearch.search.choose import rank
from bnsearch.search.confirming import run_confirm
from bnsearch.search.finishing import run_final
from bnsearch.search.searching import run_search
from bnsearch.search.session import Session
from bnsearch.search.store import Store
from bnsearch.search.study_file import STAGES, Stage, Study
from bnsearch.search.trials import finished


def run_stage(session: Session, stage: Stage) -> bool:
    """Bring one stage to its total; False where there was nothing to do."""
    if stage in ("coarse", "fine"):
        return run_search(session, stage)
    return run_confirm(session) if stage == "confirm" else run_final(session)


def run_all(session: Session) -> dict[Stage, bool]:
    """Run what is still missing of the chain; which stages had something to do."""
    worked = {stage: run_stage(session, stage) for stage in stages_of(session.study)}
    return worked


def stages_of(study: Study) -> tuple[Stage, ...]:
    """The stages of `run`: a fixed final setting leaves nothing to confirm."""
    fixed = study.tables.final.setting is not None
    return tuple(stage for stage in STAGES if not (fixed and stage == "confirm"))


def status(store: Store | None) -> list[dict[str, Any]]:
    """Stages with their trials by state, their best and their verdicts; empty where nothing has been run."""
    rows = []
    for stage in STAGES:
        study = store.load(stage) if store is not None else None
        if study is None:
            continue
        trials = study.get_trials(deepcopy=False)
        states = [t.state for t in trials]
        over = finished(trials)
        ranked = rank(over)
        best = ranked[0] if ranked else None
        rows.append(
            {
                "stage": stage,
                "study": study.study_name,
                "total": int(study.user_attrs.get("total", 0)),
                "trials": {
                    "complete": states.count(TrialState.COMPLETE),
                    "pruned": states.count(TrialState.PRUNED),
                    "failed": states.count(TrialState.FAIL),
                    "running": states.count(TrialState.RUNNING),
                },
                "best": None
                if best is None
                else {"trial": best.number, "value": best.value, "params": dict(best.params)},
                "space": study.user_attrs.get("space"),
                "edges": study.user_attrs.get("edges", []),
                "verdict": study.user_attrs.get("verdict"),
                "result": study.user_attrs.get("result"),
                "top": [{"trial": t.number, "value": t.value, "params": dict(t.params)} for t in ranked[:5]],
            }
        )
    return rows


def reset(study: Study, store: Store | None, stage: str) -> list[str]:
    """Delete a stage and all after it, with their states and curves; the ledger of test-set looks stays. Returns
    the studies deleted.
    """
    if stage not in STAGES:
        raise UsageError(f"--from must be one of {', '.join(STAGES)}, but got {stage!r}.")
    deleted = []
    for later in reversed(STAGES[STAGES.index(stage) :]):
        if store is not None and store.delete(later):
            deleted.append(f"{study.name}.{later}")
        for folder in ("states", "curves"):
            for path in (study.results / folder).glob(f"{later}-*"):
                path.unlink(missing_ok=True)
        if later == "final":
            shutil.rmtree(study.results / "models", ignore_errors=True)
    return deleted[::-1]
