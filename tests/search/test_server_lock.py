"""A study in a PostgreSQL database: the numbers of SQLite, and one coordinator at a time on whichever host."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from optuna.trial import TrialState

from bnsearch.errors import LockedError
from bnsearch.search.address import default_url
from bnsearch.search.checkup import database as checkup
from bnsearch.search.following import followed
from bnsearch.search.server_lock import KEEPALIVES, PROGRAM, TURN, key_of, locked_connection
from bnsearch.search.session import existing_store, store_to_change
from bnsearch.search.setups import STAGES, STUDIES
from bnsearch.search.stages import reset
from bnsearch.search.study_file import Study
from tests.cli.helpers import program
from tests.helpers import BRIEF
from tests.postgres import on_a_server
from tests.processes import PATIENCE_SECONDS
from tests.search.helpers import at_work, files, record_of, run, tiny, without_look
from tests.search.make_one import make_one
from tests.search.stopping import Countdown, again_and_again
from tests.standing import NEWS, standing, until_standing

pytestmark = on_a_server
QUICK = ("training.epochs=1", "coarse.trials=1", "network.hidden=[2]")
HOLDER = rf"but process {os.getpid()} on {re.escape(socket.gethostname())} \(since 20\d\d-\S+\) holds it; wait for it"


@pytest.fixture(scope="module")
def in_sqlite(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What the brief study finds in a file."""
    study = tiny(tmp_path_factory.mktemp("sqlite"), text=BRIEF)
    run(study, *STAGES)
    return found_in(study, default_url(study.folder, study.name))


def found_in(study: Study, url: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """All results, bit for bit."""
    with existing_store(study, url) as store:
        return without_look(record_of(store, STUDIES)), files(study)


def quick(folder: Path, name: str = "tiny") -> Study:
    return tiny(folder, *QUICK, name=name)


def test_a_study_runs_there_to_the_same_numbers(database: str, tmp_path: Path, in_sqlite: Any) -> None:
    study = tiny(tmp_path, text=BRIEF)
    assert run(study, *STAGES, storage=database) == [True] * 4
    assert run(study, *STAGES, storage=database) == [False] * 4
    assert found_in(study, database) == in_sqlite
    assert not list(tmp_path.glob("*.db"))
    with store_to_change(study, database) as store:
        assert len(store.looks()) == 1
        reset(study, store, "fine")
        assert [name for name in STUDIES if store.load(name) is not None] == ["coarse"]


def test_a_second_one_is_refused_with_the_holder_from_whichever_folder(database: str, tmp_path: Path) -> None:
    """From another host the folder's lock cannot be seen: two once wrote into the same Optuna studies."""
    with at_work(quick(tmp_path / "one"), storage=database):
        with pytest.raises(LockedError, match=f"study 'tiny' must not be in use, {HOLDER}"):
            run(quick(tmp_path / "two"), "coarse", storage=database)
        with pytest.raises(LockedError, match=HOLDER), store_to_change(quick(tmp_path / "two"), database):
            pass
    assert run(quick(tmp_path / "two"), "coarse", storage=database) == [True]


def test_a_command_says_so_in_one_line(database: str, tmp_path: Path) -> None:
    with at_work(quick(tmp_path / "one"), storage=database):
        quick(tmp_path / "two")
        done = program("run", "tiny.toml", "--storage", database, folder=tmp_path / "two")
    assert done.returncode == 2
    said = [line for line in done.stderr.splitlines() if not line.startswith("Reading digits")]
    assert len(said) == 1
    assert re.fullmatch(rf"bnsearch: The study 'tiny' must not be in use, {HOLDER} to end\.", said[0])


def test_different_studies_run_side_by_side(database: str, tmp_path: Path) -> None:
    one, two = quick(tmp_path / "one"), quick(tmp_path / "two", "other")
    with at_work(one, storage=database):
        assert run(two, "coarse", storage=database) == [True]


def test_eight_make_the_tables_of_a_fresh_database_together(database: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda i: make_one(database, i), range(8)))
    assert names == [f"study{i}.coarse" for i in range(8)]


@contextmanager
def searching(
    folder: Path, database: str, *options: str, program: Sequence[str] = ("-m", "bnsearch")
) -> Iterator[subprocess.Popen[str]]:
    """A coarse search in a process of its own, with a worker, begun as far as its first trials."""
    tiny(folder, text=BRIEF)
    command = [sys.executable, *program, "coarse", "tiny.toml", "--workers", "1", "--storage", database]
    with subprocess.Popen(
        [*command, *options], cwd=folder, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr is not None
        try:
            assert any(line.startswith("tiny.coarse") for line in process.stderr)
            yield process
        finally:
            process.kill()


def test_a_holder_that_is_killed_frees_it(database: str, tmp_path: Path) -> None:
    endless = "training.epochs=1000000"
    with searching(tmp_path / "one", database, "--set", endless) as process:
        with pytest.raises(LockedError, match=f"but process {process.pid} on "):
            run(tiny(tmp_path / "two", text=BRIEF), "coarse", storage=database)
        process.kill()
    study, patience = tiny(tmp_path / "two", endless, text=BRIEF), time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with store_to_change(study, database) as store:
                states = {trial.state for trial in store.load("coarse").get_trials()}
            break
        except LockedError:
            assert time.monotonic() < patience, "its lock outlived it"
            time.sleep(0.05)
    assert states == {TrialState.RUNNING}, "else the moment was badly chosen"


def test_killed_and_gone_on_with(database: str, tmp_path: Path, in_sqlite: Any) -> None:
    with searching(tmp_path, database, program=standing((NEWS, 4))) as process:
        until_standing(process)
        process.kill()
    study, patience = tiny(tmp_path, text=BRIEF), time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            run(study, *STAGES, storage=database)
            break
        except LockedError:
            assert time.monotonic() < patience, "its lock outlived it"
            time.sleep(0.05)
    found, lying = found_in(study, database)
    assert found["coarse"][1].pop("findings"), "which the command alone writes"
    assert (found, lying) == in_sqlite


def test_stopped_and_gone_on_with(database: str, tmp_path: Path, in_sqlite: Any) -> None:
    study = tiny(tmp_path, text=BRIEF)
    stopped = again_and_again(lambda n: run(study, *STAGES, storage=database, progress=Countdown(n)), first=4, more=6)
    assert stopped > 2
    assert found_in(study, database) == in_sqlite


def test_whoever_has_lost_its_lock_writes_no_more(database: str, tmp_path: Path) -> None:
    """A server that ends the idle connection, or a network that forgets it, would let a second one in beside it."""
    study = quick(tmp_path / "one")
    with at_work(study, storage=database) as session:
        with psycopg.connect(address(database), autocommit=True) as other:
            query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE %s"
            assert other.execute(query, [f"{PROGRAM} %"]).fetchall() == [(True,)]
        with pytest.raises(LockedError, match=r"'tiny' must stay locked .* was lost .* run again to go on") as caught:
            session.store.create("coarse", {"setup": {}})
    assert "\n" not in str(caught.value)
    with existing_store(study, database) as store:
        assert store.load("coarse") is None


def test_the_lock_of_a_host_that_is_gone_is_free_in_less_than_a_minute(database: str) -> None:
    """By the system's own settings a connection with nobody at its other end lives for two hours."""
    url = sa.make_url(database).update_query_dict({"host": "127.0.0.1"}).render_as_string()
    with locked_connection(url, "tiny") as connection:
        shown = {what: connection.exec_driver_sql(f"SHOW tcp_keepalives_{what}").scalar_one() for what in KEEPALIVES}
        own_end = socket.socket(fileno=os.dup(connection.connection.driver_connection.fileno()))
    with own_end:
        assert own_end.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        here = [own_end.getsockopt(socket.IPPROTO_TCP, option) for option in options]
    for idle, interval, count in (map(int, shown.values()), here):
        assert idle + interval * count < 60


def test_doctor_and_those_who_follow_see_the_holder(database: str, tmp_path: Path) -> None:
    study = quick(tmp_path / "elsewhere")
    run(study, "coarse", storage=database)
    with followed(study, database) as found:
        assert [line.state for line in checkup.lock(study, database)] == ["ok"]
        assert not found.is_at_work()
        with at_work(quick(tmp_path / "here"), storage=database):
            (line,) = checkup.lock(study, database)
            assert found.is_at_work()
    assert line.state == "warn"
    assert f"process {os.getpid()} on {socket.gethostname()} (since 20" in line.found


def test_a_holder_of_another_program_is_held_for_one_all_the_same(database: str, tmp_path: Path) -> None:
    with psycopg.connect(address(database), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [key_of("study tiny")])
        with pytest.raises(LockedError, match="but another process holds it"):
            run(quick(tmp_path), "coarse", storage=database)


def test_a_name_has_the_same_number_for_ever() -> None:
    """Two versions at work on one study must meet."""
    assert (key_of("study tiny"), TURN) == (8385585891719049983, 918742766707019247)


def address(database: str) -> str:
    """As the driver has it, without SQLAlchemy."""
    return database.replace("+psycopg", "")
