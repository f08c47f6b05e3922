"""Confirm: finalists × repeats, each repeat with its own weights, order and validation rows, shared by all
finalists.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial, TrialState

from bnsearch.errors import UsageError
from bnsearch.search import choose
from bnsearch.search.beside import level_of
from bnsearch.search.cohort import Lane
from bnsearch.search.levels import is_finished, n_finished, require, searched
from bnsearch.search.materials import check_windows
from bnsearch.search.open_trial import add_running
from bnsearch.search.plan import Plan
from bnsearch.search.running import run_running
from bnsearch.search.searching import configuration
from bnsearch.search.session import Session
from bnsearch.search.setups import LEVELS, STAGE_OF, Setup
from bnsearch.search.tables import Range
from bnsearch.search.trials import Trial, finished
from bnsearch.search.unchanged import check_unchanged


def run_confirm(session: Session) -> bool:
    """Bring confirm to its number of repeats and write its verdict; False where there was nothing to do."""
    study = _ensure(session)
    finalists = study.user_attrs["finalists"]
    n_repeats = max(session.study.tables.confirm.repeats, int(study.user_attrs.get("total", 0)) // len(finalists))
    total = n_repeats * len(finalists)
    trials = study.get_trials(deepcopy=False)
    judged = study.user_attrs.get("verdict", {}).get("n_repeats")
    if is_finished(study) and len(trials) >= total and judged == n_repeats:
        return False
    study.set_user_attr("total", total)
    dims = _distributions(session, finalists)
    for number in range(len(trials), total):
        repeat, i = divmod(number, len(finalists))
        add_running(study, finalists[i]["params"], dims, repeat=repeat + 1, finalist=i)
    if any(t.state == TrialState.RUNNING for t in study.get_trials(deepcopy=False)):
        run_running(session, study, _lanes(session, n_repeats))
    study.set_user_attr("verdict", verdict(session, study))
    return True


def _ensure(session: Session) -> optuna.Study:
    study = session.store.load("confirm")
    task: dict[str, Any] = {}
    if study is not None:
        check_unchanged(session, study, "confirm", task)
        return study
    fine = require(session, "fine", "confirm")
    levels = [*require(session, "coarse", "confirm"), *fine]
    check_windows(session.study.setups["confirm"], session.materials.dataset)
    parent = {"study": levels[-1].study_name, "n_trials": n_finished(levels[-1])}
    attrs = session.attrs("confirm", task, finalists=finalists_of(session, levels), parent=parent)
    return session.store.create("confirm", attrs)


def finalists_of(session: Session, levels: Sequence[optuna.Study]) -> list[dict[str, Any]]:
    """The best of all comparable levels and the study file's default, each with all its hyperparameters and where it
    comes from.
    """
    trials = [finished(study.get_trials(deepcopy=False)) for study in levels]
    n, last = choose.n_finalists(sum(t.cost for of_level in trials for t in of_level)), levels[-1]
    source = {  # trials of levels that train alike compare
        t: study
        for study, of_level in zip(levels, trials, strict=True)
        for t in of_level
        if _trains_like(session, study, last)
    }
    if not any(source[t] is last for t in source if t.complete):
        raise UsageError(
            f"`confirm` needs a completed trial in {last.study_name}, but none came to its end: give `fine.space` "
            f"other ranges and run `bnsearch reset {session.study.called} --from fine`."
        )
    ranked, setup = choose.rank(list(source)), session.study.setups["fine"]
    settings = [configuration(setup, trial.params)._asdict() for trial in ranked]
    found: list[dict[str, Any]] = [
        {"params": settings[i], "stage": level_of(source[trial]), "trial": trial.number, "default": False}
        for i, trial in ((i, ranked[i]) for i in choose.first_different(settings, n))
    ]
    default = session.study.default_setting()
    same = next((f for f in found if choose.same_setting(f["params"], default)), None)
    if same is not None:
        same["default"] = True
    else:
        number = _trial_of(trials[0], session.study.setups["coarse"], default)
        found.append({"params": default, "stage": "coarse", "trial": number, "default": True})
    return found


def _trains_like(session: Session, study: optuna.Study, other: optuna.Study) -> bool:
    """Do two levels agree in data, network and training, but for what they search?"""
    setups = session.study.setups
    return setups[STAGE_OF[level_of(study)]] == setups[STAGE_OF[level_of(other)]]


def _trial_of(trials: Sequence[Trial], setup: Setup, params: Mapping[str, float]) -> int | None:
    """The coarse trial of a setting, when it was one."""
    whole = ((t.number, configuration(setup, t.params)._asdict()) for t in trials)
    return next((number for number, own in whole if choose.same_setting(own, params)), None)


def _distributions(session: Session, finalists: Sequence[Mapping[str, Any]]) -> dict[str, FloatDistribution]:
    """Ranges around what was searched and every finalist, so that all settings fit one study."""
    studies = [session.store.load(level) for level in LEVELS]
    hull = searched([study for study in studies if study is not None])
    return {name: _range([f["params"][name] for f in finalists], hull.get(name)) for name in finalists[0]["params"]}


def _range(values: Sequence[float], searched_: Range | None) -> FloatDistribution:
    low = min([*values, *([searched_.low] if searched_ else [])])
    high = max([*values, *([searched_.high] if searched_ else [])])
    return FloatDistribution(
        low, high if high > low else low + 1.0, log=low > 0 and (searched_ is None or searched_.log)
    )


def _lanes(session: Session, n_repeats: int) -> "_Lanes":
    parts = [session.materials.part("confirm", roll=r) for r in range(1, n_repeats + 1)]
    references = session.materials.prepare("confirm", parts)
    return _Lanes(
        session, {r: session.materials.plan("confirm", str(r), ref) for r, ref in enumerate(references, start=1)}
    )


class _Lanes:
    """Lanes of confirm: one plan a repeat."""

    def __init__(self, session: Session, plans: Mapping[int, Plan]):
        self.setup, self.plans = session.study.setups["confirm"], plans

    def __call__(self, trial: FrozenTrial) -> Lane:
        return Lane(trial.number, self.plans[trial.user_attrs["repeat"]], configuration(self.setup, trial.params))


def accuracies(study: optuna.Study) -> tuple[list[int], choose.Matrix]:
    """Finalists that came to the end of every repeat, and their accuracies (M, R)."""
    table: dict[int, dict[int, float | None]] = {}
    for trial in finished(study.get_trials(deepcopy=False)):
        table.setdefault(trial.attrs["finalist"], {})[trial.attrs["repeat"]] = trial.value
    whole = [i for i in sorted(table) if None not in table[i].values()]
    return whole, np.array([[table[i][r] for r in sorted(table[i])] for i in whole], dtype=np.float64)


def verdict(session: Session, study: optuna.Study) -> dict[str, Any]:
    """The winner, how it stands against the others, and its expected accuracy."""
    finalists = study.user_attrs["finalists"]
    numbers, y = accuracies(study)
    if not numbers:
        raise UsageError(
            f"No finalist of {study.study_name} trained without diverging: lower the learning rates and reset "
            f"from coarse."
        )
    best, together = choose.winner(y), choose.not_separable(y)
    default = next((k for k, i in enumerate(numbers) if finalists[i]["default"]), None)
    luck, why_not = _optimism(session, finalists, numbers, y, best, default)
    return {
        "winner": numbers[best],
        "params": finalists[numbers[best]]["params"],
        "estimate": choose.estimate(y),
        "n_repeats": y.shape[1],
        "default_separable": None if default is None else default not in together,
        "winner_is_default": default == best,
        "diverged": [i for i in range(len(finalists)) if i not in numbers],
        "optimism": luck,
        "not_comparable": why_not,
        "finalists": judged(finalists, numbers, y),
    }


def judged(finalists: Sequence[Mapping[str, Any]], numbers: Sequence[int], y: choose.Matrix) -> list[dict[str, Any]]:
    """How each finalist stands against the best; its interval is the one that decides: tied is whose has 0 in it.

    numbers: which of the finalists came to the end; y: (M, R) their accuracies.
    """
    best, analysed, together = choose.winner(y), choose.blocks(y), choose.not_separable(y)
    margin, rows = choose.margin(analysed), []
    for k, i in enumerate(numbers):
        difference = float(analysed.means[best] - analysed.means[k])
        known = np.isfinite(margin) and k != best
        rows.append(
            {
                "finalist": i,
                **{key: finalists[i][key] for key in ("params", "stage", "trial", "default")},
                "accuracies": [float(v) for v in y[k]],
                "mean": float(analysed.means[k]),
                "behind_best": difference,
                "difference_interval": [difference - margin, difference + margin] if known else None,
                "separable": k not in together,
                "repeats_needed": choose.repeats_needed(y, best, k) if k != best else None,
            }
        )
    return rows


def _optimism(
    session: Session, finalists: Any, numbers: list[int], y: choose.Matrix, best: int, default: int | None
) -> tuple[dict[str, float] | None, str | None]:
    """How much the search flattered the winner against the default, or why that cannot be said."""
    if default is None or best == default:
        return None, None
    setups = session.study.setups
    if setups["confirm"] != setups["fine"] or setups["confirm"] != setups["coarse"]:
        return None, "it trained differently"
    trials = [_trial_in_search(session, finalists[numbers[k]]) for k in (best, default)]
    if trials[0] is None or trials[1] is None:
        return None, "the default was not tried there"
    found = choose.optimism(trials[0], trials[1], y, best, default)
    if found is None:
        return None, "the default was stopped early or diverged there"
    return {"value": found.value, "standard_error": found.standard_error}, None


def _trial_in_search(session: Session, finalist: Mapping[str, Any]) -> Trial | None:
    source = session.store.load(finalist["stage"])
    if source is None or finalist["trial"] is None:
        return None
    return {t.number: t for t in finished(source.get_trials(deepcopy=False))}[finalist["trial"]]
