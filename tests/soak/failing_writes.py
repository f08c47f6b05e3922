"""Each write of a small study fails: from then on, as on a full disk, or once."""

from itertools import islice

from tests.search.disk_faults import disk_faults
from tests.soak.hazard import Figures, Task, scattered

SOME = 10


def run(task: Task) -> Figures:
    """Write after write, in an order that covers all evenly however soon the time is over."""
    figures = Figures("writes that fail", what="faults")
    n_writes = int(disk_faults([1])["writes"])
    left = iter(scattered(n_writes))
    while task.has_time and (some := list(islice(left, SOME))):
        figures.add(disk_faults(some))
    figures.notes.append(f"{figures.tried // 2} of all {n_writes} writes")
    return figures
