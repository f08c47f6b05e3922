"""Your own data: a NumPy archive, or a table with one row per example and one column of labels."""

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnsearch.data.archive import listed, read_archive, read_archive_test
from bnsearch.data.dataset import Dataset, Rows, check, dataset, one_line, shuffled, split
from bnsearch.errors import DataError

SUFFIXES = (".npz", ".csv", ".parquet")


def load(path: Path, label: str = "label") -> Dataset:
    """Load X and y from a .npz file, or from a .csv or .parquet table whose column `label` holds the labels; unit 1.

    In a .npz file X is (n, ...) and y (n,), with X_test and y_test beside them where the file has test rows of its own;
    else, and in tables, `bnsearch.data.dataset.split` sets a fifth of the rows aside. uint8 arrays stay uint8, other
    real numbers become float32; rows of several dimensions are flattened. Labels are whole numbers or text; the classes
    are the distinct ones, sorted. Training rows are shuffled by a constant seed, as files are often sorted by label and
    a study file takes its validation rows from a range. Raises DataError.
    """
    if not os.path.isfile(path):
        raise DataError(f"{path} must be a data file, but there is none: correct the path.")
    columns, has_test = None, False
    if path.suffix.lower() == ".npz":
        raw, labels, has_test = read_archive(path)
    else:
        raw, labels, columns = _read_table(path, label)
    X = _flat(raw)
    classes = tuple(np.unique(labels).astype(str).tolist())
    y = _index(path, labels, classes)
    check(str(path), X, y, classes, columns=columns)
    image_shape = raw.shape[1:] if raw.ndim > 2 else None

    if has_test:
        train = shuffled(len(y))

        def read_test() -> Rows:
            return _read_test(path, classes)
    else:
        train, test = split(str(path), y, classes)
        set_aside = X[test], y[test]

        def read_test() -> Rows:
            return set_aside

    return dataset(str(path), path.name, X[train], y[train], classes, read_test, image_shape=image_shape)


def _read_test(path: Path, classes: tuple[str, ...]) -> Rows:
    X, labels = read_archive_test(path)
    return _flat(X), _index(path, labels, classes)


def _read_table(path: Path, label: str) -> tuple[NDArray[np.float32], NDArray[Any], list[str]]:
    """Read features (n, D), labels (n,) and the names of the D columns."""
    from pandas.api.types import is_numeric_dtype

    table = _parse_table(path)
    if label not in table:
        raise DataError(
            f"{path} must have a column {label!r} of labels, but has {listed(table.columns)}: name it in `label`."
        )
    if (missing := table[label].isna()).any():
        row = int(missing.to_numpy().argmax()) + 1
        raise DataError(f"{path} must have a label in every row, but column {label!r} has none in row {row}: add it.")
    labels = table[label].tolist()
    if other := {type(value) for value in labels} - {int, str, bool}:
        raise DataError(
            f"{path} must have whole numbers or text in the label column {label!r}, but got {other.pop().__name__}."
        )
    features = table.drop(columns=label)
    for name in features:
        if len(table) and not is_numeric_dtype(features[name]):
            raise DataError(f"{path} must have numbers in every column but the label, but {name!r} holds other values.")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, which `check` refuses
        X = features.to_numpy(np.float32, na_value=np.nan)
    return X, np.array(labels), list(features)


def _parse_table(path: Path) -> Any:
    """Read a table as a pandas DataFrame whose columns have names of their own."""
    import pandas as pd

    try:
        if path.suffix.lower() == ".parquet":
            table = pd.read_parquet(path, engine="pyarrow", page_checksum_verification=True)
            names = [str(name) for name in table.columns]
        else:
            table = pd.read_csv(path, low_memory=False)
            # read_csv makes up names where they are missing or double, so the header is read as it stands
            names = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False).iloc[0].tolist()
            if not isinstance(table.index, pd.RangeIndex):  # it took the first column for an index
                raise ValueError("its rows have more fields than its header")
    except Exception as error:  # pandas and pyarrow each have errors of their own for damaged bytes
        raise DataError(
            f"{path} must be a table with a header, but cannot be read ({one_line(error)}): write it anew."
        ) from error
    if "" in names or len(set(names)) < len(names):
        raise DataError(
            f"{path} must have a name of its own for every column, but has {listed(names)}: "
            "name it, or leave it out (an index that pandas wrote would tell the order of rows)."
        )
    return table.set_axis(names, axis="columns")


def _flat(X: NDArray[Any]) -> NDArray[Any]:
    """Turn (n, ...) real numbers into (n, D) uint8 or float32."""
    with np.errstate(over="ignore"):  # as above
        return X.reshape(len(X), math.prod(X.shape[1:])).astype(np.uint8 if X.dtype == np.uint8 else np.float32)


def _index(path: Path, labels: NDArray[Any], classes: tuple[str, ...]) -> NDArray[np.int64]:
    """Give each label's place in `classes`."""
    distinct, inverse = np.unique(labels, return_inverse=True)
    place = {name: index for index, name in enumerate(classes)}
    names = distinct.astype(str).tolist()
    if unknown := [name for name in names if name not in place]:
        raise DataError(f"{path} must have test labels that occur in training, but has {listed(unknown)}.")
    return np.array([place[name] for name in names], np.int64)[inverse]
