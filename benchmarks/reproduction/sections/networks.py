"""N19's figures 2 to 5: three and nine layers with and without batch normalisation."""

from benchmarks.reproduction import theirs
from benchmarks.reproduction.ours import Group, Runs
from benchmarks.reproduction.part import Part, points
from benchmarks.section import Table

HIDDEN = {3: [50, 50], 9: [50, 30, 20, 20, 10, 10, 10, 10]}
OTHERS = {  # test accuracies of other solutions of the same task, %
    (3, "none"): "52.1–54.1",
    (3, "affine"): "−0.6 … +0.5 points",
    (9, "none"): "45–48",
    (9, "affine"): "50–52",
}


def network(runs: Runs, n_layers: int, norm: str) -> Group:
    """One of the four."""
    return runs.comparison("n19-networks").find(hidden=HIDDEN[n_layers], batch_norm=norm)


def networks(runs: Runs) -> Part:
    """All four."""
    rows, gains = [], {}
    for figure, (n, norm) in enumerate(OTHERS, 2):
        group = network(runs, n, norm)
        name = f"figure {figure}: {n} layers, {'BN' if norm == 'affine' else 'no BN'}"
        reported = "≈ 53.8" if (n, norm) == (3, "affine") else ""
        three = (group.over(f"{kind}_accuracy").percent() for kind in ("train", "valid", "test"))
        rows.append((name, reported, OTHERS[n, norm], *three, group.rows))
    for n in HIDDEN:
        with_bn, without = (network(runs, n, norm) for norm in ("affine", "none"))
        gains[n] = {
            kind: with_bn.over(f"{kind}_accuracy").mean - without.over(f"{kind}_accuracy").mean
            for kind in ("valid", "test")
        }
    said = "; ".join(
        f"{n} layers {points(gain['valid'], sign=True)} in validation, {points(gain['test'], sign=True)} in the test"
        for n, gain in gains.items()
    )
    best_nine, best_three = (
        max(network(runs, n, norm).over("test_accuracy").mean for norm in ("none", "affine")) for n in (9, 3)
    )
    return Part(
        "N19: figures 2 to 5, the first networks",
        ["compare n19-networks --test"],
        theirs.N19_NETWORKS_QUOTE,
        (f"BN against none: {said}. Nine layers stay {points(best_three - best_nine)} below three on the test set.",),
        [
            Table(
                ("", "N19, test", "other solutions, test", "training rows", "validation", "test", "rows"),
                rows,
                "Accuracy in % with moving averages, λ = 0.005, two cycles of 4,500 steps; other solutions: of the "
                "same course",
            )
        ],
        [
            (
                "n19-networks",
                "Accuracy, loss, cost and learning rate of three and nine layers with and without BN over two cycles",
            ),
        ],
    )
