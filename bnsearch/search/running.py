"""Train the RUNNING trials of a stage and write down what comes: state, then reports, then tells."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

import optuna
from optuna.trial import FrozenTrial, TrialState

from bnsearch.core.evaluate import Outcome
from bnsearch.core.run import State
from bnsearch.search import courses
from bnsearch.search.batches import Batch
from bnsearch.search.beside import level_of, remove_state, save_curve
from bnsearch.search.cohort import MAX_DEATHS, Death, Lane, LaneNews
from bnsearch.search.lane_file import Stored, outcome_attrs, row
from bnsearch.search.live import Budget, Course, Going, Gone, How, view
from bnsearch.search.rungs import Rung, arrive, ranking, rungs_of
from bnsearch.search.running_trial import Running, adopt, finite, report, save_state
from bnsearch.search.schedule import train_lanes
from bnsearch.search.session import Session
from bnsearch.search.setups import LEVELS
from bnsearch.search.tables import KEEP

STATE_SECONDS = 10.0  # at most this much work is done again after a crash, and a call's length more
Finish = Callable[[int, Outcome, State], None]
LaneOf = Callable[[FrozenTrial], Lane]


def run_running(
    session: Session,
    study: optuna.Study,
    lane_of: LaneOf,
    figure: str = "valid_accuracy",
    finish: Finish | None = None,
    batch: Batch | None = None,
    keep: float = KEEP,
) -> None:
    """Bring every RUNNING trial of the study to its end, going on from the stored states of an earlier process.

    figure: what is reported after each epoch. finish: called with (number, outcome, state) in place of telling the
    value; the trial then stays RUNNING and its last state on the disk. batch: the one whose lanes wait for each other
    at its rungs, where the best share `keep` of them go on.
    """
    running = _running(session, study, lane_of, rungs_of(batch))
    if not running:
        return
    trainer = _Trainer(session, study, running, figure, finish, batch, keep)
    session.present(session, [level_of(study)])
    for rung in rungs_of(batch):
        trainer.train([r for r in trainer.under_way if not r.has_come_to(rung)], rung)
        if batch is not None and trainer.under_way:
            trainer.part(rung, *ranking(study.get_trials(deepcopy=False), batch, keep, rung))
    trainer.train(trainer.under_way)
    session.progress.end()


def _running(session: Session, study: optuna.Study, lane_of: LaneOf, rungs: list[Rung]) -> dict[int, Running]:
    trials = [t for t in study.get_trials(deepcopy=False) if t.state == TrialState.RUNNING]
    return {t.number: adopt(session, study, t, lane_of(t), rungs) for t in trials}


class _Trainer:
    """The RUNNING trials of a study, and how far they are."""

    def __init__(
        self,
        session: Session,
        study: optuna.Study,
        running: dict[int, Running],
        figure: str,
        finish: Finish | None,
        batch: Batch | None,
        keep: float,
    ):
        self.session, self.study, self.figure, self.finish, self.running = session, study, figure, finish, running
        for r in running.values():
            r.figures = finite(r.curve, figure)
        self.written = dict.fromkeys(running, time.monotonic())
        self.steps = {number: r.lane.step for number, r in running.items()}
        # all have one length, but for the variants of a comparison
        plan = max((r.lane.plan for r in running.values()), key=lambda plan: plan.n_steps)
        budget, trials = Budget(plan.n_steps, plan.epoch_steps), study.get_trials(deepcopy=False)
        courses.store_budget(study, budget)
        self.tally = courses.tally(trials, budget)
        n_trials = int(study.user_attrs.get("total", len(trials)))
        self.course = Course(budget, n_trials, tuple(rung.step for rung in rungs_of(batch)), 0, keep)
        session.progress.begin(study.study_name)
        self._show()

    @property
    def under_way(self) -> list[Running]:
        """Trials that are not over."""
        return [r for r in self.running.values() if not r.over]

    def train(self, them: list[Running], rung: Rung | None = None) -> None:
        """Bring them to a rung or to their end, and write down what comes."""
        if not them:
            return
        materials = self.session.materials
        step = None if rung is None else rung.step
        try:
            for news in train_lanes([r.lane for r in them], materials.executor, materials.n_workers, rung=step):
                self.session.check_held()  # before a state or a curve is written; the database asks by itself
                now = time.monotonic()
                for item in news:
                    if isinstance(item, Death):
                        self._mourn(item)
                    else:
                        self._take(item, now, rung)
                self._show()
        except KeyboardInterrupt:
            self._store()
            raise

    def _store(self) -> None:
        """Write the states that are ahead of those on the disk."""
        for r in self.under_way:
            if r.reached is not None and r.reached.state.step > r.on_disk:
                save_state(self.session, self.study, r, r.reached)

    def part(self, rung: Rung, ranked: list[int], kept: set[int]) -> None:
        """Tell the ranks at a rung, and that those who are not kept are over."""
        for rank, number in enumerate(ranked, start=1):
            r = self.running.get(number)
            if r is None or r.over:
                continue
            attrs: dict[str, Any] = {f"{rung.key}_rank": rank}
            if number in kept:
                r.trial.set_user_attrs(attrs)
                continue
            attrs |= {"pruned_at_step": rung.step, "pruned_at_share": rung.step / r.lane.plan.n_steps}
            self._write_end(r, attrs)
            self.steps[number] = rung.step
            self._tell(r, TrialState.PRUNED, "pruned")
        self.course = replace(self.course, n_passed=rung.place)
        self._show()

    def _take(self, item: LaneNews, now: float, rung: Rung | None) -> None:
        r = self.running[item.number]
        points = [row(record) for record in item.records]
        r.curve += points
        r.figures += finite(points, self.figure)
        r.seconds += item.seconds
        last = item.at_rung is not None or (item.outcome is not None and self.finish is not None)
        if item.diverged_at is None:  # a diverged state would go on to a later step, and be told with that one
            r.reached = Stored(item.state, list(r.curve), r.seconds)
            if last or now - self.written[item.number] >= STATE_SECONDS:
                self.written[item.number] = now
                save_state(self.session, self.study, r, r.reached)
        report(r, self.figure)
        self.steps[item.number] = item.state.step
        if item.diverged_at is not None:
            self._fail(r, "diverged", True, item.diverged_at)
        elif item.outcome is not None:
            self._end(r, item.outcome, item.state)
        elif item.at_rung is not None and rung is not None:
            r.lane = replace(r.lane, state=item.state)
            arrive(r.trial, rung, item.at_rung)
            r.rungs.add(rung.key)

    def _mourn(self, death: Death) -> None:
        """Say that a worker died; a trial that is given up has failed."""
        self.session.progress.say(f"{self.study.study_name}: {death}")
        for number in death.numbers if not death.again else ():
            reason = f"{MAX_DEATHS} workers in a row died while they trained it, and the last {death.reason}"
            self._fail(self.running[number], "failed", reason, death.step)

    def _fail(self, r: Running, why: Literal["diverged", "failed"], value: Any, step: int) -> None:
        """`why` is the attribute that says so, and begins the names of those that say when."""
        self._write_end(r, {why: value, f"{why}_step": step, f"{why}_at_share": step / r.lane.plan.n_steps})
        self.steps[r.lane.number] = step
        self._tell(r, TrialState.FAIL, why)

    def _end(self, r: Running, outcome: Outcome, state: State) -> None:
        self._write_end(r, outcome_attrs(outcome))
        if self.finish is not None:
            self.finish(r.lane.number, outcome, state)
            self._is_over(r, "complete")
            return
        assert outcome.valid_accuracy is not None
        self._tell(r, TrialState.COMPLETE, "complete", float(outcome.valid_accuracy[0]))

    def _write_end(self, r: Running, attrs: Mapping[str, Any]) -> None:
        """What every trial that is over has, however it ended, and what this one has besides."""
        save_curve(self.session, self.study, r.lane.number, r.curve)
        r.trial.set_user_attrs({"wall_seconds": round(r.seconds, 6), **attrs})

    def _tell(self, r: Running, state: TrialState, how: How, value: float | None = None) -> None:
        r.trial.tell(state, value)
        remove_state(self.session, self.study, r.lane.number)
        self._is_over(r, how, value)

    def _is_over(self, r: Running, how: How, value: float | None = None) -> None:
        r.over = True
        number = r.lane.number
        self.tally = self.tally.plus(Gone(number, r.params, how, self.steps[number], r.figures, value))

    def _show(self) -> None:
        going = [Going(n, r.params, self.steps[n], r.figures) for n, r in self.running.items() if not r.over]
        searching = level_of(self.study) in LEVELS  # then a single one's curve is shown, else their mean
        curves = [] if searching else [r.figures for r in self.running.values()]
        self.session.progress.show(view(self.study.study_name, self.course, self.tally, going, curves))
