"""The plan of a study, and totals that fit into a budget, as plain values."""

from dataclasses import replace
from pathlib import Path

import pytest

from bnsearch.search.foreseen import foresee, propose, resolvable
from bnsearch.search.searching import run_search
from bnsearch.search.stages import reset
from bnsearch.search.study_file import Study
from tests.search.helpers import at_work, forecast_of, run, tiny, trials_of

pytestmark = pytest.mark.usefixtures("measured_at_once")


def test_a_further_level_is_foreseen_as_soon_as_it_is_due(tmp_path: Path) -> None:
    study = tiny(tmp_path)
    run(study, "coarse")
    with forecast_of(study) as (forecast, stored):
        assert foresee(forecast, stored)["further_seconds"] > 0.0, "it may become due"
    begins = iter([True, False])
    with at_work(study) as session:
        run_search(replace(session, may_begin=lambda: next(begins)), "fine")
    with forecast_of(study) as (forecast, stored):
        plan = foresee(forecast, stored)
    assert plan["further_seconds"] == 0.0
    assert [(row["finished"], row["trials"]) for row in plan["stages"][:2]] == [(6, 0), (4, 4)]


def test_a_given_space_of_fine_has_no_further_level(tmp_path: Path) -> None:
    with forecast_of(tiny(tmp_path, "fine.space.l2={low=1e-4, high=1e-2}")) as (forecast, stored):
        assert foresee(forecast, stored)["further_seconds"] == 0.0


def test_finalists_are_foreseen_as_many_as_there_will_be(whole: Study, finished: Path) -> None:
    with forecast_of(tiny(finished.parent / "fresh")) as (forecast, stored):
        resolves = foresee(forecast, stored)["resolves"]
    assert resolves["finalists"] == len(trials_of(whole, "confirm")) // 2
    assert (resolves["repeats"], resolves["n_valid"]) == (2, 60)


def test_the_difference_that_confirm_resolves() -> None:
    """(q(.95; 5, 16)/√2 + .84)·√(2·MSE/R), with q = 4.333 of the tables of the studentised range."""
    for n_valid in (1000, 5000):
        mse = 0.10 / n_valid + 0.0018**2
        expected = (4.333 / 2**0.5 + 0.84) * (2 * mse / 5) ** 0.5
        assert resolvable(5, 5, n_valid) == pytest.approx(expected, rel=1e-3)
    assert resolvable(5, 5, 5000) > resolvable(5, 6, 5000) > resolvable(5, 6, 10_000)
    assert resolvable(3, 5, 5000) < resolvable(5, 5, 5000)


# ---- proposals


def test_a_proposal_is_what_a_study_file_asks_for_by_its_keys(tmp_path: Path) -> None:
    study = tiny(tmp_path)
    with forecast_of(study) as (forecast, stored):
        large = propose(forecast, stored, 3600.0)
        small = propose(forecast, stored, 1e-6)
    assert large["fits"]
    assert set(large["set"]) == {"coarse.trials", "fine.trials", "confirm.repeats"}
    assert large["rungs"] == {"coarse.rungs": [0.25, 0.5], "fine.rungs": [0.25, 0.5]}
    assert not small["fits"]
    assert small["set"] == {"coarse.trials": 3, "fine.trials": 3, "confirm.repeats": 2}
    assert small["rungs"] == {}
    assert large["resolves"]["difference"] < small["resolves"]["difference"]


def test_what_later_stages_are_built_on_is_not_proposed_otherwise(finished: Path) -> None:
    def keys(*overrides: str) -> set[str]:
        with forecast_of(tiny(finished, *overrides)) as (forecast, stored):
            return set(propose(forecast, stored, 3600.0)["set"])

    assert keys() == set()
    study = tiny(finished)
    for stage, free in (("final", {"confirm.repeats"}), ("confirm", {"confirm.repeats", "fine.trials"})):
        with at_work(study) as session:
            reset(study, session.store, stage)
        assert keys() == free
    assert keys("final.setting.l2=1e-3") == {"fine.trials"}


def test_a_grid_is_never_cut(tmp_path: Path) -> None:
    grid = ("coarse.sampler=grid", "coarse.space={l2=[1e-4, 1e-3, 1e-2]}", "coarse.trials=3")
    with forecast_of(tiny(tmp_path, *grid)) as (forecast, stored):
        assert "coarse.trials" not in propose(forecast, stored, 3600.0)["set"]


def test_a_proposal_counts_what_its_command_will_ask_of_stages_that_stay(finished: Path) -> None:
    """Once, a larger total in the study file of a stage that fine was built on was left out of the reckoning."""
    seconds = []
    for more in ((), ("coarse.trials=200",)):
        with forecast_of(tiny(finished, *more)) as (forecast, stored):
            seconds.append(propose(forecast, stored, 3600.0)["seconds"])
    assert seconds[1] > seconds[0]


def test_fine_is_free_where_a_fixed_setting_went_to_final_before_it(tmp_path: Path) -> None:
    """Once, it was taken for a stage of no trials that stays, and its trials were counted but not asked for."""
    study = tiny(tmp_path, "final.setting.l2=1e-3")
    run(study, "final")
    with forecast_of(study) as (forecast, stored):
        assert set(propose(forecast, stored, 3600.0)["set"]) == {"coarse.trials", "fine.trials"}
