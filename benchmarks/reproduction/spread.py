"""A figure over seeds, as people read it."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation over n seeds."""

    mean: float
    sd: float  # of the seeds, not of the mean; NaN for a single one
    n: int

    def percent(self, digits: int = 2) -> str:
        """Shares in percent: 53.28 ± 0.41."""
        return self._text(100.0, f".{digits}f")

    def plain(self, format_: str = ".3g") -> str:
        """The figure as it is."""
        return self._text(1.0, format_)

    def with_error(self, digits: int = 2) -> str:
        """Shares in percent with the standard error of their mean: 53.28 ± 0.18."""
        return Spread(self.mean, self.sd / self.n**0.5, self.n).percent(digits)

    def _text(self, factor: float, format_: str) -> str:
        mean = format(factor * self.mean, format_)
        return mean if math.isnan(self.sd) else f"{mean} ± {factor * self.sd:{format_}}"


def over(values: Sequence[float]) -> Spread:
    """Of a figure of each seed; there must be one."""
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
    return Spread(float(np.mean(values)), sd, len(values))


def numbered(numbers: Sequence[int]) -> str:
    """Trial numbers: 3, or 0, 4, … 16 where they are equally far apart, or all of them."""
    steps = {b - a for a, b in itertools.pairwise(numbers)}
    if len(numbers) > 3 and len(steps) == 1:
        first = f"{numbers[0]}, {numbers[1]}"
        return f"{numbers[0]}–{numbers[-1]}" if steps == {1} else f"{first}, … {numbers[-1]}"
    return ", ".join(map(str, numbers))
