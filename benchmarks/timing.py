"""Time competitors side by side: they alternate on one core, so that a busy machine disturbs all alike."""

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("numpy", "scipy", "optuna", "torch", "jax", "scikit-learn")


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one unit of work."""

    median: float
    minimum: float


def pin(core: int = 0) -> None:
    """Run on one core; several BLAS threads or a move to another core would drown what is compared."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[core]})


def alternate(competitors: dict[str, Callable[[], float]], rounds: int) -> dict[str, Timing]:
    """Call each in turn (A B C A B C …), after one warm-up; a call does work and returns how many units it did."""
    seconds: dict[str, list[float]] = {name: [] for name in competitors}
    for round_ in range(rounds + 1):
        for name, work in competitors.items():
            began = time.perf_counter()
            n_units = work()
            if round_:
                seconds[name].append((time.perf_counter() - began) / n_units)
    return {name: Timing(1e3 * statistics.median(s), 1e3 * min(s)) for name, s in seconds.items()}


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    model = platform.processor() or "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    found = {"processor": model, "cores": str(os.cpu_count()), "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
