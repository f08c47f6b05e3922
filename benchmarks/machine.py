"""What figures were measured on."""

import datetime
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("bnsearch", "numpy", "scipy", "optuna", "torch", "jax", "scikit-learn")


def machine() -> dict[str, str]:
    """Processor, cores, memory, versions, BLAS kernels and date."""
    import scipy.linalg.blas  # noqa: F401 (a BLAS must be loaded to be seen)
    from threadpoolctl import threadpool_info

    from bnsearch.search.session import revision

    found = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": _field("/proc/cpuinfo", "model name") or platform.processor() or "unknown",
        "cores": str(os.cpu_count()),
        "memory": _field("/proc/meminfo", "MemTotal") or "unknown",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    found["commit"] = revision() or "none"
    blas = [info for info in threadpool_info() if info["user_api"] == "blas"]
    kernels = {f"{info['internal_api']} {info['version']} {info.get('architecture', '')}".strip() for info in blas}
    return found | {"BLAS": " and ".join(sorted(kernels))}


def _field(path: str, name: str) -> str | None:
    """The first value of a name in one of the system's files."""
    if not Path(path).exists():
        return None
    for line in Path(path).read_text().splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return None
