"""The final networks as models on raw inputs: exported once they are trained, and made anew where one is gone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import optuna

from bnsearch.core.evaluate import evaluation_moments
from bnsearch.core.layers import Moments
from bnsearch.core.run import State, Statistics
from bnsearch.data.prepare import load_transform
from bnsearch.errors import ChangedError, ModelError, WorkerError
from bnsearch.model import Model, fold, load_model, save_model
from bnsearch.search.beside import disk_errors
from bnsearch.search.cohort import Death, Lane, LaneNews
from bnsearch.search.lane_file import outcome_attrs
from bnsearch.search.plan import build_run
from bnsearch.search.schedule import train_lanes
from bnsearch.search.session import Session
from bnsearch.search.threads import one_blas_thread


def model_path(session: Session, repeat: int) -> Path:
    """Where final's network number 1, 2, … lies."""
    return session.study.results / "models" / f"final-{repeat}.safetensors"


def is_whole(session: Session, repeat: int) -> bool:
    """Is the network's model there as it was written? One that is there, but not so, is told of."""
    path = model_path(session, repeat)
    try:
        load_model(path)
    except ModelError as error:
        if path.exists():
            session.progress.say(f"{error} It is made anew now.")
        return False
    return True


def export(session: Session, study: optuna.Study, lane: Lane, state: State, repeat: int) -> Model:
    """The lane's last state (K = 1) as a model on raw inputs, written to `models/`."""
    model = folded(session, study, lane, state, repeat, moments_of(lane, state, lane.plan.statistics))
    with disk_errors(session.study):
        save_model(model, model_path(session, repeat))
    return model


def moments_of(lane: Lane, state: State, statistics: Statistics) -> tuple[Moments, ...]:
    """A lane's moments of this kind; population moments are found anew from its training rows."""
    with one_blas_thread():
        return evaluation_moments(state, replace(build_run(lane.plan), statistics=statistics))


def folded(
    session: Session, study: optuna.Study, lane: Lane, state: State, repeat: int, moments: tuple[Moments, ...]
) -> Model:
    """The lane's last state (K = 1) as a model on raw inputs, normalised by these moments."""
    return fold(
        state.network,
        moments,
        load_transform(lane.plan.data.transform),
        session.materials.dataset.classes,
        study=session.study.name,
        repeat=repeat,
        params=lane.configuration._asdict(),
        n_steps=state.step,
        data_fingerprint=session.materials.dataset.fingerprint,
        image_shape=session.materials.dataset.image_shape,
        bnsearch_version=study.user_attrs["version"],
    )


def make_anew(session: Session, study: optuna.Study, lanes: Sequence[Lane]) -> None:
    """Retrain final networks whose models are gone, to the same numbers, and export them; no test row is read."""
    trials = {t.number: t for t in study.get_trials(deepcopy=False)}
    by_number = {lane.number: lane for lane in lanes}
    steps = dict.fromkeys(by_number, 0)
    session.progress.begin("Retraining missing models", sum(lane.plan.n_steps for lane in lanes))
    for news in train_lanes(lanes, session.materials.executor, session.materials.n_workers):
        for item in news:
            if isinstance(item, Death):
                _check_goes_on(session, study, item)
                continue
            steps[item.number] = item.state.step
            if item.outcome is not None or item.diverged_at is not None:
                attrs = trials[item.number].user_attrs
                _check_same(session, study, item, attrs)
                export(session, study, by_number[item.number], item.state, int(attrs["repeat"]))
        session.progress.update(sum(steps.values()))
    session.progress.end()


def _check_goes_on(session: Session, study: optuna.Study, death: Death) -> None:
    """Say that a worker died; a network that is given up has no model."""
    if not death.again:
        raise WorkerError(f"The models of {study.study_name} must be made anew, but: {death} See to memory; run again.")
    session.progress.say(f"{study.study_name}: {death}")


def _check_same(session: Session, study: optuna.Study, news: LaneNews, attrs: Mapping[str, object]) -> None:
    """Another machine or BLAS may round otherwise, and its network is not the one that was tested."""
    found = {} if news.outcome is None else outcome_attrs(news.outcome)
    if not found or any(attrs.get(name) != value for name, value in found.items()):
        raise ChangedError(
            f"Network {attrs['repeat']} of {study.study_name} must come out as it was when it was tested "
            f"(train_loss {attrs.get('train_loss')}), but has {found.get('train_loss')}, as on another kind of "
            f"machine: bring back {session.study.results / 'models'}, or run "
            f"`bnsearch reset {session.study.called} --from final`."
        )
