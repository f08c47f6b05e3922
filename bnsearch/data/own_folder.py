"""A folder of a process's own for what is not whole yet; what a killed one left is removed by the next."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = ".making-"


@contextmanager
def own_folder(parent: Path) -> Iterator[Path]:
    """A new folder in `parent`, which is there already; gone at the end, or when the next is made after a kill.

    It is locked for as long as its process lives. Making and removing take turns by a lock on `parent`, so that none
    is removed before it is locked. Where the file system has no locks nothing is removed.
    """
    with _opened(parent) as turn:
        has_locks = _lock(turn)
        if has_locks:
            _remove_leftovers(parent)
        with tempfile.TemporaryDirectory(dir=parent, prefix=PREFIX) as folder, _opened(Path(folder)) as descriptor:
            if has_locks:
                _lock(descriptor)
                fcntl.flock(turn, fcntl.LOCK_UN)
            yield Path(folder)


def _remove_leftovers(parent: Path) -> None:
    for path in parent.glob(f"{PREFIX}*"):
        with suppress(OSError), _opened(path) as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        return False
    return True
