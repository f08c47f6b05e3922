"""What the two reports say, with the place in each.

B17: F. Baldassarre, "Deep Learning in Data Science, Assignment 3", 3 May 2017. N19: T. Nicolai, "DD2424, Assignment 3",
29 April 2019. Accuracies are shares. Curves are not in the reports' texts; what is said of them is quoted.
"""

from dataclasses import dataclass
from typing import NamedTuple

# B17, "Gradient checking": the largest elementwise relative error, by layer, of weights and biases
B17_GRADIENTS: dict[str, list[tuple[float, float]]] = {
    "two layers with L2": [(1.74e-3, 1.54e-7), (1.66e-8, 8.51e-9)],
    "two layers with BN": [(1.00, 1.00), (2.86e-8, 3.68e-9)],
    "three layers with BN": [(1.00, 1.00), (1.00, 1.00), (6.94e-8, 7.58e-10)],
    "four layers with BN": [(1.00, 1.00), (1.00, 1.00), (1.00, 1.00), (6.66e-8, 8.93e-9)],
}
B17_GRADIENTS_QUOTE = (
    "I would love to understand why, but I didn't manage to get the gradients to check. … It might be in fact possible "
    "that the initial random initialization messes up with the numerical algorithm."
)
# B17, the same section, "What results from these overfitting test": which fail to reach 100 % (layers, with BN?)
B17_FAIL = {(1, False), (4, False)}
B17_OVERFIT_QUOTE = (
    "the one layer network and the four layer network without BN fail to reach 100% accuracy; the effect of momentum "
    "it to speed up the learning process; batch normalization works fine and results in faster learning"
)
B17_SPIKE_QUOTE = (
    "there is a spike in the cost function near the first epochs of a batch normalized network that might imply that "
    "the gradient checks should not be done on a *cold* network"
)
B17_DEPTH_QUOTE = (
    "the first network is slower in training, while the second one learns faster and reaches higher performances. "
    "Ideally we would see how the non batch normalized network fails to train where the batch normalized succeeds"
)
B17_SPEED_QUOTE = (
    "the general trend is that the batch normalized network is able to reach higher performances, often in a shorter "
    "amount of iterations"
)


class Setting(NamedTuple):
    """One of the three best of a search of B17's."""

    learning_rate: float
    l2: float
    train: float
    valid: float


B17_COARSE = [  # "Coarse search"
    Setting(0.012721, 0.000192, 0.3898, 0.3260),
    Setting(0.029202, 0.000672, 0.4386, 0.3230),
    Setting(0.012721, 0.003772, 0.3774, 0.3180),
]
B17_FINE = [  # "Fine Search"
    Setting(0.016231, 0.012361, 0.4356, 0.3440),
    Setting(0.043773, 0.012361, 0.4008, 0.3350),
    Setting(0.016231, 0.053913, 0.3991, 0.3340),
]
B17_FINAL_TRAIN, B17_FINAL_TEST = 0.4899, 0.4083  # "Final"

# N19, figure 1: the largest relative error, forward difference with h = 1e-6
N19_GRADIENTS = {
    "dense.0.W": 2.39e-4,
    "dense.1.W": 1.43e-3,
    "dense.2.W": 1.22e-4,
    "norms.0.gamma": 1.41e-6,
    "norms.1.gamma": 2.32e-6,
    "norms.0.beta": 5.17e-6,
    "norms.1.beta": 3.35e-5,
}
N19_NETWORKS_QUOTE = (
    "batch normalization slightly improves the final validation error for both network architectures. Despite this, "
    "the nine layer network still performs considerably worse. The three layer network performs approximately achieves "
    "the ≈ 53.8% test accuracy reported in the assignment."
)
N19_COURSE_TEST = 0.538  # section 2, of three layers
N19_SEARCH = [(3.51e-3, 0.553), (4.42e-3, 0.553), (5.19e-3, 0.552)]  # figure 8: λ, validation accuracy
N19_FINAL_TEST = 0.544  # figure 9
N19_SENSITIVITY_QUOTE = (
    "batch normalization was able to prevent divergence for small values of σ. I presume that without batch "
    "normalization divergence occurs in these cases because the closer the initial weight values are to zero, the more "
    'gradient updates will tend to modify weights "in the same direction" thus making training prone to divergence.'
)


@dataclass(frozen=True)
class Target:
    """What this reproduction is to find: from low to high, in shares."""

    text: str
    low: float
    high: float = 1.0

    def met(self, value: float) -> bool:
        """To the precision that the page shows."""
        return self.low <= round(value, 4) <= self.high


B17_MOVING = Target("B17's final network as B17 evaluates it: 40 ± 2 %", 0.38, 0.42)
B17_EXACT = Target("the same networks with exact moments: at least 48.5 %", 0.485)
N19_THREE = Target("N19's three layers with BN: 53.3 ± 0.8 %", 0.525, 0.541)
N19_BEST = Target("the best of N19's search: at least 54.0 % (λ by bnsearch's confirm, all 50,000 rows)", 0.540)
N19_NINE = Target("nine layers: with BN at least 1.5 points ahead of without", 0.015)
N19_WITH_BN = Target("with BN all three σ within 3 points", 0.0, 0.03)
N19_WITHOUT_BN = Target("without BN σ = 0.001 and 0.0001 at chance (10 ± 1 %)", 0.09, 0.11)
