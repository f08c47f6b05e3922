"""What every source of data gives: checked training rows in raw units, and a closed door to the test rows."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnsearch.errors import DataError

SEED = 0  # of every shuffle and split here; another value would make all earlier studies incomparable
TEST_SHARE = 5  # one row in so many is set aside as a test row

Rows = tuple[NDArray[Any], NDArray[np.int64]]  # X (n, D) uint8 or float32, y (n,)


@dataclass(frozen=True, eq=False)
class Dataset:
    """The training rows of one source, as they were read. `X` and `y` cannot be written to."""

    name: str
    X: NDArray[Any]  # (n, D) uint8 (images) or float32: the training rows only, raw units
    y: NDArray[np.int64]  # (n,) in 0..n_classes-1
    classes: tuple[str, ...]
    unit: float  # raw values are multiplied by it before anything else: 1/255 for cifar10, 1/16 for digits, 1 for files
    fingerprint: str  # sha256 of X, y, classes and unit; training rows only
    image_shape: tuple[int, ...] | None  # (3, 32, 32) for cifar10, (8, 8) for digits
    read_test: Callable[[], Rows]  # raw test rows, checked; only bnsearch.data.test_set calls it


def dataset(
    where: str,
    name: str,
    X: NDArray[Any],
    y: NDArray[np.int64],
    classes: tuple[str, ...],
    read_test: Callable[[], Rows],
    *,
    unit: float = 1.0,
    image_shape: tuple[int, ...] | None = None,
) -> Dataset:
    """Build a `Dataset` from training rows that pass `check`, with test rows that are checked when they are read.

    `where` is the file or folder that messages name; X is (n, D), y is (n,). Raises DataError.
    """
    check(where, X, y, classes)
    occurs = np.bincount(y, minlength=len(classes)) > 0
    if not occurs.all():
        missing = classes[int(np.argmin(occurs))]
        raise DataError(f"{where} must have training rows of every class, but has none of {missing!r}: add some.")
    X, y = np.ascontiguousarray(X), np.ascontiguousarray(y)
    X.flags.writeable = y.flags.writeable = False
    test = partial(_checked_test, where, read_test, X.dtype, X.shape[1], classes)
    return Dataset(name, X, y, classes, unit, fingerprint(X, y, classes, unit), image_shape, test)


def check(
    where: str,
    X: NDArray[Any],
    y: NDArray[Any],
    classes: Sequence[str],
    *,
    min_rows: int = 2,
    columns: Sequence[str] | None = None,
) -> None:
    """Raise DataError unless X is (n, D) uint8 or finite float32 and y is (n,) int64 in 0..len(classes)-1.

    `columns` are the D columns' names where they have any; rows are counted from 1 in the order of X.
    """
    if X.ndim != 2 or X.shape[1] < 1 or X.dtype not in (np.uint8, np.float32):
        raise DataError(f"{where} must give uint8 or float32 rows of at least one column, but got {_form(X)}.")
    if y.dtype != np.int64 or y.shape != X.shape[:1]:
        raise DataError(f"{where} must give one label for each of its {len(X)} rows, but got {_form(y)}.")
    if len(X) < min_rows:
        raise DataError(f"{where} must have at least {min_rows} rows, but has {len(X)}: add rows.")
    if len(classes) < 2:
        raise DataError(f"{where} must have at least 2 classes, but has {len(classes)}: add rows of another class.")
    if y.min() < 0 or y.max() >= len(classes):
        row = int(np.argmax((y < 0) | (y >= len(classes))))
        raise DataError(f"{where} must have labels in 0..{len(classes) - 1}, but row {row + 1} has {y[row]}.")
    finite = np.isfinite(X)
    if not finite.all():
        row, column = divmod(int(np.argmin(finite)), X.shape[1])
        name = repr(columns[column]) if columns is not None else column + 1
        raise DataError(
            f"{where} must hold finite numbers within float32's range, but column {name} has {X[row, column]} "
            f"in row {row + 1}: correct it, or leave the row out."
        )


def fingerprint(X: NDArray[Any], y: NDArray[np.int64], classes: Sequence[str], unit: float) -> str:
    """Give the sha256 hexadecimal of two C-contiguous arrays (dtype, shape, bytes), the class names and the unit."""
    head = [X.dtype.str, X.shape, y.dtype.str, y.shape, list(classes), unit]
    digest = hashlib.sha256(json.dumps(head).encode())
    digest.update(X.data)
    digest.update(y.data)
    return digest.hexdigest()


def shuffled(n_rows: int) -> NDArray[np.int64]:
    """Give the rows 0..n_rows-1 in an order that depends on their number alone."""
    return np.random.default_rng(SEED).permutation(n_rows)


def split(where: str, y: NDArray[np.int64], classes: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Set a fifth of the rows aside, each class in proportion: (training rows, test rows), both shuffled.

    y is (n,). Every class has at least one row on either side, so a class of one row raises DataError.
    """
    order = shuffled(len(y))
    place = np.empty(len(y))  # of a row among those of its class, in (0, 1); the lowest places become test rows
    for label, name in enumerate(classes):
        own = order[y[order] == label]
        if len(own) < 2:
            raise DataError(
                f"{where} must have at least 2 rows of every class, so that one can be set aside as a test row, "
                f"but has {len(own)} of {name!r}: add rows, leave the class out, or give test rows of your own."
            )
        place[own] = (np.arange(len(own)) + 0.5) / len(own)
        place[own[0]] = 0
    n_test = max(len(classes), -(-len(y) // TEST_SHARE))
    is_test = np.zeros(len(y), bool)
    is_test[order[np.argsort(place[order], kind="stable")[:n_test]]] = True
    return order[~is_test[order]], order[is_test[order]]


def one_line(error: BaseException) -> str:
    """Give another library's error as text without line breaks, for use inside a message."""
    return " ".join(str(error).split()) or type(error).__name__


def _checked_test(
    where: str, read_test: Callable[[], Rows], dtype: np.dtype[Any], n_columns: int, classes: tuple[str, ...]
) -> Rows:
    X, y = read_test()
    check(f"{where} (test rows)", X, y, classes, min_rows=1)
    if X.dtype != dtype or X.shape[1] != n_columns:
        raise DataError(
            f"{where} must have test rows like its training rows, {n_columns} columns of {dtype}, but got {_form(X)}."
        )
    return X, y


def _form(array: NDArray[Any]) -> str:
    return f"{array.dtype} of shape {array.shape}"
