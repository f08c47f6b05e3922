"""One coordinator a study, by whatever folder and database it is reached; different studies do not meet."""

import os
from pathlib import Path

import pytest

from bnsearch.errors import LockedError
from bnsearch.search.lock import study_locked
from bnsearch.search.session import store_to_change
from bnsearch.search.study_file import Study
from tests.search.helpers import at_work, run, tiny

QUICK = ("training.epochs=1", "coarse.trials=1", "network.hidden=[2]")


def quick(folder: Path, name: str = "tiny") -> Study:
    return tiny(folder, *QUICK, name=name)


@pytest.fixture(autouse=True)
def folders(tmp_path: Path) -> None:
    for name in ("one", "two", "data"):
        (tmp_path / name).mkdir()


def url(path: Path) -> str:
    return f"sqlite:///{path}"


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
    own = url(tmp_path / "one" / "tiny.db")
    with at_work(quick(tmp_path / "one")):
        assert_refused(quick(tmp_path / "two"), own)
    with at_work(quick(tmp_path / "two"), storage=own):
        assert_refused(quick(tmp_path / "one"), None)


def test_a_database_under_two_names(tmp_path: Path) -> None:
    run(quick(tmp_path / "one"), "coarse", storage=url(tmp_path / "data" / "real.db"))
    (tmp_path / "data" / "link.db").symlink_to("real.db")
    (tmp_path / "other-data").symlink_to("data")
    with at_work(quick(tmp_path / "one"), storage=url(tmp_path / "data" / "link.db")):
        for path in ("data/real.db", "other-data/real.db", "other-data/link.db"):
            assert_refused(quick(tmp_path / "two"), url(tmp_path / path))


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
    with study_locked(tmp_path / "one" / "tiny", shared):
        with pytest.raises(LockedError), study_locked(tmp_path / "two" / "tiny", shared):
            pass
        with study_locked(tmp_path / "two" / "tiny", None):
            pass
