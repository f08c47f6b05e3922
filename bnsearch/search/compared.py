"""What a comparison found: each variant's figures over its seeds, and how it stands against the first. Pure functions
of finished trials.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bnsearch.search import choose
from bnsearch.search.looking import BY_STATISTICS, STATISTICS
from bnsearch.search.trials import Trial

Seeds = list[float | None]  # a figure of each repeat; None where it has none
FIGURES = ("train_accuracy", "valid_accuracy", "train_loss", "valid_loss", "train_cost", "valid_cost", "test_accuracy")


def compared(variants: Sequence[Mapping[str, Any]], trials: Sequence[Trial], n_repeats: int) -> dict[str, Any]:
    """The table, and which variant is best, from the trials that are over; variants: labels and keys as stored."""
    by_place = {(t.attrs["variant"], t.attrs["repeat"]): t for t in trials}
    rows = []
    for i, variant in enumerate(variants):
        own = [by_place.get((i, r)) for r in range(1, n_repeats + 1)]
        rows.append({"variant": i, "label": variant["label"], "keys": dict(variant["keys"]), **_figures(own)})
    for row in rows[1:]:
        row["difference"] = _difference(row, rows[0])
    return {"n_repeats": n_repeats, "variants": rows, **_best(rows, n_repeats)}


def _figures(own: Sequence[Trial | None]) -> dict[str, Any]:
    """One variant's, over its repeats."""
    complete = [t if t is not None and t.complete else None for t in own]
    figures = {name: _over([None if t is None else t.attrs.get(name) for t in complete]) for name in FIGURES}
    by = [None if t is None else t.attrs.get(BY_STATISTICS) for t in complete]
    pairs = {name: _over([None if found is None else found[name] for found in by]) for name in STATISTICS}
    return {
        "n": sum(t is not None for t in complete),
        "n_diverged": sum(t is not None and "diverged" in t.attrs for t in own),
        "n_failed": sum(t is not None and "failed" in t.attrs for t in own),
        **figures,
        BY_STATISTICS: None if None in pairs.values() else pairs,
        "difference": None,
    }


def _over(seeds: Seeds) -> dict[str, Any] | None:
    """A figure's mean with its interval, where two seeds have it, and all that it is of; None where no seed has it."""
    there = [value for value in seeds if value is not None]
    return {**_interval(there), "per_seed": seeds} if there else None


def _interval(values: Sequence[float]) -> dict[str, float | None]:
    if len(values) < 2:
        return {"mean": values[0], "low": None, "high": None}
    return vars(choose.over_pairs(values))


def _difference(row: Mapping[str, Any], first: Mapping[str, Any]) -> dict[str, Any] | None:
    """In validation accuracy, of the repeats that both came to the end of."""
    if row["valid_accuracy"] is None or first["valid_accuracy"] is None:
        return None
    pairs = zip(row["valid_accuracy"]["per_seed"], first["valid_accuracy"]["per_seed"], strict=True)
    return _over([None if a is None or b is None else a - b for a, b in pairs])


def _best(rows: Sequence[Mapping[str, Any]], n_repeats: int) -> dict[str, Any]:
    """The highest mean of those that came to the end of every repeat, and which of these cannot be told from it."""
    whole = [row for row in rows if row["n"] == n_repeats > 0]  # none before the first trial is entered
    if not whole:
        return {"best": None, "not_separable": []}
    y = np.array([row["valid_accuracy"]["per_seed"] for row in whole], dtype=np.float64)
    together = choose.not_separable(y)
    return {"best": whole[choose.winner(y)]["variant"], "not_separable": [whole[k]["variant"] for k in together]}
