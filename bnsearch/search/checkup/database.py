"""The database of a study: whole, of this Optuna, in use or not, and made by which version."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bnsearch import __version__
from bnsearch.search.address import sqlite_path, without_password
from bnsearch.search.checkup.line import Line, size
from bnsearch.search.database_error import RESTORE, database_errors
from bnsearch.search.lock import in_turn
from bnsearch.search.session import existing_store, revision
from bnsearch.search.setups import NAMES
from bnsearch.search.sqlite import copy_in_memory
from bnsearch.search.stages import status
from bnsearch.search.storages import check_database
from bnsearch.search.study_file import Study
from bnsearch.search.study_lock import holders
from bnsearch.search.trials import finished


@dataclass(frozen=True)
class Stored:
    """What a database holds of a study, by stage."""

    trials: Mapping[str, Mapping[str, int]]  # by their state
    attrs: Mapping[str, Mapping[str, Any]]
    over: Mapping[str, Sequence[int]] = field(default_factory=dict)  # numbers of trials that should have a curve


def read(study: Study, storage: str | None) -> Stored:
    """All of it; BnsearchError where it cannot be read or understood."""
    with existing_store(study, storage) as store:
        rows = status(store, study.called, study.results)
        found = {stage: s for stage in NAMES if store is not None and (s := store.load(stage)) is not None}
        attrs = {stage: dict(optuna_study.user_attrs) for stage, optuna_study in found.items()}
        over = {stage: [t.number for t in finished(s.get_trials(deepcopy=False))] for stage, s in found.items()}
    return Stored({row["stage"]: row["trials"] for row in rows}, attrs, over)


def database(url: str) -> Iterator[Line]:
    """Is it whole, of this Optuna, and can it be written?"""
    path = sqlite_path(url)
    if path is None:
        yield Line("Database", "ok", f"{without_password(url)}: not looked into, for it has tools of its own")
    elif not path.exists():
        yield Line("Database", "ok", f"{path} is not there yet; the first run makes it")
    else:
        yield from _integrity(path)


def _integrity(path: Path) -> Iterator[Line]:
    with in_turn(path):
        check_database(path)
        whole = copy_in_memory(path)
    with closing(whole) as copy:
        damage = [str(found) for (found,) in copy.execute("PRAGMA integrity_check(3)") if found != "ok"]
        orphans = copy.execute("PRAGMA foreign_key_check").fetchmany(3)
    damage += [f"row {row} of {table} is of something that is not there" for table, row, *_ in orphans]
    if damage:
        yield Line("Database", "fail", f"{path}: {'; '.join(damage)}", RESTORE)
        return
    log = path.with_name(f"{path.name}-wal")
    more = f" and {size(log.stat().st_size)} of log" if log.exists() else ""
    yield Line("Database", "ok", f"{path}: whole, of this Optuna's schema, {size(path.stat().st_size)}{more}")


def trials(stored: Stored) -> Iterator[Line]:
    """How many there are, and how many are under way or were left so."""
    n = ", ".join(f"{stage} {sum(states.values())}" for stage, states in stored.trials.items())
    running = sum(states["running"] for states in stored.trials.values())
    left = f"; {running} of them are not finished: a run goes on with them" if running else ""
    yield Line("Trials", "ok", (n or "none yet") + left)


def lock(study: Study, url: str) -> Iterator[Line]:
    """Who runs the study."""
    with database_errors(url):
        found = holders(study.results, url)
    if found:
        yield Line("Lock", "warn", f"{' and '.join(sorted(found))} holds it", "wait for it to end before another run")
    else:
        yield Line("Lock", "ok", "free")


def versions(stored: Stored) -> Iterator[Line]:
    """Which bnsearch made the stages."""
    this = revision()
    shown = f"this is bnsearch {__version__}" + (f" ({this})" if this else "")
    made = [(stage, attrs.get("version"), attrs.get("revision")) for stage, attrs in stored.attrs.items()]
    others = [
        f"{stage} by {number} ({of})" if of else f"{stage} by {number}"
        for stage, number, of in made
        if of != this or number != __version__
    ]
    found = f"{shown}; made {', '.join(others)}" if others else shown
    if any(number != __version__ for _, number, _ in made):
        remedy = "use the version that began, if the changelog tells of other numbers since"
        yield Line("Version", "warn", found, remedy)
    else:
        yield Line("Version", "ok", found)
