"""Whether what a stage was built on has grown since. It is said; nothing is redone by itself."""

import optuna

from bnsearch.search.levels import last_level, n_finished
from bnsearch.search.setups import STAGE_OF
from bnsearch.search.store import Store


def stale(store: Store, study: optuna.Study, called: str) -> str | None:
    """One line where an earlier stage has grown since this one was made, with the remedy; called: the user's name."""
    name, parent = study.user_attrs["stage"], study.user_attrs.get("parent")
    if parent is None:
        return None
    remedy = f"`bnsearch reset {called} --from {STAGE_OF[name]}`"
    if name == "final":
        grown = _confirm_has_grown(store, parent["n_repeats"], parent["finalist"])
        return grown and f"{grown}: {remedy} takes them in, with another look at the test set"
    grown = _search_has_grown(store, name, parent["study"], parent["n_trials"])
    return grown and f"{grown}: {remedy} takes the new ones in"


def _search_has_grown(store: Store, name: str, parent: str, n_trials: int) -> str | None:
    """A level against the one that its space is computed from, confirm against the last level."""
    now = last_level(store) if name == "confirm" else store.load(parent.rpartition(".")[2])
    if now is None:
        return None
    level, n_now = now.user_attrs["stage"], n_finished(now)
    if now.study_name != parent:
        return f"{STAGE_OF[level]} has gone on to {level} since {name} was made ({n_now} trials)"
    if n_now == n_trials:
        return None
    return f"{level} has grown since {name} was made ({n_trials} -> {n_now} trials)"


def _confirm_has_grown(store: Store, n_repeats: int, winner: int) -> str | None:
    confirm = store.load("confirm")
    verdict = None if confirm is None else confirm.user_attrs.get("verdict")
    if verdict is None or verdict["n_repeats"] == n_repeats:
        return None
    other = ", and has another winner now" if verdict["winner"] != winner else ""
    return f"confirm has grown since final was made ({n_repeats} -> {verdict['n_repeats']} repeats){other}"
