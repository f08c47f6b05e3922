"""The digits study in real processes, killed or stopped at random times, until it is finished all the same."""

import shutil
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bnsearch.search.study_file import Study, load_study
from tests.processes import GONE_SECONDS, Command, kill
from tests.search.helpers import files, record, without_look
from tests.soak.hazard import Figures, Task

LEAST = 50  # kills, however long they take
STUDY = Path(__file__).parents[2] / "studies" / "digits.toml"
LAST = "Browse"  # the last line that the command has to say begins so
EXIT_CODES = {"SIGTERM": 143, "SIGINT": 130, "both": -signal.SIGKILL, "coordinator": -signal.SIGKILL}


def run(task: Task) -> Figures:
    """Each search is stopped again and again, in one of five ways, and its states are damaged now and then."""
    figures = Figures("digits stopped at random times", what="stops")
    ways, n_searches, slowest, n_damaged = Counter[str](), 0, 0.0, 0
    began = time.monotonic()
    expected = found_in(searched(task.folder / "whole"))
    longest = max(0.7 * (time.monotonic() - began), 4.0)  # so that it comes forward between two stops
    while task.has_time or figures.tried < LEAST:
        folder = task.folder / str(n_searches)
        folder.mkdir()
        while not (command := begun(folder)).ends_within(task.rng.uniform(0.3, longest)):
            way = str(task.rng.choice(["coordinator", "worker", "both", "SIGTERM", "SIGINT"]))
            if way in ("worker", "both"):
                for pid in command.workers()[: 1 if way == "worker" else None]:
                    kill(pid)
            figures.tried += 1
            ways[way] += 1
            if way == "worker":  # and another signal later, for it goes on
                if command.ends_within(task.rng.uniform(0.3, longest / 2)):
                    break
                way = "coordinator"
                figures.tried += 1
                ways[way] += 1
            seconds = command.stop(getattr(signal, way, signal.SIGKILL))
            slowest = max(slowest, seconds)
            if seconds > GONE_SECONDS:
                figures.failures.append(f"after {way} it took {seconds:.1f} s until all were gone")
            allowed = {EXIT_CODES[way], 0}
            if command.last_line().startswith(LAST):  # the signal met Python's own end, where nothing handles it
                allowed.add(-getattr(signal, way, signal.SIGKILL))
            if command.process.returncode not in allowed:
                figures.failures.append(f"{way} ended with {command.process.returncode}: {command.last_line()}")
            n_damaged += damage(folder, task)
        if command.process.returncode != 0:
            figures.failures.append(f"it did not go on in {folder}: {command.last_line()}")
        elif found_in(study_in(folder)) != expected:
            figures.failures.append(f"it came to other results in {folder}")
        else:
            shutil.rmtree(folder)
        n_searches += 1
    figures.notes.append(", ".join(f"{way} {n}" for way, n in sorted(ways.items())))
    figures.notes.append(f"{n_searches} searches finished, all the same bits; {n_damaged} states damaged")
    figures.notes.append(f"all processes gone within {slowest:.2f} s")
    return figures


def begun(folder: Path) -> Command:
    """The search, from where it stands."""
    study_in(folder)
    return Command(folder, "run", "./digits.toml", "--workers", "2")


def searched(folder: Path) -> Study:
    """The search without a stop."""
    folder.mkdir()
    command = begun(folder)
    assert command.process.wait() == 0, command.last_line()
    return study_in(folder)


def study_in(folder: Path) -> Study:
    """The study that comes with bnsearch, its results here."""
    path = folder / STUDY.name
    if not path.exists():
        shutil.copy(STUDY, path)
    return load_study(str(path))


def found_in(study: Study) -> Any:
    """All results, bit for bit."""
    return without_look(record(study)), files(study)


def damage(folder: Path, task: Task) -> int:
    """Alter or cut one of the states, half of the times that there are any; how many."""
    states = sorted((folder / "digits" / "states").glob("*.safetensors"))
    if not states or task.rng.random() < 0.5:
        return 0
    path = states[task.rng.integers(len(states))]
    content = bytearray(path.read_bytes())
    if task.rng.random() < 0.5:
        content[task.rng.integers(len(content))] ^= 1 << int(task.rng.integers(8))
    else:
        del content[task.rng.integers(len(content)) :]
    path.write_bytes(content)
    return 1
