"""N19's protocol as a plain Optuna and PyTorch script, in the way of their documentation; it prints its result as JSON.

Two processes share an SQLite storage and call `study.optimize`; each has one thread, and takes batches by index slices.
The data are float32 .npy files, standardised beforehand. Nothing of bnsearch is used here.
"""

import argparse
import json
import multiprocessing
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import optuna
import torch
from torch import nn

BATCH, LEARNING_RATE, LOWEST, N_TRIALS, N_PROCESSES = 100, 0.1, 1e-5, 10, 2
RANGES = {"coarse": (1e-5, 1e-1), "fine": (1e-3, 1e-2)}


@dataclass(frozen=True)
class Script:
    """What the command line says."""

    folder: str
    storage: str
    half_cycle_steps: int

    def part(self, name: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs, memory-mapped, and labels of train, valid or test."""
        X = np.load(f"{self.folder}/X_{name}.npy", mmap_mode="c")
        return torch.from_numpy(X), torch.from_numpy(np.load(f"{self.folder}/y_{name}.npy"))


def make_network() -> nn.Sequential:
    """3072-50-50-10 with batch normalisation, He's initial weights."""
    network = nn.Sequential(
        nn.Linear(3072, 50), nn.BatchNorm1d(50), nn.ReLU(), nn.Linear(50, 50), nn.BatchNorm1d(50), nn.ReLU(),
        nn.Linear(50, 10),
    )  # fmt: skip
    for layer in network:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return network


@torch.no_grad()
def accuracy(network: nn.Module, X: torch.Tensor, y: torch.Tensor) -> float:
    """Share of the rows that are classified right."""
    network.eval()
    right = (network(X).argmax(dim=1) == y).float().mean().item()
    network.train()
    return right


def train(script: Script, l2: float, cycles: int, trial: optuna.Trial | None = None) -> tuple[nn.Module, float]:
    """A network trained with a cyclic learning rate, and its last validation accuracy; reported after each epoch."""
    (X, y), valid = script.part("train"), script.part("valid")
    network = make_network()
    weights = [p for p in network.parameters() if p.ndim == 2]
    others = [p for p in network.parameters() if p.ndim < 2]
    groups = [{"params": weights, "weight_decay": 2 * l2}, {"params": others}]
    optimizer = torch.optim.SGD(groups, lr=LEARNING_RATE)
    scheduler = torch.optim.lr_scheduler.CyclicLR(
        optimizer, LOWEST, LEARNING_RATE, step_size_up=script.half_cycle_steps, cycle_momentum=False
    )
    loss = nn.CrossEntropyLoss()
    n_batches, n_steps = len(y) // BATCH, 2 * cycles * script.half_cycle_steps
    for step in range(n_steps):
        epoch, i = divmod(step, n_batches)
        if i == 0:
            order = torch.randperm(len(y))
        rows = order[i * BATCH : (i + 1) * BATCH]
        optimizer.zero_grad()
        loss(network(X[rows]), y[rows]).backward()
        optimizer.step()
        scheduler.step()
        if i + 1 == n_batches or step + 1 == n_steps:
            value = accuracy(network, *valid)
            if trial is not None:
                trial.report(value, epoch)
    return network, value


def search(script: Script, process: int) -> None:
    """A process's half of the trials of both stages; fine's range is known beforehand, so nobody waits for anybody."""
    torch.set_num_threads(1)
    torch.manual_seed(process)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    for stage, (low, high) in RANGES.items():

        def objective(trial: optuna.Trial, low: float = low, high: float = high) -> float:
            return train(script, trial.suggest_float("l2", low, high, log=True), cycles=2, trial=trial)[1]

        sampler = optuna.samplers.RandomSampler(seed=process)
        study = optuna.load_study(study_name=stage, storage=script.storage, sampler=sampler)
        study.optimize(objective, n_trials=N_TRIALS // N_PROCESSES)


def main() -> None:
    """Search, train the best of fine for longer, look at the test set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="with X_train.npy, y_train.npy and so on")
    parser.add_argument("storage", help="URL of an SQLite database")
    parser.add_argument("--half-cycle-steps", type=int, default=2250)
    arguments = parser.parse_args()
    script = Script(str(arguments.folder), arguments.storage, arguments.half_cycle_steps)
    began = time.perf_counter()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    studies = [optuna.create_study(study_name=s, storage=script.storage, direction="maximize") for s in RANGES]
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=search, args=(script, i)) for i in range(N_PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    searched = time.perf_counter()
    torch.set_num_threads(1)
    best = studies[-1].best_trial
    network, _ = train(script, best.params["l2"], cycles=3)
    seconds = {"search": searched - began, "final": time.perf_counter() - searched}
    test = accuracy(network, *script.part("test"))
    print(json.dumps({"seconds": seconds, "l2": best.params["l2"], "valid": best.value, "test": [test]}))


if __name__ == "__main__":
    main()
