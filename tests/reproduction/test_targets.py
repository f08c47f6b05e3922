"""What the page says of its targets: met, missed, or not to be judged."""

import pytest

from benchmarks.reproduction import targets, theirs
from benchmarks.reproduction.ours import Group
from tests.reproduction.made import MadeRuns, group


def _said(final: Group, target: theirs.Target, judged: bool = True) -> str:
    runs = MadeRuns(cifar10_momentum={"final": final})
    return next(line for line in targets.table(runs, judged).markdown().splitlines() if target.text in line)


@pytest.mark.parametrize(
    ("accuracy", "n", "n_lost", "verdict"),
    [
        (0.40, 5, 0, "| met |"),
        (0.43, 5, 0, "**missed**"),
        (0.40, 4, 0, "not judged: 4 seeds"),
        (0.40, 5, 1, "not judged: 1 seeds lost"),
    ],
)
def test_a_target_is_judged_by_five_seeds_of_which_none_is_lost(
    accuracy: float, n: int, n_lost: int, verdict: str
) -> None:
    final = group("cifar10-momentum.final", n_lost=n_lost, test_moving=[accuracy] * n)
    line = _said(final, theirs.B17_MOVING)
    assert verdict in " ".join(line.split())
    assert f"{100 * accuracy:.2f} ± 0.00 %" in line


def test_short_runs_are_not_judged() -> None:
    line = _said(group(test_moving=[0.4] * 5), theirs.B17_MOVING, judged=False)
    assert "met" not in line
    assert "missed" not in line


def test_the_error_is_that_of_the_mean() -> None:
    line = _said(group(test_moving=[0.38, 0.39, 0.40, 0.41, 0.42]), theirs.B17_MOVING)
    assert "40.00 ± 0.71 %" in line


def test_what_was_missed_is_said_above_the_parts() -> None:
    runs = MadeRuns(cifar10_momentum={"final": group(test_moving=[0.43] * 5)})
    assert targets.missed(runs).startswith("Missed: B17's final network as B17 evaluates it")
