"""What a comparison found: each variant's figures over its seeds, and how it stands against the first. Pure functions
of finished trials.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bnsearch.search.choose import winner
from bnsearch.search.intervals import over_pairs
from bnsearch.search.looking import BY_STATISTICS, STATISTICS
from bnsearch.search.trials import Trial

Seeds = list[float | None]  # a figure of each repeat; None where it has none
METHOD = "paired t, Bonferroni over all differences to the first"
FIGURES = ("train_accuracy", "valid_accuracy", "train_loss", "valid_loss", "train_cost", "valid_cost", "test_accuracy")


def compared(variants: Sequence[Mapping[str, Any]], trials: Sequence[Trial], n_repeats: int) -> dict[str, Any]:
    """The table, and which variant is best, from the trials that are over; variants: labels and keys as stored."""
    by_place = {(t.attrs["variant"], t.attrs["repeat"]): t for t in trials}
    rows = []
    for i, variant in enumerate(variants):
        own = [by_place.get((i, r)) for r in range(1, n_repeats + 1)]
        rows.append({"variant": i, "label": variant["label"], "keys": dict(variant["keys"]), **_figures(own)})
    n_others = len(rows) - 1
    for row in rows[1:]:
        row["difference"] = _difference(row, rows[0], n_others)
        row["separable"] = _is_clear_of_zero(row["difference"])
    return {
        "n_repeats": n_repeats,
        "variants": rows,
        "best": _best(rows, n_repeats),
        "differences": {"method": METHOD, "n": n_others, "simultaneous": 0.95, "each": 1.0 - 0.05 / max(n_others, 1)},
    }


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
        "separable": None,  # of the first, which is compared with none
    }


def _over(seeds: Seeds) -> dict[str, Any] | None:
    """A figure's mean with its interval, where two seeds have it, and all that it is of; None where no seed has it."""
    there = [value for value in seeds if value is not None]
    return {**_interval(there), "per_seed": seeds} if there else None


def _interval(values: Sequence[float]) -> dict[str, float | None]:
    if len(values) < 2:
        return {"mean": values[0], "low": None, "high": None}
    return vars(over_pairs(values))


def _difference(row: Mapping[str, Any], first: Mapping[str, Any], n_others: int) -> dict[str, Any] | None:
    """In validation accuracy, of the repeats that both came to the end of; its interval holds with all others' at once.

    Pairs that are all alike have none: nothing is known of their spread, and a few agree by chance where rows are few.
    """
    if row["valid_accuracy"] is None or first["valid_accuracy"] is None:
        return None
    both = zip(row["valid_accuracy"]["per_seed"], first["valid_accuracy"]["per_seed"], strict=True)
    # to twelve places: equal shares must differ equally
    pairs = [None if a is None or b is None else round(a - b, 12) for a, b in both]
    there = [pair for pair in pairs if pair is not None]
    if not there:
        return None
    mean = float(np.mean(there))
    interval = {"mean": mean, "low": None, "high": None} if len(set(there)) == 1 else vars(over_pairs(there, n_others))
    return {**interval, "per_seed": pairs}


def _is_clear_of_zero(difference: Mapping[str, Any] | None) -> bool:
    """Whether the interval leaves 0 out; where there is none, nothing is told apart."""
    return bool(difference and difference["low"] is not None and not difference["low"] <= 0.0 <= difference["high"])


def _best(rows: Sequence[Mapping[str, Any]], n_repeats: int) -> int | None:
    """The highest mean of those that came to the end of every repeat."""
    whole = [row for row in rows if row["n"] == n_repeats > 0]  # none before the first trial is entered
    if not whole:
        return None
    y = np.array([row["valid_accuracy"]["per_seed"] for row in whole], dtype=np.float64)
    return int(whole[winner(y)]["variant"])
