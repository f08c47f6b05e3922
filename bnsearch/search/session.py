"""One command at work on one study: its lock, its database, its materials."""

import subprocess
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bnsearch.data.cache import check_writable
from bnsearch.errors import StoreError
from bnsearch.search.address import default_url, sqlite_path
from bnsearch.search.database_error import database_errors
from bnsearch.search.executor import ExecutorFactory
from bnsearch.search.lock import in_turn
from bnsearch.search.materials import Materials, cache_folder
from bnsearch.search.owner import check_not_emptied, check_owner, claim
from bnsearch.search.progress import Progress
from bnsearch.search.software import software
from bnsearch.search.storages import check_database
from bnsearch.search.store import Store, open_existing, open_store
from bnsearch.search.stored import as_written, check_stored
from bnsearch.search.study_file import Study
from bnsearch.search.study_lock import study_locked

Present = Callable[["Session", Collection[str]], None]


def leave_unsaid(session: "Session", names: Collection[str]) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Session:
    """What the stages of one command share."""

    study: Study
    store: Store
    materials: Materials
    present: Present = leave_unsaid  # writes for the dashboard how the stages and levels of these names stand
    may_begin: Callable[[], bool] = lambda: True  # is there time for what would be begun?
    check_held: Callable[[], None] = lambda: None  # raises LockedError where the study's lock was lost

    @property
    def progress(self) -> Progress:
        """Who is told what goes on."""
        return self.materials.progress

    def attrs(self, name: str, task: dict[str, Any], **more: Any) -> dict[str, Any]:
        """What stays constant for the study of a stage or of a level."""
        from bnsearch import __version__

        return {
            "stage": name,
            "seed": self.study.seed,
            "data_fingerprint": self.materials.dataset.fingerprint,
            "version": __version__,
            "revision": revision(),
            "software": software(),
            "task": task,
            "setup": self.study.setup_of(name).model_dump(mode="json"),
            **more,
        }


@contextmanager
def open_session(
    study: Study,
    *,
    n_workers: int,
    executor_factory: ExecutorFactory,
    progress: Progress,
    storage: str | None = None,
    data_dir: Path | None = None,
    present: Present = leave_unsaid,
) -> Iterator[Session]:
    """Read the data, take the study's locks, open its database: in this order, so that bad data leaves nothing
    behind.
    """
    url = storage_url(study, storage)
    path = sqlite_path(url)
    materials = Materials(study, cache_folder(), n_workers, executor_factory, progress, data_dir)
    _ = materials.dataset
    if path is None or not path.exists():  # a finished study does not need a cache any longer
        check_writable(materials.cache)
    with _to_write(study, url, claim) as (store, check_held):
        try:
            yield Session(study, store, materials, present, check_held=check_held)
        finally:
            materials.close()


@contextmanager
def store_to_change(study: Study, storage: str | None) -> Iterator[Store | None]:
    """The study's database under the study's locks, or None where there is none yet."""
    url = storage_url(study, storage)
    path = sqlite_path(url)
    if path is not None and not path.exists():
        yield None
        return
    with _to_write(study, url, check_owner) as (store, _):
        yield store


@contextmanager
def _to_write(study: Study, url: str, own: Callable[[Study, str], None]) -> Iterator[tuple[Store, Callable[[], None]]]:
    """The study's database under the study's locks, whole and with what bnsearch wrote, and a check of the locks, which
    each commit asks as well; own: whose are the results?
    """
    path = sqlite_path(url)
    if path is not None and path.exists():
        check_not_emptied(study, path)
        with in_turn(path):
            check_database(path)
    with database_errors(url), study_locked(study.results, url) as check:
        own(study, url)
        store = open_store(url, study.name)
        try:
            with as_written(url, study.name):
                check_stored(store)
            store.before_each_commit(check)
            yield store, check
        finally:
            store.close()


@contextmanager
def existing_store(study: Study, storage: str | None) -> Iterator[Store | None]:
    """The study's database for a look, or None where there is none yet."""
    url = storage_url(study, storage)
    path = sqlite_path(url)
    if path is not None:
        check_not_emptied(study, path)
    with database_errors(url):
        store = open_existing(url, study.name)
        try:
            with as_written(url, study.name):
                yield store
        finally:
            if store is not None:
                store.close()


def storage_url(study: Study, storage: str | None) -> str:
    """The database that was asked for, or the one beside the study file; refused if it is no address of one."""
    if storage is None:
        return default_url(study.folder, study.name)
    path = sqlite_path(storage)
    if path is not None and not path.parent.is_dir():  # mistyped, as a rule
        raise StoreError(
            f"--storage must name a file in a folder that exists, but there is no folder {path.parent}: correct the "
            f"address, or make the folder."
        )
    return storage


def revision() -> str | None:
    """The commit of the checkout that bnsearch runs from; None for an installed package."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "rev-parse", "--short=12", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
