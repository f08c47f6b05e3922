"""Files of the cache: written whole or not at all, by however many processes at once, and checked before use.

A file made from others has its sha256 in another beside it; a copy of data at hand is compared with them.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnsearch.errors import DataError

COMPARE_ROWS = 5000


def write(path: Path, write_to: Callable[[Path], object]) -> None:
    """Whole or not at all: another process may be writing the same."""
    with _folder_of_its_own(path.parent) as folder:
        temporary = folder / path.name
        write_to(temporary)
        os.replace(temporary, path)


def keep_array(path: Path, array: NDArray[Any]) -> None:
    """Let the file hold the array (n, ...); written only where it does not."""
    if not _holds(path, array):
        write(path, lambda temporary: np.save(temporary, array))


def make(path: Path, write_to: Callable[[Path], object]) -> None:
    """Let the file be as it was made; made where it is missing or damaged, as `write_to` makes the same again."""
    checksum = path.with_name(f"{path.name}.sha256")
    try:
        if checksum.read_text(encoding="ascii") == _sha256(path):
            return
    except (OSError, ValueError):
        pass
    write(path, write_to)
    whole = _sha256(path)
    write(checksum, lambda temporary: temporary.write_text(whole, encoding="ascii"))


def check_writable(cache: Path) -> None:
    """Make the cache folder where there is none; raises DataError where nothing can be written in it."""
    with _folder_of_its_own(cache):
        pass


@contextmanager
def _folder_of_its_own(parent: Path) -> Iterator[Path]:
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent) as folder:
            yield Path(folder)
    except OSError as error:
        raise DataError(
            f"The cache folder {parent} must be writable, but: {error}. Set BNSEARCH_CACHE to another folder."
        ) from error


def _holds(path: Path, array: NDArray[Any]) -> bool:
    try:
        found = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError):  # what NumPy raises on half a file, or none
        return False
    if (found.dtype, found.shape) != (array.dtype, array.shape):
        return False
    # in pieces, for a comparison of the whole takes as much memory again
    pieces = (slice(low, low + COMPARE_ROWS) for low in range(0, len(array), COMPARE_ROWS))
    return all(found[piece].tobytes() == array[piece].tobytes() for piece in pieces)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
