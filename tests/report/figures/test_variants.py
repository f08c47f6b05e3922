"""The curves of a comparison, of handmade records."""

import json
import re
from dataclasses import astuple, replace
from typing import Any

import numpy as np
import pytest

from bnsearch.report.colours import LIGHT
from bnsearch.report.curves import Curve
from bnsearch.report.figures.variants import MOST_SHOWN, course, looks, told_by
from tests.report import made


def variants(**keys: list[Any]) -> list[dict[str, Any]]:
    """Crossings of two lists."""
    (first, a), (second, b) = keys.items()
    pairs = [{f"network.{first}": x, f"network.{second}": y} for x in a for y in b]
    return [{"variant": i, "label": f"variant <{i}>", "keys": pair} for i, pair in enumerate(pairs)]


def of(variant: int, *accuracies: float) -> Curve:
    trial = replace(made.trial("coarse", variant, 1e-3, 0.1, 0.5), stage="compare", variant=variant)
    return made.curve(trial, valid_accuracy=list(accuracies))


FOUR = variants(batch_norm=["none", "plain"], hidden=[[50], [50, 30]])
FIGURE = course("valid_accuracy", FOUR, {0: [of(0, 0.2, 0.4), of(0, 0.4, 0.5)], 1: [of(1, 0.3, 0.3)], 2: []})


def test_a_line_is_the_mean_and_a_band_reaches_from_the_lowest_to_the_highest() -> None:
    band, line, single = FIGURE.data
    np.testing.assert_allclose(line.y, [30.0, 45.0], rtol=1e-6)
    np.testing.assert_allclose(band.y, [40.0, 50.0, 40.0, 20.0], rtol=1e-6)  # there and back
    np.testing.assert_allclose(band.x, [*line.x, *line.x[::-1]])
    assert band.legendgroup == line.legendgroup, "both are hidden together"
    assert (band.showlegend, line.showlegend) == (False, True)
    np.testing.assert_allclose(single.y, [30.0, 30.0], rtol=1e-6)


def test_a_figure_that_is_not_finite_is_left_out() -> None:
    figure = course("valid_accuracy", FOUR, {0: [of(0, 0.2, float("nan"), 0.4), of(0, 0.4, float("nan"), 0.6)]})
    np.testing.assert_allclose(figure.data[1].y, [30.0, 50.0], rtol=1e-6)


def test_colours_and_dashes_tell_keys_apart() -> None:
    rows = variants(batch_norm=["none", "plain"], momentum=[0.5, 0.7, 0.9])
    assert told_by(rows) == ["network.momentum", "network.batch_norm"], "that of most values first"
    found = looks(rows)
    assert len(set(found)) == 6
    assert len({look.colour for look in found}) == 3
    assert [look.dash for look in found] == ["solid"] * 3 + ["dash"] * 3


@pytest.mark.parametrize("n", [1, 24, 30])
def test_of_very_many_variants_the_first_are_shown(n: int) -> None:
    rows = variants(batch_norm=["none"], bn_average=[i / 100 for i in range(n)])
    figure = course("valid_accuracy", rows, {i: [of(i, 0.1, 0.2)] for i in range(n)})
    assert sum(trace.visible is True for trace in figure.data) == min(n, MOST_SHOWN)
    assert {trace.visible for trace in figure.data} <= {True, "legendonly"}


def test_every_colour_has_a_dark_one_and_no_name_is_markup() -> None:
    text = FIGURE.to_json()
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\([^)]*\)", text)) <= set(astuple(LIGHT))
    assert all("<0>" not in trace["name"] for trace in json.loads(text)["data"])
