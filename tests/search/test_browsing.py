"""A database is read while others write to it: up to date, without a trace, out of reach of what the reader does."""

import time
from pathlib import Path

import optuna
import pytest

from bnsearch.errors import StoreError
from bnsearch.search import browsing
from bnsearch.search.address import default_url
from bnsearch.search.browsing import Browsed, browse
from bnsearch.search.stages import reset
from bnsearch.search.study_file import Study
from tests.search.helpers import at_work, run, stored, tiny, trials_of
from tests.search.test_sqlite import everything


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look as soon as asked to."""
    monkeypatch.setattr(browsing, "MIN_REST_SECONDS", 0.0)
    monkeypatch.setattr(browsing, "REST", 0)


def url_of(study: Study) -> str:
    return default_url(study.folder, study.name)


def names(browsed: Browsed) -> list[str]:
    return [study.study_name for study in browsed.storage.get_all_studies()]


def values(browsed: Browsed, name: str) -> list[float | None]:
    return [trial.value for trial in optuna.load_study(study_name=name, storage=browsed.storage).trials]


def test_it_reads_what_is_there_and_leaves_no_trace(whole: Study) -> None:
    before = everything(whole.folder)
    browsed = browse([url_of(whole)])
    assert names(browsed) == ["tiny.coarse", "tiny.fine", "tiny.fine2", "tiny.confirm", "tiny.final"]
    assert values(browsed, "tiny.coarse") == [trial.value for trial in trials_of(whole, "coarse")]
    assert not browsed.refresh()
    browsed.close()
    assert everything(whole.folder) == before


def test_what_the_reader_writes_never_reaches_the_file(finished: Path) -> None:
    before = everything(finished)
    browsed = browse([default_url(finished, "tiny")])
    optuna.delete_study(study_name="tiny.coarse", storage=browsed.storage)
    browsed.close()
    assert everything(finished) == before


def test_it_sees_what_another_connection_writes(tmp_path: Path) -> None:
    study = tiny(tmp_path, "training.epochs=1", "coarse.trials=2")
    with at_work(study) as session:
        browsed = browse([url_of(study)])
        assert names(browsed) == []
        session.store.create("coarse", {"stage": "coarse", "setup": {}})
        assert not browsed.refresh(), "the storage is the same, what it shows is new"
        assert names(browsed) == ["tiny.coarse"]
        session.store.load("coarse").add_trial(optuna.create_trial(value=0.5))  # type: ignore[union-attr]
        browsed.refresh()
        assert values(browsed, "tiny.coarse") == [0.5]
    browsed.close()


def test_a_study_made_anew_is_not_shown_with_the_trials_of_the_old_one(tmp_path: Path) -> None:
    """Its numbers are those of the deleted one, and finished trials are read once."""
    study = tiny(tmp_path, "training.epochs=1", "coarse.trials=3")
    run(study, "coarse")
    browsed = browse([url_of(study)])
    old = values(browsed, "tiny.coarse")
    with stored(study) as store:
        reset(study, store, "coarse")
    time.sleep(0.01)
    run(tiny(tmp_path, "seed=7", "training.epochs=1", "coarse.trials=3"), "coarse")
    assert browsed.refresh(), "another storage"
    new = values(browsed, "tiny.coarse")
    assert new == [trial.value for trial in trials_of(study, "coarse")]
    assert new != old
    browsed.close()


def test_it_rests_between_two_copies(whole: Study, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(browsing, "MIN_REST_SECONDS", 1000.0)
    study = tiny(tmp_path, "training.epochs=1", "coarse.trials=2")
    run(study, "coarse")
    browsed = browse([url_of(study)])
    run(tiny(tmp_path, "training.epochs=1", "coarse.trials=3"), "coarse")
    browsed.refresh()
    assert len(values(browsed, "tiny.coarse")) == 2
    browsed.close()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "tiny.db").write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(StoreError, match=r"tiny\.db must be an SQLite database"):
        browse([default_url(tmp_path, "tiny")])
