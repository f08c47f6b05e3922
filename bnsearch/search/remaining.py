"""What is left of each stage, from what the database has and the totals asked for. Pure functions of values."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bnsearch.search.choose import n_finalists
from bnsearch.search.cost import (
    Form,
    Pace,
    Round,
    batch_rounds,
    lane_steps,
    new_rounds,
    repeat_round,
    round_seconds,
    trainings,
)
from bnsearch.search.setups import LEVELS, STAGE_OF, Stage

Forms = Mapping[Stage, Form]


class Totals(NamedTuple):
    """What is asked for; no stage shrinks below what it already has."""

    coarse: int
    fine: int
    confirm: int | None  # repeats; None: final's setting is fixed, so that nothing is confirmed
    final: int  # repeats


class OpenBatch(NamedTuple):
    """A batch that is under way."""

    n: int
    rungs: tuple[int, ...]  # steps
    done: tuple[int, ...]  # steps of each lane that is not over


@dataclass(frozen=True)
class StoredLevel:
    """A level of the search as the database has it."""

    total: int
    n_over: int
    cost: float  # of the batches that are over, in whole trainings
    open: OpenBatch | None = None
    further: bool = False  # a further level is due


@dataclass(frozen=True)
class StoredRepeats:
    """Confirm or final as the database has it."""

    n_lanes: int  # of each repeat: finalists, or 1
    n_repeats: int  # asked for so far
    n_entered: int  # lanes that are over or under way
    n_over: int
    under_way: tuple[tuple[int, int], ...] = ()  # (repeat, steps done) of each lane that is not over


@dataclass(frozen=True)
class Stored:
    """A study as the database has it; empty where nothing has been run."""

    levels: Mapping[str, StoredLevel] = field(default_factory=dict)
    confirm: StoredRepeats | None = None
    final: StoredRepeats | None = None


@dataclass(frozen=True)
class Work:
    """What is left of a stage."""

    stage: Stage
    n_over: int  # trials
    n_left: int
    rounds: Sequence[Round]
    rungs: tuple[int, ...] = ()  # steps, of a batch to come
    n_parts: int = 0  # repeats with data of their own

    @property
    def steps(self) -> int:
        """Of all lanes together."""
        return lane_steps(self.rounds)


class Overheads(NamedTuple):
    """Besides training."""

    trial: float = 0.0  # seconds of the database, for a trial
    prepare: float = 0.0  # seconds that the data of a repeat take
    prepared: Mapping[Stage, int] = {}  # repeats whose data the cache has


def work_left(forms: Forms, asked: Totals, stored: Stored) -> list[Work]:
    """What is left of each stage of the chain, in its order; a further level that may become due is not foreseen."""
    found = [_search("coarse", forms, asked, stored), _search("fine", forms, asked, stored)]
    if asked.confirm is not None:
        own = stored.confirm or StoredRepeats(finalists(forms, asked, stored), 0, 0, 0)
        n_repeats = max(asked.confirm, own.n_repeats)
        found.append(_repeats("confirm", forms, own, n_repeats, n_parts=n_repeats))
    own = stored.final or StoredRepeats(1, 0, 0, 0)
    return [*found, _repeats("final", forms, own, max(asked.final, own.n_repeats), n_parts=1)]


def work_seconds(work: Work, form: Form, pace: Pace, overheads: Overheads, n_workers: int) -> float:
    """Expected wall time of a stage."""
    training = sum(round_seconds(form, pace, pieces, n_workers) for pieces in work.rounds)
    n_prepare = max(0, work.n_parts - overheads.prepared.get(work.stage, 0)) if work.n_left else 0
    return training + work.n_left * overheads.trial + math.ceil(n_prepare / n_workers) * overheads.prepare


def finalists(forms: Forms, asked: Totals, stored: Stored) -> int:
    """Lanes of a repeat of confirm: those there are, or the best few, as many as the search's cost allows, and the
    default.
    """
    if stored.confirm is not None:
        return stored.confirm.n_lanes
    cost = 0.0
    for level in LEVELS:
        form, own = forms[STAGE_OF[level]], stored.levels.get(level)
        open_, n_new = _to_come(level, asked, stored)
        cost += own.cost if own else 0.0
        if open_ is not None:
            cost += trainings(form, batch_rounds(form, open_.n, open_.rungs, [0] * open_.n))
        cost += trainings(form, new_rounds(form, n_new))
    return n_finalists(cost) + 1


def _to_come(level: str, asked: Totals, stored: Stored) -> tuple[OpenBatch | None, int]:
    """A level's batch that is under way, and how many trials are still to be proposed."""
    own, fine = stored.levels.get(level), stored.levels.get("fine")
    has_further = "fine2" in stored.levels or (fine is not None and fine.further)
    total = asked.coarse if level == "coarse" else asked.fine
    if level == "fine" and has_further:
        total = 0  # it stays as it is, and a larger total is the further level's
    elif level == "fine2":
        if not has_further:
            return None, 0
        total = max(total, fine.total if fine else 0)
    if own is None:
        return None, total
    n_open = len(own.open.done) if own.open else 0
    return own.open, max(0, max(total, own.total) - own.n_over - n_open)


def _search(stage: Stage, forms: Forms, asked: Totals, stored: Stored) -> Work:
    form, rounds, rungs = forms[stage], list[Round](), tuple[int, ...]()
    n_over = n_left = 0
    for level in LEVELS:
        if STAGE_OF[level] != stage:
            continue
        own = stored.levels.get(level)
        open_, n_new = _to_come(level, asked, stored)
        n_over += own.n_over if own else 0
        if open_ is not None:
            rounds += batch_rounds(form, *open_)
            n_left += len(open_.done)
        rounds += new_rounds(form, n_new)
        rungs = form.rungs_of(n_new) or rungs
        n_left += n_new
    return Work(stage, n_over, n_left, rounds, rungs)


def _repeats(stage: Stage, forms: Forms, own: StoredRepeats, n_repeats: int, n_parts: int) -> Work:
    fresh = range(own.n_entered, own.n_lanes * n_repeats)
    lanes = [*own.under_way, *((1 + number // own.n_lanes, 0) for number in fresh)]
    rounds = [repeat_round(forms[stage], lanes)] if lanes else []
    return Work(stage, own.n_over, len(lanes), rounds, n_parts=n_parts)
