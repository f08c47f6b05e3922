"""A folder with the tiny study, before and after it was run."""

import shutil
from pathlib import Path

import pytest

from tests.cli.helpers import invoke
from tests.helpers import LEVEL


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with tiny.toml in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.toml").write_text(LEVEL)
    return tmp_path


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    (folder / "tiny.toml").write_text(LEVEL)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        (folder / "output.txt").write_text(invoke("run", "tiny.toml", "--workers", "1").stdout)
    return folder


@pytest.fixture
def finished(finished_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: the tiny study with all its stages run, and in output.txt what was printed."""
    folder = tmp_path / "finished"
    shutil.copytree(finished_once, folder)
    monkeypatch.chdir(folder)
    return folder
