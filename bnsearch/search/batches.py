"""The batches of a level: trials that are proposed, and at a rung ranked, together."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import optuna

from bnsearch.search.halving import MIN_LANES, SHARES, allowed_steps, rung_steps
from bnsearch.search.plan import epoch_steps, n_steps
from bnsearch.search.tables import SearchTable, TrainingTable

NO_RUNGS: tuple[int, ...] = ()


class Batch(NamedTuple):
    """Trials first … first + n − 1; its rungs are stored with it, and so stay."""

    first: int
    n: int
    rungs: tuple[int, ...] = NO_RUNGS  # steps

    @property
    def end(self) -> int:
        """The first number after it."""
        return self.first + self.n


def stored_batches(study: optuna.Study) -> list[Batch]:
    """All batches so far."""
    return batches_in(study.user_attrs)


def batches_in(attrs: Mapping[str, Any]) -> list[Batch]:
    """The same from the attributes of a study; each is stored as [first, n, *rungs]."""
    return [Batch(first, n, tuple(rungs)) for first, n, *rungs in attrs.get("batches", [])]


def store_batches(study: optuna.Study, batches: Sequence[Batch]) -> None:
    """Write them down."""
    study.set_user_attr("batches", [[batch.first, batch.n, *batch.rungs] for batch in batches])


def rungs_for(table: SearchTable, training: TrainingTable, n_train: int, n: int) -> tuple[int, ...]:
    """Steps of the rungs of a batch of n lanes; none below 16 lanes, nor with TPE."""
    if n < MIN_LANES or table.sampler == "tpe":
        return NO_RUNGS
    length = n_steps(training, n_train)
    allowed = allowed_steps(training.schedule, length, epoch_steps(training, n_train))
    return rung_steps(SHARES if table.rungs is None else table.rungs, allowed, length)
