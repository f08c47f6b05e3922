"""From raw inputs to what the first layer sees: x ↦ (x·scale + shift) · basis."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from bnsearch.errors import DataError

Array = NDArray[Any]
Standardize = Literal["none", "center", "per-dimension"]
CHUNK_ROWS = 32
COVARIANCE_ROWS = 5000


@dataclass(frozen=True, eq=False)
class Transform:
    """An affine map per dimension, then, where a basis is given, a projection on its columns."""

    scale: NDArray[np.float64]  # (D,)
    shift: NDArray[np.float64]  # (D,)
    basis: NDArray[np.float64] | None = None  # (D, n_components), orthonormal columns

    @cached_property
    def _single(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return self.scale.astype(np.float32), self.shift.astype(np.float32)

    def standardize(self, x: Array, out: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Raw (B, D) -> float32 (B, D), without the projection; written into `out` where there is one."""
        if out is None:
            out = np.empty(x.shape, np.float32)
        scale, shift = self._single
        np.copyto(out, x, casting="unsafe")
        out *= scale
        out += shift
        return out

    def apply(self, x: Array) -> NDArray[np.float32]:
        """Raw (B, D) -> float32 (B, D or n_components)."""
        standardized = self.standardize(x)
        return standardized if self.basis is None else standardized @ self.basis.astype(np.float32)


def fit_standardization(X: Array, rows: NDArray[np.int64], unit: float, kind: Standardize) -> Transform:
    """Mean and standard deviation (biased, float64) over the given rows of X (n, D); a zero deviation counts as 1."""
    n_dimensions = X.shape[1]
    if kind == "none":
        return Transform(np.full(n_dimensions, unit), np.zeros(n_dimensions))
    mean = sum(chunk.sum(axis=0) for chunk in _chunks(X, rows)) / len(rows)
    if kind == "center":
        return Transform(np.full(n_dimensions, unit), -mean * unit)
    squares = np.zeros(n_dimensions)
    for chunk in _chunks(X, rows):
        chunk -= mean
        squares += np.square(chunk, out=chunk).sum(axis=0)
    std = np.sqrt(squares / len(rows))
    std[std == 0.0] = 1.0 / unit  # so that the dimension keeps its unit
    return Transform(1.0 / std, -mean / std)


def _chunks(X: Array, rows: NDArray[np.int64]) -> Iterator[NDArray[np.float64]]:
    """The given rows in float64, CHUNK_ROWS at a time, so few that they stay in the cache; each may be changed."""
    for low in range(0, len(rows), CHUNK_ROWS):
        yield X[rows[low : low + CHUNK_ROWS]].astype(np.float64)


def fit_basis(X: Array, rows: NDArray[np.int64], standardization: Transform, components: float) -> NDArray[np.float64]:
    """Leading principal components of the standardised rows, (D, n_components), largest variance first.

    components: a count if it is ≥ 1, else the smallest number of components that holds this share of the variance.
    From the covariance matrix, whose products are float32 and their sums float64.
    """
    n_dimensions = X.shape[1]
    if components >= 1 and components > n_dimensions:
        raise DataError(
            f"`data.components` must be at most the {n_dimensions} dimensions of the data, but got {components}."
        )
    covariance = np.zeros((n_dimensions, n_dimensions))
    for low in range(0, len(rows), COVARIANCE_ROWS):
        z = standardization.standardize(X[rows[low : low + COVARIANCE_ROWS]])
        covariance += z.T @ z
    covariance /= len(rows)
    # in float32 it takes half the time; the vectors are exact enough, the variances are measured along them
    single = covariance.astype(np.float32)
    vectors = eigh(single, driver="evd", check_finite=False)[1][:, ::-1]
    variances = np.einsum("ij,ij->j", vectors, single @ vectors).astype(np.float64)
    if components >= 1:
        count = int(components)
    else:
        share = np.cumsum(variances) / covariance.trace()
        count = min(int(np.searchsorted(share, components)) + 1, n_dimensions)
    return _orthonormal(vectors[:, :count].astype(np.float64))


def _orthonormal(V: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns that are orthonormal to single precision, made so to double: V ← V (3 − VᵀV)/2 (Newton–Schulz)."""
    for _ in range(2):
        V = 1.5 * V - V @ (0.5 * (V.T @ V))
    return np.ascontiguousarray(V)
