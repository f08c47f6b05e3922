"""How far two gradients of one network are apart, by the usual definitions, and whether that is rounding alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bnsearch.core import tree
from bnsearch.core.gradcheck import Method
from bnsearch.core.network import Network
from bnsearch.core.tree import Array

SMALL = 1e-2  # of the largest entry: smaller ones have lost too many digits to be compared one by one
FLOOR = np.finfo(np.float64).tiny  # keeps 0/0 at 0


@dataclass(frozen=True)
class Check:
    """One parameter array compared, (K,) each; g the numeric gradient, a the other, Δ = a − g."""

    parameter: str  # "dense.0.W"
    expected_zero: bool  # a bias before a batch normalisation changes nothing
    scale: Array  # max|g| over the array
    absolute: Array  # max|Δ|
    relative: Array  # max|Δ| / max|g|
    elementwise: Array  # max over entries with |g| ≥ 1e-2·max|g| of |Δ|/|g|
    to_larger: Array  # max over all entries of |Δ| / max(|a|, |g|): Baldassarre's (2017) formula; 2 for opposite signs
    to_sum: Array  # max over all entries of |Δ| / max(tiny, |a| + |g|): what the former printed; assumed for Nicolai


ALLOWED: dict[Method, float] = {"complex": 1e-13, "central": 1e-6, "forward": 1e-4}  # of |Δ| / max|g|


def compare(analytic: Network, numeric: Network) -> list[Check]:
    """The differences of two gradients, one row for each parameter array."""
    pairs = zip(tree.leaves(analytic), tree.leaves(numeric), strict=True)
    return [_compare(name, a, g, _is_under_norm(name, analytic)) for (name, a), (_, g) in pairs]


def agree(checks: Sequence[Check], allowed: float) -> list[Array]:
    """Which lanes of each parameter have max|Δ| / max|g| ≤ allowed, (K,) booleans, one array for each parameter.

    Where the true gradient is 0, both must be: up to rounding, which is in proportion to what was summed up, the same
    backpropagated errors as in the layer's weights.
    """
    scales = {check.parameter: check.scale for check in checks}
    return [_agree(check, allowed, scales) for check in checks]


def _agree(check: Check, allowed: float, scales: dict[str, Array]) -> Array:
    if not check.expected_zero:
        return _within(check.absolute, allowed * check.scale)
    rounding = allowed * scales[check.parameter.removesuffix(".b") + ".W"]
    return _within(np.maximum(check.absolute, check.scale), rounding)


def _within(error: Array, limit: Array) -> Array:
    within: Array = error <= limit
    return within


def _is_under_norm(parameter: str, network: Network) -> bool:
    _, layer, name = parameter.split(".")
    return name == "b" and int(layer) < len(network.norms)


def _compare(name: str, analytic: Array, numeric: Array, expected_zero: bool) -> Check:
    a, g = (np.abs(side.reshape(len(side), -1)) for side in (analytic, numeric))
    delta = np.abs(analytic - numeric).reshape(a.shape)
    scale, largest = g.max(axis=1), delta.max(axis=1)

    def worst(of: Array) -> Array:
        share: Array = delta / np.maximum(of, FLOOR)
        return np.asarray(share.max(axis=1))

    return Check(
        parameter=name,
        expected_zero=expected_zero,
        scale=scale,
        absolute=largest,
        relative=largest / np.maximum(scale, FLOOR),
        elementwise=np.where(g >= SMALL * scale[:, None], delta / np.maximum(g, FLOOR), 0.0).max(axis=1),
        to_larger=worst(np.maximum(a, g)),
        to_sum=worst(a + g),
    )
