"""What surrounds the training: storage, start-up, memory, and the coordinator's share of a whole search."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import coordinator, memory, startup, storage
from benchmarks.section import Options, Section, Table

PARTS: dict[str, Callable[[Options, Path], tuple[Table, object]]] = {
    "trials": storage.measure,
    "start-up": startup.measure,
    "memory": memory.measure,
    "coordinator": coordinator.measure,
}
TEXT = "What a search spends beside its training."


def measure(options: Options) -> Section:
    """One part after another, each in a folder of its own."""
    tables, figures = [], {}
    for name, part in PARTS.items():
        print(f"  {name} ...", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            table, figures[name] = part(options, Path(folder))
        tables.append(table)
    return Section("Overhead", TEXT, tables, figures)
