"""Optuna's storage of a database, once that is known to be one that this Optuna can use."""

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Self

import optuna
import sqlalchemy as sa
from optuna.storages import RDBStorage

from bnsearch.errors import StoreError
from bnsearch.search.address import hide_passwords, without_password
from bnsearch.search.database_error import cause_and_remedy, no_driver
from bnsearch.search.sqlite import check_writable, has_schema, reading


def check_database(path: Path) -> bool:
    """Refuse a file that is not, and cannot become, a whole database of this Optuna that can be written; nothing is
    written. Have its tables been made? The caller holds the folder's turn.
    """
    if not path.exists():
        return False
    check_writable(path)
    with reading(path) as connection:
        made = has_schema(connection)
        if made:
            _check_schema(path, Schema.of(schema_storage("sqlite://", connection)))
    return made


def new_storage(url: str, engine_kwargs: dict[str, Any], *, made: bool = False) -> RDBStorage:
    """Optuna's storage, which makes its tables if they have not been made, and then checks their version."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # what it warns of comes as an exception too
    # errors come as exceptions; what the pool logs besides is a traceback when Ctrl-C meets a query
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    template = url.replace("{", "{{").replace("}", "}}")  # which Optuna fills in
    try:
        return RDBStorage(
            template, engine_kwargs=engine_kwargs, skip_compatibility_check=made, skip_table_creation=made
        )
    except ImportError as error:
        raise no_driver(url, error) from error
    except (sa.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError, RuntimeError) as error:
        raise StoreError(
            f"The database {without_password(url)} must be one that Optuna {optuna.__version__} can use, but: "
            f"{hide_passwords(cause_and_remedy(error), url)}."
        ) from error


def storage_on(url: str, path: Path, current: Callable[[], sqlite3.Connection]) -> RDBStorage:
    """A storage of a copy in memory of the database at path; current: the copy that is to be read by now."""
    made = has_schema(current())
    storage = new_storage(url, {"creator": current, "poolclass": sa.pool.StaticPool}, made=made)
    if made:
        _check_schema(path, Schema.of(storage))
    return storage


class Schema(NamedTuple):
    """A database's, by Optuna's name for it, and that of this Optuna."""

    found: str
    known: str
    is_older: bool

    @classmethod
    def of(cls, storage: RDBStorage) -> Self:
        """That of a storage whose tables have been made."""
        found, known = storage.get_current_version(), storage.get_head_version()
        return cls(found, known, is_older=found != known and found in storage.get_all_versions())


def schema_storage(url: str, connection: sqlite3.Connection | None = None) -> RDBStorage:
    """A storage of any schema, by which it may be known or upgraded; nothing is written yet."""
    return new_storage(url, {} if connection is None else _on(connection), made=True)


def _on(connection: sqlite3.Connection) -> dict[str, Any]:
    """Options of an engine that has this one connection."""
    return {"creator": lambda: connection, "poolclass": sa.pool.StaticPool}


def _check_schema(path: Path, schema: Schema) -> None:
    """Refuse that of another Optuna."""
    must = f"{path} must have the schema of Optuna {optuna.__version__} ({schema.known})"
    if schema.is_older:
        raise StoreError(
            f"{must}, but has an older one ({schema.found}): `bnsearch upgrade` makes a backup and upgrades it."
        )
    if schema.found != schema.known:
        raise StoreError(
            f"{must}, but has that of a newer Optuna ({schema.found}): upgrade Optuna (pip install --upgrade optuna), "
            f"or name another database with --storage."
        )
