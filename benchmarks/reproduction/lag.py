"""How far moving averages stay behind the exact moments, read off two exports of the same network.

The exports fold the moments into the first layer: W' = W/σ and b' = (b − μ)/σ, behind the same transform. So the
quotient of two columns is that of the σ, and b' gives the distance of the means: with r = σ_exact/σ_moving,

    b'_moving/r − b'_exact = (μ_exact − μ_moving)/σ_exact.

Without γ and β alone: they would have to be taken off first.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bnsearch.model import Model, load_model

Float = NDArray[np.float64]


def lag(moving: Model, exact: Model) -> Float:
    """|μ_moving − μ_exact|/σ_exact of each unit of the first hidden layer, (n,)."""
    W, V = moving.weights[0], exact.weights[0]
    r = (W * V).sum(axis=0) / (V * V).sum(axis=0)
    found: Float = np.abs(moving.biases[0] / r - exact.biases[0])
    return found


def lag_of(results: Path, number: int) -> float:
    """The mean over the units, of a compared trial's two exports."""
    moving, exact = (
        load_model(results / "models" / f"compare-{number:05d}-{kind}.safetensors") for kind in ("moving", "population")
    )
    return float(lag(moving, exact).mean())
