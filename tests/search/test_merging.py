"""Studies of several databases are shown as if they lay in one, each with its own trials, notes and pictures."""

import re
import sqlite3
from pathlib import Path

import optuna
import pytest
from optuna_dashboard import get_note
from optuna_dashboard._note import get_note_from_system_attrs
from optuna_dashboard.artifact._backend import list_trial_artifacts

from bnsearch.errors import StoreError, UsageError
from bnsearch.search.address import default_url
from bnsearch.search.browsing import browse
from bnsearch.search.study_file import Study
from tests.helpers import TINY
from tests.search.helpers import stored, tiny
from tests.search.test_presenting import run

SHORT = ("training.epochs=1", "coarse.trials=3")


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> list[Study]:
    """Studies with databases of their own, the trials of the second with the first's numbers."""
    folder = tmp_path_factory.mktemp("three")
    studies = [tiny(folder, *SHORT, f"seed={i}", name=name) for i, name in enumerate(("one", "two", "three"))]
    for study in studies:
        run(study, "coarse")
    return studies


def url_of(study: Study) -> str:
    return default_url(study.folder, study.name)


def test_all_that_is_stored_is_shown(three: list[Study]) -> None:
    browsed = browse([url_of(study) for study in three])
    assert [s.study_name for s in browsed.storage.get_all_studies()] == ["one.coarse", "two.coarse", "three.coarse"]
    for study in three:
        merged = optuna.load_study(study_name=f"{study.name}.coarse", storage=browsed.storage)
        with stored(study) as store:
            alone = store.load("coarse")
            assert merged.user_attrs == alone.user_attrs
            assert merged.metric_names == alone.metric_names
            assert merged.direction == alone.direction
            for a, b in zip(merged.trials, alone.trials, strict=True):
                assert (a.number, a.state, a.value, a.params, a.user_attrs) == (
                    b.number,
                    b.state,
                    b.value,
                    b.params,
                    b.user_attrs,
                )
                assert a.intermediate_values == b.intermediate_values
                assert (a.datetime_start, a.datetime_complete) == (b.datetime_start, b.datetime_complete)
    browsed.close()


def test_notes_and_pictures_belong_to_the_same_trials(three: list[Study]) -> None:
    browsed = browse([url_of(study) for study in three])
    for study in three:
        merged = optuna.load_study(study_name=f"{study.name}.coarse", storage=browsed.storage)
        attrs = browsed.storage.get_study_system_attrs(merged._study_id)
        assert get_note(merged).startswith(f"{study.name}: coarse: 3 of 3")
        for trial in merged.trials:
            names = {meta["filename"] for meta in list_trial_artifacts(attrs, {}, trial)}
            assert names == {f"coarse-{trial.number:05d}.{kind}" for kind in ("svg", "csv")}
            note = get_note_from_system_attrs(attrs, trial._trial_id)["body"]
            address = re.search(r"/artifacts/(\d+)/(\d+)/", note)
            assert address is not None
            assert (int(address[1]), int(address[2])) == (merged._study_id, trial._trial_id)
    browsed.close()


def test_one_database_twice_is_one(three: list[Study]) -> None:
    browsed = browse([url_of(three[0])] * 2)
    assert len(browsed.storage.get_all_studies()) == 1
    browsed.close()


def test_two_studies_of_one_name(three: list[Study], tmp_path: Path) -> None:
    other = tiny(tmp_path, *SHORT, name="one", text=TINY)
    run(other, "coarse")
    with pytest.raises(StoreError, match=r"must differ in their names, but one\.coarse is in .*one\.db too"):
        browse([url_of(three[0]), url_of(other)])


def test_tables_of_another_version(three: list[Study], tmp_path: Path) -> None:
    other = tiny(tmp_path, *SHORT, name="old")
    run(other, "coarse")
    connection = sqlite3.connect(tmp_path / "old.db")
    connection.execute("UPDATE alembic_version SET version_num = 'v2.0'")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match=r"old\.db must have version .* but has v2\.0: `bnsearch upgrade`"):
        browse([url_of(three[0]), url_of(other)])


def test_other_databases_are_shown_alone(three: list[Study]) -> None:
    with pytest.raises(UsageError, match="only if all are SQLite files"):
        browse([url_of(three[0]), "postgresql://me@host/db"])


def test_too_many_studies_for_numbers_of_their_own(three: list[Study], tmp_path: Path) -> None:
    other = tiny(tmp_path, *SHORT, name="many")
    run(other, "coarse")
    connection = sqlite3.connect(tmp_path / "many.db")
    connection.execute("INSERT INTO studies (study_id, study_name) VALUES (1000, 'thousandth')")
    connection.commit()
    connection.close()
    for order in (1, -1):
        with pytest.raises(
            StoreError, match=r"must have had fewer than 1000 studies each, but .* show them one by one"
        ):
            browse([url_of(three[0]), url_of(other)][::order])
