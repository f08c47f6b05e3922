"""Peak memory of a search, all its processes together."""

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import protocol
from benchmarks.section import Options, Table

CAPTION = """**Memory**: peak of a CIFAR-10 coarse stage with two workers, all processes together, in GiB. Sum of the
proportional set sizes, so that a page counts once however many processes map it, every 0.2 s."""
INTERVAL_SECONDS = 0.2


def measure(options: Options, folder: Path) -> tuple[Table, object]:
    """Both kinds of input, with data to prepare first and with data ready."""
    half_cycle_steps = protocol.HALF_CYCLE_STEPS // (20 if options.quick else 2)
    rows, figures = [], {}
    for name, components in (("full input", None), ("components 0.99", protocol.COMPONENTS)):
        peaks = {}
        for when in ("preparing", "prepared"):
            own = protocol.protocol(folder / name / when, half_cycle_steps, components)
            command = [sys.executable, "-m", "bnsearch", "coarse", str(own.file), "--workers", "2", *own.options()]
            if options.data_dir is not None:
                command += ["--data-dir", str(options.data_dir.resolve())]
            peaks[when] = peak_bytes(command, BNSEARCH_CACHE=str(folder / f"cache of {name}"))
        rows.append((name, *(f"{peak / 2**30:.2f}" for peak in peaks.values())))
        figures[name] = {f"{when}_bytes": peak for when, peak in peaks.items()}
    return Table(("GiB", "data prepared in the same run", "data ready"), rows, CAPTION), figures


def peak_bytes(command: list[str], **environment: str) -> int:
    """The largest sum over a command's process tree while it runs."""
    process = subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(proportional_bytes(pid) for pid in tree(process.pid)))
        time.sleep(INTERVAL_SECONDS)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} must succeed, but: {process.stderr.read().strip()[-2000:]}")
    return peak


def tree(root: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # the name, in brackets, may hold anything
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):  # ended meanwhile
            continue
        children.setdefault(parent, []).append(int(path.parent.name))
    found, new = [], [root]
    while new:
        found += new
        new = [child for pid in new for child in children.get(pid, [])]
    return found


def proportional_bytes(pid: int) -> int:
    """Proportional set size, 0 for a process that has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))
