"""SIGKILL just before every single write of a small study, each time gone on with to the end."""

import shutil
import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from bnsearch.search.executor import available_cores
from tests.search.helpers import files, record, without_look
from tests.soak.hazard import Figures, Task, scattered
from tests.soak.victim import TEXTS, n_writes, run_victim, study_of


def run(task: Task) -> Figures:
    """All of them, in an order that covers the whole evenly however soon the time is over."""
    expected, places = {}, []
    for kind in TEXTS:
        whole = task.folder / kind
        assert run_victim(whole, kind) == 0
        expected[kind] = found_in(whole, kind)
        places += [(place / n_writes(whole), kind, n) for place, n in enumerate(scattered(n_writes(whole)))]
    n_all, n_tried, failures = Counter(kind for _, kind, _ in places), Counter[str](), []

    def attempt(place: tuple[float, str, int]) -> str | None:
        _, kind, n = place
        return killed_at(task.folder / f"{kind}-{n}", kind, n, expected[kind])

    with ThreadPoolExecutor(available_cores()) as pool:
        left = iter(sorted(places))
        while task.has_time and (some := list(islice(left, 2 * available_cores()))):
            failures += [failure for failure in pool.map(attempt, some) if failure]
            n_tried.update(kind for _, kind, _ in some)
    notes = [f"{kind}: {n_tried[kind]} of all {n_all[kind]} writes" for kind in TEXTS]
    return Figures("SIGKILL before the n-th write", n_tried.total(), "kills", notes, failures)


def killed_at(folder: Path, kind: str, n: int, expected: Any) -> str | None:
    """Kill, go on, compare; what went wrong, if anything."""
    try:
        if run_victim(folder, kind, n) != -9:
            return f"{kind}: there is no write {n}"
        if run_victim(folder, kind) != 0:
            return f"{kind}: killed before write {n}, it did not go on"
        if found_in(folder, kind) != expected:
            return f"{kind}: killed before write {n}, it came to other results"
    except Exception as error:  # whatever it is, the others go on
        return f"{kind}: killed before write {n}, {type(error).__name__}: {error}"
    shutil.rmtree(folder)
    return None


def found_in(folder: Path, kind: str) -> Any:
    """All results, bit for bit, of a database without a fault."""
    study = study_of(folder, kind)
    with closing(sqlite3.connect(folder / "tiny.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return without_look(record(study)), files(study)
