"""The pictures of the page: what each shows, as a plotly figure."""

from collections.abc import Callable

import plotly.graph_objects as go

from benchmarks.reproduction.ours import Runs
from benchmarks.reproduction.pictures import b17, n19
from benchmarks.reproduction.pictures.common import confusion

PICTURES: dict[str, Callable[[Runs], go.Figure]] = {
    "b17-overfit": b17.overfit,
    "b17-overfit-slow": b17.overfit_slow,
    "b17-spike": b17.spike,
    "b17-depth": b17.depth,
    "b17-speed": b17.speed,
    "b17-ranking-coarse": b17.grid("b17-ranking-coarse"),
    "b17-ranking-fine": b17.grid("b17-ranking-fine"),
    "b17-final": b17.final,
    "b17-statistics": b17.statistics,
    "b17-confusion": confusion("cifar10-momentum"),
    "n19-networks": n19.networks,
    "n19-search": n19.search,
    "n19-search-cost": n19.search_cost,
    "n19-confusion": confusion("n19-final"),
    "n19-sensitivity": n19.sensitivity,
}
