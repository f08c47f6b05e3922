"""What is said of handmade records. The wording may change; what must be said may not."""

from typing import Any

import pytest

from bnsearch.report.findings import all_findings, findings, sentences
from bnsearch.report.words import percent, setting
from tests.report.rows import BEST, COARSE, CONFIRM, FINAL, FINE, FINE2, VERDICT, Row, changed, finalist

EDGE = {"name": "learning_rate", "side": "high", "edge": 1.0, "extended_to": 10.0}


def said(row: Row) -> str:
    """All sentences of a record as one text."""
    return "\n".join(f"{label}: {sentence}" for label, sentence in findings(row))


@pytest.mark.parametrize("row", [COARSE, FINE])
def test_a_search_tells_its_space_and_its_best(row: Row) -> None:
    text = said(row)
    assert text.startswith(f"{row['stage'].capitalize()}: 24 trials in λ 1e-06 … 0.1, η 0.001 … 1")
    assert "best 99.58 % with λ = 0.000158, η = 0.164" in text
    assert "2 other settings within one standard error" in text
    assert "Edge" not in text


@pytest.mark.parametrize(("n_tied", "words"), [(1, "no other settings within"), (2, "1 other setting within")])
def test_how_many_are_tied(n_tied: int, words: str) -> None:
    assert words in said(changed(COARSE, verdict__n_tied=n_tied, verdict__tied=[4, 0][:n_tied]))


def test_the_cap_of_the_tie_set_is_said() -> None:
    assert "cannot separate" not in said(COARSE)
    assert "coarse cannot separate 11 settings at n_valid = 5,000" in said(changed(COARSE, verdict__n_tied=11))


def test_a_grid_lists_its_values() -> None:
    assert "λ {1e-05, 0.001}, η {0.1}" in said(changed(COARSE, space={"l2": [1e-5, 1e-3], "learning_rate": [0.1]}))


def test_diverged_and_pruned_trials_are_counted() -> None:
    row = changed(COARSE, trials={"complete": 17, "pruned": 4, "failed": 3, "running": 0})
    assert "24 trials (4 stopped early, 3 diverged)" in said(row)


@pytest.mark.parametrize(
    ("stopped", "words"),
    [
        ({0.25: 16}, "16 of 24 trials stopped early at 25 % of the budget"),
        ({0.25: 16, 0.5: 4}, "20 of 24 trials stopped early: 16 at 25 %, 4 at 50 % of the budget"),
    ],
)
def test_trials_that_were_stopped_early_are_said(stopped: dict[float, int], words: str) -> None:
    shares = [{"share": share, "trials": n} for share, n in stopped.items()]
    assert words in said(changed(COARSE, halving={"asked": False, "in_effect": True, "stopped": shares}))
    assert "stopped early" not in said(COARSE)


def test_rungs_that_were_asked_for_in_vain_are_said() -> None:
    assert "`rungs` need a batch of at least 16" in said(changed(COARSE, halving__asked=True))
    assert "`rungs`" not in said(changed(COARSE, halving__asked=True, halving__in_effect=True))


def test_a_search_of_which_nothing_completed() -> None:
    row = changed(COARSE, trials={"complete": 0, "pruned": 0, "failed": 24, "running": 0}, best=None)
    row["verdict"] = {"best": None, "tied": [], "n_tied": 0, "n_valid": None, "unresolved_edges": []}
    assert "24 trials (24 diverged)" in said(row)
    assert "no trial completed" in said(row)


def test_every_edge_verdict_is_said() -> None:
    edges = [EDGE, EDGE | {"name": "l2", "side": "low", "edge": 1e-6, "extended_to": 3.2e-8}]
    found = [sentence for label, sentence in findings(changed(FINE, edges=edges)) if label == "Edge"]
    assert len(found) == 2
    assert "high end of η, 1: searched on to 10" in found[0]
    assert "low end of λ, 1e-06: searched on to 3.2e-08" in found[1]


def test_an_edge_is_said_whatever_became_of_the_search() -> None:
    nothing = {"best": None, "tied": [], "n_tied": 0, "n_valid": None, "unresolved_edges": []}
    for row in (changed(FINE, total=40), changed(FINE, verdict=None), changed(FINE, best=None, verdict=nothing)):
        assert "high end of η, 1: searched on to 10" in said(changed(row, edges=[EDGE]))


def test_an_edge_at_a_hard_limit() -> None:
    text = said(changed(FINE, edges=[EDGE | {"edge": 10.0}]))
    assert "high end of η, 10: a hard limit" in text
    assert "searched on" not in text


def test_an_unresolved_edge_is_said_with_the_remedy() -> None:
    text = said(changed(FINE2, edges=[EDGE], verdict__unresolved_edges=[EDGE | {"hard_limit": False}]))
    assert "fine's best settings reach the high end of η, 1: searched on to 10" in text
    assert "unresolved: the optimum may lie beyond the high end of η, 10" in text
    assert "widen `coarse.space` and reset from coarse" in text


@pytest.mark.parametrize("followed_by", [None, "fine2"])
def test_an_edge_of_fine_from_which_a_further_level_goes_on(followed_by: str | None) -> None:
    row = changed(FINE, followed_by=followed_by, verdict__unresolved_edges=[EDGE | {"hard_limit": False}])
    assert "its best settings reach the high end of η, 10" in said(row)
    assert "unresolved" not in said(row)
    assert ("run fine again" in said(row)) == (followed_by is None)


def test_an_unresolved_edge_of_a_space_that_the_file_gives_to_fine() -> None:
    """Another coarse space would move nothing there."""
    text = said(changed(FINE, parent=None, verdict__unresolved_edges=[EDGE | {"hard_limit": False}]))
    assert "widen `fine.space` and reset from fine" in text
    assert "coarse" not in text


def test_momentum_is_never_rounded_to_1() -> None:
    """Its hard limit was."""
    edge = EDGE | {"name": "momentum", "edge": 0.99, "extended_to": 0.9999}
    text = said(changed(FINE, edges=[edge], verdict__unresolved_edges=[edge | {"hard_limit": True}]))
    assert "the high end of momentum, 0.99: searched on to 0.9999" in text
    assert "hard limit, the high end of momentum, 0.9999" in text
    assert "momentum 0.5 … 0.9999" in said(changed(FINE, space={"momentum": {"low": 0.5, "high": 0.9999}}))


def test_a_best_at_a_hard_limit_is_said_without_a_remedy_that_cannot_help() -> None:
    text = said(changed(FINE, verdict__unresolved_edges=[EDGE | {"hard_limit": True}]))
    assert "the best lies at a hard limit, the high end of η, 10" in text
    assert "widen" not in text


def test_coarse_says_that_its_best_reach_an_end() -> None:
    text = said(changed(COARSE, verdict__unresolved_edges=[EDGE | {"extended_to": 1.0, "hard_limit": False}]))
    assert "its best settings reach the high end of η, 1" in text


def test_a_search_under_way_tells_its_best_so_far_and_claims_no_more() -> None:
    """With a verdict from before its total was raised, or without one."""
    for verdict in (None, COARSE["verdict"]):
        text = said(changed(COARSE, verdict=verdict, total=40, trials__running=16))
        assert text == "Coarse: unfinished: 24 of 40 trials\n: best so far 99.58 % with λ = 0.000158, η = 0.164"
    assert said(changed(COARSE, verdict=None)).startswith("Coarse: best so far"), "killed before it was summed up"
    assert said(changed(COARSE, verdict=None, best=None, trials__complete=0)) == "Coarse: unfinished: 0 of 24 trials"


@pytest.mark.parametrize("row", [CONFIRM, FINAL])
def test_other_stages_under_way(row: Row) -> None:
    name = row["stage"].capitalize()
    assert said(changed(row, verdict=None, result=None, trials__complete=1)) == f"{name}: unfinished: 1 of " + (
        f"{row['total']} trials"
    )
    assert said(changed(row, total=30)).startswith(f"{name}: unfinished: {row['total']} of 30 trials\n")


def test_confirm_names_the_setting_and_an_estimate_that_luck_does_not_flatter() -> None:
    text = said(CONFIRM)
    assert "Chosen: λ = 0.00167, η = 0.291, momentum = 0.9" in text
    assert "expected accuracy on new validation rows is 98.41 %" in text
    assert "98.50 %" not in text, "the winner's own mean is too good"


@pytest.mark.parametrize(("needed", "words"), [(25, "; about 25 repeats may tell"), (None, ": not worth more repeats")])
def test_a_default_that_is_not_separable(needed: int | None, words: str) -> None:
    finalists = [finalist(0, 0.985), finalist(1, 0.983, default=True, repeats_needed=needed)]
    assert f"The default does as well within the noise{words}." in said(changed(CONFIRM, verdict__finalists=finalists))


def test_others_that_cannot_be_told_from_the_winner_are_named_and_how_sure_it_is() -> None:
    finalists = [finalist(0, 0.985), finalist(1, 0.983, default=True), finalist(2, 0.9845), finalist(3, 0.984)]
    text = said(changed(CONFIRM, verdict__finalists=finalists))
    assert "Within the noise of 5 repeats, fine 32 and fine 33 do as well." in text
    assert "A lead of less than 0.35 points may be chance" in text
    assert "Within the noise of" not in said(CONFIRM)


def test_a_lead_that_cannot_be_compared_says_why() -> None:
    text = said(changed(CONFIRM, verdict__not_comparable="it trained differently"))
    assert "not comparable with the search: it trained differently" in text
    assert "comparable" not in said(CONFIRM)


def test_a_default_that_is_worse() -> None:
    finalists = [finalist(0, 0.985), finalist(1, 0.9725, default=True, separable=True)]
    text = said(changed(CONFIRM, verdict__finalists=finalists))
    assert "It beats the study file's default by 1.25 points." in text
    assert "does as well" not in text


def test_a_default_that_won() -> None:
    finalists = [finalist(0, 0.985, default=True), finalist(1, 0.983)]
    text = said(changed(CONFIRM, verdict__finalists=finalists, verdict__winner_is_default=True))
    assert "It is the study file's default setting." in text
    assert "separable" not in text


def test_a_default_that_diverged() -> None:
    text = said(changed(CONFIRM, verdict__finalists=[finalist(0, 0.985)], verdict__diverged=[1, 3]))
    assert "default setting diverged" in text
    assert "2 finalists diverged" in text
    assert "1 finalist diverged" in said(changed(CONFIRM, verdict__diverged=[1]))


@pytest.mark.parametrize(("value", "is_said"), [(0.02, True), (0.004, False), (-0.02, False)])
def test_optimism_is_said_when_it_is_more_than_chance(value: float, is_said: bool) -> None:
    text = said(changed(CONFIRM, verdict__optimism={"value": value, "standard_error": 0.008}))
    assert ("2.00 ± 0.80 points" in text) == is_said
    assert ("flattered" in text) == is_said


def test_final_tells_both_intervals_apart() -> None:
    text = said(FINAL)
    assert "Test: 98.56 % accuracy; 95 % interval 97.50 … 99.62 % over new images" in text
    assert "97.73 … 99.38 % over seeds on these 10,000 images" in text
    assert "2 networks with λ = 0.00167, η = 0.291, momentum = 0.9" in text
    assert "trained on 50,000 rows; look 3 at this test set" in text
    assert text.count(".\n") + text.endswith(".") == len(findings(FINAL)) - 2, "whole sentences, two on two lines each"
    assert "more rows" not in text


def test_the_ensemble_has_a_line_of_its_own() -> None:
    text = said(FINAL)
    assert "Ensemble: 98.91 % by mean probabilities; 98.69 … 99.09 % over new images alone" in text


@pytest.mark.parametrize(
    ("headline", "other", "accuracy"), [("moving", "population", 98.61), ("population", "moving", 98.56)]
)
def test_which_moments_are_the_headline(headline: str, other: str, accuracy: float) -> None:
    text = said(changed(FINAL, result__bn_statistics=headline))
    assert f"The headline is with {headline} moments; with {other} moments {accuracy:.2f} %" in text


def test_a_result_of_an_older_version_has_neither() -> None:
    row = changed(FINAL)
    for name in ("ensemble", "test_accuracy_by_statistics", "bn_statistics"):
        del row["result"][name]
    assert "Ensemble" not in said(row)
    assert "headline" not in said(row)


@pytest.mark.parametrize("row", [COARSE, FINE, CONFIRM, FINAL])
def test_a_finished_stage_is_told_in_three_to_six_lines(row: Row) -> None:
    assert 3 <= len(findings(row)) <= 6
    assert sentences(row)[0] == ": ".join(findings(row)[0])


def test_an_accuracy_is_never_shown_above_100_percent() -> None:
    """Student's t knows no such limit, least of all with two seeds."""
    text = said(changed(FINAL, result__test_accuracy_over_seeds={"low": -0.2, "high": 1.04}))
    assert "0.00 … 100.00 % over seeds" in text


def test_many_more_rows_than_in_confirm_are_said() -> None:
    assert "25 % more rows than the 30,000 of confirm" in said(changed(FINAL, result__n_train_in_confirm=30_000))


@pytest.mark.parametrize("row", [FINE, CONFIRM, FINAL])
def test_a_stage_that_has_become_stale_says_so(row: Row) -> None:
    sentence = f"fine has grown since {row['stage']} was made (16 -> 40 trials): `bnsearch reset mine` takes them in"
    assert said(changed(row, stale=sentence)).endswith(f"\nStale: {sentence}")
    assert "Stale" not in said(row)


def test_all_findings_keep_the_order_of_the_stages() -> None:
    labels = [label for label, _ in all_findings([COARSE, FINE, CONFIRM, FINAL]) if label]
    assert labels == ["Coarse", "Fine", "Chosen", "Test", "Ensemble"]
    assert all_findings([]) == []


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"l2": 1e-5, "learning_rate": 0.1, "momentum": 0.0}, "λ = 1e-05, η = 0.1"),
        ({"l2": 0.0, "learning_rate": 10.0, "momentum": 0.9}, "λ = 0, η = 10, momentum = 0.9"),
        ({"momentum": 0.9498765}, "momentum = 0.95"),
        ({"momentum": 0.9999}, "momentum = 0.9999"),
    ],
)
def test_setting(params: dict[str, Any], text: str) -> None:
    assert setting(params) == text


def test_percent() -> None:
    assert [percent(share) for share in (0.0, 0.98556, 1.0)] == ["0.00 %", "98.56 %", "100.00 %"]


def test_records_are_not_changed() -> None:
    rows = [changed(row) for row in (COARSE, FINE, CONFIRM, FINAL)]
    all_findings(rows)
    assert rows == [COARSE, FINE, CONFIRM, FINAL]
    assert (BEST["trial"], VERDICT["winner"]) == (4, 0)


@pytest.mark.parametrize(("n", "words"), [(1, "diverged or failed, and no figure is about it"), (2, "about them")])
def test_networks_that_diverged_are_told(n: int, words: str) -> None:
    """The mean and its intervals are of those that did not."""
    assert words in said(changed(FINAL, result__n_diverged=n))
    assert "diverged" not in said(FINAL)


def test_an_edge_that_a_given_fine_space_does_not_pass_is_unresolved() -> None:
    """B17's coarse grid ends at its best λ, and its fine grid lies elsewhere."""
    edge = {"name": "l2", "side": "low", "edge": 1e-6, "extended_to": 1e-6, "hard_limit": False}
    at_edge = changed(COARSE, verdict__unresolved_edges=[edge])
    assert "unresolved" not in said(at_edge)
    for space in ({"l2": [1e-3, 1e-2]}, {"l2": {"low": 1e-6, "high": 1e-2}}, {"learning_rate": [0.1]}):
        assert "unresolved: its best settings reach the low end of λ, 1e-06" in said(changed(at_edge, given_fine=space))
    assert "unresolved" not in said(changed(at_edge, given_fine={"l2": {"low": 1e-8, "high": 1e-2}}))


def test_a_given_fine_space_is_not_said_to_be_around_what_coarse_found() -> None:
    around = "within one standard error: fine searches around all"
    assert around in said(COARSE)
    given = said(changed(COARSE, given_fine=COARSE["space"]))
    assert "within one standard error" in given
    assert "fine searches around" not in given
