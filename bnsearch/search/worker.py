"""A worker process from within: it does one call after another, and leaves when nobody asks any longer."""

import os
import pickle
import signal
import threading
import traceback
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import Any

STOPS = (signal.SIGINT, signal.SIGTERM)  # may reach all processes of a terminal or a service; the coordinator decides


def work(pipe: "Connection[Any, Any]") -> None:
    """The life of a worker process."""
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    from threadpoolctl import threadpool_limits

    import bnsearch.core.blas  # noqa: F401 (the limit takes hold only of a BLAS that is loaded already)

    threadpool_limits(1)
    try:
        pipe.send_bytes(b"ready")
        while True:
            _answer(pipe)
    except (EOFError, BrokenPipeError):  # nobody asks any longer
        return


def _answer(pipe: "Connection[Any, Any]") -> None:
    """Do one call; (True, what it returns) or (False, what it raises) goes back."""
    received = pipe.recv_bytes()
    try:
        fn, args, kwargs = pickle.loads(received)
        answer = pickle.dumps((True, fn(*args, **kwargs)), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        error.add_note(f"In a worker process:\n{traceback.format_exc()}")
        answer = pickle.dumps((False, error))
    pipe.send_bytes(answer)


def _leave_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
