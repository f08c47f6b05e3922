"""The only door to the test set. Every look is written down first, keyed by the data's fingerprint, and numbered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnsearch.data.dataset import Dataset, fingerprint

RecordLook = Callable[[str, str], int]  # fingerprint, purpose -> the number of this look, from 1


@dataclass(frozen=True, eq=False)
class TestSet:
    """The rows that nothing was trained or chosen on."""

    __test__ = False  # not a test case, whatever its name begins with

    X: NDArray[Any]  # (n, D), raw units
    y: NDArray[np.int64]  # (n,)
    look: int  # 1 for the first look at this data
    fingerprint: str  # sha256 of X and y


def open_test_set(dataset: Dataset, purpose: str, record_look: RecordLook) -> TestSet:
    """Write the look down, then read the test rows."""
    look = record_look(dataset.fingerprint, purpose)
    X, y = dataset.read_test()
    rows = np.ascontiguousarray(X), np.ascontiguousarray(y)
    return TestSet(X, y, look, fingerprint(*rows, dataset.classes, dataset.unit))
