"""Ways to stop a search anywhere: at an event, at a call of a worker, at a write."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from optuna.storages import RDBStorage

from bnsearch.search.live import View
from bnsearch.search.open_trial import OpenTrial
from bnsearch.search.progress import Silent
from bnsearch.search.store import Store
from tests.search.helpers import Inline

WRITES = (
    "create_new_study",
    "_create_new_trial",
    "set_study_user_attr",
    "set_trial_state_values",
)


class Crash(Exception):
    """Ends a search as a kill does: nobody writes states on the way out, as after Ctrl-C."""


class Countdown(Silent):
    """Raises KeyboardInterrupt, or what is asked for, at the n-th event."""

    def __init__(self, n: int, error: type[BaseException] = KeyboardInterrupt):
        self.left, self.error = n, error

    def tick(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise self.error

    def begin(self, what: str, total: float | None = None) -> None:
        self.tick()

    def update(self, done: float, note: str = "") -> None:
        self.tick()

    def show(self, view: View) -> None:
        self.tick()

    def end(self) -> None:
        self.tick()


def again_and_again(attempt: Callable[[int], object], first: int = 1, more: int = 1) -> int:
    """Attempt with a countdown of first, first + more, … events until it comes through; how often it was stopped."""
    n_stopped = 0
    while True:
        try:
            attempt(first + more * n_stopped)
            return n_stopped
        except (KeyboardInterrupt, Crash):
            n_stopped += 1


class Stopping(Inline):
    """The n-th call never comes back."""

    def __init__(self, n: int, error: type[BaseException] = KeyboardInterrupt):
        self.countdown = Countdown(n, error)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.countdown.tick()
        return super().submit(fn, *args, **kwargs)


def stop_at_write(patch: pytest.MonkeyPatch, n: int, *, after: bool) -> None:
    """KeyboardInterrupt before or after the n-th write."""
    countdown = Countdown(n)

    def stopping(method: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if not after:
                countdown.tick()
            found = method(*args, **kwargs)
            if after:
                countdown.tick()
            return found

        return wrapped

    for name in WRITES:
        patch.setattr(RDBStorage, name, stopping(getattr(RDBStorage, name)))
    patch.setattr(Store, "record_look", stopping(Store.record_look))
    for name in ("report", "set_user_attrs"):
        patch.setattr(OpenTrial, name, stopping(getattr(OpenTrial, name)))
