"""Every reader of files is given odd ones."""

from tests.fuzz.targets import TARGETS, fuzz
from tests.soak.hazard import Figures, Task

SOME = 200


def run(task: Task) -> Figures:
    """Reader after reader."""
    figures, n_rounds = Figures("odd inputs", what="inputs"), 0
    while task.has_time:
        for target in TARGETS:
            found = fuzz(target, SOME)
            figures.tried += SOME
            figures.failures += [f"{target.name}: {kind}" for kind in found.failures]
        n_rounds += 1
    figures.notes.append(f"{len(TARGETS)} readers, {n_rounds * SOME} inputs each")
    return figures
