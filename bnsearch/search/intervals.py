"""95 % intervals of means: over seeds, over pairs, over images. Accuracies are fractions.

What each is for, and how often it holds: docs/selection.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit  # scipy.stats would take most of a second to import

from bnsearch.search.trials import Bits


@dataclass(frozen=True)
class Interval:
    """A mean with its interval."""

    mean: float
    low: float
    high: float


def over_seeds(accuracies: Sequence[float]) -> Interval:
    """95 % interval of the mean over seeds, on these test images: ± t(.975, R − 1)·s/√R."""
    found = over_pairs(accuracies)
    return Interval(found.mean, max(found.low, 0.0), min(found.high, 1.0))


def over_pairs(differences: Sequence[float], n_differences: int = 1) -> Interval:
    """95 % interval of a mean difference from its pairs, with those of others at once: ± t(1 − .025/m, n − 1)·s/√n.

    m: n_differences, how many there are in all; in 95 % of cases each lies within its own (Bonferroni).
    """
    values = np.asarray(differences)
    quantile = float(stdtrit(len(values) - 1, 1.0 - 0.025 / n_differences))
    half = quantile * float(values.std(ddof=1)) / math.sqrt(len(values))
    mean = float(values.mean())
    return Interval(mean, mean - half, mean + half)


def over_images(correct: Bits) -> Interval:
    """95 % interval over new images and seeds: ± 1.96·√(s²/R + sd(p̄)²/n), p̄ each image's hit rate over the seeds.

    correct: (R, n) which test images each seed's network got right.
    """
    n_seeds, n = correct.shape
    accuracies = correct.mean(axis=1)
    hit_rate = correct.mean(axis=0)
    variance = accuracies.var(ddof=1) / n_seeds + hit_rate.var(ddof=1) / n
    half = 1.96 * math.sqrt(float(variance))
    mean = float(accuracies.mean())
    return Interval(mean, max(mean - half, 0.0), min(mean + half, 1.0))


def over_images_of_one(n_correct: int, n: int) -> Interval:
    """95 % interval over new images alone, of one predictor that is given: Wilson's score interval of a binomial share.

    (p + z²/2n ± z·√(p(1 − p)/n + z²/4n²))/(1 + z²/n), z = 1.96 (Wilson 1927). What another training would give is
    not in it.
    """
    p, z = n_correct / n, 1.96
    centre, half = p + z**2 / (2 * n), z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    scale = 1 + z**2 / n
    return Interval(p, max((centre - half) / scale, 0.0), min((centre + half) / scale, 1.0))
