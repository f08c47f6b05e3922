"""How long a command takes to begin."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.section import Options, Table

CAPTION = "**Start-up**: seconds of a whole process"


def measure(options: Options, folder: Path) -> tuple[Table, object]:
    """A bare interpreter, the help, and a search of one trial, one after another."""
    program = [str(Path(sys.executable).with_name("bnsearch"))]
    commands = {
        "python -c pass": ([sys.executable, "-c", "pass"], options.rounds(15, quick=3)),
        "bnsearch --help": ([*program, "--help"], options.rounds(15, quick=3)),
        "bnsearch coarse digits, one trial": ([*program, "coarse", "digits", "--trials", "1"], options.rounds(5)),
    }
    rows, figures = [], {}
    for name, (command, n_rounds) in commands.items():
        seconds = [run(command, folder / f"{name} {i}") for i in range(n_rounds)]
        rows.append((name, f"{statistics.median(seconds):.2f}", f"{min(seconds):.2f}", str(n_rounds)))
        figures[name] = {"median_seconds": statistics.median(seconds), "minimum_seconds": min(seconds)}
    return Table(("", "median", "minimum", "processes"), rows, CAPTION), figures


def run(command: list[str], folder: Path) -> float:
    """Wall time of a command in an empty folder, where its studies will lie."""
    folder.mkdir()
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, env=os.environ, capture_output=True, check=True)
    return time.perf_counter() - began
