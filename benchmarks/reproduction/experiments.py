"""What is run: the commands of bnsearch that every figure of the page comes from."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

FEW_ROWS = ("--set", "data.valid=[40000,40100]")  # where each of many epochs is measured
SHORT_CYCLES = ("--set", "training.schedule.half_cycle_steps=120")
SHORT_STAGES = ("--set", "training.epochs=4", "--set", "fine.training.epochs=3", "--set", "final.training.epochs=3")
TWO = ("--set", "confirm.repeats=2", "--set", "final.repeats=2")


@dataclass(frozen=True)
class Experiment:
    """One command, and what makes it short enough for `--quick`; None leaves it out there."""

    text: str
    shorter: tuple[str, ...] | None = ()

    def words(self, quick: bool) -> list[str]:
        """The command's arguments, without the program."""
        return [*shlex.split(self.text), *((self.shorter or ()) if quick else ())]


@dataclass(frozen=True)
class Check:
    """A gradient check, whose table is kept as a file, for it has no database."""

    name: str
    text: str

    def words(self) -> list[str]:
        """The command's arguments, without the program."""
        return [*shlex.split(self.text), "--json"]


B17_NETWORKS = {  # name: batch normalisation, widths of the hidden layers
    "two layers with L2": ("none", "[50]"),
    "two layers with BN": ("plain", "[50]"),
    "three layers with BN": ("plain", "[50,30]"),
    "four layers with BN": ("plain", "[50,30,20]"),
}
B17_WAYS = {
    "frozen": "--method central --statistics frozen",
    "batch": "--method central",
    "complex": "--method complex",
}
N19_WAYS = {"forward": "--method forward", "complex": "--method complex"}


def _checks() -> Iterator[Check]:
    for network, (norm, hidden) in B17_NETWORKS.items():
        for way, options in B17_WAYS.items():
            if norm == "none" and way == "frozen":
                continue
            shape = f"--set network.hidden={hidden} --set network.batch_norm={norm}"
            l2 = " --l2 0.1" if norm == "none" else ""
            yield Check(f"b17 {network} {way}", f"gradcheck b17-overfit {shape}{l2} {options}")
    for way, options in N19_WAYS.items():
        shape = "--set network.hidden=[50,50] --set network.batch_norm=affine"
        yield Check(f"n19 {way}", f"gradcheck n19-networks {shape} --l2 0.5 {options}")


CHECKS = tuple(_checks())
EXPERIMENTS = (
    Experiment("compare b17-overfit", ("--repeats", "2", "--set", "training.epochs=150", *FEW_ROWS)),
    Experiment("compare b17-overfit-slow", ("--repeats", "2", "--set", "training.epochs=150")),
    Experiment("compare b17-spike", ("--repeats", "2")),
    Experiment("compare b17-depth", ("--repeats", "2")),
    Experiment("compare b17-speed", ("--repeats", "2", "--set", "training.epochs=4")),
    Experiment("run cifar10-momentum", (*TWO, *SHORT_STAGES)),
    Experiment("compare b17-ranking-coarse", ("--repeats", "2", "--set", "training.epochs=2")),
    Experiment("compare b17-ranking-fine", ("--repeats", "2", "--set", "training.epochs=2")),
    Experiment("compare b17-statistics --test", ("--repeats", "2", "--set", "training.epochs=2")),
    Experiment("compare n19-networks --test", ("--repeats", "2", *SHORT_CYCLES)),
    Experiment("run n19-search", (*TWO, *SHORT_CYCLES)),
    Experiment("compare n19-final --test", ("--repeats", "2", *SHORT_CYCLES)),
    Experiment("final n19-final", (*TWO, *SHORT_CYCLES)),
    Experiment("run cifar10-cyclic", None),
    Experiment("compare n19-sensitivity --test", ("--repeats", "2", "--set", "training.schedule.half_cycle_steps=45")),
)


def chosen(quick: bool) -> list[Experiment]:
    """Those that are run."""
    return [one for one in EXPERIMENTS if not (quick and one.shorter is None)]


def command(text: str) -> str:
    """What a reader types."""
    return f"bnsearch {text}"
