"""Which settings are tied, which is best, and how sure that is. Pure functions of values; accuracies are fractions.

The rules and the simulations behind them: docs/selection.md.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr  # scipy.stats would take most of a second to import

from bnsearch.search.trials import Bits, Trial

Matrix = NDArray[np.float64]
POWER_QUANTILE = 0.84  # of the normal distribution, for a power of 80 %
NOT_WORTH = 50  # more repeats than this are not worth separating two settings


def rank(trials: Sequence[Trial]) -> list[Trial]:
    """Complete trials, best first: higher accuracy, then lower validation cross-entropy, then lower number."""
    complete = [trial for trial in trials if trial.value is not None]
    return sorted(
        complete, key=lambda t: (-(t.value or 0.0), math.inf if t.valid_loss is None else t.valid_loss, t.number)
    )


def mcnemar_error(a: Bits, b: Bits) -> float:
    """Standard error of the difference of two accuracies on the same images: √((p10 + p01 − d²)/n) (McNemar 1947).

    a, b: (n,) which images each got right; p10, p01: the shares that only one of them got right, d their difference.
    """
    p10, p01 = float(np.mean(a & ~b)), float(np.mean(b & ~a))
    return math.sqrt(max(p10 + p01 - (p10 - p01) ** 2, 0.0) / len(a))


@dataclass(frozen=True)
class TieSet:
    """The settings that a coarse stage cannot tell from its best."""

    tied: tuple[Trial, ...]  # best first, the best among them
    n_within: int  # how many lie within the margin; more than len(tied) when the cap bites


def tie_set(trials: Sequence[Trial]) -> TieSet:
    """Complete trials within one McNemar standard error of the best, at most max(3, ⌈n/4⌉) of n trials, best first."""
    ranked = rank(trials)
    if not ranked:
        return TieSet((), 0)
    best = ranked[0]
    within = [trial for trial in ranked if trial is best or _tied(best, trial)]
    cap = max(3, math.ceil(len(trials) / 4))
    return TieSet(tuple(within[:cap]), len(within))


def _tied(best: Trial, other: Trial) -> bool:
    if best.correct is None or other.correct is None or best.value is None or other.value is None:
        return False
    return best.value - other.value <= mcnemar_error(best.correct, other.correct)


def n_finalists(full_cost_trainings: float) -> int:
    """How many of the last level's best go to confirm, besides the default: a tenth of the trainings, from 2 to 4."""
    return int(np.clip(round(full_cost_trainings / 10), 2, 4))


def first_different(settings: Sequence[Mapping[str, float]], n: int) -> list[int]:
    """Places of the first n settings that differ: one that was tried twice is one finalist."""
    found: list[int] = []
    for i, setting in enumerate(settings):
        if len(found) < n and all(not same_setting(settings[j], setting) for j in found):
            found.append(i)
    return found


@dataclass(frozen=True)
class Blocks:
    """Finalists × repeats as randomised blocks."""

    means: Matrix  # (M,)
    mse: float  # Σ E²/ν with E_ir = y_ir − ȳ_i − ȳ_r + ȳ
    freedom: int  # ν = (M − 1)(R − 1)
    n_repeats: int


def blocks(y: Matrix) -> Blocks:
    """Analyse accuracies y (M finalists, R repeats)."""
    n_finalists_, n_repeats = y.shape
    residual = y - y.mean(axis=1, keepdims=True) - y.mean(axis=0, keepdims=True) + y.mean()
    freedom = (n_finalists_ - 1) * (n_repeats - 1)
    return Blocks(y.mean(axis=1), float((residual**2).sum() / freedom) if freedom else 0.0, freedom, n_repeats)


def winner(y: Matrix) -> int:
    """The highest mean, always; the first of equals."""
    return int(_means(y).argmax())


def _means(y: Matrix) -> Matrix:
    """Of each finalist, to twelve places: in what order they are added must not decide between equals."""
    means: Matrix = np.round(y.mean(axis=1), 12)
    return means


@cache
def studentized_range(level: float, n_means: int, freedom: int) -> float:
    """Quantile q of (largest − smallest of M equal means)/s, s² an independent estimate with ν degrees of freedom.

    P(q) = ∫ f_ν(s) M ∫ φ(z) [Φ(z) − Φ(z − q·s)]^(M−1) dz ds, f_ν the density of χ_ν/√ν (Tukey 1949). The trapezoidal
    rule over z and log s converges faster than any power of its step.
    """
    z = np.linspace(-8.0, 8.0, 161)
    log_s = np.linspace(-34.0 / freedom - 6.0 / math.sqrt(freedom), math.log1p(9.0 / math.sqrt(freedom)), 400)
    s = np.exp(log_s)
    half = freedom / 2.0
    of_s = np.exp(math.log(2.0) + half * math.log(half) - math.lgamma(half) + freedom * log_s - half * s * s)
    of_z = n_means * np.exp(-z * z / 2.0) / math.sqrt(2.0 * math.pi)
    steps = float((z[1] - z[0]) * (log_s[1] - log_s[0]))

    def probability(q: float) -> float:
        within = (ndtr(z)[:, None] - ndtr(z[:, None] - q * s)) ** (n_means - 1)
        return float(of_z @ within @ of_s) * steps

    low, high = 0.0, 1.0
    while probability(high) < level:
        low, high = high, 2.0 * high
    for _ in range(40):
        middle = (low + high) / 2.0
        low, high = (middle, high) if probability(middle) < level else (low, middle)
    return high


def separating(analysed: Blocks) -> float:
    """By how many √(2·MSE/R) a finalist must lie behind the best to be called worse: q(.95; M, ν)/√2.

    The best is known only afterwards, so the largest of all M(M − 1)/2 differences must stay within: of equal finalists
    any is called worse in 5 % of cases.
    """
    if analysed.freedom == 0:
        return math.inf
    return studentized_range(0.95, len(analysed.means), analysed.freedom) / math.sqrt(2.0)


def margin(analysed: Blocks) -> float:
    """Half of the simultaneous 95 % interval of the difference of two finalists: q(.95; M, ν)·√(MSE/R)."""
    if analysed.freedom == 0:
        return math.inf
    return separating(analysed) * math.sqrt(2.0 * analysed.mse / analysed.n_repeats)


def not_separable(y: Matrix) -> list[int]:
    """Finalists that cannot be told from the best, the best among them: the interval of the difference contains 0."""
    analysed, best = blocks(y), winner(y)
    widest = margin(analysed)
    return [i for i in range(len(y)) if i == best or analysed.means[best] - analysed.means[i] <= widest]


def estimate(y: Matrix) -> float:
    """The winner's expected accuracy, leaving one repeat out: mean over r of y[argmax of the means without r, r].

    The winner's own mean is biased upwards, as it won partly by luck.
    """
    n_repeats = y.shape[1]
    left_out = [y[winner(np.delete(y, r, axis=1)), r] for r in range(n_repeats)]
    return float(np.mean(left_out))


def repeats_needed(y: Matrix, first: int, second: int) -> int | None:
    """Repeats that would separate two finalists with a power of 80 %: ⌈2·MSE·(q/√2 + .84)²/gap²⌉; None when more than
    50.
    """
    analysed = blocks(y)
    gap = float(analysed.means[first] - analysed.means[second])
    if gap <= 0.0 or analysed.freedom == 0:
        return None
    needed = math.ceil(2.0 * analysed.mse * (separating(analysed) + POWER_QUANTILE) ** 2 / gap**2)
    return needed if needed <= NOT_WORTH else None


@dataclass(frozen=True)
class Optimism:
    """How much better than the default the winner looked in the search than it did in confirm."""

    value: float
    standard_error: float


def optimism(search_winner: Trial, search_default: Trial, y: Matrix, won: int, default: int) -> Optimism | None:
    """(y_w − y_0) in the search − (ȳ_w − ȳ_0) in confirm; None where the search's trials did not both complete."""
    if (
        search_winner.value is None
        or search_default.value is None
        or search_winner.correct is None
        or search_default.correct is None
    ):
        return None
    analysed = blocks(y)
    in_search = search_winner.value - search_default.value
    in_confirm = float(analysed.means[won] - analysed.means[default])
    error = mcnemar_error(search_winner.correct, search_default.correct)
    return Optimism(in_search - in_confirm, math.sqrt(error**2 + 2.0 * analysed.mse / analysed.n_repeats))


def same_setting(a: Mapping[str, float], b: Mapping[str, float]) -> bool:
    """Equal in every searched hyperparameter."""
    return dict(a) == dict(b)
