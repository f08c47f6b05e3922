"""The commands, run one after another in a folder of their own; each goes on where it was stopped."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.reproduction.experiments import Check, Experiment, command
from bnsearch import __version__
from bnsearch.data.whole_file import write_whole
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
    failures = []
    for work in (*checks, *experiments):
        try:
            if isinstance(work, Check):
                _check(work, folder, data)
            else:
                _run([*work.words(quick), "--json", "--quiet", *data], folder)
        except Failed as failure:
            failures.append(str(failure))
            print(failure, file=sys.stderr, flush=True)
    return failures


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
        table = json.loads(_run([*check.words(), "--quiet", *data], folder, codes=(0, DIFFERS)))
        write_whole(path, [json.dumps({**made_by, "parameters": table}, indent=1).encode()])


def _run(words: Sequence[str], folder: Path, codes: tuple[int, ...] = (0,)) -> str:
    """What it prints; a line on stderr says what is run and how long it took."""
    said, began = " ".join(words[:3] if words[0] == "gradcheck" else words[:2]), time.monotonic()
    print(f"bnsearch {said} ...", file=sys.stderr, flush=True)
    result = subprocess.run(
        [sys.executable, "-m", "bnsearch", *words], cwd=folder, stdout=subprocess.PIPE, text=True, check=False
    )
    if result.returncode not in codes:
        raise Failed(f"bnsearch {' '.join(words)} must succeed, but ended with {result.returncode}.")
    print(f"bnsearch {said}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return result.stdout
