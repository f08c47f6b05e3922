"""The targets of the page's first table, met or missed."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from benchmarks.reproduction import theirs
from benchmarks.reproduction.ours import Group, NotRun, Runs
from benchmarks.reproduction.part import percent, points
from benchmarks.reproduction.sections import networks, search, sensitivity
from benchmarks.reproduction.spread import over
from benchmarks.section import Table

MET, MISSED = "met", "**missed**"
LEAST_SEEDS = 5


class Found(NamedTuple):
    """What decides, how it is said, and the seeds behind it."""

    value: float
    said: str
    groups: Sequence[Group]

    @property
    def where(self) -> str:
        """The rows."""
        return "; ".join(group.rows for group in self.groups)

    @property
    def lacks(self) -> str:
        """Why nothing can be met by these seeds; nothing where it can."""
        n_lost, n = sum(group.n_lost for group in self.groups), min(len(group.trials) for group in self.groups)
        if n_lost:
            return f"not judged: {n_lost} seeds lost"
        return f"not judged: {n} seeds" if n < LEAST_SEEDS else ""


def table(runs: Runs, judged: bool = True) -> Table:
    """All targets; short runs are not judged."""
    rows = []
    for target, find in _asked():
        said, verdict, where = _judged(runs, target, find)
        rows.append((target.text, said, verdict if judged else "", where))
    caption = "±: standard error of the mean over the seeds"
    return Table(("target (test accuracy, means over the seeds)", "found", "", "rows"), rows, caption)


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
        found = find(runs)
    except NotRun as missing:
        return "not run", "", f"{missing}"
    return found.said, found.lacks or (MET if target.met(found.value) else MISSED), found.where


def _one(group: Group, name: str, more: str = "") -> Found:
    """A mean over seeds."""
    found = group.over(name)
    return Found(found.mean, f"{found.with_error()} %{more}", [group])


def _b17(runs: Runs, statistics: str) -> Found:
    return _one(runs.stage("cifar10-momentum", "final"), f"test.{statistics}")


def _three(runs: Runs) -> Found:
    return _one(networks.network(runs, 3, "affine"), "test_accuracy")


def _best(runs: Runs) -> Found:
    """The λ that confirm chose by validation decides, on 5,000 rows more than the report's network had; beside it the
    other ways, which do not.
    """
    group = runs.stage("n19-search", "final")
    others = [other.over("test.moving") for _, other in search.candidates(runs) if other.study != group.study]
    own = (
        " (λ the file's own, not drawn)" if group.trials and group.trials[0].params["l2"] == search.given(runs) else ""
    )
    beside = f"; the other ways {', '.join(other.with_error() for other in others)} %" if others else ""
    return _one(group, "test.moving", own + beside)


def _nine(runs: Runs) -> Found:
    """Seed by seed, for both begin with the same order of the rows."""
    groups = [networks.network(runs, 9, norm) for norm in ("affine", "none")]
    with_bn, without = (group.by_repeat("test_accuracy") for group in groups)
    both = sorted(with_bn.keys() & without.keys())
    if not both:
        raise NotRun("bnsearch compare n19-networks --test")
    gain = over([with_bn[repeat] - without[repeat] for repeat in both])
    return Found(gain.mean, f"{gain.with_error()} points", groups)


def _with_bn(runs: Runs) -> Found:
    groups = [sensitivity.network(runs, "affine", sigma) for sigma in sensitivity.SIGMAS]
    means = [group.over("test_accuracy") for group in groups]
    apart = max(one.mean for one in means) - min(one.mean for one in means)
    return Found(apart, f"{points(apart, 2)} ({', '.join(one.with_error() for one in means)} %)", groups)


def _without_bn(runs: Runs) -> Found:
    groups = [sensitivity.network(runs, "none", sigma) for sigma in sensitivity.SIGMAS[1:]]
    means = [group.over("test_accuracy") for group in groups]
    farthest = max((one.mean for one in means), key=lambda mean: abs(mean - 0.1))
    return Found(farthest, f"{', '.join(one.with_error() for one in means)} %", groups)
