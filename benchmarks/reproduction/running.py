"""The commands, run in a folder of their own; each goes on where it was stopped."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.reproduction.experiments import Check, Experiment, command
from bnsearch import __version__
from bnsearch.data.whole_file import write_whole
from bnsearch.search.executor import available_cores
from bnsearch.search.session import revision

DIFFERS = 1  # exit code of a gradient check that finds what it is to find


class Failed(Exception):
    """A command ended with another exit code than it may; its text says which."""


def run_all(
    checks: Sequence[Check], experiments: Sequence[Experiment], folder: Path, quick: bool, data_dir: Path | None
) -> list[str]:
    """Everything that is still missing. A command that fails does not keep the others from being run: what failed."""
    (folder / "checks").mkdir(parents=True, exist_ok=True)
    data = [] if data_dir is None else ["--data-dir", str(data_dir.resolve())]
    to_check = [partial(_check, check, folder, data) for check in checks]
    failures = [_failure(check) for check in to_check[:1]]  # by itself: it may have the data to download
    with ThreadPoolExecutor(available_cores()) as side_by_side:  # a check has one core at work, a search all of them
        failures += side_by_side.map(_failure, to_check[1:])
    for one in experiments:
        failures.append(_failure(partial(_run, one.text, [*one.words(quick), "--json", "--quiet", *data], folder)))
    return [failure for failure in failures if failure is not None]


def _failure(work: Callable[[], object]) -> str | None:
    try:
        work()
    except Failed as failure:
        print(failure, file=sys.stderr, flush=True)
        return str(failure)
    return None


def check_path(folder: Path, name: str) -> Path:
    """Where a gradient check's table lies."""
    return folder / "checks" / f"{name.replace(' ', '-')}.json"


def read_check(path: Path) -> dict[str, Any] | None:
    """A table under `parameters`, with the version, the revision and the command that made it; None where there is
    none, or one that does not say.
    """
    if not path.exists():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    return found if isinstance(found, dict) else None


def _check(check: Check, folder: Path, data: Sequence[str]) -> None:
    """Unless this very revision has made it: a check has no study that would tell what it was made by."""
    path = check_path(folder, check.name)
    made_by = {"version": __version__, "revision": revision(), "command": command(check.text)}
    found = read_check(path)
    if found is None or any(found.get(key) != value for key, value in made_by.items()):
        table = json.loads(_run(check.text, [*check.words(), "--quiet", *data], folder, codes=(0, DIFFERS)))
        write_whole(path, [json.dumps({**made_by, "parameters": table}, indent=1).encode()])


def _run(text: str, words: Sequence[str], folder: Path, codes: tuple[int, ...] = (0,)) -> str:
    """What it prints; a line on stderr says what is run and how long it took."""
    began = time.monotonic()
    print(f"{command(text)} ...", file=sys.stderr, flush=True)
    result = subprocess.run(
        [sys.executable, "-m", "bnsearch", *words], cwd=folder, stdout=subprocess.PIPE, text=True, check=False
    )
    if result.returncode not in codes:
        raise Failed(f"bnsearch {' '.join(words)} must succeed, but ended with {result.returncode}.")
    print(f"{command(text)}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return result.stdout
