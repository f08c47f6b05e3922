"""What the database holds of a study, read once as those who go on with it read it.

SQLite keeps its pages in order, not what stands in them: a row that was altered would stop a search in the middle.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from optuna.trial import FrozenTrial
from pydantic import BaseModel

from bnsearch.data.dataset import one_line
from bnsearch.errors import StoreError
from bnsearch.search.address import without_password
from bnsearch.search.batches import batches_in
from bnsearch.search.choose import tie_set
from bnsearch.search.database_error import RESTORE
from bnsearch.search.setups import COMPARE, LEVELS, NAMES
from bnsearch.search.space import Edge, stored_sides
from bnsearch.search.store import Store
from bnsearch.search.tables import Range
from bnsearch.search.trials import finished

Json = dict[str, Any]


class Attributes(BaseModel):
    """Of every stage."""

    stage: str
    seed: int
    task: Json
    setup: Json
    total: int = 0
    parent: Json | None = None
    verdict: Json = {}
    result: Json = {}


class OfLevel(Attributes):
    """Of a level of the search."""

    space: dict[str, Range | tuple[float, ...]]
    open_sides: list[Edge]
    batches: list[list[int]] = []


class OfConfirm(Attributes):
    """Of confirm."""

    finalists: list[Json]


class OfFinal(Attributes):
    """Of final."""

    params: dict[str, float]


class OfComparison(Attributes):
    """Of a comparison."""

    variants: list[Json]


FORMS: dict[str, type[Attributes]] = {
    **dict.fromkeys(LEVELS, OfLevel),
    "confirm": OfConfirm,
    "final": OfFinal,
    COMPARE: OfComparison,
}
PLACES = {"confirm": ("repeat", "finalist"), "final": ("repeat",), COMPARE: ("repeat", "variant")}  # of each trial


@contextmanager
def as_written(url: str, name: str) -> Iterator[None]:
    """What cannot be read of the study's rows becomes one line; nothing but reading may stand in here."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, AssertionError) as error:
        why = one_line(error) if str(error) else "Optuna cannot read it"  # which asserts without a word
        raise StoreError(
            f"What {without_password(url)} holds of {name!r} must be as this version of bnsearch writes it, "
            f"but: {why}: {RESTORE}, or use the version that wrote it."
        ) from error


def check_stored(store: Store) -> None:
    """Raise what `as_written` tells where a stage is not as it was written, as far as that can be seen."""
    for name in NAMES:
        study = store.load(name)
        if study is not None:
            _check(name, study.user_attrs, study.get_trials(deepcopy=False))


def _check(name: str, attrs: Mapping[str, Any], trials: Sequence[FrozenTrial]) -> None:
    FORMS[name].model_validate(attrs)
    over = finished(trials)
    if name in LEVELS:
        batches_in(attrs)
        tie_set(over)
        for side in stored_sides(attrs):
            if side.name not in attrs["space"]:
                raise ValueError(f"{name} has an open side of {side.name!r}, which it does not search")
    names = attrs["space"].keys() if name in LEVELS else None
    for trial in trials:
        if names is not None and trial.params.keys() != names:
            raise ValueError(f"trial {trial.number} of {name} has {sorted(trial.params)} in place of {sorted(names)}")
        # of a level each must be a number, which asking says of what is none; variants have texts as well
        numbers = [value for value in trial.params.values() if name in LEVELS or isinstance(value, float)]
        if not all(map(math.isfinite, numbers)):
            raise ValueError(f"trial {trial.number} of {name} has a parameter that is not finite")
        for key in PLACES.get(name, ()):
            int(trial.user_attrs[key])
