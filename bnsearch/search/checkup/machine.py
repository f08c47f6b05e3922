"""The machine: Python and what it computes with, cores, memory, the cache."""

import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from bnsearch.search.checkup.line import Line, size
from bnsearch.search.executor import available_cores
from bnsearch.search.materials import cache_folder
from bnsearch.search.threads import one_blas_thread

PACKAGES = ("numpy", "scipy", "optuna", "sqlalchemy", "safetensors", "pandas", "pyarrow")
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
USED = ("/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory/memory.usage_in_bytes")


def python() -> Iterator[Line]:
    """Python, its SQLite, and the packages that decide numbers and formats."""
    found = f"{platform.python_version()} in {sys.prefix}, SQLite {sqlite3.sqlite_version}"
    yield Line("Python", "ok", found)
    yield Line("Packages", "ok", ", ".join(f"{name} {version(name)}" for name in ("bnsearch", *PACKAGES)))


def blas() -> Iterator[Line]:
    """The BLAS libraries with their threads, and whether they obey a limit to one."""
    from threadpoolctl import threadpool_info

    def threads() -> list[int]:
        return [int(library["num_threads"]) for library in threadpool_info() if library["user_api"] == "blas"]

    with one_blas_thread():  # loads what will be used
        limited = threads()
    kinds = sorted(
        f"{library['internal_api']} {library['version']} {library.get('architecture', '')} ({library['num_threads']})"
        for library in threadpool_info()
        if library["user_api"] == "blas"
    )
    yield Line("BLAS", "ok", f"with threads here, 1 in each worker: {', '.join(kinds) or 'unknown'}")
    if not limited:
        remedy = "install NumPy and SciPy from wheels, or set OMP_NUM_THREADS=1"
        yield Line("BLAS", "warn", "none that tells its number of threads, so more than one may be used", remedy)
    elif set(limited) != {1}:
        remedy = "set OPENBLAS_NUM_THREADS=1 and OMP_NUM_THREADS=1"
        yield Line("BLAS", "fail", f"it uses {max(limited)} threads where one was asked for", remedy)


def cores() -> Iterator[Line]:
    """Cores, and whether others use them."""
    n, load = available_cores(), os.getloadavg()[0]
    found = f"{n} for this process; {load:.1f} in use over the last minute"
    if load > n:
        yield Line("Cores", "warn", found, "expect longer times, of the same numbers; `--workers` lowers the share")
    else:
        yield Line("Cores", "ok", found)


def memory(n_bytes: int = 0) -> Iterator[Line]:
    """What is free, against what is needed."""
    free, total = available_memory()
    need = f"; about {size(n_bytes)} are needed" if n_bytes else ""
    if free is None:
        yield Line("Memory", "warn", f"cannot be told on this system{need}", "see to it yourself")
        return
    found = f"{size(free)} of {size(total)} free{need}"
    if n_bytes > total:
        yield Line("Memory", "fail", found, "use fewer workers (--workers), fewer components or narrower layers")
    elif n_bytes > free:
        yield Line("Memory", "warn", found, "end other programs, or use fewer workers (--workers)")
    else:
        yield Line("Memory", "ok", found)


def available_memory() -> tuple[int | None, int]:
    """Bytes that are free, and all there are, within the limit of a container; None where it cannot be told."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None, 0
    kilobytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    free, total = 1024 * kilobytes["MemAvailable"], 1024 * kilobytes["MemTotal"]
    for limit, used in zip(LIMITS, USED, strict=True):
        most, now = _number(limit), _number(used)
        if most is not None and now is not None and most < total:
            free, total = min(free, most - now), most
    return free, total


def _number(path: str) -> int | None:
    try:
        return int(Path(path).read_text())
    except (OSError, ValueError):  # "max"
        return None


def disk(name: str, folder: Path, least: int, most: int, remedy: str) -> Iterator[Line]:
    """Whether a folder, which need not be there yet, can be written and has room for what will be put there."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    need = f", at most {size(most)} are needed" if most else ""
    found = f"{folder}: {size(free)} free{need}"
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        yield Line(name, "fail", f"{folder} cannot be written", f"mend the rights of {there}, {remedy}")
    elif free < least:
        yield Line(name, "fail", f"{found}, {size(least)} at least", f"make room, {remedy}")
    elif free < most:
        yield Line(name, "warn", found, f"make room, {remedy}")
    else:
        yield Line(name, "ok", found)


def cache(least: int = 0, most: int = 0) -> Iterator[Line]:
    """The folder of prepared data."""
    yield from disk("Cache", cache_folder(), least, most, "or set BNSEARCH_CACHE to another folder")
