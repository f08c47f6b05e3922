"""A run within a budget of time begins nothing that will not fit, and a later run goes on to the same numbers."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bnsearch.search import measuring
from bnsearch.search.budget import Clock, Outcome, run_within
from bnsearch.search.searching import run_search
from bnsearch.search.setups import STAGES
from bnsearch.search.stages import run_all
from bnsearch.search.study_file import Study
from tests.search.helpers import at_work, attrs_of, files, record, run, tiny, trials_of

STEP = 10.0  # seconds that a step is said to take; it takes no milliseconds


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine is measured as a very slow one, so that it is certain what fits."""
    monkeypatch.setattr(measuring, "pace_of", lambda plan, configuration, width: (STEP, 0.0))


def within(study: Study, seconds: float) -> Outcome:
    with at_work(study, n_workers=1) as session:
        return run_within(session, seconds, time.monotonic())


def assert_same(study: Study, whole: Study) -> None:
    assert record(study) == record(whole)
    assert files(study) == files(whole)


def test_a_large_budget_leaves_nothing_out(whole: Study, tmp_path: Path) -> None:
    study = tiny(tmp_path)
    outcome = within(study, 1e6)
    assert (outcome.worked, outcome.left_out, outcome.seconds_needed) == (True, (), 0.0)
    assert_same(study, whole)
    assert not within(study, 1e-6).worked, "nothing is left, for which any budget is enough"


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize(
    ("cohorts", "overrides", "begun", "left_out"),
    [
        (0, (), [], STAGES),
        (1, ("fine.trials=24", "fine.rungs=[]"), ["coarse"], STAGES[1:]),
        (1, (), ["coarse", "fine", "fine2"], STAGES[2:]),
        (2, ("final.repeats=3",), ["coarse", "fine", "fine2", "confirm"], STAGES[3:]),
    ],
)
def test_what_does_not_fit_is_left_out_and_done_by_a_later_run(
    cohorts: int, overrides: tuple[str, ...], begun: list[str], left_out: tuple[str, ...], tmp_path: Path
) -> None:
    """There is time for so many cohorts: a search of up to 20 trials is one, of confirm and final each repeat."""
    study, never_stopped = (tiny(tmp_path / name, *overrides) for name in ("own", "other"))
    outcome = within(study, 24 * STEP * cohorts + 100.0)
    assert (outcome.worked, outcome.left_out) == (bool(begun), left_out)
    assert outcome.seconds_needed > outcome.seconds_left
    with at_work(study) as session:
        assert [name for name in ("coarse", "fine", "fine2", "confirm", "final") if session.store.load(name)] == begun
        run_all(session)
    run(never_stopped, *STAGES)
    assert_same(study, never_stopped)


@pytest.mark.usefixtures("slow")
def test_a_larger_budget_goes_on(whole: Study, tmp_path: Path) -> None:
    study = tiny(tmp_path)
    assert within(study, 24 * STEP + 100.0).left_out == STAGES[2:]
    assert within(study, 2 * 24 * STEP + 100.0).left_out == ()
    assert_same(study, whole)


def asked(*answers: bool) -> Any:
    """May it begin? Yes and no in this order, then no."""
    left = list(answers)
    return lambda: left.pop(0) if left else False


def searched(study: Study, stage: Any, *answers: bool) -> bool:
    with at_work(study) as session:
        return run_search(replace(session, may_begin=asked(*answers)), stage)


def test_a_further_level_that_does_not_fit_is_left_to_a_later_run(whole: Study, tmp_path: Path) -> None:
    study = tiny(tmp_path)
    run(study, "coarse")
    assert searched(study, "fine", True)
    assert len(trials_of(study, "fine")) == 4
    assert trials_of(study, "fine2") == []
    run(study, *STAGES[1:])
    assert_same(study, whole)


def test_a_search_in_batches_may_end_after_each(tmp_path: Path) -> None:
    overrides = ("coarse.sampler=tpe", "coarse.trials=20", "training.epochs=1")
    study, never_stopped = (tiny(tmp_path / name, *overrides) for name in ("own", "other"))
    run(never_stopped, "coarse")
    assert searched(study, "coarse", True)
    assert len(trials_of(study, "coarse")) == 16
    assert "verdict" not in attrs_of(study, "coarse"), "it is not over"
    run(study, "coarse")
    assert record(study) == record(never_stopped)


def test_a_total_that_was_not_reached_is_reached_before_a_larger_one_is_asked_for(tmp_path: Path) -> None:
    """Else the batches of the larger one would be others."""
    overrides = ("coarse.sampler=tpe", "training.epochs=1")
    study, other = (tiny(tmp_path / name, *overrides, "coarse.trials=20") for name in ("own", "other"))
    larger, other_larger = (tiny(s.folder, *overrides, "coarse.trials=26") for s in (study, other))
    run(other, "coarse")
    run(other_larger, "coarse")
    searched(study, "coarse", True)
    searched(larger, "coarse", False)
    assert attrs_of(study, "coarse")["total"] == 20
    run(larger, "coarse")
    assert record(larger) == record(other_larger)
    assert [batch[:2] for batch in attrs_of(larger, "coarse")["batches"]] == [[0, 16], [16, 4], [20, 6]]


def test_a_batch_under_way_is_finished_without_being_asked_for(tmp_path: Path) -> None:
    study = tiny(tmp_path)
    assert searched(study, "coarse", True)
    assert not searched(study, "coarse"), "it is over"


def test_expectations_grow_where_earlier_ones_were_too_short() -> None:
    clock = Clock(time.monotonic() + 100.0)
    assert clock.corrected(30.0) == 30.0
    clock.expected, clock.spent = 9.0, 19.0
    assert clock.corrected(30.0) == 60.0
    clock.expected = 99.0
    assert clock.corrected(30.0) == 30.0, "never shorter than measured"
