"""A disk that fails at the n-th write: those of Python's files, and those of SQLite below it.

Python's are caught where files are opened, written, synced, named and removed. SQLite's are its own system calls, which
its library lets be replaced for tests like these (`sqlite3_vfs.xSetSystemCall`); the library that Python uses is
called through ctypes for that.
"""

import builtins
import ctypes
import ctypes.util
import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

Pointer = ctypes.c_void_p
SET = ctypes.CFUNCTYPE(ctypes.c_int, Pointer, ctypes.c_char_p, Pointer)
GET = ctypes.CFUNCTYPE(Pointer, Pointer, ctypes.c_char_p)
CALLS: dict[bytes, Any] = {
    b"write": ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_int, Pointer, ctypes.c_size_t, use_errno=True),
    b"pwrite": ctypes.CFUNCTYPE(
        ctypes.c_ssize_t, ctypes.c_int, Pointer, ctypes.c_size_t, ctypes.c_long, use_errno=True
    ),
    b"pwrite64": ctypes.CFUNCTYPE(
        ctypes.c_ssize_t, ctypes.c_int, Pointer, ctypes.c_size_t, ctypes.c_int64, use_errno=True
    ),
    b"ftruncate": ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int64, use_errno=True),
}


class _VFS(ctypes.Structure):
    _fields_ = [
        ("iVersion", ctypes.c_int),
        ("szOsFile", ctypes.c_int),
        ("mxPathname", ctypes.c_int),
        ("pNext", Pointer),
        ("zName", ctypes.c_char_p),
        ("pAppData", Pointer),
        *[
            (name, Pointer)
            for name in (
                *("xOpen", "xDelete", "xAccess", "xFullPathname", "xDlOpen", "xDlError", "xDlSym", "xDlClose"),
                *("xRandomness", "xSleep", "xCurrentTime", "xGetLastError", "xCurrentTimeInt64"),
            )
        ],
        ("xSetSystemCall", SET),
        ("xGetSystemCall", GET),
        ("xNextSystemCall", Pointer),
    ]


class Disk:
    """Counts the writes below a folder; the n-th fails, and all after it if it stays so."""

    def __init__(self, folder: Path, n: int | None, code: int = errno.ENOSPC, *, stays: bool = True):
        self.folder, self.n, self.code, self.stays = str(folder.resolve()), n, code, stays
        self.count = 0
        self.count_of_sqlite = 0

    @property
    def failed(self) -> bool:
        """Has it come to the n-th write?"""
        return self.n is not None and self.count >= self.n

    def fails(self) -> bool:
        """One more write; is it one that fails?"""
        self.count += 1
        return self.n is not None and (self.count == self.n or (self.stays and self.count > self.n))

    def check(self, path: Any) -> None:
        """A write to a file of Python's."""
        if isinstance(path, int) or os.path.abspath(os.fsdecode(path)).startswith(self.folder):
            self.tick()

    def tick(self) -> None:
        """The same, wherever the file lies."""
        if self.fails():
            raise OSError(self.code, os.strerror(self.code))


@contextmanager
def failing(disk: Disk) -> Iterator[None]:
    """For as long as the block lasts."""
    with pytest.MonkeyPatch.context() as patch, _sqlite(disk):
        _python(patch, disk)
        yield


def _python(patch: pytest.MonkeyPatch, disk: Disk) -> None:
    class File(io.FileIO):
        def write(self, content: Any) -> int:
            disk.tick()
            return super().write(content)

    real_open, real_fsync = io.open, os.fsync

    def open_(file: Any, mode: str = "r", *more: Any, **options: Any) -> Any:
        if not any(letter in mode for letter in "wax") or isinstance(file, int):
            return real_open(file, mode, *more, **options)
        disk.check(file)
        writer = io.BufferedWriter(File(file, mode.replace("b", "").replace("t", "")))
        return writer if "b" in mode else io.TextIOWrapper(writer, options.get("encoding") or "utf-8", newline="")

    def fsync(descriptor: int) -> None:
        disk.tick()
        real_fsync(descriptor)

    def checked(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, *arguments: Any, **options: Any) -> Any:
            disk.check(path)
            return function(path, *arguments, **options)

        return call

    patch.setattr(io, "open", open_)
    patch.setattr(builtins, "open", open_)
    patch.setattr(os, "fsync", fsync)
    for name in ("replace", "mkdir", "link"):
        patch.setattr(os, name, checked(getattr(os, name)))
    if disk.code == errno.EIO:  # a full disk lets be removed what there is
        for name in ("unlink", "remove"):
            patch.setattr(os, name, checked(getattr(os, name)))


@contextmanager
def _sqlite(disk: Disk) -> Iterator[None]:
    name = ctypes.util.find_library("sqlite3")
    if name is None:
        pytest.skip("Python's SQLite is no shared library")
    library = ctypes.CDLL(name)
    library.sqlite3_vfs_find.restype = ctypes.POINTER(_VFS)
    vfs = library.sqlite3_vfs_find(None).contents
    address = ctypes.addressof(vfs)
    kept = []  # for SQLite holds no reference
    for call, kind in CALLS.items():
        found = vfs.xGetSystemCall(address, call)
        if found:
            kept.append(kind(_failing_call(kind(found), disk)))
            vfs.xSetSystemCall(address, call, ctypes.cast(kept[-1], Pointer))
    try:
        yield
    finally:
        for call in CALLS:
            vfs.xSetSystemCall(address, call, None)


def _failing_call(real: Callable[..., int], disk: Disk) -> Callable[..., int]:
    def call(*arguments: Any) -> int:
        disk.count_of_sqlite += 1
        if disk.fails():
            ctypes.set_errno(disk.code)
            return -1
        return real(*arguments)

    return call
