"""The database: opened once, in WAL mode, by the coordinator alone.

Studies, their provenance, and the ledger of test-set looks.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import optuna
import sqlalchemy as sa
from optuna.samplers import RandomSampler
from optuna.storages import RDBStorage

from bnsearch.errors import StoreError
from bnsearch.search.address import sqlite_path, without_password
from bnsearch.search.database_error import RESTORE
from bnsearch.search.lock import in_turn
from bnsearch.search.server_lock import server_turn, wait_for_turn
from bnsearch.search.sqlite import BUSY_SECONDS, copy_in_memory, switch_to_wal
from bnsearch.search.storages import check_database, new_storage, storage_on

LOOKS = sa.Table(
    "bnsearch_test_looks",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("study", sa.String(512), nullable=False),
    sa.Column("purpose", sa.String(512), nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
    sa.Column("refused", sa.Text),  # why the rows were not used; such a look does not count
)


class Store:
    """The stages of one study in one database."""

    def __init__(self, storage: RDBStorage, name: str):
        self.storage = storage
        self.name = name
        self._studies: dict[str, optuna.Study] = {}  # each reads a finished trial once

    @property
    def url(self) -> str:
        """The database's address, without a password."""
        return without_password(self.storage.url)

    def load(self, stage: str) -> optuna.Study | None:
        """A stage's study, or None where it has not been started."""
        if stage in self._studies:
            return self._studies[stage]
        try:
            # proposals come from elsewhere: this sampler is never asked
            study = optuna.load_study(study_name=f"{self.name}.{stage}", storage=self.storage, sampler=RandomSampler(0))
        except KeyError:
            return None
        if "setup" not in study.user_attrs:
            return None
        self._studies[stage] = study
        return study

    def create(self, stage: str, attrs: Mapping[str, Any], value_name: str = "validation accuracy") -> optuna.Study:
        """A stage's study with what stays constant; `setup` is written last and marks it whole."""
        try:
            study = optuna.create_study(
                study_name=f"{self.name}.{stage}",
                storage=self.storage,
                sampler=RandomSampler(0),
                direction="maximize",
                load_if_exists=True,
            )
        except KeyError as error:  # SQLite gives a number again, and then its rows are there already
            raise StoreError(
                f"The database {self.url} must hold no rows of studies that are gone, but does: {RESTORE}."
            ) from error
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names([value_name])  # what the dashboard calls the value
        for key, value in sorted(attrs.items(), key=lambda item: item[0] == "setup"):
            study.set_user_attr(key, value)
        return study

    def forget(self, stage: str) -> None:
        """Finished trials are read anew, for more was written down of them."""
        self._studies.pop(stage, None)

    def delete(self, stage: str) -> bool:
        """Remove a stage's study with all its trials; False where there is none."""
        self._studies.pop(stage, None)
        try:
            optuna.delete_study(study_name=f"{self.name}.{stage}", storage=self.storage)
        except KeyError:
            return False
        return True

    def record_look(self, fingerprint: str, purpose: str) -> int:
        """Write down a look at the test set before it happens; returns its number for this data."""
        with self._durable() as connection, connection.begin():
            wait_for_turn(connection)
            connection.execute(sa.schema.CreateTable(LOOKS, if_not_exists=True))
            now = datetime.now(UTC).isoformat(timespec="seconds")
            connection.execute(LOOKS.insert().values(fingerprint=fingerprint, study=self.name, purpose=purpose, at=now))
        return sum(look["refused"] is None for look in self.looks(fingerprint))

    def refuse_look(self, fingerprint: str, reason: str) -> None:
        """Say of this study's last look at the data that the rows were not used."""
        last = sa.select(sa.func.max(LOOKS.c.id)).where(LOOKS.c.fingerprint == fingerprint, LOOKS.c.study == self.name)
        with self.storage.engine.begin() as connection:
            number = connection.execute(last).scalar_one()
            connection.execute(LOOKS.update().where(LOOKS.c.id == number).values(refused=reason))

    def looks(self, fingerprint: str | None = None) -> list[dict[str, Any]]:
        """Looks at the test set of this data, or those of this study, oldest first."""
        if not sa.inspect(self.storage.engine).has_table(LOOKS.name):
            return []
        own = LOOKS.c.study == self.name if fingerprint is None else LOOKS.c.fingerprint == fingerprint
        with self.storage.engine.connect() as connection:
            rows = connection.execute(sa.select(LOOKS).where(own).order_by(LOOKS.c.id))
            return [dict(row._mapping) for row in rows]

    @contextmanager
    def _durable(self) -> Iterator[sa.Connection]:
        """A connection whose transactions are on the disk when they end: not even a power cut undoes a look."""
        with self.storage.engine.connect() as connection:
            if connection.dialect.name != "sqlite":
                yield connection
                return
            connection.exec_driver_sql("PRAGMA synchronous = FULL")
            connection.commit()  # the setting takes no part in a transaction, but SQLAlchemy began one
            try:
                yield connection
            finally:
                connection.exec_driver_sql("PRAGMA synchronous = NORMAL")

    def before_each_commit(self, check: Callable[[], None]) -> None:
        """What check raises keeps a transaction from being written."""
        sa.event.listen(self.storage.engine, "commit", lambda connection: check())

    def close(self) -> None:
        """Give the connections back."""
        self.storage.remove_session()
        self.storage.engine.dispose()


def open_store(url: str, name: str) -> Store:
    """Open the database, and create it where there is none."""
    path = sqlite_path(url)
    if path is None:
        with server_turn(url):
            return Store(new_storage(url, {}), name)
    with in_turn(path):  # two creators at once would corrupt the schema
        made = check_database(path)
        switch_to_wal(path)
        storage = new_storage(url, {"connect_args": {"timeout": BUSY_SECONDS}}, made=made)
        # NORMAL is safe in WAL mode and saves an fsync a commit; it is a property of each connection
        normal = "PRAGMA synchronous = NORMAL"
        sa.event.listen(storage.engine, "connect", lambda connection, _: connection.execute(normal))
        storage.remove_session()
        storage.engine.dispose()
        with storage.engine.connect() as connection:  # by now there is a log, by which others see that it is in use
            connection.exec_driver_sql("SELECT count(*) FROM studies")
    return Store(storage, name)


def open_existing(url: str, name: str) -> Store | None:
    """The database as it is now, to be read, or None where there is none: nothing on the disk is created or changed."""
    path = sqlite_path(url)
    if path is None:
        return open_store(url, name)
    if not path.exists():
        return None
    with in_turn(path):  # so that no writer begins while a database that nobody uses is read
        copy = copy_in_memory(path)
    # a storage completes its tables when it is opened: here, in the copy alone
    return Store(storage_on(url, path, lambda: copy), name)
