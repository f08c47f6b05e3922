"""A study that was really run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bnsearch.search.setups import STAGES
from bnsearch.search.study_file import Study
from tests.search.helpers import run, stored, tiny


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The tiny study with all four stages finished; only to be read."""
    study = tiny(tmp_path_factory.mktemp("whole"))
    assert run(study, *STAGES) == [True] * 4
    return study


MIXED = (  # at λ = 1, η = 10 weights grow 19-fold a step
    "coarse.sampler=grid",
    "coarse.space={l2=[1.0, 0.9, 1e-3, 1e-4], learning_rate=[10.0, 9.5, 0.1, 0.05]}",
    "training.epochs=8",
)


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A coarse stage with completed, stopped and diverged trials; only to be read."""
    study = tiny(tmp_path_factory.mktemp("mixed"), *MIXED)
    run(tiny(study.folder, *MIXED, "coarse.trials=16"), "coarse")
    return study


@pytest.fixture
def store(whole: Study) -> Iterator[object]:
    """Its database."""
    with stored(whole) as store:
        yield store


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
