"""A trial under way in the database, written to in as few transactions as may be.

Optuna's own `Trial` reads the trial again before each write, and writes each attribute in a transaction of its own:
nine attributes and a value would take longer than the training of a small network.
"""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import optuna
import sqlalchemy as sa
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.storages._rdb.models import TrialIntermediateValueModel, TrialModel, TrialUserAttributeModel
from optuna.trial import FrozenTrial, TrialState

from bnsearch.errors import StoreError

# the tables themselves, so that they are what this Optuna has; its schema is checked when the database is opened
ATTRIBUTES = sa.inspect(TrialUserAttributeModel).local_table
REPORTS = sa.inspect(TrialIntermediateValueModel).local_table
TRIALS = sa.inspect(TrialModel).local_table


def add_running(study: optuna.Study, params: Mapping[str, float | str], space: Mapping[str, Any], **attrs: Any) -> None:
    """Enter one configuration whole, so that no crash can leave half of it."""
    distributions = {name: space[name] for name in params}
    frozen = optuna.create_trial(
        state=TrialState.RUNNING, params=dict(params), distributions=distributions, user_attrs=attrs
    )
    study.add_trial(frozen)


def add_to_finished(storage: RDBStorage, attrs: Mapping[int, Mapping[str, Any]]) -> None:
    """More attributes of trials that are over, by their ids in the database: all of them or none.

    Optuna's API lets nothing be added to such a trial, and so keeps what it has read of one: read the study anew.
    """
    rows = [
        {"trial_id": trial_id, "key": key, "value_json": json.dumps(value)}
        for trial_id, own in attrs.items()
        for key, value in own.items()
    ]
    with storage.engine.begin() as connection:
        connection.execute(sa.insert(ATTRIBUTES), rows)


class OpenTrial:
    """A RUNNING trial of a study whose lock is held: nobody else writes to it."""

    def __init__(self, storage: RDBStorage, frozen: FrozenTrial):
        self.storage = storage
        self.number = frozen.number
        self._id: int = frozen._trial_id

    def report(self, values: Mapping[int, float]) -> None:
        """Intermediate values by step, finite ones, of steps that have none yet: all of them or none."""
        assert all(map(math.isfinite, values.values()))
        rows = [
            {"trial_id": self._id, "step": n, "intermediate_value": value, "intermediate_value_type": "FINITE"}
            for n, value in values.items()
        ]
        with self._writing() as connection:
            connection.execute(sa.insert(REPORTS), rows)

    def set_user_attrs(self, attrs: Mapping[str, Any]) -> None:
        """All of them or none, in place of what they were; JSON values."""
        rows = [{"trial_id": self._id, "key": key, "value_json": json.dumps(value)} for key, value in attrs.items()]
        with self._writing() as connection:
            same = sa.and_(ATTRIBUTES.c.trial_id == self._id, ATTRIBUTES.c.key.in_(list(attrs)))
            connection.execute(sa.delete(ATTRIBUTES).where(same))
            connection.execute(sa.insert(ATTRIBUTES), rows)

    def tell(self, state: TrialState, value: float | None = None) -> None:
        """How it ended; the value is finite, for Optuna would take an infinite one for the best."""
        assert value is None or math.isfinite(value)
        try:
            told = self.storage.set_trial_state_values(self._id, state, None if value is None else [value])
        except UpdateFinishedTrialError as error:
            raise self._taken() from error
        if not told:
            raise self._taken()

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """A transaction in which the trial is RUNNING and stays so; SQLite has one writer at a time anyway."""
        with self.storage.engine.begin() as connection:
            state = sa.select(TRIALS.c.state).where(TRIALS.c.trial_id == self._id).with_for_update()
            if connection.execute(state).scalar_one_or_none() != TrialState.RUNNING:
                raise self._taken()
            yield connection

    def _taken(self) -> StoreError:
        return StoreError(
            f"Trial {self.number} must stay RUNNING while it is trained, but something else has ended or deleted it: "
            f"let nothing but bnsearch write to the database's studies of bnsearch, and run again."
        )
