"""What is shown of a stage under way: who leads, how much is left."""

from collections.abc import Sequence

import pytest

from bnsearch.search.live import Budget, Course, Going, Gone, Tally, View, steps_left, view

BUDGET = Budget(n_steps=400, epoch_steps=20)
COURSE = Course(BUDGET, n_trials=16, rungs=(100, 200), keep=0.5)


def going(number: int, step: int = 0, curve: Sequence[float] = ()) -> Going:
    return Going(number, {"l2": 10.0**-number}, step, curve)


def seen(*networks: Going, tally: Tally | None = None, study: str = "mine.coarse", course: Course = COURSE) -> View:
    return view(study, course, tally or Tally(), networks, [one.curve for one in networks])


def gone(number: int, value: float | None, how: str = "complete", step: int = 400) -> Gone:
    return Gone(number, {"l2": 0.5}, how, step, [0.1, value or 0.2], value)  # type: ignore[arg-type]


def test_an_epoch_that_is_not_whole_counts_as_one() -> None:
    assert Budget(400, 20).n_epochs == 20
    assert Budget(401, 20).n_epochs == 21


def test_all_networks_go_to_the_first_rung_and_half_of_them_on_from_each() -> None:
    assert steps_left([0] * 16, COURSE, 0) == 16 * 100 + 8 * 100 + 4 * 200
    assert steps_left([60] * 16, COURSE, 0) == 16 * 40 + 8 * 100 + 4 * 200


def test_past_the_rungs_only_the_survivors_have_work_left() -> None:
    past = Course(BUDGET, n_trials=16, rungs=(100, 200), n_passed=2, keep=0.5)
    assert steps_left([300] * 4, past, 12) == 4 * 100


def test_without_rungs_all_go_to_the_end() -> None:
    assert steps_left([0, 100], Course(BUDGET, n_trials=2), 0) == 700


def test_trials_that_are_not_proposed_yet_are_work_to_come() -> None:
    assert steps_left([0, 0], Course(BUDGET, n_trials=5), 1) == 4 * 400


def test_what_is_done_and_left_is_counted_in_epochs_of_all_networks() -> None:
    tally = Tally().plus(gone(0, 0.5)).plus(gone(1, None, "pruned", 100))
    found = seen(going(2, 40), going(3, 60), tally=tally, course=Course(BUDGET, n_trials=4))
    assert found.epochs_done == (400 + 100 + 40 + 60) / 20
    assert found.epochs_left == (360 + 340) / 20
    assert (found.n_over, found.n_alive, found.n_pruned, found.n_diverged) == (2, 2, 1, 0)


def test_the_best_so_far_is_that_of_the_last_evaluation_not_of_any() -> None:
    found = seen(going(0, 40, [0.9, 0.5]), going(1, 40, [0.2, 0.6]))
    assert found.leader is not None
    assert (found.leader.name, found.leader.value, found.leader.curve) == ("trial 1", 0.6, (0.2, 0.6))
    assert found.leader.params == {"l2": 0.1}
    assert found.best is None, "none is complete"


@pytest.mark.parametrize(("value", "name"), [(0.61, "trial 7"), (0.6, "trial 7"), (0.59, "trial 1")])
def test_complete_trials_lead_until_one_in_training_is_better(value: float, name: str) -> None:
    found = seen(going(1, 40, [0.2, 0.6]), tally=Tally().plus(gone(7, value)))
    assert found.leader is not None
    assert found.leader.name == name
    assert found.best == value


def test_of_equals_the_lower_number_leads() -> None:
    found = seen(going(3, 20, [0.6]), going(1, 20, [0.6]), going(2, 20, [0.6]))
    assert found.leader is not None
    assert found.leader.name == "trial 1"


def test_pruned_and_diverged_trials_never_lead() -> None:
    tally = Tally().plus(gone(0, None, "pruned", 100)).plus(gone(1, None, "diverged", 7)).plus(gone(2, 0.3))
    assert (tally.n, tally.n_pruned, tally.n_diverged, tally.steps) == (3, 1, 1, 507)
    assert tally.best is not None
    assert tally.best.number == 2


def test_nobody_leads_before_the_first_epoch() -> None:
    assert seen(going(0), going(1)).leader is None
    assert seen(going(0), study="mine.confirm").leader is None


def test_a_single_network_means_nothing_in_confirm_and_final() -> None:
    for study in ("mine.confirm", "mine.final"):
        found = seen(going(0, 40, [0.2, 0.4]), going(1, 20, [0.4]), tally=Tally().plus(gone(2, 0.9)), study=study)
        assert found.best is None
        assert found.leader is not None
        assert found.leader.name == "mean of 1 network"
        assert found.leader.params is None
        assert found.leader.curve == pytest.approx((0.3, 0.4))
