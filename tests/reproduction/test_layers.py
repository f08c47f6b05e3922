"""What the page says of deeper networks, whichever is ahead."""

from typing import Any

import pytest

from benchmarks.reproduction.ours import Group
from benchmarks.reproduction.sections import layers
from tests.reproduction.made import MadeRuns, group, whole


def _group(in_training: float, valid: float) -> Group:
    ends = [[0.2, in_training - 0.01], [0.2, in_training + 0.01]]
    return group(columns={"train_accuracy": ends}, train_accuracy=[in_training] * 2, valid_accuracy=[valid] * 2)


def _runs(four: float, moving: float, exact: float) -> MadeRuns:
    variants: list[tuple[dict[str, Any], Group]] = []
    for hidden, ours in zip(layers.HIDDEN, (0.5, four), strict=True):
        variants.append(({"hidden": hidden, "batch_norm": "none", "bn_statistics": "moving"}, _group(ours, 0.4)))
        for kind, valid in (("moving", moving), ("population", exact)):
            variants.append(({"hidden": hidden, "batch_norm": "plain", "bn_statistics": kind}, _group(0.6, valid)))
    return MadeRuns(b17_depth=variants)


@pytest.mark.parametrize(
    ("moving", "exact", "said"),
    [
        (0.3, 0.5, "by B17's own evaluation BN is behind in validation, with exact moments of the same networks ahead"),
        (0.5, 0.5, "BN is ahead in validation with either kind"),
        (0.4, 0.5, "by B17's own evaluation BN is level in validation, with exact moments of the same networks ahead"),
        (0.3, 0.3, "BN is behind in validation with either kind"),
    ],
)
def test_who_is_ahead_in_validation(moving: float, exact: float, said: str) -> None:
    assert whole(layers.depth(_runs(0.5, moving, exact))).count(said) == 2


@pytest.mark.parametrize(("four", "said"), [(0.5, "train about as well as three"), (0.2, "fall behind three")])
def test_whether_four_layers_fail_without_batch_normalisation(four: float, said: str) -> None:
    assert said in whole(layers.depth(_runs(four, 0.3, 0.5)))
