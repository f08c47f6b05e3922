"""JAX's step: jit of vmap over K lanes that share a minibatch, an implementation of its own."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.problem import AVERAGE, EPSILON, L2, LEARNING_RATE, Array, Data, Problem


def forward(parameters, x):
    """Logits (B, n_classes) of one network, and the moments of the batch."""
    moments = []
    *hidden, last = parameters
    for layer in hidden:
        z = x @ layer["W"].T + layer["b"]
        mean, var = z.mean(axis=0), z.var(axis=0)
        moments.append((mean, var))
        x = jax.nn.relu(layer["gamma"] * (z - mean) / jnp.sqrt(var + EPSILON) + layer["beta"])
    return x @ last["W"].T + last["b"], moments


def cross_entropy(parameters, x, labels):
    """Mean over the batch, and the moments."""
    logits, moments = forward(parameters, x)
    picked = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1)
    return -picked.mean(), moments


def lane_step(parameters, velocity, moving, setting, x, labels, with_momentum):
    """One network's step: v ← ρ v + η (g + 2λW), θ ← θ − v."""
    l2, rate, momentum = setting
    (_, moments), gradient = jax.value_and_grad(cross_entropy, has_aux=True)(parameters, x, labels)
    decayed = [g | {"W": g["W"] + 2 * l2 * p["W"]} for g, p in zip(gradient, parameters, strict=True)]
    change = jax.tree.map(lambda g: rate * g, decayed)
    if with_momentum:
        velocity = change = jax.tree.map(lambda v, c: momentum * v + c, velocity, change)
    parameters = jax.tree.map(lambda p, c: p - c, parameters, change)
    moving = jax.tree.map(lambda a, b: AVERAGE * a + (1 - AVERAGE) * b, moving, moments)
    return parameters, velocity, moving


@partial(jax.jit, static_argnames="with_momentum", donate_argnums=(0, 1, 2))
def step(parameters, velocity, moving, settings, X, y, rows, with_momentum):
    """All lanes' step, the minibatch gathered once."""
    lanes = jax.vmap(partial(lane_step, with_momentum=with_momentum), in_axes=(0, 0, 0, 0, None, None))
    return lanes(parameters, velocity, moving, settings, X[rows], y[rows])


class Vmap:
    """Implements `Trainer`."""

    def __init__(self, problem: Problem, data: Data, n_lanes: int):
        self.n_lanes = n_lanes
        self.data, self.step = data, 0
        self.with_momentum = problem.momentum > 0

        def lanes(value: Array):
            return jnp.asarray(np.repeat(np.asarray(value, np.float32)[None], n_lanes, axis=0))

        parameters = [{"W": lanes(W), "b": lanes(np.zeros(len(W)))} for W in problem.weights()]
        for layer, n in zip(parameters, problem.widths[1:-1], strict=False):
            layer |= {"gamma": lanes(np.ones(n)), "beta": lanes(np.zeros(n))}
        moving = [(lanes(np.zeros(n)), lanes(np.ones(n))) for n in problem.widths[1:-1]]
        velocity = jax.tree.map(jnp.zeros_like, parameters) if self.with_momentum else jnp.zeros(n_lanes)
        self.state = (parameters, velocity, moving)
        self.settings = tuple(jnp.full(n_lanes, value) for value in (L2, LEARNING_RATE, problem.momentum))

    def train(self, n_steps: int) -> None:
        """Steps are queued; the last is waited for."""
        X, y = self.data.on_jax
        for i in range(self.step, self.step + n_steps):
            self.state = step(*self.state, self.settings, X, y, self.data.rows(i), self.with_momentum)
        self.step += n_steps
        jax.block_until_ready(self.state)

    def weights(self) -> list[Array]:
        """Of the last lane."""
        return [np.asarray(layer["W"][-1]) for layer in self.state[0]]
