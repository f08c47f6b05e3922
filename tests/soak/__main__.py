"""Let things go wrong for a while and print the figures: `python -m tests.soak`, `make soak`."""

import argparse
import importlib
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.helpers import heed_interrupts
from tests.soak.hazard import Figures, Task

SHARES = {  # of the time; each name is a module of this package with `run(task) -> Figures`
    "writes": 0.3,
    "kills": 0.2,
    "deaths": 0.08,
    "redone": 0.07,
    "together": 0.05,
    "failing_writes": 0.1,
    "full_disks": 0.05,
    "power_cuts": 0.05,
    "odd_inputs": 0.1,
}


def main() -> None:
    """Run the hazards one after another; exit code 1 where anything was lost."""
    parser = argparse.ArgumentParser(prog="tests.soak", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or more of {', '.join(SHARES)}; default all")
    parser.add_argument("--minutes", type=float, default=30.0, help="for all of them together (default %(default)g)")
    parser.add_argument("--seed", type=int, default=0, help="of the dice (default %(default)s)")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in SHARES:
            parser.error(f"NAME must be one of {', '.join(SHARES)}, but got {name!r}.")
    names = arguments.names or list(SHARES)
    heed_interrupts()  # else what is begun here goes on through all of them
    root = Path(tempfile.mkdtemp(prefix="soak-"))
    found: list[tuple[Figures, float]] = []
    for i, name in enumerate(names):
        print(f"{name} ...", file=sys.stderr, flush=True)
        seconds = 60.0 * arguments.minutes * SHARES[name] / sum(SHARES[n] for n in names)
        folder, began = root / name, time.monotonic()
        folder.mkdir()
        task = Task(folder, began + seconds, np.random.default_rng([arguments.seed, i]))
        found.append((importlib.import_module(f"tests.soak.{name}").run(task), time.monotonic() - began))
        for failure in found[-1][0].failures:
            print(f"FAILED: {failure}", file=sys.stderr, flush=True)
    print(table(found))
    if any(figures.failures for figures, _ in found):
        sys.exit(f"What failed lies in {root}.")
    shutil.rmtree(root)


def table(found: list[tuple[Figures, float]]) -> str:
    """A row for each hazard."""
    header = ("hazard", "tried", "failures", "seconds", "more")
    lines = [header]
    for figures, seconds in found:
        tried = f"{figures.tried} {figures.what}"
        lines.append((figures.hazard, tried, str(len(figures.failures)), f"{seconds:.0f}", "; ".join(figures.notes)))
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    rows = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |" for line in lines]
    rows.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
