"""What only SQLite needs: to be known before it is touched, to be read without a trace, to be put in WAL mode."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bnsearch.errors import StoreError

BUSY_SECONDS = 60
OPTUNAS = {
    "studies": "study_id",
    "trials": "trial_id",
    "version_info": "version_info_id",
}  # tables and a column of each
WAL = b"\x02\x02"  # bytes 18 and 19 of a file whose writers use a write-ahead log


def check_optunas(path: Path) -> None:
    """Refuse a file that is no SQLite database, or one of something else; nothing is written.

    A new file, an empty one and one whose tables were begun may become Optuna's.
    """
    if path.exists():
        with _to_read(path):
            pass


def copy_in_memory(path: Path) -> sqlite3.Connection:
    """A consistent copy, which may be written to without a trace on the disk; the caller holds the folder's turn."""
    with _to_read(path) as connection:
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
            f"{path} must be an SQLite database that can be written, but: {error}. Move it away or name another "
            f"with --storage."
        ) from error


@contextmanager
def _to_read(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that cannot write, to a database that is Optuna's."""
    try:
        with closing(sqlite3.connect(_read_only(path), uri=True, timeout=BUSY_SECONDS)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            known = OPTUNAS.keys() & tables
            columns = {t: {row[1] for row in connection.execute(f"PRAGMA table_info({t})")} for t in known}
            if tables and not (known and all(OPTUNAS[t] in columns[t] for t in known)):
                raise StoreError(
                    f"{path} must be a database that Optuna made, but is one of something else. Name another with "
                    f"--storage."
                )
            yield connection
    except (sqlite3.Error, OSError) as error:
        raise StoreError(
            f"{path} must be an SQLite database that can be read, but: {error}. Move it away or name another "
            f"with --storage."
        ) from error


def _read_only(path: Path) -> str:
    """The URI of a connection that leaves no file behind.

    A WAL database without its log is not in use; read in the usual way it would get a log and an index that nobody
    removes, or could not be read at all where its folder cannot be written.
    """
    with path.open("rb") as file:
        header = file.read(20)
    real = path.resolve()  # beside which SQLite puts the log, wherever a link to it lies
    in_use = real.with_name(f"{real.name}-wal").exists()
    immutable = "&immutable=1" if header[18:20] == WAL and not in_use else ""
    return f"{real.as_uri()}?mode=ro{immutable}"
