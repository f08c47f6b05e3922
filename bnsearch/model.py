"""The exported network: takes raw inputs, needs neither the database nor the data set it came from.

Standardisation, projection and batch normalisation are folded into the dense layers (in float64), which leaves the
plain chain affine -> ReLU -> … -> affine -> softmax. Files are safetensors: `layers.0.weight` (fan_in, fan_out),
`layers.0.bias` (fan_out,), ….
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnsearch.core.layers import Moments
from bnsearch.core.network import Network
from bnsearch.data.dataset import one_line
from bnsearch.data.tensor_file import altered, read_tensors, write_tensors
from bnsearch.data.transform import Transform
from bnsearch.errors import ModelError

Float = NDArray[np.float64]
FORMAT = "bnsearch-model-2"
CHUNK_ROWS = 1000


@dataclass(frozen=True, eq=False)
class Model:
    """A trained classifier on raw inputs."""

    weights: tuple[Float, ...]  # (fan_in, fan_out) each
    biases: tuple[Float, ...]  # (fan_out,) each
    classes: tuple[str, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)  # how it came about; JSON values

    def logits(self, X: NDArray[Any]) -> Float:
        """(n, D) raw inputs -> (n, n_classes)."""
        X = X.reshape(len(X), math.prod(X.shape[1:]))  # -1 would not do for no rows
        if X.shape[1] != len(self.weights[0]):
            raise ModelError(f"The model takes {len(self.weights[0])} inputs a row, but got {X.shape[1]}.")
        parts = [self._logits(X[low : low + CHUNK_ROWS].astype(np.float64)) for low in range(0, len(X), CHUNK_ROWS)]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.classes)))

    def _logits(self, x: Float) -> Float:
        for W, b in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = np.maximum(x @ W + b, 0.0)
        return x @ self.weights[-1] + self.biases[-1]

    def predict(self, X: NDArray[Any]) -> NDArray[np.int64]:
        """Class numbers (n,) of raw inputs (n, D); `classes` has their names."""
        best: NDArray[np.int64] = self.logits(X).argmax(axis=1)
        return best

    def probabilities(self, X: NDArray[Any]) -> Float:
        """(n, n_classes), each row summing to 1."""
        return softmax(self.logits(X))


def softmax(logits: Float) -> Float:
    """exp(z)/Σ exp(z) along the rows of (n, n_classes)."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def fold(
    network: Network, moments: tuple[Moments, ...], transform: Transform, classes: tuple[str, ...], **metadata: Any
) -> Model:
    """One lane (K = 1) as a Model: W' = W γ/√(var + ε), b' = (b − mean) γ/√(var + ε) + β, the first layer behind
    the transform.
    """
    weights, biases = [], []
    for i, dense in enumerate(network.dense):
        W, b = dense.W[0].T.astype(np.float64), dense.b[0, :, 0].astype(np.float64)
        if i == 0:
            W, b = _behind(transform, W, b)
        if i < len(network.norms):
            norm = network.norms[i]
            gain = 1.0 / np.sqrt(moments[i].var[0, :, 0].astype(np.float64) + norm.epsilon)
            if norm.gamma is not None:
                gain = gain * norm.gamma[0, :, 0]
            b = (b - moments[i].mean[0, :, 0]) * gain
            W = W * gain
            if norm.beta is not None:
                b = b + norm.beta[0, :, 0]
        weights.append(W)
        biases.append(b)
    return Model(tuple(weights), tuple(biases), classes, metadata)


def _behind(transform: Transform, W: Float, b: Float) -> tuple[Float, Float]:
    full = W if transform.basis is None else transform.basis @ W  # (D, fan_out)
    return transform.scale[:, None] * full, b + transform.shift @ full


def save_model(model: Model, path: Path) -> None:
    """Write a .safetensors file, whole or not at all."""
    tensors = {}
    for i, (W, b) in enumerate(zip(model.weights, model.biases, strict=True)):
        tensors[f"layers.{i}.weight"], tensors[f"layers.{i}.bias"] = W, b
    text = {"format": FORMAT, "classes": json.dumps(model.classes), "metadata": json.dumps(dict(model.metadata))}
    write_tensors(path, tensors, text)


def load_model(path: str | Path) -> Model:
    """Read a file that `save_model` wrote; raises ModelError for anything else. One of others may have no checksum."""
    found = read_tensors(Path(path))
    if found is None:
        raise ModelError(f"{path} must be a readable safetensors file, but there is none.")
    tensors, text = found.tensors, found.text
    if text.get("format") != FORMAT:
        raise ModelError(
            f"{path} must be a model written by bnsearch ({FORMAT}), but its format is {text.get('format')!r}."
        )
    if found.has_checksum and not found.is_as_written:
        raise altered(Path(path), ": bring back a copy, or run `bnsearch final` again")
    try:
        n_layers = len(tensors) // 2
        weights = tuple(tensors[f"layers.{i}.weight"] for i in range(n_layers))
        biases = tuple(tensors[f"layers.{i}.bias"] for i in range(n_layers))
        classes, metadata = _checked_classes(json.loads(text["classes"])), dict(json.loads(text["metadata"]))
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        raise ModelError(f"{path} lacks a part of the model: {one_line(error)}.") from error
    widths = [weights[0].shape[:1] if weights else (), *(b.shape for b in biases)]
    if (
        not weights
        or len(tensors) != 2 * n_layers
        or any(len(w) != 1 or w == (0,) for w in widths)
        or any(W.shape != widths[i] + widths[i + 1] for i, W in enumerate(weights))
        or widths[-1] != (len(classes),)
    ):
        raise ModelError(f"{path} must hold a chain of matching layers, but has shapes {[W.shape for W in weights]}.")
    if {array.dtype for array in tensors.values()} != {np.dtype(np.float64)}:
        types = ", ".join(sorted({str(array.dtype) for array in tensors.values()}))
        raise ModelError(f"{path} must hold float64 numbers, but has {types}.")
    return Model(weights, biases, classes, metadata)


def _checked_classes(names: Any) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError("its classes are no list of names")
    return tuple(names)
