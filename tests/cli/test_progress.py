"""Progress goes to stderr, as bars on a terminal and as lines elsewhere; stdout carries results alone."""

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress

from bnsearch.cli import main
from bnsearch.cli.progress import Bars, Below, Clock, Lines, LiveProgress, Pace
from bnsearch.search.live import Budget, Course, Leader, View
from tests.cli.helpers import COMMAND, answer, endless_search, invoke
from tests.standing import NEWS, STORING, go_on, standing, until_standing


def on_a_terminal(folder: Path, *arguments: str) -> tuple[str, str]:
    """(stdout, which is a pipe; what a terminal of 80 columns gets on stderr)."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "80"}
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=theirs
    )
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 10_000):
            seen += chunk
    except OSError:  # Linux says so when nobody has the terminal open any longer
        pass
    finally:
        os.close(ours)
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == 0, seen
    return stdout.decode(), seen.decode()


def test_bars_on_a_terminal(folder: Path) -> None:
    stdout, stderr = on_a_terminal(folder, "coarse", "tiny.toml", "--json", "--workers", "1")
    assert json.loads(stdout)["trials"]["complete"] == 4
    assert "\x1b[" in stderr
    assert "━" in stderr
    assert "4/4 trials, best" in stderr
    assert "tiny.coarse ..." not in stderr


@pytest.mark.usefixtures("clock")
def test_lines_elsewhere(folder: Path) -> None:
    """On a clock that stands still: where they take long, there are more of them."""
    result = invoke("coarse", "tiny.toml", "--json", "--workers", "1")
    assert json.loads(result.stdout)["trials"]["complete"] == 4
    *begun, done = result.stderr.splitlines()
    assert begun == ["Reading digits ...", "Preparing the data ...", "tiny.coarse ..."]
    assert re.fullmatch(r"tiny\.coarse: done in 0\.0 s, 4/4 trials, best [\d.]+ ?%", done)


def test_results_in_a_pipe_are_plain_and_not_too_wide(finished: Path) -> None:
    for output in ((finished / "output.txt").read_text(), invoke("status", "tiny.toml").stdout):
        assert "\x1b" not in output
        assert max(len(line) for line in output.splitlines()) <= 100


def test_a_terminal_without_greek_letters(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It once ended in a UnicodeEncodeError."""
    out = io.BytesIO()
    monkeypatch.setattr(sys, "argv", ["bnsearch", "status", "tiny.toml"])
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding="ascii"))
    with pytest.raises(SystemExit) as stopped:
        main()
    sys.stdout.flush()
    assert not stopped.value.code
    assert b"with ? = " in out.getvalue()


def test_interrupted(folder: Path) -> None:
    """Ctrl-C says how to go on, and nothing is lost."""
    with endless_search(folder, workers=1, until="tiny.coarse") as process:
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr.splitlines()[-1].startswith("bnsearch: interrupted; nothing is lost")
    assert "Traceback" not in stderr
    assert answer("status", "tiny.toml")[0]["trials"] == {"complete": 0, "pruned": 0, "failed": 0, "running": 4}
    assert "unfinished: 0 of 4 trials" in invoke("status", "tiny.toml").stdout


def test_quiet(folder: Path) -> None:
    result = invoke("coarse", "tiny.toml", "--quiet", "--json", "--workers", "1")
    assert json.loads(result.stdout)["trials"]["complete"] == 4
    assert result.stderr == ""
    assert on_a_terminal(folder, "fine", "tiny.toml", "-q", "--workers", "1")[1] == ""


class StoppedClock:
    """Stands still until it is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.now = 0.0
        monkeypatch.setattr("bnsearch.cli.progress.time", SimpleNamespace(monotonic=lambda: self.now))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    return StoppedClock(monkeypatch)


def test_lines_tell_how_far_it_is_every_ten_seconds(clock: StoppedClock, capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines()
    lines.begin("work", 1000)
    for second in range(0, 101, 5):
        clock.now = second
        lines.update(10 * second, f"{second}/100 trials")
    lines.end()
    said = capsys.readouterr().err.splitlines()
    assert said[:3] == [
        "work ...",
        "work: 10 %, 10/100 trials, about 1:30 left",
        "work: 20 %, 20/100 trials, about 1:20 left",
    ]
    assert said[-1] == "work: done in 100.0 s, 100/100 trials"
    assert len(said) == 12


def test_what_an_earlier_process_did_does_not_count_as_speed(
    clock: StoppedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = Lines()
    lines.begin("work", 10_000)
    lines.update(5_000)
    clock.now = 60.0
    lines.update(5_060)
    assert capsys.readouterr().err.splitlines()[-1] == "work: 51 %, about 1:22:20 left"


def test_lines_without_a_total(clock: StoppedClock, capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines()
    lines.begin("Reading")
    clock.now = 1.0
    lines.end()
    lines.begin("Reading")
    clock.now = 60.0
    lines.end()
    assert capsys.readouterr().err.splitlines() == ["Reading ...", "Reading ...", "Reading: done in 59.0 s"]


def stage(done: float, left: float, **changes: Any) -> View:
    """A stage under way, of which so many network-epochs are done."""
    leader = Leader("trial 123", 0.9312, tuple(i / 20 for i in range(12)), {"l2": 1.58e-05, "learning_rate": 0.0164})
    course = Course(Budget(400, 20), 240, (100, 200), 0, 0.5)
    view = View("mine.coarse", 3, 240, 120, 100, 17, 0, 0.91, leader, course, done, left)
    return replace(view, **changes)


def test_lines_of_a_stage_tell_all_that_is_known(clock: StoppedClock, capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines()
    lines.begin("mine.coarse")
    lines.show(stage(0, 4000))
    clock.now = 20.0
    lines.show(stage(1000, 3000))
    lines.end()
    assert capsys.readouterr().err.splitlines() == [
        "mine.coarse ...",
        "mine.coarse: 25 %, 3/240 trials, best 91.00 %, to rung 1 of 2 at 25 %, 120 networks in training, 100 stopped, "
        "17 diverged, best so far: trial 123, 93.12 % at epoch 12 of 20 (λ = 1.58e-05, η = 0.0164), "
        "50 network-epochs/s, about 1:00 left",
        "mine.coarse: done in 20.0 s, 3/240 trials, best 91.00 %",
    ]


def test_the_pace_is_that_of_the_last_half_minute(clock: StoppedClock) -> None:
    pace = Pace(500.0)
    assert pace.rate(500.0) is None, "what an earlier process did is no speed of this one"
    rates = []
    for second in range(10, 101, 10):
        clock.now = second
        done = 500.0 + (10 * second if second <= 50 else 500 + (second - 50))
        rates.append(pace.rate(done))
    assert rates[:5] == [10.0] * 5
    assert rates[-1] == 1.0


def drawn(width: int, **how: Any) -> list[str]:
    """What stands below a bar."""
    file = io.StringIO()
    Console(file=file, width=width, **how).print(Below(stage(100, 200), 1234.5))
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_a_stage_under_its_bar() -> None:
    assert drawn(120) == [
        "  to rung 1 of 2 at 25 %, 120 networks in training, 100 stopped, 17 diverged, 1,234 network-epochs/s",
        "  best so far: trial 123, 93.12 % at epoch 12 of 20  ▁▁▂▃▃▄▅▆▆▇██",
        "  λ = 1.58e-05, η = 0.0164",
    ]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_a_stage_fits_the_terminal(width: int) -> None:
    lines = drawn(width)
    assert len(lines) == 3
    assert max(map(len, lines)) <= width


def test_a_mean_has_no_setting() -> None:
    file = io.StringIO()
    mean = Leader("mean of 5 networks", 0.5, (0.4, 0.5), None)
    Console(file=file, width=80).print(Below(stage(1, 2, leader=mean, study="mine.confirm"), None))
    assert len(file.getvalue().splitlines()) == 2


def test_the_bar_of_a_stage_counts_network_epochs_and_ends_full() -> None:
    with LiveProgress(console=Console(file=io.StringIO(), force_terminal=True)) as shown:
        bars = Bars(shown)
        bars.begin("mine.coarse")
        bars.show(stage(100, 300))
        (task,) = shown.tasks
        assert (task.completed, task.total, task.fields["note"]) == (100, 400, "3/240 trials, best 91.00 %")
        assert len(list(shown.get_renderables())) == 2, "the bars, and the stage below them"
        bars.end()
        assert len(list(shown.get_renderables())) == 1
        bars.begin("mine.coarse")
        bars.show(stage(400, 100))
        bars.end()
        assert [task.description for task in shown.tasks] == ["mine.coarse"], "the next batch goes on with its bar"
        assert shown.tasks[0].finished


def test_short_steps_leave_no_bar() -> None:
    with LiveProgress(console=Console(file=io.StringIO(), force_terminal=True)) as shown:
        bars = Bars(shown)
        bars.begin("Preparing", 2)
        bars.update(1)
        bars.end()
        assert not shown.tasks
        bars.begin("tiny.coarse", 100)
        bars.update(40, "1/4 trials")
        bars.end()
        bars.end()
        assert [(task.description, task.finished) for task in shown.tasks] == [("tiny.coarse", True)]


def test_time_is_told_in_minutes_and_hours() -> None:
    now, out = 0.0, io.StringIO()
    shown = Progress(Clock(), console=Console(file=out, width=80), get_time=lambda: now, auto_refresh=False)
    task = shown.add_task("work", total=1000)
    for _ in range(100):
        now += 6
        shown.update(task, advance=1)
    shown.console.print(shown.get_renderable())
    now += 3600
    shown.update(task, completed=1000)
    shown.console.print(shown.get_renderable())
    assert [line.strip() for line in out.getvalue().splitlines()] == ["10:00, 1:30:00 left", "1:10:00"]


@pytest.mark.parametrize("seconds_after_start", [0.0, 0.3, 0.8])
def test_interrupted_while_the_workers_start(folder: Path, seconds_after_start: float) -> None:
    """Ctrl-C reaches workers too; one that died of it, the queue's lock in hand, once left the others waiting."""
    with endless_search(folder, workers=2, until="Preparing") as process:
        time.sleep(seconds_after_start)
        os.killpg(process.pid, signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr.splitlines()[-1].startswith("bnsearch: interrupted")


def test_interrupted_twice(folder: Path) -> None:
    """The second Ctrl-C once broke the wait for the workers and left the program hanging for ever."""
    program = standing((NEWS, 4), (STORING, 1))
    with endless_search(folder, workers=2, until="tiny.coarse", program=program) as process:
        for _ in range(2):
            until_standing(process)
            go_on(process, signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in stderr
