"""Looking at a database leaves no trace, in its folder or in its bytes, and needs no right to write."""

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import optuna
import pytest

from bnsearch.search.address import default_url
from bnsearch.search.setups import STUDIES
from bnsearch.search.stages import status
from bnsearch.search.store import open_existing, open_store
from bnsearch.search.study_file import Study
from tests.search.helpers import at_work, run, tiny
from tests.search.limits import as_nobody, everyones_folder, not_writable


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def looked_at(folder: Path) -> list[dict[str, Any]]:
    """What `status` finds; all bytes of the folder must stay as they were."""
    before = everything(folder)
    store = open_existing(default_url(folder, "tiny"), "tiny")
    assert store is not None
    try:
        assert len(store.looks()) in (0, 1)
        found = status(store, "tiny")
    finally:
        store.close()
    assert everything(folder) == before
    return found


def test_a_database_that_nobody_uses(whole: Study) -> None:
    assert [row["stage"] for row in looked_at(whole.folder)] == list(STUDIES)


def test_a_database_in_rollback_mode_stays_in_it(finished: Path) -> None:
    connection = sqlite3.connect(finished / "tiny.db")
    assert connection.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    connection.close()
    assert [row["stage"] for row in looked_at(finished)] == list(STUDIES)


def test_a_database_that_a_search_writes(tmp_path: Path) -> None:
    """What is in the log only is seen too."""
    study = tiny(tmp_path, "training.epochs=1", "coarse.trials=1")
    with at_work(study) as session:
        session.store.create("coarse", {"stage": "coarse", "setup": {}, "total": 7})
        store = open_existing(default_url(tmp_path, "tiny"), "tiny")
        assert store is not None
        assert [row["total"] for row in status(store, "tiny")] == [7]
        session.store.create("fine", {"stage": "fine", "setup": {}, "total": 8})  # the reader does not stop it
        assert [row["total"] for row in status(store, "tiny")] == [7]
        store.close()
    assert [row["total"] for row in looked_at(tmp_path)] == [7, 8]


def test_a_database_through_a_link(whole: Study, tmp_path: Path) -> None:
    (tmp_path / "tiny.db").symlink_to(whole.folder / "tiny.db")
    before = everything(whole.folder)
    assert len(looked_at(tmp_path)) == len(STUDIES)
    assert everything(whole.folder) == before


@pytest.mark.parametrize("journal_mode", ["WAL", "DELETE"])
def test_a_folder_that_cannot_be_written(whole: Study, journal_mode: str) -> None:
    with everyones_folder() as folder:
        shutil.copy(whole.folder / "tiny.db", folder)
        connection = sqlite3.connect(folder / "tiny.db")
        connection.execute(f"PRAGMA journal_mode = {journal_mode}")
        connection.close()
        with as_nobody(folder), not_writable(folder / "tiny.db", folder):
            assert [row["stage"] for row in looked_at(folder)] == list(STUDIES)


@pytest.mark.parametrize("content", ["nothing", "no table"])
def test_an_empty_database_holds_no_study_and_becomes_one(tmp_path: Path, content: str) -> None:
    """As a mistyped address of a dashboard leaves it."""
    path = tmp_path / "tiny.db"
    path.touch()
    if content == "no table":
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA user_version = 1")
        connection.close()
    assert looked_at(tmp_path) == []
    study = tiny(tmp_path, "training.epochs=1", "coarse.trials=1")
    assert run(study, "coarse") == [True]


def test_tables_that_were_only_begun_are_completed(tmp_path: Path) -> None:
    """As when the first process was killed while it made them."""
    url = default_url(tmp_path, "tiny")
    open_store(url, "tiny").close()
    connection = sqlite3.connect(tmp_path / "tiny.db")
    for table in ("alembic_version", "trial_params", "version_info"):
        connection.execute(f"DROP TABLE {table}")
    connection.close()
    assert looked_at(tmp_path) == []
    assert run(tiny(tmp_path, "training.epochs=1", "coarse.trials=1"), "coarse") == [True]


def test_studies_of_others_in_the_database_are_left_alone(tmp_path: Path) -> None:
    url = default_url(tmp_path, "tiny")
    storage = optuna.storages.RDBStorage(url)
    optuna.create_study(study_name="mine", storage=storage)
    storage.remove_session()
    storage.engine.dispose()
    connection = sqlite3.connect(tmp_path / "tiny.db")
    connection.execute("CREATE TABLE notes (text)")
    connection.close()
    assert looked_at(tmp_path) == []
    assert run(tiny(tmp_path, "training.epochs=1", "coarse.trials=1"), "coarse") == [True]
    connection = sqlite3.connect(tmp_path / "tiny.db")
    assert ("mine",) in connection.execute("SELECT study_name FROM studies").fetchall()
    connection.close()
