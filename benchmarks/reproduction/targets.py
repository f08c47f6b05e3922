"""The targets of the page's first table, met or missed."""

from collections.abc import Callable

from benchmarks.reproduction import theirs
from benchmarks.reproduction.ours import NotRun, Runs
from benchmarks.reproduction.part import percent, points
from benchmarks.reproduction.sections import networks, search, sensitivity
from benchmarks.section import Table

Found = tuple[float, str, str]  # what decides, how it is said, and where it stands
MET, MISSED = "met", "**missed**"


def table(runs: Runs) -> Table:
    """All targets."""
    rows = [(target.text, *_judged(runs, target, find)) for target, find in _asked()]
    return Table(("target (test accuracy, means over the seeds)", "found", "", "rows"), rows)


def missed(runs: Runs) -> str:
    """A sentence on those that were missed, with what is known of the reason; nothing where there is none."""
    names = [target for target, find in _asked() if _judged(runs, target, find)[1] == MISSED]
    if not names:
        return ""
    said = f"Missed: {'; '.join(target.text.partition(':')[0] for target in names)}; the parts below show by how much."
    return f"{said} {_why_not_best(runs)}" if theirs.N19_BEST in names else said


def _asked() -> list[tuple[theirs.Target, Callable[[Runs], Found]]]:
    return [
        (theirs.B17_MOVING, lambda runs: _b17(runs, "moving")),
        (theirs.B17_EXACT, lambda runs: _b17(runs, "population")),
        (theirs.N19_THREE, _three),
        (theirs.N19_BEST, _best),
        (theirs.N19_NINE, _nine),
        (theirs.N19_WITH_BN, _with_bn),
        (theirs.N19_WITHOUT_BN, _without_bn),
    ]


def _why_not_best(runs: Runs) -> str:
    """A report's one network is a draw; a mean over seeds is not."""
    means = [(group.over("test.moving"), name) for name, group in search.candidates(runs)]
    best, name = max(means, key=lambda one: one[0].mean)
    return (
        f"N19's {percent(theirs.N19_FINAL_TEST, 1)} % is one network on the published pixels; the highest of the "
        f'{len(means)} ways tried here, picked by test, is {best.percent()} % ("{name}", see N19: figure 9).'
    )


def _judged(runs: Runs, target: theirs.Target, find: Callable[[Runs], Found]) -> tuple[str, str, str]:
    try:
        value, said, where = find(runs)
    except NotRun as missing:
        return "not run", "", f"{missing}"
    return said, MET if target.met(value) else MISSED, where


def _b17(runs: Runs, statistics: str) -> Found:
    group = runs.stage("cifar10-momentum", "final")
    found = group.over(f"test.{statistics}")
    return found.mean, f"{found.percent()} %", group.rows


def _three(runs: Runs) -> Found:
    group = networks.network(runs, 3, "affine")
    found = group.over("test_accuracy")
    return found.mean, f"{found.percent()} %", group.rows


def _best(runs: Runs) -> Found:
    """The λ that confirm chose by validation decides, on 5,000 rows more than the report's network had; beside it the
    other ways, which do not.
    """
    group = runs.stage("n19-search", "final")
    found = group.over("test.moving")
    others = [other.over("test.moving").mean for _, other in search.candidates(runs) if other.study != group.study]
    beside = f"; the other ways {', '.join(percent(mean) for mean in others)} %" if others else ""
    return found.mean, f"{found.percent()} %{beside}", group.rows


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
