"""What pictures of both reports have in common."""

from collections.abc import Callable

import plotly.graph_objects as go

from benchmarks.reproduction.ours import Group, Runs
from benchmarks.reproduction.panels import Line
from bnsearch.report.figures.confusion import matrix


def both_parts(name: str, group: Group, colour: str, figure: str = "accuracy") -> list[Line]:
    """Dashed what training itself sees, with the batch's moments; validation rows solid."""
    return [
        Line.of(
            f"{name}, in training{' (batch moments)' * (name != 'no BN')}", group, f"train_{figure}", colour, "dash"
        ),
        Line.of(f"{name}, validation", group, f"valid_{figure}", colour),
    ]


def confusion(name: str) -> Callable[[Runs], go.Figure]:
    """Of a study's final networks together."""

    def figure(runs: Runs) -> go.Figure:
        result = runs.attrs(name, "final")["result"]
        return matrix(result["confusion"], result["classes"], True).update_layout(width=560)

    return figure
