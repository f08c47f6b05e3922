"""One look at the test set: what each final network, and all of them together, get right there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.trial import FrozenTrial, TrialState

from bnsearch.core.run import State, Statistics
from bnsearch.data.test_set import TestSet, open_test_set
from bnsearch.errors import ChangedError, StoreError, UsageError
from bnsearch.model import Model, load_model, softmax
from bnsearch.search.beside import disk_errors, level_of, state_path
from bnsearch.search.cohort import Lane
from bnsearch.search.exporting import export, folded, model_path, moments_of
from bnsearch.search.lane_file import load_lane
from bnsearch.search.mistakes import NAME, most_confident, save_mistakes
from bnsearch.search.open_trial import OpenTrial
from bnsearch.search.session import Session
from bnsearch.search.threads import one_blas_thread
from bnsearch.search.trials import pack_bits

STATISTICS: tuple[Statistics, Statistics] = ("moving", "population")
BY_STATISTICS = "test_accuracy_by_statistics"  # of a trial
ENSEMBLE = "ensemble"  # of the study: what the networks together got right


@dataclass(frozen=True)
class _Network:
    """One that has not been tested yet."""

    trial: FrozenTrial
    model: Model
    other: Model | None  # with the other kind of moments; None without batch normalisation


def look(session: Session, study: optuna.Study, lane_of: Callable[[FrozenTrial], Lane]) -> None:
    """Export the networks that have not been tested, open the test set, and write down what they get right there.

    Networks of an earlier look are read again for the ensemble alone.
    """
    trained = [t for t in study.get_trials(deepcopy=False) if t.state in (TrialState.RUNNING, TrialState.COMPLETE)]
    if len(trained) < 2:
        raise UsageError(
            f"`final` needs at least two networks that did not diverge, but got {len(trained)}: lower the "
            f"learning rate and run "
            f"`bnsearch reset {session.study.called} --from final`."
        )
    fresh = {t.number: _exported(session, study, t, lane_of(t)) for t in trained if t.state == TrialState.RUNNING}
    if not fresh:  # an earlier process ended after telling the last value
        return
    models = [
        fresh[t.number].model if t.number in fresh else load_model(model_path(session, int(t.user_attrs["repeat"])))
        for t in trained
    ]
    purpose = f"{study.study_name}: {len(fresh)} networks"
    if len(fresh) < len(trained):
        purpose += f", and the ensemble of all {len(trained)}"
    test = open_test_set(
        session.materials.dataset, purpose, session.store, lambda rows: check_same_rows(session, study, rows)
    )
    study.set_user_attr("test_fingerprint", test.fingerprint)
    study.set_user_attr("look", test.look)
    with one_blas_thread():
        logits = {t.number: model.logits(test.X) for t, model in zip(trained, models, strict=True)}
        others = {number: n.other.predict(test.X) for number, n in fresh.items() if n.other is not None}
    mean = np.mean([softmax(logits[t.number]) for t in trained], axis=0)
    n_correct = int((mean.argmax(axis=1) == test.y).sum())
    study.set_user_attr(ENSEMBLE, {"n_networks": len(trained), "n_test": len(test.y), "n_correct": n_correct})
    data = session.materials.dataset
    if data.image_shape is not None:  # other rows are nothing to look at
        with disk_errors(session.study):
            found = most_confident(test.X, test.y, mean, data.image_shape, data.unit)
            save_mistakes(found, session.study.results / NAME)
    headline = session.study.setups["final"].network.bn_statistics
    for number, network in fresh.items():
        trial = OpenTrial(session.store.storage, network.trial)
        _tell(trial, network, test, logits[number].argmax(axis=1), headline, others.get(number))


def _exported(session: Session, study: optuna.Study, trial: FrozenTrial, lane: Lane) -> _Network:
    state, repeat = _last_state(session, study, lane), int(trial.user_attrs["repeat"])
    model, network = export(session, study, lane, state, repeat), session.study.setups["final"].network
    if network.batch_norm == "none":
        return _Network(trial, model, None)
    other = next(name for name in STATISTICS if name != network.bn_statistics)
    return _Network(trial, model, folded(session, study, lane, state, repeat, moments_of(lane, state, other)))


def _tell(
    trial: OpenTrial,
    network: _Network,
    test: TestSet,
    predicted: NDArray[np.int64],
    headline: str,
    by_other: NDArray[np.int64] | None,
) -> None:
    correct = predicted == test.y
    attrs: dict[str, Any] = {
        "test_confusion": confusion(test.y, predicted, len(network.model.classes)).tolist(),
        "n_test": len(test.y),
        "test_correct": pack_bits(correct),
    }
    if by_other is not None:
        pair = (float(correct.mean()), float((by_other == test.y).mean()))
        attrs[BY_STATISTICS] = dict(zip(STATISTICS, pair if headline == STATISTICS[0] else pair[::-1], strict=True))
    trial.set_user_attrs(attrs)
    trial.tell(TrialState.COMPLETE, float(correct.mean()))


def _last_state(session: Session, study: optuna.Study, lane: Lane) -> State:
    stored = load_lane(state_path(session, study, lane.number), lane)
    if stored is None or stored.state.step < lane.plan.n_steps:
        raise StoreError(
            f"The state of trial {lane.number} must lie in {session.study.results / 'states'}, but is gone or "
            f"damaged: run again."
        )
    return stored.state


def check_same_rows(session: Session, study: optuna.Study, fingerprint: str) -> None:
    """All networks of one result are tested on the same rows: those of the first look."""
    first = study.user_attrs.get("test_fingerprint", fingerprint)
    if first != fingerprint:
        stage = level_of(study)
        raise ChangedError(
            f"The test rows must stay as they were at the first look of {study.study_name} ({first[:12]}…), but are "
            f"others now ({fingerprint[:12]}…): bring back the file they came from, or run "
            f"`bnsearch reset {session.study.called} --from {stage}`."
        )


def confusion(y: NDArray[np.int64], predicted: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    """Counts (n_classes, n_classes): row = true class, column = predicted class."""
    counts_ = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(counts_, (y, predicted), 1)
    return counts_
