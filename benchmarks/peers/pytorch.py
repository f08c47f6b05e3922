"""PyTorch's step, one network at a time, written as its tutorials do."""

import itertools
from typing import Literal

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.problem import AVERAGE, BATCH, EPSILON, L2, LEARNING_RATE, Array, Data, Problem


class Torch:
    """Implements `Trainer`; batches by index slices, or from a DataLoader as in most examples."""

    n_lanes = 1

    def __init__(
        self, problem: Problem, data: Data, batches: Literal["slices", "loader"] = "slices", compiled: bool = False
    ):
        torch.set_num_threads(1)
        layers: list[nn.Module] = []
        for a, b in itertools.pairwise(problem.widths[:-1]):
            layers += [nn.Linear(a, b), nn.BatchNorm1d(b, eps=EPSILON, momentum=1 - AVERAGE), nn.ReLU()]
        network = nn.Sequential(*layers, nn.Linear(*problem.widths[-2:]))
        self.linear = [layer for layer in network if isinstance(layer, nn.Linear)]
        with torch.no_grad():
            for layer, W in zip(self.linear, problem.weights(), strict=True):
                layer.weight.copy_(torch.from_numpy(W))
                layer.bias.zero_()
        weights = [layer.weight for layer in self.linear]
        others = [p for p in network.parameters() if not any(p is W for W in weights)]
        # the derivative of λ Σ‖W‖² is 2λW
        groups = [{"params": weights, "weight_decay": 2 * L2}, {"params": others}]
        self.optimizer = torch.optim.SGD(groups, lr=LEARNING_RATE, momentum=problem.momentum)
        self.network = torch.compile(network) if compiled else network
        self.loss = nn.CrossEntropyLoss()
        self.data, self.step = data, 0
        self.X, self.y = torch.from_numpy(data.X), torch.from_numpy(data.y)
        self.order = torch.from_numpy(data.order)
        self.loader = None
        if batches == "loader":
            self.loader = DataLoader(TensorDataset(self.X, self.y), batch_size=BATCH, sampler=data.order.tolist())

    def train(self, n_steps: int) -> None:
        """From the first minibatch on where there is a DataLoader."""
        batches = self._slices(n_steps) if self.loader is None else self._loaded(n_steps)
        for x, labels in batches:
            self.optimizer.zero_grad()
            self.loss(self.network(x), labels).backward()
            self.optimizer.step()

    def weights(self) -> list[Array]:
        """As they are."""
        return [layer.weight.detach().numpy() for layer in self.linear]

    def _slices(self, n_steps: int):
        n_batches = len(self.y) // BATCH
        for step in range(self.step, self.step + n_steps):
            i = step % n_batches
            rows = self.order[i * BATCH : (i + 1) * BATCH]
            yield self.X[rows], self.y[rows]
        self.step += n_steps

    def _loaded(self, n_steps: int):
        while n_steps > 0:
            for batch in itertools.islice(self.loader, n_steps):
                yield batch
                n_steps -= 1
