"""A study that another process runs, seen from its database."""

import json
import os
import socket
from pathlib import Path

import pytest

from bnsearch.search import browsing
from bnsearch.search.address import default_url
from bnsearch.search.following import followed
from bnsearch.search.live import View
from bnsearch.search.progress import Silent
from bnsearch.search.stages import run_stage
from bnsearch.search.study_lock import study_locked
from tests.search.helpers import at_work, tiny
from tests.search.test_sqlite import everything


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsing, "MIN_REST_SECONDS", 0.0)
    monkeypatch.setattr(browsing, "REST", 0)


def test_a_study_without_a_database(tmp_path: Path) -> None:
    with followed(tiny(tmp_path), None) as found:
        assert found is None
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.toml"]


def test_a_finished_study_has_nobody_at_work_and_is_left_as_it_is(finished: Path) -> None:
    lock, study = finished / "tiny.lock", tiny(finished)
    lock.write_text(json.dumps({"host": socket.gethostname(), "pid": 2**22 + 1}))  # higher than any process
    before = everything(finished)
    with followed(study, None) as found:
        assert found is not None
        assert not found.is_at_work()
        views = found.look()
        assert list(views) == ["tiny.coarse", "tiny.fine", "tiny.fine2", "tiny.confirm", "tiny.final"]
        assert all(view.n_over == view.n_trials and not view.n_alive for view in views.values())
    assert everything(finished) == before


def test_who_holds_the_lock_is_at_work(finished: Path) -> None:
    study = tiny(finished)
    with followed(study, None) as found, study_locked(study.results, default_url(finished, "tiny")):
        assert found is not None
        assert found.is_at_work()
        # a process that starts may take the lock: nobody tried it
        assert json.loads((finished / "tiny.lock").read_text())["pid"] == os.getpid()


@pytest.mark.parametrize(
    ("content", "at_work"),
    [
        ("", False),
        ("no JSON", False),
        ('{"pid": "many"}', False),
        (json.dumps({"host": "elsewhere", "pid": 1}), True),
        (json.dumps({"host": socket.gethostname(), "pid": 1}), True),
    ],
)
def test_what_a_lock_file_tells(finished: Path, content: str, at_work: bool) -> None:
    study = tiny(finished)
    (finished / "tiny.lock").write_text(content)
    with followed(study, None) as found:
        assert found is not None
        assert found.is_at_work() == at_work


def test_the_stage_under_way(tmp_path: Path) -> None:
    study, seen = tiny(tmp_path, "coarse.trials=2"), []

    class Look(Silent):
        def show(self, view: View) -> None:
            with followed(study, None) as found:
                assert found is not None
                seen.append((view, found.look()["tiny.coarse"]))

    with at_work(study, progress=Look()) as session:
        run_stage(session, "coarse")
    assert [ours.n_alive for ours, theirs in seen] == [theirs.n_alive for ours, theirs in seen]
    assert {theirs.n_alive for _, theirs in seen} > {0}
