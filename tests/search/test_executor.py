"""Worker processes: what one does, and what becomes of its calls when it dies, whenever that is."""

import os
import pickle
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from bnsearch.errors import WorkerError
from bnsearch.search import executor as module
from bnsearch.search.executor import LocalExecutor, WorkerDied, local_executor
from bnsearch.search.renewed import Renewed
from bnsearch.search.worker import work
from tests.processes import PATIENCE_SECONDS, kill, until_gone


@pytest.fixture
def workers() -> Iterator[LocalExecutor]:
    executor = local_executor(2)
    yield executor
    executor.shutdown(wait=False)


def pids(executor: Executor) -> set[int]:
    return {executor.submit(os.getpid).result(PATIENCE_SECONDS) for _ in range(10)}


def test_calls_are_done_by_processes_that_stay(workers: LocalExecutor) -> None:
    first = pids(workers)
    assert os.getpid() not in first
    assert len(first | pids(workers)) <= 2
    assert workers.submit(int, "7", base=8).result(PATIENCE_SECONDS) == 7


def fail() -> None:
    raise KeyError("what")


class Unpicklable:
    def __reduce__(self) -> Any:
        raise TypeError("no pickle of it")


def unpicklable() -> Unpicklable:
    return Unpicklable()


def test_what_a_call_raises_comes_back_with_where_it_was(workers: LocalExecutor) -> None:
    with pytest.raises(KeyError, match="what") as caught:
        workers.submit(fail).result(PATIENCE_SECONDS)
    assert "in fail" in caught.value.__notes__[0]


def test_what_cannot_be_pickled_is_said_and_the_worker_goes_on(workers: LocalExecutor) -> None:
    before = pids(workers)
    for future in (workers.submit(unpicklable), workers.submit(len, Unpicklable())):
        with pytest.raises(TypeError, match="no pickle of it"):
            future.result(PATIENCE_SECONDS)
    assert len(before | pids(workers)) <= 2


def die_at(number: int) -> None:
    os.kill(os.getpid(), number)


DEATHS: dict[str, tuple[Any, tuple[Any, ...], str]] = {
    "killed": (die_at, (signal.SIGKILL,), r"was killed by SIGKILL \(as when memory runs out\)"),
    "crashed": (die_at, (signal.SIGSEGV,), "was killed by SIGSEGV"),
    "left": (os._exit, (3,), "ended with exit code 3"),
}


@pytest.mark.parametrize("how", DEATHS)
def test_a_worker_that_dies_takes_nothing_along_but_its_call(how: str, workers: LocalExecutor) -> None:
    fn, args, words = DEATHS[how]
    others = [workers.submit(abs, -i) for i in range(5)]
    dead = workers.submit(fn, *args)
    others += [workers.submit(abs, -i) for i in range(5)]
    with pytest.raises(WorkerDied, match=words):
        dead.result(PATIENCE_SECONDS)
    assert [future.result(PATIENCE_SECONDS) for future in others] == [*range(5), *range(5)]


def test_one_that_dies_while_nothing_is_asked_is_replaced(workers: LocalExecutor) -> None:
    before = pids(workers)
    for pid in before:
        kill(pid)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # all of its threads, and its end of the pipe, are gone
    assert not pids(workers) & before, "nor is any call lost"


SHARES = (0.0, 0.5, 0.999)


class BreakingOff:
    """A worker's pipe, whose process is killed when of an answer that is one of SHARES such a share is written."""

    def __init__(self, pipe: "Connection[Any, Any]"):
        self.pipe, self.recv_bytes = pipe, pipe.recv_bytes

    def send_bytes(self, answer: bytes) -> None:
        """Whole, unless it is one of those that are asked for."""
        share = pickle.loads(answer)[1] if answer.startswith(b"\x80") else None
        if share not in SHARES:
            return self.pipe.send_bytes(answer)
        reader, writer = Pipe()
        writer.send_bytes(answer)  # with the length before it
        whole = os.read(reader.fileno(), 1000)
        os.write(self.pipe.fileno(), whole[: 1 + int(share * (len(whole) - 1))])
        die_at(signal.SIGKILL)


def work_and_break_off(pipe: "Connection[Any, Any]") -> None:
    work(BreakingOff(pipe))  # type: ignore[arg-type]


@pytest.mark.parametrize("share", SHARES)
def test_one_that_is_killed_in_the_middle_of_its_answer(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one queue for all workers, as of the standard library, the reader waited for the rest for ever."""
    monkeypatch.setattr(module, "work", work_and_break_off)
    executor = local_executor(2)
    try:
        with pytest.raises(WorkerDied, match="SIGKILL"):
            executor.submit(abs, share).result(PATIENCE_SECONDS)
        assert executor.submit(abs, -2).result(PATIENCE_SECONDS) == 2
    finally:
        executor.shutdown(wait=False)


def test_an_answer_that_needs_too_much_memory_is_an_error_like_others(workers: LocalExecutor) -> None:
    with pytest.raises(MemoryError):
        workers.submit(bytes, sys.maxsize // 2).result(PATIENCE_SECONDS)


def leave_at_once(pipe: Any) -> None:
    os._exit(4)


def test_workers_that_cannot_start_are_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "work", leave_at_once)
    executor = local_executor(1)
    with pytest.raises(WorkerError, match=r"must be able to start, but 3 in a row did not.*run the same command again"):
        executor.submit(abs, -1).result(PATIENCE_SECONDS)
    executor.shutdown()


def test_shutdown_waits_for_what_is_under_way_or_ends_it() -> None:
    executor = local_executor(1)
    futures = [executor.submit(abs, -i) for i in range(5)]
    executor.shutdown()
    assert [future.result(0) for future in futures] == list(range(5))
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(abs, -1)

    executor = local_executor(1)
    executor.submit(abs, -1).result(PATIENCE_SECONDS)
    endless, waiting = executor.submit(signal.pause), executor.submit(abs, -1)
    while not endless.running():
        pass
    executor.shutdown(wait=False, cancel_futures=True)
    with pytest.raises(WorkerDied):
        endless.result(PATIENCE_SECONDS)
    assert waiting.cancelled()


ORPHANS = """
    import os, sys, time
    from bnsearch.search.executor import local_executor
    if __name__ == "__main__":
        executor = local_executor(2)
        print(*{executor.submit(os.getpid).result() for _ in range(10)}, flush=True)
        executor.submit(time.sleep, 1e6)
        print("at work", flush=True)
        sys.stdin.readline()
"""


def test_workers_leave_when_their_coordinator_is_killed_whether_idle_or_at_work(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(ORPHANS))
    with subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as coordinator:
        assert coordinator.stdout is not None
        workers = [int(pid) for pid in coordinator.stdout.readline().split()]
        assert workers
        assert coordinator.stdout.readline() == "at work\n"
        coordinator.kill()
    until_gone(workers)


# ---- executors that break as a whole


def test_a_pool_that_breaks_is_made_anew() -> None:
    """The standard library's: a worker's death is the end of all."""
    made: list[ProcessPoolExecutor] = []

    def factory() -> ProcessPoolExecutor:
        made.append(ProcessPoolExecutor(1, mp_context=get_context("spawn")))
        return made[-1]

    executor = Renewed(factory)
    assert not made, "none is made before it is needed"
    with pytest.raises(BrokenProcessPool):
        executor.submit(os._exit, 1).result(PATIENCE_SECONDS)
    assert executor.submit(abs, -1).result(PATIENCE_SECONDS) == 1
    assert len(made) == 2
    executor.shutdown()


class AlwaysBroken(Executor):
    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        raise BrokenProcessPool("out of order")


def test_executors_that_are_broken_from_the_start_are_given_up() -> None:
    with pytest.raises(WorkerError, match="broke as soon as they were there: out of order"):
        Renewed(AlwaysBroken).submit(abs, -1)
