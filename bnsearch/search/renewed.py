"""Workers that die: what their calls fail with, and an executor that outlives its own end."""

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import ParamSpec, TypeVar

from bnsearch.errors import WorkerError
from bnsearch.search.executor import ExecutorFactory, WorkerDied

P = ParamSpec("P")
T = TypeVar("T")
GONE = (WorkerDied, BrokenExecutor, MemoryError)  # what a call fails with that may be tried again


def how_gone(error: BaseException) -> str:
    """What is said of the worker of such a call."""
    if isinstance(error, MemoryError):
        return "ran out of memory"
    return str(error) if isinstance(error, WorkerDied) else "died"


class Renewed(Executor):
    """An executor that is made when first needed, and made anew by its factory when it is broken for good."""

    def __init__(self, factory: ExecutorFactory):
        self.factory = factory
        self.current: Executor | None = None

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As the executor does; what a broken one had under way has failed with BrokenExecutor."""
        if self.current is None:
            self.current = self.factory()
        try:
            return self.current.submit(fn, *args, **kwargs)
        except BrokenExecutor:
            self.current.shutdown(wait=False, cancel_futures=True)
            self.current = self.factory()
        try:
            return self.current.submit(fn, *args, **kwargs)
        except BrokenExecutor as error:
            raise WorkerError(f"Workers must take calls, but broke as soon as they were there: {error}") from error

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the workers go."""
        if self.current is not None:
            self.current.shutdown(wait, cancel_futures=cancel_futures)
