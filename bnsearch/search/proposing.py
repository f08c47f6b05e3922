"""Totals that fit into a budget. Pure functions of values.

How it is divided follows docs/selection.md: as many trials in coarse as in fine, and a third of all trainings for
confirm.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from bnsearch.search.cost import Form, new_rounds, trainings
from bnsearch.search.remaining import Forms, Stored, Totals, finalists

MIN_TRIALS, MAX_TRIALS = 3, 256  # of coarse and of fine; a few hyperparameters need no more
MIN_REPEATS, MAX_REPEATS = 2, 20
MARGIN = 0.9  # of the budget is given away: what a measurement of seconds says of minutes is not exact
Cost = Callable[[Totals], float]  # seconds of all that is left


class Fixed(NamedTuple):
    """What a proposal may not choose: totals of grids and of what later stages are built on (None: free)."""

    coarse: int | None = None
    fine: int | None = None
    confirm: int | None = None
    has_confirm: bool = True
    final: int = MIN_REPEATS
    least: Totals = Totals(MIN_TRIALS, MIN_TRIALS, MIN_REPEATS, MIN_REPEATS)  # what there is already


class Proposal(NamedTuple):
    """The totals that fit, or the least there can be where not even those do."""

    totals: Totals
    seconds: float
    fits: bool


def propose_totals(forms: Forms, stored: Stored, fixed: Fixed, cost: Cost, budget: float) -> Proposal:
    """The largest totals whose cost is at most MARGIN of the budget.

    Of all sizes that fit the largest is taken, so a larger budget never gets fewer trials: from 16 trials on rungs
    make a batch cheaper than a slightly smaller one without.
    """
    sizes, room = list(_sizes(forms, stored, fixed)), MARGIN * budget
    best = next((totals for totals in reversed(sizes) if cost(totals) <= room), None)
    if best is None or best == sizes[-1]:  # too little for any or more than all need: repeats alone shrink or grow
        numbers = range(MIN_REPEATS, MAX_REPEATS + 1)
        by_repeats = [_with_repeats(best or sizes[0], fixed, repeats) for repeats in numbers]
        best = next((totals for totals in reversed(by_repeats) if cost(totals) <= room), by_repeats[0])
    seconds = cost(best)
    return Proposal(best, seconds, seconds <= budget)


def _sizes(forms: Forms, stored: Stored, fixed: Fixed) -> Iterator[Totals]:
    """From the least on; each with a third of its trainings for confirm."""
    is_free = None in (fixed.coarse, fixed.fine)
    for n in range(MIN_TRIALS, (MAX_TRIALS if is_free else MIN_TRIALS) + 1):
        coarse = max(n, fixed.least.coarse) if fixed.coarse is None else fixed.coarse
        fine = max(n, fixed.least.fine) if fixed.fine is None else fixed.fine
        totals = Totals(coarse, fine, MIN_REPEATS, fixed.final)
        half = (_trainings(forms["coarse"], coarse) + _trainings(forms["fine"], fine)) / 2
        third = round(half / finalists(forms, totals, stored))
        yield _with_repeats(totals, fixed, min(third, MAX_REPEATS))


def _trainings(form: Form, n: int) -> float:
    return trainings(form, new_rounds(form, n))


def _with_repeats(totals: Totals, fixed: Fixed, repeats: int) -> Totals:
    free = max(repeats, fixed.least.confirm or 0, MIN_REPEATS)
    return totals._replace(confirm=(free if fixed.confirm is None else fixed.confirm) if fixed.has_confirm else None)
