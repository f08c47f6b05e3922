"""What a hazard is given, and the row of figures that it returns."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import gcd
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Task:
    """Where, for how long, and by which dice."""

    folder: Path  # of its own, empty
    until: float  # of the monotonic clock
    rng: np.random.Generator

    @property
    def has_time(self) -> bool:
        """Is there time for another attempt?"""
        return time.monotonic() < self.until


@dataclass
class Figures:
    """What a hazard did, and whether all was well."""

    hazard: str  # in a few words
    tried: int = 0
    what: str = ""  # was tried: "kills", "inputs", …
    notes: list[str] = field(default_factory=list)  # more figures, for people
    failures: list[str] = field(default_factory=list)  # a sentence each; none if all was well

    def add(self, row: Mapping[str, int | str]) -> None:
        """The figures of another harness: how many were tried and survived."""
        tried, survived = int(row["tried"]), int(row["survived"])
        self.tried += tried
        if survived < tried:
            self.failures.append(f"{row['name']}: {tried - survived} of {tried} (see above)")


def scattered(n: int) -> list[int]:
    """1 … n, each next one far from those before: multiples of the golden section."""
    step = next(step for step in range(max(round(0.618 * n), 1), n + 2) if gcd(step, n) == 1)
    return [1 + i * step % n for i in range(n)]
