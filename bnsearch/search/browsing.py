"""A database, or several as one, to be read for as long as a program runs, while others write to it.

What is read is a copy in memory, made anew where the files have changed: nothing that a reader does can reach them.
"""

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa
from optuna.storages import BaseStorage, RDBStorage, get_storage

from bnsearch.errors import UsageError
from bnsearch.search.address import sqlite_path
from bnsearch.search.lock import in_turn
from bnsearch.search.merging import merge
from bnsearch.search.sqlite import copy_in_memory
from bnsearch.search.storages import storage_on
from bnsearch.search.store import open_store

REST = 20  # times as long as the last copy took, until the next may be made
MIN_REST_SECONDS = 1.0


class Browsed:
    """Databases as one storage, in which finished trials are read once."""

    def __init__(self, url: str, paths: Sequence[Path]):
        """paths: of SQLite files; none: the database at the URL as it is."""
        self.paths = paths
        self._copy: sqlite3.Connection | None = None
        self._seen = self._state_of_files()
        self._due = 0.0
        self._backend = self._opened(url)
        self._begun = self._beginnings()
        self.storage: BaseStorage = get_storage(self._backend)

    def refresh(self) -> bool:
        """Take in what was written since; True where `storage` is another one now, for studies were deleted."""
        now = time.monotonic()
        if self._copy is None or now < self._due:
            return False
        state = self._state_of_files()
        if state == self._seen:
            return False
        self._copy = self._copied()
        self._seen = state
        self._backend.remove_session()
        self._backend.engine.dispose()  # the next connection is to the new copy
        before, self._begun = self._begun, self._beginnings()
        # a number of a study or trial that is gone may be another's now, of which the storage would show old trials
        if all(study in self._begun and at in (None, self._begun[study]) for study, at in before.items()):
            return False
        self.storage = get_storage(self._backend)
        return True

    def close(self) -> None:
        """Give the memory back."""
        self._backend.remove_session()
        self._backend.engine.dispose()

    def _opened(self, url: str) -> RDBStorage:
        if not self.paths:
            return open_store(url, "").storage
        self._copy = copy = self._copied()
        return storage_on("sqlite://", self.paths[0], lambda: self._copy or copy)

    def _copied(self) -> sqlite3.Connection:
        began = time.monotonic()
        first, *others = self.paths
        with in_turn(first):
            copy = copy_in_memory(first)
        for i, path in enumerate(others, start=1):
            with in_turn(path):
                merge(copy, path, i)
        done = time.monotonic()
        self._due = done + max(REST * (done - began), MIN_REST_SECONDS)
        return copy

    def _state_of_files(self) -> list[tuple[int, int] | None]:
        """Size and time of each file and of its log."""
        logs = [path.resolve().with_name(f"{path.resolve().name}-wal") for path in self.paths]
        return [_state(path) for path in (*self.paths, *logs)]

    def _beginnings(self) -> dict[tuple[int, str], str | None]:
        """When the first trial of each study began."""
        query = sa.text(
            "SELECT studies.study_id, study_name, MIN(datetime_start) FROM studies "
            "LEFT JOIN trials ON trials.study_id = studies.study_id GROUP BY studies.study_id, study_name"
        )
        with self._backend.engine.connect() as connection:
            return {(number, name): at and str(at) for number, name, at in connection.execute(query)}


def browse(urls: Sequence[str]) -> Browsed:
    """The databases at these addresses, which must exist; nothing on the disk is created or changed."""
    unique = list(dict.fromkeys(urls))
    paths = [sqlite_path(url) for url in unique]
    if len(paths) > 1 and None in paths:
        raise UsageError(f"Studies of several databases can be shown together only if all are SQLite files: {unique}.")
    return Browsed(unique[0], [path for path in paths if path is not None])


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns
