"""Which of very many trials are drawn: the best, and an even sample of the others."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import TypeVar

from bnsearch.report.records import TrialRecord

T = TypeVar("T")
POINTS = 2000  # of one stage in a figure
CURVES = 60  # of all stages
ORDER = ("complete", "pruned", "running", "diverged")


def ranked(trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Best first, complete trials before those that were stopped early, and diverged ones last."""
    return sorted(trials, key=_place)


def _place(trial: TrialRecord) -> tuple[int, float, float, float, int]:
    came_to = trial.rungs[-1][0] if trial.rungs and trial.state == "pruned" else 0
    loss = float("inf") if trial.loss is None else trial.loss
    return ORDER.index(trial.state), -came_to, -(trial.accuracy or 0.0), loss, trial.number


def some(best_first: Sequence[T], limit: int, keep: T | None = None) -> list[T]:
    """All of up to `limit` items, else the first quarter of as many and an even sample of the rest, in their order.

    keep: one that takes the place of its neighbour in the sample where it would be left out.
    """
    if len(best_first) <= limit:
        return list(best_first)
    n_best = limit // 4
    n, n_rest = limit - n_best, len(best_first) - n_best
    places = [*range(n_best), *(n_best + i * n_rest // n for i in range(n))]
    if keep in best_first:
        wanted = best_first.index(keep)
        places[bisect_right(places, wanted) - 1] = wanted
    return [best_first[place] for place in places]


def told(n_shown: int, n: int, what: str = "trials") -> str | None:
    """Says on the page that not all are drawn."""
    if n_shown == n:
        return None
    return f"{n_shown:,} of {n:,} {what} are drawn: the best {n_shown // 4:,} and an even sample of the others."
