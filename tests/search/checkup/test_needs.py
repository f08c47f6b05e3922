"""Estimates of memory and disk: not below what was measured, nor far above."""

from dataclasses import replace

from bnsearch.core.evaluate import KEPT_BYTES
from bnsearch.core.network import Architecture
from bnsearch.search.checkup.needs import Shape, needs

GIB = 2**30
CIFAR10 = Shape(
    n_rows=50_000,
    n_dimensions=3072,
    item_bytes=1,
    n_valid=5_000,
    components=None,
    architecture=Architecture(3072, (50, 50), 10),
    with_velocity=False,
    n_lanes=20,
    n_trials=60,
    n_parts=7,
    n_models=5,
    n_workers=2,
)


def test_memory_of_cifar10_with_two_workers() -> None:
    """Measured (benchmarks/RESULTS.md, "Memory"): 0.73 GiB on all inputs, 0.84 on components that are made."""
    assert 0.73 * GIB < needs(CIFAR10).memory < 1.3 * GIB
    assert 0.84 * GIB < needs(replace(CIFAR10, components=0.99)).memory < 1.5 * GIB


def test_more_of_anything_needs_more() -> None:
    base = needs(CIFAR10)
    assert needs(replace(CIFAR10, n_workers=4)).memory > base.memory
    assert needs(replace(CIFAR10, architecture=Architecture(3072, (512, 256), 10))).memory > base.memory
    shallow = replace(CIFAR10, architecture=Architecture(3072, (50,), 10))
    assert needs(shallow).memory < base.memory - 2 * KEPT_BYTES, "one hidden layer gives nothing to keep"
    assert needs(replace(CIFAR10, with_velocity=True)).results > base.results
    assert needs(replace(CIFAR10, n_trials=600)).results > base.results
    assert needs(replace(CIFAR10, n_rows=100_000)).least_cache == 2 * base.least_cache


def test_the_cache_of_cifar10() -> None:
    """Raw pixels are 154 MB; 550 components of them 110 MB for each part of the data."""
    assert needs(CIFAR10).least_cache == needs(CIFAR10).most_cache == 50_000 * 3072
    found = needs(replace(CIFAR10, components=550))
    assert found.least_cache == 50_000 * 3072
    assert found.least_cache + 7 * 110e6 <= found.most_cache < found.least_cache + 10 * 110e6
