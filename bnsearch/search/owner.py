"""One results folder belongs to one database: its curves, states and models are about the trials there.

Without this, a study run with another `--storage` would write over the models of the first, and each would show the
other's. The owner is written into the folder; a default database by its name alone, so that a folder may be moved.
"""

import errno
import os
from pathlib import Path

from bnsearch.data.dataset import one_line
from bnsearch.data.disk_error import cause_and_remedy
from bnsearch.data.whole_file import write_whole
from bnsearch.errors import StoreError
from bnsearch.search.address import default_url, sqlite_path, without_password
from bnsearch.search.database_error import RESTORE
from bnsearch.search.study_file import Study

NAME = "database.txt"


def claim(study: Study, url: str) -> None:
    """Make the results folder this database's; refused where it is another's, or cannot be written."""
    path, mine = study.results / NAME, _shown(study, url)
    try:
        study.results.mkdir(parents=True, exist_ok=True)
        owner = path.read_text(encoding="utf-8").strip() if path.exists() else ""
        if not owner:
            write_whole(path, [f"{mine}\n".encode()])
        elif not os.access(study.results, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise StoreError(f"{study.results} must be a writable folder, but: {cause_and_remedy(error)}.") from error
    except ValueError as error:
        raise StoreError(
            f"{path} must be text, but: {one_line(error)}. Write the database's address into it."
        ) from error
    check_owner(study, url)


def check_owner(study: Study, url: str) -> None:
    """Refuse a results folder that belongs to another database."""
    path, mine = study.results / NAME, _shown(study, url)
    try:
        owner = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):  # none has claimed it yet
        return
    if owner != mine:
        raise StoreError(
            f"The results in {study.results} must belong to the database at hand, but are of {owner}, not {mine}: "
            f"use that one, or another name (copy the study file); if it was moved, write its address into {path}."
        )


def check_not_emptied(study: Study, path: Path) -> None:
    """Refuse a database file that has become empty beside the results of what was in it; a new one is not there yet."""
    empty = path.is_file() and path.stat().st_size == 0 and not path.with_name(f"{path.name}-wal").exists()
    if empty and any(study.results.glob("*/*")):
        raise StoreError(
            f"{path} must hold the trials whose results lie in {study.results}, but is empty: {RESTORE}, or delete it "
            f"to start anew."
        )


def release(study: Study) -> None:
    """Let another database have the folder."""
    (study.results / NAME).unlink(missing_ok=True)


def _shown(study: Study, url: str) -> str:
    path = sqlite_path(url)
    if path is None:
        return without_password(url)
    default = sqlite_path(default_url(study.folder, study.name))
    real = os.path.realpath(path)
    return path.name if default is not None and real == os.path.realpath(default) else f"sqlite:///{real}"
