"""Train a table: every setting with every seed, many lanes at once; each seed's part is a file of its own."""

import sys
from collections.abc import Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from benchmarks.selection.specs import N_SETTINGS, RUNGS, Spec
from bnsearch.core import evaluate, train
from bnsearch.core.network import Architecture
from bnsearch.data.load import load
from bnsearch.data.part import Part
from bnsearch.data.prepare import Recipe, prepare, write_source
from bnsearch.search.executor import local_executor
from bnsearch.search.materials import cache_folder
from bnsearch.search.plan import Configuration, Plan, build_run, settings, start_state

N_LANES = 16  # trained at once
SPACE_SEED = 20


@dataclass(frozen=True)
class Piece:
    """What one worker found for some settings and one seed."""

    first: int  # setting
    seed: int
    bits: NDArray[np.uint8]  # (K, rungs, n_others/8), packed
    loss: NDArray[np.float64]  # (K, rungs)


class NoRows:
    """No validation while training; implements `bnsearch.core.run.Rows`."""

    def __len__(self) -> int:
        return 0

    def batch(self, rows: object) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Never asked for."""
        raise NotImplementedError


def folder(spec: Spec) -> Path:
    """Where a table lies, outside the repository."""
    return cache_folder() / "selection" / spec.name


def sobol(spec: Spec, n: int = N_SETTINGS) -> NDArray[np.float64]:
    """Scrambled Sobol points over log λ and log η, (n, 2)."""
    points = qmc.Sobol(len(spec.space), scramble=True, seed=SPACE_SEED).random(n)
    ends = np.log10([(range_.low, range_.high) for range_ in spec.space.values()])
    return 10.0 ** (ends[:, 0] + points * (ends[:, 1] - ends[:, 0]))


def make(spec: Spec, seeds: Sequence[int], n_workers: int = 2, data_dir: Path | None = None) -> None:
    """Train what is missing of a table."""
    missing = [seed for seed in seeds if not (folder(spec) / f"seed-{seed}.npz").exists()]
    if not missing:
        return
    plan, points = base_plan(spec, data_dir), sobol(spec)
    configurations = [Configuration(float(l2), float(rate), spec.momentum) for l2, rate in points]
    folder(spec).mkdir(parents=True, exist_ok=True)
    with local_executor(n_workers) as executor:
        for seed in missing:
            of_seed = replace(plan, repeat=f"table.{seed}")
            starts = range(0, len(configurations), N_LANES)
            futures = [
                executor.submit(train_piece, of_seed, tuple(configurations[i : i + N_LANES]), i, seed) for i in starts
            ]
            pieces = sorted((future.result() for future in as_completed(futures)), key=lambda piece: piece.first)
            np.savez(
                folder(spec) / f"seed-{seed}.npz",
                settings=points,
                bits=np.concatenate([piece.bits for piece in pieces]),
                loss=np.concatenate([piece.loss for piece in pieces]),
            )
            print(f"{spec.name}: seed {seed} is trained", file=sys.stderr, flush=True)


def base_plan(spec: Spec, data_dir: Path | None) -> Plan:
    """What all networks of a table share."""
    dataset, cache = load(spec.source, data_dir=data_dir), cache_folder()
    part = Part(spec.train, spec.others)
    recipe = Recipe(write_source(dataset, cache), part, spec.standardize, spec.components, part)
    data = prepare(recipe, cache)
    return Plan(
        seed=0,
        repeat="",
        data=data,
        architecture=Architecture(data.n_inputs, spec.hidden, data.n_classes, init_fan_in=data.n_dimensions),
        init="he",
        schedule=spec.schedule,
        batch_size=spec.batch_size,
        n_steps=spec.n_steps,
        schedule_epoch_steps=(spec.train[1] - spec.train[0]) // spec.batch_size,
        with_velocity=spec.momentum > 0,
        statistics="moving",
    )


def train_piece(plan: Plan, configurations: tuple[Configuration, ...], first: int, seed: int) -> Piece:
    """Train some settings with one seed and measure them at each rung on all rows that they were not trained on."""
    run, lanes = build_run(plan), settings(configurations)
    without_validation = replace(run, valid=NoRows())
    state = start_state(plan, len(configurations))
    bits, losses = [], []
    for share in RUNGS:
        state, _ = train.advance(state, lanes, without_validation, round(share * plan.n_steps))
        with np.errstate(all="ignore"):
            found = evaluate.evaluate(state, lanes, run.valid, evaluate.evaluation_moments(state, run))
        bits.append(np.packbits(found.correct, axis=-1))
        losses.append(found.loss)
    return Piece(first, seed, np.stack(bits, axis=1), np.stack(losses, axis=1))
