"""Studies that were really run, and one with all that a dashboard shows."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bnsearch.report.curve_picture import curve_picture
from bnsearch.report.findings import sentences
from bnsearch.report.note import note, trial_note
from bnsearch.search.presenting import Words
from bnsearch.search.setups import STAGES
from bnsearch.search.study_file import Study
from tests.search import test_presenting
from tests.search.helpers import run, stored, tiny

WORDS = Words(sentences, note, trial_note, curve_picture)
LITTLE = ("coarse.trials=6", "training.epochs=3")


@pytest.fixture(scope="session")
def shown_once(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Coarse, fine and confirm of the tiny study as bnsearch leaves them; only to be read."""
    study = tiny(tmp_path_factory.mktemp("shown"), *LITTLE)
    test_presenting.run(study, "coarse", "fine", "confirm", words=WORDS)
    return study


@pytest.fixture
def shown(shown_once: Study, tmp_path: Path) -> Study:
    """A copy of it."""
    return tiny(Path(shutil.copytree(shown_once.folder, tmp_path / "copy")), *LITTLE)


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
