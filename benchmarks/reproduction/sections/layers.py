"""What batch normalisation does in B17: deeper networks, and faster ones."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from benchmarks.reproduction import theirs
from benchmarks.reproduction.ours import Comparison, Group, Runs
from benchmarks.reproduction.part import Part, points
from benchmarks.reproduction.spread import over
from benchmarks.section import Table
from bnsearch.report.words import listed

HEADER = ("", "in training, %", "training rows, %", "validation, %", "rows")
CAPTION = (
    "At the end. In training: over the last epoch with the batch's moments; the others with moving averages, as in the "
    "report, or with the exact moments of the same networks"
)
HIDDEN = ([50, 30], [50, 30, 20])
RATES = (0.40573, 0.029202, 0.003215)
CHANCE = 0.15  # below it a network of ten classes has learnt nothing


class Trio(NamedTuple):
    """A network without BN, and one with it, measured with both kinds of moments."""

    without: Group
    moving: Group
    exact: Group

    @classmethod
    def of(cls, comparison: Comparison, keys: Mapping[str, Any]) -> "Trio":
        """Those with these keys."""
        normalised = (
            comparison.find(batch_norm="plain", bn_statistics=kind, **keys) for kind in ("moving", "population")
        )
        return cls(comparison.find(batch_norm="none", **keys), *normalised)

    def rows(self, name: str) -> list[tuple[str, ...]]:
        """Their accuracies."""
        names = ("no BN", "BN, moving averages", "BN, exact moments")
        return [_row(f"{name}, {kind}", group) for kind, group in zip(names, self, strict=True)]

    def verdict(self, name: str) -> str:
        """Is BN ahead in validation, as the report evaluates and with exact moments?"""
        own, exact = (_stands(group, self.without) for group in (self.moving, self.exact))
        if own == exact:
            return f"{name}: BN is {own} in validation with either kind of moments"
        return (
            f"{name}: by B17's own evaluation BN is {own} in validation, with exact moments of the same networks "
            f"{exact}"
        )

    def gains(self) -> str:
        """By how much BN is ahead."""
        ahead = (
            f"{points(_in_training(self.moving) - _in_training(self.without), sign=True)} in training",
            f"{points(_valid(self.moving) - _valid(self.without), sign=True)} in validation with moving averages",
            f"{points(_valid(self.exact) - _valid(self.without), sign=True)} with exact moments",
        )
        return ", ".join(ahead)


def _row(name: str, group: Group) -> tuple[str, ...]:
    if not group.trials:
        return (name, "", "", f"{group.n_lost} diverged", f"`{group.study}`")
    in_training = over(_ends(group))
    three = (in_training, group.over("train_accuracy"), group.over("valid_accuracy"))
    return (name, *(one.percent(1) for one in three), group.rows)


def _valid(group: Group) -> float:
    return group.over("valid_accuracy").mean


def _in_training(group: Group) -> float:
    """At the end of the curves, with the moments of the batch."""
    return over(_ends(group)).mean


def _ends(group: Group) -> list[float]:
    """Of each seed."""
    found: list[float] = group.curve("train_accuracy")[1][:, -1].tolist()
    return found


def depth(runs: Runs) -> Part:
    """Three and four layers with and without."""
    comparison = runs.comparison("b17-depth")
    found = {f"{len(hidden) + 1} layers": Trio.of(comparison, {"hidden": hidden}) for hidden in HIDDEN}
    said = "; ".join(f"{name} {trio.gains()}" for name, trio in found.items())
    return Part(
        "B17: networks can go deeper",
        ["compare b17-depth"],
        theirs.B17_DEPTH_QUOTE,
        (
            f"BN against none: {said}. {'; '.join(trio.verdict(name) for name, trio in found.items())}.",
            _deeper(*found.values()),
        ),
        [Table(HEADER, [row for name, trio in found.items() for row in trio.rows(name)], CAPTION)],
        [("b17-depth", "Accuracy and cost over the steps of three and four layers with and without BN")],
    )


def _stands(group: Group, other: Group) -> str:
    """In validation: ahead, behind, or level where that is less than two standard errors over the same seeds."""
    a, b = group.by_repeat("valid_accuracy"), other.by_repeat("valid_accuracy")
    gain = over([a[repeat] - b[repeat] for repeat in sorted(a.keys() & b.keys())])
    if not abs(gain.mean) > 2 * gain.sd / gain.n**0.5:
        return "level"
    return "ahead" if gain.mean > 0 else "behind"


def _deeper(three: Trio, four: Trio) -> str:
    """Does the deeper network without BN fail to train, as B17 would ideally see?"""
    gain = _in_training(four.without) - _in_training(three.without)
    sd = max(over(_ends(trio.without)).sd for trio in (three, four))
    fails = gain < -2 * sd
    said = "fall behind three in training" if fails else "train about as well as three"
    return (
        f"Without BN four layers {said} ({points(gain, sign=True)}; the seeds' standard deviation is {points(sd)} at "
        f"most): {'the failure' if fails else 'no failure'} to train that B17 would have seen ideally."
    )


def speed(runs: Runs) -> Part:
    """Three learning rates with and without."""
    comparison = runs.comparison("b17-speed")
    found = {rate: Trio.of(comparison, {"learning_rate": rate}) for rate in RATES}
    whole = {rate: trio for rate, trio in found.items() if all(group.trials for group in trio)}
    stuck = [str(rate) for rate, trio in found.items() if rate not in whole or _valid(trio.without) < CHANCE]
    said = "; ".join(f"at η = {rate} {trio.gains()}" for rate, trio in whole.items())
    return Part(
        "B17: networks learn faster",
        ["compare b17-speed"],
        theirs.B17_SPEED_QUOTE,
        (
            f"BN against none: {said}.{f' Without it nothing is learnt at η = {listed(stuck)}.' if stuck else ''}",
            f"{'; '.join(trio.verdict(f'η = {rate}') for rate, trio in whole.items())}.",
        ),
        [Table(HEADER, [row for rate, trio in found.items() for row in trio.rows(f"η {rate}")], CAPTION)],
        [("b17-speed", "Accuracy and cost over the steps at three learning rates with and without BN")],
    )
