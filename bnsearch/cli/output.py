"""Output that may have no room: a full disk under a log, or under a result."""

import os
import sys
from contextlib import suppress


def tell(text: str) -> None:
    """A line on stderr, or none where it cannot be written.

    Past Python's buffer: what is left in there is tried again by whatever flushes next, as the start of a worker does.
    """
    try:
        descriptor = sys.stderr.fileno()
    except (OSError, ValueError):  # it is no file
        print(text, file=sys.stderr, flush=True)
        return
    with suppress(OSError):
        sys.stderr.flush()
        os.write(descriptor, f"{text}\n".encode(errors="replace"))


def leave_unsaid() -> None:
    """Whatever is still to go to standard output goes nowhere, or Python would try again at its end, and complain."""
    with suppress(OSError, ValueError):  # it is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
