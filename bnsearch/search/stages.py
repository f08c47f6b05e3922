"""The chain coarse -> fine -> confirm -> final, and compare beside it: run what is asked for, or what is missing; take
stock; start over.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from bnsearch.data.disk_error import cause_and_remedy
from bnsearch.errors import StoreError, UsageError
from bnsearch.search import mistakes
from bnsearch.search.artifacts import remove_artifacts
from bnsearch.search.beside import disk_errors, remove_states
from bnsearch.search.choose import rank
from bnsearch.search.compared import compared
from bnsearch.search.comparing import run_compare
from bnsearch.search.confirming import run_confirm
from bnsearch.search.finishing import run_final
from bnsearch.search.levels import halving, too_early
from bnsearch.search.owner import release
from bnsearch.search.searching import run_search
from bnsearch.search.session import Session, existing_store
from bnsearch.search.setups import COMPARE, LEVELS, NAMES, STAGE_OF, STAGES, STUDIES, Comparing, Stage
from bnsearch.search.stale import stale
from bnsearch.search.store import Store
from bnsearch.search.study_file import Study
from bnsearch.search.trials import Trial, finished
from bnsearch.search.variants import short

NOT_RUN: dict[str, Any] = {
    "total": 0,
    "trials": dict.fromkeys(("complete", "pruned", "failed", "running"), 0),
    "edges": [],
    "top": [],
    "given_up": [],
    **dict.fromkeys(("best", "space", "halving", "parent", "followed_by", "given_fine", "verdict", "result", "stale")),
}


def check_order(study: Study, storage: str | None, stage: Stage) -> None:
    """Refuse a stage whose predecessor has not been run, before a database is made for it."""
    before: dict[Stage, Stage] = {"fine": "coarse", "confirm": "fine", "final": "fine"}
    if stage not in before or (stage == "final" and study.tables.final.setting is not None):
        return
    earlier = before[stage]
    with existing_store(study, storage) as store:
        if store is None or store.load(earlier) is None:
            raise too_early(study, stage, earlier, f"{study.name}.{earlier} has not been run")


def run_stage(session: Session, stage: Stage | Comparing) -> bool:
    """Bring one stage to its total; False where there was nothing to do."""
    work = {"confirm": run_confirm, "final": run_final, COMPARE: run_compare}
    worked = run_search(session, stage) if stage in ("coarse", "fine") else work[stage](session)
    # none is under way any longer: an earlier process may have ended between a trial's value and its state's removal
    with disk_errors(session.study):
        own = [name for name in NAMES if STAGE_OF.get(name, name) == stage]
        for name in own:
            remove_states(session.study, name)
    # nothing that is told of an earlier stage depends on this one's trials, but later ones may have become stale
    session.present(session, own if stage == COMPARE else STUDIES[STUDIES.index(own[0]) :])
    return worked


def run_all(session: Session) -> dict[Stage, bool]:
    """Run what is still missing of the chain; which stages had something to do."""
    worked = {stage: run_stage(session, stage) for stage in stages_of(session.study)}
    return worked


def stages_of(study: Study) -> tuple[Stage, ...]:
    """The stages of `run`: a fixed final setting leaves nothing to confirm."""
    fixed = study.tables.final.setting is not None
    return tuple(stage for stage in STAGES if not (fixed and stage == "confirm"))


def status(
    store: Store | None, called: str, results: Path = Path(), names: Collection[str] = NAMES
) -> list[dict[str, Any]]:
    """Stages with their trials by state, their best and their verdicts; empty where nothing has been run.

    called: the study as the user named it, for the commands in what is said; results: the folder of its models; names:
    of the stages and levels that are asked for.
    """
    # each opened once, for its trials are then read once
    found = {name: store.load(name) for name in NAMES} if store is not None else {}
    studies = {name: study for name, study in found.items() if study is not None}
    rows = []
    for name, study in studies.items():
        if name not in names:
            continue
        trials, attrs = study.get_trials(deepcopy=False), study.user_attrs  # read from the database each time
        states = [t.state for t in trials]
        over = finished(trials)
        ranked = rank(over)
        comparison = _comparison(attrs, over) if name == COMPARE else None
        rows.append(
            {
                "stage": name,
                "study": study.study_name,
                "total": int(attrs.get("total", 0)),
                "trials": {
                    "complete": states.count(TrialState.COMPLETE),
                    "pruned": states.count(TrialState.PRUNED),
                    "failed": states.count(TrialState.FAIL),
                    "running": states.count(TrialState.RUNNING),
                },
                "given_up": [
                    {"trial": t.number, "reason": t.user_attrs["failed"]} for t in trials if "failed" in t.user_attrs
                ],
                "best": _best_variant(comparison) if comparison else _best(name, attrs, ranked),
                "space": attrs.get("space"),
                "edges": attrs.get("edges", []),
                "halving": halving(attrs, trials) if name in LEVELS else None,
                "parent": attrs.get("parent"),
                "followed_by": "fine2" if name == "fine" and "fine2" in studies else None,
                "given_fine": _given(studies.get("fine")) if name == "coarse" else None,
                "verdict": attrs.get("verdict"),
                "result": _with_models(attrs.get("result"), results),
                "stale": stale(studies, name, called),
                "top": [_shown(trial) for trial in ranked[:5]],
                **({"comparison": comparison} if comparison else {}),
            }
        )
    return _with_looks(rows, store) if store is not None and "final" in names else rows


def _with_looks(rows: list[dict[str, Any]], store: Store) -> list[dict[str, Any]]:
    """All looks of the study at the test set, as a rule told with final; they outlast a reset."""
    looks, n_chain = store.looks(), sum(row["stage"] in STUDIES for row in rows)
    if n_chain and rows[n_chain - 1]["stage"] == "final":
        rows[n_chain - 1]["looks"] = looks
    elif looks and rows and not n_chain:  # there is but a comparison
        rows[-1]["looks"] = looks
    elif looks:
        rows.insert(n_chain, NOT_RUN | {"stage": "final", "study": f"{store.name}.final", "looks": looks})
    return rows


def _comparison(attrs: Mapping[str, Any], over: list[Trial]) -> dict[str, Any]:
    variants = attrs["variants"]
    return compared(variants, over, int(attrs.get("total", 0)) // len(variants))


def _best_variant(comparison: Mapping[str, Any]) -> dict[str, Any] | None:
    """The variant of the highest mean validation accuracy."""
    if comparison["best"] is None:
        return None
    row = comparison["variants"][comparison["best"]]
    return {"value": row["valid_accuracy"]["mean"], "params": {key: short(value) for key, value in row["keys"].items()}}


def _with_models(result: dict[str, Any] | None, results: Path) -> dict[str, Any] | None:
    """The result with its models' paths, the first of them by itself."""
    if result is None:
        return None
    models = [str(results / name) for name in result["models"]]
    return result | {"model": models[0], "models": models}


def _given(fine: optuna.Study | None) -> dict[str, Any] | None:
    """Fine's space where the study file gives it; one that was computed has a parent with its tied trials."""
    if fine is None or "tied" in (fine.user_attrs.get("parent") or {}):
        return None
    return fine.user_attrs.get("space")  # none as long as it is being made


def _best(name: str, attrs: Mapping[str, Any], ranked: list[Trial]) -> dict[str, Any] | None:
    """A search's best trial, confirm's winner with its estimate, final's setting with its mean test accuracy."""
    if name in LEVELS:
        return _shown(ranked[0]) if ranked else None
    verdict, result = attrs.get("verdict"), attrs.get("result")
    if verdict:
        return {"value": verdict["estimate"], "params": verdict["params"]}
    # a single trial of confirm or final is no result
    return {"value": result["test_accuracy"]["mean"], "params": result["params"]} if result else None


def _shown(trial: Trial) -> dict[str, Any]:
    return {"trial": trial.number, "value": trial.value, "params": dict(trial.params)}


def reset(study: Study, store: Store | None, stage: str) -> list[str]:
    """Delete a stage, all its levels and all after it, with their files; returns the studies deleted.

    A comparison lies beside the chain and is deleted by its own name alone. The ledger of test-set looks stays.
    """
    if stage not in (*STAGES, COMPARE):
        raise UsageError(f"--from must be one of {', '.join((*STAGES, COMPARE))}, but got {stage!r}.")
    gone = (COMPARE,) if stage == COMPARE else STUDIES[STUDIES.index(stage) :]
    for later in gone:  # files first: where one cannot be removed, the database still knows what it is about
        _remove_files(study, later)
    # the last stage first, so that whatever stops this leaves a chain without gaps
    deleted = [later for later in reversed(gone) if store is not None and store.delete(later)]
    left = store is not None and any(store.load(name) is not None for name in NAMES)
    if stage in (STAGES[0], COMPARE) and not left:
        with disk_errors(study):
            release(study)  # nothing is left that would belong to a database
    return [f"{study.name}.{later}" for later in reversed(deleted)]


def _remove_files(study: Study, stage: str) -> None:
    """A stage's states, curves and artifacts, and what final wrote besides."""
    try:
        remove_states(study, stage)
        remove_artifacts(study, stage)
        for path in (study.results / "curves").glob(f"{stage}-*"):
            path.unlink(missing_ok=True)
        models = study.results / "models"
        for path in models.glob(f"{stage}-*"):
            path.unlink(missing_ok=True)
        if models.exists() and not any(models.iterdir()):
            models.rmdir()
        if stage == "final":
            (study.results / mistakes.NAME).unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(
            f"{error.filename or study.results} must be a file that can be removed, but: {cause_and_remedy(error)}, "
            f"and reset again; nothing was deleted from the database."
        ) from error
