"""The workers of one search are killed all the time; it goes on by itself and comes to the same numbers."""

import shutil

from tests.processes import Command, kill
from tests.soak.hazard import Figures, Task
from tests.soak.kills import found_in, study_in

OPTIONS = ("./digits.toml", "--workers", "2", "--set", "training.epochs=60")


def run(task: Task) -> Figures:
    """One worker at a time, every second or two."""
    figures = Figures("workers killed while they train", what="kills")
    whole = task.folder / "whole"
    whole.mkdir()
    study = study_in(whole)
    reference = Command(whole, "coarse", *OPTIONS)
    assert reference.process.wait() == 0, reference.last_line()
    expected, n_searches, n_told = found_in(study), 0, 0
    while task.has_time or n_searches == 0:
        folder = task.folder / str(n_searches)
        folder.mkdir()
        study = study_in(folder)
        command = Command(folder, "coarse", *OPTIONS)
        while not command.ends_within(task.rng.uniform(1.0, 3.0)):
            workers = command.workers()
            if workers:
                kill(workers[task.rng.integers(len(workers))])
                figures.tried += 1
        n_told += command.messages.read_text().count("was killed by SIGKILL")
        if command.process.returncode != 0:
            figures.failures.append(f"it ended with {command.process.returncode}: {command.last_line()}")
        elif found_in(study) != expected:
            figures.failures.append(f"it came to other results in {folder}")
        else:
            shutil.rmtree(folder)
        n_searches += 1
    if n_told == 0:
        figures.failures.append("no worker died at work, or none was told of")
    figures.notes.append(f"{n_searches} searches finished, all the same bits; {n_told} deaths at work, each told of")
    return figures
