"""One training step of 3072-50-50-10 with batch normalisation, batch 100: bnsearch with K lanes against PyTorch."""

import itertools
from collections.abc import Callable

import numpy as np

from benchmarks.timing import Timing, alternate
from bnsearch.core import init, schedules, train
from bnsearch.core.network import Architecture, initial_network
from bnsearch.core.optim import Settings

N_ROWS, BATCH, WIDTHS = 20_000, 100, (3072, 50, 50, 10)
STEPS = 100  # less than an epoch: no evaluation among them
# products only: forward and weight gradient of each layer, input gradient of all but the first; 2 FLOP a multiply-add
FLOP = 2 * BATCH * sum((2 if i == 0 else 3) * a * b for i, (a, b) in enumerate(itertools.pairwise(WIDTHS)))


class Data:
    """Random rows; implements `bnsearch.core.train.Rows`."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.X = rng.standard_normal((N_ROWS, WIDTHS[0]), dtype=np.float32)
        self.x = np.empty((BATCH, WIDTHS[0]), np.float32)
        self.y = rng.integers(0, WIDTHS[-1], N_ROWS)

    def __len__(self) -> int:
        return N_ROWS

    def batch(self, rows):
        """Rows of X and y."""
        if isinstance(rows, slice):
            return self.X[rows], self.y[rows]
        return np.take(self.X, rows, axis=0, out=self.x, mode="clip"), self.y[rows]


def stacked(data: Data, n_lanes: int) -> Callable[[], float]:
    """STEPS steps of K lanes; the unit is one lane's step."""
    architecture = Architecture(WIDTHS[0], WIDTHS[1:-1], WIDTHS[-1])
    network = initial_network(architecture, init.he, np.random.default_rng(1), n_lanes, np.float32)
    order = np.random.default_rng(2).permutation(N_ROWS)
    run = train.Run(architecture, schedules.constant(), BATCH, 10**9, lambda epoch: order, "moving", data, data)
    column = np.ones((n_lanes, 1, 1))
    settings = Settings(0.005 * column, 0.01 * column, 0.0 * column)
    state = train.start(network, with_velocity=False)

    def work() -> float:
        train.advance(state, settings, run, STEPS)
        return STEPS * n_lanes

    return work


def torch_eager(data: Data) -> Callable[[], float]:
    """The same with PyTorch as its tutorials write it, one network, batches taken by index slices."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    X, y = torch.from_numpy(data.X), torch.from_numpy(data.y)
    layers: list[nn.Module] = []
    for a, b in itertools.pairwise(WIDTHS[:-1]):
        layers += [nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU()]
    network = nn.Sequential(*layers, nn.Linear(WIDTHS[-2], WIDTHS[-1]))
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01, weight_decay=0.01)
    loss = nn.CrossEntropyLoss()
    order = torch.from_numpy(np.random.default_rng(2).permutation(N_ROWS))

    def work() -> float:
        for step in range(STEPS):
            rows = order[step * BATCH : (step + 1) * BATCH]
            optimiser.zero_grad()
            loss(network(X[rows]), y[rows]).backward()
            optimiser.step()
        return STEPS

    return work


def peak() -> Callable[[], float]:
    """Square float32 products of this run's BLAS; the unit is as much arithmetic as one lane's step."""
    a = np.ones((1024, 1024), dtype=np.float32)
    out = np.empty_like(a)

    def work() -> float:
        for _ in range(4):
            np.matmul(a, a, out=out)
        return 4 * 2 * 1024**3 / FLOP

    return work


def measure(rounds: int) -> dict[str, Timing]:
    """Milliseconds of one network's step."""
    data = Data()
    lanes = {f"bnsearch, K = {k}": stacked(data, k) for k in (1, 4, 8, 20, 40)}
    competitors = {"sgemm peak": peak(), "PyTorch eager": torch_eager(data), **lanes}
    return alternate(competitors, rounds)
