"""Backpropagation through a study's network against a numeric gradient, on a few of its training rows.

Nothing is trained, and no database is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bnsearch.core.agreement import ALLOWED, Check, agree, compare
from bnsearch.core.gradcheck import Method, analytic_gradient, batch_moments, numeric_gradient
from bnsearch.core.layers import BatchNorm
from bnsearch.core.network import Architecture, Network, initial_network
from bnsearch.core.random import generator
from bnsearch.core.tree import Array
from bnsearch.data.dataset import Dataset
from bnsearch.data.transform import fit_standardization
from bnsearch.errors import UsageError
from bnsearch.search.materials import read_dataset, rows_of
from bnsearch.search.plan import initializer
from bnsearch.search.progress import Progress
from bnsearch.search.setups import Setup
from bnsearch.search.study_file import Study
from bnsearch.search.threads import one_blas_thread

Statistics = Literal["batch", "frozen"]
SPREAD = 0.1  # standard deviation of what is added to biases, γ and β
LEAST_ROWS, FEW_ROWS = 3, 5  # with batch normalisation
FEW_ROWS_COST = 100.0
LEAST_VARIANCE = 1e-20  # below it a unit is constant but for rounding


@dataclass(frozen=True)
class Question:
    """What is to be compared, and on what."""

    method: Method = "complex"
    statistics: Statistics = "batch"  # frozen: the numeric side keeps the moments of batch normalisation as they are
    n_inputs: int = 10  # the first dimensions
    n_rows: int = 20  # the first training rows
    l2: float | None = None  # instead of the study's, which lies within the space that it searches


def check_gradients(study: Study, question: Question, progress: Progress, data_dir: Path | None) -> dict[str, Any]:
    """A record of every parameter's errors, with the verdict on each; raises UsageError where it cannot be asked."""
    setup, dataset = study.base, read_dataset(study, progress, data_dir)
    _check_question(question, setup, dataset)
    x, labels = _rows(question, setup, dataset)
    network = _network(study, x.shape[1], len(dataset.classes))
    l2 = setup.training.l2 if question.l2 is None else question.l2
    allowed = _allowed(question, setup)
    with one_blas_thread():
        moments = batch_moments(network, x)
        if setup.network.batch_norm == "plain" and any((m.var < LEAST_VARIANCE).any() for m in moments):
            raise UsageError(
                "Every hidden unit must vary over the rows, for else plain batch normalisation leaves it at 0, where "
                "ReLU has no derivative, but some do not: take more --inputs, or another `network.init`."
            )
        frozen = moments if question.statistics == "frozen" else None
        analytic = analytic_gradient(network, x, labels, np.array([l2]))

        def numeric(method: Method) -> list[Check]:
            return compare(analytic, numeric_gradient(network, x, labels, np.array([l2]), method, frozen))

        checks = numeric(question.method)
        agreeing = _agreeing(checks, allowed)
        # a real difference across the kink of a ReLU is no derivative; a complex step crosses none
        exact = all(agreeing)
        if not exact and question.method != "complex":
            exact = all(_agreeing(numeric("complex"), _allowed(replace(question, method="complex"), setup)))
    return {
        "study": study.called,
        "widths": [x.shape[1], *setup.network.hidden, len(dataset.classes)],
        "batch_norm": setup.network.batch_norm if _is_normalised(setup) else "none",
        "l2": l2,
        "n_rows": len(x),
        "method": question.method,
        "statistics": question.statistics,
        "allowed": allowed,
        "exact": exact,  # does the complex step agree, where this method does not?
        "parameters": [_record(check, agrees) for check, agrees in zip(checks, agreeing, strict=True)],
    }


def _check_question(question: Question, setup: Setup, dataset: Dataset) -> None:
    n_dimensions, (train, _) = dataset.X.shape[1], rows_of(setup.data, len(dataset.X))
    source, n_train = setup.data.source, train[1] - train[0]
    if question.n_inputs > n_dimensions:
        raise UsageError(
            f"--inputs must be at most the {n_dimensions} dimensions of {source!r}, but got {question.n_inputs}."
        )
    if question.n_rows > n_train:
        raise UsageError(
            f"--batch must be at most the {n_train} training rows of the study, but got {question.n_rows}."
        )
    if question.n_rows < LEAST_ROWS and _is_normalised(setup):
        raise UsageError(
            f"--batch must be at least {LEAST_ROWS} with batch normalisation, for one row has no variance, and two "
            f"are ±1 whatever the weights, but got {question.n_rows}."
        )


def _is_normalised(setup: Setup) -> bool:
    return bool(setup.network.hidden) and setup.network.batch_norm != "none"


def _allowed(question: Question, setup: Setup) -> float:
    """More where normalisation divides by the standard deviation of very few rows, which magnifies rounding."""
    few = question.n_rows < FEW_ROWS and _is_normalised(setup)
    return ALLOWED[question.method] * (FEW_ROWS_COST if few else 1.0)


def _rows(question: Question, setup: Setup, dataset: Dataset) -> tuple[Array, NDArray[np.int64]]:
    """Inputs (B, D) in double precision, standardised over all training rows, and labels (B,)."""
    train, _ = rows_of(setup.data, len(dataset.X))
    X = dataset.X[:, : question.n_inputs]
    transform = fit_standardization(X, np.arange(*train), dataset.unit, setup.data.standardize)
    first = slice(train[0], train[0] + question.n_rows)
    return X[first] * transform.scale + transform.shift, dataset.y[first]


def _network(study: Study, n_inputs: int, n_classes: int) -> Network:
    """Weights as the study initialises them; biases, γ and β a little beside their 0 and 1.

    There a factor γ that was forgotten would not show, and a ReLU whose inputs are all 0 has no derivative.
    """
    table = study.base.network
    architecture = Architecture(n_inputs, table.hidden, n_classes, table.batch_norm, bn_epsilon=table.bn_epsilon)
    rng = generator(study.seed, "gradcheck", "weights")
    network = initial_network(architecture, initializer(table.init), rng, 1, np.float64)

    def beside(array: Array) -> Array:
        return array + rng.normal(0.0, SPREAD, array.shape)

    def norm_beside(norm: BatchNorm) -> BatchNorm:
        if norm.gamma is None or norm.beta is None:
            return norm
        return replace(norm, gamma=beside(norm.gamma), beta=beside(norm.beta))

    dense = tuple(replace(layer, b=beside(layer.b)) for layer in network.dense)
    return Network(dense, tuple(norm_beside(norm) for norm in network.norms))


def _agreeing(checks: Sequence[Check], allowed: float) -> list[bool]:
    return [bool(lanes.all()) for lanes in agree(checks, allowed)]


def _record(check: Check, agrees: bool) -> dict[str, Any]:
    """Its only lane; relative errors are None where both gradients are 0 but for rounding."""
    meant = not (check.expected_zero and agrees)
    relative = {
        "relative_error": check.relative,
        "max_relative_error": check.elementwise,
        "relative_to_larger": check.to_larger,
        "relative_to_sum": check.to_sum,
    }
    return {
        "parameter": check.parameter,
        "largest_gradient": float(check.scale[0]),
        "max_absolute_error": float(check.absolute[0]),
        **{name: float(values[0]) if meant else None for name, values in relative.items()},
        "expected_zero": check.expected_zero,
        "agrees": agrees,
    }
