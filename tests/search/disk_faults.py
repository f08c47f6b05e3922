"""A small study on a disk that fails at each of its writes in turn, and then goes on on one that does not."""

import errno
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from bnsearch.data.own_folder import PREFIX
from bnsearch.errors import BnsearchError
from bnsearch.search import running, schedule
from bnsearch.search.stages import run_all
from bnsearch.search.study_file import Study
from tests.helpers import LEVEL, changed
from tests.search.faults import Disk, failing
from tests.search.helpers import at_work, files, record, tiny, without_look

SMALL = changed(
    LEVEL,
    ("epochs = 2", "epochs = 1"),
    ("trials = 4\nspace", "trials = 2\nspace"),
    ("[fine]\ntrials = 4", "[fine]\ntrials = 1"),
    ("standardize", "components = 12\nstandardize"),
    ("[final]", "[final]\nsetting = { l2 = 1e-3, learning_rate = 0.1 }"),
)
FULL, FAILING = (errno.ENOSPC, True), (errno.EIO, False)  # and whether it stays so
WORDS = {errno.ENOSPC: ("full", "No space left", "disk I/O error"), errno.EIO: ("disk I/O error", "Input/output error")}


@contextmanager
def many_writes(folder: Path) -> Iterator[None]:
    """A state after each call, each call a step or few; and a cache of one's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schedule, "CALL_SECONDS", 0.0)
        patch.setattr(running, "STATE_SECONDS", 0.0)
        patch.setenv("BNSEARCH_CACHE", str(folder / "cache"))
        yield


def run(study: Study) -> None:
    """All its stages, in this process."""
    with at_work(study) as session:
        run_all(session)


def whole_study(folder: Path) -> tuple[dict[str, Any], int]:
    """What comes of it where nothing fails, and how many writes it takes."""
    study, disk = tiny(folder / "study", text=SMALL), Disk(folder, None)
    with many_writes(folder), failing(disk):
        run(study)
    return outcome(study), disk.count


def outcome(study: Study) -> dict[str, Any]:
    """All that must not depend on what failed on the way."""
    return {"database": without_look(record(study)), "files": files(study)}


def survives(folder: Path, n: int, code: int, stays: bool, whole: dict[str, Any]) -> bool:
    """Fail at the n-th write, check what is said and what is there, go on; false where nothing had to be said."""
    rmtree(folder, ignore_errors=True)
    study, disk = tiny(folder / "study", text=SMALL), Disk(folder, n, code, stays=stays)
    refused = False
    with many_writes(folder):
        try:
            with failing(disk):
                run(study)
        except BnsearchError as error:
            refused = True
            line = str(error)
            assert "\n" not in line, line
            assert str(folder) in line, line
            assert any(word in line for word in WORDS[code]), line
        assert disk.failed
        assert integrity(folder / "study" / "tiny.db") in ("ok", "none")
        run(study)
        assert outcome(study) == whole
        assert not list(folder.rglob("*.tmp")) + list((folder / "cache").rglob(f"{PREFIX}*"))
    return refused


def integrity(path: Path) -> str:
    """What SQLite says of a database."""
    if not path.exists():
        return "none"
    connection = sqlite3.connect(path)
    try:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    finally:
        connection.close()


def disk_faults(numbers: Iterable[int] | None = None) -> dict[str, int | str]:
    """Figures of the n-th write failing, for all n: once for a full disk, once for an error that passes."""
    tried = survived = refused = 0
    problems = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        whole, n_writes = whole_study(folder / "whole")
        for code, stays in (FULL, FAILING):
            for n in range(1, n_writes + 1) if numbers is None else numbers:
                tried += 1
                try:
                    refused += survives(folder / "faulty", n, code, stays, whole)
                    survived += 1
                except Exception as error:
                    problems.append(f"{errno.errorcode[code]} at write {n}: {type(error).__name__}: {error}"[:600])
    for problem in problems:
        print(problem)
    return {"name": "disk faults", "tried": tried, "survived": survived, "refused": refused, "writes": n_writes}


if __name__ == "__main__":
    print(disk_faults())
