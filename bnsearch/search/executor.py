"""Local worker processes behind the standard `concurrent.futures.Executor`; nothing else of bnsearch knows where
work is done.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing.connection import wait

ExecutorFactory = Callable[[], Executor]


def local_executor(n_workers: int) -> ProcessPoolExecutor:
    """A pool of spawned processes, one BLAS thread each, that ignore SIGINT and leave when their parent dies."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(n_workers, mp_context=context, initializer=start_worker)


def start_worker() -> None:
    """Run once in every worker process."""
    import numpy  # noqa: F401 (the limit takes hold only of a BLAS that is loaded already)
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the coordinator decides when to stop
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def available_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
