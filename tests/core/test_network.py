"""A network's way there and back against explicit formulas, lane by lane, with samples in rows."""

from dataclasses import dataclass

import numpy as np
import pytest

from bnsearch.core import tree
from bnsearch.core.layers import Keep, Moments
from bnsearch.core.network import Network, apply, backward, forward, work_for
from tests.core.helpers import assert_identical, make_network, random_rows

K, N_CLASSES = 3, 10
HIDDEN = (7, 5, 6)
ROWS = random_rows(20, 10, N_CLASSES, seed=7)
KINDS = pytest.mark.parametrize(
    ("hidden", "kind"),
    [
        pytest.param(HIDDEN, "affine", id="affine"),
        pytest.param(HIDDEN, "plain", id="plain"),
        pytest.param(HIDDEN, "none", id="none"),
        pytest.param((), "none", id="no hidden layer"),
    ],
)


@dataclass
class Explicit:
    """One lane on its own, from the definitions: z = x Wᵀ + b, x̂ = (z − mean)/std, y = γ x̂ + β, relu."""

    network: Network
    lane: int
    moments: tuple[Moments, ...] | None = None

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.inputs, self.xhat, self.std, self.used = [x], [], [], []
        for i, dense in enumerate(self.network.dense[:-1]):
            z = self.inputs[-1] @ dense.W[self.lane].T + dense.b[self.lane].T
            if self.network.norms:
                norm = self.network.norms[i]
                mean, var = z.mean(0), z.var(0)
                if self.moments is not None:
                    mean, var = self.moments[i].mean[self.lane, :, 0], self.moments[i].var[self.lane, :, 0]
                self.used.append((mean, var))
                self.std.append(np.sqrt(var + norm.epsilon))
                self.xhat.append((z - mean) / self.std[-1])
                z = self.xhat[-1]
                if norm.gamma is not None and norm.beta is not None:
                    z = z * norm.gamma[self.lane].T + norm.beta[self.lane].T
            self.inputs.append(np.maximum(z, 0.0))
        last = self.network.dense[-1]
        return self.inputs[-1] @ last.W[self.lane].T + last.b[self.lane].T

    def gradient(self, d: np.ndarray) -> dict[str, np.ndarray]:
        """∂(Σ d·logits)/∂θ for d (B, n_classes), by the path of each parameter."""
        found = {}
        for i in reversed(range(len(self.network.dense))):
            found[f"dense.{i}.W"], found[f"dense.{i}.b"] = d.T @ self.inputs[i], d.sum(0)[:, None]
            if i == 0:
                break
            d = d @ self.network.dense[i].W[self.lane] * (self.inputs[i] > 0)
            if self.network.norms:
                norm, xhat = self.network.norms[i - 1], self.xhat[i - 1]
                if norm.gamma is not None:
                    found[f"norms.{i - 1}.gamma"] = (d * xhat).sum(0)[:, None]
                    found[f"norms.{i - 1}.beta"] = d.sum(0)[:, None]
                    d = d * norm.gamma[self.lane].T
                d = (d - d.mean(0) - xhat * (d * xhat).mean(0)) / self.std[i - 1]
        return found


def derivative_of_logits() -> np.ndarray:
    return np.random.default_rng(8).normal(size=(K, N_CLASSES, len(ROWS)))


def explicit_gradient(network: Network, d: np.ndarray) -> dict[str, np.ndarray]:
    """(K, …) arrays by path."""
    lanes = [Explicit(network, lane) for lane in range(K)]
    for lane in lanes:
        lane.forward(ROWS.x)
    each = [lane.gradient(d[lane.lane].T) for lane in lanes]
    return {path: np.stack([found[path] for found in each]) for path in each[0]}


def back(network: Network, d: np.ndarray, into: Network, keep: Keep) -> None:
    """There and back on the rows; d stays as it is."""
    work = work_for(network, len(ROWS))
    _, tape = forward(network, ROWS.x, work)
    backward(network, tape, d.copy(), into, keep, work)


def assert_close(found: Network, expected: dict[str, np.ndarray]) -> None:
    leaves = dict(tree.leaves(found))
    assert leaves.keys() == expected.keys()
    for path, leaf in leaves.items():
        np.testing.assert_allclose(leaf, expected[path], rtol=1e-11, atol=1e-12, err_msg=path)


def kept(network: Network, keep: Keep) -> dict[str, np.ndarray]:
    """What is left of each array."""
    of = {True: keep.weights, False: keep.others}
    factor = {path: of[path.endswith("W")] for path, _ in tree.leaves(network)}
    return {path: leaf if factor[path] is None else factor[path] * leaf for path, leaf in tree.leaves(network)}


@KINDS
def test_logits_and_moments_of_a_batch_are_the_definition(hidden: tuple[int, ...], kind: str) -> None:
    network = make_network(hidden, n_lanes=K, kind=kind)

    logits, tape = forward(network, ROWS.x, work_for(network, len(ROWS)))

    assert logits.shape == (K, N_CLASSES, len(ROWS))
    for lane in range(K):
        explicit = Explicit(network, lane)
        np.testing.assert_allclose(logits[lane].T, explicit.forward(ROWS.x), rtol=1e-11, atol=1e-12)
        assert len(tape.moments) == len(explicit.used)
        for moments, (mean, var) in zip(tape.moments, explicit.used, strict=True):
            np.testing.assert_allclose(moments.mean[lane, :, 0], mean, rtol=1e-11, atol=1e-13)
            np.testing.assert_allclose(moments.var[lane, :, 0], var, rtol=1e-11, atol=1e-13)


@KINDS
def test_given_moments_are_applied(hidden: tuple[int, ...], kind: str) -> None:
    network, rng = make_network(hidden, n_lanes=K, kind=kind), np.random.default_rng(1)
    shapes = [(K, n, 1) for n in hidden] if network.norms else []
    moments = tuple(Moments(rng.normal(size=shape), rng.uniform(0.5, 2.0, shape)) for shape in shapes)
    before = tree.copy((network, moments))

    logits = apply(network, ROWS.x, moments, work_for(network, len(ROWS)))

    for lane in range(K):
        expected = Explicit(network, lane, moments).forward(ROWS.x)
        np.testing.assert_allclose(logits[lane].T, expected, rtol=1e-11, atol=1e-12)
    assert_identical((network, moments), before)


@KINDS
def test_back_into_zeros_is_the_gradient(hidden: tuple[int, ...], kind: str) -> None:
    network, d = make_network(hidden, n_lanes=K, kind=kind), derivative_of_logits()
    before, gradient = tree.copy(network), tree.map(np.zeros_like, network)

    back(network, d, gradient, Keep())

    assert_close(gradient, explicit_gradient(network, d))
    assert_identical(network, before)


@KINDS
def test_back_into_a_velocity_adds_to_what_is_kept_of_it(hidden: tuple[int, ...], kind: str) -> None:
    network, d = make_network(hidden, n_lanes=K, kind=kind), derivative_of_logits()
    velocity, before = make_network(hidden, n_lanes=K, kind=kind, seed=5), tree.copy(network)
    keep = Keep(np.reshape([0.9, 0.0, 0.5], (K, 1, 1)), np.reshape([0.3, 1.0, 0.0], (K, 1, 1)))
    rest = kept(velocity, keep)

    back(network, d, velocity, keep)

    gradient = explicit_gradient(network, d)
    assert_close(velocity, {path: rest[path] + gradient[path] for path in rest})
    assert_identical(network, before)


@KINDS
@pytest.mark.parametrize("keep", [Keep(), Keep(weights=np.reshape([0.5, 0.9, 1.0], (K, 1, 1)))], ids=["all", "shrunk"])
def test_back_into_the_network_itself_changes_no_parameter_before_its_last_use(
    hidden: tuple[int, ...], kind: str, keep: Keep
) -> None:
    network = make_network(hidden, n_lanes=K, kind=kind)
    d = -0.1 * np.reshape([1.0, 2.0, 3.0], (K, 1, 1)) * derivative_of_logits()
    gradient, rest = explicit_gradient(network, d), kept(tree.copy(network), keep)

    back(network, d, network, keep)

    assert_close(network, {path: rest[path] + gradient[path] for path in rest})


@KINDS
def test_what_lay_in_the_room_for_work_does_not_matter(hidden: tuple[int, ...], kind: str) -> None:
    network, d = make_network(hidden, n_lanes=K, kind=kind), derivative_of_logits()
    work, found = work_for(network, len(ROWS)), []
    for rest in (0.0, 1e3, np.nan):
        for _, leaf in tree.leaves(work):
            leaf.fill(rest)
        gradient = tree.map(np.zeros_like, network)
        logits, tape = forward(network, ROWS.x, work)
        backward(network, tape, d.copy(), gradient, Keep(), work)
        found.append((logits.copy(), gradient, apply(network, ROWS.x, tape.moments, work).copy()))

    assert_identical(found[1], found[0])
    assert_identical(found[2], found[0])
