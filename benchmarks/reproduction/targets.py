"""The targets of the page's first table, met or missed."""

from collections.abc import Callable

from benchmarks.reproduction import theirs
from benchmarks.reproduction.ours import NotRun, Runs
from benchmarks.reproduction.part import percent, points
from benchmarks.reproduction.sections import networks, sensitivity
from benchmarks.section import Table

Found = tuple[float, str, str]  # what decides, how it is said, and where it stands


def table(runs: Runs) -> Table:
    """All targets."""
    asked: list[tuple[theirs.Target, Callable[[Runs], Found]]] = [
        (theirs.B17_MOVING, lambda runs: _b17(runs, "moving")),
        (theirs.B17_EXACT, lambda runs: _b17(runs, "population")),
        (theirs.N19_THREE, _three),
        (theirs.N19_BEST, _best),
        (theirs.N19_NINE, _nine),
        (theirs.N19_WITH_BN, _with_bn),
        (theirs.N19_WITHOUT_BN, _without_bn),
    ]
    rows = [(target.text, *_judged(runs, target, find)) for target, find in asked]
    return Table(("target (test accuracy, means over the seeds)", "found", "", "rows"), rows)


def _judged(runs: Runs, target: theirs.Target, find: Callable[[Runs], Found]) -> tuple[str, str, str]:
    try:
        value, said, where = find(runs)
    except NotRun as missing:
        return "not run", "", f"{missing}"
    return said, "met" if target.met(value) else "**missed**", where


def _b17(runs: Runs, statistics: str) -> Found:
    group = runs.stage("cifar10-momentum", "final")
    found = group.over(f"test.{statistics}")
    return found.mean, f"{found.percent()} %", group.rows


def _three(runs: Runs) -> Found:
    group = networks.network(runs, 3, "affine")
    found = group.over("test_accuracy")
    return found.mean, f"{found.percent()} %", group.rows


def _best(runs: Runs) -> Found:
    """The report's own protocol decides: the λ that a search by validation chose."""
    group = runs.stage("n19-search", "final")
    found = group.over("test.moving")
    return found.mean, f"{found.percent()} %", group.rows


def _nine(runs: Runs) -> Found:
    with_bn, without = (networks.network(runs, 9, norm) for norm in ("affine", "none"))
    gain = with_bn.over("test_accuracy").mean - without.over("test_accuracy").mean
    return gain, points(gain, 2, sign=True), f"{with_bn.rows}; {without.rows}"


def _with_bn(runs: Runs) -> Found:
    groups = [sensitivity.network(runs, "affine", sigma) for sigma in sensitivity.SIGMAS]
    means = [group.over("test_accuracy").mean for group in groups]
    apart = max(means) - min(means)
    said = f"{points(apart, 2)} ({', '.join(percent(mean, 1) for mean in means)} %)"
    return apart, said, "; ".join(group.rows for group in groups)


def _without_bn(runs: Runs) -> Found:
    groups = [sensitivity.network(runs, "none", sigma) for sigma in sensitivity.SIGMAS[1:]]
    means = [group.over("test_accuracy").mean for group in groups]
    farthest = max(means, key=lambda mean: abs(mean - 0.1))
    return farthest, f"{', '.join(percent(mean) for mean in means)} %", "; ".join(group.rows for group in groups)
