"""One trial under way: how far it is, and its state on the disk.

A process that goes on with a trial of an earlier one takes up the stored state.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import optuna
from optuna.trial import FrozenTrial

from bnsearch.search.beside import disk_errors, state_path
from bnsearch.search.cohort import Lane
from bnsearch.search.lane_file import Stored, load_lane, save_lane
from bnsearch.search.open_trial import OpenTrial
from bnsearch.search.rungs import Rung
from bnsearch.search.session import Session


@dataclass
class Running:
    """One trial under way."""

    lane: Lane
    trial: OpenTrial
    params: Mapping[str, float]  # what is searched of its configuration
    reported: set[int]  # epochs that the database has
    rungs: set[str]  # keys of those that the database has
    curve: list[dict[str, float]] = field(default_factory=list)
    figures: list[float] = field(default_factory=list)  # of the curve: the one that is reported, where it is finite
    seconds: float = 0.0  # of training, by all processes that went on with it
    reached: Stored | None = None  # replaced as a whole, since Ctrl-C may come at any moment, and it is then stored
    on_disk: int = 0  # the step of the state on the disk
    over: bool = False

    def has_come_to(self, rung: Rung) -> bool:
        """Nothing is left to be done before it can be ranked there; what lost its state is trained again."""
        return rung.key in self.rungs and self.lane.step >= rung.step


def adopt(session: Session, study: optuna.Study, frozen: FrozenTrial, lane: Lane, rungs: list[Rung]) -> Running:
    """A RUNNING trial of the study, where its state on the disk has it; without one, at its beginning."""
    trial = OpenTrial(session.store.storage, frozen)
    passed = {r.key for r in rungs if r.key in frozen.user_attrs}
    found = Running(lane, trial, frozen.params, set(frozen.intermediate_values), passed)
    stored = load_lane(state_path(session, study, lane.number), lane, session.progress.say)
    if stored is None or any(r.step < stored.state.step and r.key not in found.rungs for r in rungs):
        return found  # a state from beyond a rung that the database does not know is of no use
    lane = replace(lane, state=stored.state)
    return replace(found, lane=lane, curve=stored.curve, seconds=stored.seconds, on_disk=stored.state.step)


def save_state(session: Session, study: optuna.Study, r: Running, reached: Stored) -> None:
    """Write a lane's state with its curve and time so far."""
    with disk_errors(session.study):
        save_lane(state_path(session, study, r.lane.number), r.lane, reached)
    r.on_disk = reached.state.step


def report(r: Running, figure: str) -> None:
    """Give the database the epochs of the curve that it lacks; what is not finite it cannot have."""
    points = {int(point["epoch"]): point[figure] for point in r.curve if figure in point}
    new = {epoch: v for epoch, v in points.items() if epoch not in r.reported and np.isfinite(v)}
    if new:
        r.trial.report(new)
        r.reported |= new.keys()


def finite(points: Sequence[Mapping[str, float]], figure: str) -> list[float]:
    """A figure of a curve's points, as far as it is finite."""
    return [point[figure] for point in points if figure in point and np.isfinite(point[figure])]
