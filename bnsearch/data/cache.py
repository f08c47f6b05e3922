"""Files of the cache: written whole or not at all, by however many processes at once."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bnsearch.errors import DataError


def write(path: Path, write_to: Callable[[Path], object]) -> None:
    """Whole or not at all: another process may be writing the same."""
    with _folder_of_its_own(path.parent) as folder:
        temporary = folder / path.name
        write_to(temporary)
        os.replace(temporary, path)


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
