"""What only SQLite needs: to be known before it is touched, to be read without a trace, to be put in WAL mode."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from bnsearch.data.disk_error import cause_and_remedy as disk_cause
from bnsearch.errors import StoreError
from bnsearch.search.database_error import RESTORE, cause_and_remedy

BUSY_SECONDS = 60
OPTUNAS = {
    "studies": "study_id",
    "trials": "trial_id",
    "version_info": "version_info_id",
}  # tables and a column of each
MAGIC = b"SQLite format 3\0"  # with which every database begins
WAL = 2  # byte 18 or 19 of a file whose writers use a write-ahead log
OTHER = "or move it away or name another with --storage"


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that cannot write, to a database that is whole and Optuna's; nothing is written. The caller holds
    the folder's turn, so that nobody begins to write to a database that is not in use.

    A new file, an empty one and one whose tables were begun may become Optuna's.
    """
    _check_kind(path)
    with ExitStack() as opened:
        with _readable(path):
            uri = _without_trace(path)
            connection = opened.enter_context(closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)))
            _check_optunas(connection, path)
            check_whole(connection, path)
        yield connection


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        reason = disk_cause(error) if isinstance(error, OSError) else cause_and_remedy(error)
        raise StoreError(f"{path} must be an SQLite database that can be read, but: {reason}, {OTHER}.") from error


def _check_kind(path: Path) -> None:
    """Refuse a file that is no SQLite database, which nobody should mend or move away; an empty one may become one."""
    try:
        with path.open("rb") as file:
            start = file.read(len(MAGIC))
    except OSError:  # which whoever needs more of it will tell
        return
    if start not in (b"", MAGIC):
        raise StoreError(
            f"{path} must be an SQLite database, but is none: name another with --storage; if it was the study's, "
            f"{RESTORE}."
        )


def _check_optunas(connection: sqlite3.Connection, path: Path) -> None:
    tables = _tables(connection)
    known = OPTUNAS.keys() & tables
    columns = {t: {row[1] for row in connection.execute(f"PRAGMA table_info({t})")} for t in known}
    if tables and not (known and all(OPTUNAS[t] in columns[t] for t in known)):
        raise StoreError(
            f"{path} must be a database that Optuna made, but is one of something else. Name another with --storage."
        )


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def check_whole(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a database that was cut off or written over."""
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        damage = " ".join(str(found).split())
        raise StoreError(f"{path} must be a whole SQLite database, but: {damage}: {RESTORE}, {OTHER}.")


def check_writable(path: Path) -> None:
    """Refuse a database whose first write would be refused. What a killed writer left half done is undone."""
    _check_kind(path)
    if not os.access(path, os.W_OK):
        raise StoreError(f"{path} must be a database that can be written, but cannot: mend its rights, {OTHER}.")
    if path.with_name(f"{path.name}-journal").exists():  # of a database in rollback mode, which cannot be read before
        with suppress(sqlite3.Error), closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()


def has_schema(connection: sqlite3.Connection) -> bool:
    """Have all of Optuna's tables been made? Their version is written down last."""
    tables = _tables(connection)
    return all(
        name in tables and connection.execute(f"SELECT count(*) FROM {name}").fetchone() != (0,)
        for name in ("version_info", "alembic_version")
    )


def copy_in_memory(path: Path) -> sqlite3.Connection:
    """A consistent copy, which may be written to without a trace on the disk; to be called as `reading`."""
    with reading(path) as connection, _readable(path):
        memory = sqlite3.connect(":memory:", check_same_thread=False)
        try:
            connection.backup(memory)
        except sqlite3.Error:
            memory.close()
            raise
    return memory


def switch_to_wal(path: Path) -> None:
    """Let readers and the one writer not wait for each other."""
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error as error:
        raise StoreError(
            f"{path} must be an SQLite database that can be written, but: {cause_and_remedy(error)}, {OTHER}."
        ) from error


def _without_trace(path: Path) -> str:
    """The URI of a connection that leaves no file behind; the caller holds the folder's turn.

    A WAL database without its log is not in use. Read in the usual way it would get a log and an index that nobody
    removes, or could not be read at all where its folder cannot be written or has no room.
    """
    with path.open("rb") as file:
        header = file.read(20)
    real = path.resolve()  # beside which SQLite puts the log, wherever a link to it lies
    in_use = real.with_name(f"{real.name}-wal").exists()
    immutable = "&immutable=1" if WAL in header[18:20] and not in_use else ""
    return f"{real.as_uri()}?mode=ro{immutable}"
