"""From a study's tables to what a worker needs: a small, picklable, hashable plan of one repeat."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from bnsearch.core import init, schedules, tree
from bnsearch.core.network import Architecture, Network, initial_network
from bnsearch.core.optim import Settings
from bnsearch.core.random import generator
from bnsearch.core.run import Run, State, Statistics, start
from bnsearch.data.prepare import DataReference, open_rows
from bnsearch.errors import StudyFileError
from bnsearch.search.tables import Constant, Cosine, Cyclic, Exponential, NormalInit, TrainingTable

Init = str | NormalInit
AnySchedule = Constant | Exponential | Cyclic | Cosine


class Configuration(NamedTuple):
    """The hyperparameters in which lanes differ."""

    l2: float
    learning_rate: float
    momentum: float


@dataclass(frozen=True)
class Plan:
    """Everything that all lanes of one repeat share."""

    seed: int
    repeat: str  # "0" in the search, "1", "2", … in confirm, "final.1", … : names the random generators
    data: DataReference
    architecture: Architecture
    init: Init
    schedule: AnySchedule
    batch_size: int
    n_steps: int
    schedule_epoch_steps: int  # what a schedule counts as an epoch: that of the search's training rows, also in final
    with_velocity: bool
    statistics: Statistics
    with_population: bool = False  # its outcomes bring population moments, whatever `statistics` is

    @property
    def epoch_steps(self) -> int:
        """Whole minibatches in its own training rows: an evaluation falls on the end of each such epoch."""
        return self.data.part.n_train // self.batch_size


def n_steps(training: TrainingTable, n_train: int) -> int:
    """Length of a run in steps; `epochs` are epochs of the n_train rows of the study file."""
    if isinstance(training.schedule, Cyclic):
        return training.schedule.cycles * 2 * training.schedule.half_cycle_steps
    assert training.epochs is not None
    return training.epochs * epoch_steps(training, n_train)


def epoch_steps(training: TrainingTable, n_train: int) -> int:
    """Whole minibatches in the training rows."""
    if n_train < training.batch_size:
        raise StudyFileError(
            f"`training.batch_size` must be at most the number of training rows, but got {training.batch_size} "
            f"for {n_train} rows."
        )
    return n_train // training.batch_size


def shape(plan: Plan) -> schedules.Shape:
    """The schedule as a function of the step."""
    table, per_epoch = plan.schedule, plan.schedule_epoch_steps
    if isinstance(table, Exponential):
        return schedules.exponential(table.decay, per_epoch)
    if isinstance(table, Cyclic):
        return schedules.cyclic(table.low, table.half_cycle_steps)
    if isinstance(table, Cosine):
        return schedules.cosine(plan.n_steps, round(table.warmup_epochs * per_epoch), table.final)
    return schedules.constant()


@lru_cache(maxsize=8)
def build_run(plan: Plan) -> Run:
    """The plan with its data mapped into this process."""
    train, valid = open_rows(plan.data)
    n_train = len(train)
    return Run(
        architecture=plan.architecture,
        shape=shape(plan),
        batch_size=plan.batch_size,
        n_steps=plan.n_steps,
        order=lambda epoch: generator(plan.seed, plan.repeat, "order", epoch).permutation(n_train),
        statistics=plan.statistics,
        train=train,
        valid=valid,
        with_population=plan.with_population,
    )


def start_state(plan: Plan, n_lanes: int, inits: Sequence[Init] = ()) -> State:
    """K lanes before the first step: weights drawn by the name of the repeat, equal where the initialisers are.

    inits: of each lane; none: all have the plan's.
    """

    def drawn(own: Init, n: int) -> Network:
        rng = generator(plan.seed, plan.repeat, "weights")
        return initial_network(plan.architecture, initializer(own), rng, n, np.float32)

    if not inits:
        return start(drawn(plan.init, n_lanes), plan.with_velocity)
    found = {own: drawn(own, 1) for own in inits}
    return start(tree.concatenate([found[own] for own in inits]), plan.with_velocity)


def initializer(name: Init) -> init.Initializer:
    """The initialiser that a study file names."""
    if isinstance(name, NormalInit):
        return init.normal(name.normal)
    return {"he": init.he, "xavier": init.xavier, "zeros": init.zeros}[name]


def settings(configurations: tuple[Configuration, ...]) -> Settings:
    """Configurations as the core's (K, 1, 1) arrays."""
    columns = np.array(configurations, dtype=np.float64).T[:, :, None, None]
    return Settings(*(np.ascontiguousarray(column) for column in columns))
