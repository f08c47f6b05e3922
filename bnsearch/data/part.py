"""Which rows train and which validate."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """Training and validation rows of one repeat.

    Roll 0 is the search's split. Roll r ≥ 1 (confirm) validates on the r-th window of n_valid rows from the end of
    the search's training rows, and trains on all others, the search's validation rows among them: these never
    validate a finalist.
    """

    train: tuple[int, int]  # a range of rows
    valid: tuple[int, int]
    roll: int = 0
    together: bool = False  # train on train and valid, validate on nothing (final)

    @property
    def n_train(self) -> int:
        """Rows that it trains on."""
        n = self.train[1] - self.train[0]
        return n + self.valid[1] - self.valid[0] if self.together else n

    def rows(self) -> tuple[Rows, Rows]:
        """Row numbers for training (n_train,) and validation (n_valid,)."""
        train, valid = np.arange(*self.train), np.arange(*self.valid)
        if self.together:
            return np.concatenate([train, valid]), valid[:0]
        if self.roll == 0:
            return train, valid
        window = (len(train) - self.roll * len(valid) + np.arange(len(valid))) % len(train)
        rest = np.ones(len(train), dtype=bool)
        rest[window] = False
        return np.concatenate([valid, train[rest]]), train[window]
