"""Whole searches with real training, a sanity check of the replays: too few and too noisy to tell methods apart."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.section import Section, Table
from benchmarks.selection.judging import Mean
from bnsearch.search.study_file import bundled

STUDY = "digits"
N_TRIALS = 60  # of the search without a confirm: as many trainings as the chain's
TEXT = f"""`bnsearch run {STUDY}` with one seed after another, each in a folder of its own, beside a search of
{N_TRIALS} scrambled Sobol trials whose best goes to final without a confirm. The test images are 360, the same in every
run, so a mean over runs has their luck in it (about half a point), and only differences between columns mean
anything."""


@dataclass(frozen=True)
class Run:
    """What one seed gave, as fractions."""

    test: float  # mean over final's networks
    low: float  # of the headline interval
    high: float
    flattery: float  # the search's best value
    estimate: float  # the chain's expected accuracy
    own_mean: float  # the winner's, in confirm
    default_tied: bool
    test_without: float  # of the search without a confirm
    flattery_without: float


def section(n_runs: int) -> Section:
    """All runs as one table, and what they say together."""
    runs = [_run(seed) for seed in range(n_runs)]
    rows = [
        ("test accuracy: chain", points(mean([r.test for r in runs]))),
        (f"test accuracy: {N_TRIALS} Sobol trials, no confirm", points(mean([r.test_without for r in runs]))),
        ("chain minus the other", points(mean([r.test - r.test_without for r in runs]), sign=True)),
        ("chain: search's best value minus test", points(mean([r.flattery - r.test for r in runs]), sign=True)),
        ("chain: winner's own mean minus test", points(mean([r.own_mean - r.test for r in runs]), sign=True)),
        ("chain: estimate minus test", points(mean([r.estimate - r.test for r in runs]), sign=True)),
        ("other: best value minus test", points(mean([r.flattery_without - r.test_without for r in runs]), sign=True)),
    ]
    tied = sum(r.default_tied for r in runs)
    caption = f"**{n_runs} real runs of {STUDY}**, in points with standard errors over runs; the default could not be "
    caption += f"told from the winner in {tied}"
    figures = {name: [round(float(getattr(r, name)), 6) for r in runs] for name in Run.__dataclass_fields__}
    return Section("Real searches", TEXT, [Table(("", "points"), rows, caption)], figures)


def mean(values: list[float]) -> Mean:
    """With its standard error."""
    return Mean(float(np.mean(values)), float(np.std(values, ddof=1)) / len(values) ** 0.5 if len(values) > 1 else 0.0)


def points(found: Mean, sign: bool = False) -> str:
    """Of accuracy."""
    return f"{100 * found.value:{'+' if sign else ''}.2f} ± {100 * found.error:.2f}"


def _run(seed: int) -> Run:
    print(f"  seed {seed} ...", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        chain = _bnsearch("run", _study(Path(folder), "chain"), "--seed", str(seed))
        other = _study(Path(folder), "other")
        _bnsearch("coarse", other, "--seed", str(seed), "--trials", str(N_TRIALS), "--set", "coarse.rungs=[]")
        (row,) = _bnsearch("status", other)
        best = row["best"]
        setting = ", ".join(f"{name} = {value!r}" for name, value in best["params"].items())
        alone = _bnsearch("final", other, "--seed", str(seed), "--set", f"final.setting={{ {setting} }}",
                          "--set", "coarse.rungs=[]")  # fmt: skip
    stages = {row["stage"]: row for row in chain["stages"]}
    last = max((name for name in stages if name.startswith("fine")), key=len)
    verdict = stages["confirm"]["verdict"]
    return Run(
        test=chain["test_accuracy"]["mean"],
        low=chain["test_accuracy"]["low"],
        high=chain["test_accuracy"]["high"],
        flattery=max(stages[name]["best"]["value"] for name in ("coarse", last)),
        estimate=verdict["estimate"],
        own_mean=max(f["mean"] for f in verdict["finalists"]),
        default_tied=not verdict["default_separable"],
        test_without=alone["test_accuracy"]["mean"],
        flattery_without=best["value"],
    )


def _study(folder: Path, name: str) -> str:
    file = folder / f"{name}.toml"
    file.write_text(bundled()[STUDY].read_text(encoding="utf-8"), encoding="utf-8")
    return str(file)


def _bnsearch(*arguments: str) -> Any:
    command = [sys.executable, "-m", "bnsearch", *arguments, "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)
