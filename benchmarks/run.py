"""Run benchmarks, print their tables and merge them into RESULTS.md and RESULTS.json: `make bench`."""

import argparse
import importlib
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[0] = str(HERE.parent)  # instead of this folder, whose modules belong to the package `benchmarks`
from benchmarks.section import Options  # noqa: E402

BENCHMARKS = ("step", "ways", "search", "projection", "overhead", "scaling", "selection")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"one or more of {', '.join(BENCHMARKS)}; default all but the last, which takes an hour",
    )
    parser.add_argument("--quick", action="store_true", help="a small version of each, to see that it works")
    parser.add_argument("--rounds", type=int, help="how often each competitor is timed")
    parser.add_argument("--data-dir", type=Path, help="where CIFAR-10 lies (else $BNSEARCH_DATA or the user's cache)")
    parser.add_argument("--output", type=Path, help="folder for the results; default benchmarks/, with --quick a copy")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in BENCHMARKS:
            parser.error(f"NAME must be one of {', '.join(BENCHMARKS)}, but got {name!r}.")
    options = Options(arguments.quick, arguments.rounds, arguments.data_dir)
    folder = arguments.output or (HERE / "results" if arguments.quick else HERE)
    from benchmarks.machine import machine
    from benchmarks.results import merge

    for name in arguments.names or BENCHMARKS[:-1]:
        print(f"\n{name} ...", file=sys.stderr)
        section = importlib.import_module(f"benchmarks.{name}").measure(options)
        print(f"## {section.title}\n\n{section.markdown()}", flush=True)
        merge(folder, name, section, machine(), BENCHMARKS)


if __name__ == "__main__":
    main()
