"""Twelve commands started together on a database that is not there yet; and different studies in one database."""

import re
import shutil
from pathlib import Path
from typing import Any

from bnsearch.search.study_file import Study, load_study
from tests.processes import Command
from tests.search.helpers import trials_of
from tests.soak.hazard import Figures, Task
from tests.soak.kills import found_in, study_in

N = 12
NAMES = ("a", "b", "c", "d")
SEARCH = ("coarse", "./digits.toml", "--workers", "1", "--set", "training.epochs=40")


def run(task: Task) -> Figures:
    """In turn."""
    figures = Figures(f"{N} commands at once", what="rounds")
    n_refused = 0
    while task.has_time or figures.tried == 0:
        folder = task.folder / str(figures.tried)
        n_refused += one_study(folder, figures)
        side_by_side(task.folder / f"{figures.tried} side by side", figures)
        figures.tried += 1
    figures.notes.append(f"{n_refused} commands were refused with the holder's name")
    figures.notes.append(f"{len(NAMES)} studies in one database each time, the same bits as alone")
    return figures


def one_study(folder: Path, figures: Figures) -> int:
    """One runs, the others name it; how many those are."""
    places = [folder / str(i) for i in range(N)]  # for their messages
    for place in places:
        place.mkdir(parents=True)
        (place / "digits.toml").symlink_to(folder / "digits.toml")
    study = study_in(folder)
    commands = [Command(place, *SEARCH[:1], str(folder / "digits.toml"), *SEARCH[2:]) for place in places]
    codes = [command.process.wait() for command in commands]
    pids = {command.process.pid for command in commands}
    refused = [command for command, code in zip(commands, codes, strict=True) if code == 2]
    for command in refused:
        named = re.search(r"but process (\d+) on \S+ \(since \S+\) holds it", command.last_line())
        if named is None or int(named[1]) not in pids:
            figures.failures.append(f"refused without a holder: {command.last_line()}")
    if set(codes) - {0, 2} or 0 not in codes:
        figures.failures.append(f"exit codes {codes} in {folder}")
    states = [trial.state.name for trial in trials_of(study, "coarse")]
    if states != ["COMPLETE"] * 24:
        figures.failures.append(f"{len(states)} trials in {folder}, of which {states.count('COMPLETE')} complete")
    return len(refused)


def side_by_side(folder: Path, figures: Figures) -> None:
    """Studies of different names write into one database at the same time, to the results that each has alone."""
    commands = {}
    for name in (*NAMES, "alone"):
        place = folder / name
        place.mkdir(parents=True)
        shutil.copy(study_in(folder).file, place / f"{name}.toml")
        if name != "alone":
            (place / f"{name}.db").symlink_to(folder / "shared.db")
            commands[name] = Command(place, "coarse", f"./{name}.toml", *SEARCH[2:])
    for name, command in commands.items():
        if command.process.wait() != 0:
            figures.failures.append(f"{name} side by side: {command.last_line()}")
    alone = Command(folder / "alone", "coarse", "./alone.toml", *SEARCH[2:])
    assert alone.process.wait() == 0, alone.last_line()
    expected = but_for_its_name(load_study(str(folder / "alone" / "alone.toml")))
    for name in commands:
        if but_for_its_name(load_study(str(folder / name / f"{name}.toml"))) != expected:
            figures.failures.append(f"{name} side by side came to other results in {folder}")


def but_for_its_name(study: Study) -> Any:
    """All results, bit for bit; the names of artifacts begin with a digest of the study's."""
    stored, found = found_in(study)
    return stored, {re.sub(r"^artifacts/[0-9a-f]{12}-", "artifacts/", name): content for name, content in found.items()}
