"""A study that was stopped anywhere and gone on with is the study that was never stopped, bit for bit."""

import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from threadpoolctl import threadpool_info

from bnsearch.errors import LockedError
from bnsearch.search import running, running_trial, schedule
from bnsearch.search.advance import advance
from bnsearch.search.cohort import Lane
from bnsearch.search.executor import local_executor
from bnsearch.search.lane_file import Stored, save_lane
from bnsearch.search.levels import verdict
from bnsearch.search.setups import LEVELS, STAGE_OF, STAGES, STUDIES
from bnsearch.search.stages import run_all, run_stage
from bnsearch.search.study_file import Study
from tests.helpers import BRIEF, changed
from tests.processes import until_gone
from tests.search.helpers import (
    CONFIGURATIONS,
    Heard,
    Inline,
    at_work,
    attrs_of,
    files,
    plan_of,
    record,
    run,
    stored,
    tiny,
    trials_of,
    without_look,
)
from tests.search.stopping import Countdown, Crash, Stopping, again_and_again, stop_at_write

AS_MANY_STEPS = changed(
    BRIEF, ("batch_size = 40", "batch_size = 20"), ("trials = 4\n[confirm]", "trials = 1\n[confirm]")
)


def brief(folder: Path, *overrides: str, name: str = "tiny") -> Study:
    """Fewer trials of as many steps."""
    return tiny(folder, *overrides, name=name, text=AS_MANY_STEPS)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The brief study, never stopped; only to be read."""
    study = brief(tmp_path_factory.mktemp("brief"))
    assert run(study, *STAGES) == [True] * 4
    return study


@pytest.fixture
def many_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step a call, so that there is much to interrupt; states are stored at each."""
    monkeypatch.setattr(schedule, "CALL_SECONDS", 0.0)
    monkeypatch.setattr(running, "STATE_SECONDS", 0.0)


def assert_as_if_never_stopped(study: Study, whole: Study, *stages: str) -> None:
    """But for the look's number: a stop between the ledger's line and the values makes another one necessary."""
    assert without_look(record(study)) == without_look(record(whole, stages or STUDIES))
    own = {
        name: content for name, content in files(whole).items() if not stages or name.split("/")[1].startswith(stages)
    }
    assert files(study) == own


# ---- stopped by the user


@pytest.mark.usefixtures("many_calls")
def test_stopped_at_every_event_of_a_search(tmp_path: Path, whole: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without states it begins anew each time, and so comes an event further."""
    monkeypatch.setattr(running, "STATE_SECONDS", 1e9)
    study = brief(tmp_path)
    assert again_and_again(lambda n: run(study, "coarse", progress=Countdown(n, Crash))) > plan_of(study).n_steps
    assert_as_if_never_stopped(study, whole, "coarse")


@pytest.mark.usefixtures("many_calls")
def test_stopped_at_growing_distances_along_the_chain(tmp_path: Path, whole: Study) -> None:
    study = brief(tmp_path)

    def attempt(n: int) -> None:
        with at_work(study, progress=Countdown(n)) as session:
            run_all(session)

    assert again_and_again(attempt, first=6, more=4) > 4
    assert_as_if_never_stopped(study, whole)


@pytest.mark.usefixtures("many_calls")
def test_the_time_before_a_stop_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial that was gone on with once told the time of its last part alone."""

    def a_minute_a_step(plan: Any, configurations: Any, state: Any, to_step: int, *how: Any) -> Any:
        n_steps = to_step - (0 if state is None else state.step)
        return dataclasses.replace(advance(plan, configurations, state, to_step), seconds=60.0 * n_steps)

    monkeypatch.setattr(schedule, "advance", a_minute_a_step)
    study = brief(tmp_path, "coarse.trials=1", "training.epochs=4")
    assert again_and_again(lambda n: run(study, "coarse", executor=lambda: Stopping(n)), first=5, more=2) >= 2
    (trial,) = trials_of(study, "coarse")
    assert trial.user_attrs["wall_seconds"] == 60.0 * plan_of(study).n_steps


def test_stopped_with_worker_processes(tmp_path: Path, whole: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "CALL_SECONDS", 0.0)
    study = brief(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(study, "coarse", executor=lambda: local_executor(2), progress=Countdown(20))
    assert list((study.results / "states").glob("coarse-*.safetensors")), "from which to go on; one worker may be late"
    run(study, "coarse", n_workers=1)
    assert_as_if_never_stopped(study, whole, "coarse")


# ---- stopped at work


@pytest.mark.usefixtures("many_calls")
def test_stopped_at_every_call_of_a_worker(tmp_path: Path, whole: Study) -> None:
    study = brief(tmp_path)
    assert again_and_again(lambda n: run(study, "coarse", executor=lambda: Stopping(n))) > 5
    assert_as_if_never_stopped(study, whole, "coarse")


class Failing(Inline):
    """The n-th call fails."""

    def __init__(self, n: int):
        self.left = n

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.left -= 1
        if self.left == 0:
            future: Future[Any] = Future()
            future.set_exception(ValueError("a bug"))
            return future
        return super().submit(fn, *args, **kwargs)


@pytest.mark.usefixtures("many_calls")
def test_a_worker_that_fails_loses_nothing(tmp_path: Path, whole: Study) -> None:
    study = brief(tmp_path)
    for n in (1, 2, 3, 30):
        with pytest.raises(ValueError, match="a bug"):
            run(study, "coarse", executor=lambda n=n: Failing(n))
    trials = trials_of(study, "coarse")
    assert {t.state for t in trials} == {TrialState.RUNNING}
    assert all(t.intermediate_values for t in trials), "so that there is something to lose"
    run(study, "coarse")
    assert_as_if_never_stopped(study, whole, "coarse")


# ---- stopped while the database is written


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_stopped_between_writes_along_the_chain(
    after: bool, tmp_path: Path, whole: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Among them those between a batch's trials, between a trial's attributes and its value, and around the look."""
    study = brief(tmp_path)

    def attempt(n: int) -> None:
        with monkeypatch.context() as patch, at_work(study) as session:
            stop_at_write(patch, n, after=after)
            run_all(session)

    assert again_and_again(attempt, first=1, more=5) > 6
    assert_as_if_never_stopped(study, whole)


LARGER = ("coarse.trials=5", "fine.trials=2", "confirm.repeats=3", "final.repeats=3")


class AtTheEnd(Countdown):
    """Stops when a stage's last value has been told."""

    def __init__(self, stage: str):
        self.stage, self.doing = f"tiny.{stage}", ""

    def begin(self, what: str, total: float | None = None) -> None:
        self.doing = what

    def tick(self) -> None: ...

    def end(self) -> None:
        if self.doing == self.stage:
            raise KeyboardInterrupt


def test_stopped_between_the_last_value_and_the_verdict(finished: Path, whole: Study, tmp_path: Path) -> None:
    """There was none then, for good; or that on the smaller total stayed."""
    fresh, grown = brief(tmp_path / "fresh"), brief(finished, *LARGER)
    for name in STUDIES[:4]:
        for study in (fresh, grown):
            if study is grown and name == "fine":
                continue  # its further level is the one that grows
            with pytest.raises(KeyboardInterrupt):
                run(study, STAGE_OF[name], progress=AtTheEnd(name))
            assert not any(t.state == TrialState.RUNNING for t in trials_of(study, name))
            stopped = attrs_of(study, name).get("verdict")
            assert (stopped is None) == (study is fresh)
            if name == "fine":
                continue  # the next run goes on to its further level, and is stopped there
            run(study, STAGE_OF[name])
            if study is grown and name == "confirm":
                assert (stopped["n_repeats"], attrs_of(study, name)["verdict"]["n_repeats"]) == (2, 3)
    for name in STUDIES[:4]:
        assert attrs_of(fresh, name)["verdict"] == attrs_of(whole, name)["verdict"]
    with stored(grown) as store:
        for name in LEVELS:
            study = store.load(name)
            assert study.user_attrs["verdict"] == verdict(study)


def test_stopped_while_totals_grow(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped, straight = brief(finished, *LARGER), brief(Path(shutil.copytree(finished, tmp_path / "straight")), *LARGER)
    with at_work(straight) as session:
        run_all(session)

    def attempt(n: int) -> None:
        with monkeypatch.context() as patch, at_work(stopped) as session:
            stop_at_write(patch, n, after=True)
            run_all(session)

    assert again_and_again(attempt, first=2, more=2) > 4
    assert_as_if_never_stopped(stopped, straight)
    assert attrs_of(stopped, "confirm")["verdict"]["n_repeats"] == 3
    assert len(attrs_of(stopped, "final")["result"]["models"]) == 3


@pytest.mark.parametrize("n", [1, 2, 4])
def test_stopped_between_the_trials_of_a_batch(
    n: int, tmp_path: Path, whole: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = brief(tmp_path)
    with monkeypatch.context() as patch:
        countdown, original = Countdown(n), RDBStorage._create_new_trial
        patch.setattr(RDBStorage, "_create_new_trial", lambda *a, **k: (countdown.tick(), original(*a, **k))[1])
        with pytest.raises(KeyboardInterrupt):
            run(study, "coarse")
    entered = trials_of(study, "coarse")
    assert [t.state for t in entered] == [TrialState.RUNNING] * (n - 1)
    assert all(len(t.params) == 2 for t in entered)  # none is half a configuration
    # another total does not change the batch that was begun
    assert run(brief(tmp_path, "coarse.trials=2"), "coarse") == [True]
    assert record(study, ["coarse"])["coarse"][0] == record(whole, ["coarse"])["coarse"][0]


def test_final_stopped_between_its_writes_reads_the_test_set_again_only_for_networks_without_a_result(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after the last value was told, it once looked again for no network at all."""
    study = brief(finished)
    expected = record(study)["final"]
    with stored(study) as store:
        store.delete("final")
    for _ in range(2):
        stop_after_a_value(study, "final", monkeypatch)
    states = [t.state for t in trials_of(study, "final")]
    assert states == [TrialState.COMPLETE] * 2
    assert run(study, "final") == [True]
    with stored(study) as store:
        purposes = [look["purpose"] for look in store.looks()]
    assert purposes[1:] == ["tiny.final: 2 networks", "tiny.final: 1 networks, and the ensemble of all 2"]
    found = record(study)["final"]
    assert found[1]["result"]["look"] == 3
    assert without_look({"final": found}) == without_look({"final": expected})
    assert not list((study.results / "states").glob("*"))
    # the same with a result of fewer networks already there
    more = brief(finished, "final.repeats=3")
    stop_after_a_value(more, "final", monkeypatch)
    assert run(more, "final") == [True]
    assert len(attrs_of(more, "final")["result"]["models"]) == 3


def stop_after_a_value(study: Study, stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = RDBStorage.set_trial_state_values

    def told(*args: Any, **kwargs: Any) -> None:
        original(*args, **kwargs)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RDBStorage, "set_trial_state_values", told)
        with pytest.raises(KeyboardInterrupt):
            run(study, stage)


# ---- states that were damaged meanwhile


@pytest.mark.usefixtures("many_calls")
@pytest.mark.parametrize("stage", ["coarse", "final"])
def test_a_damaged_state_changes_no_number(stage: str, tmp_path: Path, whole: Study) -> None:
    """In final the last states are on the disk when the test set is opened: none but those must be exported."""
    study, heard = brief(tmp_path), Heard()
    run(study, *STAGES[: STAGES.index(stage)])
    stop: Any = Countdown(10) if stage == "coarse" else AtTheEnd(stage)
    with pytest.raises(KeyboardInterrupt):
        run(study, stage, progress=stop)
    states = sorted((study.results / "states").glob(f"{stage}-*.safetensors"))
    assert len(states) > 1
    for path in states:
        path.write_bytes(path.read_bytes()[:-1])
    run(study, stage, progress=heard)
    assert len(heard.lines) == len(states)
    assert all(
        re.search(r"must be a readable safetensors file, but: .* goes on from step \d+, stored before it", line)
        for line in heard.lines
    )
    stages = STAGES[: STAGES.index(stage) + 1]
    assert_as_if_never_stopped(study, whole, *[name for name in STUDIES if STAGE_OF[name] in stages])


# ---- stored in time


class Taking(Inline):
    """Every call takes four seconds on a clock of its own."""

    def __init__(self) -> None:
        self.now = 0.0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.now += 4.0 if fn is advance else 0.0
        return super().submit(fn, *args, **kwargs)


@pytest.mark.parametrize("n_workers", [1, 2, 3])
def test_every_lane_is_stored_in_time(n_workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cohorts take turns, and only that one was once stored whose news came when the time was up."""
    executor, seen = Taking(), {}
    call = 4.0 * n_workers  # from one of a cohort's news to the next, as all take turns

    def save(path: Path, lane: Lane, done: Stored) -> None:
        save_lane(path, lane, done)
        seen.setdefault(lane.number, [call]).append(executor.now)

    study = tiny(tmp_path, "training.epochs=10", "coarse.trials=9")
    monkeypatch.setattr(schedule, "CALL_SECONDS", 0.0)  # a step a call, of 60
    monkeypatch.setattr(running.time, "monotonic", lambda: executor.now)
    monkeypatch.setattr(running_trial, "save_lane", save)
    run(study, "coarse", executor=lambda: executor, n_workers=n_workers)
    assert executor.now > 30 * call
    assert sorted(seen) == list(range(9))
    for times in seen.values():
        apart = np.diff([*times, executor.now])
        assert apart.max() <= running.STATE_SECONDS + call
        assert apart[1:-1].min() >= running.STATE_SECONDS  # nor more often, for a state is written to the disk


def test_what_a_kill_takes_is_no_more_than_is_promised() -> None:
    """A state's age, the call that runs when it is due, and one in which the cohort waits for its turn."""
    assert running.STATE_SECONDS + 2 * schedule.CALL_SECONDS <= 15.0


# ---- killed

SCRIPT = """
import sys
from threadpoolctl import threadpool_limits
from bnsearch.search import running, schedule
from tests.search.helpers import Inline, at_work, tiny
from bnsearch.search.cohort import Lane
from bnsearch.search.executor import local_executor
from bnsearch.search.progress import Silent
from bnsearch.search.stages import run_all
from pathlib import Path

class Telling(Silent):
    def say(self, *what):
        print(*what, flush=True)
        sys.stdin.readline()  # goes on when it is told to
    def begin(self, what, total=None):
        self.say("begin", what)
    def update(self, done, note=""):
        self.say("update", done, note)
    def show(self, view):
        self.say("show", view.n_over)
    def end(self):
        self.say("end")

if __name__ == "__main__":
    folder, workers, seconds = sys.argv[1:]
    schedule.CALL_SECONDS, running.STATE_SECONDS = 0.0, float(seconds)
    executor = Inline if workers == "0" else lambda: local_executor(int(workers))
    with threadpool_limits(1), at_work(tiny(Path(folder)), executor=executor, progress=Telling()) as session:
        run_all(session)
"""


class Search:
    """A real process at work on the tiny study that stops at each event until it is told to go on."""

    def __init__(self, folder: Path, workers: int, state_seconds: float):
        script = folder / "search.py"
        script.write_text(SCRIPT)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])}
        command = [sys.executable, str(script), str(folder), str(workers), str(state_seconds)]
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self.n_events = 0

    def until(self, n_events: int, what: str = "") -> str:
        """Let it go on until so many events have been, and then to the first that begins so."""
        assert self.process.stdout is not None
        assert self.process.stdin is not None
        while True:
            if self.n_events > 0:
                self.process.stdin.write("\n")
                self.process.stdin.flush()
            line = self.process.stdout.readline()
            assert line, "the search ended too early"
            self.n_events += 1
            if self.n_events >= n_events and line.startswith(what):
                return line

    def children(self) -> list[int]:
        """Its own processes."""
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def search(tmp_path: Path) -> Iterator[Callable[[int, float], Search]]:
    begun: list[Search] = []

    def begin(workers: int, state_seconds: float) -> Search:
        brief(tmp_path)
        begun.append(Search(tmp_path, workers, state_seconds))
        return begun[-1]

    yield begin
    for one in begun:
        if one.process.poll() is None:
            one.kill()


@pytest.mark.parametrize(
    ("n_events", "state_seconds", "stage"), [(5, 1e9, "coarse"), (4, 0.0, "fine2"), (4, 0.0, "confirm")]
)
def test_killed_and_gone_on_with(
    n_events: int, state_seconds: float, stage: str, tmp_path: Path, whole: Study, search: Any
) -> None:
    killed = search(0, state_seconds)
    killed.until(0, f"begin tiny.{stage}")
    killed.until(killed.n_events + n_events, "show")
    study = brief(tmp_path)
    with pytest.raises(LockedError, match=f"process {killed.process.pid} on "):
        run(study, "coarse")
    killed.kill()
    states = [t.state for t in trials_of(study, stage)]
    assert TrialState.RUNNING in states  # else the moment was badly chosen
    if state_seconds == 0.0:
        assert list((study.results / "states").glob(f"{stage}-*.safetensors"))
    with at_work(study) as session:
        run_all(session)
    assert_as_if_never_stopped(study, whole)


def test_killed_with_its_workers_leaves_none_of_them(tmp_path: Path, whole: Study, search: Any) -> None:
    killed = search(1, 0.0)
    killed.until(10, "show")
    children = killed.children()
    assert children
    killed.kill()
    until_gone(children)
    study = brief(tmp_path)
    run(study, "coarse")
    assert_as_if_never_stopped(study, whole, "coarse")


# ---- one coordinator


def test_a_second_session_of_a_study_is_refused_with_the_holder(tmp_path: Path) -> None:
    study = brief(tmp_path, "training.epochs=1", "coarse.trials=1")
    with at_work(study) as session:
        with pytest.raises(LockedError, match=rf"study 'tiny' must not be in use, but process {os.getpid()} on "):
            run(study, "coarse")
        run_stage(session, "coarse")  # the first goes on undisturbed
    assert run(study, "coarse") == [False]
    with at_work(brief(tmp_path, "training.epochs=1", "coarse.trials=1", name="other")), at_work(study):
        pass  # another study of the folder is free


def test_a_lock_is_free_after_its_holder_was_stopped(tmp_path: Path) -> None:
    study = brief(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(study, "coarse", progress=Countdown(4))
    assert (tmp_path / "tiny.lock").read_text() == "", "nobody is named any longer"
    with at_work(study):
        assert json.loads((tmp_path / "tiny.lock").read_text())["pid"] == os.getpid()


def test_workers_ignore_the_users_interrupt(tmp_path: Path) -> None:
    """Ctrl-C reaches the whole group of processes; the coordinator alone decides."""
    executor = local_executor(1)
    try:
        assert executor.submit(signal.getsignal, signal.SIGINT).result() == signal.SIG_IGN
        pid = executor.submit(os.getpid).result()
        os.kill(pid, signal.SIGINT)
        assert executor.submit(os.getpid).result() == pid
    finally:
        executor.shutdown()


def test_a_worker_has_one_blas_thread(tmp_path: Path) -> None:
    """The limit was set before NumPy had loaded its BLAS, and so held for nothing."""
    executor = local_executor(1)
    try:
        executor.submit(advance, plan_of(brief(tmp_path)), CONFIGURATIONS[:1], None, 1).result()
        found = executor.submit(threadpool_info).result()
    finally:
        executor.shutdown()
    threads = [pool["num_threads"] for pool in found if pool["user_api"] == "blas"]
    assert threads  # NumPy's and SciPy's, which may be one and the same
    assert set(threads) == {1}


def test_the_stored_settings_of_a_half_made_stage_are_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped while the study itself was being made: the next run makes it whole."""
    study = brief(tmp_path, "training.epochs=1", "coarse.trials=1")
    original = RDBStorage.set_study_user_attr
    for n in (1, 3, 6):
        countdown = Countdown(n)
        with monkeypatch.context() as patch:
            patch.setattr(
                RDBStorage, "set_study_user_attr", lambda *a, c=countdown, **k: (c.tick(), original(*a, **k))[1]
            )
            with pytest.raises(KeyboardInterrupt):
                run(study, "coarse")
        with stored(study) as store:
            assert store.load("coarse") is None
    assert run(study, "coarse") == [True]
    assert {"setup", "task", "seed", "data_fingerprint", "version", "space"} <= attrs_of(study, "coarse").keys()
