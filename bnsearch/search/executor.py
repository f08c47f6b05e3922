"""Local worker processes behind the standard `concurrent.futures.Executor`; nothing else of bnsearch knows where
work is done.
"""

import atexit
import os
import pickle
import queue
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, NamedTuple, ParamSpec, TypeVar

from bnsearch.errors import WorkerError
from bnsearch.search.worker import STOPS, work

ExecutorFactory = Callable[[], Executor]
P = ParamSpec("P")
T = TypeVar("T")

MAX_STARTS = 3  # in a row that come to nothing


class WorkerDied(Exception):
    """The process that did a call is gone; its text says how. Another takes its place."""


class _Worker(NamedTuple):
    process: SpawnProcess
    pipe: "Connection[Any, Any]"


class LocalExecutor(Executor):
    """Spawned processes, each with one BLAS thread and a pipe of its own.

    They share no queue and no lock: one that dies, at whatever moment, takes nothing along but its call, which fails
    with WorkerDied, and another takes its place.
    """

    def __init__(self, n_workers: int):
        self._calls: queue.SimpleQueue[tuple[Future[Any], Any] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._workers: set[_Worker] = set()
        self._closed = self._abandoned = False
        resource_tracker.ensure_running()  # now, for its start would unblock the signals that `_start` blocks
        # all start now, side by side, not each when there is a call for it
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(n_workers)]
        for thread in self._threads:
            thread.start()
        atexit.register(self.shutdown, wait=False)  # else multiprocessing would wait for those at work

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """The next idle worker takes the call."""
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            self._calls.put((future, (fn, args, kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """With wait: when all calls are done. Without: at once, and a call under way fails with WorkerDied."""
        atexit.unregister(self.shutdown)
        with self._lock:
            self._closed, self._abandoned = True, not wait
            if cancel_futures or not wait:
                self._cancel_waiting()
            for _ in self._threads:
                self._calls.put(None)
            for worker in self._workers if not wait else ():
                worker.process.kill()
        for thread in self._threads if wait else ():
            thread.join()

    def _cancel_waiting(self) -> None:
        while True:
            try:
                call = self._calls.get_nowait()
            except queue.Empty:
                return
            if call is not None:
                call[0].cancel()

    def _serve(self) -> None:
        """A thread for each worker starts the process, hands it calls and waits for what they bring."""
        worker = self._started()
        while (call := self._calls.get()) is not None:
            if worker is not None and worker.pipe.poll():  # it has nothing to say before it is asked: it is gone
                self._end_of(worker)
                worker = None
            worker = worker or self._started()
            if call[0].set_running_or_notify_cancel() and not self._do(worker, *call):
                worker = self._started()
            del call
        if worker is not None:
            self._end_of(worker)

    def _do(self, worker: _Worker | None, future: Future[Any], call: Any) -> bool:
        """Have a call done; False where the worker is no more."""
        if worker is None:
            future.set_exception(
                WorkerError(
                    f"Worker processes must be able to start, but {MAX_STARTS} in a row did not: see to memory and "
                    f"limits (`ulimit -a`), and run the same command again to go on."
                )
            )
            return True
        try:
            question = pickle.dumps(call, pickle.HIGHEST_PROTOCOL)
            try:
                worker.pipe.send_bytes(question)
                answer = worker.pipe.recv_bytes()
            except (EOFError, OSError, MemoryError):
                worker.process.kill()  # if it lives, who knows how much of the answer is still to come
                future.set_exception(WorkerDied(self._end_of(worker)))
                return False
            done, found = pickle.loads(answer)
        except Exception as error:  # what cannot be pickled
            done, found = False, error
        if done:
            future.set_result(found)
        else:
            future.set_exception(found)
        return True

    def _started(self) -> _Worker | None:
        """A worker that is ready; None where none can be, or there is nothing left to do."""
        for _ in range(MAX_STARTS):
            worker = None if self._abandoned else self._start()
            if worker is not None:
                return worker
        return None

    def _start(self) -> _Worker | None:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        worker = _Worker(context.Process(target=work, args=(theirs,), daemon=True), ours)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)  # inherited, and so from its first moment on
        try:
            with self._lock:
                worker.process.start()
                self._workers.add(worker)
                if self._abandoned:
                    worker.process.kill()
        except OSError:  # no process, no memory
            ours.close()
            return None
        finally:
            theirs.close()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        try:
            ours.recv_bytes()
        except (EOFError, OSError):
            self._end_of(worker)
            return None
        return worker

    def _end_of(self, worker: _Worker) -> str:
        """Let go of a worker that is gone, or idle, which ends it; how it ended."""
        worker.pipe.close()
        worker.process.join()
        with self._lock:
            self._workers.discard(worker)
        code = worker.process.exitcode
        if code is None or code >= 0:
            return f"ended with exit code {code}"
        name = signal.Signals(-code).name
        return f"was killed by {name}" + (" (as when memory runs out)" if name == "SIGKILL" else "")


def local_executor(n_workers: int) -> LocalExecutor:
    """Workers on this machine."""
    return LocalExecutor(n_workers)


def available_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
