"""What is left of real studies: fresh, half-run and finished."""

import time
from concurrent.futures import Executor
from pathlib import Path

import pytest
from optuna.trial import TrialState

from bnsearch.search import running, schedule
from bnsearch.search.forecast import open_forecast
from bnsearch.search.foreseen import foresee, propose
from bnsearch.search.progress import Silent
from bnsearch.search.remaining import Work
from bnsearch.search.setups import STAGE_OF, STAGES, STUDIES
from bnsearch.search.study_file import Study
from tests.helpers import TINY, changed
from tests.search.helpers import forecast_of, n_passed, plan_of, run, tiny, trials_of
from tests.search.stopping import Stopping

HALVED = changed(TINY, ("trials = 6", "trials = 24"), ("epochs = 4", "epochs = 8"))


def works_of(study: Study) -> dict[str, Work]:
    with forecast_of(study) as (forecast, stored):
        return {work.stage: work for work in forecast.works(stored)}


def steps_of(study: Study, stage: str) -> int:
    """All steps that its trials have taken."""
    n_steps = plan_of(study, stage="coarse").n_steps
    trials = [t for level in STUDIES if STAGE_OF[level] == stage for t in trials_of(study, level)]
    return sum(t.user_attrs.get("pruned_at_step", n_steps) for t in trials)


def test_of_a_fresh_study_as_much_is_foreseen_as_is_then_done(tmp_path: Path) -> None:
    study = tiny(tmp_path, text=HALVED)
    fresh = works_of(study)
    assert [work.n_over for work in fresh.values()] == [0] * 4
    assert fresh["coarse"].rungs == (12, 24)
    run(study, "coarse")
    assert fresh["coarse"].steps == steps_of(study, "coarse")
    assert works_of(study)["coarse"].n_left == 0


def test_of_a_finished_study_nothing_is_left_and_nobody_is_set_to_work(whole: Study) -> None:
    def nobody() -> Executor:
        raise AssertionError("there is nothing to measure")

    with open_forecast(whole, time.monotonic(), n_workers=2, executor_factory=nobody, progress=Silent()) as found:
        forecast, stored = found
        plan = foresee(forecast, stored)
        proposal = propose(forecast, stored, 60.0)
    assert [(row["stage"], row["trials"], row["seconds"]) for row in plan["stages"]] == [(s, 0, 0.0) for s in STAGES]
    assert [row["finished"] for row in plan["stages"]] == [6, 2 * 4, len(trials_of(whole, "confirm")), 2]
    assert (plan["seconds"], plan["further_seconds"]) == (0.0, 0.0)
    assert proposal["fits"]
    assert proposal["set"] == {}


def test_more_of_a_finished_study_is_the_difference(whole: Study) -> None:
    n_finalists = len(trials_of(whole, "confirm")) // 2
    works = works_of(tiny(whole.folder, "coarse.trials=8", "fine.trials=7", "confirm.repeats=5", "final.repeats=4"))
    assert [work.n_left for work in works.values()] == [2, 3, 3 * n_finalists, 2]


@pytest.mark.parametrize(("n_calls", "n_rungs"), [(16, 0), (36, 1), (46, 1), (60, 2)])
def test_of_a_search_that_was_stopped_what_it_did_not_come_to(
    n_calls: int, n_rungs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With rungs: before the first, between both, and after."""
    monkeypatch.setattr(schedule, "CALL_SECONDS", 0.0)
    monkeypatch.setattr(running, "STATE_SECONDS", 0.0)
    study = tiny(tmp_path, text=HALVED)
    whole = works_of(study)["coarse"].steps
    with pytest.raises(KeyboardInterrupt):
        run(study, "coarse", executor=lambda: Stopping(n_calls))
    left = works_of(study)["coarse"]
    assert n_passed(study) == n_rungs
    trials = trials_of(study, "coarse")
    done = sum(
        t.user_attrs.get("pruned_at_step", max(t.intermediate_values, default=0) * 6)
        for t in trials
        if t.state != TrialState.COMPLETE
    )
    assert left.n_left == sum(t.state == TrialState.RUNNING for t in trials)
    assert 0 < left.steps < whole
    assert left.steps == whole - done


def test_of_repeats_that_were_stopped_what_they_did_not_come_to(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "CALL_SECONDS", 0.0)
    study = tiny(finished, "confirm.repeats=4")
    before = works_of(study)["confirm"]
    with pytest.raises(KeyboardInterrupt):
        run(study, "confirm", executor=lambda: Stopping(36))
    left = works_of(study)["confirm"]
    assert left.n_over + left.n_left == before.n_over + before.n_left
    done = [max(t.intermediate_values, default=0) for t in trials_of(study, "confirm") if t.state == TrialState.RUNNING]
    assert 0 < left.steps == before.steps - 6 * (sum(done) + 4 * (before.n_left - left.n_left)) < before.steps
