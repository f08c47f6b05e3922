"""Local worker processes behind the standard `concurrent.futures.Executor`; nothing else of bnsearch knows where
work is done.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import wait
from types import FrameType
from typing import ParamSpec, TypeVar

ExecutorFactory = Callable[[], Executor]
P = ParamSpec("P")
T = TypeVar("T")


class LocalExecutor(ProcessPoolExecutor):
    """A pool of spawned processes, one BLAS thread each, that ignore SIGINT and leave when their parent dies."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Workers are started here, with SIGINT blocked, and keep that from their first moment on.

        Ctrl-C reaches a whole terminal's processes: one that died of it while it started would hold the queue's lock
        for ever, and the coordinator would wait for the others to the end of time.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with _interrupt_later():
                return super().submit(fn, *args, **kwargs)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _interrupt_later() -> Iterator[None]:
    """Ctrl-C in the block takes effect at its end.

    A mask is one thread's: a thread of BLAS may take the signal, and Python would raise KeyboardInterrupt here all the
    same, between the start of a process and its instructions.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    handler = signal.signal(signal.SIGINT, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if came and callable(handler):
            handler(*came[0])


def local_executor(n_workers: int) -> LocalExecutor:
    """Workers on this machine."""
    context = multiprocessing.get_context("spawn")
    executor = LocalExecutor(n_workers, mp_context=context, initializer=start_worker)
    for _ in range(n_workers):
        executor.submit(int)  # all start now, side by side; else each only when there is a call for it
    return executor


def start_worker() -> None:
    """Run once in every worker process."""
    from threadpoolctl import threadpool_limits

    import bnsearch.core.blas  # noqa: F401 (the limit takes hold only of a BLAS that is loaded already)

    threadpool_limits(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the coordinator decides when to stop; see LocalExecutor.submit
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def available_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
