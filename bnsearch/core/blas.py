"""The two products with a minibatch that all lanes share, W x and W + d xᵀ: nearly all of the work of training.

Both are BLAS's own `gemm`, called without a copy and, for the second, adding straight into W. By definition a lane's
product is a call of its own (small ones: NumPy's stacked `matmul`, which is the same in one loop), so that it cannot
depend on its neighbours. One call for all lanes at once, seen as one tall matrix, is up to twice as fast, since BLAS
then rearranges the minibatch once and not for each lane. Whether it leaves every bit as it is depends on the BLAS: the
order of summation within an element of the result may differ from tile to tile (OpenBLAS: never with its AVX-512
kernels, often with its Haswell ones). So it is asked: the shape at hand is computed both ways, on numbers that nearly
cancel and show any other order, and the tall product is used only where all bits agree. One BLAS thread is assumed.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from scipy.linalg.blas import cgemm, daxpy, dgemm, saxpy, sgemm, zgemm

from bnsearch.core.tree import Array

GEMM = {np.dtype(kind): gemm for kind, gemm in zip("fdFD", (sgemm, dgemm, cgemm, zgemm), strict=True)}
AXPY = {np.dtype(np.float32): saxpy, np.dtype(np.float64): daxpy}
LARGE = 1 << 20  # multiply-adds of one lane from which calls of its own cost nothing beside the arithmetic
CACHED = 1 << 14  # numbers of one lane that are better gone through lane by lane
DRAWS = 3  # each of some thousand sums; a single other order is seen in most of them


def weigh(W: Array, x: Array, out: Array) -> Array:
    """out ← W x for the rows x (B, D) of a minibatch; W (K, n, D), out (K, n, B), all C-contiguous."""
    if _small(W, x):
        return np.matmul(W, x.T, out=out)
    _for_lanes(_weigh, W, x, out)
    return out


def add_outer(W: Array, d: Array, x: Array) -> None:
    """W ← W + d x for the rows x (B, D) of a minibatch; W (K, n, D), d (K, n, B), all C-contiguous."""
    if _small(W, x):
        W += d @ x
    else:
        _for_lanes(_add_outer, W, x, d)


def descend(W: Array, v: Array, decay: Array) -> None:
    """v ← v + decay·W, W ← W − v: what a velocity does to the weights; W and v (K, n, D), decay (K, 1, 1).

    Lane by lane, so that the second finds in the cache what the first has left there.
    """
    if W[0].size < CACHED:
        v += decay * W
        W -= v
        return
    assert W.flags.c_contiguous
    assert v.flags.c_contiguous  # else axpy writes to a copy
    for w, of_w, a in zip(W, v, decay[:, 0, 0].tolist(), strict=True):
        AXPY[W.dtype](w.ravel(), of_w.ravel(), a=a)
        w -= of_w


Product = Callable[[Array, Array, Array], Any]  # of W (rows, D), x (B, D) and the array (rows, B) of its results or d


def _weigh(W: Array, x: Array, z: Array) -> None:
    # BLAS counts along columns: what is C-contiguous here is to it the transposed matrix
    GEMM[W.dtype](1.0, x.T, W.T, trans_a=1, c=z.T, overwrite_c=1)


def _add_outer(W: Array, x: Array, d: Array) -> None:
    GEMM[W.dtype](1.0, x.T, d.T, beta=1.0, c=W.T, overwrite_c=1)


def _for_lanes(product: Product, W: Array, x: Array, other: Array) -> None:
    assert W.dtype == other.dtype
    assert all(a.flags.c_contiguous for a in (W, x, other))  # else, as for another type, gemm writes to a copy
    if len(W) == 1 or _tall_is_exact(product, W.shape, len(x), W.dtype):
        product(_tall(W), x, _tall(other))
    else:
        _one_by_one(product, W, x, other)


def _one_by_one(product: Product, W: Array, x: Array, other: Array) -> None:
    for lane in range(len(W)):
        product(W[lane], x, other[lane])


def _tall(a: Array) -> Array:
    return a.reshape(-1, a.shape[-1])


def _small(W: Array, x: Array) -> bool:
    return bool(W[0].size * len(x) < LARGE)


@cache
def _tall_is_exact(product: Product, shape: tuple[int, ...], n_rows: int, dtype: np.dtype[Any]) -> bool:
    """Does one call for all lanes give every lane the bits of a call of its own? Asked once for each shape."""
    for draw in range(DRAWS):
        rng = np.random.default_rng(draw)
        x = _cancelling(rng, (n_rows, shape[-1]), dtype)
        W, other = _cancelling(rng, shape, dtype), _cancelling(rng, (*shape[:-1], n_rows), dtype)
        tall_W, tall_other = W.copy(), other.copy()
        _one_by_one(product, W, x, other)
        product(_tall(tall_W), x, _tall(tall_other))
        if not (np.array_equal(W, tall_W) and np.array_equal(other, tall_other)):
            return False
    return True


def _cancelling(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Numbers of both signs whose every third is much larger, so that sums lose digits in the order they are made."""
    numbers = rng.random(shape, dtype=np.float32) - np.float32(0.5)
    numbers[..., ::3] *= 100.0
    return numbers.astype(dtype)
