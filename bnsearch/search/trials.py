"""A finished trial as bnsearch sees it, and which validation images it got right as text."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.trial import FrozenTrial, TrialState

Bits = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Trial:
    """A trial of a search or confirm study that is over."""

    number: int
    params: Mapping[str, float]
    value: float | None  # validation accuracy at the last step; None: diverged or pruned
    valid_loss: float | None = None  # mean cross-entropy
    correct: Bits | None = None  # (n_valid,) which validation images it got right
    attrs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Only complete trials are compared."""
        return self.value is not None

    @property
    def cost(self) -> float:
        """In trainings of the full budget: one that was stopped at a rung, or diverged, took a share."""
        shares = (self.attrs.get("pruned_at_share"), self.attrs.get("diverged_at_share"))
        return 1.0 if self.complete else float(next((share for share in shares if share is not None), 0.0))


def finished(trials: Sequence[FrozenTrial]) -> list[Trial]:
    """COMPLETE, PRUNED and diverged trials, by number."""
    return [from_optuna(t) for t in sorted(trials, key=lambda t: t.number) if counts(t)]


def counts(trial: FrozenTrial) -> bool:
    """Does a trial count towards a stage's total?"""
    diverged = trial.state == TrialState.FAIL and bool(trial.user_attrs.get("diverged"))
    return diverged or trial.state in (TrialState.COMPLETE, TrialState.PRUNED)


def from_optuna(trial: FrozenTrial) -> Trial:
    """Pruned values are not results of the full budget: they are left out."""
    attrs = trial.user_attrs
    bits = attrs.get("valid_correct")
    complete = trial.state == TrialState.COMPLETE
    return Trial(
        number=trial.number,
        params=dict(trial.params),
        value=trial.value if complete else None,
        valid_loss=attrs.get("valid_loss"),
        correct=unpack_bits(bits, attrs["n_valid"]) if complete and bits is not None else None,
        attrs=attrs,
    )


def pack_bits(correct: Bits) -> str:
    """(n,) booleans as base64 of n/8 bytes."""
    return base64.b64encode(np.packbits(correct).tobytes()).decode()


def unpack_bits(text: str, n: int) -> Bits:
    """The inverse of `pack_bits`."""
    raw = np.frombuffer(base64.b64decode(text), dtype=np.uint8)
    return np.unpackbits(raw, count=n).astype(np.bool_)
