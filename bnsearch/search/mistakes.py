"""The test images that the final networks got most confidently wrong, kept in the results folder.

They are chosen while the test set is open, so that whoever shows them later need not open it again.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnsearch.data.tensor_file import read_tensors, write_tensors
from bnsearch.errors import ModelError

NAME = "mistakes.safetensors"
FORMAT = "bnsearch-mistakes-2"
N_KEPT = 24


@dataclass(frozen=True, eq=False)
class Mistakes:
    """Wrong answers of the networks together, the most confident first."""

    X: NDArray[Any]  # (n, D) the images, raw units
    rows: NDArray[np.int64]  # (n,) where they stand among the test rows, from 0
    y: NDArray[np.int64]  # (n,) true classes
    predicted: NDArray[np.int64]  # (n,)
    confidence: NDArray[np.float64]  # (n,) mean probability of the predicted class over the networks
    of_truth: NDArray[np.float64]  # (n,) the same of the true class
    n_wrong: int  # of all test rows
    n_test: int
    image_shape: tuple[int, ...]  # of one row, as `bnsearch.data.dataset.Dataset` has it
    unit: float


def most_confident(
    X: NDArray[Any],
    y: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    image_shape: tuple[int, ...],
    unit: float,
    n: int = N_KEPT,
) -> Mistakes:
    """The n rows of X (n_test, D) whose wrong class has the highest probability; probabilities (n_test, n_classes)."""
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != y)
    confidence = probabilities[wrong, predicted[wrong]]
    rows = wrong[np.argsort(-confidence, kind="stable")[:n]]
    return Mistakes(
        X=X[rows],
        rows=rows,
        y=y[rows],
        predicted=predicted[rows],
        confidence=probabilities[rows, predicted[rows]],
        of_truth=probabilities[rows, y[rows]],
        n_wrong=len(wrong),
        n_test=len(y),
        image_shape=image_shape,
        unit=unit,
    )


def save_mistakes(mistakes: Mistakes, path: Path) -> None:
    """Write a .safetensors file, whole or not at all."""
    tensors = {name: getattr(mistakes, name) for name in _ARRAYS}
    facts = {name: getattr(mistakes, name) for name in _FACTS}
    write_tensors(path, tensors, {"format": FORMAT, "facts": json.dumps(facts)})


def load_mistakes(path: Path) -> Mistakes | None:
    """Read a file that `save_mistakes` wrote, None where there is none; raises ModelError for anything else."""
    found = read_tensors(path)
    if found is None:
        return None
    if found.text.get("format") != FORMAT or set(found.tensors) != set(_ARRAYS) or not found.is_as_written:
        raise ModelError(f"{path} must be what `bnsearch final` wrote ({FORMAT}), but is damaged or something else.")
    facts = json.loads(found.text["facts"])
    return Mistakes(**found.tensors, **facts | {"image_shape": tuple(facts["image_shape"])})


_ARRAYS = ("X", "rows", "y", "predicted", "confidence", "of_truth")
_FACTS = ("n_wrong", "n_test", "image_shape", "unit")
