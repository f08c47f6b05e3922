"""How far a search's ranking is that of the settings, and how far that of the seeds. Pure functions of accuracies
y (M settings, R seeds).
"""

import itertools
from collections.abc import Iterator
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


@dataclass(frozen=True)
class Half:
    """What the seeds say of the better half of the settings, between which a search has to decide. A part of the seeds
    chooses the half and the others judge it, for a half that is cut by its own noise looks narrower than it is; means
    over all ways to part them.
    """

    within: float  # as in Ranking
    between: float
    correlation: float
    alike: float  # Spearman's, between the settings' means by y and by z on the seeds that judge


def better_half(y: Float, z: Float) -> Half:
    """By y, with another measurement z (M, R) of the same networks beside it; at least three seeds."""
    variances, between, correlations, alike = [], [], [], []
    for choosing, judging in _parted(y.shape[1]):
        order = np.argsort(-y[:, choosing].mean(axis=1), kind="stable")
        half = np.sort(order[: -(-len(y) // 2)])
        a, b = y[np.ix_(half, judging)], z[np.ix_(half, judging)]
        variances.append(a.var(axis=1, ddof=1).mean())
        between.append(a.mean(axis=1).var(ddof=1) - blocks(a).mse / a.shape[1])
        correlations.append(_agreement(a))
        alike.append(spearman(a.mean(axis=1), b.mean(axis=1)))
    means = [float(np.mean(each)) for each in (variances, between, correlations, alike)]
    return Half(means[0] ** 0.5, max(means[1], 0.0) ** 0.5, means[2], means[3])


def spearman(a: Float, b: Float) -> float:
    """Rank correlation of two measurements (M,)."""
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])


def _parted(r: int) -> Iterator[tuple[list[int], list[int]]]:
    """All ways to let half of the seeds, rounded down, choose and the others judge."""
    for choosing in itertools.combinations(range(r), r // 2):
        yield list(choosing), [i for i in range(r) if i not in choosing]


def _agreement(y: Float) -> float:
    """Mean of Spearman's rank correlations of all pairs of seeds."""
    ranks = np.apply_along_axis(rankdata, 0, y)
    pairs = np.corrcoef(ranks.T)[np.triu_indices(y.shape[1], 1)]
    return float(pairs.mean())
