"""scikit-learn's step: MLPClassifier.partial_fit, one network at a time. It has no batch normalisation."""

import numpy as np
from sklearn.neural_network import MLPClassifier

from benchmarks.problem import BATCH, L2, LEARNING_RATE, Array, Data, Problem

CALL_STEPS = 20  # minibatches handed over in one call, so that its checks of the inputs weigh little


class Scikit:
    """Implements `Trainer`."""

    n_lanes = 1

    def __init__(self, problem: Problem, data: Data):
        self.network = MLPClassifier(
            problem.widths[1:-1],
            solver="sgd",
            alpha=2 * L2 * BATCH,  # it divides by the batch, and halves
            batch_size=BATCH,
            learning_rate_init=LEARNING_RATE,
            momentum=problem.momentum,
            nesterovs_momentum=False,
            shuffle=False,
        )
        self.data, self.step = data, 0

    def train(self, n_steps: int) -> None:
        """In calls of several minibatches."""
        end = self.step + n_steps
        while self.step < end:
            steps = range(self.step, min(self.step + CALL_STEPS, end))
            rows = np.concatenate([self.data.rows(step) for step in steps])
            self.network.partial_fit(self.data.X[rows], self.data.y[rows], classes=np.arange(10))
            self.step = steps.stop

    def weights(self) -> list[Array]:
        """As they are."""
        return [W.T for W in self.network.coefs_]
