"""Judge replays against the truth. All figures are fractions of 1."""

from dataclasses import dataclass

import numpy as np

from benchmarks.selection.replay import Replays
from benchmarks.selection.separation import RULES, together
from benchmarks.selection.table import Floats
from benchmarks.selection.truth import Truth
from bnsearch.search import choose


@dataclass(frozen=True)
class Mean:
    """A mean with its standard error."""

    value: float
    error: float


@dataclass(frozen=True)
class Separation:
    """How one rule did over many confirms."""

    coverage: float  # the truly best finalist is in the not-separable set
    wrong: float  # a finalist is called worse that is truly no worse than the winner
    n_together: float  # mean size of the set


@dataclass(frozen=True)
class Judgement:
    """Of one method on one table with one number of validation rows."""

    n: int
    cost: float
    regret: Mean
    p90: float
    ahead: Mean | None  # regret minus that of the reference in the same worlds
    flattery: Mean  # the chosen one's value in the search, minus truth
    own_mean: Mean | None  # the winner's mean in confirm, minus truth
    bias: Mean | None  # the leave-one-repeat-out estimate, minus truth
    separation: dict[str, Separation]


def judge(replays: Replays, truth: Truth, reference: Replays | None = None) -> Judgement:
    """Compare with the truth, and with a reference's replays of the same worlds."""
    regret, accuracy = truth.regret(replays.setting), truth.of(replays.setting)
    ahead = None
    if reference is not None and reference is not replays:
        n = min(len(regret), len(reference.setting))
        ahead = mean(regret[:n] - truth.regret(reference.setting[:n]))
    confirmed = bool((replays.finalists[:, 0] >= 0).all())
    own = estimates = None
    if confirmed:
        rows = range(len(regret))
        own = mean(np.array([np.nanmax(replays.y[i].mean(axis=1)) for i in rows]) - accuracy)
        found = [choose.estimate(replays.y[i][replays.finalists[i] >= 0]) for i in rows]
        estimates = mean(np.array(found) - accuracy)
    return Judgement(
        n=len(regret),
        cost=float(replays.cost.mean()),
        regret=mean(regret),
        p90=float(np.quantile(regret, 0.9)),
        ahead=ahead,
        flattery=mean((replays.value - accuracy)[np.isfinite(replays.value)]),
        own_mean=own,
        bias=estimates,
        separation=separations(replays, truth) if confirmed else {},
    )


def mean(values: Floats) -> Mean:
    """With its standard error."""
    return Mean(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))


def separations(replays: Replays, truth: Truth) -> dict[str, Separation]:
    """Every rule on every replay's confirm."""
    n_finalists = (replays.finalists >= 0).sum(axis=1)
    covered, wrong, sizes = ({name: [] for name in RULES} for _ in range(3))
    for m in np.unique(n_finalists[n_finalists > 1]):
        some = n_finalists == m
        accuracy, y = truth.of(replays.finalists)[some, :m], replays.y[some, :m]
        at = np.arange(len(y))
        best, won = accuracy.argmax(axis=1), y.mean(axis=2).argmax(axis=1)
        for name, rule in RULES.items():
            stays = together(y, rule)
            covered[name] += stays[at, best].tolist()
            wrong[name] += (~stays & (accuracy >= accuracy[at, won][:, None])).any(axis=1).tolist()
            sizes[name] += stays.sum(axis=1).tolist()
    return {
        name: Separation(float(np.mean(covered[name])), float(np.mean(wrong[name])), float(np.mean(sizes[name])))
        for name in RULES
    }
