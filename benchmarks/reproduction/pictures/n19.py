"""N19's experiments as plotly figures."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from benchmarks.reproduction import theirs
from benchmarks.reproduction.ours import Runs
from benchmarks.reproduction.panels import THIRD, WIDTH, WITH, WITHOUT, Line, Panel, panels
from benchmarks.reproduction.pictures.common import both_parts
from benchmarks.reproduction.sections.networks import HIDDEN, network
from benchmarks.reproduction.sections.search import given
from benchmarks.reproduction.sections.sensitivity import SIGMAS
from benchmarks.reproduction.sections.sensitivity import network as of_sigma
from bnsearch.report.colours import LIGHT
from bnsearch.report.figures.frame import LOGARITHMIC, PERCENT, frame, titled


def networks(runs: Runs) -> go.Figure:
    """N19's figures 2 to 5."""
    found = []
    figures = {"accuracy": PERCENT | {"range": [20, 66]}, "loss": {"range": [0.9, 2.35]}, "cost": {"range": [1.0, 4.0]}}
    for figure, axis in figures.items():
        for n in HIDDEN:
            lines = both_parts("no BN", network(runs, n, "none"), WITHOUT, figure)
            lines += both_parts("BN", network(runs, n, "affine"), WITH, figure)
            found.append(Panel(f"{n} layers: {figure}", lines, axis))
    for n in HIDDEN:
        rate = Line.of("learning rate", network(runs, n, "affine"), "learning_rate", THIRD)
        found.append(Panel(f"{n} layers: learning rate", [rate]))
    return panels(found, 2, "step", 980)


def search(runs: Runs) -> go.Figure:
    """N19's figures 6 and 7: accuracy."""
    x, y = [l2 for l2, _ in theirs.N19_SEARCH], [100 * accuracy for _, accuracy in theirs.N19_SEARCH]
    marker = {"color": LIGHT.best, "symbol": "x", "size": 10}
    best = go.Scatter(x=x, y=y, mode="markers", marker=marker, name="the best three of N19")
    return _by_l2([*_searched(runs, "valid_accuracy", 100.0), best], titled("validation accuracy", **PERCENT))


def search_cost(runs: Runs) -> go.Figure:
    """N19's figures 6 and 7: cost."""
    return _by_l2(_searched(runs, "valid_cost"), titled("validation cost"))


def _by_l2(traces: Sequence[go.Scatter], y: dict[str, Any]) -> go.Figure:
    return frame(traces, titled("λ", **LOGARITHMIC, dtick=1), y, 360, width=WIDTH)


def _searched(runs: Runs, name: str, factor: float = 1.0) -> list[go.Scatter]:
    """A figure of each trial; open: the study file's own λ."""
    traces = []
    for stage, colour, symbol in (("coarse", LIGHT.coarse, "circle"), ("fine", LIGHT.fine, "diamond")):
        trials = runs.stage("n19-search", stage).trials
        for drawn, shape, said in ((True, symbol, f"{stage} (ours)"), (False, f"{symbol}-open", "the file's own λ")):
            own = [t for t in trials if (t.params["l2"] != given(runs)) is drawn]
            x, y = [t.params["l2"] for t in own], [factor * t.user_attrs[name] for t in own]
            marker = {"color": colour, "symbol": shape, "size": 10}
            if own:
                traces.append(go.Scatter(x=x, y=y, mode="markers", marker=marker, name=said))
    return traces


def sensitivity(runs: Runs) -> go.Figure:
    """N19's figure 10."""
    found = []
    for norm, title in (("none", "without BN"), ("affine", "with BN")):
        lines = [
            Line.of(f"σ = {sigma:g}", of_sigma(runs, norm, sigma), "train_loss", *look)
            for sigma, look in zip(SIGMAS, ((WITH,), (WITHOUT,), (THIRD, "dot")), strict=True)
        ]
        found.append(Panel(f"training loss, {title}", lines, {"range": [1.0, 2.4]}))
    return panels(found, 2, "step", 340)
