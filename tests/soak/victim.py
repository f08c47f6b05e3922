"""A small search that is killed just before its n-th write; forked from a server that has all imports behind it."""

import multiprocessing
import os
import signal
import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from threadpoolctl import threadpool_limits

from bnsearch.search import running, schedule
from bnsearch.search.stages import run_all, run_stage
from bnsearch.search.study_file import Study
from tests.helpers import BRIEF, TINY, changed
from tests.search.helpers import at_work, tiny

NEVER = 10**9
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "sqlite3.connect"}
READING = ("SELECT", "PRAGMA")
TEXTS = {  # the whole chain with a state at each call, and a batch with rungs
    "chain": changed(BRIEF, ("batch_size = 40", "batch_size = 21"), ("trials = 4\n[confirm]", "trials = 1\n[confirm]")),
    "rungs": changed(TINY, ("trials = 6", "trials = 16"), ("hidden = [8]", "hidden = [2]")),
}


def study_of(folder: Path, kind: str) -> Study:
    """The study of a kind in a folder of its own."""
    return tiny(folder, text=TEXTS[kind])


class Writes:
    """Counts what changes a file or the database, and kills this process just before the n-th."""

    def __init__(self, n: int):
        self.n, self.count = n, 0
        sys.addaudithook(self._audit)
        sa.event.listen(sa.engine.Engine, "before_cursor_execute", self._execute)
        sa.event.listen(sa.engine.Engine, "commit", lambda connection: self._next())

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        if event in CHANGES or (event == "open" and isinstance(args[2], int) and args[2] & WRITING):
            self._next()

    def _execute(self, connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        if not statement.lstrip().upper().startswith(READING):
            self._next()

    def _next(self) -> None:
        self.count += 1
        if self.count == self.n:
            os.kill(os.getpid(), signal.SIGKILL)


def live(folder: str, kind: str, n: int) -> None:
    """Bring the study to its end, if it comes so far, and write down how many writes that took."""
    os.environ["BNSEARCH_CACHE"] = f"{folder}/cache"
    schedule.CALL_SECONDS, running.STATE_SECONDS = 0.0, 0.0 if kind == "chain" else 1e9
    study = study_of(Path(folder), kind)
    writes = Writes(n)
    with threadpool_limits(1), at_work(study) as session:
        if kind == "chain":
            run_all(session)
        else:
            run_stage(session, "coarse")
    count = writes.count
    (Path(folder) / "writes.txt").write_text(str(count))


def run_victim(folder: Path, kind: str, n: int = NEVER) -> int:
    """A process of its own; its exit code, -9 where it was killed."""
    folder.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "alembic.command", "scipy.stats", "sklearn.datasets"])
    process = context.Process(target=live, args=(str(folder), kind, n))
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def n_writes(folder: Path) -> int:
    """Of the victim that came to its end there."""
    return int((folder / "writes.txt").read_text())
