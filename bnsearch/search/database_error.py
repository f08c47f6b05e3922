"""What a database says when it cannot be read or written, and what helps; never with a password."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import optuna
import sqlalchemy as sa

from bnsearch.data.dataset import one_line
from bnsearch.data.disk_error import DISK, RIGHTS, ROOM
from bnsearch.errors import StoreError
from bnsearch.search.address import hide_passwords, without_password

RESTORE = "bring back a backup (docs/reliability.md says how)"
REMEDIES = {  # by the beginning of SQLite's name for it
    "SQLITE_FULL": ROOM,
    "SQLITE_IOERR": f"{ROOM} or {DISK}",
    "SQLITE_READONLY": RIGHTS,
    "SQLITE_PERM": RIGHTS,
    "SQLITE_CANTOPEN": RIGHTS,
    "SQLITE_CORRUPT": RESTORE,
    "SQLITE_NOTADB": RESTORE,
    "SQLITE_BUSY": "end what else writes to it",
    "SQLITE_LOCKED": "end what else writes to it",
}


def cause_and_remedy(error: BaseException) -> str:
    """Such as "database or disk is full: make room on its disk", for use inside a message."""
    said = error.__cause__ if isinstance(error, optuna.exceptions.StorageInternalError) and error.__cause__ else error
    original = said.orig if isinstance(said, sa.exc.DBAPIError) and said.orig is not None else said
    cause = (str(original).splitlines() or [type(original).__name__])[0]
    name = str(getattr(original, "sqlite_errorname", ""))
    other = "see to the server and the address" if isinstance(said, sa.exc.DBAPIError) and not name else "mend that"
    remedy = next((remedy for start, remedy in REMEDIES.items() if name.startswith(start)), other)
    return f"{cause.rstrip('.')}: {remedy}"


def no_driver(url: str, error: ImportError) -> StoreError:
    """What a URL asks for is not installed."""
    return StoreError(
        f"The database {without_password(url)} must have its driver installed, but: "
        f"{one_line(error.__cause__ or error)}: install it (for PostgreSQL: pip install psycopg[binary], and begin the "
        f"address with postgresql+psycopg://), or leave out --storage."
    )


@contextmanager
def database_errors(url: str) -> Iterator[None]:
    """What the database library raises becomes one line."""
    try:
        yield
    except json.JSONDecodeError as error:  # of what Optuna stores as JSON
        raise StoreError(
            f"The database {without_password(url)} must be whole, but holds text that is cut off or altered: {RESTORE}."
        ) from error
    except (sa.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError, sqlite3.Error) as error:
        reason = hide_passwords(cause_and_remedy(error), url)
        raise StoreError(
            f"The database {without_password(url)} must stay usable, but: {reason}, and run again to go on."
        ) from error
