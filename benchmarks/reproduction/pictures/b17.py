"""B17's experiments as plotly figures."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from benchmarks.reproduction.ours import Runs
from benchmarks.reproduction.panels import THIRD, WIDTH, WITH, WITHOUT, Line, Panel, panels
from benchmarks.reproduction.pictures.common import both_parts
from benchmarks.reproduction.sections.final import CURES
from benchmarks.reproduction.sections.grids import NAMES, STATISTICS, settings
from benchmarks.reproduction.sections.layers import HIDDEN as DEEPER
from benchmarks.reproduction.sections.layers import RATES, Trio
from benchmarks.reproduction.sections.overfit import HIDDEN as OVERFIT
from benchmarks.reproduction.sections.overfit import MOMENTA
from benchmarks.reproduction.sections.spike import EPOCHS as SPIKE_EPOCHS
from benchmarks.reproduction.sections.spike import costs
from bnsearch.report.figures.frame import PERCENT, frame, titled
from bnsearch.report.words import number

COSTS = [1.0, 4.0]  # of B17's networks with and without BN; what overflows is cut off
START = 0.5  # where a logarithmic axis of epochs has the initial weights
DASHES = {0.5: "dot", 0.7: "dash", 0.9: "solid"}


def overfit(runs: Runs) -> go.Figure:
    """Training accuracy by layers; colour: BN, dash: momentum."""
    comparison, found = runs.comparison("b17-overfit"), []
    for hidden in OVERFIT:
        lines = []
        for norm, colour, name in (("none", WITHOUT, "no BN"), ("plain", WITH, "BN")):
            for momentum in MOMENTA if hidden or norm == "none" else ():
                group = comparison.find(hidden=hidden, batch_norm=norm, momentum=momentum)
                text = f"{name}, ρ = {momentum}"
                lines.append(Line.of(text, group, "train_accuracy", colour, DASHES[momentum], seeds=True))
        found.append(Panel(_layers(hidden), lines, PERCENT | {"range": [0, 104]}))
    return panels(found, 2, "epoch", 520)


def overfit_slow(runs: Runs) -> go.Figure:
    """The same at a small, falling learning rate."""
    comparison, found = runs.comparison("b17-overfit-slow"), []
    for hidden in OVERFIT:
        lines = [
            Line.of(name, comparison.find(hidden=hidden, batch_norm=norm), "train_accuracy", colour, seeds=True)
            for norm, colour, name in (("none", WITHOUT, "no BN"), ("plain", WITH, "BN"))
            if hidden or norm == "none"
        ]
        found.append(Panel(_layers(hidden), lines, PERCENT | {"range": [0, 104]}))
    return panels(found, 2, "epoch", 520)


def _layers(hidden: Sequence[int]) -> str:
    return f"{len(hidden) + 1} layer{'s' * bool(hidden)}"


def spike(runs: Runs) -> go.Figure:
    """Training cost of the initial weights and at each measured epoch."""
    x = np.array([START, *SPIKE_EPOCHS], dtype=np.float64)
    lines = [
        Line(NAMES[kind], x, costs(runs, kind), colour)
        for kind, colour in zip(STATISTICS, (WITHOUT, WITH), strict=True)
    ]
    axis = {"type": "log", "tickvals": list(x), "ticktext": ["start", *map(str, SPIKE_EPOCHS)]}
    axis |= {"range": [np.log10(START) - 0.02, np.log10(SPIKE_EPOCHS[-1]) + 0.02]}
    return panels([Panel("training cost of the 100 images", lines, {"rangemode": "tozero"}, axis)], 1, "epochs", 330)


def trio(found: Trio, figure: str) -> list[Line]:
    """A network without BN and one with it; in training both, in validation the latter with both kinds of moments."""
    lines = both_parts("no BN", found.without, WITHOUT, figure) if found.without.trials else []
    lines += both_parts("BN", found.moving, WITH, figure)
    return [*lines, Line.of("BN, validation (exact)", found.exact, f"valid_{figure}", THIRD)]


def depth(runs: Runs) -> go.Figure:
    """Three and four layers."""
    comparison = runs.comparison("b17-depth")
    return _trios({_layers(hidden): Trio.of(comparison, {"hidden": hidden}) for hidden in DEEPER})


def speed(runs: Runs) -> go.Figure:
    """Three learning rates."""
    comparison = runs.comparison("b17-speed")
    return _trios({f"η = {rate}": Trio.of(comparison, {"learning_rate": rate}) for rate in RATES})


def _trios(found: Mapping[str, Trio]) -> go.Figure:
    """Accuracy above cost."""
    rows = [
        Panel(f"{name}: {figure}", trio(one, figure), axis)
        for figure, axis in (("accuracy", PERCENT | {"range": [0, 66]}), ("cost", {"range": COSTS}))
        for name, one in found.items()
    ]
    return panels(rows, len(found), "step", 620)


def grid(name: str) -> Callable[[Runs], go.Figure]:
    """Each setting's seeds, the settings in the order of their means with exact moments."""

    def figure(runs: Runs) -> go.Figure:
        comparison, traces = runs.comparison(name), []
        groups = {
            kind: [
                (s, comparison.find(bn_statistics=kind, learning_rate=s[0], l2=s[1]))
                for s in settings(comparison, kind)
            ]
            for kind in STATISTICS
        }
        means = {s: float(np.mean(group.values("valid_accuracy") or [0.0])) for s, group in groups["population"]}
        order = sorted(means, key=lambda s: -means[s])
        labels = {s: f"η {number(s[0])}<br>λ {number(s[1])}" for s in order}
        for kind, colour, side in zip(STATISTICS, (WITHOUT, WITH), (-0.16, 0.16), strict=True):
            x, y, at, mean = [], [], [], []
            for s, group in groups[kind]:
                values = group.values("valid_accuracy")
                x += [order.index(s) + side] * len(values)
                y += [100 * value for value in values]
                if values:
                    at.append(order.index(s) + side)
                    mean.append(100 * float(np.mean(values)))
            marker = {"color": colour, "size": 6, "opacity": 0.55}
            traces.append(go.Scatter(x=x, y=y, mode="markers", marker=marker, name=f"a seed, {NAMES[kind]}"))
            marker = {"color": colour, "size": 15, "symbol": "line-ew", "line": {"color": colour, "width": 2.5}}
            traces.append(go.Scatter(x=at, y=mean, mode="markers", marker=marker, name=f"mean, {NAMES[kind]}"))
        axis = {"tickvals": list(range(len(order))), "ticktext": [labels[s] for s in order], "tickangle": -90}
        axis |= {"tickfont": {"size": 11}, "showgrid": False, "range": [-0.6, len(order) - 0.4]}
        return frame(traces, axis, titled("validation accuracy", **PERCENT), 420, width=WIDTH)

    return figure


def final(runs: Runs) -> go.Figure:
    """B17's final training."""
    group = runs.stage("cifar10-momentum", "final")
    accuracy = Panel("accuracy", both_parts("BN", group, WITH), PERCENT)
    cost = Panel("cost", both_parts("BN", group, WITH, "cost"))
    return panels([cost, accuracy], 2, "step", 330)


def statistics(runs: Runs) -> go.Figure:
    """Test accuracy of the same weights by both kinds of moments."""
    comparison, traces = runs.comparison("b17-statistics"), []
    names = [f"{'pixels/255' if s == 'none' else 'centred'}, α = {a}" for s, a in CURES]
    groups = [comparison.find(standardize=s, bn_average=a) for s, a in CURES]
    for kind, colour, side in zip(STATISTICS, (WITHOUT, WITH), (-0.12, 0.12), strict=True):
        found = [group.over(f"test.{kind}") for group in groups]
        x, y, sd = zip(*((i + side, 100 * one.mean, 100 * one.sd) for i, one in enumerate(found)), strict=True)
        bars = {"type": "data", "array": [0.0 if np.isnan(v) else v for v in sd], "color": colour, "thickness": 2}
        marker = {"color": colour, "size": 9}
        traces.append(go.Scatter(x=x, y=y, mode="markers", marker=marker, error_y=bars, name=NAMES[kind]))
    axis = {"tickvals": list(range(len(names))), "ticktext": names, "showgrid": False, "range": [-0.5, 3.5]}
    return frame(traces, axis, titled("test accuracy (mean ± sd)", **PERCENT), 320, width=WIDTH)
