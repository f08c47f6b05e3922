"""What the page says of small initial weights: whether they stall, and whether λ is why."""

import math
from typing import Any

import pytest

from benchmarks.reproduction.ours import Group
from benchmarks.reproduction.sections import sensitivity
from benchmarks.reproduction.spread import Spread
from tests.reproduction.made import MadeRuns, group, whole

CHANCE = math.log(10)


def _runs(
    monkeypatch: pytest.MonkeyPatch, losses: dict[float, float], weights: dict[float, float], n_lost: int = 0
) -> MadeRuns:
    """Without BN and with a small σ these training losses and second layer's weights, by λ."""
    variants: list[tuple[dict[str, Any], Group]] = []
    at: dict[int, float] = {}
    for l2 in sensitivity.L2S:
        for norm in sensitivity.NORMS:
            for sigma in sensitivity.SIGMAS:
                small = norm == "none" and sigma < 0.1
                loss = losses[l2] if small else 1.2
                accuracy = 0.1 if small and loss > 2.2 else 0.52
                found = group(
                    n_lost=n_lost if small else 0,
                    train_loss=[loss, loss],
                    valid_accuracy=[accuracy, accuracy],
                    test_accuracy=[accuracy, accuracy],
                )
                at[id(found)] = weights[l2]
                variants.append(({"batch_norm": norm, "init": {"normal": sigma}, "l2": l2}, found))
    monkeypatch.setattr(sensitivity, "second_layer", lambda _, g: Spread(at[id(g)], 0.0, 2))
    return MadeRuns(n19_sensitivity=variants)


@pytest.mark.parametrize(
    ("losses", "weights", "said"),
    [
        ({0.005: CHANCE, 0.0: 1.5}, {0.005: 1e-9, 0.0: 0.1}, "so that it is λ which shrinks the weights faster"),
        ({0.005: CHANCE, 0.0: 1.5}, {0.005: 2e-3, 0.0: 0.1}, "so that it is λ which keeps the weights from growing"),
        ({0.005: CHANCE, 0.0: CHANCE}, {0.005: 1e-9, 0.0: 1e-3}, "it is not what stops the learning"),
        ({0.005: CHANCE, 0.0: CHANCE}, {0.005: 2e-3, 0.0: 2e-3}, "no sign of a pull of λ"),
        ({0.005: 1.5, 0.0: 1.5}, {0.005: 0.1, 0.0: 0.1}, "the penalty does not keep them from learning"),
    ],
)
def test_the_twins_without_a_penalty_tell(
    monkeypatch: pytest.MonkeyPatch, losses: dict[float, float], weights: dict[float, float], said: str
) -> None:
    text = whole(sensitivity.sensitivity(_runs(monkeypatch, losses, weights)))
    assert text.count(said) == 2
    assert ("It stalls; it does not diverge" in text) is (losses[0.005] == CHANCE)
    assert "No cost of any seed is infinite" in text
    assert "the σ lie 0.00 points apart on the test set with λ = 0.005" in text


def test_seeds_that_overflow_are_said_to_diverge(monkeypatch: pytest.MonkeyPatch) -> None:
    text = whole(sensitivity.sensitivity(_runs(monkeypatch, {0.005: CHANCE, 0.0: 1.5}, {0.005: 1e-9, 0.0: 0.1}, 1)))
    assert "**It diverges**" in text
    assert "4 seeds became infinite or NaN" in text
    assert "It stalls" not in text
