"""The plain Optuna face: the same numbers as the cohorts', with any sampler and pruner."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from bnsearch import Objective
from bnsearch.errors import StudyFileError, UsageError
from bnsearch.search.study_file import Study
from tests.search.helpers import tiny, trials_of


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(before)


def optimize(objective: Objective, settings: list[dict[str, float]], **how: Any) -> list[Any]:
    study = optuna.create_study(direction="maximize", **how)
    for setting in settings:
        study.enqueue_trial(setting)
    study.optimize(objective, n_trials=len(settings))
    return study.trials


def test_it_gives_exactly_what_the_coarse_stage_gave(whole: Study) -> None:
    coarse = trials_of(whole, "coarse")[:4]
    found = optimize(Objective(str(whole.file)), [t.params for t in coarse])
    for one, other in zip(found, coarse, strict=True):
        assert one.state == TrialState.COMPLETE
        assert one.params == other.params
        assert one.value == other.value
        assert one.intermediate_values == other.intermediate_values


def test_it_runs_a_study_by_its_name_with_overrides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(1))
    study.optimize(Objective("digits", overrides=("training.epochs=2", "network.hidden=[8]")), n_trials=3)
    assert [t.state for t in study.trials] == [TrialState.COMPLETE] * 3
    for t in study.trials:
        assert 1e-6 <= t.params["l2"] <= 1e-1
        assert 1e-3 <= t.params["learning_rate"] <= 1.0
        assert list(t.intermediate_values) == [1, 2]
        assert t.intermediate_values[2] == t.value
    assert len({t.params["l2"] for t in study.trials}) == 3
    assert list(tmp_path.iterdir()) == []  # it leaves nothing behind


def test_the_studys_pruner_is_asked_after_each_epoch(whole: Study) -> None:
    objective = Objective(str(whole.file))
    setting = trials_of(whole, "coarse")[0].params
    (pruned,) = optimize(objective, [setting], pruner=optuna.pruners.ThresholdPruner(lower=0.6, n_warmup_steps=2))
    assert pruned.state == TrialState.PRUNED
    curve = trials_of(whole, "coarse")[0].intermediate_values
    assert pruned.intermediate_values == {k: v for k, v in curve.items() if k <= len(pruned.intermediate_values)}
    assert 2 <= len(pruned.intermediate_values) < 4


def test_a_finished_run_is_never_pruned(whole: Study) -> None:
    setting = trials_of(whole, "coarse")[0].params
    (kept,) = optimize(
        Objective(str(whole.file)), [setting], pruner=optuna.pruners.ThresholdPruner(lower=2.0, n_warmup_steps=4)
    )
    assert kept.state == TrialState.COMPLETE


@pytest.mark.filterwarnings("ignore:Fixed parameter .* is out of range:UserWarning")
def test_a_diverged_run_fails_and_the_search_goes_on(tmp_path: Path) -> None:
    wide = "coarse.space={l2={low=1e-5, high=1.0}, learning_rate={low=1e-2, high=10.0}}"
    objective = Objective(str(tiny(tmp_path, wide).file), overrides=(wide,))
    bad, good = optimize(objective, [{"l2": 1.0, "learning_rate": 10.0}, {"l2": 1e-3, "learning_rate": 0.1}])
    assert bad.state == TrialState.FAIL
    assert bad.user_attrs["diverged"] is True
    assert bad.params == {"l2": 1.0, "learning_rate": 10.0}
    assert good.state == TrialState.COMPLETE


def test_momentum_and_linear_ranges_are_sampled_too(tmp_path: Path) -> None:
    space = "coarse.space.momentum={low=0.0, high=0.9, log=false}"
    objective = Objective(str(tiny(tmp_path).file), overrides=(space, "training.epochs=1"))
    (found,) = optimize(objective, [{"momentum": 0.25}])
    assert found.params["momentum"] == 0.25
    assert list(found.params) == ["l2", "learning_rate", "momentum"]


def test_threads_of_optuna_give_the_same(whole: Study) -> None:
    coarse = trials_of(whole, "coarse")[:4]
    study = optuna.create_study(direction="maximize")
    for t in coarse:
        study.enqueue_trial(t.params)
    study.optimize(Objective(str(whole.file)), n_trials=4, n_jobs=2)
    values = {t.params["l2"]: t.value for t in study.trials}
    assert values == {t.params["l2"]: t.value for t in coarse}


def test_a_wrong_study_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Unknown study 'nothing'"):
        Objective("nothing")
    with pytest.raises(StudyFileError, match=r"`training\.batch_size` must be at most"):
        Objective(str(tiny(tmp_path).file), overrides=("training.batch_size=999",))
