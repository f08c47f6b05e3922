"""The commands, run one after another in a folder of their own; each goes on where it was stopped."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.reproduction.experiments import Check, Experiment
from bnsearch.data.whole_file import write_whole

DIFFERS = 1  # exit code of a gradient check that finds what it is to find


def run_all(
    checks: Sequence[Check], experiments: Sequence[Experiment], folder: Path, quick: bool, data_dir: Path | None
) -> None:
    """Everything that is still missing; raises SystemExit at the first command that fails."""
    (folder / "checks").mkdir(parents=True, exist_ok=True)
    data = [] if data_dir is None else ["--data-dir", str(data_dir.resolve())]
    for check in checks:
        path = check_path(folder, check.name)
        if not path.exists():
            found = _run([*check.words(), "--quiet", *data], folder, codes=(0, DIFFERS))
            write_whole(path, [found.encode()])
    for experiment in experiments:
        _run([*experiment.words(quick), "--json", "--quiet", *data], folder)


def check_path(folder: Path, name: str) -> Path:
    """Where a gradient check's table lies."""
    return folder / "checks" / f"{name.replace(' ', '-')}.json"


def _run(words: Sequence[str], folder: Path, codes: tuple[int, ...] = (0,)) -> str:
    """What it prints; a line on stderr says what is run and how long it took."""
    said, began = " ".join(words[:3] if words[0] == "gradcheck" else words[:2]), time.monotonic()
    print(f"bnsearch {said} ...", file=sys.stderr, flush=True)
    result = subprocess.run(
        [sys.executable, "-m", "bnsearch", *words], cwd=folder, stdout=subprocess.PIPE, text=True, check=False
    )
    if result.returncode not in codes:
        raise SystemExit(f"bnsearch {' '.join(words)} must succeed, but ended with {result.returncode}.")
    print(f"bnsearch {said}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return result.stdout
