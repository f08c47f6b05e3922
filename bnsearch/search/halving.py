"""Synchronous successive halving (Jamieson & Talwalkar 2016): where the rungs lie, and which lanes go on from one.

Pure functions of values. All lanes of a batch are ranked together when the last of them has arrived, so that neither
the order in which they arrive nor the number of workers matters.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bnsearch.search.tables import KEEP, Constant, Cosine, Cyclic, Exponential

SHARES = (0.25, 0.5)  # of the budget, where the study file names no rungs
MIN_KEPT = 4
MIN_LANES = 16  # of a batch; of fewer there is too little to gain


@dataclass(frozen=True)
class Standing:
    """How a lane stands at a rung."""

    number: int  # of its trial
    accuracy: float  # on the validation rows
    loss: float  # mean cross-entropy there
    diverged: bool = False  # on the way to this rung; the figures then mean nothing


def order(standings: Sequence[Standing]) -> list[Standing]:
    """Best first: sorted by (diverged, −accuracy, cross-entropy, number)."""
    return sorted(
        standings, key=lambda s: (True, 0.0, 0.0, s.number) if s.diverged else (False, -s.accuracy, s.loss, s.number)
    )


def n_kept(n: int, keep: float = KEEP) -> int:
    """max(4, ⌈keep·N⌉) of N lanes, or all of fewer."""
    return min(n, max(MIN_KEPT, math.ceil(keep * n - 1e-9)))  # 0.7 · 10 is a little more than 7


def survivors(standings: Sequence[Standing], keep: float = KEEP) -> list[int]:
    """Numbers of the lanes that go on from a rung, best first; a diverged lane counts in N and never goes on."""
    return [s.number for s in order(standings)[: n_kept(len(standings), keep)] if not s.diverged]


def allowed_steps(
    schedule: Constant | Exponential | Cyclic | Cosine, n_steps: int, epoch_steps: int
) -> tuple[int, ...]:
    """Steps at which lanes of different hyperparameters can be compared before the end of a run of n_steps.

    Cycle ends under a cyclic schedule, epoch ends under a constant or an exponential one. None under a cosine: its
    learning rates fall together only at the end.
    """
    if isinstance(schedule, Cosine):
        return ()
    every = 2 * schedule.half_cycle_steps if isinstance(schedule, Cyclic) else epoch_steps
    return tuple(range(every, n_steps, every))


def rung_steps(shares: Sequence[float], allowed: Sequence[int], n_steps: int) -> tuple[int, ...]:
    """The allowed steps that are nearest to these shares of n_steps, each once; of two as near the later one, which
    predicts better.
    """
    if not allowed:
        return ()
    return tuple(sorted({min(allowed, key=lambda step: (abs(step - share * n_steps), -step)) for share in shares}))
