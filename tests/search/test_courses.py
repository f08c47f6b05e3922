"""A reader of the database sees of a stage what the process sees that runs it."""

from dataclasses import replace
from pathlib import Path

import pytest
from optuna.trial import TrialState

from bnsearch.search.courses import view_of
from bnsearch.search.live import View
from bnsearch.search.progress import Silent
from bnsearch.search.session import Session
from bnsearch.search.stages import run_stage
from bnsearch.search.study_file import Study
from tests.helpers import TINY, changed
from tests.search.helpers import Inline, at_work, stored, tiny, trials_of

HALVED = changed(TINY, ("trials = 6", "trials = 16"), ("epochs = 4", "epochs = 8"))


class Watching(Silent):
    """Compares each view with that of the database, as both are at that moment."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self.views: list[View] = []

    def show(self, view: View) -> None:
        """Look at the database too."""
        self.views.append(view)
        assert self.session is not None
        study = self.session.store.load(view.study.rpartition(".")[2])
        assert study is not None
        found = view_of(study)
        assert found is not None
        # the database knows of whole epochs
        assert 0 <= view.epochs_done - found.epochs_done <= view.n_alive
        assert found.epochs_done + found.epochs_left == pytest.approx(view.epochs_done + view.epochs_left)
        assert replace(found, epochs_done=0.0, epochs_left=0.0) == replace(view, epochs_done=0.0, epochs_left=0.0)


def watched(study: Study, *stages: str) -> list[View]:
    watching = Watching()
    for stage in stages:
        with at_work(study, executor=Inline, n_workers=1, progress=watching) as session:
            watching.session = session
            run_stage(session, stage)  # type: ignore[arg-type]
    return watching.views


def test_stages_without_rungs(tmp_path: Path) -> None:
    views = watched(tiny(tmp_path), "coarse", "fine", "confirm")
    by_study = {view.study: view for view in views}  # the last of each
    assert list(by_study)[:2] == ["tiny.coarse", "tiny.fine"]
    assert "tiny.confirm" in by_study
    for last in by_study.values():
        assert last.n_over == last.n_trials
        assert (last.n_alive, last.epochs_left) == (0, 0)
        assert last.epochs_done == last.n_trials * last.n_epochs


def test_stages_with_rungs(tmp_path: Path) -> None:
    views = watched(tiny(tmp_path, text=HALVED), "coarse")
    ahead = [view.course.rungs_ahead for view in views]
    assert ahead[0] == (12, 24)
    assert (24,) in ahead
    assert ahead[-1] == ()
    assert views[-1].n_pruned == 12
    assert views[-1].epochs_done == 8 * 2 + 4 * 4 + 4 * 8  # stopped at the first rung, at the second, not at all


def test_work_to_come_counts_that_rungs_stop_some(tmp_path: Path) -> None:
    first, *_, last = watched(tiny(tmp_path, text=HALVED), "coarse")
    assert first.epochs_done + first.epochs_left == last.epochs_done + last.epochs_left


def test_diverged_trials(tmp_path: Path) -> None:
    grid = "coarse.space={l2=[1.0, 1e-3], learning_rate=[10.0, 0.1]}"  # λ = 1, η = 10: W grows 19-fold a step
    study = tiny(tmp_path, "coarse.sampler=grid", grid, "coarse.trials=4")
    last = watched(study, "coarse")[-1]
    assert [trial.state for trial in trials_of(study, "coarse")].count(TrialState.FAIL) == last.n_diverged == 1


def test_a_stage_that_has_not_come_to_training(tmp_path: Path) -> None:
    study = tiny(tmp_path, "coarse.trials=1", "training.epochs=1")
    with at_work(study) as session:
        session.store.create("coarse", {"stage": "coarse", "setup": {}})
    with stored(study) as store:
        assert view_of(store.load("coarse")) is None


@pytest.mark.parametrize("stage", ["coarse", "final"])
def test_what_each_network_is_given_is_stored(whole: Study, stage: str) -> None:
    with stored(whole) as store:
        budget = store.load(stage).user_attrs["budget"]
    # 240 rows in batches of 40; final has those that validated besides, and as many steps
    assert budget == {"n_steps": 24, "epoch_steps": 6 if stage == "coarse" else 7}
