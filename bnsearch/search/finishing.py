"""Final: the winner retrained with several seeds, then one look at the test set."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial, TrialState

from bnsearch.search import intervals
from bnsearch.search.beside import remove_state
from bnsearch.search.cohort import Lane
from bnsearch.search.confirming import run_confirm
from bnsearch.search.exporting import is_whole, make_anew, model_path
from bnsearch.search.levels import is_finished
from bnsearch.search.looking import BY_STATISTICS, ENSEMBLE, STATISTICS, look
from bnsearch.search.materials import rows_of
from bnsearch.search.open_trial import add_running
from bnsearch.search.plan import Configuration, Plan
from bnsearch.search.running import run_running
from bnsearch.search.searching import configuration
from bnsearch.search.session import Session
from bnsearch.search.trials import unpack_bits
from bnsearch.search.unchanged import check_unchanged

VALUE = "test accuracy"  # of a final trial; its intermediate values are training accuracies


def run_final(session: Session) -> bool:
    """Retrain the chosen setting, look at the test set once, and write the result; False where there was nothing to do.

    A missing confirm is run first, unless the study file fixes the setting.
    """
    study = _ensure(session)
    n_repeats = max(session.study.tables.final.repeats, int(study.user_attrs.get("total", 0)))
    trials = study.get_trials(deepcopy=False)
    told = sum(t.state == TrialState.COMPLETE for t in trials)
    if is_finished(study) and len(trials) >= n_repeats and told == _n_in_result(study):
        return _mend(session, study, n_repeats)
    study.set_user_attr("total", n_repeats)
    params = study.user_attrs["params"]
    for number in range(len(trials), n_repeats):
        add_running(study, params, {name: _around(value) for name, value in params.items()}, repeat=number + 1)
    lanes = _Lanes(session, n_repeats)
    # the trials stay RUNNING, their last states on the disk, until the test set has been looked at
    run_running(session, study, lanes, figure="train_accuracy", finish=lambda number, outcome, state: None)
    _mend(session, study, n_repeats)  # those of an earlier look belong to the ensemble
    look(session, study, lanes)
    study.set_user_attr("result", result(session, study, study.user_attrs["look"]))
    for number in range(n_repeats):
        remove_state(session, study, number)
    return True


def _ensure(session: Session) -> optuna.Study:
    table = session.study.tables.final
    task = table.model_dump(mode="json", exclude={"repeats"})
    study = session.store.load("final")
    if study is not None:
        check_unchanged(session, study, "final", task)
        return study
    if table.setting is not None:
        params = configuration(session.study.setups["final"], table.setting)._asdict()
        return session.store.create("final", session.attrs("final", task, params=params, parent=None), VALUE)
    run_confirm(session)
    confirm = session.store.load("confirm")
    assert confirm is not None
    verdict = confirm.user_attrs["verdict"]
    # what final is built on stays with it, whatever further repeats of confirm find
    parent = {"study": confirm.study_name, "finalist": verdict["winner"]}
    parent |= {key: verdict[key] for key in ("n_repeats", "estimate")}
    return session.store.create("final", session.attrs("final", task, params=verdict["params"], parent=parent), VALUE)


class _Lanes:
    """Lanes of final: each repeat has initial weights and a data order of its own, and all the same rows."""

    def __init__(self, session: Session, n_repeats: int):
        together = session.study.tables.final.train_on == "train+valid"
        reference = session.materials.prepare("final", [session.materials.part("final", together=together)])[0]
        self.plans: dict[int, Plan] = {
            r: session.materials.plan("final", f"final.{r}", reference) for r in range(1, n_repeats + 1)
        }

    def __call__(self, trial: FrozenTrial) -> Lane:
        params = Configuration(**{name: float(value) for name, value in trial.params.items()})
        return Lane(trial.number, self.plans[trial.user_attrs["repeat"]], params)


def _mend(session: Session, study: optuna.Study, n_repeats: int) -> bool:
    """Make the models anew that are gone, of networks that were tested already; False where none is."""
    complete = [t for t in study.get_trials(deepcopy=False) if t.state == TrialState.COMPLETE]
    gone = [t for t in complete if not is_whole(session, int(t.user_attrs["repeat"]))]
    if gone:
        make_anew(session, study, list(map(_Lanes(session, n_repeats), gone)))
    return bool(gone)


def _n_in_result(study: optuna.Study) -> int | None:
    """Networks that the stored result is about."""
    found = study.user_attrs.get("result")
    return None if found is None else len(found["test_accuracy"]["per_seed"])


def result(session: Session, study: optuna.Study, look_number: int) -> dict[str, Any]:
    """The study's answer, from the told trials alone."""
    trials = [t for t in study.get_trials(deepcopy=False) if t.state == TrialState.COMPLETE]
    hits = np.array([unpack_bits(t.user_attrs["test_correct"], t.user_attrs["n_test"]) for t in trials])
    per_seed = [float(t.value) for t in trials if t.value is not None]
    images, seeds = intervals.over_images(hits), intervals.over_seeds(per_seed)
    total = np.sum([t.user_attrs["test_confusion"] for t in trials], axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = np.diag(total) / total.sum(axis=0), np.diag(total) / total.sum(axis=1)
    per_class = [
        {"class": name, "precision": _number(p), "recall": _number(r)}
        for name, p, r in zip(session.materials.dataset.classes, precision, recall, strict=True)
    ]
    train, _ = rows_of(session.study.setups["final"].data, len(session.materials.dataset.X))
    lone = [float(t.user_attrs["valid_accuracy"]) for t in trials if "valid_accuracy" in t.user_attrs]
    parent, results = study.user_attrs["parent"], session.study.results
    return {
        "params": study.user_attrs["params"],
        "valid_accuracy": parent["estimate"] if parent else (float(np.mean(lone)) if lone else None),
        "test_accuracy": {"mean": images.mean, "low": images.low, "high": images.high, "per_seed": per_seed},
        "test_accuracy_over_seeds": {"low": seeds.low, "high": seeds.high},
        "bn_statistics": session.study.setups["final"].network.bn_statistics,
        "test_accuracy_by_statistics": _by_statistics(trials),
        "ensemble": _ensemble(study),
        "train_accuracy": float(np.mean([t.user_attrs["train_accuracy"] for t in trials])),
        "confusion": total.tolist(),
        "per_class": per_class,
        "classes": list(session.materials.dataset.classes),
        "n_test": int(hits.shape[1]),
        "n_train": len(
            session.materials.part("final", together=study.user_attrs["task"]["train_on"] == "train+valid").rows()[0]
        ),
        "n_train_in_confirm": train[1] - train[0],
        "look": look_number,
        "n_diverged": study.user_attrs["total"] - len(trials),
        # seen from the results folder, which may be moved
        "models": [model_path(session, int(t.user_attrs["repeat"])).relative_to(results).as_posix() for t in trials],
    }


def _by_statistics(trials: Sequence[FrozenTrial]) -> dict[str, float] | None:
    """Mean test accuracy with moving and with population moments; None without batch normalisation, or where the
    networks were tested by an older version.
    """
    found = [t.user_attrs.get(BY_STATISTICS) for t in trials]
    if None in found:
        return None
    return {name: float(np.mean([f[name] for f in found if f])) for name in STATISTICS}


def _ensemble(study: optuna.Study) -> dict[str, Any] | None:
    """The networks together: the mean of their probabilities, with an interval over new images."""
    found = study.user_attrs.get(ENSEMBLE)
    if found is None:  # of an older version
        return None
    interval = intervals.over_images_of_one(found["n_correct"], found["n_test"])
    return {"n_networks": found["n_networks"], "accuracy": interval.mean, "low": interval.low, "high": interval.high}


def _number(value: float) -> float | None:
    """None for a class that was never predicted or never there."""
    return float(value) if np.isfinite(value) else None


def _around(value: float) -> FloatDistribution:
    """A range that holds one value, for a setting that is fixed."""
    return FloatDistribution(value, value)
