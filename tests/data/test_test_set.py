"""The door to the test set: first the ledger, then the rows."""

import numpy as np
import pytest
from numpy.typing import NDArray

from bnsearch.data import digits
from bnsearch.data.dataset import Dataset, Rows, dataset
from bnsearch.data.test_set import open_test_set
from bnsearch.errors import ChangedError


class Ledger:
    """What was written down, among other things that were seen."""

    def __init__(self, seen: list[str] | None = None):
        self.seen = [] if seen is None else seen

    def record_look(self, fingerprint: str, purpose: str) -> int:
        self.seen.append(f"{purpose} of {fingerprint}")
        return 7

    def refuse_look(self, fingerprint: str, reason: str) -> None:
        self.seen.append(f"refused: {reason}")


@pytest.fixture
def watched() -> tuple[Dataset, list[str]]:
    X, y = np.arange(12, dtype=np.float32).reshape(4, 3), np.array([0, 1, 1, 0])
    seen: list[str] = []

    def read_test() -> Rows:
        seen.append("read")
        return X[:2] + 1, y[:2]

    return dataset("here", "here", X, y, ("no", "yes"), read_test), seen


def test_the_look_is_written_down_before_the_rows_are_read(watched: tuple[Dataset, list[str]]) -> None:
    data, seen = watched

    test = open_test_set(data, "a comparison", Ledger(seen))
    assert seen == [f"a comparison of {data.fingerprint}", "read"]
    assert test.look == 7
    np.testing.assert_array_equal(test.X, [[1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(test.y, [0, 1])


def test_other_rows_have_another_fingerprint() -> None:
    X, y = np.arange(12, dtype=np.float32).reshape(4, 3), np.array([0, 1, 1, 0])

    def found(X_test: NDArray[np.float32], y_test: NDArray[np.int64]) -> str:
        data = dataset("here", "here", X, y, ("no", "yes"), lambda: (X_test, y_test))
        return open_test_set(data, "this test", Ledger()).fingerprint

    assert found(X, y) == found(np.asfortranarray(X), y.copy())
    assert len({found(X, y), found(X[:3], y[:3]), found(X[::-1], y), found(X, 1 - y)}) == 4


def test_what_cannot_be_written_down_is_not_read(watched: tuple[Dataset, list[str]]) -> None:
    data, seen = watched

    class Full(Ledger):
        def record_look(self, fingerprint: str, purpose: str) -> int:
            raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        open_test_set(data, "a comparison", Full(seen))
    assert seen == []


def test_rows_that_are_refused_are_no_look(watched: tuple[Dataset, list[str]]) -> None:
    """A label that training lacks was once booked as a look, again with every attempt to correct it."""
    data, seen = watched

    def check(rows: str) -> None:
        raise ChangedError("they are others")

    with pytest.raises(ChangedError, match="they are others"):
        open_test_set(data, "a comparison", Ledger(seen), check)
    assert seen == [f"a comparison of {data.fingerprint}", "read", "refused: they are others"]


def test_the_digits_test_rows_are_others_than_the_training_rows() -> None:
    data = digits.load()
    test = open_test_set(data, "this test", Ledger())
    assert len(test.y) == len(test.X) == 360
    assert len(data.X) + len(test.X) == 1797
