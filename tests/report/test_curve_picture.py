"""The learning curves of a trial as a picture."""

import math
import xml.etree.ElementTree as ET

import pytest

from bnsearch.report.curve_picture import curve_picture
from bnsearch.search.artifacts import BestTrial, Point

TRIAL = BestTrial("coarse", 7, 1, {"l2": 1e-3, "learning_rate": 0.1}, 0.98765)
SVG = "{http://www.w3.org/2000/svg}"


def points(n: int = 5, valid: bool = True) -> list[Point]:
    found = []
    for i in range(1, n + 1):
        train = {"train_loss": 1 / i, "train_cost": 2 / i, "train_accuracy": 1 - 0.5 / i, "learning_rate": 0.1 / i}
        own = {"valid_loss": 1.1 / i, "valid_cost": 2.1 / i, "valid_accuracy": 1 - 0.6 / i} if valid else {}
        found.append({"epoch": float(i), "step": 20.0 * i, **train, **own})
    return found


def words(drawn: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(drawn).iter(f"{SVG}text")]


def curves(drawn: str) -> int:
    """Lines of data: those of all points."""
    lines = ET.fromstring(drawn).iter(f"{SVG}polyline")
    return sum(len(line.attrib["points"].split()) > 2 for line in lines)


def test_four_charts_of_training_and_validation() -> None:
    drawn = curve_picture(TRIAL, points())
    found = words(drawn)
    for title in ("accuracy", "loss: mean cross-entropy", "cost: loss + λ Σ‖W‖²", "learning rate η", "step"):
        assert title in found
    assert "coarse 7" in found
    assert "λ = 0.001, η = 0.1  ·  validation accuracy 98.77 %" in found
    assert {"training", "validation"} <= set(found)
    assert curves(drawn) == 7


def test_final_networks_have_no_validation_rows() -> None:
    drawn = curve_picture(BestTrial("final", 0, 1, {"l2": 1e-3}, 0.5), points(valid=False))
    assert "validation" not in words(drawn)
    assert "λ = 0.001  ·  test accuracy 50.00 %" in words(drawn)
    assert curves(drawn) == 4


@pytest.mark.parametrize("n", [1, 2, 200])
def test_curves_of_any_length(n: int) -> None:
    ET.fromstring(curve_picture(TRIAL, points(n)))


def test_what_is_not_finite_is_left_out() -> None:
    curve = [{**point, "valid_loss": math.nan, "train_cost": math.inf} for point in points()]
    drawn = curve_picture(TRIAL, curve)
    assert curves(drawn) == 5
    assert "nan" not in drawn
    assert "inf" not in drawn


def test_it_is_small() -> None:
    assert len(curve_picture(TRIAL, points(30))) < 20_000
