"""Finalists that are one and the same setting: how often a rule calls one of them worse."""

import numpy as np

from benchmarks.selection.separation import RULES, together
from benchmarks.selection.table import FULL, Floats, Table
from benchmarks.selection.world import N_REPEATS

N_DRAWS = 4_000


def draws(table: Table, n_valid: int, n_finalists: int, n: int = N_DRAWS) -> Floats:
    """Accuracies (n, M, R) of one of the better settings a draw.

    Within a repeat the finalists are different seeds of the setting on the same rows, drawn anew for each repeat, so
    that they are exchangeable: no finalist is better than another.
    """
    better = np.argsort(-table.hits.sum(axis=1))[: len(table.settings) // 4]
    y = np.empty((n, n_finalists, N_REPEATS))
    for draw in range(n):
        rng = np.random.default_rng([draw, n_valid, n_finalists])
        setting, rows = rng.choice(better), rng.permutation(table.n_others)[: N_REPEATS * n_valid]
        for r, own in enumerate(rows.reshape(N_REPEATS, -1)):
            for i, seed in enumerate(rng.permutation(table.bits.shape[1])[:n_finalists]):
                y[draw, i, r] = table.correct(setting, seed, FULL, own).mean()
    return y


def simulated(n_finalists: int, n: int = 200_000) -> Floats:
    """The same with normal errors, as the rules assume them."""
    return np.random.default_rng(n_finalists).standard_normal((n, n_finalists, N_REPEATS))


def false_separation(y: Floats) -> dict[str, tuple[float, float]]:
    """By rule: the shares of draws in which any finalist, and the last one (say, the default), is called worse."""
    found = {}
    for name, rule in RULES.items():
        worse = ~together(y, rule)
        found[name] = float(worse.any(axis=1).mean()), float(worse[:, -1].mean())
    return found
