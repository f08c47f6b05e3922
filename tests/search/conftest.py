"""A whole chain, run once, to be looked at or copied."""

import shutil
from pathlib import Path

import pytest

from bnsearch.search import measuring
from bnsearch.search.setups import STAGES
from bnsearch.search.study_file import Study
from tests.search.helpers import run, tiny


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The tiny study with all four stages finished; only to be read."""
    study = tiny(tmp_path_factory.mktemp("whole"))
    assert run(study, *STAGES) == [True] * 4
    return study


@pytest.fixture
def measured_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long a step takes is found out from one, for tests that do not look at it."""
    monkeypatch.setattr(measuring, "STEP_SECONDS", 1e-9)
    monkeypatch.setattr(measuring, "ROW_SECONDS", 1e-9)


@pytest.fixture
def finished(whole: Study, tmp_path: Path) -> Path:
    """A folder with a copy of it, to go on with."""
    return Path(shutil.copytree(whole.folder, tmp_path / "copy"))
