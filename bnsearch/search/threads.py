"""One BLAS thread for as long as anyone in this process needs it: a lane's bits are promised for one thread alone."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import OpenBLASController, threadpool_limits

import bnsearch.core.blas  # noqa: F401 (the limit takes hold only of a BLAS that is loaded already)

_lock = threading.Lock()
_holders = 0
_limit: threadpool_limits | None = None


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread in the block; the former limit comes back when the last of several blocks ends.

    The limit is the process's: were each thread to set and restore its own, the first to end would free the others'.
    OpenBLAS obeys the thread that set its limit last and no other, until it is told that this thread is done.
    """
    global _holders, _limit
    with _lock:
        _holders += 1
        if _limit is None:
            OpenBLASController.clear_controlling_thread(force=True)
            _limit = threadpool_limits(1, user_api="blas")
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if _holders == 0 and _limit is not None:
                OpenBLASController.clear_controlling_thread(force=True)
                _limit.restore_original_limits()
                OpenBLASController.clear_controlling_thread(force=True)
                _limit = None
