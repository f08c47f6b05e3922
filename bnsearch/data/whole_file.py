"""A file that is there whole or not at all, whatever stops its writing: a full disk, a kill, a power cut."""

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

Bytes = bytes | memoryview


def write_whole(path: Path, pieces: Iterable[Bytes], *, durable: bool = True, keep: Path | None = None) -> None:
    """Write NAME.tmp beside it, which then takes its place; by one process at a time.

    durable: the new content is on the disk before it takes the place of the old, and its name before this returns, so
    that a power cut leaves the one or the other (two fsyncs, a few milliseconds each).
    keep: the name that the old one gets.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    try:
        with temporary.open("wb") as file:
            for piece in pieces:
                file.write(piece)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if keep is not None and path.exists():
            os.replace(path, keep)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def name_new(temporary: Path, path: Path) -> None:
    """Give a whole file its name, durably; raises FileExistsError where something has it already."""
    try:
        os.link(temporary, path)  # unlike a renaming, which would take the place of what is there
        temporary.unlink()
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        with path.open("xb"):
            pass
        os.replace(temporary, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where its file system can do that."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
