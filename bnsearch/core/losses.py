"""Softmax cross-entropy and the L2 penalty, one value for each lane."""

import numpy as np

from bnsearch.core.layers import Dense
from bnsearch.core.tree import Array


def cross_entropy(logits: Array, labels: Array) -> tuple[Array, Array]:
    """Cross-entropy of each sample and its probabilities.

    ℓ = log Σ_j exp z_j − z_y, shifted by the largest z_j so that nothing overflows.

    logits: (K, B, n_classes); labels: (B,) integers. Returns (K, B) and (K, B, n_classes).
    """
    shifted = logits - logits.real.max(axis=-1, keepdims=True)
    probabilities = np.exp(shifted)
    total = probabilities @ np.ones(
        (logits.shape[-1], 1), dtype=logits.dtype
    )  # (K, B, 1); a product: see layers.batch_mean
    probabilities /= total
    of_label = shifted[..., np.arange(len(labels)), labels]
    return np.log(total[..., 0]) - of_label, probabilities


def cross_entropy_grad(probabilities: Array, labels: Array) -> Array:
    """∂(mean ℓ)/∂z = (p − onehot(y))/B; overwrites and returns the probabilities."""
    n_batch = len(labels)
    probabilities[..., np.arange(n_batch), labels] -= 1.0
    probabilities /= n_batch
    return probabilities


def lane_sum(values: Array) -> Array:
    """Σ over samples of (K, B) in float64 (complex stays complex), (K,); a product, so the order never depends on K."""
    wide = values.astype(np.result_type(values.dtype, np.float64))
    total: Array = wide[:, None, :] @ np.ones((values.shape[-1], 1), dtype=wide.dtype)
    return total[:, 0, 0]


def hits(logits: Array, labels: Array) -> Array:
    """(K, B) booleans: is the largest logit the label's? A tie goes to the lower class."""
    correct: Array = logits.real.argmax(axis=-1) == labels
    return correct


def squared_norm(dense: tuple[Dense, ...]) -> Array:
    """Σ‖W‖² over all weight matrices of each lane, (K,)."""
    total: Array = np.zeros(len(dense[0].W))
    for layer in dense:
        flat = layer.W.reshape(len(layer.W), 1, -1)
        total = total + (flat @ flat.mT)[:, 0, 0].astype(np.result_type(flat.dtype, np.float64))
    return total
