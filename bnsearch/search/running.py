"""Train the RUNNING trials of a stage and write down what comes: state, then reports, then tells."""

import csv
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from bnsearch.core.train import Outcome, State
from bnsearch.errors import StoreError
from bnsearch.search.cohort import Lane, LaneNews
from bnsearch.search.lane_file import FIGURES, load_lane, row, save_lane
from bnsearch.search.schedule import train_lanes
from bnsearch.search.session import Session
from bnsearch.search.setups import LEVELS
from bnsearch.search.trials import counts, pack_bits

STATE_SECONDS = 10.0  # at most this much work is done again after a crash, and a call's length more
Finish = Callable[[int, Outcome, State], None]
LaneOf = Callable[[FrozenTrial], Lane]


@dataclass
class Running:
    """One trial under way."""

    lane: Lane
    trial: optuna.Trial
    reported: set[int]  # epochs that the database has
    curve: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0  # of training, by all processes that went on with it


def run_running(
    session: Session, study: optuna.Study, lane_of: LaneOf, figure: str = "valid_accuracy", finish: Finish | None = None
) -> None:
    """Bring every RUNNING trial of the study to its end, going on from the stored states of an earlier process.

    figure: what is reported after each epoch. finish: called with (number, outcome, state) in place of telling the
    value; the trial then stays RUNNING and its last state on the disk.
    """
    everything = study.get_trials(deepcopy=False)
    running = {t.number: _adopt(session, study, t, lane_of(t)) for t in everything if t.state == TrialState.RUNNING}
    n_over = sum(counts(t) for t in everything)
    best = max((t.value for t in everything if t.state == TrialState.COMPLETE and t.value is not None), default=None)
    steps_total = sum(r.lane.plan.n_steps for r in running.values())
    steps = {number: r.lane.step for number, r in running.items()}
    session.progress.begin(f"{study.study_name}", steps_total)
    searching = _stage(study) in LEVELS  # a single trial's best means nothing elsewhere
    session.progress.update(sum(steps.values()), _note(n_over, len(everything), best if searching else None))
    written = dict.fromkeys(running, time.monotonic())
    for news in train_lanes(
        [r.lane for r in running.values()], session.materials.executor, session.materials.n_workers
    ):
        now = time.monotonic()
        for item in news:
            r = running[item.number]
            r.curve += [row(record) for record in item.records]
            r.seconds += item.seconds
            if now - written[item.number] >= STATE_SECONDS or (item.outcome is not None and finish is not None):
                written[item.number] = now
                save_state(session, study, r, item.state)
            _report(r, figure)
            steps[item.number] = item.state.step
            if item.outcome is None and item.diverged_at is None:
                continue
            steps[item.number] = r.lane.plan.n_steps
            value = _end(session, study, r, item, finish)
            n_over += 1
            best = value if best is None else max(best, value or 0.0)
        session.progress.update(sum(steps.values()), _note(n_over, len(everything), best if searching else None))
    session.progress.end()


def _adopt(session: Session, study: optuna.Study, frozen: FrozenTrial, lane: Lane) -> Running:
    trial = optuna.Trial(study, frozen._trial_id)
    stored = load_lane(state_path(session, study, lane.number), lane)
    reported = set(frozen.intermediate_values)
    if stored is None:
        return Running(lane, trial, reported)
    lane = Lane(lane.number, lane.plan, lane.configuration, stored.state)
    return Running(lane, trial, reported, stored.curve, stored.seconds)


def _report(r: Running, figure: str) -> None:
    for point in r.curve:
        epoch, value = int(point["epoch"]), point.get(figure)
        if epoch not in r.reported and value is not None and np.isfinite(value):
            r.trial.report(value, epoch)
            r.reported.add(epoch)


def _end(session: Session, study: optuna.Study, r: Running, news: LaneNews, finish: Finish | None) -> float | None:
    """The trial's attributes and curve, then its value; a diverged one fails with its parameters."""
    save_curve(session, study, r.lane.number, r.curve)
    r.trial.set_user_attr("wall_seconds", round(r.seconds, 3))
    if news.diverged_at is not None or news.outcome is None:
        r.trial.set_user_attr("diverged", True)
        r.trial.set_user_attr("diverged_step", news.diverged_at)
        study.tell(r.lane.number, state=TrialState.FAIL)
        remove_state(session, study, r.lane.number)
        return None
    for name, value in outcome_attrs(news.outcome).items():
        r.trial.set_user_attr(name, value)
    if finish is not None:
        finish(r.lane.number, news.outcome, news.state)
        return None
    assert news.outcome.valid_accuracy is not None
    value = float(news.outcome.valid_accuracy[0])
    study.tell(r.lane.number, value)
    remove_state(session, study, r.lane.number)
    return value


def outcome_attrs(outcome: Outcome) -> dict[str, Any]:
    """A measured lane (K = 1) as trial attributes: plain numbers, and which validation images it got right as text."""
    attrs: dict[str, Any] = {}
    for name in FIGURES[1:]:
        figure = getattr(outcome, name)
        if figure is not None:
            attrs[name] = float(figure[0])
    if outcome.valid_correct is not None:
        attrs["n_valid"] = outcome.valid_correct.shape[1]
        attrs["valid_correct"] = pack_bits(outcome.valid_correct[0])
    return attrs


def add_running(study: optuna.Study, params: Mapping[str, float], space: Mapping[str, Any], **attrs: Any) -> None:
    """Enter one configuration whole, so that no crash can leave half of it."""
    distributions = {name: space[name] for name in params}
    frozen = optuna.create_trial(
        state=TrialState.RUNNING, params=dict(params), distributions=distributions, user_attrs=attrs
    )
    study.add_trial(frozen)


def state_path(session: Session, study: optuna.Study, number: int) -> Path:
    """Where a lane's state lies."""
    return session.study.results / "states" / f"{_stage(study)}-{number:05d}.safetensors"


def save_state(session: Session, study: optuna.Study, r: Running, state: State) -> None:
    """Write a lane's state with its curve and time so far."""
    with disk_errors(session):
        save_lane(state_path(session, study, r.lane.number), r.lane, state, r.curve, r.seconds)


def remove_state(session: Session, study: optuna.Study, number: int) -> None:
    """A finished trial needs no state."""
    state_path(session, study, number).unlink(missing_ok=True)


def save_curve(session: Session, study: optuna.Study, number: int, curve: list[dict[str, float]]) -> None:
    """The learning curve as `curves/STAGE-NUMBER.csv`."""
    path = session.study.results / "curves" / f"{_stage(study)}-{number:05d}.csv"
    names = ["epoch", "step", *(name for name in FIGURES if any(name in point for point in curve))]
    with disk_errors(session):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, names, lineterminator="\n")
            writer.writeheader()
            writer.writerows(curve)
        os.replace(temporary, path)


class disk_errors:
    """Files beside the study must be writable."""

    def __init__(self, session: Session):
        self.folder = session.study.results

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise StoreError(
                f"{self.folder} must be a writable folder with room, but: {error.strerror}; mend it and run "
                f"again to go on."
            ) from error


def _stage(study: optuna.Study) -> str:
    return str(study.user_attrs["stage"])


def _note(n_over: int, n_all: int, best: float | None) -> str:
    return f"{n_over}/{n_all} trials" + ("" if best is None else f", best {100 * best:.2f} %")
