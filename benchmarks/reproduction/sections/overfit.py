"""B17's overfit test: which networks come to 100 % of 100 images."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.reproduction import theirs
from benchmarks.reproduction.ours import Comparison, Group, Runs
from benchmarks.reproduction.part import Part, percent
from benchmarks.section import Table

HIDDEN: tuple[list[int], ...] = ([], [50], [50, 30], [50, 30, 20])
MOMENTA = (0.5, 0.7, 0.9)
LAST, STILL = 50, 0.01  # a cost that moved by less over the last epochs hardly moves any more
HEADER = ("", "B17: 100 %?", "seeds at 100 %", "after epochs (median)", "in training at the end, %", "rows")


class Network(NamedTuple):
    """One of the seven, with its groups: one for each momentum."""

    hidden: list[int]
    norm: str
    groups: Sequence[Group]

    @property
    def n_layers(self) -> int:
        """With the last one."""
        return len(self.hidden) + 1

    @property
    def name(self) -> str:
        """4 layers without BN."""
        return f"{self.n_layers} layer{'s' * bool(self.hidden)} {'without' if self.norm == 'none' else 'with'} BN"

    @property
    def fails_in_b17(self) -> bool:
        """Short of 100 % there."""
        return (self.n_layers, self.norm == "plain") in theirs.B17_FAIL

    @property
    def unlike(self) -> bool:
        """Does a momentum show something else than B17 says?"""
        whole = [None not in fits(group) for group in self.groups]
        return any(whole) if self.fails_in_b17 else not all(whole)

    def row(self, group: Group, more: str = "") -> tuple[str, ...]:
        """Of the table."""
        at = reached(group)
        end = group.curve("train_accuracy")[1][:, -1]
        when = f"{np.median(at):.0f}" if at else "never"
        ended = f"{percent(float(end.min()), 0)} … {percent(float(end.max()), 0)}"
        return (
            self.name + more,
            "no" if self.fails_in_b17 else "yes",
            f"{len(at)} of {len(end)}",
            when,
            ended,
            group.rows,
        )


def fits(group: Group) -> list[int | None]:
    """The first epoch of each seed at whose end all images had been got right in training; None where none."""
    _, accuracy = group.curve("train_accuracy")
    return [int(np.argmax(row >= 1.0)) + 1 if (row >= 1.0).any() else None for row in accuracy]


def reached(group: Group) -> list[int]:
    """The epochs of those that got there."""
    return [epoch for epoch in fits(group) if epoch is not None]


def _n_short(group: Group) -> int:
    return fits(group).count(None)


def networks(comparison: Comparison, momenta: Sequence[float]) -> Iterator[Network]:
    """All seven; momenta: those that were varied, if any."""
    for hidden in HIDDEN:
        for norm in ("none", "plain") if hidden else ("none",):
            keys = [{"momentum": momentum} for momentum in momenta] or [{}]
            groups = [comparison.find(hidden=hidden, batch_norm=norm, **own) for own in keys]
            yield Network(hidden, norm, groups)


def overfit(runs: Runs) -> Part:
    """Which networks come to 100 %, and how soon."""
    found = list(networks(runs.comparison("b17-overfit"), MOMENTA))
    rows = [n.row(group, f", ρ = {rho}") for n in found for rho, group in zip(MOMENTA, n.groups, strict=True)]
    short = [
        s for n in found for rho, g in zip(MOMENTA, n.groups, strict=True) for s in _short(f"{n.name}, ρ = {rho}", g)
    ]
    unlike = [_counted(n) for n in found if n.unlike]
    verdict = (
        "Every network does what B17's did, at each momentum."
        if not unlike
        else f"Otherwise than in B17 at this learning rate: {'; '.join(unlike)}. B17 trained each once and gives "
        "neither its learning rate, its batch size nor the widths of four layers; the part below takes a smaller rate."
    )
    return Part(
        "B17: 100 images, 400 epochs",
        ["compare b17-overfit"],
        theirs.B17_OVERFIT_QUOTE,
        (
            f"{verdict}{' Seeds that stay short: ' * bool(short)}{'; '.join(short)}{'.' * bool(short)}",
            _of_momentum(found),
            "All from the curves, with the moments of the batch, which is all images. Seeds at 100 %: those that had "
            "all images right at some epoch.",
        ),
        [Table(HEADER, rows)],
        [("b17-overfit", "Training accuracy of networks of one to four layers by momentum ρ, each seed a line")],
    )


def slow(runs: Runs) -> Part:
    """The same at a small learning rate that falls."""
    found = list(networks(runs.comparison("b17-overfit-slow"), ()))
    above = list(networks(runs.comparison("b17-overfit"), MOMENTA[:1]))
    short = [n for n in found if _n_short(n.groups[0])]
    said = "; ".join(f"{n.name} in {_n_short(n.groups[0])} of {len(fits(n.groups[0]))} seeds" for n in short)
    return Part(
        "B17: 100 images at a smaller learning rate",
        ["compare b17-overfit-slow"],
        text=(
            "η = 0.01, which falls by 1 % an epoch: B17's next experiments have this rate, its overfit test names "
            f"none. Short of 100 % stay here: {said or 'none'}. {_of_rate(found)} {_compared(found, above)}",
        ),
        tables=[Table(HEADER, [n.row(n.groups[0]) for n in found], "ρ = 0.5")],
        pictures=[("b17-overfit-slow", "Training accuracy at a small, falling learning rate, each seed a line")],
    )


def _of_rate(found: Sequence[Network]) -> str:
    """What a small rate says of those that failed in B17."""
    failed = [n for n in found if n.fails_in_b17]
    others = [_counted(n) for n in found if n.unlike and not n.fails_in_b17]
    said = (
        f"B17's two, {' and '.join(n.name for n in failed)}, do so in every seed"
        if not any(n.unlike for n in failed)
        else f"Otherwise than in B17, not in every seed: {'; '.join(_counted(n) for n in failed if n.unlike)}"
    )
    more = f"; and so do others, which came to 100 % in B17: {'; '.join(others)}" if others else ""
    return f"{said}{more}."


def _compared(found: Sequence[Network], above: Sequence[Network]) -> str:
    """With the larger rate, which does not fall, at the same momentum."""
    other = [
        a.name for a, b in zip(found, above, strict=True) if bool(_n_short(a.groups[0])) != bool(_n_short(b.groups[0]))
    ]
    if not other:
        return "The part above, at the same momentum, finds the same."
    return (
        f"At the rate above, with the same momentum, it is otherwise with {len(other)} of {len(found)} networks "
        f"({', '.join(other)}): which ones fail is a matter of the learning rate."
    )


def _counted(network: Network) -> str:
    """How many of its seeds, over all momenta, get there."""
    at, n = sum(len(reached(group)) for group in network.groups), sum(len(fits(group)) for group in network.groups)
    return f"{network.name} (100 % in {at} of {n} seeds)"


def _short(name: str, group: Group) -> Iterator[str]:
    """What those do that do not get there."""
    accuracy, cost = group.curve("train_accuracy")[1], group.curve("train_cost")[1]
    for trial, epoch, own, costs in zip(group.trials, fits(group), accuracy, cost, strict=True):
        if epoch is None:
            low, high = float(costs[-LAST:].min()), float(costs[-LAST:].max())
            moves = (
                f"hardly moves any more (cost {high:.2f} over the last {LAST} epochs)"
                if high - low < STILL
                else f"still moves (cost {low:.2f} … {high:.2f} over the last {LAST} epochs)"
            )
            end, most = percent(float(own[-1]), 0), percent(float(own.max()), 0)
            yield f"{name}, seed {trial.user_attrs['repeat']}, ends at {end} %, had {most} %, and {moves}"


def _of_momentum(found: Sequence[Network]) -> str:
    """Does more of it take fewer epochs?"""
    slower = []
    for n in found:
        medians = [float(np.median(at)) if (at := reached(group)) else np.inf for group in n.groups]
        if sorted(medians, reverse=True) != medians or len(set(medians)) < len(medians):
            slower.append(f"{n.name} ({', '.join(f'{m:.0f}' if np.isfinite(m) else 'never' for m in medians)})")
    if not slower:
        return "Momentum speeds all networks up: the more, the fewer epochs to 100 % (medians)."
    return (
        f"Momentum: each step up takes fewer epochs to 100 % in {len(found) - len(slower)} of {len(found)} networks "
        f"(medians of the seeds that get there); not with {'; '.join(slower)} at ρ = {', '.join(map(str, MOMENTA))}."
    )
