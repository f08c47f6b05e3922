"""The sentence above each figure, of handmade records. The wording may change; what must be said may not."""

from dataclasses import replace

import numpy as np
import pytest

from bnsearch.report import headlines
from bnsearch.report.words import rate
from tests.report import made, rows
from tests.report.made import COARSE, CONFIRM, FINAL, FINE, STUDY, curve, stage, trial, with_stages
from tests.report.rows import changed, finalist


def test_the_answer_of_a_whole_study_is_its_setting_and_test_accuracy() -> None:
    said = headlines.answer(STUDY)
    assert "λ = 0.00167, η = 0.291, momentum = 0.9 is chosen" in said
    assert "98.56 % of the test set" in said
    given = stage(FINAL.row, FINAL.trials, task={"setting": {"l2": 1e-3}})
    assert "momentum = 0.9 was given" in headlines.answer(with_stages(COARSE, given)), "there was nothing to choose"


def test_the_answer_before_the_test() -> None:
    said = headlines.answer(with_stages(COARSE, FINE, CONFIRM))
    assert "is chosen" in said
    assert "98.41 %" in said, "the estimate that luck does not flatter"
    assert "The test set has not been looked at" in said


def test_the_answer_of_a_study_under_way() -> None:
    row = changed(rows.COARSE, total=40, trials__running=16, verdict=None)
    said = headlines.answer(with_stages(stage(row, COARSE.trials)))
    assert said == "Coarse has 24 of 40 trials; best so far is 97.00 % with λ = 0.0001, η = 0.2."
    nothing = changed(row, trials__complete=0)
    assert headlines.answer(with_stages(stage(nothing))) == "Coarse has 0 of 40 trials; none has completed."
    over = headlines.answer(with_stages(COARSE, FINE))
    assert over == "Fine is finished; best so far is 98.00 % with λ = 5e-05, η = 0.3."


def test_a_search_opens_with_its_best() -> None:
    said = headlines.search([COARSE, FINE])
    assert said == (
        "The best of 8 trials so far is fine 1, with 98.00 % at λ = 5e-05, η = 0.3; 1 other setting of fine is within "
        "one standard error of it."
    )
    assert headlines.search([COARSE]).startswith("The best of 5 trials is coarse 4, with")
    assert "no other settings of fine are" in headlines.search(
        [stage(changed(FINE.row, verdict__n_tied=1), FINE.trials)]
    )
    assert headlines.search([stage(changed(FINE.row, verdict=None), FINE.trials)]).endswith("η = 0.3.")


def test_one_trial_is_the_only_one() -> None:
    done, other = (replace(COARSE.trials[0], number=i) for i in range(2))
    alone = stage(changed(COARSE.row, verdict=None), (done,))
    assert headlines.search([alone]).startswith("The only trial is coarse 0, with")
    under_way = stage(changed(COARSE.row, verdict=None), (done, replace(other, state="running")))
    assert headlines.search([under_way]).startswith("The only trial so far is coarse 0, with")
    assert headlines.search([stage(FINE.row)]) == "No trial has completed."


def test_which_values_cannot_be_told_apart() -> None:
    said = headlines.against("l2", [COARSE, FINE])
    assert said == "The 2 settings that fine cannot tell apart reach from 4e-05 to 5e-05 in λ, a factor of 1.2."
    assert "from 0.2 to 0.3 in η, a factor of 1.5" in headlines.against("learning_rate", [COARSE, FINE])
    capped = stage(changed(FINE.row, verdict__n_tied=9), FINE.trials)
    assert "The best 2 of 9 settings that fine cannot" in headlines.against("l2", [COARSE, capped])


def test_a_best_that_stands_alone_and_a_search_that_has_not_ended() -> None:
    alone = stage(changed(FINE.row, verdict__tied=[1], verdict__n_tied=1), FINE.trials)
    said = headlines.against("l2", [COARSE, alone])
    assert said.startswith("The best of fine is λ = 5e-05, and no other")
    under_way = stage(changed(FINE.row, verdict=None), FINE.trials)
    assert "coarse cannot tell apart" in headlines.against("l2", [COARSE, under_way])
    begun = stage(changed(COARSE.row, verdict=None), COARSE.trials)
    assert headlines.against("l2", [begun]) == "Nothing can be said of λ before a search has ended."
    lost = stage(changed(COARSE.row, verdict=None), (trial("coarse", 0, 1e-3, 0.1, None, state="diverged"),))
    assert headlines.against("l2", [lost]) == "Nothing can be said of λ as no trial has completed."


def test_where_the_best_lie() -> None:
    said = headlines.over(("l2", "learning_rate"), [COARSE, FINE])
    assert said == "The best 3 of 5 completed trials lie at λ = 4e-05 … 0.0001 and η = 0.2 … 0.3."
    alike = [stage(FINE.row, tuple(trial("fine", i, 1e-3, 0.1 * (1 + i), 0.9) for i in range(3)))]
    assert "at λ = 0.001 and η = 0.1 … 0.3" in headlines.over(("l2", "learning_rate"), alike)
    assert headlines.over(("l2", "learning_rate"), []) == "No trial has completed."
    lone = [stage(FINE.row, (trial("fine", 0, 1e-3, 0.1, 0.9),))]
    assert headlines.over(("l2", "learning_rate"), lone) == "The only completed trial lies at λ = 0.001 and η = 0.1."


def test_what_halving_did_and_how_well_the_first_rung_foresaw_the_end() -> None:
    assert headlines.halving([COARSE]) == (
        "2 of 5 trials of coarse were stopped early; the best at the end was number 3 at the first rung."
    )


def test_how_the_best_learnt() -> None:
    best = made.FINE_TRIALS[1]
    said = headlines.learning(best, made.CURVES[0])
    assert "fine 1 gets 99.00 % of training and 95.00 % of validation rows right, a gap of 4.00 points" in said
    assert "its validation loss was lowest at step 6 of 8" in said
    falling = curve(made.FINE_TRIALS[1], train_accuracy=[0.5, 0.9], valid_accuracy=[0.5, 0.9], valid_loss=[2.0, 1.0])
    assert headlines.learning(best, falling).endswith(
        "a gap of 0.00 points; its validation loss was lowest at the end."
    )
    lone = curve(made.FINE_TRIALS[1], train_accuracy=[0.5, 0.9])
    assert headlines.learning(best, lone) == "fine 1 has no validation curve."
    assert headlines.learning(None, None) == "No trial has completed."
    assert headlines.learning(best, None) == "The curve of fine 1, the best, is missing."


def test_how_many_went_which_way() -> None:
    said = headlines.multiples([*COARSE.trials, *FINE.trials])
    assert said == "9 trials, best first: 5 ran to the end, 2 stopped early, 1 diverged and 1 under way."


def test_who_won() -> None:
    assert headlines.confirm(rows.VERDICT) == (
        "Over 5 repeats fine 30 has the highest mean; the default cannot be told from it, fine 32 is worse."
    )
    several = [finalist(0, 0.985, default=True), *(finalist(i, 0.9, separable=True) for i in (1, 2))]
    said = headlines.confirm(changed(rows.VERDICT, finalists=several))
    assert said == "Over 5 repeats the default has the highest mean; fine 31 and fine 32 are worse."
    assert headlines.confirm(changed(rows.VERDICT, finalists=several[:1])).endswith("has the highest mean.")


@pytest.mark.parametrize(
    ("confusion", "words"),
    [
        ([[8, 2], [1, 9]], "Hardest is cat: 80.00 % of its rows are recognised, 20.00 % are taken for dog."),
        ([[9, 0], [0, 9]], "Hardest is cat: 100.00 % of its rows are recognised; nothing is confused."),
        ([[0, 0], [1, 9]], "Hardest is dog: 90.00 % of its rows are recognised, 10.00 % are taken for cat."),
    ],
)
def test_which_class_is_hardest(confusion: list[list[int]], words: str) -> None:
    """A class without test rows is none of them."""
    assert headlines.confusion({"confusion": confusion, "classes": made.CLASSES}) == words


def test_the_pair_that_is_confused_most_need_not_be_of_the_hardest_class() -> None:
    table = [[6, 2, 2], [3, 7, 0], [0, 0, 10]]
    said = headlines.confusion({"confusion": table, "classes": ["a", "b", "c"]})
    assert said.startswith("Hardest is a: 60.00 %")
    assert "Most often b is taken for a, in 30.00 % of its rows" in said


def test_how_wrong_the_networks_were() -> None:
    said = headlines.mistakes(made.MISTAKES, made.CLASSES)
    assert "2 of 182 test images are wrong" in said
    assert "dog with 90.0 % where cat is right" in said
    empty = np.zeros(0, np.int64)
    right = replace(made.MISTAKES, y=empty, predicted=empty, confidence=np.zeros(0), n_wrong=0)
    assert headlines.mistakes(right, made.CLASSES) == "The networks together get all 182 test images right."


def test_how_many_units_are_idle() -> None:
    assert headlines.weights([1.0, 0.5, 0.01]).startswith("The first layer has 3 units; 1 of them has less than")
    assert headlines.weights([1.0, 0.02, 0.01]).startswith("The first layer has 3 units; 2 of them have less than")
    assert "none of them is idle" in headlines.weights([1.0, 0.5])


def test_what_it_took_and_when_the_best_was_found() -> None:
    assert (
        headlines.cost(STUDY.stages)
        == "17 networks took 68 epochs and 8.5 s of the workers' time, 8 network-epochs a second."
    )
    assert headlines.cost([stage(rows.COARSE)]) == "0 networks took 0 epochs and 0.0 s of the workers' time."
    assert (
        headlines.history([COARSE, FINE]) == "The best of the search, fine 1 with 98.00 %, ended 2.0 s after the start."
    )


@pytest.mark.parametrize(("speed", "said"), [(1234.5, "1,200"), (98.7, "99"), (8.0, "8"), (0.0567, "0.057")])
def test_a_speed_has_two_digits(speed: float, said: str) -> None:
    assert rate(speed) == said
