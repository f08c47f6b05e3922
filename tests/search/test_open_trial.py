"""Writing to a trial under way in few transactions gives what Optuna's own calls give."""

from pathlib import Path

import optuna
import pytest
import sqlalchemy as sa
from optuna.trial import TrialState

from bnsearch.errors import StoreError
from bnsearch.search.open_trial import OpenTrial, add_running
from bnsearch.search.store import Store, open_store

SPACE = {"l2": optuna.distributions.FloatDistribution(1e-5, 1e-1, log=True)}
ATTRS = {"text": "λ", "number": 0.1, "flag": True, "none": None, "nested": {"step": 3, "values": [1, 2.5]}}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"sqlite:///{tmp_path}/a.db", "a")


def begun(store: Store) -> tuple[optuna.Study, OpenTrial]:
    study = store.create("coarse", {"setup": {}})
    add_running(study, {"l2": 1e-3}, SPACE, kept="as it was")
    (frozen,) = study.get_trials(deepcopy=False)
    return study, OpenTrial(store.storage, frozen)


def test_optuna_reads_what_was_written(store: Store) -> None:
    study, trial = begun(store)
    trial.report({1: 0.25, 2: 0.5})
    trial.report({3: 0.75})
    trial.set_user_attrs(ATTRS)
    trial.tell(TrialState.COMPLETE, 0.75)
    (found,) = study.get_trials()
    assert (found.number, found.state, found.value) == (trial.number, TrialState.COMPLETE, 0.75)
    assert found.intermediate_values == {1: 0.25, 2: 0.5, 3: 0.75}
    assert found.user_attrs == {"kept": "as it was"} | ATTRS
    assert found.params == {"l2": 1e-3}
    assert found.datetime_complete is not None
    assert study.best_trial.number == trial.number


def test_what_is_written_again_takes_the_place_of_what_was(store: Store) -> None:
    """As after a stop between the attributes and the value."""
    study, trial = begun(store)
    trial.set_user_attrs({"a": 1, "b": 2})
    trial.set_user_attrs({"b": 3, "c": 4})
    (found,) = study.get_trials()
    assert found.user_attrs == {"kept": "as it was", "a": 1, "b": 3, "c": 4}


def test_all_attributes_or_none(store: Store) -> None:
    study, trial = begun(store)
    with pytest.raises(TypeError, match="not JSON serializable"):
        trial.set_user_attrs({"a": 1, "b": object()})
    (found,) = study.get_trials()
    assert found.user_attrs == {"kept": "as it was"}


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_no_value_that_is_not_finite(store: Store, value: float) -> None:
    """Optuna takes +inf for the best of all."""
    study, trial = begun(store)
    with pytest.raises(AssertionError):
        trial.tell(TrialState.COMPLETE, value)
    (found,) = study.get_trials()
    assert found.state == TrialState.RUNNING


def test_all_reports_or_none(store: Store) -> None:
    study, trial = begun(store)
    trial.report({1: 0.25})
    with pytest.raises(sa.exc.IntegrityError):
        trial.report({2: 0.5, 1: 0.5})
    with pytest.raises(AssertionError):
        trial.report({3: float("nan")})
    (found,) = study.get_trials()
    assert found.intermediate_values == {1: 0.25}


def test_a_trial_that_something_else_ended_is_not_written_to(store: Store) -> None:
    """Once, what was trained was then lost without a word."""
    study, trial = begun(store)
    study.tell(trial.number, 0.5)
    for write in (
        lambda: trial.report({1: 0.25}),
        lambda: trial.set_user_attrs(ATTRS),
        lambda: trial.tell(TrialState.COMPLETE, 0.75),
    ):
        with pytest.raises(StoreError, match=f"Trial {trial.number} must stay RUNNING"):
            write()
    (found,) = study.get_trials()
    assert (found.value, found.user_attrs, found.intermediate_values) == (0.5, {"kept": "as it was"}, {})
