"""Run the two reports' experiments and write docs/reproduction.md: `make reproduce`, `make reproduce-quick`."""

import argparse
import sys
from pathlib import Path

from benchmarks.reproduction import page
from benchmarks.reproduction.drawing import NoBrowser, draw
from benchmarks.reproduction.experiments import CHECKS, chosen
from benchmarks.reproduction.ours import NotRun, Runs
from benchmarks.reproduction.pictures import PICTURES
from benchmarks.reproduction.running import run_all
from bnsearch.data.whole_file import write_whole

ROOT = Path(__file__).resolve().parents[2]
QUICK = " **These are the short runs of `make reproduce-quick`: two seeds, shortened. They show that all works.**"


def main() -> None:
    """Train what is missing, draw, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reproduction", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short runs, and their page in their own folder")
    parser.add_argument("--page-only", action="store_true", help="train nothing: the page of what has been run")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "reproduction", help="of the runs (default reproduction/)"
    )
    parser.add_argument("--data-dir", type=Path, help="where CIFAR-10 lies (else $BNSEARCH_DATA or the user's cache)")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve() / ("quick" if arguments.quick else "full")
    failures = []
    if not arguments.page_only:
        failures = run_all(CHECKS, chosen(arguments.quick), folder, arguments.quick, arguments.data_dir)
    place = folder if arguments.quick else ROOT / "docs"
    runs = Runs(folder)
    try:
        images = place / "images" / "reproduction"
        lacks = pictures(runs, images)
        drawn = [name for name in PICTURES if (images / f"{name}.png").is_file()]
        text, more = page.write(runs, drawn, QUICK if arguments.quick else "")
    finally:
        runs.close()
    write_whole(place / "reproduction.md", [text.encode()])
    for lack in [*lacks, *more]:
        print(f"Missing: {lack}", file=sys.stderr)
    print(place / "reproduction.md")
    if failures:
        raise SystemExit("\n".join(["All else was run, but not:", *failures]))


def pictures(runs: Runs, folder: Path) -> list[str]:
    """Draw all that have figures; what is missing."""
    figures, lacks = {}, []
    for name, figure in PICTURES.items():
        try:
            figures[name] = figure(runs)
        except (NotRun, KeyError) as missing:
            lacks.append(f"picture {name}: {missing}")
    try:
        draw(figures, folder)
    except NoBrowser as missing:
        lacks.append(f"all pictures, for there is no {missing}")
    return lacks


if __name__ == "__main__":
    main()
