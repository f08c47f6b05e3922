"""How much work a SIGKILL takes: the age of the state from which each trial goes on."""

import signal
import time

from optuna.trial import TrialState

from tests.processes import GONE_SECONDS, Command
from tests.search.helpers import trials_of
from tests.soak.hazard import Figures, Task
from tests.soak.kills import study_in

PROMISED_SECONDS = 15.0
FIRST_SECONDS = 16.0  # by then every trial that is trained has a state


def run(task: Task) -> Figures:
    """A search without an end, killed with its workers once its states are a while old."""
    figures = Figures("work lost by a SIGKILL", what="kills")
    worst, slowest = 0.0, 0.0
    while task.has_time or figures.tried == 0:
        folder = task.folder / str(figures.tried)
        folder.mkdir()
        study = study_in(folder)
        command = Command(folder, "coarse", "./digits.toml", "--workers", "2", "--set", "training.epochs=1000000")
        while "digits.coarse" not in command.messages.read_text() and not command.ends_within(0.05):
            pass
        time.sleep(FIRST_SECONDS + task.rng.uniform(0.0, 12.0))
        now = time.time()
        slowest = max(slowest, command.stop(signal.SIGKILL))
        states = list((folder / "digits" / "states").glob("*.safetensors"))
        ages = [now - path.stat().st_mtime for path in states]
        running = [t.number for t in trials_of(study, "coarse") if t.state == TrialState.RUNNING]
        without = {f"coarse-{number:05d}" for number in running} - {path.stem for path in states}
        if without or not running:
            figures.failures.append(f"there is no state of {', '.join(sorted(without)) or 'any trial'} in {folder}")
        worst = max([worst, *ages])
        figures.tried += 1
    if worst > PROMISED_SECONDS:
        figures.failures.append(f"up to {worst:.1f} s of work were lost")
    if slowest > GONE_SECONDS:
        figures.failures.append(f"workers stayed for {slowest:.1f} s")
    figures.notes += [f"at most {worst:.1f} s of work lost", f"orphaned workers gone within {slowest:.2f} s"]
    return figures
