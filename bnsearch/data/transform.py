"""From raw inputs to what the first layer sees: x ↦ (x·scale + shift) · basis."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bnsearch.errors import DataError

Array = NDArray[Any]
Standardize = Literal["none", "center", "per-dimension"]
CHUNK_ROWS = 5000


@dataclass(frozen=True, eq=False)
class Transform:
    """An affine map per dimension, then, where a basis is given, a projection on its columns."""

    scale: NDArray[np.float64]  # (D,)
    shift: NDArray[np.float64]  # (D,)
    basis: NDArray[np.float64] | None = None  # (D, n_components), orthonormal columns

    def standardize(self, x: Array) -> NDArray[np.float32]:
        """Raw (B, D) -> float32 (B, D), without the projection."""
        out: NDArray[np.float32] = x.astype(np.float32)
        out *= self.scale.astype(np.float32)
        out += self.shift.astype(np.float32)
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
    total, squares = np.zeros(n_dimensions), np.zeros(n_dimensions)
    for low in range(0, len(rows), CHUNK_ROWS):
        total += X[rows[low : low + CHUNK_ROWS]].sum(axis=0, dtype=np.float64)
    mean = total / len(rows)
    if kind == "center":
        return Transform(np.full(n_dimensions, unit), -mean * unit)
    for low in range(0, len(rows), CHUNK_ROWS):
        squares += np.square(X[rows[low : low + CHUNK_ROWS]] - mean).sum(axis=0)
    std = np.sqrt(squares / len(rows))
    std[std == 0.0] = 1.0 / unit  # so that the dimension keeps its unit
    return Transform(1.0 / std, -mean / std)


def fit_basis(X: Array, rows: NDArray[np.int64], standardization: Transform, components: float) -> NDArray[np.float64]:
    """Leading principal components of the standardised rows, (D, n_components), largest variance first.

    components: a count if it is ≥ 1, else the smallest number of components that holds this share of the variance.
    From the covariance matrix, whose products are float32 and sums float64.
    """
    n_dimensions = X.shape[1]
    if components >= 1 and components > n_dimensions:
        raise DataError(
            f"`data.components` must be at most the {n_dimensions} dimensions of the data, but got {components}."
        )
    covariance = np.zeros((n_dimensions, n_dimensions))
    for low in range(0, len(rows), CHUNK_ROWS):
        z = standardization.standardize(X[rows[low : low + CHUNK_ROWS]])
        covariance += z.T @ z
    variances, vectors = np.linalg.eigh(covariance / len(rows))
    variances, vectors = np.maximum(variances[::-1], 0.0), vectors[:, ::-1]
    if components >= 1:
        count = int(components)
    else:
        share = np.cumsum(variances) / variances.sum()
        count = min(int(np.searchsorted(share, components)) + 1, n_dimensions)
    return np.ascontiguousarray(vectors[:, :count])
