"""Whole training runs agree with PyTorch's, of which benchmarks/pytorch_trajectory.py wrote down the numbers."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import pytorch_trajectory as reference
from bnsearch.core import schedules, tree
from bnsearch.core.evaluate import measure
from bnsearch.core.network import Architecture, initial_network
from bnsearch.core.run import Run, State, start
from bnsearch.core.train import Record, advance
from tests.core.helpers import ArrayRows, make_settings

NUMBERS = Path(__file__).parent / "data" / "pytorch_trajectory.npz"
TOLERANCE = 1e-9


@pytest.mark.parametrize("name", reference.CASES)
def test_losses_parameters_and_moments_of_fifty_steps_agree_with_pytorch(name: str) -> None:
    case = reference.CASES[name]
    settings = make_settings(
        [s.l2 for s in case.settings],
        [s.learning_rate for s in case.settings],
        [s.momentum for s in case.settings],
    )
    run = Run(
        architecture=Architecture(
            reference.N_INPUTS,
            case.hidden,
            reference.N_CLASSES,
            batch_norm=case.batch_norm,
            bn_epsilon=reference.EPSILON,
            bn_average=case.average,
        ),
        shape=getattr(schedules, case.schedule)(**case.options),
        batch_size=reference.BATCH_SIZE,
        n_steps=reference.N_STEPS,
        order=lambda epoch: reference.order(case, epoch),
        statistics="moving",
        train=ArrayRows(*reference.train_part(case)),
        valid=ArrayRows(*reference.valid_part(case)),
    )
    weights = (W.T for W in reference.initial_weights(case))  # the reference has samples in rows
    network = initial_network(run.architecture, lambda *_: next(weights), np.random.default_rng(), 2, np.float64)
    state = start(network, with_velocity=any(s.momentum for s in case.settings))

    losses = []
    for step in range(reference.N_STEPS):
        before = state.loss_sum
        state, records = advance(state, settings, run, step + 1)
        losses.append((loss_sum_of_epoch(state, records, run) - before) / run.batch_size)

    with np.load(NUMBERS) as stored:
        expected = {key.removeprefix(f"{name}."): stored[key] for key in stored if key.startswith(f"{name}.")}
    found = {path: leaf.mT for path, leaf in tree.leaves(state) if path.startswith(("network", "moments"))}
    found |= {"losses": np.transpose(losses), "valid_loss": measure(state, settings, run).valid_loss}
    assert found.keys() == expected.keys()
    for path in expected:
        np.testing.assert_allclose(found[path], expected[path], rtol=TOLERANCE, atol=TOLERANCE, err_msg=path)


def loss_sum_of_epoch(state: State, records: list[Record], run: Run) -> np.ndarray:
    """Σ loss since the epoch's start, (K,): in the state, or at the epoch's end in the record."""
    if not records:
        return state.loss_sum
    n_batches = state.step - (records[0].epoch - 1) * run.steps_per_epoch
    return records[0].train_loss * n_batches * run.batch_size
