"""Real processes on disks, and under limits, of so many kB."""

from tests.cli.full_disk import full_disks
from tests.soak.hazard import Figures, Task


def run(task: Task) -> Figures:
    """Any size up to half a megabyte."""
    figures = Figures("disks that are too small", what="sizes")
    while task.has_time:
        figures.add(full_disks([int(task.rng.integers(4, 480))]))
    return figures
