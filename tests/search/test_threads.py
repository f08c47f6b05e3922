"""One BLAS thread for as long as anyone needs it."""

import threading

from threadpoolctl import threadpool_info, threadpool_limits

from bnsearch.search.threads import one_blas_thread
from tests.processes import PATIENCE_SECONDS


def blas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_the_limit_holds_until_the_last_of_several_threads_is_done() -> None:
    """The thread that ended first once gave the others back as many threads as there are cores."""
    entered, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with one_blas_thread():
            entered.set()
            assert leave.wait(PATIENCE_SECONDS)

    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        thread = threading.Thread(target=stay)
        with one_blas_thread():
            thread.start()
            assert entered.wait(PATIENCE_SECONDS)
        assert blas_threads() == {1}
        leave.set()
        thread.join()
        assert blas_threads() == before
