"""Real commands as processes: begun, watched, and ended by signals."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

PATIENCE_SECONDS = 60.0  # for what must come, on however slow a machine
GONE_SECONDS = 5.0  # promised: by then a coordinator has ended that was asked to, and workers have left a dead one


class Command:
    """`python -m bnsearch …` in a group of its own, its messages in a file."""

    def __init__(self, folder: Path, *arguments: str, program: Sequence[str] = ("-m", "bnsearch")):
        self.messages = folder / "messages.txt"
        self.begins = self.messages.stat().st_size if self.messages.exists() else 0  # after those before it
        with self.messages.open("a") as out:
            self.process = subprocess.Popen(
                [sys.executable, *program, *arguments],
                cwd=folder,
                env=os.environ | {"BNSEARCH_CACHE": str(folder.parent / "cache")},
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def ends_within(self, seconds: float) -> bool:
        """Wait so long for it to end by itself."""
        try:
            self.process.wait(max(seconds, 0.0))
        except subprocess.TimeoutExpired:
            return False
        return True

    def workers(self) -> list[int]:
        """Its worker processes."""
        children: list[int] = []
        for task in Path(f"/proc/{self.process.pid}/task").glob("*/children"):
            try:
                children += map(int, task.read_text().split())
            except OSError:
                continue
        return [pid for pid in children if "--multiprocessing-fork" in _command_of(pid)]

    def stop(self, number: int) -> float:
        """Send a signal; the seconds until it and its workers are gone."""
        workers, began = self.workers(), time.monotonic()
        self.process.send_signal(number)
        self.process.wait()
        until_gone(workers)
        return time.monotonic() - began

    def said(self) -> str:
        """All that it has said so far."""
        return self.messages.read_bytes()[self.begins :].decode()

    def last_line(self) -> str:
        """Of what it said."""
        return next(iter(self.said().splitlines()[-1:]), "")


def _command_of(pid: int) -> str:
    """How a process was called; nothing of one that is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def is_alive(pid: int) -> bool:
    """Is it more than an entry that nobody has collected?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until_gone(pids: Iterable[int]) -> None:
    """Wait for the end of processes."""
    patience = time.monotonic() + PATIENCE_SECONDS
    while any(map(is_alive, pids)):
        assert time.monotonic() < patience, f"of {pids} one is still there"
        time.sleep(0.01)


def kill(pid: int) -> None:
    """SIGKILL, if it is still there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
