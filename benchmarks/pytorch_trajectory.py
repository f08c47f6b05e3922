"""Reference numbers of whole training runs computed with PyTorch in float64: all losses, final parameters and moments.

    python benchmarks/pytorch_trajectory.py           writes tests/core/data/pytorch_trajectory.npz
    python benchmarks/pytorch_trajectory.py --check   computes again and compares with the file

Nothing of bnsearch is used here: derivatives come from autograd, the update from torch.optim.SGD, the schedules from
their closed forms. tests/core/test_pytorch_trajectory.py rebuilds the same inputs from this module (without PyTorch)
and compares. Inputs are made of the raw numbers of a PCG64, a stream that NumPy promises never to change.
"""

import argparse
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

N_INPUTS, N_CLASSES = 12, 5
N_TRAIN, N_VALID, BATCH_SIZE = 70, 30, 20  # three minibatches an epoch; ten rows are left out
N_STEPS = 50  # sixteen epochs and two steps
EPSILON = 1e-7
TARGET = Path(__file__).parents[1] / "tests" / "core" / "data" / "pytorch_trajectory.npz"
LARGEST_DIFFERENCE = 1e-9  # between two computations of the file, relative or absolute


@dataclass(frozen=True)
class Setting:
    """The hyperparameters in which the two networks of a case differ."""

    l2: float
    learning_rate: float
    momentum: float


@dataclass(frozen=True)
class Case:
    """Two networks of one architecture, trained apart on the same minibatches."""

    hidden: tuple[int, ...]
    batch_norm: str  # affine | plain | none
    average: float  # α of the moving moments
    schedule: str
    options: dict[str, Any]  # of the schedule
    settings: tuple[Setting, Setting]
    seed: int

    @property
    def widths(self) -> tuple[int, ...]:
        """Units from the inputs to the classes."""
        return (N_INPUTS, *self.hidden, N_CLASSES)


CASES = {
    "affine_cyclic": Case(
        (8, 6),
        "affine",
        0.9,
        "cyclic",
        {"low": 1e-3, "half_cycle_steps": 12},
        (Setting(0.005, 0.2, 0.0), Setting(0.05, 0.03, 0.0)),
        seed=1,
    ),
    "plain_exponential_momentum": Case(
        (8, 6),
        "plain",
        0.99,
        "exponential",
        {"decay": 0.95, "steps_per_epoch": N_TRAIN // BATCH_SIZE},
        (Setting(0.003, 0.05, 0.8), Setting(0.0, 0.1, 0.0)),
        seed=2,
    ),
    "nine_layers_cosine_momentum": Case(
        (10, 8, 8, 6, 6, 6, 6, 5),
        "affine",
        0.9,
        "cosine",
        {"n_steps": N_STEPS, "warmup_steps": 5, "final": 0.01},
        (Setting(0.001, 0.05, 0.9), Setting(0.01, 0.1, 0.5)),
        seed=3,
    ),
    "no_norm_constant": Case(
        (8, 6),
        "none",
        0.9,
        "constant",
        {},
        (Setting(0.01, 0.1, 0.0), Setting(0.0, 0.05, 0.9)),
        seed=4,
    ),
}


def uniform(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers in [0, 1), 53 bits each."""
    raw = np.random.PCG64(seed).random_raw(math.prod(shape))
    return ((raw >> np.uint64(11)) * 2.0**-53).reshape(shape)


def part(seed: int, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (n_rows, N_INPUTS), uncentred, and labels (n_rows,)."""
    labels = (uniform(seed + 1, (n_rows,)) * N_CLASSES).astype(np.int64)
    return 2.0 * uniform(seed, (n_rows, N_INPUTS)) + 0.2 * labels[:, None], labels


def train_part(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """The training rows of a case."""
    return part(1000 * case.seed, N_TRAIN)


def valid_part(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """The validation rows of a case."""
    return part(1000 * case.seed + 10, N_VALID)


def order(case: Case, epoch: int) -> np.ndarray:
    """A permutation of the training rows."""
    return np.argsort(uniform(1000 * case.seed + 100 + epoch, (N_TRAIN,)), kind="stable")


def initial_weights(case: Case) -> list[np.ndarray]:
    """Uniform weights of variance 2/fan_in, (fan_in, fan_out) each; the same for both networks."""
    fans = zip(case.widths, case.widths[1:], strict=False)
    return [
        (2.0 * uniform(1000 * case.seed + 500 + i, (m, n)) - 1.0) * math.sqrt(6.0 / m) for i, (m, n) in enumerate(fans)
    ]


def shape(case: Case, step: int) -> float:
    """Learning rate at a step as a share of the largest."""
    options = case.options
    match case.schedule:
        case "constant":
            return 1.0
        case "exponential":
            return math.pow(options["decay"], step // options["steps_per_epoch"])
        case "cyclic":
            half, low = options["half_cycle_steps"], options["low"]
            t = step % (2 * half)
            return low + (1.0 - low) * (t if t <= half else 2 * half - t) / half
        case "cosine":
            warmup, final = options["warmup_steps"], options["final"]
            if step < warmup:
                return (step + 1) / warmup
            angle = math.pi * (step - warmup) / (options["n_steps"] - warmup)
            return final + (1.0 - final) * (1.0 + math.cos(angle)) / 2.0
    raise ValueError(f"The schedule must be a known one, but got {case.schedule!r}.")


def trajectory(case: Case, setting: Setting) -> dict[str, np.ndarray]:
    """Train one network; arrays by the names of bnsearch's State, with a unit axis for the batch in vectors."""
    import torch
    from torch.nn import functional

    def tensor(values: Any) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float64, requires_grad=True)

    weights = [tensor(W) for W in initial_weights(case)]
    biases = [tensor(np.zeros((1, n))) for n in case.widths[1:]]
    affine = case.batch_norm == "affine"
    gammas = [tensor(np.ones(n)) if affine else None for n in case.hidden]
    betas = [tensor(np.zeros(n)) if affine else None for n in case.hidden]
    moving: list[tuple[torch.Tensor, torch.Tensor]] = []

    def forward(x: torch.Tensor, fixed: list[tuple[torch.Tensor, torch.Tensor]] | None = None) -> tuple[Any, list[Any]]:
        batch = []
        for i, (gamma, beta) in enumerate(zip(gammas, betas, strict=True)):
            z = x @ weights[i] + biases[i]
            if case.batch_norm != "none":
                batch.append((z.detach().mean(0), z.detach().var(0, correction=0)))
                mean, var = fixed[i] if fixed else (None, None)
                z = functional.batch_norm(z, mean, var, gamma, beta, training=fixed is None, eps=EPSILON)
            x = torch.relu(z)
        return x @ weights[-1] + biases[-1], batch

    # torch.optim.SGD computes v <- ρ v + g, θ <- θ - η v. With η in front of g instead, and a rate of 1, it computes
    # what is wanted also where η changes from step to step: v <- ρ v + η g, θ <- θ - v.
    parameters = [p for p in (*weights, *biases, *gammas, *betas) if p is not None]
    optimizer = torch.optim.SGD(parameters, lr=1.0, momentum=setting.momentum)
    x_train, labels_train = (torch.from_numpy(values) for values in train_part(case))
    per_epoch, losses = N_TRAIN // BATCH_SIZE, []
    for step in range(N_STEPS):
        epoch, i = divmod(step, per_epoch)
        rows = torch.from_numpy(order(case, epoch)[i * BATCH_SIZE : (i + 1) * BATCH_SIZE])
        logits, batch = forward(x_train[rows])
        loss = functional.cross_entropy(logits, labels_train[rows])
        cost = loss + setting.l2 * torch.stack([(W * W).sum() for W in weights]).sum()
        optimizer.zero_grad()
        cost.backward()
        for p in parameters:
            p.grad.mul_(setting.learning_rate * shape(case, step))
        optimizer.step()
        alpha = case.average if step else 0.0
        previous = moving or batch
        moving = [
            (alpha * m + (1.0 - alpha) * mean, alpha * v + (1.0 - alpha) * var)
            for (m, v), (mean, var) in zip(previous, batch, strict=True)
        ]
        losses.append(loss.item())

    x_valid, labels_valid = (torch.from_numpy(values) for values in valid_part(case))
    valid_loss = functional.cross_entropy(forward(x_valid, moving)[0], labels_valid)
    found: dict[str, np.ndarray] = {"losses": np.array(losses), "valid_loss": np.array(valid_loss.item())}
    for i, (W, b) in enumerate(zip(weights, biases, strict=True)):
        found |= {f"network.dense.{i}.W": W.detach().numpy(), f"network.dense.{i}.b": b.detach().numpy()}
    for i, (gamma, beta) in enumerate(zip(gammas, betas, strict=True)):
        if gamma is not None and beta is not None:
            found[f"network.norms.{i}.gamma"] = gamma.detach().numpy()[None]
            found[f"network.norms.{i}.beta"] = beta.detach().numpy()[None]
    for i, (mean, var) in enumerate(moving):
        found |= {f"moments.{i}.mean": mean.numpy()[None], f"moments.{i}.var": var.numpy()[None]}
    return found


def compute() -> dict[str, np.ndarray]:
    """All cases, the two networks of a case stacked on a leading axis."""
    found = {}
    for name, case in CASES.items():
        lanes = [trajectory(case, setting) for setting in case.settings]
        found |= {f"{name}.{key}": np.stack([lane[key] for lane in lanes]) for key in lanes[0]}
    return found


def main() -> None:
    """Write the file, or compare with it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the file instead of writing it")
    check = parser.parse_args().check
    found = compute()
    if not check:
        np.savez_compressed(TARGET, **found)
        print(f"{TARGET.name}: {len(found)} arrays, {TARGET.stat().st_size / 1000:.1f} kB")
        return
    with np.load(TARGET) as stored:
        if set(stored) != set(found):
            raise SystemExit("The file's names must be those computed; write it anew.")
        worst = max((np.abs(stored[key] - found[key]) / np.maximum(np.abs(found[key]), 1.0)).max() for key in found)
    print(f"Largest difference from {TARGET.name}: {worst:.1e}")
    if worst > LARGEST_DIFFERENCE:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
