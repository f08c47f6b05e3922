"""How far a search's ranking is that of the settings, and how far that of the seeds. Pure functions of accuracies
y (M settings, R seeds).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from bnsearch.search.choose import blocks

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Ranking:
    """What the seeds say of it."""

    within: float  # standard deviation over seeds of a setting, √ of the mean variance
    between: float  # standard deviation of the settings' means, the seeds' share taken off (0 where that is all)
    correlation: float  # Spearman's, mean over all pairs of seeds
    best: tuple[int, ...]  # how many seeds each setting is best of, (M,); equals share their seed's to the first
    n_seeds: int

    @property
    def n_best(self) -> int:
        """Settings that are best of at least one seed."""
        return sum(n > 0 for n in self.best)


def ranking(y: Float) -> Ranking:
    """Of at least two settings and two seeds."""
    m, r = y.shape
    variance = float(y.var(axis=1, ddof=1).mean())
    between = float(y.mean(axis=1).var(ddof=1)) - blocks(y).mse / r
    winners = np.bincount(y.argmax(axis=0), minlength=m)
    return Ranking(variance**0.5, max(between, 0.0) ** 0.5, _agreement(y), tuple(map(int, winners)), r)


def better_half(y: Float) -> Float:
    """The settings of the higher means, between which a search has to decide."""
    order = np.argsort(-y.mean(axis=1), kind="stable")
    return y[np.sort(order[: -(-len(y) // 2)])]


def _agreement(y: Float) -> float:
    """Mean of Spearman's rank correlations of all pairs of seeds."""
    ranks = np.apply_along_axis(rankdata, 0, y)
    pairs = np.corrcoef(ranks.T)[np.triu_indices(y.shape[1], 1)]
    return float(pairs.mean())
