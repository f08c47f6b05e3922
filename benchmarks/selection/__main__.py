"""Make tables, replay methods on them, report, draw: `python -m benchmarks.selection STEP [TABLE …]`."""

import argparse
from pathlib import Path

from benchmarks.selection.specs import N_SEEDS, SPECS


def main() -> None:
    """One step at a time; what is kept already is not made again."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.selection", description=__doc__)
    parser.add_argument("step", choices=("tables", "replays", "report", "figures", "real"))
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"of {', '.join(SPECS)}; default all")
    parser.add_argument("--methods", nargs="+", metavar="METHOD", help="replay only these; default all")
    parser.add_argument("--sizes", nargs="+", type=int, metavar="N", help="replay only these numbers of rows")
    parser.add_argument("--runs", type=int, default=20, help="real searches, each with a seed of its own (default 20)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--data-dir", type=Path, help="where CIFAR-10 lies (else $BNSEARCH_DATA or the user's cache)")
    arguments = parser.parse_args()
    names = arguments.tables or list(SPECS)
    if unknown := [name for name in names if name not in SPECS]:
        parser.error(f"TABLE must be one of {', '.join(SPECS)}, but got {unknown[0]!r}.")
    if arguments.step == "tables":
        from benchmarks.selection import making

        for name in names:
            making.make(SPECS[name], range(N_SEEDS), arguments.workers, arguments.data_dir)
    elif arguments.step == "replays":
        from benchmarks.selection.contest import contest
        from benchmarks.selection.replay import replay_all

        methods = arguments.methods or list(contest())
        if unknown := [name for name in methods if name not in contest()]:
            parser.error(f"METHOD must be one of {', '.join(contest())}, but got {unknown[0]!r}.")
        for name in names:
            for n_valid in arguments.sizes or SPECS[name].sizes:
                replay_all(name, n_valid, methods, arguments.workers)
    elif arguments.step == "report":
        from benchmarks.selection.report import section

        print(section(names).markdown())
    elif arguments.step == "real":
        from benchmarks.selection import real

        print(real.section(arguments.runs).markdown())
    else:
        from benchmarks.selection.figures import draw

        draw()


if __name__ == "__main__":
    main()
