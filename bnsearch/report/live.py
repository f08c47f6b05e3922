"""A stage under way in words, for a bar, for the lines below it and for a line in a log."""

from collections.abc import Sequence

from bnsearch.report.words import percent, setting
from bnsearch.search.live import Leader, View

BLOCKS, ASCII = "▁▂▃▄▅▆▇█", "_.-=+*#@"


def headline(view: View) -> str:
    """How many trials are over, and the best of them."""
    best = "" if view.best is None else f", best {percent(view.best)}"
    return f"{view.n_over}/{view.n_trials} trials{best}"


def where(view: View) -> str:
    """The rung that the networks go to, and how many are still in the running."""
    course, ended = view.course, []
    if course.rungs_ahead:
        place, of = course.n_passed + 1, len(course.rungs)
        share = course.rungs_ahead[0] / course.budget.n_steps
        ended.append(f"to rung {place} of {of} at {100 * share:.0f} %")
    elif course.rungs:
        ended.append("past the last rung")
    ended.append(f"{view.n_alive} network{'s' * (view.n_alive != 1)} in training")
    ended += [f"{n} {word}" for n, word in _ended(view) if n]
    return ", ".join(ended)


def _ended(view: View) -> tuple[tuple[int, str], ...]:
    return (view.n_pruned, "stopped"), (view.n_diverged, "diverged"), (view.n_failed, "given up")


def speed(rate: float | None) -> str:
    """Network-epochs in a second."""
    return "" if rate is None else f"{rate:.3g} network-epochs/s" if rate < 1000 else f"{rate:,.0f} network-epochs/s"


def leading(view: View) -> str:
    """Who leads, with what, and how far it is."""
    leader = view.leader
    if leader is None:
        return "no epoch is finished yet"
    n, of = len(leader.curve), view.n_epochs
    figure = "" if view.is_search else f" {_figure(view)}"
    at = f" at epoch {n} of {of}" if n < of else ""
    best = "best so far: " if view.is_search else ""
    return f"{best}{leader.name},{figure} {percent(leader.value)}{at}"


def leader_setting(leader: Leader | None) -> str:
    """The hyperparameters of a single network."""
    return "" if leader is None or leader.params is None else setting(leader.params)


def sentence(view: View, rate: float | None) -> str:
    """All of it on one line, without the picture."""
    leader = view.leader
    of = leader_setting(leader)
    lead = "" if leader is None else leading(view) + (f" ({of})" if of else "")
    return ", ".join(filter(None, (headline(view), where(view), lead, speed(rate))))


def sparkline(values: Sequence[float], n_epochs: int, width: int, ascii_only: bool = False) -> str:
    """A curve in blocks of eight heights from its lowest to its highest value, `width` of them for all n_epochs."""
    marks = ASCII if ascii_only else BLOCKS
    n = len(values) if n_epochs <= width else len(values) * width // n_epochs
    if n <= 0:
        return ""
    # the last point of each stretch, so that the line ends where the curve does
    shown = [values[len(values) * (i + 1) // n - 1] for i in range(n)]
    low, high = min(shown), max(shown)
    if high <= low:
        return marks[len(marks) // 2] * n
    return "".join(marks[min(int((v - low) / (high - low) * len(marks)), len(marks) - 1)] for v in shown)


def _figure(view: View) -> str:
    return "training accuracy" if view.study.endswith(".final") else "validation accuracy"
