"""What computes, beside bnsearch itself: another Python, NumPy or BLAS may round otherwise."""

import platform
from functools import cache
from importlib.metadata import version

from threadpoolctl import threadpool_info

import bnsearch.core.blas  # noqa: F401 (only a BLAS that is loaded is told of)


@cache
def software() -> dict[str, str]:
    """Versions of Python, the packages that decide numbers and proposals, and the BLAS of NumPy and SciPy."""
    packages = {name: version(name) for name in ("numpy", "scipy", "optuna")}
    return {"python": platform.python_version(), **packages, "blas": ", ".join(blas_kinds()) or "unknown"}


def blas_kinds() -> list[str]:
    """Each BLAS library that is loaded: its kind, version and the processor that it takes this one for."""
    found = (library for library in threadpool_info() if library["user_api"] == "blas")
    told = ([library["internal_api"], library["version"], library.get("architecture")] for library in found)
    return sorted({" ".join(str(word) for word in words if word) for words in told})
