"""The only door to the test set. Every look is written down first, keyed by the data's fingerprint, and numbered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bnsearch.data.dataset import Dataset, fingerprint
from bnsearch.errors import BnsearchError


class Ledger(Protocol):
    """Where looks are written down."""

    def record_look(self, fingerprint: str, purpose: str) -> int:
        """A look at the test set of this data begins; its number, from 1."""
        ...

    def refuse_look(self, fingerprint: str, reason: str) -> None:
        """The last look showed nothing: no network met the rows, so it has no number."""
        ...


@dataclass(frozen=True, eq=False)
class TestSet:
    """The rows that nothing was trained or chosen on."""

    __test__ = False  # not a test case, whatever its name begins with

    X: NDArray[Any]  # (n, D), raw units
    y: NDArray[np.int64]  # (n,)
    look: int  # 1 for the first look at this data
    fingerprint: str  # sha256 of X and y


def open_test_set(
    dataset: Dataset, purpose: str, ledger: Ledger, check: Callable[[str], None] = lambda rows: None
) -> TestSet:
    """Write the look down, then read the test rows and check them (by the sha256 of X and y).

    Where they are refused, which is said in the ledger too, the look does not count: nobody has learnt from it.
    """
    look = ledger.record_look(dataset.fingerprint, purpose)
    try:
        X, y = dataset.read_test()
        rows = np.ascontiguousarray(X), np.ascontiguousarray(y)
        own = fingerprint(*rows, dataset.classes, dataset.unit)
        check(own)
    except BnsearchError as error:
        ledger.refuse_look(dataset.fingerprint, str(error))
        raise
    return TestSet(X, y, look, own)
