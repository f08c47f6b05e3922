"""What the page says of N19's first networks."""

from typing import Any

import pytest

from benchmarks.reproduction.ours import Group, NotRun
from benchmarks.reproduction.sections import networks
from tests.reproduction.made import MadeRuns, group, whole

VALID = {(3, "none"): 0.52, (3, "affine"): 0.53, (9, "none"): 0.43, (9, "affine"): 0.50}


def _runs(**lacking: Any) -> MadeRuns:
    variants: list[tuple[dict[str, Any], Group]] = []
    for (n, norm), valid in VALID.items():
        values = {
            "train_accuracy": [valid + 0.1] * 2,
            "valid_accuracy": [valid] * 2,
            "test_accuracy": [valid - 0.01] * 2,
        }
        own = {name: value for name, value in values.items() if name not in lacking}
        variants.append(({"hidden": networks.HIDDEN[n], "batch_norm": norm}, group(**own)))
    return MadeRuns(n19_networks=variants)


def test_each_network_has_a_row_with_its_three_accuracies() -> None:
    (table,) = networks.networks(_runs()).tables
    assert [row[0] for row in table.rows] == [
        "figure 2: 3 layers, no BN",
        "figure 3: 3 layers, BN",
        "figure 4: 9 layers, no BN",
        "figure 5: 9 layers, BN",
    ]
    for row, valid in zip(table.rows, VALID.values(), strict=True):
        for cell, expected in zip(row[3:6], (valid + 0.1, valid, valid - 0.01), strict=True):
            assert cell.startswith(f"{100 * expected:.2f}")


def test_what_batch_normalisation_brings_at_each_depth() -> None:
    said = whole(networks.networks(_runs()))
    assert "3 layers +1.0 points in validation, +1.0 points in the test" in said
    assert "9 layers +7.0 points in validation, +7.0 points in the test" in said
    assert "Nine layers stay 3.0 points below three on the test set." in said


def test_a_comparison_without_a_look_at_the_test_set_is_not_enough() -> None:
    with pytest.raises(NotRun, match="test_accuracy"):
        networks.networks(_runs(test_accuracy=None))
