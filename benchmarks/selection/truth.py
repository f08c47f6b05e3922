"""What a search does not see: how good each setting is on the rows that its world did not use, over all seeds."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from benchmarks.selection.table import Floats, load_table
from benchmarks.selection.world import Draw

CHUNK = 250  # worlds at once


@dataclass(frozen=True, eq=False)
class Truth:
    """Of the worlds number 0, 1, …"""

    accuracy: Floats  # (worlds, n)
    best: int  # the setting that is best on all rows

    def of(self, settings: np.ndarray) -> Floats:
        """Accuracies of settings (worlds, …), as many worlds as there are rows."""
        at = np.arange(len(settings)).reshape(-1, *[1] * (settings.ndim - 1))
        return self.accuracy[at, settings]

    def regret(self, settings: np.ndarray) -> Floats:
        """What choosing these settings (worlds,) loses, against the best on the same rows."""
        return self.accuracy[: len(settings), self.best] - self.of(settings)


@cache
def truth(table_name: str, n_valid: int, n_worlds: int) -> Truth:
    """Disjoint from all validation rows of its world; a world's rows are drawn from all, so no part is special."""
    table = load_table(table_name)
    n_seeds = table.bits.shape[1]
    found = []
    for first in range(0, n_worlds, CHUNK):
        numbers = range(first, min(first + CHUNK, n_worlds))
        masks = np.zeros((table.n_others, len(numbers)), dtype=np.float32)
        for column, number in enumerate(numbers):
            rest = Draw.of(table, n_valid, number).rest
            masks[rest, column] = 1.0 / (n_seeds * len(rest))
        found.append((table.hits @ masks).T.astype(np.float64))
    return Truth(np.concatenate(found), int(table.hits.sum(axis=1).argmax()))
