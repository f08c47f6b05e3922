"""SIGINT (Ctrl-C) and SIGTERM: the first ends the command in good order, the second, or the clock, at once.

Either way nothing is lost: what lies on the disk is whole at every moment, and SIGKILL as safe as either.
"""

import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

SIGNALS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
PATIENCE_SECONDS = 4.0  # for the end in good order
SHOW_CURSOR = b"\x1b[?25h"  # a bar hides it


class Stopping:
    """What has been asked by signals."""

    def __init__(self) -> None:
        self.number: int | None = None  # of the first one
        self._words = threading.Lock()  # for whoever says them, and keeps it

    def leave(self) -> NoReturn:
        """Say how to go on, and end with the exit code that shells have: 130 for SIGINT, 143 for SIGTERM.

        Not by `sys.exit`: on that way another signal could change the code, and Python itself does where the first one
        met it in an `exec`, as in the making of a dataclass.
        """
        number = signal.Signals(self.number or signal.SIGINT)
        line = f"bnsearch: {SIGNALS[number]}; nothing is lost: run the same command again to go on.\n"
        if self._words.acquire(blocking=False):
            with suppress(OSError, ValueError):  # a pipe that nobody reads, a full disk
                sys.stdout.flush()
                os.write(2, (SHOW_CURSOR if os.isatty(2) else b"") + line.encode())
        os._exit(128 + number)

    def handle(self, number: int, frame: FrameType | None) -> None:
        """In the main thread: KeyboardInterrupt for the first signal, whichever it is."""
        if self.number is None:
            self.number = number
            raise KeyboardInterrupt

    def watch(self, bell: int) -> None:
        """In a thread of its own, for the main one may be deep in a library: end the process when it is time to."""
        first = os.read(bell, 1)  # the number of a signal
        if not first:  # none came
            os.close(bell)
            return
        rung, _, _ = select.select([bell], [], [], PATIENCE_SECONDS)
        if rung and not os.read(bell, 1):  # no second one: the command came to its end, as a dashboard does
            os.close(bell)
            return
        self.number = self.number or first[0]
        self.leave()


@contextmanager
def stoppable() -> Iterator[Stopping]:
    """Signals are handled in the block; those that are ignored from the start (as under nohup) stay so."""
    stopping = Stopping()
    handled = [s for s in SIGNALS if signal.getsignal(s) is not signal.SIG_IGN]
    if threading.current_thread() is not threading.main_thread():
        handled = []
    if not handled:
        yield stopping
        return
    bell, rope = os.pipe()
    os.set_blocking(rope, False)
    former_rope = signal.set_wakeup_fd(rope)
    former = {s: signal.signal(s, stopping.handle) for s in handled}
    threading.Thread(target=stopping.watch, args=(bell,), daemon=True).start()
    try:
        yield stopping
    finally:
        for s, handler in former.items():
            signal.signal(s, handler)
        signal.set_wakeup_fd(former_rope)
        os.close(rope)
