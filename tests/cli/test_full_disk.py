"""Real processes with no room: `tests.cli.full_disk` tries many more sizes."""

from pathlib import Path

import pytest

from tests.cli.full_disk import cramped, found, limited, start


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> object:
    folder = tmp_path_factory.mktemp("whole")
    assert start(folder).returncode == 0
    return found(folder)


@pytest.mark.parametrize("n_kb", [200])
def test_files_that_may_not_grow(tmp_path: Path, whole: object, n_kb: int) -> None:
    assert limited(tmp_path / "study", 1000 * n_kb, whole)


def test_a_small_disk_that_is_then_made_larger(tmp_path: Path, whole: object) -> None:
    try:
        assert cramped(tmp_path / "study", 400, whole)
    except OSError as error:
        pytest.skip(f"no file system may be made here: {error}")
