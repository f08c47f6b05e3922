"""Fuzz every reader: `python -m tests.fuzz [INPUTS EACH] [WORDS OF A NAME]`. Exit code 1 where one failed."""

import sys
import time
from pathlib import Path
from tempfile import mkdtemp

import optuna

from tests.fuzz.targets import TARGETS, fuzz


def main(n: int = 2500, words: str = "") -> int:
    """Print a line for each reader, and keep the inputs that it failed on."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # as where a database is opened
    failed = False
    for target in (target for target in TARGETS if words in target.name):
        began = time.monotonic()
        found = fuzz(target, n)
        row = found.row() | {"seconds": round(time.monotonic() - began)}
        print("  ".join(f"{key} {value}" for key, value in row.items()), flush=True)
        for kind, content in found.failures.items():
            failed = True
            path = Path(mkdtemp(prefix="fuzz-"), "input")
            path.write_bytes(content)
            print(f"  {kind} ({path})")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*(int(argument) if argument.isdigit() else argument for argument in sys.argv[1:])))  # type: ignore[arg-type]
