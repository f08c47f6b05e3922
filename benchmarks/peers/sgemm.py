"""Square float32 products, the fastest of which counts as the machine's peak."""

from collections.abc import Callable

import numpy as np
from scipy.linalg.blas import sgemm

from benchmarks.timing import Work


def peaks(quick: bool) -> dict[str, Work]:
    """Square products of both BLAS; the unit is 1 GFLOP."""
    found = {}
    for n in (512, 1024) if quick else (512, 1024, 2048):
        a = np.ones((n, n), dtype=np.float32, order="F")
        out = np.empty_like(a)
        n_calls = max(1, 2048 // n) ** 2
        products = {"numpy": lambda a=a, out=out: np.matmul(a, a, out=out)}
        products["scipy"] = lambda a=a, out=out: sgemm(1.0, a, a, c=out, overwrite_c=1)
        for name, product in products.items():

            def work(product: Callable[[], object] = product, n: int = n, n_calls: int = n_calls) -> float:
                for _ in range(n_calls):
                    product()
                return n_calls * 2e-9 * n**3

            found[f"sgemm, {name}, {n}"] = work
    return found
