"""NumPy archives: X and y, and perhaps X_test and y_test, of which only the form is read with the training rows."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from bnsearch.data.dataset import one_line
from bnsearch.errors import DataError

Form = tuple[tuple[int, ...], np.dtype[Any]]


def read_archive(path: Path) -> tuple[NDArray[Any], NDArray[Any], bool]:
    """Read X and y, and whether the archive has test rows of its own, of which nothing but the form is read."""
    X, labels, forms = _read_arrays(path, "X", "y")
    if ("X_test" in forms) != ("y_test" in forms):
        raise DataError(f"{path} must hold both X_test and y_test or neither, but holds {listed(forms)}.")
    if "X_test" in forms:
        _check_forms(path, "X_test", "y_test", forms)
        _check_like_training(path, X, forms["X_test"])
    return X, labels, "X_test" in forms


def read_archive_test(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """Read the test rows of an archive that has them."""
    X, labels, _ = _read_arrays(path, "X_test", "y_test")
    return X, labels


def listed(names: Iterable[str]) -> str:
    """The first of several names, quoted, for use inside a message."""
    quoted = [repr(name) for name in names]
    return ", ".join(quoted[:10]) + (", ..." if len(quoted) > 10 else "") if quoted else "none"


def _read_arrays(path: Path, x_name: str, y_name: str) -> tuple[NDArray[Any], NDArray[Any], dict[str, Form]]:
    """Read two arrays, X of rows and y of labels, and the forms of all that the archive holds."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            if len(set(archive.files)) < len(archive.files):
                raise ValueError("it has two arrays of one name")
            forms = {name: _form(archive, name) for name in archive.files}
            found = {name: np.asarray(archive[name]) for name in (x_name, y_name) if name in forms}
    except Exception as error:  # zipfile, zlib and NumPy each have errors of their own for damaged bytes
        # NumPy's own advice for what it does not know is to let it run as a pickle
        reason = "it is none" if "allow_pickle" in str(error) else one_line(error)
        raise DataError(
            f"{path} must be a NumPy archive without Python objects, but cannot be read ({reason}): "
            "write it anew with numpy.savez."
        ) from error
    if len(found) < 2:
        raise DataError(f"{path} must hold the arrays {x_name} and {y_name}, but holds {listed(forms)}.")
    _check_forms(path, x_name, y_name, forms)
    return found[x_name], found[y_name], forms


def _form(archive: Any, name: str) -> Form:
    """Shape and type of an array, from its header alone."""
    info = archive.zip.getinfo(f"{name}.npy" if f"{name}.npy" in archive.zip.namelist() else name)
    with archive.zip.open(info) as file:
        file.MIN_READ_SIZE = 1  # of compressed bytes: what lies behind the header may be test rows
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(file)
        n_bytes = info.file_size - file.tell()
    if dtype.hasobject:
        raise ValueError(f"{name} holds Python objects")
    if math.prod(shape) * dtype.itemsize != n_bytes:  # else NumPy would ask for as much memory as a header likes
        raise ValueError(f"{name} of shape {shape} has {n_bytes:,} bytes")
    return shape, dtype


def _check_forms(path: Path, x_name: str, y_name: str, forms: dict[str, Form]) -> None:
    (shape, dtype), (y_shape, y_dtype) = forms[x_name], forms[y_name]
    if len(shape) < 2 or dtype.kind not in "biuf":
        raise DataError(f"{path} must hold {x_name} as (n, ...) real numbers, but got {dtype} of shape {shape}.")
    if y_shape != shape[:1] or y_dtype.kind not in "biuU":
        raise DataError(
            f"{path} must hold {y_name} as ({shape[0]},) whole numbers or text, but got {y_dtype} of shape {y_shape}."
        )


def _check_like_training(path: Path, X: NDArray[Any], test: Form) -> None:
    shape, dtype = test
    if shape[1:] != X.shape[1:]:
        raise DataError(f"{path} must have rows of shape {X.shape[1:]} in X_test as in X, but got {shape[1:]}.")
    if shape[0] < 1:
        raise DataError(f"{path} must have at least 1 row in X_test, but has none: add rows, or leave X_test out.")
    if (dtype == np.uint8) != (X.dtype == np.uint8):  # alone kept as it is; all other numbers become float32
        raise DataError(f"{path} must have uint8 in both X and X_test or in neither, but got {X.dtype} and {dtype}.")
