"""The methods that are compared, each a search of a world followed, or not, by the same confirm.

All have the study file's default setting as their first trial, and about 60 trainings in all.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import qmc

from benchmarks.selection.specs import RUNGS
from benchmarks.selection.table import FULL, Floats
from benchmarks.selection.world import N_REPEATS, World
from bnsearch.search import choose, halving, space
from bnsearch.search.tables import Range
from bnsearch.search.trials import Trial

TOTAL = 60.0  # trainings
MAX_FINALISTS = 5  # four and the default


@dataclass(frozen=True)
class Found:
    """What a search hands to the choice: its trials, and those that finalists are taken from."""

    trials: Sequence[Trial]
    last: Sequence[Trial]


Search = Callable[[World, float], Found]


@dataclass(frozen=True)
class Method:
    """A search, and whether its best are confirmed."""

    search: Search
    confirmed: bool
    n_replays: int = 1_000
    n_best: int | None = None  # finalists besides the default; else a tenth of what the search cost


@dataclass(frozen=True)
class Choice:
    """What a method chose, and all that its user would have seen."""

    setting: int
    value: float  # of the chosen trial in the search
    cost: float
    finalists: tuple[int, ...] = ()  # settings
    y: Floats | None = None  # (M, R)


def run(method: Method, world: World) -> Choice:
    """Search, and confirm where the method does: the best of the last level and the default, over five repeats."""
    budget = TOTAL - (MAX_FINALISTS * N_REPEATS if method.confirmed else 0)
    found = method.search(world, budget)
    best = choose.rank(found.trials)
    if not method.confirmed:
        return Choice(world.used[best[0].number], best[0].value or 0.0, world.cost)
    chosen = choose.rank(found.last)[: method.n_best or choose.n_finalists(world.cost)]
    numbers = [trial.number for trial in chosen]
    finalists = tuple(world.used[number] for number in dict.fromkeys([*numbers, 0]))
    y = world.confirm(list(finalists))
    setting = finalists[choose.winner(y)]
    value = next((t.value for t in found.trials if world.used[t.number] == setting), None)
    return Choice(setting, value if value is not None else float("nan"), world.cost, finalists, y)


def batch(world: World, proposals: Sequence[Mapping[str, float]], keep: float | None) -> list[Trial]:
    """Train a batch to the end, or keep a share at ¼ and ½ of the budget; stopped ones have no value."""
    numbers = [world.begin(params) for params in proposals]
    if keep is None or len(numbers) < halving.MIN_LANES:
        return [world.measure(number, FULL) for number in numbers]
    stopped = {number: Trial(number, world.table.params(world.used[number]), None) for number in numbers}
    for rung in range(FULL):
        trials = [world.measure(number, rung, rung - 1) for number in numbers]
        numbers = halving.survivors([_standing(t) for t in trials], keep)
    return list((stopped | {number: world.measure(number, FULL, FULL - 1) for number in numbers}).values())


def _standing(trial: Trial) -> halving.Standing:
    loss = trial.valid_loss if trial.valid_loss is not None else np.inf
    return halving.Standing(trial.number, trial.value or 0.0, loss, diverged=not np.isfinite(loss))


def cost_of(n: int, keep: float | None) -> float:
    """Trainings that n lanes cost."""
    if keep is None or n < halving.MIN_LANES:
        return float(n)
    first = halving.n_kept(n, keep)
    return n * RUNGS[0] + first * (RUNGS[1] - RUNGS[0]) + halving.n_kept(first, keep) * (1.0 - RUNGS[1])


def lanes_for(budget: float, keep: float | None) -> int:
    """As many as the budget pays for."""
    n = int(budget)
    while keep is not None and cost_of(n + 1, keep) <= budget:
        n += 1
    return n


def proposals(
    world: World, box: Mapping[str, Range], sampler: str, n: int, stage: str, default: bool = True
) -> list[dict[str, float]]:
    """The default, then points as `space.propose` draws them, without a study of Optuna for each draw."""
    first = [dict(world.table.spec.default)] if default else []
    n -= len(first)
    rng = np.random.default_rng([world.number, world.n_valid, len(stage)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # n need not be a power of two
        unit = (
            qmc.Sobol(len(box), scramble=True, rng=rng).random(n) if sampler == "sobol" else rng.random((n, len(box)))
        )
    ends = np.log10([(range_.low, range_.high) for range_ in box.values()])
    points = 10.0 ** (ends[:, 0] + unit * (ends[:, 1] - ends[:, 0]))
    return first + [dict(zip(box, point, strict=True)) for point in points.tolist()]


def one_level(sampler: str, keep: float | None = None) -> Search:
    """The whole budget on the coarse space."""

    def search(world: World, budget: float) -> Found:
        n = lanes_for(budget, keep)
        trials = batch(world, proposals(world, world.table.spec.space, sampler, n, "coarse"), keep)
        return Found(trials, trials)

    return search


def chain(sampler: str, keep: float | None = None, finalists_of_all: bool = False) -> Search:
    """Coarse on one half of the budget, then fine in the box around the tied settings, as bnsearch does.

    The box is clipped to the table's range: beyond it there are no networks.
    """

    def search(world: World, budget: float) -> Found:
        coarse_space = world.table.spec.space
        n = lanes_for(budget / 2 + 0.5, keep)
        coarse = batch(world, proposals(world, coarse_space, sampler, n, "coarse"), keep)
        tied = choose.tie_set(coarse).tied
        box = space.narrow(coarse_space, [t.params for t in tied], n).space
        inside = {
            name: Range(low=max(r.low, coarse_space[name].low), high=min(r.high, coarse_space[name].high))
            for name, r in box.items()
        }
        n = lanes_for(budget - world.cost, keep)
        fine = batch(world, proposals(world, inside, sampler, n, "fine", default=False), keep)
        return Found([*coarse, *fine], [*coarse, *fine] if finalists_of_all else fine)

    return search


def stop_early(world: World, budget: float) -> Found:
    """Sobol; the best third after ¼ of the budget is trained on."""
    n = int(budget / (0.25 + 0.75 / 3))
    numbers = [world.begin(p) for p in proposals(world, world.table.spec.space, "sobol", n, "coarse")]
    trials = choose.rank([world.measure(number, 0) for number in numbers])
    complete = [world.measure(trial.number, FULL, 0) for trial in trials[: n // 3]]
    return Found(complete, complete)


GRIDS = (  # Baldassarre 2017: λ and η, coarse then fine, with momentum 0.8
    ((0.000192, 0.000672, 0.003772, 0.032430, 0.266132), (0.40573, 0.029202, 0.012721, 0.003215)),
    ((0.012361, 0.032430, 0.053913), (0.043773, 0.029202, 0.016231, 0.001051)),
)
GRID_MOMENTUM = 0.8


def grids(world: World, budget: float) -> Found:
    """Both of Baldassarre's grids, 32 settings, after the default; η at the same effective rate η/(1 − momentum)."""
    scale = (1.0 - world.table.spec.momentum) / (1.0 - GRID_MOMENTUM)
    trials = [world.trial(world.table.spec.default)]
    for rates_of_l2, rates in GRIDS:
        trials += [world.trial({"l2": l2, "learning_rate": scale * rate}) for l2 in rates_of_l2 for rate in rates]
    return Found(trials, trials)
