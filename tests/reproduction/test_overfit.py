"""What the page says of B17's overfit test and its spike, whichever way they come out."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from benchmarks.reproduction import theirs
from benchmarks.reproduction.ours import Group
from benchmarks.reproduction.pictures import b17
from benchmarks.reproduction.sections import overfit, spike
from tests.reproduction.made import MadeRuns, group, whole

Epochs = Callable[[int, bool, float], float]


def _curves(at: float, n: int = 120) -> tuple[list[float], list[float]]:
    """Accuracy and cost of a seed that is at 100 % from an epoch on, or for ever at 20 %."""
    return [1.0 if epoch >= at else 0.2 for epoch in range(1, n + 1)], [2.2 if math.isinf(at) else 1.0] * n


def _variants(epochs: Epochs, momenta: tuple[float, ...]) -> list[tuple[dict[str, Any], Group]]:
    found: list[tuple[dict[str, Any], Group]] = []
    for hidden in overfit.HIDDEN:
        for norm in ("none", "plain") if hidden else ("none",):
            for momentum in momenta:
                own = [_curves(epochs(len(hidden) + 1, norm == "plain", momentum)) for _ in range(2)]
                columns = {"train_accuracy": [a for a, _ in own], "train_cost": [c for _, c in own]}
                found.append(({"hidden": hidden, "batch_norm": norm, "momentum": momentum}, group(columns=columns)))
    return found


def _as_b17(n_layers: int, with_bn: bool, momentum: float) -> float:
    return math.inf if (n_layers, with_bn) in theirs.B17_FAIL else 100 * (1 - momentum)


def _both(b17_overfit_slow: list[tuple[dict[str, Any], Group]]) -> MadeRuns:
    """Beside the larger rate, at which all come to 100 %."""
    return MadeRuns(b17_overfit_slow=b17_overfit_slow, b17_overfit=_variants(lambda *_: 50, overfit.MOMENTA))


def test_networks_that_do_what_b17s_did() -> None:
    part = overfit.overfit(MadeRuns(b17_overfit=_variants(_as_b17, overfit.MOMENTA)))
    text = whole(part)
    assert text.startswith("Every network does what B17's did, at each momentum. Seeds that stay short: 1 layer")
    assert "ends at 20 %, had 20 %, and hardly moves any more (cost 2.20 over the last 50 epochs)" in text
    assert "5 of 7 networks" in text
    assert "not with 1 layer without BN (never, never, never); 4 layers without BN (never" in text
    slow = whole(overfit.slow(_both(b17_overfit_slow=_variants(_as_b17, (0.5,)))))
    assert "stay here: 1 layer without BN in 2 of 2 seeds; 4 layers without BN in 2 of 2 seeds." in slow
    assert "B17's two, 1 layer without BN and 4 layers without BN, do so in every seed. At the rate above" in slow
    assert "otherwise with 2 of 7 networks (1 layer without BN, 4 layers without BN)" in slow
    runs = _both(b17_overfit_slow=_variants(lambda *_: math.inf, (0.5,)))
    assert "others, which came to 100 % in B17: 2 layers without BN (100 % in 0 of 2" in whole(overfit.slow(runs))


def test_networks_that_all_come_to_100_percent() -> None:
    runs = MadeRuns(b17_overfit=_variants(lambda n, bn, momentum: 100 * (1 - momentum), overfit.MOMENTA))
    text = whole(overfit.overfit(runs))
    assert "Otherwise than in B17 at this learning rate: 1 layer without BN (100 % in 6 of 6 seeds); 4 layers" in text
    assert "Seeds that stay short" not in text
    assert "Momentum speeds all networks up" in text
    slow = whole(overfit.slow(_both(b17_overfit_slow=_variants(lambda *_: 50, (0.5,)))))
    assert "Short of 100 % stay here: none." in slow
    assert "at the same momentum, finds the same" in slow
    assert "Otherwise than in B17, not in every seed: 1 layer without BN (100 % in 2 of 2 seeds); 4 layers" in slow


def test_the_picture_has_a_line_for_each_seed() -> None:
    figure = b17.overfit(MadeRuns(b17_overfit=_variants(_as_b17, overfit.MOMENTA)))
    assert len(figure.data) == 7 * 3 * 2
    assert all(trace.fill is None for trace in figure.data)


FALLING = np.linspace(2.5, 0.1, 1 + len(spike.EPOCHS)) * np.ones((4, 1))
RISING = np.where(np.arange(1 + len(spike.EPOCHS)) == 3, 4.0, FALLING)


@pytest.mark.parametrize(
    ("moving", "exact", "said"),
    [
        (RISING, FALLING, "**It exists, in the evaluation alone.**"),
        (RISING, RISING, "**It exists.**"),
        (FALLING, FALLING, "**There is none here.**"),
        (np.vstack([RISING[:2], FALLING[:2]]), FALLING, "**There is none here.**"),
    ],
)
def test_a_spike_is_judged_seed_by_seed(moving: np.ndarray[Any, Any], exact: np.ndarray[Any, Any], said: str) -> None:
    text = spike.verdict(moving, exact)
    assert text.startswith(said)
    assert f"of the initial weights in {spike.rises(moving)} of 4 seeds" in text
    assert ("keeps 98 % of them" in text) is (said == "**It exists, in the evaluation alone.**")


def test_the_spikes_table_and_picture_begin_at_the_start() -> None:
    variants: list[tuple[dict[str, Any], Group]] = []
    for kind, y in (("moving", RISING), ("population", FALLING)):
        for i, epochs in enumerate(spike.EPOCHS, 1):
            own = group(
                columns={"train_cost": y[:, :1].tolist()}, train_cost=y[:, i].tolist(), train_accuracy=[0.5] * 4
            )
            variants.append(({"bn_statistics": kind, "epochs": epochs}, own))
    runs = MadeRuns(b17_spike=variants)
    assert whole(spike.spike(runs)).count("2.500 ± 0.000") == 2
    figure = b17.spike(runs)
    assert figure.layout.xaxis.ticktext[0] == "start"
    assert all(trace.y[0] == 2.5 for trace in figure.data if trace.name)
