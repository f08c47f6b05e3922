"""N19's figure 10: what the initial weights do, and what they do without batch normalisation."""

import math
from collections.abc import Sequence

import numpy as np

from benchmarks.reproduction import theirs
from benchmarks.reproduction.ours import Group, Runs
from benchmarks.reproduction.part import Part, points
from benchmarks.reproduction.spread import Spread, over
from benchmarks.section import Table
from bnsearch.model import load_model

SIGMAS = (1e-1, 1e-3, 1e-4)
NEARLY = 0.98  # of ln 10: a loss above that is of a network that has learnt next to nothing


def network(runs: Runs, norm: str, sigma: float, l2: float = 0.005) -> Group:
    """One of the report's six, or of their twins without a penalty."""
    return runs.comparison("n19-sensitivity").find(batch_norm=norm, init={"normal": sigma}, l2=l2)


def second_layer(runs: Runs, group: Group) -> Spread:
    """Root mean square of the second layer's weights at the end, of networks without BN: nothing is folded into it."""
    folder = runs.folder / "studies" / group.study.rpartition(".")[0] / "models"
    models = [load_model(folder / f"compare-{t.number:05d}.safetensors") for t in group.trials]
    return over([math.sqrt(float(np.mean(model.weights[1] ** 2))) for model in models])


def sensitivity(runs: Runs) -> Part:
    """Six networks; why small weights stall."""
    rows, stalled = [], []
    for norm in ("none", "affine"):
        for sigma in SIGMAS:
            group = network(runs, norm, sigma)
            name = f"{'BN' if norm == 'affine' else 'no BN'}, σ = {sigma:g}"
            weights = second_layer(runs, group) if norm == "none" else None
            rows.append(
                (
                    name,
                    group.over("train_loss").plain(".3f"),
                    group.over("valid_accuracy").percent(),
                    group.over("test_accuracy").percent(),
                    "" if weights is None else f"{weights.mean:.1e}",
                    str(group.n_lost),
                    group.rows,
                )
            )
            if weights is not None and sigma < SIGMAS[0]:
                stalled.append((sigma, group, weights))
    with_bn = [network(runs, "affine", sigma).over("test_accuracy").mean for sigma in SIGMAS]
    n_lost = sum(network(runs, norm, sigma).n_lost for norm in ("none", "affine") for sigma in SIGMAS)
    losses = ", ".join(f"{g.over('train_loss').mean:.4f} at σ = {s:g}" for s, g, _ in stalled)
    stalls = all(g.over("train_loss").mean > NEARLY * math.log(10) for _, g, _ in stalled)
    return Part(
        "N19: figure 10, sensitivity to the initial weights",
        ["compare n19-sensitivity --test"],
        theirs.N19_SENSITIVITY_QUOTE,
        (
            f"**{'It stalls; it does not diverge' if stalls else 'It does not diverge'}.** Without BN and with small σ "
            f"the training loss ends at {losses}; a network that gives every class a tenth has ln 10 = "
            f"{math.log(10):.4f}. {_lost(n_lost)} A weight matrix' derivative is a product with all other weight "
            f"matrices, of the order of σ² for three layers. {_weights(stalled)}",
            f"With BN the scale of the weights cancels: the three σ lie {points(max(with_bn) - min(with_bn), 2)} apart "
            "on the test set.",
        ),
        [
            Table(
                ("", "training loss", "validation, %", "test, %", "weights", "non-finite", "rows"),
                rows,
                "At the end of two cycles with n_s = 900. Weights: root mean square of the second layer's, at first σ; "
                "non-finite: seeds whose cost overflowed",
            )
        ],
        [("n19-sensitivity", "Training loss over the steps by σ, with and without BN")],
    )


def _weights(stalled: Sequence[tuple[float, Group, Spread]]) -> str:
    """What becomes of the second layer's."""
    changes = ", ".join(f"from {sigma:g} to {weights.mean:.0e}" for sigma, _, weights in stalled)
    if all(weights.mean < sigma for sigma, _, weights in stalled):
        return (
            f"The pull of λ is stronger: the second layer's weights shrink, {changes} (root mean square), instead of "
            "growing. Only the last biases learn."
        )
    return f"The second layer's weights went {changes} (root mean square)."


def _lost(n: int) -> str:
    return "No cost of any seed is infinite or NaN." if n == 0 else f"{n} seeds became infinite or NaN."
