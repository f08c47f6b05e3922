"""Small batch files of CIFAR-10 as fixtures."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.data.batches import CLASSES, batch, rows, text


@pytest.fixture
def pickled_batch() -> Callable[[NDArray[np.uint8], Sequence[int]], bytes]:
    return batch


@pytest.fixture
def rows_of() -> Callable[[int], tuple[NDArray[np.uint8], list[int]]]:
    return rows


@pytest.fixture
def write_cifar10() -> Callable[[Path], Path]:
    """Write six batch files of 20 rows and batches.meta into a new folder, and give the folder."""

    def write(folder: Path) -> Path:
        folder.mkdir(parents=True)
        for number in range(1, 7):
            name = f"data_batch_{number}" if number < 6 else "test_batch"
            (folder / name).write_bytes(batch(*rows(number)))
        names = b"".join(text(name) for name in CLASSES)
        (folder / "batches.meta").write_bytes(b"\x80\x02}q\x01(" + text("label_names") + b"](" + names + b"eu.")
        return folder

    return write
