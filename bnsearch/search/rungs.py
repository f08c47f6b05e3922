"""A batch at its rungs: what is stored of each lane there, and who goes on, recomputed from what is stored."""

from collections.abc import Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial

from bnsearch.core.evaluate import Evaluation
from bnsearch.search.batches import Batch
from bnsearch.search.halving import Standing, order, survivors
from bnsearch.search.open_trial import OpenTrial


@dataclass(frozen=True)
class Rung:
    """One rung of a batch."""

    place: int  # 1, 2, … among its batch's
    step: int

    @property
    def key(self) -> str:
        """The attribute that holds what a trial reached there."""
        return f"rung_{self.place}"


def rungs_of(batch: Batch | None) -> list[Rung]:
    """Its rungs in their order."""
    return [Rung(place, step) for place, step in enumerate(batch.rungs if batch else (), start=1)]


def arrive(trial: OpenTrial, rung: Rung, valid: Evaluation) -> None:
    """Write down, in one piece, how a lane (K = 1) stands at a rung; its state lies on the disk by then."""
    figures = {"valid_accuracy": float(valid.accuracy[0]), "valid_loss": float(valid.loss[0])}
    trial.set_user_attrs({rung.key: {"step": rung.step, **figures}})


def ranking(trials: Sequence[FrozenTrial], batch: Batch, keep: float, rung: Rung) -> tuple[list[int], set[int]]:
    """Numbers of the lanes that came to a rung, best first, and of those that go on from it.

    Derived from all of the batch's stored figures up to this rung, so a restart between any two writes decides the
    same. A lane that went on from the rung before and has no figures at this one diverged on the way.
    """
    entrants = {t.number: t for t in trials if batch.first <= t.number < batch.end}
    for earlier in rungs_of(batch):
        standings = [_standing(t, earlier) for t in entrants.values()]
        kept = survivors(standings, keep)
        if earlier == rung:
            return [s.number for s in order(standings)], set(kept)
        entrants = {number: entrants[number] for number in kept}
    raise ValueError(f"{rung} must be one of {batch}.")


def _standing(trial: FrozenTrial, rung: Rung) -> Standing:
    figures = trial.user_attrs.get(rung.key)
    if figures is None:
        return Standing(trial.number, 0.0, 0.0, diverged=True)
    return Standing(trial.number, figures["valid_accuracy"], figures["valid_loss"])
