"""A trial under way in the database, written to in as few transactions as may be.

Optuna's own `Trial` reads the trial again before each write, and writes each attribute in a transaction of its own:
nine attributes and a value would take longer than the training of a small network.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

ATTRIBUTES = sa.Table(  # of Optuna's schema, which is checked when the database is opened
    "trial_user_attributes",
    sa.MetaData(),
    sa.Column("trial_id", sa.Integer),
    sa.Column("key", sa.String(512)),
    sa.Column("value_json", sa.Text),
)


REPORTS = sa.Table(
    "trial_intermediate_values",
    sa.MetaData(),
    sa.Column("trial_id", sa.Integer),
    sa.Column("step", sa.Integer),
    sa.Column("intermediate_value", sa.Float(precision=53)),
    sa.Column(
        "intermediate_value_type", sa.Enum("FINITE", "INF_POS", "INF_NEG", "NAN", name="trialintermediatevaluetype")
    ),
)


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
        with self.storage.engine.begin() as connection:
            connection.execute(sa.insert(REPORTS), rows)

    def set_user_attrs(self, attrs: Mapping[str, Any]) -> None:
        """All of them or none, in place of what they were; JSON values."""
        rows = [{"trial_id": self._id, "key": key, "value_json": json.dumps(value)} for key, value in attrs.items()]
        with self.storage.engine.begin() as connection:
            same = sa.and_(ATTRIBUTES.c.trial_id == self._id, ATTRIBUTES.c.key.in_(list(attrs)))
            connection.execute(sa.delete(ATTRIBUTES).where(same))
            connection.execute(sa.insert(ATTRIBUTES), rows)

    def tell(self, state: TrialState, value: float | None = None) -> None:
        """How it ended; the value is finite, for Optuna would take an infinite one for the best."""
        assert value is None or math.isfinite(value)
        self.storage.set_trial_state_values(self._id, state, None if value is None else [value])
