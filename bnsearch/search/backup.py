"""A copy of a study's database: consistent while a search writes to it, whole or not at all; and the upgrade of a
database that an older Optuna made, after such a copy.
"""

import glob
import logging
import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bnsearch.data.disk_error import cause_and_remedy as disk_cause
from bnsearch.data.whole_file import name_new
from bnsearch.errors import StoreError, UsageError
from bnsearch.search.address import sqlite_path, without_password
from bnsearch.search.database_error import cause_and_remedy, database_errors
from bnsearch.search.lock import in_turn, is_alive
from bnsearch.search.session import storage_url
from bnsearch.search.sqlite import check_whole, check_writable, has_schema, reading
from bnsearch.search.storages import Schema, schema_storage
from bnsearch.search.study_file import Study
from bnsearch.search.study_lock import study_locked


@dataclass(frozen=True)
class Backup:
    """What was copied."""

    path: Path
    n_bytes: int
    n_studies: int
    n_trials: int


def backup(study: Study, storage: str | None, file: Path | None) -> Backup:
    """Copy the study's database, with all studies in it, to a file that is not there yet; by default beside it."""
    path = _file_of(study, storage, "pg_dump or the like")
    target = file if file is not None else _dated(path, "backup")
    with in_turn(path):  # so that no writer begins while a database that nobody uses is read
        return _copy(path, target)


def upgrade(study: Study, storage: str | None) -> Backup:
    """Bring a database to the schema of this Optuna, after a backup beside it."""
    path = _file_of(study, storage, "pg_dump or the like, then `optuna storage upgrade`")
    url = storage_url(study, storage)
    with study_locked(study.results, url), in_turn(path), database_errors(url):
        check_writable(path)
        with reading(path) as connection:
            is_older = has_schema(connection) and Schema.of(schema_storage("sqlite://", connection)).is_older
        if not is_older:
            raise UsageError(f"{path} must have been made by an older Optuna to be upgraded, but needs no upgrade.")
        copied = _copy(path, _dated(path, "before-upgrade"))
        quiet = logging.NullHandler()  # else Optuna sets logging up anew, and tells each step
        logging.getLogger().addHandler(quiet)
        try:
            schema_storage(url).upgrade()
        except Exception as error:
            raise StoreError(
                f"{path} must be a database that Optuna can upgrade, but: {cause_and_remedy(error)}; as it was before "
                f"it lies in {copied.path}."
            ) from error
        finally:
            logging.getLogger().removeHandler(quiet)
    return copied


def _file_of(study: Study, storage: str | None, otherwise: str) -> Path:
    url = storage_url(study, storage)
    path = sqlite_path(url)
    if path is None:
        raise UsageError(
            f"bnsearch copies SQLite databases alone, but {without_password(url)} is none: copy it with {otherwise}."
        )
    if not path.exists():
        raise UsageError(f"There must be a database to copy, but there is none at {path}: run the study first.")
    return path


def _dated(path: Path, what: str) -> Path:
    return path.with_name(f"{path.stem}-{what}-{datetime.now(UTC):%Y%m%d-%H%M%S}{path.suffix}")


def _copy(path: Path, target: Path) -> Backup:
    """Written to a temporary name, checked, brought to the disk, then named; whatever has the name already stays."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    if os.path.lexists(target):
        raise _exists(target)
    if not target.parent.is_dir():
        raise StoreError(
            f"{target} must be in a folder that exists, but there is no folder {target.parent}: make it, or name "
            f"another file."
        )
    _remove_leftovers(path, target)
    try:
        with reading(path) as source, closing(sqlite3.connect(temporary)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, that may be moved and read anywhere
            check_whole(copy, temporary)
            n_studies, n_trials = (
                copy.execute(f"SELECT count(*) FROM {table}").fetchone()[0] if has_schema(copy) else 0
                for table in ("studies", "trials")
            )
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        name_new(temporary, target)
        return Backup(target, target.stat().st_size, n_studies, n_trials)
    except FileExistsError as error:
        raise _exists(target) from error
    except (sqlite3.Error, OSError) as error:
        reason = disk_cause(error) if isinstance(error, OSError) else cause_and_remedy(error)
        raise StoreError(f"{target} must be a file that can be written, but: {reason}.") from error
    finally:
        for leftover in (
            temporary,
            *(temporary.with_name(f"{temporary.name}-{end}") for end in ("wal", "shm", "journal")),
        ):
            with suppress(OSError):
                leftover.unlink(missing_ok=True)


def _remove_leftovers(path: Path, target: Path) -> None:
    """Half copies of processes that were killed, of this file's or of dated backups."""
    ours = (f".{glob.escape(target.name)}.*.tmp*", f".{glob.escape(path.stem)}-*.tmp*")
    for half in [half for pattern in ours for half in target.parent.glob(pattern)]:
        pid = half.name.rpartition(".tmp")[0].rpartition(".")[2]
        if pid.isdecimal() and not is_alive(int(pid)):
            with suppress(OSError):
                half.unlink(missing_ok=True)


def _exists(target: Path) -> StoreError:
    return StoreError(f"{target} must not exist yet, but does: name another file, for a backup writes over nothing.")
