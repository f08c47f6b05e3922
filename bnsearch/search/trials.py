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
    value: float | None  # validation accuracy at the last step; None: it did not come so far
    valid_loss: float | None = None  # mean cross-entropy
    correct: Bits | None = None  # (n_valid,) which validation images it got right
    attrs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Only complete trials are compared."""
        return self.value is not None

    @property
    def cost(self) -> float:
        """In trainings of the full budget: one that was stopped at a rung, diverged or failed took a share."""
        shares = (self.attrs.get(f"{how}_at_share") for how in ("pruned", "diverged", "failed"))
        return 1.0 if self.complete else float(next((share for share in shares if share is not None), 0.0))


def finished(trials: Sequence[FrozenTrial]) -> list[Trial]:
    """Trials that are over, by number."""
    return [from_optuna(t) for t in sorted(trials, key=lambda t: t.number) if counts(t)]


def counts(trial: FrozenTrial) -> bool:
    """Does a trial count towards a stage's total: one that is over, but for what others than bnsearch failed?"""
    has_reason = trial.state == TrialState.FAIL and bool(trial.user_attrs.keys() & {"diverged", "failed"})
    return has_reason or trial.state in (TrialState.COMPLETE, TrialState.PRUNED)


def from_optuna(trial: FrozenTrial) -> Trial:
    """Pruned values are not results of the full budget: they are left out."""
    attrs = trial.user_attrs
    bits = attrs.get("valid_correct")
    complete = trial.state == TrialState.COMPLETE
    if complete and trial.value is None:
        raise ValueError(f"trial {trial.number} is complete, but has no value")
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
    """The inverse of `pack_bits`; raises ValueError where the text is not of n booleans."""
    raw = np.frombuffer(base64.b64decode(text), dtype=np.uint8)
    if len(raw) != -(-n // 8):
        raise ValueError(f"which of {n} images were right takes {-(-n // 8)} bytes, but there are {len(raw)}")
    return np.unpackbits(raw, count=n).astype(np.bool_)
