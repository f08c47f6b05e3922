"""Lock files: exclusive, and freed by the system when their holder dies."""

import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from bnsearch.data.disk_error import cause_and_remedy
from bnsearch.errors import LockedError, StoreError

ODD = (ValueError, TypeError, OverflowError, RecursionError)  # of a lock file that says what no holder wrote
WRITING_SECONDS = 1.0  # a holder has the lock before its name stands in the file


class Holder(NamedTuple):
    """A process that holds a lock, as others are told of it."""

    host: str
    pid: int
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} (since {self.since})"


def this_process() -> Holder:
    """From now on."""
    return Holder(socket.gethostname(), os.getpid(), moment(datetime.now(UTC)))


def moment(at: datetime) -> str:
    """As holders tell it."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def in_use(what: str, who: Holder | str) -> LockedError:
    """Said to whoever comes second."""
    return LockedError(f"{what} must not be in use, but {who} holds it; wait for it to end.")


def lock_files(results: Path, database: Path | None) -> list[Path]:
    """Lock files of the study whose results lie in the folder `results`: NAME.lock beside that folder for its files,
    and beside an SQLite database one for the study of this name in it.

    Whose default the database is does not matter: NAME.db of another folder is the same NAME.lock for all.
    """
    # one process must not meet itself under two names of a file
    found = [Path(os.path.realpath(results.parent)) / f"{results.name}.lock"]
    if database is not None:
        real, name = Path(os.path.realpath(database)), results.name
        found.append(real.with_name(f"{name}.lock" if real.name == f"{name}.db" else f"{real.name}.{name}.lock"))
    return list(dict.fromkeys(found))


@contextmanager
def locked(path: Path, what: str) -> Iterator[Callable[[], None]]:
    """Hold the lock file at path, or raise LockedError with its holder.

    Yields a check that raises LockedError if the file has been removed or replaced since, for then another process may
    hold the one that lies there now.
    """
    with ExitStack() as opened:
        while True:
            descriptor = opened.enter_context(_opened(path, os.O_RDWR | os.O_CREAT))
            try:
                _take(descriptor, what)
            except OSError as error:
                raise StoreError(
                    f"{path} must lie on a file system that has locks, but: {os.strerror(error.errno or 0)}: choose "
                    f"another place."
                ) from error
            if _lies_at(path, descriptor):  # else it was removed just after it was opened
                break
        with suppress(OSError):  # a full disk, which whatever is written next will tell
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(this_process()._asdict()).encode(), 0)

        def check() -> None:
            if not _lies_at(path, descriptor):
                raise LockedError(
                    f"{what} must stay locked while it is at work, but its lock file {path} was removed or replaced, "
                    f"and another process may be at work on it: let the file lie, and run again to go on."
                )

        try:
            yield check
        finally:  # the file stays: removing it would let two processes lock different files
            with suppress(OSError):
                os.ftruncate(descriptor, 0)


def _lies_at(path: Path, descriptor: int) -> bool:
    """Is the open file the one of this name?"""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _take(descriptor: int, what: str) -> None:
    """Lock it, or raise LockedError with its holder; one who is not named yet, or only looks, is waited for."""
    until = time.monotonic() + WRITING_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            named = _holder(descriptor)
            if named is not None or time.monotonic() > until:
                raise in_use(what, named or "another process") from error
        time.sleep(0.01)


def holder(path: Path) -> str | None:
    """Who holds the lock file at path, or None; it is neither made nor written to."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # given back at once
    except BlockingIOError:
        return str(_holder(descriptor) or "another process")
    finally:
        os.close(descriptor)
    return None


def seems_held(path: Path) -> bool:
    """Does a holder that lives stand in the lock file at path, as far as this machine can tell?

    To be asked again and again: to try the lock, as `holder` does, could just then keep a process that starts from
    taking it.
    """
    try:
        named = json.loads(path.read_text(encoding="utf-8"))
        return named["host"] != socket.gethostname() or is_alive(int(named["pid"]))
    except (OSError, KeyError, *ODD):
        return False


@contextmanager
def in_turn(database: Path) -> Iterator[None]:
    """Wait for the lock on the folder in which an SQLite database really lies, for what must be done by one process
    after another, by whichever of its names they know it.
    """
    with _opened(Path(os.path.realpath(database)).parent, os.O_RDONLY) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    """A descriptor, whose closing frees its lock."""
    folder = path.parent if flags & os.O_CREAT else path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, flags, 0o644)
    except OSError as error:
        raise StoreError(f"{folder} must be a writable folder, but: {cause_and_remedy(error)}.") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> Holder | None:
    """What the file says, unless it is about nobody who lives."""
    try:
        found = Holder(**json.loads(os.pread(descriptor, 1000, 0)))
        return found if found.host != socket.gethostname() or is_alive(int(found.pid)) else None
    except ODD:
        return None


def is_alive(pid: int) -> bool:
    """Is there such a process here? A name left by one that was killed says nothing about the next one."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True
