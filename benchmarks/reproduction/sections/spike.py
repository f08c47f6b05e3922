"""B17's "spike in the cost function" of a network with batch normalisation."""

import numpy as np

from benchmarks.reproduction import theirs
from benchmarks.reproduction.ours import Float, Runs
from benchmarks.reproduction.part import Part, percent
from benchmarks.reproduction.spread import over
from benchmarks.section import Table

EPOCHS = (1, 2, 3, 5, 8, 12, 20, 30, 50, 100, 200, 400)
AVERAGE = 0.99  # α of the study
LEAST = 0.05  # a rise above the start by less than this share is none


def costs(runs: Runs, statistics: str) -> Float:
    """Training cost of each seed at the start and after each of EPOCHS, (R, 1 + n); without seeds that lack one."""
    comparison = runs.comparison("b17-spike")
    groups = [comparison.find(bn_statistics=statistics, epochs=epochs) for epochs in EPOCHS]
    # one batch is all images, so that the cost of the first step is that of the initial weights
    first = groups[-1].curve("train_cost")[1][:, 0]
    start = {t.user_attrs["repeat"]: cost for t, cost in zip(groups[-1].trials, first, strict=True)}
    columns = [start, *(group.by_repeat("train_cost") for group in groups)]
    repeats = sorted(set.intersection(*(set(column) for column in columns)))
    return np.array([[column[repeat] for column in columns] for repeat in repeats]).reshape(-1, len(columns))


def spike(runs: Runs) -> Part:
    """Whether the cost rises at first: with moving averages, and with exact moments of the same weights."""
    comparison, rows = runs.comparison("b17-spike"), []
    found = {kind: costs(runs, kind) for kind in ("moving", "population")}
    for i, epochs in enumerate(EPOCHS, 1):
        moving, exact = (comparison.find(bn_statistics=kind, epochs=epochs) for kind in found)
        rows.append(
            (
                str(epochs),
                *(over(y[:, i].tolist()).plain(".3f") for y in found.values()),
                f"{percent(moving.over('train_accuracy').mean, 0)} / {percent(exact.over('train_accuracy').mean, 0)}",
                f"{moving.rows}; {exact.rows.rpartition('` ')[2]}",
            )
        )
    starts = (over(y[:, 0].tolist()).plain(".3f") for y in found.values())
    rows.insert(0, ("0", *starts, "", "the first points of the last rows' curves"))
    return Part(
        'B17: the "spike in the cost" of its overfit test',
        ["compare b17-spike"],
        theirs.B17_SPIKE_QUOTE,
        (verdict(found["moving"], found["population"]),),
        [
            Table(
                ("epochs", "cost, moving", "cost, exact", "accuracy, moving / exact, %", "rows"),
                rows,
                "Training cost of the 100 images after so many epochs, three layers, momentum 0.9; 0: the initial "
                "weights",
            )
        ],
        [("b17-spike", "Training cost from the start on, evaluated with moving averages and with exact moments")],
    )


def verdict(moving: Float, exact: Float) -> str:
    """Seed by seed: does the cost rise above that of the initial weights?"""
    n = len(moving)
    by_moving, by_exact = rises(moving), rises(exact)
    falls = int((np.diff(exact, axis=1) < 0).all(axis=1).sum())
    peak = int(moving[:, 1:].mean(axis=0).argmax()) + 1
    figures = (
        f"With moving averages the training cost rises above that of the initial weights in {by_moving} of {n} seeds; "
        f"its mean is highest after epoch {EPOCHS[peak - 1]}, {moving[:, peak].mean():.2f} against "
        f"{moving[:, 0].mean():.2f} at the start. With the exact moments of the same weights it rises in {by_exact} of "
        f"{n} seeds, falls from each measurement to the next in {falls}, and is {exact[:, peak].mean():.2f} there."
    )
    if 2 * by_moving <= n:
        return f"**There is none here.** {figures}"
    if by_exact:
        return f"**It exists.** {figures}"
    share = AVERAGE ** (EPOCHS[peak - 1] - 1)
    return (
        f"**It exists, in the evaluation alone.** {figures} The averages begin as the first batch's moments and α = "
        f"{AVERAGE} keeps {100 * share:.0f} % of them until then: the weights have moved, but they are evaluated with "
        "what are still nearly the first batch's moments, those of the initial weights. It says nothing about "
        "gradients, which go through the batch's own moments: a network need not be warm to be checked."
    )


def rises(cost: Float) -> int:
    """Seeds whose highest cost is above that of their start."""
    return int((cost[:, 1:].max(axis=1) > (1 + LEAST) * cost[:, 0]).sum())
