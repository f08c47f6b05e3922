"""Handmade records of a study, in the form of `bnsearch.search.stages.status`."""

import copy
from typing import Any

Row = dict[str, Any]

BEST = {"trial": 4, "value": 0.9958, "params": {"l2": 0.000158483, "learning_rate": 0.1642475}}
COARSE: Row = {
    "stage": "coarse",
    "study": "mine.coarse",
    "total": 24,
    "trials": {"complete": 24, "pruned": 0, "failed": 0, "running": 0},
    "best": BEST,
    "space": {
        "l2": {"low": 1e-6, "high": 0.1, "log": True},
        "learning_rate": {"low": 1e-3, "high": 1.0, "log": True},
    },
    "edges": [],
    "halving": {"asked": False, "in_effect": False, "stopped": []},
    "followed_by": None,
    "given_fine": None,
    "stale": None,
    "parent": None,
    "verdict": {"best": 4, "tied": [4, 0, 16], "n_tied": 3, "n_valid": 5000, "unresolved_edges": []},
    "result": None,
    "top": [BEST, {"trial": 0, "value": 0.9875, "params": {"l2": 0.001, "learning_rate": 0.1}}],
}
AROUND = {"study": "mine.coarse", "tied": [4, 0, 16], "n_within": 3, "n_trials": 24}
FINE: Row = COARSE | {"stage": "fine", "study": "mine.fine", "parent": AROUND}
AROUND_ONE = {"study": "mine.fine", "tied": [4], "n_within": 1, "n_trials": 24}
FINE2: Row = FINE | {"stage": "fine2", "study": "mine.fine2", "parent": AROUND_ONE}


def finalist(number: int, mean: float, **more: Any) -> Row:
    """One that is not separable from the best, trained with a setting of its own."""
    own: Row = {
        "finalist": number,
        "params": {"l2": 0.0016675 * (number + 1), "learning_rate": 0.2909321, "momentum": 0.9},
        "stage": "fine",
        "trial": 30 + number,
        "default": False,
        "accuracies": [mean, mean],
        "mean": mean,
        "behind_best": 0.985 - mean,
        "difference_interval": None if number == 0 else [0.985 - mean - 0.0035, 0.985 - mean + 0.0035],
        "separable": False,
        "repeats_needed": 25,
    }
    return own | more


VERDICT: Row = {
    "winner": 0,
    "params": finalist(0, 0.985)["params"],
    "estimate": 0.98412,
    "n_repeats": 5,
    "default_separable": False,
    "winner_is_default": False,
    "diverged": [],
    "optimism": None,
    "not_comparable": None,
    "finalists": [finalist(0, 0.985), finalist(1, 0.983, default=True), finalist(2, 0.979, separable=True)],
}
CONFIRM: Row = {
    "stage": "confirm",
    "study": "mine.confirm",
    "total": 15,
    "trials": {"complete": 15, "pruned": 0, "failed": 0, "running": 0},
    "best": {"value": VERDICT["estimate"], "params": VERDICT["params"]},
    "space": None,
    "edges": [],
    "halving": None,
    "followed_by": None,
    "given_fine": None,
    "stale": None,
    "parent": {"study": "mine.fine"},
    "verdict": VERDICT,
    "result": None,
    "top": [],
}
RESULT: Row = {
    "params": VERDICT["params"],
    "valid_accuracy": 0.98412,
    "test_accuracy": {"mean": 0.98556, "low": 0.97495, "high": 0.99616, "per_seed": [0.984, 0.9871]},
    "test_accuracy_over_seeds": {"low": 0.97732, "high": 0.99379},
    "bn_statistics": "moving",
    "test_accuracy_by_statistics": {"moving": 0.98556, "population": 0.98611},
    "ensemble": {"n_networks": 2, "accuracy": 0.9891, "low": 0.98686, "high": 0.99095},
    "confusion": [[181, 1], [2, 180]],
    "n_test": 10_000,
    "n_diverged": 0,
    "n_train": 50_000,
    "n_train_in_confirm": 45_000,
    "look": 3,
    "model": "mine/models/final-1.safetensors",
    "models": ["mine/models/final-1.safetensors", "mine/models/final-2.safetensors"],
}
FINAL: Row = {
    "stage": "final",
    "study": "mine.final",
    "total": 2,
    "trials": {"complete": 2, "pruned": 0, "failed": 0, "running": 0},
    "best": {"value": 0.98556, "params": VERDICT["params"]},
    "space": None,
    "edges": [],
    "halving": None,
    "followed_by": None,
    "given_fine": None,
    "stale": None,
    "parent": {"study": "mine.confirm", "finalist": 0},
    "verdict": None,
    "result": RESULT,
    "looks": [],
    "top": [],
}


def changed(row: Row, **changes: Any) -> Row:
    """The record with some values of its own or of its tables replaced; `trials__failed=2` is one of a table."""
    row = copy.deepcopy(row)
    for key, value in changes.items():
        *tables, last = key.split("__")
        table = row
        for name in tables:
            table = table[name]
        table[last] = value
    return row
