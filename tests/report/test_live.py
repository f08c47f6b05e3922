"""A stage under way in words."""

from typing import Any

import pytest

from bnsearch.report.live import headline, leading, sentence, sparkline, speed, where
from bnsearch.search.live import Budget, Course, Leader, View


def under_way(**changes: Any) -> View:
    leader = Leader("trial 7", 0.9312, (0.1, 0.5, 0.9312), {"l2": 1.58e-4, "learning_rate": 0.164})
    values: dict[str, Any] = {
        "study": "mine.coarse",
        "n_over": 3,
        "n_trials": 24,
        "n_alive": 21,
        "n_pruned": 0,
        "n_diverged": 1,
        "n_failed": 0,
        "best": 0.91,
        "leader": leader,
        "course": Course(Budget(400, 20), 24, (100, 200), 0, 0.5),
        "epochs_done": 100.0,
        "epochs_left": 300.0,
    }
    return View(**(values | changes))


def test_how_many_trials_are_over() -> None:
    assert headline(under_way()) == "3/24 trials, best 91.00 %"
    assert headline(under_way(best=None)) == "3/24 trials"


def test_the_rung_ahead_and_who_is_still_in_the_running() -> None:
    assert where(under_way()) == "to rung 1 of 2 at 25 %, 21 networks in training, 1 diverged"
    second = Course(Budget(400, 20), 24, (100, 200), 1, 0.5)
    assert where(under_way(course=second, n_pruned=12)).startswith("to rung 2 of 2 at 50 %, 21 networks in")
    past = Course(Budget(400, 20), 24, (100, 200), 2, 0.5)
    found = where(under_way(course=past, n_alive=1, n_pruned=18))
    assert found == "past the last rung, 1 network in training, 18 stopped, 1 diverged"
    assert where(under_way(course=Course(Budget(400, 20), 24), n_diverged=0)) == "21 networks in training"
    assert where(under_way(n_failed=2)).endswith("1 diverged, 2 given up")


def test_who_leads() -> None:
    assert leading(under_way()) == "best so far: trial 7, 93.12 % at epoch 3 of 20"
    over = Leader("trial 2", 0.95, tuple([0.5] * 20), {})
    assert leading(under_way(leader=over)) == "best so far: trial 2, 95.00 %"
    assert leading(under_way(leader=None)) == "no epoch is finished yet"


@pytest.mark.parametrize(("stage", "figure"), [("confirm", "validation"), ("final", "training")])
def test_a_mean_says_of_what(stage: str, figure: str) -> None:
    mean = Leader("mean of 5 networks", 0.5, (0.4, 0.5), None)
    found = leading(under_way(study=f"mine.{stage}", leader=mean))
    assert found == f"mean of 5 networks, {figure} accuracy 50.00 % at epoch 2 of 20"


def test_all_of_it_on_one_line() -> None:
    assert sentence(under_way(), 412.3456) == (
        "3/24 trials, best 91.00 %, to rung 1 of 2 at 25 %, 21 networks in training, 1 diverged, "
        "best so far: trial 7, 93.12 % at epoch 3 of 20 (λ = 0.000158, η = 0.164), 412 network-epochs/s"
    )
    assert sentence(under_way(leader=None), None).endswith("1 diverged")


def test_speed() -> None:
    assert [speed(rate) for rate in (None, 0.01234, 5.678, 12_345.6)] == [
        "",
        "0.0123 network-epochs/s",
        "5.68 network-epochs/s",
        "12,346 network-epochs/s",
    ]


def test_a_sparkline_goes_from_the_lowest_to_the_highest() -> None:
    assert sparkline([0.0, 0.25, 0.5, 1.0], 4, 40) == "▁▃▅█"
    assert sparkline([0.0, 0.25, 0.5, 1.0], 4, 40, ascii_only=True) == "_-+@"


def test_a_long_curve_takes_its_share_of_the_width_and_ends_where_it_ends() -> None:
    values = [i / 100 for i in range(100)]
    assert len(sparkline(values, 100, 40)) == 40
    assert len(sparkline(values[:50], 100, 40)) == 20
    assert sparkline([*values, 0.0], 101, 40).endswith("▁")


def test_curves_without_a_shape() -> None:
    assert sparkline([], 10, 40) == ""
    assert sparkline([0.5], 10, 40) == "▅"
    assert sparkline([0.5, 0.5], 10, 40) == "▅▅"
    assert sparkline([0.1, 0.2], 10, 0) == ""
    assert sparkline([0.1, 0.2], 10, -3) == ""
