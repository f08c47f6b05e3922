"""One replay's world: which rows validate, which seeds train, which settings are used up and what it has cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.selection.specs import RUNGS
from benchmarks.selection.table import FULL, Floats, Table
from bnsearch.search.trials import Trial

N_REPEATS = 5
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Draw:
    """Which seeds train and which rows validate; those that are not used tell the truth."""

    seeds: NDArray[np.int64]  # the search's, then those of the repeats
    search: Rows  # (n_valid,)
    confirm: Rows  # (R, n_valid)
    rest: Rows

    @classmethod
    def of(cls, table: Table, n_valid: int, number: int) -> "Draw":
        """The draw of a world."""
        rng = np.random.default_rng([number, n_valid])
        seeds, rows = rng.permutation(table.bits.shape[1]), rng.permutation(table.n_others)
        search, confirm, rest = np.split(rows, [n_valid, n_valid * (1 + N_REPEATS)])
        return cls(seeds, search, confirm.reshape(N_REPEATS, n_valid), rest)


@dataclass(eq=False)
class World:
    """What a method may see. Worlds of one number and size are the same for all methods.

    A proposal is mapped to the nearest setting that this world has not used yet, by distance in the unit square of
    log λ and log η, and the method is told that setting's own λ and η: every value is of a network that was trained,
    with its true errors in common with its neighbours, and no model of ours stands between.
    """

    table: Table
    n_valid: int
    number: int
    used: dict[int, int] = field(default_factory=dict)  # trial number -> setting
    cost: float = 0.0  # in full trainings

    def __post_init__(self) -> None:
        self.draw = Draw.of(self.table, self.n_valid, self.number)
        self.taken = np.zeros(len(self.table.settings), dtype=bool)

    def nearest(self, params: Mapping[str, float]) -> int:
        """Use up the nearest setting that is left."""
        at = self.table.place(np.array([params[name] for name in self.table.spec.space]))
        distance = ((self.table.places - at) ** 2).sum(axis=1)
        distance[self.taken] = np.inf
        setting = int(distance.argmin())
        self.taken[setting] = True
        return setting

    def begin(self, params: Mapping[str, float]) -> int:
        """A new trial's number."""
        number = len(self.used)
        self.used[number] = self.nearest(params)
        return number

    def measure(self, number: int, rung: int, before: int = -1) -> Trial:
        """Train a trial on to a rung, from the one before."""
        setting, seed = self.used[number], self.draw.seeds[0]
        self.cost += RUNGS[rung] - (RUNGS[before] if before >= 0 else 0.0)
        correct = self.table.correct(setting, seed, rung, self.draw.search)
        loss = float(self.table.loss[setting, seed, rung])
        return Trial(number, self.table.params(setting), float(correct.mean()), loss, correct)

    def trial(self, params: Mapping[str, float]) -> Trial:
        """Train a proposal to the end."""
        return self.measure(self.begin(params), FULL)

    def confirm(self, finalists: list[int]) -> Floats:
        """Accuracies of settings (M, R); each repeat has a seed and rows of its own, never the search's."""
        y = np.empty((len(finalists), N_REPEATS))
        for r, rows in enumerate(self.draw.confirm):
            for i, setting in enumerate(finalists):
                y[i, r] = self.table.correct(setting, self.draw.seeds[1 + r], FULL, rows).mean()
        self.cost += y.size
        return y
