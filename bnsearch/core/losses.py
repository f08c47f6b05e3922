"""Softmax cross-entropy and the L2 penalty, one value for each lane."""

import numpy as np

from bnsearch.core.layers import Dense
from bnsearch.core.tree import Array


def cross_entropy(logits: Array, labels: Array) -> tuple[Array, Array]:
    """Cross-entropy of each sample and its probabilities, which take the place of the logits.

    ℓ = log Σ_j exp z_j − z_y, shifted by the largest z_j so that nothing overflows.

    logits: (K, n_classes, B); labels: (B,) integers. Returns (K, B) and (K, n_classes, B).
    """
    logits -= logits.real.max(axis=-2, keepdims=True)
    of_label = logits[..., labels, np.arange(len(labels))]
    probabilities = np.exp(logits, out=logits)
    total = np.ones((1, logits.shape[-2]), dtype=logits.dtype) @ probabilities  # (K, 1, B)
    probabilities /= total
    return np.log(total[..., 0, :]) - of_label, probabilities


def cross_entropy_grad(probabilities: Array, labels: Array) -> Array:
    """∂(mean ℓ)/∂z = (p − onehot(y))/B; overwrites and returns the probabilities."""
    n_batch = len(labels)
    probabilities[..., labels, np.arange(n_batch)] -= 1.0
    probabilities /= n_batch
    return probabilities


def lane_sum(values: Array) -> Array:
    """Σ over samples of (K, B) in float64 (complex stays complex), (K,); a product, so the order never depends on K."""
    wide = values.astype(np.result_type(values.dtype, np.float64))
    total: Array = wide[:, None, :] @ np.ones((values.shape[-1], 1), dtype=wide.dtype)
    return total[:, 0, 0]


def hits(logits: Array, labels: Array) -> Array:
    """(K, B) booleans: is the largest logit the label's? A tie goes to the lower class; logits (K, n_classes, B)."""
    best = logits.max(axis=-2, keepdims=True)
    correct: Array = logits[..., labels, np.arange(len(labels))] == best[..., 0, :]
    # ties, or NaN, which a maximum keeps (one lane's could hide another's ties in the count); else three times as fast
    if np.isnan(best).any() or np.count_nonzero(logits == best) != correct.size:
        correct = logits.argmax(axis=-2) == labels
    return correct


def squared_norm(dense: tuple[Dense, ...]) -> Array:
    """Σ‖W‖² over all weight matrices of each lane, (K,)."""
    total: Array = np.zeros(len(dense[0].W))
    for layer in dense:
        flat = layer.W.reshape(len(layer.W), 1, -1)
        total = total + (flat @ flat.mT)[:, 0, 0].astype(np.result_type(flat.dtype, np.float64))
    return total
