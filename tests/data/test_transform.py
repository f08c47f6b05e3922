"""Standardisation and projection against NumPy's own."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bnsearch.data import transform as module
from bnsearch.data.transform import Transform, fit_basis, fit_standardization
from bnsearch.errors import DataError

UNIT = 1 / 255
ROWS = np.array([3, 4, 5, 9, 17, 30, 31, 32, 40, 41, 42, 43, 59])


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    """(60, 7) of different means and spreads; column 2 is constant on ROWS and not elsewhere, column 5 everywhere."""
    rng = np.random.default_rng(0)
    X = np.clip(rng.normal([10, 100, 0, 200, 50, 0, 128], [3, 40, 30, 5, 20, 0, 60], (60, 7)), 0, 255).astype(np.uint8)
    X[ROWS, 2], X[:, 5] = 77, 9
    return X


@pytest.fixture(params=[4, 5000], ids=["chunks", "one chunk"])
def chunks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(module, "CHUNK_ROWS", request.param)
    monkeypatch.setattr(module, "COVARIANCE_ROWS", request.param)
    return int(request.param)


def test_raw_inputs_are_only_scaled(pixels: NDArray[np.uint8]) -> None:
    found = fit_standardization(pixels, ROWS, UNIT, "none")
    np.testing.assert_allclose(found.apply(pixels), pixels / 255, rtol=1e-6)
    assert found.apply(pixels).dtype == np.float32


@pytest.mark.usefixtures("chunks")
def test_centring_takes_the_mean_of_the_given_rows(pixels: NDArray[np.uint8]) -> None:
    found = fit_standardization(pixels, ROWS, UNIT, "center")
    expected = pixels / 255 - (pixels[ROWS] / 255).mean(axis=0)
    np.testing.assert_allclose(found.apply(pixels), expected, atol=1e-6)


@pytest.mark.usefixtures("chunks")
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_every_dimension_gets_mean_0_and_deviation_1_on_the_given_rows(pixels: NDArray[np.uint8], dtype: type) -> None:
    X = pixels.astype(dtype)
    found = fit_standardization(X, ROWS, UNIT, "per-dimension")
    scaled = X.astype(np.float64) / 255
    std = X[ROWS].astype(np.float64).std(axis=0) / 255
    varied = std > 0
    assert varied.tolist() == [True, True, False, True, True, False, True]
    expected = (scaled - scaled[ROWS].mean(axis=0)) / np.where(varied, std, 1.0)
    np.testing.assert_allclose(found.apply(X), expected, atol=2e-5)
    np.testing.assert_allclose(found.apply(X)[ROWS][:, varied].std(axis=0), 1.0, rtol=1e-5)


def test_a_constant_dimension_keeps_its_unit(pixels: NDArray[np.uint8]) -> None:
    """A zero deviation counts as 1: constant rows become 0, others their distance in the input's unit."""
    found = fit_standardization(pixels, ROWS, UNIT, "per-dimension").apply(pixels)
    np.testing.assert_allclose(found[ROWS, 2], 0.0, atol=1e-6)
    np.testing.assert_allclose(found[:, 2], (pixels[:, 2] - 77.0) / 255, atol=1e-6)
    np.testing.assert_allclose(found[:, 5], 0.0, atol=1e-6)


@pytest.mark.parametrize("value", [0.1, 1 / 3, -1234.567, 1e-30, 1e30])
@pytest.mark.parametrize("n", [7, 1198, 7001])
def test_rounding_makes_no_constant_column_vary(value: float, n: int) -> None:
    """A deviation of 1e-17 instead of 0 would blow up whatever differs from it."""
    X = np.full((n + 1, 1), value, np.float32)
    X[n] = X[n] * 2
    found = fit_standardization(X, np.arange(n), 1.0, "per-dimension")
    assert found.scale.tolist() == [1.0]
    np.testing.assert_allclose(found.apply(X)[:, 0], [0.0] * n + [X[0, 0]], rtol=1e-6, atol=1e-35)


def test_large_values_with_a_small_spread_do_not_lose_it() -> None:
    """The variance is summed from differences to the mean, in float64."""
    X = (1e4 + np.random.default_rng(1).normal(0, 0.5, (1000, 1))).astype(np.float32)
    found = fit_standardization(X, np.arange(1000), 1.0, "per-dimension")
    np.testing.assert_allclose(1.0 / found.scale, X.astype(np.float64).std(axis=0), rtol=1e-9)


def test_standardised_inputs_are_written_where_they_are_wanted(pixels: NDArray[np.uint8]) -> None:
    found = fit_standardization(pixels, ROWS, UNIT, "per-dimension")
    out = np.full(pixels.shape, np.nan, np.float32)

    assert found.standardize(pixels, out) is out
    np.testing.assert_array_equal(out, found.standardize(pixels))
    np.testing.assert_array_equal(out, found.apply(pixels))
    assert found.standardize(pixels) is not found.standardize(pixels)


# ---- components


def centred(X: NDArray[Any]) -> tuple[Transform, NDArray[np.float64]]:
    standardization = fit_standardization(X, ROWS, UNIT, "per-dimension")
    z = standardization.apply(X)[ROWS].astype(np.float64)
    return standardization, z


@pytest.mark.usefixtures("chunks")
@pytest.mark.parametrize("count", [1, 3, 7])
def test_a_basis_is_the_leading_right_singular_vectors(pixels: NDArray[np.uint8], count: int) -> None:
    standardization, z = centred(pixels)
    basis = fit_basis(pixels, ROWS, standardization, count)
    assert basis.shape == (7, count)
    np.testing.assert_allclose(basis.T @ basis, np.eye(count), atol=1e-12)
    _, _, vectors = np.linalg.svd(z, full_matrices=False)
    n_sure = min(count, 5)  # two dimensions are constant: what spans them is arbitrary
    np.testing.assert_allclose(np.abs(np.diag(vectors[:n_sure] @ basis[:, :n_sure])), 1.0, atol=1e-4)
    variances = (z @ basis).var(axis=0)
    assert (np.diff(variances) <= 1e-9).all()  # largest first


@pytest.mark.usefixtures("chunks")
@pytest.mark.parametrize("share", [0.01, 0.5, 0.9, 0.99, 0.9999])
def test_a_share_takes_the_fewest_components_that_hold_it(pixels: NDArray[np.uint8], share: float) -> None:
    standardization, z = centred(pixels)
    basis = fit_basis(pixels, ROWS, standardization, share)
    variances = np.linalg.eigvalsh(z.T @ z / len(z))[::-1]
    held = np.cumsum(variances) / variances.sum()
    count = basis.shape[1]
    assert held[count - 1] >= share - 1e-6
    assert count == 1 or held[count - 2] < share + 1e-6
    assert ((z @ basis) ** 2).sum() / (z**2).sum() == pytest.approx(held[count - 1], abs=1e-6)


def test_all_components_are_a_rotation(pixels: NDArray[np.uint8]) -> None:
    standardization, _ = centred(pixels)
    rotated = Transform(standardization.scale, standardization.shift, fit_basis(pixels, ROWS, standardization, 7))
    plain, turned = standardization.apply(pixels), rotated.apply(pixels)
    np.testing.assert_allclose(turned @ turned.T, plain @ plain.T, rtol=1e-4, atol=1e-4)
    assert turned.dtype == np.float32


def test_more_components_than_dimensions_are_refused(pixels: NDArray[np.uint8]) -> None:
    standardization, _ = centred(pixels)
    with pytest.raises(DataError, match=r"`data\.components` must be at most the 7 dimensions of the data, but got 8"):
        fit_basis(pixels, ROWS, standardization, 8)


def test_inputs_stay_as_they_were(pixels: NDArray[np.uint8]) -> None:
    X = pixels.astype(np.float32)
    before = X.copy()
    fit_standardization(X, ROWS, UNIT, "per-dimension").apply(X)
    np.testing.assert_array_equal(X, before)
