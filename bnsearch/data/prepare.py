"""Data sets made ready for training: checked, standardised, projected and memory-mapped, so that all processes
share one copy.

Everything lies in a cache folder under names derived from the data's fingerprint and the settings, and is written to
a temporary name first; it may be deleted at any time.
"""

import hashlib
import io
import json
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bnsearch.data.cache import keep_array, make, npy
from bnsearch.data.dataset import Dataset, one_line
from bnsearch.data.part import Part
from bnsearch.data.transform import Standardize, Transform, fit_basis, fit_standardization
from bnsearch.data.whole_file import Bytes
from bnsearch.errors import DataError

PROJECT_ROWS = 5000
FORMAT = 2  # of the cached files; another number makes them anew


@dataclass(frozen=True)
class Source:
    """A data set's training rows, as files that every process can map."""

    folder: Path
    n_rows: int
    n_inputs: int
    n_classes: int
    unit: float
    fingerprint: str


@dataclass(frozen=True)
class Recipe:
    """How a source becomes the inputs of one repeat."""

    source: Source
    part: Part
    standardize: Standardize
    components: float | None
    basis_part: Part  # the rotation is fitted once, on the search's training rows


@dataclass(frozen=True)
class DataReference:
    """Small and picklable: where a worker finds the rows of one repeat."""

    inputs: Path  # .npy (n_rows, D), raw, or float32 (n_rows, n_components)
    labels: Path
    part: Part
    transform: Path  # .npz of the Transform that maps raw inputs to network inputs
    ready: bool  # the inputs are already transformed
    n_inputs: int  # of the network
    n_dimensions: int  # of the raw data
    n_classes: int


class PartRows:
    """Rows of one part, gathered by batch; implements `bnsearch.core.run.Rows`."""

    def __init__(self, X: NDArray[Any], y: NDArray[np.int64], rows: NDArray[np.int64], transform: Transform | None):
        self.X, self.y, self.rows = X, y, rows
        self.transform = transform  # None: X is ready
        self._room = _Room()

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, rows: NDArray[Any] | slice) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Inputs float32 (B, D), which this thread's next call overwrites, and labels (B,)."""
        at, room = self.rows[rows], self._room
        if room.raw is None or len(at) != len(room.raw):
            room.raw = np.empty((len(at), self.X.shape[1]), self.X.dtype)
            room.inputs = room.raw if self.transform is None else np.empty(room.raw.shape, np.float32)
        np.take(self.X, at, axis=0, out=room.raw, mode="clip")  # "raise" would take three times as long
        if self.transform is not None:
            self.transform.standardize(room.raw, room.inputs)
        return room.inputs, self.y[at]


class _Room(threading.local):
    """Arrays for one batch, of each thread's own: Optuna may call an objective in several threads."""

    raw: NDArray[Any] | None = None
    inputs: NDArray[Any]


def write_source(dataset: Dataset, cache: Path) -> Source:
    """Put a data set's training rows where all processes can map them."""
    folder = cache / "source" / dataset.fingerprint[:20]
    keep_array(folder / "X.npy", dataset.X)
    keep_array(folder / "y.npy", dataset.y)
    n_rows, n_inputs = dataset.X.shape
    return Source(folder, n_rows, n_inputs, len(dataset.classes), dataset.unit, dataset.fingerprint)


def prepare(recipe: Recipe, cache: Path) -> DataReference:
    """Standardise and project the rows of one repeat, unless the cache has them whole; one BLAS thread, so results
    do not vary.
    """
    X = _load(recipe.source.folder / "X.npy", "r")
    train_rows, _ = recipe.part.rows()
    transform_path = _transform_path(recipe, cache)

    def fitted() -> list[Bytes]:
        standardization = fit_standardization(X, train_rows, recipe.source.unit, recipe.standardize)
        basis = None if recipe.components is None else _basis(recipe, X, cache)
        return [_npz(Transform(standardization.scale, standardization.shift, basis))]

    make(transform_path, fitted)
    transform = load_transform(transform_path)
    projected = transform_path.with_suffix(".npy")
    if transform.basis is not None:
        make(projected, lambda: _project(X, transform))
    return DataReference(
        inputs=recipe.source.folder / "X.npy" if transform.basis is None else projected,
        labels=recipe.source.folder / "y.npy",
        part=recipe.part,
        transform=transform_path,
        ready=transform.basis is not None,
        n_inputs=X.shape[1] if transform.basis is None else transform.basis.shape[1],
        n_dimensions=X.shape[1],
        n_classes=recipe.source.n_classes,
    )


def is_prepared(recipe: Recipe, cache: Path) -> bool:
    """Are the files there that `prepare` would make? Whether they are whole is not looked at."""
    path = _transform_path(recipe, cache)
    return path.exists() and (recipe.components is None or path.with_suffix(".npy").exists())


@lru_cache(maxsize=8)  # each may hold room for an evaluation
def open_rows(reference: DataReference) -> tuple[PartRows, PartRows]:
    """Training and validation rows of a reference, memory-mapped, once a process."""
    X, y = _load(reference.inputs, "r"), _load(reference.labels)
    transform = None if reference.ready else load_transform(reference.transform)
    train, valid = reference.part.rows()
    return PartRows(X, y, train, transform), PartRows(X, y, valid, transform)


def load_transform(path: Path) -> Transform:
    """The transform that `prepare` wrote."""
    try:
        with path.open("rb") as file, np.load(file) as arrays:
            basis = arrays["basis"]
            return Transform(arrays["scale"], arrays["shift"], basis if basis.size else None)
    except Exception as error:  # zipfile, zlib and NumPy each have errors of their own for damaged bytes
        raise _damaged(path, error) from error


def _load(path: Path, mmap_mode: Literal["r"] | None = None) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, mmap_mode=mmap_mode)
    except Exception as error:  # half a file, or a header that Python's own tokenizer stumbles over
        raise _damaged(path, error) from error
    return array


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(f"{path} must be whole, but: {one_line(error)}. Run again: it is made anew.")


def _npz(transform: Transform) -> Bytes:
    basis = np.zeros((0, 0)) if transform.basis is None else transform.basis
    file = io.BytesIO()
    np.savez(file, scale=transform.scale, shift=transform.shift, basis=basis)
    return file.getbuffer()


def _basis(recipe: Recipe, X: NDArray[Any], cache: Path) -> NDArray[np.float64]:
    path = cache / "prepared" / f"basis-{_digest({'data': recipe.source.fingerprint} | _basis_key(recipe))}.npy"

    def fitted() -> Iterator[Bytes]:
        rows, _ = recipe.basis_part.rows()
        standardization = fit_standardization(X, rows, recipe.source.unit, recipe.standardize)
        assert recipe.components is not None
        basis = fit_basis(X, rows, standardization, recipe.components)
        return npy(basis.dtype, basis.shape, [basis])

    make(path, fitted)
    return _load(path)


def _project(X: NDArray[Any], transform: Transform) -> Iterator[Bytes]:
    assert transform.basis is not None
    parts = (transform.apply(X[low : low + PROJECT_ROWS]) for low in range(0, len(X), PROJECT_ROWS))
    return npy(np.float32, (len(X), transform.basis.shape[1]), parts)


def _transform_path(recipe: Recipe, cache: Path) -> Path:
    fit = {"data": recipe.source.fingerprint, "standardize": recipe.standardize, "rows": _rows_key(recipe)}
    return cache / "prepared" / f"{_digest(fit | _basis_key(recipe))}.npz"


def _rows_key(recipe: Recipe) -> object:
    return None if recipe.standardize == "none" else asdict(recipe.part)


def _basis_key(recipe: Recipe) -> dict[str, object]:
    if recipe.components is None:
        return {"components": None}
    return {"components": recipe.components, "standardize": recipe.standardize, "basis_part": asdict(recipe.basis_part)}


def _digest(key: object) -> str:
    return hashlib.sha256(json.dumps([FORMAT, key], sort_keys=True).encode()).hexdigest()[:20]
