"""Run the benchmarks and write benchmarks/RESULTS.md and RESULTS.json: `make bench`."""

import argparse
import json
import sys
from pathlib import Path

from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks import step
from benchmarks.timing import machine, pin

HERE = Path(__file__).parent


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="how often each competitor is timed")
    rounds = parser.parse_args().rounds
    pin()
    with threadpool_limits(1):
        timings = step.measure(rounds)
    torch = timings["PyTorch eager"].median
    lines = ["| ms a network and step | median | minimum | PyTorch's / this |", "|---|---|---|---|"]
    lines += [f"| {n} | {t.median:.3f} | {t.minimum:.3f} | {torch / t.median:.2f} |" for n, t in timings.items()]
    about = machine()
    text = f"# Benchmarks\n\n{step.__doc__}\n\n" + "\n".join(lines)
    text += "\n\nMeasured on " + ", ".join(f"{key} {value}" for key, value in about.items()) + f"; {rounds} rounds.\n"
    print(text)
    (HERE / "RESULTS.md").write_text(text, encoding="utf-8")
    figures = {name: vars(timing) for name, timing in timings.items()}
    (HERE / "RESULTS.json").write_text(json.dumps({"machine": about, "step": figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
