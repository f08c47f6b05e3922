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
    in_training = over(group.curve("train_accuracy")[1][:, -1].tolist())
    three = (in_training, group.over("train_accuracy"), group.over("valid_accuracy"))
    return (name, *(one.percent(1) for one in three), group.rows)


def _valid(group: Group) -> float:
    return group.over("valid_accuracy").mean


def _in_training(group: Group) -> float:
    """At the end of the curves, with the moments of the batch."""
    return over(group.curve("train_accuracy")[1][:, -1].tolist()).mean


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
            f"BN against none: {said}. B17 shows curves alone. After 80 steps averages with α = 0.99 still hold "
            "0.99⁸⁰ = 45 % of the first batch's moments: most of what B17 saw of BN's gain is hidden by its own "
            "evaluation.",
        ),
        [Table(HEADER, [row for name, trio in found.items() for row in trio.rows(name)], CAPTION)],
        [("b17-depth", "Accuracy over the steps of three and four layers with and without BN")],
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
        (f"BN against none: {said}.{f' Without it nothing is learnt at η = {listed(stuck)}.' if stuck else ''}",),
        [Table(HEADER, [row for rate, trio in found.items() for row in trio.rows(f"η {rate}")], CAPTION)],
        [("b17-speed", "Accuracy over the steps at three learning rates with and without BN")],
    )
