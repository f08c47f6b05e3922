"""Rules for which finalists cannot be told from the best: the margin of each, in units of √(2·MSE/R)."""

from collections.abc import Callable
from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, stdtrit
from scipy.stats import chi, studentized_range

from benchmarks.selection.table import Floats

LEVEL = 0.95
Rule = Callable[[int, int], float]  # M finalists, ν degrees of freedom -> margin


def uncorrected(m: int, freedom: int) -> float:
    """t of one pair."""
    return float(stdtrit(freedom, LEVEL))


def bonferroni(m: int, freedom: int) -> float:
    """t(1 − .05/(M − 1), ν), one-sided."""
    return float(stdtrit(freedom, 1.0 - (1.0 - LEVEL) / (m - 1)))


@cache
def dunnett(m: int, freedom: int) -> float:
    """One-sided quantile of the largest of M − 1 differences to one finalist: multiple comparisons with the best (Hsu
    1981).
    """
    z = np.linspace(-8.0, 8.0, 801)
    s = chi.ppf((np.arange(1000) + 0.5) / 1000, freedom) / np.sqrt(freedom)
    density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])

    def coverage(d: float) -> float:
        return float((density @ ndtr(z[:, None] + np.sqrt(2.0) * d * s) ** (m - 1)).mean())

    return float(brentq(lambda d: coverage(d) - LEVEL, 0.0, 20.0))


@cache
def tukey(m: int, freedom: int) -> float:
    """q(.95; M, ν)/√2 of the studentised range: the largest of all differences (Tukey 1949)."""
    return float(studentized_range.ppf(LEVEL, m, freedom)) / np.sqrt(2.0)


RULES: dict[str, Rule] = {"one pair": uncorrected, "Bonferroni": bonferroni, "Dunnett": dunnett, "Tukey": tukey}


def analyse(y: Floats) -> tuple[Floats, Floats]:
    """Means (n, M) and √(2·MSE/R) (n,) of many randomised blocks y (n, M, R)."""
    means = y.mean(axis=2)
    residual = y - means[..., None] - y.mean(axis=1, keepdims=True) + y.mean(axis=(1, 2), keepdims=True)
    mse = (residual**2).sum(axis=(1, 2)) / ((y.shape[1] - 1) * (y.shape[2] - 1))
    return means, np.sqrt(2.0 * mse / y.shape[2])


def together(y: Floats, rule: Rule) -> np.ndarray:
    """Which finalists are not separable from the best, (n, M) booleans; y (n, M, R)."""
    means, unit = analyse(y)
    m, r = y.shape[1:]
    return means.max(axis=1, keepdims=True) - means <= (rule(m, (m - 1) * (r - 1)) * unit)[:, None]
