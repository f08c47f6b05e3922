"""Progress on stderr: bars and a live view on a terminal, plain lines elsewhere."""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from bnsearch.cli.output import tell
from bnsearch.report.live import headline, leader_setting, leading, sentence, sparkline, speed, where
from bnsearch.search.live import View
from bnsearch.search.progress import Progress as Shown
from bnsearch.search.progress import Silent

LINE_SECONDS = 10.0
PACE_SECONDS = 30.0
SHORT_SECONDS = 2.0  # what took less and has nothing to tell is not shown any longer
INDENT = "  "
SPARKS = 40  # columns of a whole curve


class Pace:
    """How much is done in a second, over the last half minute."""

    def __init__(self, done: float):
        self.seen = deque([(time.monotonic(), done)])  # what an earlier process did is no speed of this one

    def rate(self, done: float) -> float | None:
        """With so much done by now; None as long as nothing has come since the beginning."""
        now = time.monotonic()
        while len(self.seen) > 1 and now - self.seen[1][0] > PACE_SECONDS:
            self.seen.popleft()
        since, before = self.seen[0]
        if done > self.seen[-1][1]:
            self.seen.append((now, done))
        return (done - before) / (now - since) if done > before and now > since else None


class Bars:
    """A rich bar for each thing that goes on; below that of a stage what it is about."""

    def __init__(self, bars: "LiveProgress"):
        self.bars = bars
        self.task: TaskID | None = None
        self.pace: Pace | None = None

    def begin(self, what: str, total: float | None = None) -> None:
        """A new bar, one that only moves where the total is not known; a stage's next batch goes on with its bar."""
        self.pace, last = None, next(iter(self.bars.tasks[-1:]), None)
        if last is not None and last.description == what:
            self.task = last.id
            return
        self.task = self.bars.add_task(what, total=total, note="", rate=None)

    def update(self, done: float, note: str = "") -> None:
        """Move the bar."""
        if self.task is not None:
            self.bars.update(self.task, completed=done, note=note)

    def show(self, view: View) -> None:
        """Move the bar, in network-epochs, and change what stands below it."""
        if self.task is None:
            return
        self.pace = self.pace or Pace(view.epochs_done)
        done, rate = view.epochs_done, self.pace.rate(view.epochs_done)
        self.bars.update(self.task, completed=done, total=done + view.epochs_left, note=headline(view), rate=rate)
        self.bars.below = Below(view, rate)

    def end(self) -> None:
        """A full bar stays; it was never known how long one without a total would be."""
        if self.task is None:
            return
        task, self.bars.below = self._task, None
        if task.fields["note"] or (task.elapsed or 0.0) >= SHORT_SECONDS:
            self.bars.update(self.task, total=task.total or 1, completed=task.total or 1)
        else:
            self.bars.remove_task(self.task)
        self.task = None

    def say(self, text: str) -> None:
        """A line above the bars."""
        self.bars.console.print(text, markup=False, highlight=False)

    @property
    def _task(self) -> Task:
        assert self.task is not None
        return self.bars.tasks[self.bars.task_ids.index(self.task)]


class LiveProgress(Progress):
    """Bars with something below them."""

    below: RenderableType | None = None

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bars, and what is below."""
        yield from super().get_renderables()
        if self.below is not None:
            yield self.below


class Below:
    """A stage under way in three lines that fit the terminal."""

    def __init__(self, view: View, rate: float | None):
        self.view, self.rate = view, rate

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        view, width = self.view, options.max_width
        first = INDENT + ", ".join(filter(None, (where(view), speed(self.rate))))
        second = Text(INDENT + leading(view), no_wrap=True, overflow="ellipsis")
        if view.leader is not None:
            room = min(width - second.cell_len - 2, SPARKS)
            curve = sparkline(view.leader.curve, view.n_epochs, room, options.ascii_only)
            second.append(f"  {curve}", style="progress.percentage")
        third = INDENT + leader_setting(view.leader)
        lines = [Text(first, no_wrap=True, overflow="ellipsis"), second]
        if third.strip():
            lines.append(Text(third, no_wrap=True, overflow="ellipsis"))
        yield Group(*lines)


class Clock(ProgressColumn):
    """How long it has taken, and how long it will yet take."""

    def render(self, task: Task) -> Text:
        """Minutes and seconds."""
        so_far = _clock(task.finished_time if task.finished else task.elapsed)
        rate = task.fields.get("rate")
        left = task.remaining / rate if rate and task.remaining is not None else task.time_remaining
        return Text(so_far if task.finished or left is None else f"{so_far}, {_clock(left)} left")


class Lines:
    """A line when something begins, and at most every ten seconds after that."""

    def __init__(self) -> None:
        self.what, self.last = "", ""
        self.total: float | None = None
        self.pace: Pace | None = None
        self.began, self.said = 0.0, 0.0

    def begin(self, what: str, total: float | None = None) -> None:
        """Say what begins."""
        self.what, self.total, self.began, self.last, self.pace = what, total, time.monotonic(), "", None
        self._say(f"{what} ...")

    def update(self, done: float, note: str = "") -> None:
        """Say how far it is, now and then."""
        self.last, rate = note, self._rate(done)
        if self.total and self._is_due():
            share = 100 * done / self.total
            self._say(f"{self.what}: {share:.0f} %{', ' + note if note else ''}{_left(self.total - done, rate)}")

    def show(self, view: View) -> None:
        """The same of a stage, with all that there is to know of it."""
        self.last, rate = headline(view), self._rate(view.epochs_done)
        if self._is_due():
            share = 100 * view.epochs_done / (view.epochs_done + view.epochs_left or 1.0)
            self._say(f"{self.what}: {share:.0f} %, {sentence(view, rate)}{_left(view.epochs_left, rate)}")

    def end(self) -> None:
        """Say how long it took, if that is worth a line."""
        seconds = time.monotonic() - self.began
        if seconds >= SHORT_SECONDS or self.last:
            self._say(f"{self.what}: done in {seconds:.1f} s{', ' + self.last if self.last else ''}")

    def say(self, text: str) -> None:
        """A line of its own."""
        tell(text)

    def _is_due(self) -> bool:
        return time.monotonic() - self.said >= LINE_SECONDS

    def _rate(self, done: float) -> float | None:
        self.pace = self.pace or Pace(done)
        return self.pace.rate(done)

    def _say(self, text: str) -> None:
        self.said = time.monotonic()
        tell(text)


@contextmanager
def progress(quiet: bool = False) -> Iterator[Shown]:
    """Something that shows progress for as long as the block lasts."""
    console = Console(stderr=True)
    if quiet:
        yield Silent()
        return
    if not console.is_terminal:
        yield Lines()
        return
    columns = (
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, max_width=32)),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[note]}", markup=False, table_column=Column(no_wrap=True)),
        Clock(Column(no_wrap=True)),
    )
    with LiveProgress(*columns, console=console) as bars:
        yield Bars(bars)


def _left(work: float, rate: float | None) -> str:
    return "" if rate is None else f", about {_clock(work / rate)} left"


def _clock(seconds: float | None) -> str:
    """1:05, or 2:01:05."""
    minutes, rest = divmod(round(seconds or 0.0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
