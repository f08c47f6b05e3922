"""A results folder belongs to one database."""

import shutil
from pathlib import Path

import pytest

from bnsearch.errors import StoreError
from bnsearch.search.session import store_to_change
from bnsearch.search.stages import reset
from bnsearch.search.study_file import Study
from tests.search.helpers import Inline, files, run, tiny


def quick(folder: Path, *overrides: str) -> Study:
    return tiny(folder, "coarse.trials=2", "training.epochs=1", *overrides)


def test_another_database_is_refused_and_the_first_ones_results_stay(tmp_path: Path) -> None:
    """With another --storage a study once wrote its models over those of the first, which showed them as its own."""
    study = quick(tmp_path)
    run(study, "coarse")
    before = files(study)
    other = f"sqlite:///{tmp_path}/other.db"
    with pytest.raises(
        StoreError, match=r"must belong to the database at hand, but are of tiny\.db, not sqlite:.*other\.db"
    ):
        run(quick(tmp_path, "seed=9"), "coarse", storage=other)
    assert not (tmp_path / "other.db").exists()
    assert files(study) == before
    assert run(study, "coarse") == [False]


def test_nor_does_a_reset_of_another_database_delete_them(tmp_path: Path) -> None:
    study, other = quick(tmp_path / "one"), f"sqlite:///{tmp_path}/other.db"
    run(study, "coarse")
    run(quick(tmp_path / "two"), "coarse", storage=other)
    with pytest.raises(StoreError, match="must belong to the database at hand"), store_to_change(study, other):
        pass
    assert any(name.startswith("curves") for name in files(study))


def test_a_study_moved_with_its_default_database_goes_on(tmp_path: Path) -> None:
    run(quick(tmp_path / "here"), "coarse")
    shutil.move(tmp_path / "here", tmp_path / "there")
    assert run(quick(tmp_path / "there"), "coarse") == [False]


def test_after_a_reset_of_everything_another_database_may_have_the_folder(tmp_path: Path) -> None:
    study, other = quick(tmp_path), f"sqlite:///{tmp_path}/other.db"
    run(study, "coarse")
    with store_to_change(study, None) as store:
        reset(study, store, "coarse")
    assert run(study, "coarse", storage=other) == [True]


def test_results_that_cannot_be_written_are_told_before_anything_is(tmp_path: Path) -> None:
    """Twelve RUNNING trials were once left in a database beside a folder that could not be written."""
    study = quick(tmp_path)
    study.results.write_text("a file in the place of the folder")
    with pytest.raises(StoreError, match=r"tiny must be a writable folder, but: File exists"):
        run(study, "coarse", executor=Inline)
    assert not (tmp_path / "tiny.db").exists()
