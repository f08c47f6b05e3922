"""Dataclasses of arrays as trees: a network, its gradient and its velocity have one type and one set of functions.

A tree is an array, None, a tuple of trees, or a dataclass whose fields are trees; anything else (a number) is kept as
it is.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
T = TypeVar("T")


def map(function: Callable[..., Array], tree: T, *others: T) -> T:
    """The tree of `function(array, *arrays of the others at the same place)`."""
    return _map(function, tree, others)  # type: ignore[no-any-return]


def _map(function: Callable[..., Array], tree: Any, others: tuple[Any, ...]) -> Any:
    if isinstance(tree, np.ndarray):
        return function(tree, *others)
    if isinstance(tree, tuple):
        return tuple(_map(function, items[0], items[1:]) for items in zip(tree, *others, strict=True))
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        changed = {}
        for f in dataclasses.fields(tree):
            changed[f.name] = _map(function, getattr(tree, f.name), tuple(getattr(other, f.name) for other in others))
        return dataclasses.replace(tree, **changed)
    return tree


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Array]]:
    """(path, array) of every array, in the order of the fields; a path reads `dense.0.W`."""
    if isinstance(tree, np.ndarray):
        yield path, tree
    elif isinstance(tree, tuple):
        for i, item in enumerate(tree):
            yield from leaves(item, f"{path}.{i}" if path else str(i))
    elif dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        for f in dataclasses.fields(tree):
            yield from leaves(getattr(tree, f.name), f"{path}.{f.name}" if path else f.name)


def with_leaves(tree: T, arrays: Mapping[str, Array]) -> T:
    """The tree with every array replaced by the one of its path; the inverse of `dict(leaves(tree))`."""
    named = iter([path for path, _ in leaves(tree)])
    return map(lambda _: arrays[next(named)], tree)


def take(tree: T, lanes: Any) -> T:
    """The given lanes (indices on the leading axis) of every array, copied, in the given order."""
    return map(lambda a: np.array(a[lanes]), tree)


def concatenate(trees: list[T]) -> T:
    """The lanes of all trees, one after another; ValueError if one lacks an array (a velocity) that another has."""
    places = [[path for path, _ in leaves(tree)] for tree in trees]
    if any(paths != places[0] for paths in places):
        counts = [len(paths) for paths in places]
        raise ValueError(f"All trees must have arrays at the same places, but got trees of {counts} arrays.")
    return map(lambda *arrays: np.concatenate(arrays), *trees)


def copy(tree: T) -> T:
    """The tree with arrays of its own."""
    return map(np.copy, tree)
