"""A disk that is full, or fails, at some writes: one line that says so, nothing lost, and a later start goes on.

`tests.search.disk_faults` tries all of them.
"""

import errno
from pathlib import Path
from typing import Any

import pytest

from tests.search.disk_faults import FAILING, FULL, survives, whole_study

N = 7  # of so many places, from the first write to the last


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], int]:
    return whole_study(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("part", range(N))
@pytest.mark.parametrize(("code", "stays"), [FULL, FAILING], ids=["full", "failing"])
def test_a_write_that_fails(
    whole: tuple[dict[str, Any], int], tmp_path: Path, code: int, stays: bool, part: int
) -> None:
    content, n_writes = whole
    refused = survives(tmp_path / "study", 1 + part * (n_writes - 1) // (N - 1), code, stays, content)
    assert refused or code == errno.EIO or part == N - 1


def test_there_is_much_that_can_fail(whole: tuple[dict[str, Any], int]) -> None:
    assert whole[1] > 400
