"""What the figures show of handmade records."""

import json
import re
from dataclasses import astuple, replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from bnsearch.report.colours import LIGHT
from bnsearch.report.figures.accuracy import accuracies
from bnsearch.report.figures.against import against
from bnsearch.report.figures.confusion import matrix
from bnsearch.report.figures.finalists import differences, dots
from bnsearch.report.figures.frame import good_ones
from bnsearch.report.figures.halving import courses, halved, survivors
from bnsearch.report.figures.history import course
from bnsearch.report.figures.learning import FIGURES, curves_of
from bnsearch.report.figures.map import over
from tests.report import made, rows
from tests.report.made import COARSE, CURVES, FINAL, FINE, stage, trial
from tests.report.rows import changed, finalist

LEVELS = [COARSE, FINE]
NAMES = ("l2", "learning_rate")
RESULT = FINAL.row["result"]
ALL = {
    "against": against("l2", LEVELS, 1e-3),
    "map": over(NAMES, LEVELS),
    "survivors": survivors([COARSE]),
    "courses": courses([COARSE]),
    "history": course(LEVELS),
    "dots": dots(rows.VERDICT),
    "differences": differences(rows.VERDICT),
    "accuracies": accuracies(RESULT),
    "shares": matrix(RESULT["confusion"], made.CLASSES, True),
    **{name: curves_of(name, CURVES, ["fine 1", "coarse 0"]) for name in FIGURES},
}


def traces(figure: go.Figure, name: str) -> list[Any]:
    return [trace for trace in figure.data if trace.name == name]


def x_of(figure: go.Figure, name: str) -> list[float]:
    return [x for trace in traces(figure, name) for x in trace.x]


@pytest.mark.parametrize("figure", ALL.values(), ids=ALL)
def test_every_colour_has_a_dark_one(figure: go.Figure) -> None:
    """The page knows those that are in the table; others would stay light."""
    found = set(re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\([^)]*\)", figure.to_json()))
    if figure is ALL["map"]:
        found -= {colour for _, colour in figure.layout.coloraxis.colorscale}  # told apart on either page
    assert found <= set(astuple(LIGHT))


@pytest.mark.parametrize("figure", ALL.values(), ids=ALL)
def test_every_figure_has_named_axes_and_points_that_say_what_they_are(figure: go.Figure) -> None:
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        assert axis.title.text or axis.type == "category"
    said = [text for trace in figure.data for text in np.ravel(trace.hovertext or trace.text or "")]
    said += [trace.hovertemplate or "" for trace in figure.data]
    assert any(text for text in said)
    json.loads(figure.to_json())


def test_accuracy_against_a_hyperparameter() -> None:
    figure = ALL["against"]
    assert figure.layout.xaxis.type == "log"
    assert x_of(figure, "coarse") == [1e-3]
    assert traces(figure, "coarse")[0].y[0] == pytest.approx(95.0)
    assert x_of(figure, "fine") == [4e-5, 2e-4]
    assert x_of(figure, "best") == [1e-4, 5e-5], "one of each level"
    assert x_of(figure, "tied") == [1e-3, 4e-5], "the best is marked already"
    assert x_of(figure, "stopped early") == [1e-2, 1e-5]
    assert x_of(figure, "under way") == [3e-5]
    assert set(x_of(figure, "default")) == {1e-3}


def test_diverged_trials_and_ranges_lie_in_a_strip_of_their_own() -> None:
    figure = ALL["against"]
    (lost,) = traces(figure, "diverged")
    assert (list(lost.x), list(lost.y), lost.yaxis) == ([1e-4], ["coarse"], "y2")
    assert "diverged" in lost.hovertext[0]
    assert x_of(figure, "coarse range") == [1e-6, 0.1]
    assert x_of(figure, "fine range") == [2e-5, 5e-4]
    assert figure.layout.yaxis2.domain[1] < figure.layout.yaxis.domain[0]


def test_a_grid_shows_its_values_and_a_linear_range_a_linear_axis() -> None:
    row = changed(COARSE.row, space={"l2": [1e-2, 1e-4, 1e-3]})
    assert x_of(against("l2", [stage(row, COARSE.trials)], None), "coarse range") == [1e-4, 1e-3, 1e-2]
    linear = changed(COARSE.row, space={"l2": {"low": 0.0, "high": 0.1, "log": False}})
    figure = against("l2", [stage(linear, COARSE.trials)], None)
    assert figure.layout.xaxis.type is None
    assert not traces(figure, "default")


def test_points_tell_the_trial_and_its_parameters() -> None:
    (point,) = traces(ALL["against"], "fine")[0].hovertext[:1]
    assert point == "<b>fine 2</b><br>λ = 4e-05, η = 0.2<br>validation accuracy 97.50 %"
    (early, _) = traces(ALL["against"], "stopped early")[0].hovertext
    assert early.endswith("78.00 % when it was stopped")


def test_each_name_has_one_entry_in_the_legend() -> None:
    for figure in (ALL["against"], ALL["map"]):
        shown = [trace.name for trace in figure.data if trace.showlegend]
        assert len(shown) == len(set(shown))
        assert {"best", "tied", "stopped early", "diverged", "coarse", "fine"} <= set(shown)


def test_a_bad_one_does_not_hide_how_the_good_ones_differ() -> None:
    assert good_ones([90.0, 91.0, 92.0]) is None, "all are shown"
    assert good_ones([]) is None
    assert good_ones([90.0, 90.0]) is None
    low, high = good_ones([10.0, 97.0, 98.0, 99.0, 98.5]) or (0.0, 0.0)
    assert 90.0 < low < 97.0
    assert high > 99.0


def test_stopped_trials_do_not_hide_how_the_completed_ones_differ() -> None:
    """Where all completed trials were good, the axis reached down to the worst that was stopped."""
    whole = tuple(trial("coarse", i, 1e-3, 0.1, 0.50 + 0.01 * i) for i in range(5))
    early = tuple(made.stopped("coarse", 5 + i, 1e-3, 0.1, accuracy) for i, accuracy in enumerate((0.1, 0.12, 0.44)))
    level = stage(COARSE.row, (*whole, *early))
    low, high = against("l2", [level], None).layout.yaxis.range
    assert 44.0 < low < 50.0, "at least half of it for the completed ones"
    assert high > 54.0
    many = stage(COARSE.row, (*whole, *early, *(made.stopped("coarse", 8 + i, 1e-3, 0.1, 0.48) for i in range(4))))
    assert 46.0 < against("l2", [many], None).layout.yaxis.range[0] < 48.0, "the better half of the stopped is shown"
    low, _ = course([level]).layout.yaxis.range or (None, None)
    assert low is None, "the course has completed ones alone"


def test_the_map() -> None:
    figure = ALL["map"]
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"
    (box,) = traces(figure, "fine range")
    assert (set(box.x), set(box.y)) == ({2e-5, 5e-4}, {0.1, 2.0})
    (lost,) = traces(figure, "diverged")
    assert (list(lost.x), list(lost.y)) == ([1e-4], [1.0])
    (fine, *_) = traces(figure, "fine")
    assert [round(value, 6) for value in fine.marker.color] == [97.5, 96.0]
    assert figure.layout.coloraxis.cmax == pytest.approx(98.0)
    none = over(NAMES, [stage(changed(FINE.row, space={"l2": FINE.row["space"]["l2"]}), FINE.trials)])
    assert len(none.data) == 0


def test_who_survived() -> None:
    figure = ALL["survivors"]
    assert list(figure.data[0].x) == [0.0, 12.5, 25.0, 50.0, 100.0], "the first diverged at step 1 of 8"
    assert list(figure.data[0].y) == [5, 4, 3, 2, 2]
    assert halved(LEVELS) == [COARSE], "of fine none was stopped"


def test_how_they_stood_at_the_rungs() -> None:
    stopped, whole = ALL["courses"].data
    assert list(stopped.x) == [25.0, 50.0, None, 25.0, None]
    assert [None if y is None else round(y, 6) for y in whole.y] == [60.0, 90.0, 97.0, None, 70.0, 80.0, 95.0, None]
    assert list(whole.x)[:3] == [25.0, 50.0, 100.0]


@pytest.mark.parametrize("name", FIGURES)
def test_learning_curves_hold_all_trials_and_show_some(name: str) -> None:
    figure = ALL[name]
    assert {trace.meta for trace in figure.data} == {"fine 1", "coarse 4", "coarse 0", "coarse 1"}
    shown = [trace for trace in figure.data if trace.visible]
    assert {trace.meta for trace in shown} == {"fine 1", "coarse 0"}
    assert len({trace.line.color for trace in shown}) == 2
    parts = 1 if name == "learning_rate" else 2
    assert len(figure.data) == 4 * parts
    assert [trace.line.dash for trace in shown] == ["solid", "dash"][:parts] * 2
    assert sum(trace.showlegend for trace in shown) == 2
    assert list(shown[0].x) == [2, 4, 6, 8]
    assert all("fine 1" in trace.hovertemplate and "η = 0.3" in trace.hovertemplate for trace in shown[:parts])


def test_accuracies_of_curves_are_percent() -> None:
    assert list(ALL["accuracy"].data[0].y) == pytest.approx([30.0, 60.0, 80.0, 95.0], rel=1e-6)
    assert list(ALL["loss"].data[1].y) == pytest.approx([2.0, 1.0, 0.5, 0.4], rel=1e-6)


def test_finalists_best_on_top() -> None:
    figure = ALL["dots"]
    assert list(figure.layout.yaxis.categoryarray) == ["fine 32", "default", "fine 30"]
    repeats, means = figure.data
    assert len(repeats.x) == 6
    assert list(means.x) == pytest.approx([97.9, 98.3, 98.5])
    assert "interval" in means.name


def test_means_of_finalists_have_their_intervals() -> None:
    spread = changed(rows.VERDICT, finalists=[finalist(0, 0.985, accuracies=[0.97, 0.985, 1.0])])
    _, means = dots(spread).data
    assert list(means.error_x.array) == pytest.approx([4.303 * 1.5 / np.sqrt(3)], rel=1e-3)
    assert "94.77 … 100.00 %" in means.hovertext[0]
    once = changed(rows.VERDICT, finalists=[finalist(0, 0.985, accuracies=[0.985])])
    assert list(dots(once).data[1].error_x.array) == [0.0], "one repeat tells nothing of its error"


def test_differences_with_their_intervals() -> None:
    by_name = {trace.name: trace for trace in ALL["differences"].data}
    assert list(by_name) == ["chosen", "tied", "worse"]
    assert list(by_name["chosen"].x) == [0.0]
    assert list(by_name["worse"].x) == pytest.approx([0.6])
    assert list(by_name["worse"].error_x.array) == pytest.approx([0.35])
    alone = differences(changed(rows.VERDICT, finalists=[finalist(0, 0.985)]))
    assert list(alone.data[0].error_x.array) == [0.0]


def test_test_accuracy_with_both_intervals_and_all_networks() -> None:
    figure = ALL["accuracies"]
    by_row = {trace.y[0]: trace for trace in figure.data}
    assert list(figure.layout.yaxis.categoryarray)[::-1] == [
        "mean, over new images",
        "mean, over seeds",
        "each network",
        "networks together",
        "population moments",
        "on validation rows",
    ]
    headline = by_row["mean, over new images"]
    assert list(headline.x) == pytest.approx([98.556])
    assert headline.error_x.array[0] == pytest.approx(1.06)
    assert headline.error_x.arrayminus[0] == pytest.approx(1.061)
    assert list(by_row["each network"].x) == pytest.approx([98.4, 98.71])
    assert list(by_row["population moments"].x) == pytest.approx([98.611])
    older = accuracies(RESULT | {"ensemble": None, "test_accuracy_by_statistics": None, "valid_accuracy": None})
    assert len(older.data) == 3


def test_an_interval_leaves_no_accuracy() -> None:
    wide = RESULT | {"test_accuracy": {"mean": 0.99, "low": 0.9, "high": 1.2, "per_seed": [0.99]}}
    assert accuracies(wide).data[0].error_x.array[0] == pytest.approx(1.0)


def test_the_confusion_matrix_as_shares_and_as_counts() -> None:
    cells, low, high = ALL["shares"].data
    assert np.round(cells.z, 2).tolist() == [[99.45, 0.55], [1.1, 98.9]]
    assert (list(low.text), list(high.text)) == (["0.5", "1"], ["99", "99"])
    counts = matrix(RESULT["confusion"], made.CLASSES, False)
    assert counts.data[0].z.tolist() == RESULT["confusion"]
    assert [*counts.data[1].text, *counts.data[2].text] == ["1", "2", "181", "180"]
    assert "true <b>dog</b>, predicted <b>cat</b><br>2 answers, 1.1 % of dog" in cells.hovertext[1][0]
    assert ALL["shares"].layout.yaxis.autorange == "reversed"


def test_many_classes_and_classes_that_are_not_there() -> None:
    many = matrix(np.eye(30).tolist(), [str(k) for k in range(30)], True)
    assert len(many.data) == 1, "no numbers where they would not fit"
    absent = matrix([[0, 0], [1, 1]], made.CLASSES, True)
    assert absent.data[0].z[0].tolist() == [0.0, 0.0]


def test_names_from_outside_are_no_markup() -> None:
    figure = matrix([[1, 1], [1, 1]], ["<b>a</b>", "x & y"], True)
    assert list(figure.data[0].x) == ["&lt;b&gt;a&lt;/b&gt;", "x &amp; y"]
    assert "true <b>&lt;b&gt;a&lt;/b&gt;</b>" in figure.data[0].hovertext[0][0]


def test_the_course_of_the_search() -> None:
    figure = ALL["history"]
    assert figure.layout.xaxis.title.text == "seconds since the first trial began"
    *_, best = figure.data
    assert list(best.x) == [1.0, 1.0, 2.0, 5.0]
    assert list(best.y) == pytest.approx([95.0, 96.0, 98.0, 98.0])
    hours = [replace(t, ended=made.BEGAN.replace(hour=23)) for t in FINE.trials[:1]]
    assert course([stage(FINE.row, tuple(hours))]).layout.xaxis.title.text == "hours since the first trial began"


def test_ten_thousand_trials_are_sampled() -> None:
    rng = np.random.default_rng(0)
    many = tuple(
        trial("coarse", i, float(10 ** rng.uniform(-6, -1)), float(10 ** rng.uniform(-3, 0)), float(rng.uniform()))
        for i in range(10_000)
    )
    level = stage(COARSE.row, many)
    for figure in (against("l2", [level], None), over(NAMES, [level]), course([level])):
        assert sum(len(trace.x) for trace in figure.data) < 2100
        assert len(figure.to_json()) < 600_000
