"""Propose configurations, and narrow a space from finished trials. Pure functions of values."""

import itertools
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.samplers import BaseSampler, QMCSampler, RandomSampler, TPESampler

from bnsearch.core.random import generator
from bnsearch.errors import SpaceError
from bnsearch.search.tables import LIMITS, Range
from bnsearch.search.trials import Trial

Space = Mapping[str, Range | tuple[float, ...]]
Side = Literal["low", "high"]
TPE_BATCH = 16
MAX_EXTENSION_DECADES = 1.5


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """A space in Optuna's words; a grid's values lie in a range from the smallest to the largest."""
    return {name: FloatDistribution(r.low, r.high, log=r.log) for name, r in ranges(space).items()}


def ranges(space: Space) -> dict[str, Range]:
    """Every parameter's range; of a grid, the one that its values span (logarithmic where they are all positive)."""
    found = {}
    for name, values in space.items():
        if not isinstance(values, Range):
            low, high = min(values), max(values)
            log = low > 0 and name != "momentum"
            values = (
                Range(low=low, high=high, log=log)
                if low < high
                else Range(low=low, high=math.nextafter(high, math.inf), log=log)
            )
        found[name] = values
    return found


def propose(
    space: Space, sampler: str, finished: Sequence[Trial], first: int, n: int, seed: int, stage: str
) -> list[dict[str, float]]:
    """Configurations number first … first + n − 1 of a stage; the same arguments always give the same ones.

    A grid is enumerated in the file's order, the last parameter fastest; random, Sobol and TPE ask an Optuna sampler
    inside a throw-away study that holds the finished trials. A diverged trial counts there as one of value 0.
    """
    if sampler == "grid":
        axes = [values if isinstance(values, tuple) else () for values in space.values()]
        settings = [dict(zip(space, values, strict=True)) for values in itertools.product(*axes)]
        return settings[first : first + n]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = optuna.create_study(direction="maximize", sampler=_sampler(sampler, seed, stage, first))
    dims = distributions(space)
    for trial in finished:
        value = trial.value if trial.value is not None else 0.0
        study.add_trial(optuna.create_trial(params=dict(trial.params), distributions=dims, value=value))
    if sampler == "sobol":
        # the sampler learns the space from an earlier trial; without one its first point would be an unrelated random
        # one
        middle = {name: r.low for name, r in ranges(space).items()}
        running = optuna.trial.TrialState.RUNNING
        study.add_trial(optuna.create_trial(state=running, params=middle, distributions=dims))
    return [dict(study.ask(dims).params) for _ in range(n)]


def _sampler(name: str, seed: int, stage: str, first: int) -> BaseSampler:
    own_seed = int(generator(seed, stage, "proposals", first).integers(2**31))
    if name == "random":
        return RandomSampler(own_seed)
    if name == "sobol":
        return QMCSampler(qmc_type="sobol", scramble=True, seed=own_seed)
    return TPESampler(seed=own_seed)


@dataclass(frozen=True)
class Edge:
    """A tied trial lies at the end of a searched range."""

    name: str
    side: Side
    edge: float  # of the range searched so far
    extended_to: float  # equal to the edge where a hard limit stops it


@dataclass(frozen=True)
class Box:
    """The space of a fine stage."""

    space: dict[str, Range]
    edges: tuple[Edge, ...]


def narrow(space: Mapping[str, Range], tied: Sequence[Mapping[str, float]], n: int) -> Box:
    """The box around the tied settings of n coarse trials.

    In log space (linear for a linear range), with w the coarse width and p parameters: δ = w/(2·n^(1/p)), the box is
    [lowest tied − δ, highest tied + δ]; a side with a tied setting within 2δ of the coarse edge becomes edge ± w/2
    instead (at most 1.5 decades, within the hard limits), so any other side lies within the coarse range.
    """
    if not tied:
        raise SpaceError(
            "A fine search needs at least one finished coarse trial, but none completed; widen or move `coarse.space`."
        )
    box: dict[str, Range] = {}
    edges: list[tuple[str, Side, float]] = []
    for name, range_ in space.items():
        if _fixed(range_):
            box[name] = range_
            continue
        low, high = _scaled(range_.low, range_), _scaled(range_.high, range_)
        width = high - low
        delta = spacing(width, n, _n_searched(space))
        at = [_scaled(setting[name], range_) for setting in tied]
        reach = min(width / 2, MAX_EXTENSION_DECADES) if range_.log else width / 2
        new_low, new_high = min(at) - delta, max(at) + delta
        if min(at) - low <= 2 * delta:
            new_low = low - reach
            edges.append((name, "low", range_.low))
        if high - max(at) <= 2 * delta:
            new_high = high + reach
            edges.append((name, "high", range_.high))
        box[name] = _limited(name, new_low, new_high, range_)
    verdicts = tuple(Edge(name, side, edge, getattr(box[name], side)) for name, side, edge in edges)
    return Box(box, verdicts)


def open_sides(space: Mapping[str, Range], coarse: Mapping[str, Range] | None = None) -> tuple[Edge, ...]:
    """Sides beyond which nothing has been searched: all of coarse, and those of fine that do not lie inside coarse."""
    found = []
    for name, range_ in space.items():
        outer = None if coarse is None else coarse.get(name)
        if _fixed(range_):
            continue
        if outer is None or range_.low <= outer.low:
            found.append(Edge(name, "low", range_.low, range_.low))
        if outer is None or range_.high >= outer.high:
            found.append(Edge(name, "high", range_.high, range_.high))
    return tuple(found)


def stored_sides(attrs: Mapping[str, Any]) -> list[Edge]:
    """The open sides among the attributes of a level's study."""
    return [Edge(**side) for side in attrs["open_sides"]]


def at_hard_limit(edge: Edge) -> bool:
    """No search may go beyond it."""
    least, most = LIMITS[edge.name]
    return edge.extended_to <= least if edge.side == "low" else edge.extended_to >= most


def unresolved(
    space: Mapping[str, Range], open_: Sequence[Edge], best: Mapping[str, float], n: int
) -> tuple[Edge, ...]:
    """Open sides of a space within whose own 2δ its best lies: the optimum may lie beyond."""
    found = []
    for edge in open_:
        range_ = space[edge.name]
        end, at = _scaled(getattr(range_, edge.side), range_), _scaled(best[edge.name], range_)
        width = _scaled(range_.high, range_) - _scaled(range_.low, range_)
        if abs(at - end) <= 2 * spacing(width, n, _n_searched(space)):
            found.append(edge)
    return tuple(found)


def spacing(width: float, n: int, n_parameters: int) -> float:
    """δ: half the typical distance between n trials along one of p axes of this width."""
    return width / (2.0 * float(n ** (1.0 / n_parameters)))


def _n_searched(space: Mapping[str, Range]) -> int:
    return sum(not _fixed(range_) for range_ in space.values())


def _fixed(range_: Range) -> bool:
    """A grid gave it one value, of which `ranges` made the smallest range there is."""
    return range_.high <= math.nextafter(range_.low, math.inf)


def _scaled(value: float, range_: Range) -> float:
    return math.log10(value) if range_.log else value


def _limited(name: str, low: float, high: float, range_: Range) -> Range:
    """Back to the parameter's own scale, within the hard limits."""
    least, most = LIMITS[name]
    ends = (10.0**low, 10.0**high) if range_.log else (low, high)
    return Range(low=max(ends[0], least), high=min(ends[1], most), log=range_.log)
