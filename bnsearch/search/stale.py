"""Whether what a stage was built on has grown since. It is said; nothing is redone by itself."""

from collections.abc import Mapping

import optuna

from bnsearch.search.levels import n_finished
from bnsearch.search.setups import STAGE_OF, STUDIES

Studies = Mapping[str, optuna.Study]  # those that there are, by stage or level


def stale(studies: Studies, name: str, called: str) -> str | None:
    """One line where an earlier stage has grown since this one was made, with the remedy; called: the user's name."""
    parent = studies[name].user_attrs.get("parent")
    if parent is None:
        return None
    remedy = f"`bnsearch reset {called} --from {STAGE_OF[name]}`"
    if name == "final":
        grown = _confirm_has_grown(studies, parent["n_repeats"], parent["finalist"])
        return grown and f"{grown}: {remedy} takes them in, with another look at the test set"
    grown = _search_has_grown(studies, name, parent["study"], parent["n_trials"])
    return grown and f"{grown}: {remedy} takes the new ones in"


def _search_has_grown(studies: Studies, name: str, parent: str, n_trials: int) -> str | None:
    """The level before this one, from which its space is computed; for confirm the last level."""
    earlier = [level for level in STUDIES[: STUDIES.index(name)] if level in studies]
    level = earlier[-1]
    n_now = n_finished(studies[level])
    if studies[level].study_name != parent:
        return f"{STAGE_OF[level]} has gone on to {level} since {name} was made ({n_now} trials)"
    return f"{level} has grown since {name} was made ({n_trials} -> {n_now} trials)" if n_now != n_trials else None


def _confirm_has_grown(studies: Studies, n_repeats: int, winner: int) -> str | None:
    verdict = studies["confirm"].user_attrs.get("verdict") if "confirm" in studies else None
    if verdict is None or verdict["n_repeats"] == n_repeats:
        return None
    other = ", and has another winner now" if verdict["winner"] != winner else ""
    return f"confirm has grown since final was made ({n_repeats} -> {verdict['n_repeats']} repeats){other}"
