"""What trainings cost: as rounds of cohorts, and in seconds. Pure functions of values.

The model is that of the scheduler: cohorts are as even as they go and no wider than is good, workers share them until
all end at about the same time, and the lanes of a batch wait for each other at its rungs.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from bnsearch.search.halving import MIN_LANES, n_kept
from bnsearch.search.tables import KEEP


class Pace(NamedTuple):
    """Seconds of a cohort by the number of its lanes, as they were measured; straight lines between."""

    widths: tuple[int, ...]  # rising, from 1 to as many lanes as a cohort may have
    step: tuple[float, ...]  # a step of the whole cohort
    row: tuple[float, ...]  # the evaluation of one row by the whole cohort

    def step_seconds(self, width: int) -> float:
        """Of a step of so many lanes."""
        return float(np.interp(width, self.widths, self.step))

    def row_seconds(self, width: int) -> float:
        """Of the evaluation of a row by so many lanes."""
        return float(np.interp(width, self.widths, self.row))


@dataclass(frozen=True)
class Form:
    """One training of a stage, and which lanes wait for each other."""

    n_steps: int
    epoch_steps: int  # validation rows are evaluated at every epoch's end
    evaluation_rows: int  # that an evaluation at an epoch's end goes through
    end_rows: int  # that the exact pass after the last step goes through
    rungs: tuple[int, ...] = ()  # steps, of a batch that is large enough
    keep: float = KEEP  # share of a rung's lanes that go on
    batch: int | None = None  # lanes that are proposed together; None: all

    def rungs_of(self, n: int) -> tuple[int, ...]:
        """Steps of the rungs of a batch of n lanes."""
        return self.rungs if n >= MIN_LANES else ()


class Piece(NamedTuple):
    """Lanes that go from one step to another, in groups (repeats) that never share a cohort."""

    lanes: int  # of each group
    steps: int  # of each lane
    evaluations: int  # of the validation rows, by each lane
    to_end: bool = False  # measured exactly there
    groups: int = 1


Round = Sequence[Piece]  # pieces that are trained side by side, until the last of them is done


def piece(form: Form, lanes: int, at: int, to: int, groups: int = 1) -> Piece:
    """Lanes from step `at` to step `to`: a rung, or the end."""
    ends = to // form.epoch_steps - at // form.epoch_steps
    is_end = to >= form.n_steps
    beyond = not is_end or to % form.epoch_steps > 0  # evaluated there too: at a rung, or the last part of an epoch
    return Piece(lanes, to - at, ends + beyond, is_end, groups)


@lru_cache(maxsize=1024)  # a proposal tries hundreds of totals
def new_rounds(form: Form, n: int) -> tuple[Round, ...]:
    """Of n trials to come, batch by batch."""
    most = form.batch or max(n, 1)
    sizes = [min(most, n - first) for first in range(0, n, most)]
    return tuple(r for size in sizes for r in batch_rounds(form, size, form.rungs_of(size), [0] * size))


def batch_rounds(form: Form, n: int, rungs: Sequence[int], done: Sequence[int]) -> list[Round]:
    """From rung to rung: a batch of n lanes, of which those that are not over have done so many steps."""
    rounds: list[Round] = []
    begin, n_on, first = 0, n, sorted(done, reverse=True)
    for end in (*rungs, form.n_steps):
        at = Counter(max(begin, steps) for steps in first[:n_on] if steps < end)
        if at:
            rounds.append([piece(form, lanes, steps, end) for steps, lanes in sorted(at.items())])
        begin, n_on = end, n_kept(n_on, form.keep)
    return rounds


def repeat_round(form: Form, lanes: Iterable[tuple[int, int]]) -> Round:
    """All repeats side by side, from (repeat, steps done) of each lane; a repeat's lanes of one step go together."""
    together = Counter(lanes)
    alike = Counter((steps, n) for (_, steps), n in together.items())  # -> so many repeats
    return [piece(form, n, steps, form.n_steps, groups) for (steps, n), groups in sorted(alike.items())]


def round_seconds(form: Form, pace: Pace, pieces: Round, n_workers: int) -> float:
    """Wall time: the work of all cohorts shared by the workers, but no less than that of the longest."""
    cohorts = [(width, p) for p in pieces for _ in range(p.groups) for width in even(p.lanes, pace.widths[-1])]
    while 0 < len(cohorts) < n_workers and max(width for width, _ in cohorts) > 1:
        widest = max(cohorts, key=lambda cohort: cohort[0])
        cohorts.remove(widest)
        cohorts += [(width, widest[1]) for width in even(widest[0], -(-widest[0] // 2))]
    each = [_cohort_seconds(form, pace, width, p) for width, p in cohorts]
    return max(sum(each) / n_workers, max(each, default=0.0))


def _cohort_seconds(form: Form, pace: Pace, width: int, p: Piece) -> float:
    rows = p.evaluations * form.evaluation_rows + p.to_end * form.end_rows
    return p.steps * pace.step_seconds(width) + rows * pace.row_seconds(width)


def even(n: int, width: int) -> list[int]:
    """The sizes of as few cohorts of at most this width as hold n lanes, as even as they go."""
    k = -(-n // width)
    return [n // k + (i < n % k) for i in range(k)]


def lane_steps(rounds: Iterable[Round]) -> int:
    """Steps of all lanes together."""
    return sum(p.groups * p.lanes * p.steps for pieces in rounds for p in pieces)


def trainings(form: Form, rounds: Iterable[Round]) -> float:
    """In units of a whole training: a trial that a rung stops costs its share."""
    return lane_steps(rounds) / form.n_steps
