"""Commands that stop themselves at a place of their course, so that signals find them there, however fast they are."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from tests.processes import PATIENCE_SECONDS

NEWS = ("bnsearch.cli.progress", "Lines", "show")
STORING = ("bnsearch.search.running", "_Trainer", "_store")  # on the way out, after a signal
PROGRAM = """
import functools, importlib, json, os, signal, sys
from bnsearch.cli import main
from bnsearch.search import running, schedule

def stop_at(module, owner, name, n):
    place = getattr(importlib.import_module(module), owner)
    real, left = getattr(place, name), iter(range(n - 1, -1, -1))

    @functools.wraps(real)
    def counted(*arguments):
        if next(left, None) == 0:
            os.kill(os.getpid(), signal.SIGSTOP)
        return real(*arguments)

    setattr(place, name, counted)

schedule.CALL_SECONDS, running.STATE_SECONDS = 0.0, 1e9
for place, n in json.loads(sys.argv.pop(1)):
    stop_at(*place, n)
main()
"""


def standing(*stops: tuple[tuple[str, str, str], int]) -> tuple[str, ...]:
    """In place of `-m bnsearch`: it stops in the n-th call of each place; its own calls have a step each, and no state
    is due.
    """
    return "-c", PROGRAM, json.dumps(stops)


def until_standing(process: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> None:
    """Wait until it has stopped itself."""
    patience = time.monotonic() + PATIENCE_SECONDS
    try:
        while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            assert process.poll() is None, "it came to its end"
            assert time.monotonic() < patience, "it did not come so far"
            time.sleep(0.01)
    except AssertionError:
        process.kill()  # else it might stop itself later, with nobody there to let it go on
        raise


def go_on(process: "subprocess.Popen[str] | subprocess.Popen[bytes]", *signals: int) -> None:
    """Let it go on, with signals to be heeded first."""
    for number in (*signals, signal.SIGCONT):
        os.kill(process.pid, number)
