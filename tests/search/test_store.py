"""The database: made once however many begin, in WAL mode, never made by looking, and silent about passwords."""

import multiprocessing
import sqlite3
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bnsearch.errors import StoreError
from bnsearch.search.address import default_url, without_password
from bnsearch.search.database_error import database_errors
from bnsearch.search.stages import run_stage
from bnsearch.search.store import Store, open_existing, open_store
from tests.processes import PATIENCE_SECONDS
from tests.search.helpers import at_work, tiny
from tests.search.make_one import make_one

N_PROCESSES = 4
ATTRS = {"setup": {}, "seed": 0}


def asked(path: Path, question: str) -> list[Any]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(question).fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("through_links", [False, True])
def test_several_processes_may_make_a_fresh_database_at_once(through_links: bool, tmp_path: Path) -> None:
    """Links to it from different folders once led to different locks."""
    paths = [tmp_path / "fresh.db"] * N_PROCESSES
    if through_links:
        paths = [tmp_path / str(i) / "link.db" for i in range(N_PROCESSES)]
        for path in paths:
            path.parent.mkdir()
            path.symlink_to(tmp_path / "fresh.db")
    context = multiprocessing.get_context("spawn")
    all_are_there = context.Barrier(N_PROCESSES, timeout=PATIENCE_SECONDS).wait
    with ProcessPoolExecutor(N_PROCESSES, mp_context=context, initializer=all_are_there) as pool:
        list(pool.map(abs, range(N_PROCESSES)))  # one process is begun for each
        names = list(pool.map(make_one, [f"sqlite:///{path}" for path in paths], range(N_PROCESSES)))
    assert names == [f"study{i}.coarse" for i in range(N_PROCESSES)]
    assert asked(tmp_path / "fresh.db", "PRAGMA integrity_check") == [("ok",)]
    for i in range(N_PROCESSES):
        store = open_store(f"sqlite:///{tmp_path / 'fresh.db'}", f"study{i}")
        study = store.load("coarse")
        assert study is not None
        assert study.user_attrs["i"] == i
        store.close()


def changed(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    try:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    finally:
        connection.close()


@pytest.fixture
def store(tmp_path: Path) -> Any:
    made = open_store(default_url(tmp_path, "tiny"), "tiny")
    yield made
    made.close()


def test_the_database_is_in_wal_mode(store: Store, tmp_path: Path) -> None:
    assert asked(tmp_path / "tiny.db", "PRAGMA journal_mode") == [("wal",)]
    with store.storage.engine.connect() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 1  # NORMAL
        assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 60_000


def test_a_reader_does_not_stop_the_coordinator(store: Store, tmp_path: Path) -> None:
    """As a dashboard that stays in the middle of a reading."""
    study = store.create("coarse", ATTRS)
    reader = sqlite3.connect(tmp_path / "tiny.db")
    try:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM studies").fetchall() == [(1,)]
        study.set_user_attr("more", 1)
    finally:
        reader.close()
    assert study.user_attrs["more"] == 1


def test_studies_are_made_loaded_and_deleted(store: Store) -> None:
    assert store.load("coarse") is None
    made = store.create("coarse", ATTRS)
    assert made.study_name == "tiny.coarse"
    loaded = store.load("coarse")
    assert loaded is not None
    assert loaded.user_attrs == ATTRS
    assert store.load("fine") is None
    assert store.delete("coarse")
    assert not store.delete("coarse")
    assert store.load("coarse") is None


def test_looks_are_numbered_by_the_data_and_listed_by_the_study(store: Store, tmp_path: Path) -> None:
    assert store.looks() == []
    assert [store.record_look("digits", p) for p in ("one", "two")] == [1, 2]
    assert store.record_look("other data", "three") == 1
    other = open_store(default_url(tmp_path, "tiny"), "other")
    assert other.record_look("digits", "four") == 3
    assert [look["purpose"] for look in other.looks()] == ["four"]
    other.close()
    assert [look["purpose"] for look in store.looks()] == ["one", "two", "three"]
    assert [look["purpose"] for look in store.looks("digits")] == ["one", "two", "four"]
    assert all(look["at"].endswith("+00:00") for look in store.looks())


# ---- what cannot be used


@pytest.mark.parametrize("content", [b"not a database at all, but a text of some length" * 30, b"\x89PNG" * 100])
def test_a_file_of_another_kind_is_refused_and_left_alone(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "tiny.db"
    path.write_bytes(content)
    for opened in (open_store, open_existing):
        with pytest.raises(
            StoreError, match=r"tiny\.db must be an SQLite database, but is none: name another with --storage"
        ) as caught:
            opened(default_url(tmp_path, "tiny"), "tiny")
        assert "\n" not in str(caught.value)
        assert "move it away" not in str(caught.value), "it may be the system's"
    assert path.read_bytes() == content
    assert not [p for p in tmp_path.iterdir() if p.suffix in (".db-wal", ".db-shm")]


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "tiny.db").mkdir()
    with pytest.raises(StoreError, match=r"tiny\.db must be an SQLite database"):
        open_store(default_url(tmp_path, "tiny"), "tiny")


@pytest.mark.parametrize("journal_mode", ["WAL", "DELETE"])
@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("v2.6.0.a", r"but has an older one \(v2\.6\.0\.a\): `bnsearch upgrade` makes a backup"),
        ("v9.0.0.a", r"but has that of a newer Optuna \(v9\.0\.0\.a\): upgrade Optuna"),
    ],
    ids=["older", "newer"],
)
def test_a_database_of_another_optuna_is_refused_and_left_alone(
    tmp_path: Path, version: str, words: str, journal_mode: str
) -> None:
    """An older one once got the tables that it lacked."""
    open_store(default_url(tmp_path, "tiny"), "tiny").close()
    path = tmp_path / "tiny.db"
    asked(path, f"PRAGMA journal_mode = {journal_mode}")
    changed(path, f"UPDATE alembic_version SET version_num = '{version}'", "DROP TABLE trial_heartbeats")
    before = path.read_bytes()
    for opened in (open_store, open_existing):
        with pytest.raises(StoreError, match=rf"tiny\.db must have the schema of Optuna .*{words}") as caught:
            opened(default_url(tmp_path, "tiny"), "tiny")
        assert "\n" not in str(caught.value)
        assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["tiny.db"]


def test_a_database_in_a_folder_of_an_odd_name(tmp_path: Path) -> None:
    """Optuna fills in what stands in braces, and a question mark begins a driver's options."""
    for name in ("{braces}", "a?b=c", "100%41", "ä ☃", "me:pw@host"):
        folder = tmp_path / name
        folder.mkdir()
        url = default_url(folder, "tiny")
        open_store(url, "tiny").close()
        assert (folder / "tiny.db").stat().st_size > 0
        store = open_existing(url, "tiny")
        assert store is not None
        store.close()


def test_looking_makes_nothing_where_there_is_nothing(tmp_path: Path) -> None:
    assert open_existing(default_url(tmp_path, "tiny"), "tiny") is None
    assert open_existing(default_url(tmp_path / "no" / "folder", "tiny"), "tiny") is None
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_breaks_underneath_is_one_line(tmp_path: Path) -> None:
    study = tiny(tmp_path, "training.epochs=1", "coarse.trials=2")
    with (  # noqa: PT012
        pytest.raises(
            StoreError, match=r"database sqlite:///.*tiny\.db must stay usable, but: .*no such table"
        ) as caught,
        at_work(study) as session,
    ):
        run_stage(session, "coarse")
        connection = sqlite3.connect(tmp_path / "tiny.db")
        connection.execute("DROP TABLE trial_values")
        connection.commit()
        connection.close()
        with database_errors(session.store.url):
            run_stage(session, "fine")
    assert "\n" not in str(caught.value)


# ---- passwords

SECRETS = {
    "postgresql": "postgresql+pg8000://me:s3cret@db.example.org/studies",
    "in the query": "postgresql+pg8000://me@db.example.org/studies?password=s3cret",
    "mysql": "mysql+pymysql://me:s3cret@db.example.org/studies",
    "unknown database": "oracle9://me:s3cret@db.example.org/studies",
    "mistyped": "postgresql//me:s3cret@db.example.org/studies",
    "mistyped, slashes within": "postgresql:/me:s3c/s3cret@db.example.org/studies",
    "no scheme": "me:s3cret@db.example.org/studies",
}


@pytest.mark.parametrize("url", SECRETS.values(), ids=SECRETS)
def test_passwords_are_not_shown(url: str) -> None:
    assert "s3c" not in without_password(url)
    assert "db.example.org/studies" in without_password(url)
    with pytest.raises(StoreError) as caught:  # no driver for any of them is installed
        open_store(url, "tiny")
    assert "s3c" not in str(caught.value)
    assert "db.example.org" in str(caught.value)
    with pytest.raises(StoreError) as caught, database_errors(url):
        open_store(url, "tiny")
    assert "s3c" not in str(caught.value)


def test_an_address_without_password_is_shown_as_it_is(store: Store, tmp_path: Path) -> None:
    assert store.url == f"sqlite:///{tmp_path / 'tiny.db'}"
    assert without_password("nonsense") == "nonsense"


def test_what_is_no_address_is_refused_with_an_example(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"--storage must be a database URL such as sqlite:///.*, but got 'nonsense'"):
        open_store("nonsense", "tiny")
