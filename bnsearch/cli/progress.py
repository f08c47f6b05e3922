"""Progress on stderr: bars on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bnsearch.search.progress import Progress as Shown

LINE_SECONDS = 10.0


class Bars:
    """A rich bar for each thing that goes on."""

    def __init__(self, bars: Progress):
        self.bars = bars
        self.task: TaskID | None = None

    def begin(self, what: str, total: float | None = None) -> None:
        """A new bar, one that only moves where the total is not known."""
        self.task = self.bars.add_task(what, total=total, note="")

    def update(self, done: float, note: str = "") -> None:
        """Move the bar."""
        if self.task is not None:
            self.bars.update(self.task, completed=done, note=note)

    def end(self) -> None:
        """A full bar stays; it was never known how long one without a total would be."""
        if self.task is not None:
            total = self.bars.tasks[self.bars.task_ids.index(self.task)].total
            self.bars.update(self.task, total=total or 1, completed=total or 1)
            self.task = None


class Lines:
    """A line when something begins, and at most every ten seconds after that."""

    def __init__(self) -> None:
        self.what, self.last = "", ""
        self.total: float | None = None
        self.began, self.said = 0.0, 0.0

    def begin(self, what: str, total: float | None = None) -> None:
        """Say what begins."""
        self.what, self.total, self.began, self.last = what, total, time.monotonic(), ""
        self._say(f"{what} ...")

    def update(self, done: float, note: str = "") -> None:
        """Say how far it is, now and then."""
        self.last = note
        if time.monotonic() - self.said >= LINE_SECONDS and self.total:
            share = done / self.total
            seconds = time.monotonic() - self.began
            left = f", about {seconds / share - seconds:.0f} s left" if share > 0 else ""
            self._say(f"{self.what}: {share:.0%}{', ' + note if note else ''}{left}")

    def end(self) -> None:
        """Say how long it took, if that is worth a line."""
        seconds = time.monotonic() - self.began
        if seconds >= 2.0 or self.last:
            self._say(f"{self.what}: done in {seconds:.1f} s{', ' + self.last if self.last else ''}")

    def _say(self, text: str) -> None:
        self.said = time.monotonic()
        print(text, file=sys.stderr, flush=True)


@contextmanager
def progress() -> Iterator[Shown]:
    """Something that shows progress for as long as the block lasts."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bars:
        yield Bars(bars)
