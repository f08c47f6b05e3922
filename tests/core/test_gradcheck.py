"""Every derivative, in double precision, against numeric ones; batch statistics on both sides."""

import numpy as np
import pytest

from bnsearch.core import tree
from bnsearch.core.agreement import Check, agree, compare
from bnsearch.core.gradcheck import analytic_gradient, batch_moments, numeric_gradient
from tests.core.helpers import make_network, random_rows

THREE_LAYERS = (50, 50)
NINE_LAYERS = (50, 30, 20, 20, 10, 10, 10, 10)
ROWS = random_rows(20, 10, 10, seed=7)


def failures(checks: list[Check], allowed: float) -> list[str]:
    """The parameters and lanes out of tolerance, as `dense.0.W of lane 1: …`."""
    pairs = zip(checks, agree(checks, allowed), strict=True)
    return [f"{check.parameter} of lane {lane}: {check}" for check, right in pairs for lane in np.flatnonzero(~right)]


@pytest.mark.parametrize(
    ("hidden", "kind", "penalty"),
    [
        pytest.param(THREE_LAYERS, "affine", 0.5, id="three layers"),
        pytest.param(NINE_LAYERS, "affine", 0.5, id="nine layers"),
        pytest.param((20, 12), "affine", 0.0, id="no penalty"),
        pytest.param((20, 12), "plain", 0.5, id="plain batch norm"),
        pytest.param((20, 12, 11), "none", 0.5, id="no batch norm"),
        pytest.param((), "none", 0.5, id="softmax regression"),
    ],
)
def test_backpropagation_agrees_with_the_complex_step(hidden: tuple[int, ...], kind: str, penalty: float) -> None:
    network, l2 = make_network(hidden, n_lanes=3, kind=kind), np.full(3, penalty)
    analytic = analytic_gradient(network, ROWS.x, ROWS.labels, l2)

    checks = compare(analytic, numeric_gradient(network, ROWS.x, ROWS.labels, l2, "complex"))

    n_arrays = 2 * (len(hidden) + 1) + (2 * len(hidden) if kind == "affine" else 0)
    assert len(checks) == n_arrays
    assert failures(checks, 1e-13) == []
    biases = [c.absolute.max() for c in checks if c.expected_zero]
    assert max(biases, default=0.0) <= 1e-14


@pytest.mark.parametrize(("method", "tolerance"), [("central", 1e-6), ("forward", 1e-5)])
@pytest.mark.parametrize("kind", ["affine", "plain", "none"])
def test_backpropagation_agrees_with_real_differences(kind: str, method: str, tolerance: float) -> None:
    network, l2 = make_network((12, 8), n_lanes=3, kind=kind), np.array([0.5, 0.0, 0.01])
    analytic = analytic_gradient(network, ROWS.x, ROWS.labels, l2)

    checks = compare(analytic, numeric_gradient(network, ROWS.x, ROWS.labels, l2, method))

    assert failures(checks, tolerance) == []
    assert max(c.elementwise.max() for c in checks if not c.expected_zero) <= 10 * tolerance


def test_each_lane_has_the_gradient_of_its_own_penalty() -> None:
    network, l2 = make_network((6,), n_lanes=3), np.array([0.0, 0.5, 3.0])
    numeric = numeric_gradient(network, ROWS.x, ROWS.labels, l2)

    with_penalty = compare(analytic_gradient(network, ROWS.x, ROWS.labels, l2), numeric)
    without = compare(analytic_gradient(network, ROWS.x, ROWS.labels, np.zeros(3)), numeric)

    assert failures(with_penalty, 1e-13) == []
    wrong = failures(without, 1e-3)
    assert [text.split(":")[0] for text in wrong] == [f"dense.{i}.W of lane {k}" for i in (0, 1) for k in (1, 2)]


@pytest.mark.parametrize("parameter", ["dense.0.W", "dense.0.b", "dense.2.b", "norms.1.gamma"])
def test_one_wrong_entry_is_caught_and_named(parameter: str) -> None:
    network, l2 = make_network((12, 8), n_lanes=3), np.full(3, 0.5)
    analytic = analytic_gradient(network, ROWS.x, ROWS.labels, l2)
    numeric = numeric_gradient(network, ROWS.x, ROWS.labels, l2)
    part, layer, name = parameter.split(".")
    array = getattr(getattr(analytic, part)[int(layer)], name)
    array[1].flat[3] += 1e-10

    wrong = failures(compare(analytic, numeric), 1e-13)

    assert [text.split(":")[0] for text in wrong] == [f"{parameter} of lane 1"]


@pytest.mark.parametrize("depth", range(9), ids=lambda depth: f"{depth + 1} layers")
@pytest.mark.parametrize("kind", ["affine", "plain", "none"])
def test_frozen_moments_make_a_right_backpropagation_seem_wrong(kind: str, depth: int) -> None:
    """So it went in Baldassarre's report: 1.00 for every parameter below a batch normalisation, 1e-8 above."""
    network, l2 = make_network(NINE_LAYERS[:depth], n_lanes=1, kind=kind), np.zeros(1)
    analytic = analytic_gradient(network, ROWS.x, ROWS.labels, l2)
    below = {name for name, _ in tree.leaves(network) if is_below_norm(name, len(network.norms))}

    frozen = batch_moments(network, ROWS.x)
    around = compare(analytic, numeric_gradient(network, ROWS.x, ROWS.labels, l2, frozen=frozen))
    through = compare(analytic, numeric_gradient(network, ROWS.x, ROWS.labels, l2))

    assert {c.parameter for c in around if c.to_larger[0] >= 0.99} == below
    assert {text.split(" of ")[0] for text in failures(around, 1e-13)} == below
    assert failures(through, 1e-13) == []


def is_below_norm(parameter: str, n_norms: int) -> bool:
    part, layer, _ = parameter.split(".")
    return int(layer) < (n_norms if part == "dense" else n_norms - 1)
