"""Replay a method many times; what it chose and saw is kept as arrays, so that rules can be judged afterwards."""

import re
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import optuna
from numpy.typing import NDArray

from benchmarks.selection.contest import contest
from benchmarks.selection.making import folder
from benchmarks.selection.methods import MAX_FINALISTS, Choice, run
from benchmarks.selection.specs import SPECS
from benchmarks.selection.table import Floats, load_table
from benchmarks.selection.world import N_REPEATS, World

CHUNK = 10  # replays a task


@dataclass(frozen=True)
class Replays:
    """Of one method on one table with one number of validation rows."""

    setting: NDArray[np.int64]  # (n,) chosen
    value: Floats  # (n,) of the chosen trial in the search
    cost: Floats  # (n,) in trainings
    finalists: NDArray[np.int64]  # (n, 5) settings, the default last; −1 where there are fewer, or no confirm
    y: Floats  # (n, 5, R), NaN alike


def replay(name: str, table_name: str, n_valid: int, first: int, n: int) -> Replays:
    """Replays number first … first + n − 1."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    table, method = load_table(table_name), contest()[name]
    choices = [run(method, World(table, n_valid, number)) for number in range(first, first + n)]
    finalists = np.full((n, MAX_FINALISTS), -1)
    y = np.full((n, MAX_FINALISTS, N_REPEATS), np.nan)
    for i, choice in enumerate(choices):
        if choice.y is not None:
            finalists[i, : len(choice.finalists)] = choice.finalists
            y[i, : len(choice.y)] = choice.y
    return Replays(_column(choices, "setting"), _column(choices, "value"), _column(choices, "cost"), finalists, y)


def _column(choices: list[Choice], name: str) -> NDArray[np.generic]:
    return np.array([getattr(choice, name) for choice in choices])


def path(table_name: str, n_valid: int, name: str) -> Path:
    """Where a method's replays lie."""
    words = re.sub(r"\W+", "-", name.replace("½", "half").replace("¼", "quarter"))
    return folder(SPECS[table_name]) / "replays" / f"{words}-{n_valid}.npz"


def replay_all(
    table_name: str, n_valid: int, names: list[str], n_workers: int = 2, share: float = 1.0
) -> dict[str, Replays]:
    """All that is not yet kept; `share` of each method's number of replays."""
    wanted = {name: max(CHUNK, round(share * contest()[name].n_replays)) for name in names}
    missing = [name for name in names if not _kept(path(table_name, n_valid, name), wanted[name])]
    with ProcessPoolExecutor(n_workers, mp_context=get_context("spawn")) as pool:
        tasks = {
            name: [
                pool.submit(replay, name, table_name, n_valid, first, min(CHUNK, wanted[name] - first))
                for first in range(0, wanted[name], CHUNK)
            ]
            for name in missing
        }
        for name, futures in tasks.items():
            parts = [future.result() for future in futures]
            whole = {f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Replays)}
            target = path(table_name, n_valid, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            np.savez(target, **whole)
    return {name: load_replays(table_name, n_valid, name) for name in names}


def load_replays(table_name: str, n_valid: int, name: str) -> Replays:
    """Those that are kept."""
    with np.load(path(table_name, n_valid, name)) as arrays:
        return Replays(**{f.name: arrays[f.name] for f in fields(Replays)})


def _kept(target: Path, n: int) -> bool:
    if not target.exists():
        return False
    with np.load(target) as arrays:
        return len(arrays["setting"]) >= n
