"""N19's figure 10: what the initial weights do, and what they do without batch normalisation."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.reproduction import theirs
from benchmarks.reproduction.ours import Group, Runs
from benchmarks.reproduction.part import Part, points
from benchmarks.reproduction.spread import Spread, over
from benchmarks.section import Table
from bnsearch.model import load_model

SIGMAS = (1e-1, 1e-3, 1e-4)
L2S = (0.005, 0.0)  # the report's, and none
NORMS = {"none": "no BN", "affine": "BN"}
NEARLY = 0.98  # of ln 10: a loss above that is of a network that has learnt next to nothing


def network(runs: Runs, norm: str, sigma: float, l2: float = 0.005) -> Group:
    """One of the report's six, or of their twins without a penalty."""
    return runs.comparison("n19-sensitivity").find(batch_norm=norm, init={"normal": sigma}, l2=l2)


def second_layer(runs: Runs, group: Group) -> Spread | None:
    """Root mean square of the second layer's weights at the end, of networks without BN: nothing is folded into
    it. None where none came to its end.
    """
    folder = runs.folder / "studies" / group.study.rpartition(".")[0] / "models"
    models = [load_model(folder / f"compare-{t.number:05d}.safetensors") for t in group.trials]
    if not models:
        return None
    return over([math.sqrt(float(np.mean(model.weights[1] ** 2))) for model in models])


def sensitivity(runs: Runs) -> Part:
    """Six networks and their twins without a penalty; why small weights stall."""
    networks = [(norm, sigma, l2, network(runs, norm, sigma, l2)) for l2 in L2S for norm in NORMS for sigma in SIGMAS]
    weights = {(sigma, l2): second_layer(runs, g) for norm, sigma, l2, g in networks if norm == "none"}
    rows = [
        (
            f"{NORMS[norm]}, σ = {sigma:g}, λ = {l2:g}",
            _spread(group, "train_loss"),
            _spread(group, "valid_accuracy"),
            _spread(group, "test_accuracy"),
            f"{weights[sigma, l2].mean:.1e}" if norm == "none" and weights[sigma, l2] else "",
            str(group.n_lost),
            group.rows,
        )
        for norm, sigma, l2, group in networks
    ]
    small = [
        Small(s, network(runs, "none", s), network(runs, "none", s, 0.0), *(weights[s, l2] for l2 in L2S))
        for s in SIGMAS[1:]
    ]
    said = [_with_bn(runs, l2) for l2 in L2S]
    return Part(
        "N19: figure 10, sensitivity to the initial weights",
        ["compare n19-sensitivity --test"],
        theirs.N19_SENSITIVITY_QUOTE,
        (
            f"{_verdict(small)} A weight matrix' derivative is a product with all other weight matrices, of the order "
            f"of σ² for three layers. {_lost(sum(group.n_lost for *_, group in networks))}",
            " ".join(_pull(one) for one in small),
            f"With BN the scale of the weights cancels: {'; '.join(said)}.",
        ),
        [
            Table(
                ("", "training loss", "validation, %", "test, %", "weights", "non-finite", "rows"),
                rows,
                "At the end of two cycles with n_s = 900; λ = 0.005 is the report's. Weights: root mean square of the "
                "second layer's, at first σ; non-finite: seeds whose cost overflowed",
            )
        ],
        [("n19-sensitivity", "Training loss over the steps by σ, with and without BN, λ = 0.005")],
    )


class Small(NamedTuple):
    """A small σ without BN: the report's networks, their twins without a penalty, what became of both's weights."""

    sigma: float
    pulled: Group
    free: Group
    pulled_weights: Spread | None
    free_weights: Spread | None


def stalls(group: Group) -> bool:
    """Has every seed learnt next to nothing, and did none overflow?"""
    losses = group.values("train_loss")
    return bool(losses) and not group.n_lost and min(losses) > NEARLY * math.log(10)


def _verdict(small: Sequence[Small]) -> str:
    """Of the report's own networks."""
    stuck, lost = [one for one in small if stalls(one.pulled)], [one for one in small if one.pulled.n_lost]
    losses = ", ".join(f"{_spread(one.pulled, 'train_loss', '.4f')} at σ = {one.sigma:g}" for one in small)
    if lost:
        found = "**It diverges**" if len(lost) == len(small) else "**It diverges at one σ**"
    elif len(stuck) == len(small):
        found = "**It stalls; it does not diverge**"
    else:
        found = "**It neither stalls at every small σ nor diverges**"
    return (
        f"{found}: without BN the training loss ends at {losses}; a network that gives every class a tenth has "
        f"ln 10 = {math.log(10):.4f}."
    )


def _pull(one: Small) -> str:
    """Is it λ that holds the weights down? Its twins without λ tell."""
    if one.pulled_weights is None or one.free_weights is None:
        return f"At σ = {one.sigma:g} not both kinds of networks came to their end."
    went = (
        f"At σ = {one.sigma:g} the second layer's weights (root mean square) end at {one.pulled_weights.mean:.1e} with "
        f"λ = 0.005 and at {one.free_weights.mean:.1e} without"
    )
    shrink = one.pulled_weights.mean < one.sigma
    if not stalls(one.pulled):
        return f"{went}; the penalty does not keep them from learning."
    if stalls(one.free):
        held = "the penalty shrinks them, but it is not what stops the learning" if shrink else "no sign of a pull of λ"
        return f"{went}, where the networks learn no more ({_spread(one.free, 'train_loss', '.4f')}): {held}."
    which = "shrinks the weights faster than they grow" if shrink else "keeps the weights from growing"
    return (
        f"{went}, where the training loss falls to {_spread(one.free, 'train_loss')}: the same start learns once "
        f"nothing pulls, so that it is λ which {which}."
    )


def _with_bn(runs: Runs, l2: float) -> str:
    """How far apart the three are on the test set."""
    means = [g.over("test_accuracy").mean for g in (network(runs, "affine", s, l2) for s in SIGMAS) if g.trials]
    return (
        f"the σ lie {points(max(means) - min(means), 2)} apart on the test set with λ = {l2:g}"
        if means
        else f"none came to its end with λ = {l2:g}"
    )


def _spread(group: Group, name: str, format_: str = ".3f") -> str:
    """Over the seeds, where there are any."""
    if not group.trials:
        return "diverged"
    return group.over(name).percent() if name.endswith("accuracy") else group.over(name).plain(format_)


def _lost(n: int) -> str:
    return "No cost of any seed is infinite or NaN." if n == 0 else f"{n} seeds became infinite or NaN."
