"""Files as a power cut may leave them."""

from tests.search.power_cuts import power_cuts
from tests.soak.hazard import Figures, Task

SOME = 30


def run(task: Task) -> Figures:
    """Other moments, and other beginnings of the log, each time."""
    figures = Figures("power cuts", what="cuts")
    while task.has_time:
        figures.add(power_cuts(SOME, seed=int(task.rng.integers(2**31))))
    return figures
