"""A backup is whole and consistent, whatever is going on, and a study goes on from it."""

import itertools
import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bnsearch.errors import BnsearchError, LockedError, StoreError, UsageError
from bnsearch.search.address import default_url
from bnsearch.search.backup import backup, upgrade
from bnsearch.search.live import View
from bnsearch.search.progress import Silent
from bnsearch.search.setups import STAGES
from bnsearch.search.stages import run_all
from bnsearch.search.store import open_store
from bnsearch.search.study_file import Study
from tests.processes import PATIENCE_SECONDS
from tests.search.helpers import at_work, record, run, tiny, without_look
from tests.search.limits import files_of_at_most


def integrity(path: Path) -> str:
    connection = sqlite3.connect(path)
    try:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    finally:
        connection.close()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class BackingUp(Silent):
    """A backup at every event of a search."""

    def __init__(self, study: Study, folder: Path):
        self.study, self.folder, self.n = study, folder, 0

    def update(self, done: float, note: str = "") -> None:
        backup(self.study, None, self.folder / f"{self.n}.db")
        self.n += 1

    def show(self, view: View) -> None:
        self.update(0.0)


def test_a_study_goes_on_from_any_backup_that_was_made_while_it_ran(whole: Study, tmp_path: Path) -> None:
    study, copies = tiny(tmp_path / "first"), tmp_path / "copies"
    copies.mkdir()
    making = BackingUp(study, copies)
    with at_work(study, progress=making) as session:
        run_all(session)
    assert making.n > 20
    assert names(copies) == sorted(f"{i}.db" for i in range(making.n))
    assert {integrity(path) for path in copies.iterdir()} == {"ok"}
    for n in (3, making.n // 2, making.n - 1):
        other = tiny(tmp_path / f"from-{n}")
        shutil.copy(copies / f"{n}.db", other.folder / "tiny.db")
        run(other, *STAGES)
        assert without_look(record(other)) == without_look(record(whole))


def test_another_process_may_be_writing(tmp_path: Path) -> None:
    """Transactions of two rows each: a copy has both or none."""
    path = tmp_path / "tiny.db"
    open_store(default_url(tmp_path, "tiny"), "tiny").close()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=write_pairs, args=(path,), daemon=True)
    process.start()
    try:
        study, counts, patience = tiny(tmp_path), set[int](), time.monotonic() + PATIENCE_SECONDS
        for n in itertools.count():
            assert time.monotonic() < patience, f"nothing was written meanwhile: {counts}"
            copied = backup(study, None, tmp_path / f"copy-{n}.db")
            assert integrity(copied.path) == "ok"
            connection = sqlite3.connect(copied.path)
            (count,) = connection.execute("SELECT count(*) FROM studies").fetchone()
            connection.close()
            copied.path.unlink()
            assert count % 2 == 0
            counts.add(count)
            if len(counts) > 10:
                break
    finally:
        process.kill()
        process.join()


def write_pairs(path: Path) -> None:
    connection = sqlite3.connect(path, timeout=60)
    for n in itertools.count():
        for half in "ab":
            connection.execute("INSERT INTO studies (study_name) VALUES (?)", (f"{n}{half}",))
        connection.commit()


def test_by_default_it_lies_beside_the_database_under_a_dated_name(finished: Path) -> None:
    copied = backup(tiny(finished), None, None)
    assert copied.path.parent == finished
    assert copied.path.match("tiny-backup-*.db")
    assert copied.n_bytes == copied.path.stat().st_size
    connection = sqlite3.connect(finished / "tiny.db")
    n_trials = connection.execute("SELECT count(*) FROM trials").fetchone()[0]
    connection.close()
    assert copied.n_trials == n_trials > 10


def test_nothing_is_written_over(finished: Path) -> None:
    target = finished / "mine.db"
    for content in (b"", b"precious"):
        target.write_bytes(content)
        with pytest.raises(StoreError, match=r"mine\.db must not exist yet, but does: name another file"):
            backup(tiny(finished), None, target)
        assert target.read_bytes() == content
    target.unlink()
    target.symlink_to(finished / "nowhere")
    with pytest.raises(StoreError, match="must not exist yet"):
        backup(tiny(finished), None, target)
    assert not (finished / "nowhere").exists()


@pytest.mark.parametrize("n_kb", [0, 8, 60, 200])
def test_a_full_disk_leaves_no_half_copy(finished: Path, n_kb: int) -> None:
    before = names(finished)
    error: BnsearchError | None = None
    with files_of_at_most(n_kb * 1000):
        try:
            backup(tiny(finished), None, finished / "mine.db")
        except BnsearchError as caught:
            error = caught
    assert error is None or "mine.db must be a file that can be written, but: " in str(error)
    assert names(finished) == sorted([*before, *(["mine.db"] if error is None else [])])
    assert error is not None or integrity(finished / "mine.db") == "ok"
    assert error is not None or n_kb == 200


def test_half_copies_of_killed_processes_are_removed_by_the_next(finished: Path) -> None:
    """Each once stayed for ever, as large as the database."""
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    stem, living = ".tiny-backup-20260101-000000.db", f".mine.db.{os.getppid()}.tmp"
    left = [f".mine.db.{gone.pid}.tmp", f".mine.db.{gone.pid}.tmp-journal", f"{stem}.{gone.pid}.tmp"]
    for name in (*left, living):
        (finished / name).write_bytes(b"half")
    backup(tiny(finished), None, finished / "mine.db")
    assert not {*left} & {*names(finished)}
    assert living in names(finished)


def test_a_folder_that_is_not_there(finished: Path) -> None:
    with pytest.raises(StoreError, match=r"deep/mine\.db must be in a folder that exists, but there is no .*deep"):
        backup(tiny(finished), None, finished / "deep" / "mine.db")


def test_a_damaged_database_is_not_copied_as_if_it_were_whole(finished: Path) -> None:
    path = finished / "tiny.db"
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(StoreError, match=r"tiny\.db must be .*bring back a backup"):
        backup(tiny(finished), None, finished / "mine.db")
    assert not (finished / "mine.db").exists()


def test_where_there_is_nothing_to_copy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is none at .*tiny\.db"):
        backup(tiny(tmp_path), None, None)


@pytest.mark.parametrize("copied", [backup, lambda study, storage, _: upgrade(study, storage)])
def test_other_databases_have_tools_of_their_own(tmp_path: Path, copied: object) -> None:
    assert callable(copied)
    with pytest.raises(UsageError, match="pg_dump") as caught:
        copied(tiny(tmp_path), "postgresql://me:s3cret@db.example.org/studies", None)
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)


# ---- the upgrade


def made_older(path: Path) -> None:
    """As Optuna 3.1 made it."""
    connection = sqlite3.connect(path)
    connection.execute("DROP INDEX ix_trials_study_id")
    connection.execute("UPDATE alembic_version SET version_num = 'v3.0.0.d'")
    connection.commit()
    connection.close()


def test_an_older_database_is_upgraded_after_a_backup_and_goes_on(whole: Study, finished: Path) -> None:
    study = tiny(finished)
    made_older(finished / "tiny.db")
    with pytest.raises(StoreError, match="`bnsearch upgrade` makes a backup"):
        run(study, "coarse")
    copied = upgrade(study, None)
    assert copied.path.match("tiny-before-upgrade-*.db")
    connection = sqlite3.connect(copied.path)
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("v3.0.0.d",)]
    connection.close()
    assert run(study, *STAGES) == [False] * 4
    assert record(study) == record(whole)
    with pytest.raises(UsageError, match="needs no upgrade"):
        upgrade(study, None)


def test_without_room_for_the_backup_there_is_no_upgrade(finished: Path) -> None:
    made_older(finished / "tiny.db")
    before, error = (finished / "tiny.db").read_bytes(), None
    with files_of_at_most(50_000):
        try:
            upgrade(tiny(finished), None)
        except StoreError as caught:
            error = caught
    assert error is not None
    assert (finished / "tiny.db").read_bytes() == before
    assert not list(finished.glob("tiny-before*"))


def test_no_upgrade_while_the_study_runs(tmp_path: Path) -> None:
    study = tiny(tmp_path)
    with at_work(study), pytest.raises(LockedError):
        upgrade(study, None)
