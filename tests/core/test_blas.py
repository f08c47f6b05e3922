"""The products with a shared minibatch: right, written where they belong, the same bits for a lane in any company."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from bnsearch.core import blas

TYPES = [np.float32, np.float64, np.complex64, np.complex128]
SMALL = [(1, 1, 1), (5, 7, 3), (10, 50, 100), (50, 200, 100)]  # (n, D, B)
LARGE = [(50, 550, 100), (7, 3072, 64), (128, 101, 90), (1, 40_000, 27)]


def numbers(rng: np.random.Generator, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    real = rng.normal(size=shape)
    return (real + 1j * rng.normal(size=shape) if np.issubdtype(dtype, np.complexfloating) else real).astype(dtype)


WIDER = dict(zip(map(np.dtype, TYPES), (np.float64, np.longdouble, np.complex128, np.clongdouble), strict=True))


def wide(a: np.ndarray) -> np.ndarray:
    return a.astype(WIDER[a.dtype])


def assert_product(found: np.ndarray, expected: np.ndarray, size: np.ndarray, n_terms: int) -> None:
    """Within the rounding of n_terms random terms whose absolute values sum up to `size`."""
    assert np.all(np.abs(found - expected) <= 4.0 * np.sqrt(n_terms) * np.finfo(found.dtype).eps * size)


def is_large(n: int, d: int, b: int) -> bool:
    return n * d * b >= blas.LARGE


def test_the_shapes_lie_on_both_sides_of_the_border() -> None:
    assert not any(is_large(*shape) for shape in SMALL)
    assert all(is_large(*shape) for shape in LARGE)


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SMALL + LARGE, ids=str)
def test_weigh_is_the_product_with_every_lanes_weights(shape: tuple[int, int, int], dtype: type, k: int) -> None:
    (n, d, b), rng = shape, np.random.default_rng(0)
    W, x, out = numbers(rng, (k, n, d), dtype), numbers(rng, (b, d), dtype), np.full((k, n, b), np.nan, dtype)
    before = W.copy(), x.copy()

    z = blas.weigh(W, x, out)

    assert z is out
    assert_product(z, wide(W) @ wide(x).T, np.abs(W) @ np.abs(x).T, d)
    np.testing.assert_array_equal(W, before[0])
    np.testing.assert_array_equal(x, before[1])


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SMALL + LARGE, ids=str)
def test_add_outer_adds_the_product_to_every_lanes_weights(shape: tuple[int, int, int], dtype: type, k: int) -> None:
    (n, d, b), rng = shape, np.random.default_rng(0)
    W, x, dz = numbers(rng, (k, n, d), dtype), numbers(rng, (b, d), dtype), numbers(rng, (k, n, b), dtype)
    W0, x0, dz0 = W.copy(), x.copy(), dz.copy()

    blas.add_outer(W, dz, x)

    assert_product(W, wide(W0) + wide(dz) @ wide(x), np.abs(W0) + np.abs(dz) @ np.abs(x), b + 1)
    np.testing.assert_array_equal(x, x0)
    np.testing.assert_array_equal(dz, dz0)


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3, 4), (127, 129), (128, 128), (50, 3072)], ids=str)
def test_descend_changes_each_lane_by_its_own_decay(shape: tuple[int, int], dtype: type, k: int) -> None:
    rng = np.random.default_rng(0)
    W, v, decay = (numbers(rng, s, dtype) for s in ((k, *shape), (k, *shape), (k, 1, 1)))
    W0, v0 = W.copy(), v.copy()

    blas.descend(W, v, decay)

    size = np.abs(v0) + np.abs(decay * W0)
    assert_product(v, wide(v0) + wide(decay) * wide(W0), size, 1)
    assert_product(W, wide(W0) - wide(v0) - wide(decay) * wide(W0), np.abs(W0) + size, 1)
    for lane in range(k):
        only = slice(lane, lane + 1)
        alone, its_v = W0[only].copy(), v0[only].copy()
        blas.descend(alone, its_v, decay[only])
        np.testing.assert_array_equal(alone[0], W[lane])
        np.testing.assert_array_equal(its_v[0], v[lane])


# ---- a lane alone and among others


def results(W: np.ndarray, x: np.ndarray, dz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """W x and W + d x of all lanes, from copies."""
    added = W.copy()
    blas.add_outer(added, dz, x)
    return blas.weigh(W, x, np.empty_like(dz)), added


def assert_no_lane_knows_its_neighbours(k: int, n: int, d: int, b: int, dtype: type, seed: int) -> None:
    rng = np.random.default_rng(seed)
    W, x, dz = numbers(rng, (k, n, d), dtype), numbers(rng, (b, d), dtype), numbers(rng, (k, n, b), dtype)

    together = results(W, x, dz)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blas, "_tall_is_exact", lambda *_: False)
        one_by_one = results(W, x, dz)

    for lanes in (*([lane] for lane in range(k)), list(range(k))[::-1]):
        for found, all_lanes, refused in zip(results(W[lanes], x, dz[lanes]), together, one_by_one, strict=True):
            np.testing.assert_array_equal(found, all_lanes[lanes])
            np.testing.assert_array_equal(found, refused[lanes])


some_shapes = st.tuples(st.integers(1, 140), st.integers(1, 700), st.integers(1, 130))
large_shapes = st.tuples(st.integers(64, 140), st.integers(300, 1500), st.integers(60, 130))


@settings(max_examples=100)
@given(
    k=st.integers(1, 5),
    shape=some_shapes | large_shapes,
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 1000),
)
def test_no_lane_knows_its_neighbours(k: int, shape: tuple[int, int, int], dtype: type, seed: int) -> None:
    assert_no_lane_knows_its_neighbours(k, *shape, dtype, seed)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", LARGE, ids=str)
def test_no_lane_of_a_large_product_knows_its_neighbours(shape: tuple[int, int, int], dtype: type) -> None:
    assert_no_lane_knows_its_neighbours(3, *shape, dtype, seed=0)


@pytest.mark.parametrize(
    ("k", "shape"), [(20, (50, 550, 100)), (6, (50, 3072, 100)), (5, (50, 3072, 1000)), (3, (100, 784, 64))], ids=str
)
def test_no_lane_of_a_real_network_knows_its_neighbours(k: int, shape: tuple[int, int, int]) -> None:
    assert_no_lane_knows_its_neighbours(k, *shape, np.float32, seed=0)


def test_a_lane_of_nans_spoils_no_other() -> None:
    rng = np.random.default_rng(0)
    W, x, dz = (numbers(rng, shape, np.float32) for shape in ((3, 50, 550), (100, 550), (3, 50, 100)))
    expected = results(W, x, dz)
    W[1], dz[1] = np.nan, np.inf

    for found, right in zip(results(W, x, dz), expected, strict=True):
        np.testing.assert_array_equal(found[[0, 2]], right[[0, 2]])
        assert not np.isfinite(found[1]).any()


# ---- the question whether one product for all lanes is exact

K, N, D, B = 3, 8, 20, 10


def nudge(a: np.ndarray, at: int) -> None:
    flat = a.reshape(-1)
    flat[at] = np.nextafter(flat[at], flat.dtype.type(np.inf))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("draw", [0, 1, blas.DRAWS - 1])
@pytest.mark.parametrize("at", [0, 97, -1])
@pytest.mark.parametrize("target", ["W", "other"])
def test_one_last_bit_of_one_element_is_enough_to_refuse(target: str, at: int, draw: int, dtype: type) -> None:
    n_tall = itertools.count()

    def product(W: np.ndarray, x: np.ndarray, other: np.ndarray) -> None:
        W += other @ x
        other[...] = W @ x.T
        if len(W) == K * N and next(n_tall) == draw:
            nudge(W if target == "W" else other, at)

    assert not blas._tall_is_exact(product, (K, N, D), B, np.dtype(dtype))


@pytest.mark.parametrize("dtype", TYPES)
def test_a_product_whose_elements_know_nothing_of_each_other_is_taken(dtype: type) -> None:
    def product(W: np.ndarray, x: np.ndarray, other: np.ndarray) -> None:
        other[...] = W[:, :B] + x[:, :1].T

    assert blas._tall_is_exact(product, (K, N, D), B, np.dtype(dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_another_order_of_summation_is_seen(dtype: type) -> None:
    def product(W: np.ndarray, x: np.ndarray, other: np.ndarray) -> None:
        backwards = slice(None, None, -1 if len(W) == K * N else 1)
        other[...] = np.cumsum((W[:, None, :] * x)[..., backwards], axis=-1)[..., -1]

    assert not blas._tall_is_exact(product, (K, N, D), B, np.dtype(dtype))


# Run with other kernels than this machine's own: they are chosen when the library is loaded.
WITH_OTHER_KERNELS = """
import json
import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits
from bnsearch.core import blas
from tests.core import test_blas

threadpool_limits(1)
kernels = test_blas.kernels_of_scipy()
rng, products = np.random.default_rng(0), []
for k, n, d, b in [(6, 50, 3072, 100), (3, 50, 550, 100), (5, 21, 1000, 100), (4, 37, 523, 77), (2, 64, 512, 64)]:
    W, x, dz = (test_blas.numbers(rng, shape, np.float32) for shape in ((k, n, d), (b, d), (k, n, b)))
    for product, other in ((blas._weigh, np.empty_like(dz)), (blas._add_outer, dz)):
        one, tall = (W.copy(), other.copy()), (W.copy(), other.copy())
        blas._one_by_one(product, one[0], x, one[1])
        product(blas._tall(tall[0]), x, blas._tall(tall[1]))
        same = all(np.array_equal(a, b) for a, b in zip(one, tall))
        products.append((same, blas._tall_is_exact(product, W.shape, b, W.dtype)))
    test_blas.assert_no_lane_knows_its_neighbours(k, n, d, b, np.float32, seed=1)
print(json.dumps({"kernels": kernels, "products": products}))
"""


def kernels_of_scipy() -> str:
    """The OpenBLAS kernels behind `scipy.linalg.blas`, or what else there is."""
    found = [info for info in threadpool_info() if "scipy.libs" in info["filepath"]]
    return str(found[0].get("architecture")) if found else "no OpenBLAS of SciPy's own"


def with_kernels(name: str) -> list[tuple[bool, bool]]:
    """(Are all bits the same? Was the tall product taken?) of some products; lanes were compared on the way."""
    root = Path(__file__).parents[2]
    environment = {**os.environ, "OPENBLAS_CORETYPE": name, "PYTHONPATH": os.pathsep.join([str(root), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-c", WITH_OTHER_KERNELS], cwd=root, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if found["kernels"] != name:
        pytest.skip(f"this CPU or BLAS has no {name} kernels, but {found['kernels']}")
    return [(same, taken) for same, taken in found["products"]]


@pytest.mark.parametrize("name", ["Haswell", "SkylakeX", "Sandybridge", "Nehalem"])
def test_the_tall_product_of_other_kernels_is_refused_where_it_differs(name: str) -> None:
    products = with_kernels(name)

    assert [taken for same, taken in products if not same and taken] == []
    if name == "Haswell" and all(same for same, _ in products):
        pytest.skip("the Haswell kernels of this BLAS leave every bit as it is")


# ---- arrays that a BLAS would copy, and then write to the copy


def test_what_would_be_written_to_a_copy_is_refused() -> None:
    n, d, b = 50, 550, 100
    W, x, dz = np.ones((2, n, d)), np.ones((b, d)), np.ones((2, n, b))
    turned_W, turned_x, turned_dz = (np.asfortranarray(a) for a in (W, x, dz))
    factor = np.ones((2, 1, 1))
    refused = [
        lambda: blas.weigh(W, x, turned_dz),
        lambda: blas.weigh(turned_W, x, dz),
        lambda: blas.weigh(W, turned_x, dz),
        lambda: blas.weigh(W, x, dz.astype(np.float32)),
        lambda: blas.weigh(np.ones((2, n, 2 * d))[:, :, ::2], x, dz),
        lambda: blas.add_outer(turned_W, dz, x),
        lambda: blas.add_outer(W, turned_dz, x),
        lambda: blas.add_outer(W, dz, turned_x),
        lambda: blas.add_outer(W.astype(np.float32), dz, x),
        lambda: blas.descend(W, turned_W, factor),
        lambda: blas.descend(turned_W, W, factor),
    ]

    for call in refused:
        with pytest.raises(AssertionError):
            call()
