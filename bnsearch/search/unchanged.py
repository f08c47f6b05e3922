"""A stage goes on only with the settings that it was made with."""

from collections.abc import Mapping, Sequence
from typing import Any

import optuna

from bnsearch.errors import ChangedError
from bnsearch.search.session import Session
from bnsearch.search.setups import STAGES, Comparing, Stage

ASIDE = "another name (copy the study file)"
SHARED = ("seed", "data_fingerprint", "setup")  # what a change of the base tables touches in every stage
Difference = tuple[str, Any, Any]  # key, old and new value


def check_unchanged(session: Session, study: optuna.Study, stage: Stage | Comparing, task: Mapping[str, Any]) -> None:
    """Refuse to go on with a stage whose stored settings differ from the study file's.

    The refusal names the earliest stage that a change touches, for that one would be the next to refuse.
    """
    found = _difference(study.user_attrs, session.attrs(stage, dict(task)), (*SHARED, "task"))
    if found is None:
        return
    for earlier in STAGES[: STAGES.index(stage)] if stage in STAGES else ():
        before = session.store.load(earlier)
        same = None if before is None else _difference(before.user_attrs, session.attrs(earlier, {}), SHARED)
        if before is not None and same is not None:
            raise _changed(session, before, earlier, same)
    raise _changed(session, study, stage, found)


def _changed(session: Session, study: optuna.Study, stage: Stage | Comparing, difference: Difference) -> ChangedError:
    path, old, new = difference
    path = path.removeprefix("setup.").replace("task.", f"{stage}.")
    return ChangedError(
        f"`{path}` must stay as it was when {study.study_name} was made ({old!r}), but is now {new!r}: use {ASIDE}, "
        f"or run `bnsearch reset {session.study.called} --from {stage}`."
    )


def _difference(stored: Mapping[str, Any], now: Mapping[str, Any], keys: Sequence[str]) -> Difference | None:
    found = (_first_difference(stored.get(key), now[key], key) for key in keys)
    return next((difference for difference in found if difference is not None), None)


def _first_difference(old: Any, new: Any, path: str) -> Difference | None:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            found = _first_difference(old.get(key), new.get(key), f"{path}.{key}")
            if found is not None:
                return found
        return None
    return None if old == new else (path, old, new)
