"""Progress on stderr: bars on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from bnsearch.search.progress import Progress as Shown

LINE_SECONDS = 10.0
SHORT_SECONDS = 2.0  # what took less and has nothing to tell is not shown any longer


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
        if self.task is None:
            return
        task = self.bars.tasks[self.bars.task_ids.index(self.task)]
        if task.fields["note"] or (task.elapsed or 0.0) >= SHORT_SECONDS:
            self.bars.update(self.task, total=task.total or 1, completed=task.total or 1)
        else:
            self.bars.remove_task(self.task)
        self.task = None

    def say(self, text: str) -> None:
        """A line above the bars."""
        self.bars.console.print(text, markup=False, highlight=False)


class Clock(ProgressColumn):
    """How long it has taken, and how long it will yet take."""

    def render(self, task: Task) -> Text:
        """Minutes and seconds."""
        so_far = _clock(task.finished_time if task.finished else task.elapsed)
        if task.finished or task.time_remaining is None:
            return Text(so_far)
        return Text(f"{so_far}, {_clock(task.time_remaining)} left")


class Lines:
    """A line when something begins, and at most every ten seconds after that."""

    def __init__(self) -> None:
        self.what, self.last = "", ""
        self.total: float | None = None
        self.first: float | None = None  # how much an earlier run of the command had done
        self.began, self.said = 0.0, 0.0

    def begin(self, what: str, total: float | None = None) -> None:
        """Say what begins."""
        self.what, self.total, self.began, self.last, self.first = what, total, time.monotonic(), "", None
        self._say(f"{what} ...")

    def update(self, done: float, note: str = "") -> None:
        """Say how far it is, now and then."""
        self.last = note
        if self.first is None:
            self.first = done
        if time.monotonic() - self.said >= LINE_SECONDS and self.total:
            seconds = time.monotonic() - self.began
            gained = done - self.first
            left = f", about {_clock(seconds * (self.total - done) / gained)} left" if gained > 0 else ""
            self._say(f"{self.what}: {100 * done / self.total:.0f} %{', ' + note if note else ''}{left}")

    def end(self) -> None:
        """Say how long it took, if that is worth a line."""
        seconds = time.monotonic() - self.began
        if seconds >= SHORT_SECONDS or self.last:
            self._say(f"{self.what}: done in {seconds:.1f} s{', ' + self.last if self.last else ''}")

    def say(self, text: str) -> None:
        """A line of its own."""
        print(text, file=sys.stderr, flush=True)

    def _say(self, text: str) -> None:
        self.said = time.monotonic()
        with suppress(OSError):  # a full disk under a log is no reason to stop
            print(text, file=sys.stderr, flush=True)


@contextmanager
def progress() -> Iterator[Shown]:
    """Something that shows progress for as long as the block lasts."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines()
        return
    columns = (
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, max_width=32)),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[note]}", markup=False, table_column=Column(no_wrap=True)),
        Clock(Column(no_wrap=True)),
    )
    with Progress(*columns, console=console) as bars:
        yield Bars(bars)


def _clock(seconds: float | None) -> str:
    """1:05, or 2:01:05."""
    minutes, rest = divmod(round(seconds or 0.0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
