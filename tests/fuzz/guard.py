"""Nothing that is read may run anything, or write anywhere but into the folder at hand."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FORBIDDEN = (
    "ctypes.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.system",
    "pickle.find_class",
    "pty.spawn",
    "shutil.rmtree",
    "socket.",
    "subprocess.",
    "urllib.",
)
RELATIVE = ("os.mkdir", "os.remove", "os.rmdir", "os.rename", "os.link", "os.symlink", "os.chmod")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_folders: list[Path] = []
_installed = False


def check_line(error: Exception, secret: str = "\n") -> None:
    """A refusal is one line, without a secret."""
    assert "\n" not in str(error), error
    assert secret not in str(error), error


@contextmanager
def only_in(folder: Path) -> Iterator[None]:
    """AssertionError where anything is started, unpickled, connected to, or written outside the folder."""
    global _installed
    if not _installed:  # a hook cannot be taken away again
        sys.addaudithook(_audit)
        _installed = True
    _folders.append(folder.resolve())
    try:
        yield
    finally:
        _folders.pop()


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _folders or (event in RELATIVE and arguments[-1] != -1):  # to a folder that was opened before
        return
    if event.startswith(FORBIDDEN) and not (event == "shutil.rmtree" and _within(arguments[0])):
        raise AssertionError(f"{event} {arguments!r}")
    if event == "open" and _writes(*arguments[1:3]) and not _within(arguments[0]):
        raise AssertionError(f"{event} {arguments!r}")
    if event in ("os.mkdir", "os.remove", "os.rmdir", "os.chmod", "os.truncate") and not _within(arguments[0]):
        raise AssertionError(f"{event} {arguments!r}")
    if event in ("os.rename", "os.link", "os.symlink") and not _within(arguments[1]):
        raise AssertionError(f"{event} {arguments!r}")


def _writes(mode: Any, flags: Any) -> bool:
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & WRITING)


def _within(path: Any) -> bool:
    if isinstance(path, int):  # a descriptor that was opened before
        return True
    resolved = Path(os.fsdecode(path)).resolve()
    return str(resolved) == os.devnull or any(resolved.is_relative_to(folder) for folder in _folders[-1:])
