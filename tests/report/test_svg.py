"""Axes with round numbers, curves within them, and SVG that a browser accepts."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnsearch.report.svg import Frame, Line, chart, log_ticks, picture, scale, text, ticks

FRAME = Frame(50, 20, 300, 100)
positive = st.floats(1e-8, 1e8)


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [
        (0, 460, [0, 200, 400, 600]),
        (0.2, 1.63, [0, 0.5, 1, 1.5, 2]),
        (49, 100, [40, 60, 80, 100]),
        (0, 0.1, [0, 0.05, 0.1]),
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
    ],
)
def test_ticks_are_round_and_few(low: float, high: float, marks: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(marks)


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [
        (0.007, 1.6, [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3]),
        (0.05, 1.6, [0.05, 0.1, 0.2, 0.5, 1, 2]),
        (1e-6, 0.1, [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1]),
    ],
)
def test_ticks_of_a_logarithmic_axis(low: float, high: float, marks: list[float]) -> None:
    assert log_ticks(low, high) == pytest.approx(marks)


@given(st.lists(positive, min_size=1), st.booleans())
def test_every_value_lies_between_the_first_and_the_last_tick(values: list[float], log: bool) -> None:
    marks, at = scale(values, log)
    assert 2 <= len(marks) <= 8
    assert all(-1e-6 <= at(value) <= 1 + 1e-6 for value in values)
    assert (at(marks[0]), at(marks[-1])) == pytest.approx((0, 1), abs=1e-9)


def test_a_wide_range_is_logarithmic_only_where_that_is_allowed() -> None:
    assert scale([0.01, 1.0], True)[1](0.1) == pytest.approx(0.5)
    assert scale([0.01, 1.0], False)[1](0.5) == pytest.approx(0.5)
    assert scale([0.0, 1.0], True)[1](0.5) == pytest.approx(0.5), "0 has no logarithm"


def test_a_chart_lies_within_its_frame() -> None:
    parts = list(chart("accuracy", [Line([1, 2, 3], [0.1, 0.9, 0.5], "#000000")], FRAME, " %"))
    drawn = ET.fromstring(picture(400, 200, "a chart", parts))
    for line in drawn.iter("{http://www.w3.org/2000/svg}polyline"):
        for point in line.attrib["points"].split():
            x, y = map(float, point.split(","))
            assert 50 <= x <= 350
            assert 20 <= y <= 120


def test_a_single_point_is_a_dot() -> None:
    parts = list(chart("accuracy", [Line([1], [0.5], "#123456")], FRAME))
    assert any("<circle" in part and "#123456" in part for part in parts)


def test_words_are_no_tags() -> None:
    drawn = ET.fromstring(picture(10, 10, "<script>&", [text(0, 0, "λ < 0.1 & <b>")]))
    assert [element.text for element in drawn.iter() if element.text and element.text.strip()] == [
        "<script>&",
        "λ < 0.1 & <b>",
    ]
