"""One coordinator a study: its locks beside its results and beside, or in, its database, as one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bnsearch.search.address import sqlite_path
from bnsearch.search.lock import holder, lock_files, locked, seems_held
from bnsearch.search.server_lock import server_holder, server_locked


@contextmanager
def study_locked(results: Path, url: str) -> Iterator[Callable[[], None]]:
    """Hold all locks of the study whose results lie in the folder `results`, or raise LockedError with a holder.

    Yields a check that raises LockedError if one has been lost since: a server ends a connection, somebody removes a
    lock file.
    """
    with ExitStack() as held:
        what, files = f"The study {results.name!r}", lock_files(results, sqlite_path(url))
        checks = [held.enter_context(locked(path, what)) for path in files]
        checks.append(held.enter_context(server_locked(url, results.name)))

        def check() -> None:
            for one in checks:
                one()

        yield check


def holders(results: Path, url: str) -> set[str]:
    """Who holds the study's locks; more than one may."""
    found = {holder(path) for path in lock_files(results, sqlite_path(url))} | {server_holder(url, results.name)}
    return {str(one) for one in found if one is not None}


def seems_at_work(results: Path, url: str) -> bool:
    """Does a process hold the study, as far as this machine and the database's server can tell?"""
    files = lock_files(results, sqlite_path(url))
    return any(map(seems_held, files)) or server_holder(url, results.name) is not None
