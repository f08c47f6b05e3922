"""N19's whole protocol: bnsearch's commands beside a plain Optuna and PyTorch script, both on two cores."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks import protocol
from benchmarks.section import Options, Section, Table
from bnsearch.data.load import load
from bnsearch.data.test_set import open_test_set

TEXT = """Whole commands on CIFAR-10 with two processes of one BLAS thread each, from start to exit, data already
prepared: 10 coarse λ in [1e-5, 1e-1] and 10 fine in [1e-3, 1e-2], 2 cycles each, then the best of fine trained for 3
cycles on the same 45,000 rows and tested once. bnsearch: `coarse`, `fine`, `final` with fine's best as
`final.setting`; the script: two processes with `study.optimize` on a shared SQLite storage, full input, index slices.
Two things differ, both at bnsearch's cost: its final trains at least 2 networks (one on each core), the script's 1; it
starts afresh for each stage, while the script's processes go from coarse to fine without waiting for each other.
bnsearch begins coarse with the study file's own setting; all other λ are random draws of each side's own."""
SCRIPT = "Optuna + PyTorch script"
Result = dict[str, Any]


def measure(options: Options) -> Section:
    """In turn: the script, bnsearch on all inputs, bnsearch on components."""
    half_cycle_steps = protocol.HALF_CYCLE_STEPS // (10 if options.quick else 1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cache, arrays = folder / "cache", folder / "arrays"
        preparations: dict[str, Callable[[], None]] = {SCRIPT: partial(write_arrays, options.data_dir, arrays)}
        runs: dict[str, Callable[[Path], Result]] = {SCRIPT: partial(run_script, arrays, half_cycle_steps)}
        for variant, components in (("bnsearch", None), ("bnsearch, components 0.99", protocol.COMPONENTS)):
            study = protocol.protocol(folder / "preparation", half_cycle_steps, components).study()
            preparations[variant] = partial(protocol.prepare, study, cache / variant, options.data_dir)
            runs[variant] = partial(run_bnsearch, options, cache / variant, half_cycle_steps, components)
        prepared = {variant: seconds(prepare) for variant, prepare in preparations.items()}
        found: dict[str, list[Result]] = {variant: [] for variant in runs}
        for round_ in range(options.rounds(2)):
            for variant in list(runs)[:: -1 if round_ % 2 else 1]:
                print(f"  {variant} ...", file=sys.stderr)
                found[variant].append(runs[variant](folder / f"{variant} {round_}"))
    return report(found, prepared, f"Half cycles of {half_cycle_steps} steps; {options.rounds(2)} round(s)")


def run_script(arrays: Path, half_cycle_steps: int, folder: Path) -> Result:
    """The script in a process of its own."""
    folder.mkdir()
    script = Path(__file__).parent / "peers" / "optuna_script.py"
    command = [sys.executable, str(script), str(arrays), f"sqlite:///{folder / 'study.db'}"]
    began = time.perf_counter()
    result = json.loads(output([*command, "--half-cycle-steps", str(half_cycle_steps)]))
    return result | {"total_seconds": time.perf_counter() - began}


def run_bnsearch(
    options: Options, cache: Path, half_cycle_steps: int, components: float | None, folder: Path
) -> Result:
    """The three commands one after another."""
    own = protocol.protocol(folder, half_cycle_steps, components)
    common = [str(own.file), "--json", "--workers", str(protocol.N_WORKERS), *own.options()]
    if options.data_dir is not None:
        common += ["--data-dir", str(options.data_dir.resolve())]
    taken: dict[str, float] = {}

    def run(stage: str, *more: str) -> Result:
        began = time.perf_counter()
        text = output([sys.executable, "-m", "bnsearch", stage, *common, *more], BNSEARCH_CACHE=str(cache))
        taken[stage] = time.perf_counter() - began
        return json.loads(text)

    run("coarse")
    best = run("fine")["best"]
    answer = run("final", "--set", f"final.setting.l2={best['params']['l2']!r}")
    return {
        "seconds": taken | {"search": taken["coarse"] + taken["fine"]},
        "total_seconds": taken["coarse"] + taken["fine"] + taken["final"],
        "l2": best["params"]["l2"],
        "valid": best["value"],
        "test": answer["test_accuracy"]["per_seed"],
    }


class Unrecorded:
    """No ledger: the script's look is not of a study's."""

    def record_look(self, fingerprint: str, purpose: str) -> int:
        """The first."""
        return 1

    def refuse_look(self, fingerprint: str, reason: str) -> None:
        """Nothing."""


def write_arrays(data_dir: Path | None, folder: Path) -> None:
    """What the script reads: standardised per dimension by the training rows, float32."""
    dataset = load("cifar10", data_dir=data_dir)
    test = open_test_set(dataset, "benchmark", Unrecorded())
    folder.mkdir()
    mean, std = dataset.X[:45_000].mean(axis=0), dataset.X[:45_000].std(axis=0)
    parts = {"train": (dataset.X[:45_000], dataset.y[:45_000]), "valid": (dataset.X[45_000:], dataset.y[45_000:])}
    for name, (X, y) in (parts | {"test": (test.X, test.y)}).items():
        np.save(folder / f"X_{name}.npy", ((X - mean) / std).astype(np.float32))
        np.save(folder / f"y_{name}.npy", y)


def seconds(work: Callable[[], None]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def output(command: list[str], **environment: str) -> str:
    """What a command prints; its own complaint where it fails."""
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} must succeed, but: {done.stderr.strip()[-2000:]}")
    return done.stdout


def report(found: dict[str, list[Result]], prepared: dict[str, float], caption: str) -> Section:
    """Medians and minima over the runs, every test accuracy."""
    script = median(run["total_seconds"] for run in found[SCRIPT])
    rows, figures = [], {}
    for variant, runs in found.items():
        totals = [run["total_seconds"] for run in runs]
        search, final = (median(run["seconds"][part] for run in runs) for part in ("search", "final"))
        accuracies = ", ".join(f"{100 * a:.2f}" for run in runs for a in run["test"])
        times = [f"{value:.1f}" for value in (median(totals), min(totals), search, final)]
        ratio = f"{script / median(totals):.2f}"
        rows.append((variant, *times, ratio, f"{prepared[variant]:.1f}", accuracies))
        figures[variant] = {"runs": runs, "preparation_seconds": prepared[variant]}
    header = ("seconds", "median", "minimum", "search", "final", "script / this", "preparation", "test accuracy %")
    return Section("Whole search", TEXT, [Table(header, rows, caption)], figures)
