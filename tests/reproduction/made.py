"""Runs that were made up, to see what the page says of each outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from benchmarks.reproduction.ours import Comparison, Float, Group, NotRun, Runs

TWO_KINDS = "test_accuracy_by_statistics"


@dataclass(frozen=True)
class MadeGroup(Group):
    """A group whose curves are at hand."""

    columns: Mapping[str, Sequence[Sequence[float]]] = field(default_factory=dict)  # name: (R, n)

    def curve(self, column: str) -> tuple[Float, Float]:
        """Steps 1, 2, … and the column."""
        values = np.array(self.columns[column], dtype=np.float64)
        return np.arange(1.0, values.shape[1] + 1), values


def trial(
    number: int, value: float | None = None, params: Mapping[str, float] | None = None, **attrs: Any
) -> FrozenTrial:
    """A complete one."""
    own = dict(params or {})
    dims = {name: FloatDistribution(-1e9, 1e9) for name in own}
    found = create_trial(
        state=TrialState.COMPLETE, value=value or 0.0, params=own, distributions=dims, user_attrs=attrs
    )
    found.number = number
    return found


def group(
    study: str = "made.compare",
    *,
    n_lost: int = 0,
    columns: Mapping[str, Sequence[Sequence[float]]] | None = None,
    **values: Sequence[float],
) -> MadeGroup:
    """A trial a seed, from its attributes; test_moving and test_population are the two test accuracies."""
    n = max((len(own) for own in [*values.values(), *(columns or {}).values()]), default=0)
    trials = []
    for i in range(n):
        attrs: dict[str, Any] = {name: own[i] for name, own in values.items() if not name.startswith("test_m")}
        if "test_moving" in values:
            attrs[TWO_KINDS] = {kind: attrs.pop(f"test_{kind}", values["test_moving"][i]) for kind in ("population",)}
            attrs[TWO_KINDS]["moving"] = values["test_moving"][i]
        trials.append(trial(i, repeat=i + 1, **attrs))
    return MadeGroup(study, tuple(trials), Path(), n_lost, columns or {})


class MadeRuns(Runs):
    """Comparisons, stages and what their studies say, as given; everything else was not run."""

    def __init__(self, **given: Any) -> None:
        super().__init__(Path())
        self.given = {name.replace("_", "-"): own for name, own in given.items()}

    def comparison(self, name: str) -> Comparison:
        if name not in self.given:
            raise NotRun(f"bnsearch compare {name}")
        return Comparison(f"{name}.compare", tuple(self.given[name]))

    def stage(self, name: str, stage: str) -> Group:
        try:
            found: Group = self.given[name][stage]
        except (KeyError, TypeError):
            raise NotRun(f"bnsearch {stage} {name}") from None
        return found

    def attrs(self, name: str, stage: str) -> Mapping[str, Any]:
        try:
            found: Mapping[str, Any] = self.given[name][f"{stage} says"]
        except (KeyError, TypeError):
            raise NotRun(f"bnsearch {stage} {name}") from None
        return found


def whole(part: Any) -> str:
    """A part's text and tables, as a reader has them."""
    return "\n".join([*part.text, *(table.markdown() for table in part.tables)])
