"""A table that was trained: what each setting and seed got right at each rung, and how good each setting really is."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.selection.making import folder
from benchmarks.selection.specs import N_SEEDS, SPECS, Spec
from bnsearch.search.trials import Bits

Floats = NDArray[np.float64]
FULL = 2  # the last rung


@dataclass(frozen=True, eq=False)
class Table:
    """Networks of one spec, by setting and seed."""

    spec: Spec
    settings: Floats  # (n, 2) λ and η
    bits: NDArray[np.uint8]  # (n, seeds, rungs, n_others/8), packed
    loss: Floats  # (n, seeds, rungs), on all others

    @property
    def n_others(self) -> int:
        """Rows that a network was measured on."""
        return self.spec.others[1] - self.spec.others[0]

    @cached_property
    def places(self) -> Floats:
        """Each setting in the unit square of log λ and log η, (n, 2)."""
        return self.place(self.settings)

    def place(self, settings: Floats) -> Floats:
        """Settings (…, 2) in the unit square."""
        low, high = np.log10([(r.low, r.high) for r in self.spec.space.values()]).T
        return (np.log10(settings) - low) / (high - low)

    def params(self, setting: int) -> dict[str, float]:
        """By name."""
        return dict(zip(self.spec.space, self.settings[setting].tolist(), strict=True))

    def correct(self, setting: int, seed: int, rung: int, rows: NDArray[np.int64]) -> Bits:
        """Which of these rows a network got right at a rung."""
        whole = np.unpackbits(self.bits[setting, seed, rung], count=self.n_others)
        return whole[rows].astype(bool)

    @cached_property
    def hits(self) -> NDArray[np.float32]:
        """How many of its seeds got each row right, (n, n_others)."""
        unpacked = (np.unpackbits(of, axis=-1, count=self.n_others) for of in self.bits[:, :, FULL])
        return np.array([of.sum(axis=0, dtype=np.float32) for of in unpacked])


@lru_cache
def load_table(name: str) -> Table:
    """Read what `python -m benchmarks.selection tables` made."""
    spec = SPECS[name]
    paths = [folder(spec) / f"seed-{seed}.npz" for seed in range(N_SEEDS)]
    if missing := [path for path in paths if not path.exists()]:
        raise SystemExit(f"{missing[0]} is missing: run `python -m benchmarks.selection tables {name}` first.")
    parts = [dict(np.load(path)) for path in paths]
    bits, loss = (np.stack([part[key] for part in parts], axis=1) for key in ("bits", "loss"))
    return Table(spec, parts[0]["settings"], bits, np.where(np.isfinite(loss), loss, np.inf))
