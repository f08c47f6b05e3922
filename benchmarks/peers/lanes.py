"""bnsearch's step: K lanes on the rows that its workers read (images as bytes, or components)."""

import numpy as np

from benchmarks.problem import AVERAGE, BATCH, EPSILON, L2, LEARNING_RATE, Array, Data, Problem
from bnsearch.core import init, run, schedules, train, tree
from bnsearch.core.network import Architecture, initial_network
from bnsearch.core.optim import Settings
from bnsearch.data.prepare import PartRows


class Lanes:
    """Implements `Trainer`."""

    def __init__(self, problem: Problem, data: Data, n_lanes: int):
        self.n_lanes = n_lanes
        widths = problem.widths
        architecture = Architecture(widths[0], widths[1:-1], widths[-1], bn_epsilon=EPSILON, bn_average=AVERAGE)
        network = initial_network(architecture, init.zeros, np.random.default_rng(0), n_lanes, np.float32)
        weights = {f"dense.{i}.W": np.repeat(W[None], n_lanes, axis=0) for i, W in enumerate(problem.weights())}
        network = tree.with_leaves(network, dict(tree.leaves(network)) | weights)
        ready = data.raw is None
        X = data.X if data.raw is None else data.raw
        rows = PartRows(X, data.y, np.arange(len(X)), None if ready else data.transform)
        nothing = PartRows(X, data.y, np.arange(0), None if ready else data.transform)
        shape = schedules.constant()
        # without validation rows an epoch's end costs next to nothing
        order = data.order
        self.run = run.Run(architecture, shape, BATCH, 10**9, lambda epoch: order, "moving", rows, nothing)
        column = np.ones((n_lanes, 1, 1))
        self.settings = Settings(L2 * column, LEARNING_RATE * column, problem.momentum * column)
        self.state = run.start(network, with_velocity=problem.momentum > 0)

    def train(self, n_steps: int) -> None:
        """One call of `advance`."""
        self.state, _ = train.advance(self.state, self.settings, self.run, self.state.step + n_steps)

    def weights(self) -> list[Array]:
        """Of the last lane."""
        return [dense.W[-1] for dense in self.state.network.dense]
