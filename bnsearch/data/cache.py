"""Files of the cache: written whole or not at all, by however many processes at once, and checked before use.

A file made from others has its sha256 in another beside it; a copy of data at hand is compared with them.
"""

import hashlib
import io
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnsearch.data.disk_error import cause_and_remedy
from bnsearch.data.own_folder import own_folder
from bnsearch.data.whole_file import Bytes, write_whole
from bnsearch.errors import DataError

COMPARE_ROWS = 5000


def write(path: Path, pieces: Iterable[Bytes]) -> None:
    """Whole or not at all: another process may be writing the same. What a power cut takes is noticed and made anew."""
    with _folder_of_its_own(path.parent) as folder:
        temporary = folder / path.name
        write_whole(temporary, pieces, durable=False)
        os.replace(temporary, path)


def keep_array(path: Path, array: NDArray[Any]) -> None:
    """Let the file hold the array (n, ...); written only where it does not."""
    if not _holds(path, array):
        write(path, npy(array.dtype, array.shape, [array]))


def npy(dtype: Any, shape: tuple[int, ...], parts: Iterable[NDArray[Any]]) -> Iterator[Bytes]:
    """A .npy file of an array that comes in parts, along its first axis.

    Not `np.save` nor a memory map: on a full disk the one tells no cause, and the other kills the process.
    """
    head = io.BytesIO()
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(head, header)
    yield head.getvalue()
    for part in parts:
        yield np.ascontiguousarray(part, dtype).reshape(-1).view(np.uint8).data


def make(path: Path, content: Callable[[], Iterable[Bytes]]) -> None:
    """Let the file be as it was made; made where it is missing or damaged, as `content` gives the same again."""
    checksum = path.with_name(f"{path.name}.sha256")
    try:
        if checksum.read_text(encoding="ascii") == _sha256(path):
            return
    except (OSError, ValueError):
        pass
    digest = hashlib.sha256()

    def digested() -> Iterator[Bytes]:
        for piece in content():
            digest.update(piece)
            yield piece

    write(path, digested())
    write(checksum, [digest.hexdigest().encode()])


def check_writable(cache: Path) -> None:
    """Make the cache folder where there is none; raises DataError where nothing can be written in it."""
    with _folder_of_its_own(cache):
        pass


@contextmanager
def _folder_of_its_own(parent: Path) -> Iterator[Path]:
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with own_folder(parent) as folder:
            yield folder
    except OSError as error:
        raise DataError(
            f"The cache folder {parent} must be writable, but: {cause_and_remedy(error)}. Set BNSEARCH_CACHE to "
            f"use another folder."
        ) from error


def _holds(path: Path, array: NDArray[Any]) -> bool:
    try:
        found = np.load(path, mmap_mode="r")
    except Exception:  # no file, half of one, or a header that Python's own tokenizer stumbles over
        return False
    if (found.dtype, found.shape) != (array.dtype, array.shape):
        return False
    # in pieces, for a comparison of the whole takes as much memory again
    pieces = (slice(low, low + COMPARE_ROWS) for low in range(0, len(array), COMPARE_ROWS))
    return all(found[piece].tobytes() == array[piece].tobytes() for piece in pieces)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
