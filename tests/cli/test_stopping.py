"""SIGINT and SIGTERM: what is said, with which exit code, what is left, and that a second one ends it at once."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from optuna.trial import TrialState

from bnsearch.cli import stopping
from tests.cli.helpers import endless_search, until_evaluated
from tests.processes import Command, kill
from tests.search.helpers import files, record, tiny, trials_of, without_look
from tests.standing import NEWS, STORING, go_on, standing, until_standing

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


@pytest.mark.parametrize("number", CODES, ids=lambda number: number.name)
def test_a_search_ends_with_a_line_and_its_states_on_the_disk(number: signal.Signals, folder: Path) -> None:
    """SIGTERM once ended it without a word, and what was done since the last states was lost."""
    with endless_search(folder, workers=2, until="tiny.coarse", program=standing()) as process:
        until_evaluated(folder)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == CODES[number]
    line = f"bnsearch: {WORDS[number]}; nothing is lost: run the same command again to go on."
    assert [text for text in stderr.splitlines() if text.strip()][-1] == line
    assert "Traceback" not in stderr
    assert len(list((folder / "tiny" / "states").glob("coarse-*.safetensors"))) == 4


def test_a_signal_before_the_command_line_is_loaded_leaves_no_traceback() -> None:
    """It met the import of half a library, and the reader a page of it."""
    code = """
        import builtins, os, signal
        from bnsearch.__main__ import main

        load = builtins.__import__

        def interrupted(name, *rest):
            if name == "click":
                os.kill(os.getpid(), signal.SIGINT)
            return load(name, *rest)

        builtins.__import__ = interrupted
        main()
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_a_signal_to_all_processes_is_one_to_the_coordinator(folder: Path) -> None:
    """As a service or a batch system sends it; its workers are not told of as dead."""
    with endless_search(folder, workers=2, until="tiny.coarse") as process:
        until_evaluated(folder)
        os.killpg(process.pid, signal.SIGTERM)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "A worker" not in stderr


RUN = ("run", "tiny.toml", "--workers", "2")


def begun(folder: Path, n: int) -> Command:
    """The whole study from where it was left, which stops itself at the n-th piece of news of its training, and again
    while it stores states on its way out.
    """
    command = Command(folder, *RUN, program=standing((NEWS, n), (STORING, 1)))
    until_standing(command.process)
    assert {t.state for t in trials_of(tiny(folder), "coarse")} == {TrialState.RUNNING}
    return command


def assert_it_goes_on(folder: Path, finished_once: Path) -> None:
    command = Command(folder, *RUN)
    assert command.process.wait(120) == 0, command.last_line()
    own, whole = tiny(folder), tiny(finished_once)
    assert without_look(record(own)) == without_look(record(whole))
    assert files(own) == files(whole)


@pytest.mark.parametrize("signals", [(signal.SIGTERM,), (signal.SIGINT, signal.SIGTERM)], ids=["once", "twice"])
def test_a_search_that_was_stopped_comes_to_the_same_results(
    signals: tuple[signal.Signals, ...], folder: Path, finished_once: Path
) -> None:
    for n in (4, 8):
        command = begun(folder, n)
        go_on(command.process, signals[0])
        until_standing(command.process)
        go_on(command.process, *signals[1:])  # the second comes while the first is being heeded
        assert command.process.wait(60) == CODES[signals[0]], command.last_line()
        assert f"bnsearch: {WORDS[signals[0]]}; nothing is lost" in command.said()
    assert_it_goes_on(folder, finished_once)


@pytest.mark.parametrize("who", ["coordinator", "worker", "both"])
def test_a_search_whose_processes_are_killed_comes_to_the_same_results(
    who: str, folder: Path, finished_once: Path
) -> None:
    for n in (4, 8) if who != "worker" else (4,):  # without a worker it comes to its end at once
        command = begun(folder, n)
        workers = command.workers()
        assert workers, "else none is killed"
        for pid in {"coordinator": [], "worker": workers[:1], "both": workers}[who]:
            kill(pid)
        if who == "worker":  # which the coordinator outlives
            go_on(command.process)
            assert command.process.wait(120) == 0, command.last_line()
        else:
            command.stop(signal.SIGKILL)  # and until its workers have left too
            assert command.process.returncode == -signal.SIGKILL
    assert_it_goes_on(folder, finished_once)


@pytest.mark.parametrize("number", CODES, ids=lambda number: number.name)
def test_one_that_is_ignored_from_the_start_stays_so(number: signal.Signals, folder: Path) -> None:
    """As under nohup, or in the background of a script."""
    with subprocess.Popen(
        [sys.executable, *standing((NEWS, 4)), "coarse", "tiny.toml", "--workers", "1"],
        cwd=folder,
        preexec_fn=lambda: signal.signal(number, signal.SIG_IGN),
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as process:
        until_standing(process)
        go_on(process, number)
    assert process.returncode == 0


# ---- a main thread that cannot be stopped in good order

DEAF = """
    import signal, sys, time
    from bnsearch.cli import stopping
    stopping.PATIENCE_SECONDS = float(sys.argv[1])
    with stopping.stoppable():
        while True:  # as a library does that takes no notice, or a disk that does not come back
            try:
                print("at work", flush=True)
                time.sleep(1000)
            except KeyboardInterrupt:
                pass
"""


@pytest.fixture
def deaf() -> Iterator[Callable[[float], subprocess.Popen[str]]]:
    begun: list[subprocess.Popen[str]] = []

    def begin(patience: float) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", textwrap.dedent(DEAF), str(patience)]
        begun.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        assert begun[-1].stdout is not None
        assert begun[-1].stdout.readline() == "at work\n"
        return begun[-1]

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("second", CODES, ids=lambda number: number.name)
@pytest.mark.parametrize("first", CODES, ids=lambda number: number.name)
def test_the_second_signal_ends_it_at_once(
    first: signal.Signals, second: signal.Signals, deaf: Callable[[float], "subprocess.Popen[str]"]
) -> None:
    process = deaf(1e6)
    process.send_signal(first)
    assert process.stdout is not None
    assert process.stdout.readline() == "at work\n"  # the first one was in vain
    process.send_signal(second)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == CODES[first]
    assert stderr == f"bnsearch: {WORDS[first]}; nothing is lost: run the same command again to go on.\n"


IN_AN_EXEC = """
    from bnsearch.cli import stopping
    with stopping.stoppable() as asked:
        try:
            exec("import os, time; os.kill(os.getpid(), 15); time.sleep(1000)")
        except KeyboardInterrupt:
            asked.leave()
"""


def test_the_exit_code_is_the_same_wherever_the_signal_comes() -> None:
    """In an `exec`, which dataclasses use, Python noted an unhandled interrupt, and died of SIGINT at the end."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(IN_AN_EXEC)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (143, "")
    assert done.stderr == "bnsearch: terminated; nothing is lost: run the same command again to go on.\n"


def test_the_first_signal_ends_it_when_patience_is_over(deaf: Callable[[float], "subprocess.Popen[str]"]) -> None:
    assert stopping.PATIENCE_SECONDS < 5.0, "so much is promised"
    process = deaf(0.1)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 143
    assert stderr.startswith("bnsearch: terminated; nothing is lost")
