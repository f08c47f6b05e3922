"""B17's overfit test, and the spike that it saw there."""

import itertools

import numpy as np

from benchmarks.reproduction import theirs
from benchmarks.reproduction.ours import Group, Runs
from benchmarks.reproduction.part import Part, percent
from benchmarks.reproduction.spread import over
from benchmarks.section import Table

HIDDEN: tuple[list[int], ...] = ([], [50], [50, 30], [50, 30, 20])
MOMENTA = (0.5, 0.7, 0.9)
SPIKE_EPOCHS = (1, 2, 3, 5, 8, 12, 20, 30, 50, 100, 200, 400)


def fits(group: Group) -> list[int | None]:
    """The first epoch of each seed at whose end all images had been got right in training; None where none."""
    _, accuracy = group.curve("train_accuracy")
    return [int(np.argmax(row >= 1.0)) + 1 if (row >= 1.0).any() else None for row in accuracy]


def overfit(runs: Runs) -> Part:
    """Which networks come to 100 %."""
    comparison, rows, unlike = runs.comparison("b17-overfit"), [], []
    for hidden in HIDDEN:
        for norm in ("none", "plain") if hidden else ("none",):
            n_layers, with_bn = len(hidden) + 1, norm == "plain"
            fail = (n_layers, with_bn) in theirs.B17_FAIL
            ours = []
            for momentum in MOMENTA:
                group = comparison.find(hidden=hidden, batch_norm=norm, momentum=momentum)
                found = fits(group)
                at = [epoch for epoch in found if epoch is not None]
                ours.append(len(at) == len(found))
                when = f"{np.median(at):.0f}" if at else "never"
                name = f"{n_layers} layer{'s' * (n_layers > 1)}{', BN' * with_bn}, momentum {momentum}"
                reached = f"{len(at)} of {len(found)}"
                end = group.over("train_accuracy").percent(1)
                rows.append((name, "no" if fail else "yes", reached, when, end, group.rows))
            if any(ours) == fail or all(ours) == fail:
                unlike.append(f"{n_layers} layer{'s' * (n_layers > 1)} {'with' if with_bn else 'without'} BN")
    header = ("", "B17: 100 %?", "seeds at 100 %", "after epochs (median)", "accuracy at the end, %", "rows")
    verdict = (
        "Every network does what B17's did, at each momentum."
        if not unlike
        else f"Otherwise than in B17: {'; '.join(unlike)}. B17 trained each once and gives neither its learning rate, "
        "its batch size nor the widths of four layers: what a network without BN reaches in 400 epochs depends on them."
    )
    if "1 layer without BN" in unlike:
        verdict += (
            " A single layer can reach 100 %, for 100 images in 3,072 dimensions are linearly separable as a rule: at "
            "this learning rate it does."
        )
    return Part(
        "B17: 100 images, 400 epochs",
        ["compare b17-overfit"],
        theirs.B17_OVERFIT_QUOTE,
        (
            verdict,
            "Seeds at 100 %: those that had all images right in training at some epoch, as curves show it; the "
            "accuracy at the end is that of the last weights with moving averages.",
        ),
        [Table(header, rows)],
        [("b17-overfit", "Training accuracy of networks of one to four layers, with and without BN, by momentum ρ")],
    )


def spike(runs: Runs) -> Part:
    """Whether the cost rises at first: with moving averages, and with exact moments of the same weights."""
    comparison, rows, seeds = runs.comparison("b17-spike"), [], {}
    for epochs in SPIKE_EPOCHS:
        moving, exact = (comparison.find(bn_statistics=kind, epochs=epochs) for kind in ("moving", "population"))
        seeds[epochs] = np.array(moving.values("train_cost")), np.array(exact.values("train_cost"))
        rows.append(
            (
                str(epochs),
                moving.over("train_cost").plain(".3f"),
                exact.over("train_cost").plain(".3f"),
                f"{percent(moving.over('train_accuracy').mean, 0)} / {percent(exact.over('train_accuracy').mean, 0)}",
                f"{moving.rows}; {exact.rows.rpartition('` ')[2]}",
            )
        )
    means = {epochs: (float(m.mean()), float(e.mean())) for epochs, (m, e) in seeds.items()}
    peak = max(SPIKE_EPOCHS, key=lambda epochs: means[epochs][0])
    rises = [b for a, b in itertools.pairwise(SPIKE_EPOCHS) if means[b][1] > means[a][1] + 1e-3]
    # one batch is all images, so that the cost of the first step is that of the initial weights
    start = comparison.find(bn_statistics="moving", epochs=SPIKE_EPOCHS[-1]).curve("train_cost")[1][:, 0]
    n_seeds, n_higher = len(start), int((seeds[peak][0] > start).sum())
    rows.insert(0, ("0", over(start.tolist()).plain(".3f"), "", "", "their curves' first points"))
    there = means[peak][0] > 1.05 * start.mean()
    verdict = (
        f"**It exists, in the evaluation alone.** With moving averages the training cost goes up from "
        f"{start.mean():.2f} before the first step to {means[peak][0]:.2f} after epoch {peak} (higher in {n_higher} of "
        f"{n_seeds} seeds) and then falls; the same weights with the exact moments of the same images cost "
        f"{means[peak][1]:.2f} at that epoch"
        if there
        else f"**There is none here.** With moving averages the training cost is highest after epoch {peak}, at "
        f"{means[peak][0]:.2f} against {start.mean():.2f} before the first step; with exact moments it is "
        f"{means[peak][1]:.2f} there"
    )
    fall = (
        ", and with these it falls from each measurement to the next."
        if not rises
        else f"; with these it rises at epoch {', '.join(map(str, rises))}."
    )
    return Part(
        'B17: the "spike in the cost" of its overfit test',
        ["compare b17-spike"],
        theirs.B17_SPIKE_QUOTE,
        (
            verdict + fall + " What the cost then shows is an average of 100 earlier batches' moments (α = 0.99) of "
            "weights that have since moved on. It says nothing about gradients, and a network need not be warm to be "
            "checked.",
        ),
        [
            Table(
                ("epochs", "cost, moving", "cost, exact", "accuracy, moving / exact, %", "rows"),
                rows,
                "Training cost of the 100 images after so many epochs, three layers, momentum 0.9",
            )
        ],
        [("b17-spike", "Training cost over the epochs, evaluated with moving averages and with exact moments")],
    )
