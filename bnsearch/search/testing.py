"""A comparison's look at the test set: what each variant's networks get right there, asked for by --test alone."""

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from bnsearch.data.test_set import TestSet, open_test_set
from bnsearch.errors import ModelError, StoreError
from bnsearch.model import load_model
from bnsearch.search.comparing import comparison_of, kinds_of_moments, model_path
from bnsearch.search.looking import BY_STATISTICS, check_same_rows
from bnsearch.search.open_trial import add_to_finished
from bnsearch.search.session import Session
from bnsearch.search.setups import COMPARE
from bnsearch.search.tables import NetworkTable
from bnsearch.search.threads import one_blas_thread

TESTED = "test_accuracy"  # attribute of a trial


def run_test(session: Session) -> bool:
    """Test the networks that have not been tested, in one look; False where there is none, and then nothing is looked
    at.
    """
    study = session.store.load(COMPARE)
    trials = [] if study is None else study.get_trials(deepcopy=False)
    fresh = [t for t in trials if t.state == TrialState.COMPLETE and TESTED not in t.user_attrs]
    if study is None or not fresh:
        return False
    for trial in fresh:  # before the look, which would be in vain
        _check_kept(session, trial)
    test = open_test_set(
        session.materials.dataset,
        f"{study.study_name}: {len(fresh)} networks",
        session.store,
        lambda rows: check_same_rows(session, study, rows),
    )
    study.set_user_attr("test_fingerprint", test.fingerprint)
    study.set_user_attr("look", test.look)
    session.progress.begin("Testing", len(fresh))
    found = {}
    for trial in fresh:
        with one_blas_thread():
            found[trial._trial_id] = _tested(session, trial, test)
        session.progress.update(len(found))
    session.progress.end()
    add_to_finished(session.store.storage, found)
    session.store.forget(COMPARE)
    return True


def _tested(session: Session, trial: FrozenTrial, test: TestSet) -> dict[str, object]:
    """What a network gets right, by the moments that its variant evaluates with and by the others."""
    network = _network(session, trial)
    by = {
        kind: float(np.mean(load_model(model_path(session.study, trial.number, kind)).predict(test.X) == test.y))
        for kind in kinds_of_moments(network)
    }
    attrs: dict[str, object] = {"n_test": len(test.y), TESTED: by[None] if None in by else by[network.bn_statistics]}
    return attrs if None in by else attrs | {BY_STATISTICS: by}


def _check_kept(session: Session, trial: FrozenTrial) -> None:
    for kind in kinds_of_moments(_network(session, trial)):
        try:
            load_model(model_path(session.study, trial.number, kind))
        except ModelError as error:
            raise StoreError(
                f"The network of trial {trial.number} must lie where `compare` left it, to be tested, but: {error} "
                f"Bring it back, or run `bnsearch reset {session.study.called} --from {COMPARE}` and compare again."
            ) from error


def _network(session: Session, trial: FrozenTrial) -> NetworkTable:
    return comparison_of(session.study).variants[int(trial.user_attrs["variant"])].setup.network
