"""One coordinator a study, by whatever folder and database it is reached; different studies do not meet."""

import fcntl
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bnsearch.errors import LockedError
from bnsearch.search import lock
from bnsearch.search.advance import advance
from bnsearch.search.lock import in_turn
from bnsearch.search.session import store_to_change
from bnsearch.search.study_file import Study
from bnsearch.search.study_lock import study_locked
from tests.search.helpers import Inline, at_work, files, run, tiny, trials_of

QUICK = ("training.epochs=1", "coarse.trials=1", "network.hidden=[2]")


def quick(folder: Path, name: str = "tiny") -> Study:
    return tiny(folder, *QUICK, name=name)


@pytest.fixture(autouse=True)
def folders(tmp_path: Path) -> None:
    for name in ("one", "two", "data"):
        (tmp_path / name).mkdir()


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def own(folder: Path) -> str:
    """The study's default database, whose lock is the folder's."""
    return url(folder / "tiny.db")


def assert_refused(study: Study, storage: str | None) -> None:
    with pytest.raises(LockedError, match=rf"study 'tiny' must not be in use, but process {os.getpid()} on "):
        run(study, "coarse", storage=storage)
    with pytest.raises(LockedError, match="study 'tiny' must not be in use"), store_to_change(study, storage):
        pass


def test_two_folders_with_one_database_and_one_name(tmp_path: Path) -> None:
    """Both once wrote into the same Optuna studies."""
    shared = url(tmp_path / "data" / "shared.db")
    run(quick(tmp_path / "one"), "coarse", storage=shared)  # so that there is something to reset
    with at_work(quick(tmp_path / "one"), storage=shared):
        assert_refused(quick(tmp_path / "two"), shared)
    assert run(quick(tmp_path / "two"), "coarse", storage=shared) == [False]


def test_the_default_database_of_another_folder(tmp_path: Path) -> None:
    run(quick(tmp_path / "one"), "coarse")
    shared = own(tmp_path / "one")
    with at_work(quick(tmp_path / "one")):
        assert_refused(quick(tmp_path / "two"), shared)
    with at_work(quick(tmp_path / "two"), storage=shared):
        assert_refused(quick(tmp_path / "one"), None)


def test_a_database_under_two_names(tmp_path: Path) -> None:
    run(quick(tmp_path / "one"), "coarse", storage=url(tmp_path / "data" / "real.db"))
    (tmp_path / "data" / "link.db").symlink_to("real.db")
    (tmp_path / "other-data").symlink_to("data")
    with at_work(quick(tmp_path / "one"), storage=url(tmp_path / "data" / "link.db")):
        for path in ("data/real.db", "other-data/real.db", "other-data/link.db"):
            assert_refused(quick(tmp_path / "two"), url(tmp_path / path))


def test_whoever_knows_a_database_by_another_name_waits_for_the_same_turn(tmp_path: Path) -> None:
    """Some once waited for the folder of the link, and others for that of the database."""
    (tmp_path / "one" / "link.db").symlink_to(tmp_path / "data" / "real.db")
    with in_turn(tmp_path / "data" / "real.db"):
        other = os.open(tmp_path / "data", os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with in_turn(tmp_path / "one" / "link.db"), pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)


def test_one_folder_with_two_databases(tmp_path: Path) -> None:
    """Its results folder would be written by both."""
    with (
        at_work(quick(tmp_path / "one"), storage=url(tmp_path / "data" / "other.db")),
        pytest.raises(LockedError, match="study 'tiny' must not be in use"),
    ):
        run(quick(tmp_path / "one"), "coarse")


def test_different_studies_of_a_database_and_databases_of_a_folder_run_side_by_side(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with (
        at_work(quick(tmp_path / "one"), storage=url(data / "a.db")),
        at_work(quick(tmp_path / "one", "other"), storage=url(data / "a.db")),
        at_work(quick(tmp_path / "two"), storage=url(data / "b.db")),
        at_work(quick(data), storage=None),
        at_work(quick(tmp_path / "two", "a"), storage=url(data / "a.sqlite")),
    ):
        pass


def test_a_study_in_use_frees_what_it_had_locked_already(tmp_path: Path) -> None:
    """The folder's lock must not stay with whoever did not get the database's."""
    shared = tmp_path / "data" / "shared.db"
    with study_locked(tmp_path / "one" / "tiny", url(shared)):
        with pytest.raises(LockedError), study_locked(tmp_path / "two" / "tiny", url(shared)):
            pass
        with study_locked(tmp_path / "two" / "tiny", own(tmp_path / "two")):
            pass


def test_whoever_has_lost_its_lock_file_writes_no_more(tmp_path: Path) -> None:
    """With the file removed, a second search once wrote into the study beside the first."""
    study = quick(tmp_path / "one")
    with at_work(study) as session:
        (tmp_path / "one" / "tiny.lock").unlink()
        with pytest.raises(LockedError, match=r"must stay locked .*tiny\.lock was removed .* run again") as caught:
            session.store.create("coarse", {"setup": {}})
        assert run(study, "coarse") == [True]
        with pytest.raises(LockedError, match="was removed or replaced"):
            session.store.delete("coarse")
    assert "\n" not in str(caught.value)
    assert [trial.state.name for trial in trials_of(study, "coarse")] == ["COMPLETE"]


def test_a_search_whose_lock_file_is_removed_stops_at_its_next_news(tmp_path: Path) -> None:
    """Nor does it write states or curves over those of another."""

    class Removing(Inline):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            if fn is advance:
                (tmp_path / "one" / "tiny.lock").unlink(missing_ok=True)  # at the first of several calls
            return super().submit(fn, *args, **kwargs)

    with pytest.raises(LockedError, match="was removed or replaced"):
        run(quick(tmp_path / "one"), "coarse", executor=Removing)
    assert files(quick(tmp_path / "one")) == {}


def test_a_lock_file_that_is_removed_while_it_is_taken_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lock would have kept nobody out."""
    path, take = tmp_path / "one" / "tiny.lock", lock._take

    def removing(descriptor: int, what: str) -> None:
        monkeypatch.setattr(lock, "_take", take)
        path.unlink()
        take(descriptor, what)

    monkeypatch.setattr(lock, "_take", removing)
    with study_locked(tmp_path / "one" / "tiny", own(tmp_path / "one")) as check:
        check()
        with pytest.raises(LockedError, match="must not be in use"):
            run(quick(tmp_path / "one"), "coarse")


# ---- who holds it


def held_without_a_name(path: Path, content: str) -> int:
    """A descriptor that holds the lock, whose holder has not come to write its name."""
    path.write_text(content)
    descriptor = os.open(path, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def gone() -> int:
    """The number of a process that is no more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def named(pid: int) -> str:
    return json.dumps({"host": socket.gethostname(), "pid": pid, "since": "2026-01-01T00:00:00+00:00"})


def while_waiting(monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> list[int]:
    """Do it when the lock is first waited for, on a clock that stands still; how often it was, when all is over."""
    waits: list[int] = []

    def sleep(seconds: float) -> None:
        waits.append(len(waits) + 1)
        assert waits == [1], "it is over by now"
        do()

    monkeypatch.setattr(lock, "time", SimpleNamespace(monotonic=lambda: 0.0, sleep=sleep))
    return waits


@pytest.mark.parametrize("content", ["", '{"host"', "a dead one's name"])
def test_a_holder_that_has_just_begun_is_named_all_the_same(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who came between its lock and its name was told of nobody, or of the one who was killed before."""
    path = tmp_path / "one" / "tiny.lock"
    descriptor = held_without_a_name(path, named(gone()) if content.startswith("a dead") else content)
    waited = while_waiting(monkeypatch, lambda: path.write_text(named(os.getpid())))
    try:
        with pytest.raises(LockedError, match=rf"but process {os.getpid()} on {socket.gethostname()} \(since 2026"):
            study_locked(tmp_path / "one" / "tiny", own(tmp_path / "one")).__enter__()
    finally:
        os.close(descriptor)
    assert waited == [1]


def test_one_who_only_looks_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`doctor` holds the lock for a moment, to see whether anybody has it."""
    path = tmp_path / "one" / "tiny.lock"
    path.touch()
    descriptor = os.open(path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    waited = while_waiting(monkeypatch, lambda: os.close(descriptor))
    with study_locked(tmp_path / "one" / "tiny", own(tmp_path / "one")):
        assert str(os.getpid()) in path.read_text()
    assert waited == [1]


def test_a_holder_that_never_says_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "WRITING_SECONDS", 0.05)
    descriptor = held_without_a_name(tmp_path / "one" / "tiny.lock", "")
    try:
        with pytest.raises(LockedError, match="but another process holds it"):
            study_locked(tmp_path / "one" / "tiny", own(tmp_path / "one")).__enter__()
    finally:
        os.close(descriptor)


def test_a_holder_elsewhere_is_named_as_it_stands(tmp_path: Path) -> None:
    """Whether it lives cannot be asked here."""
    content = json.dumps({"host": "another-host", "pid": 1, "since": "yesterday"})
    descriptor = held_without_a_name(tmp_path / "one" / "tiny.lock", content)
    try:
        with pytest.raises(LockedError, match=r"but process 1 on another-host \(since yesterday\) holds it"):
            study_locked(tmp_path / "one" / "tiny", own(tmp_path / "one")).__enter__()
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("pid", [10**30, "1e400", "Infinity", None, [1]], ids=repr)
def test_a_lock_file_that_no_holder_wrote_names_nobody(
    pid: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number beyond those of processes was once a bug."""
    monkeypatch.setattr(lock, "WRITING_SECONDS", 0.05)
    path = tmp_path / "one" / "tiny.lock"
    content = json.dumps({"host": socket.gethostname(), "pid": "PID", "since": "now"})
    descriptor = held_without_a_name(path, content.replace('"PID"', pid if isinstance(pid, str) else json.dumps(pid)))
    try:
        assert lock.holder(path) == "another process"
        assert not lock.seems_held(path)
        path.write_text("[" * 100_000)
        assert lock.holder(path) == "another process"
        assert not lock.seems_held(path)
    finally:
        os.close(descriptor)
