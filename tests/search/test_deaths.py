"""Workers that die: their lanes are trained again in halves, and come to the numbers that they would have had."""

import os
import re
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import TrialState

from bnsearch.errors import WorkerError
from bnsearch.report.findings import sentences
from bnsearch.search import schedule
from bnsearch.search.advance import advance
from bnsearch.search.cohort import MAX_DEATHS, Death, Lane, LaneNews
from bnsearch.search.executor import WorkerDied, local_executor
from bnsearch.search.plan import Configuration, Plan
from bnsearch.search.renewed import Renewed
from bnsearch.search.schedule import train_lanes
from bnsearch.search.setups import STAGES
from bnsearch.search.stages import status
from bnsearch.search.study_file import Study
from tests.core.helpers import assert_identical
from tests.helpers import BRIEF
from tests.search.helpers import (
    CONFIGURATIONS,
    TENFOLD,
    Heard,
    Inline,
    attrs_of,
    files,
    plan_of,
    record,
    run,
    stored,
    tiny,
    trials_of,
    untimed,
    without_look,
)

Dies = Callable[[Sequence[Configuration], int, int], bool]  # (lanes, step, number of the call) -> its worker dies


class Mortal(Inline):
    """Works here, but some calls have no worker any longer."""

    def __init__(self, dies: Dies, error: Exception | None = None):
        self.dies, self.error = dies, error or WorkerDied("was killed by SIGKILL")
        self.calls: list[int] = []  # widths

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if fn is not advance:
            return super().submit(fn, *args, **kwargs)
        _, configurations, state, *_ = args
        self.calls.append(len(configurations))
        if not self.dies(configurations, 0 if state is None else state.step, len(self.calls)):
            return super().submit(fn, *args, **kwargs)
        future: Future[Any] = Future()
        future.set_exception(self.error)
        return future


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return plan_of(tiny(tmp_path_factory.mktemp("deaths")))


@pytest.fixture(scope="module")
def alone(plan: Plan) -> dict[int, Any]:
    """What comes of each lane by itself."""
    return {i: advance(plan, (c,), None, plan.n_steps) for i, c in enumerate(CONFIGURATIONS)}


def train(plan: Plan, executor: Executor, n_workers: int = 2) -> tuple[dict[int, LaneNews], list[Death]]:
    """The last news of each of eight lanes, and all deaths."""
    lanes = [Lane(i, plan, configuration) for i, configuration in enumerate(CONFIGURATIONS)]
    last, deaths = {}, []
    for news in train_lanes(lanes, executor, n_workers):
        for item in news:
            if isinstance(item, Death):
                deaths.append(item)
            else:
                last[item.number] = item
    return last, deaths


def assert_as_alone(last: dict[int, LaneNews], alone: dict[int, Any], *, but: Sequence[int] = ()) -> None:
    for number, expected in alone.items():
        if number not in but:
            assert_identical(last[number].state, expected.state)
            assert_identical(last[number].outcome, expected.outcome)


@pytest.mark.parametrize(
    "error", [WorkerDied("was killed by SIGKILL"), BrokenExecutor("all of them"), MemoryError("no room")], ids=repr
)
def test_a_cohort_whose_worker_dies_goes_on_in_halves(error: Exception, plan: Plan, alone: dict[int, Any]) -> None:
    executor = Mortal(lambda lanes, step, n: n == 1, error)
    last, deaths = train(plan, executor, n_workers=1)
    assert_as_alone(last, alone)
    (death,) = deaths
    assert (death.numbers, death.step, death.again) == (tuple(range(8)), 0, (4, 4))
    assert executor.calls[:3] == [8, 4, 4]


def test_it_goes_on_from_where_it_was(plan: Plan, alone: dict[int, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "CALL_SECONDS", TENFOLD)
    last, (death,) = train(plan, Mortal(lambda lanes, step, n: n == 3), n_workers=1)
    assert death.step == 11
    assert_as_alone(last, alone)
    assert str(death) == (
        "A worker was killed by SIGKILL, while it trained 8 trials (0, 1, 2, 3, 4, 5, 6, 7). They go on from step 11, "
        "in halves, one of them at a time."
    )


@pytest.mark.parametrize("n_workers", [1, 2, 5])
@pytest.mark.parametrize("at_step", [0, 11])
def test_a_lane_at_which_every_worker_dies_is_given_up_alone(
    n_workers: int, at_step: int, plan: Plan, alone: dict[int, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "CALL_SECONDS", TENFOLD)
    bad = CONFIGURATIONS[5]
    last, deaths = train(plan, Mortal(lambda lanes, step, n: bad in lanes and step >= at_step), n_workers)
    assert_as_alone(last, alone, but=[5])
    assert all(5 in death.numbers for death in deaths)
    assert [death.numbers for death in deaths if not death.again] == [(5,)]
    assert [len(death.numbers) for death in deaths[-2:]] == [1, 1]
    assert {death.step for death in deaths} == {at_step}
    assert 5 not in last or last[5].outcome is None


def test_nothing_runs_beside_a_cohort_whose_worker_died(plan: Plan, alone: dict[int, Any]) -> None:
    """Memory may have run out for the other's sake; and where all workers die together, nobody else is to blame."""
    open_calls: list[tuple[Future[Any], Any]] = []
    seen: list[int] = []
    bad = CONFIGURATIONS[2]

    class Together(Executor):
        """All that is under way dies with the worker of one lane, as in the standard library's pool."""

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            open_calls.append((Future(), args))
            return open_calls[-1][0]

    def wait(futures: Any, return_when: str) -> tuple[set[Future[Any]], set[Future[Any]]]:
        seen.append(len(open_calls))
        done = set()
        broken = any(bad in args[1] for _, args in open_calls)
        for future, args in open_calls if broken else open_calls[:1]:
            if broken:
                future.set_exception(BrokenExecutor())
            else:
                future.set_result(advance(*args))
            done.add(future)
        open_calls[:] = [call for call in open_calls if call[0] not in done]
        return done, set(futures) - done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schedule, "wait", wait)
        patch.setattr(schedule, "CALL_SECONDS", 0.0)
        last, deaths = train(plan, Together(), n_workers=3)
    assert_as_alone(last, alone, but=[2])
    assert [death.numbers for death in deaths if not death.again] == [(2,)]
    assert seen[0] == 3
    first = next(i for i, n in enumerate(seen) if n == 1)
    assert set(seen[1:first]) == set()
    assert max(seen[first:]) == 3, "in the end all are at work again"


@given(st.lists(st.booleans(), max_size=12), st.integers(1, 3))
@untimed
def test_whenever_workers_die_no_number_changes(
    plan: Plan, alone: dict[int, Any], dies: list[bool], n_workers: int
) -> None:
    last, deaths = train(plan, Mortal(lambda lanes, step, n: n <= len(dies) and dies[n - 1]), n_workers)
    given_up = [number for death in deaths if not death.again for number in death.numbers]
    assert_as_alone(last, alone, but=given_up)
    assert len(given_up) <= sum(dies) // (MAX_DEATHS - 1), "of those deaths one may be of a pair"


# ---- a whole study

COARSE = ("coarse.trials=6",)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Study:
    study = tiny(tmp_path_factory.mktemp("undisturbed"), *COARSE, text=BRIEF)
    run(study, *STAGES)
    return study


def test_a_study_whose_workers_die_now_and_then_is_the_same(undisturbed: Study, tmp_path: Path) -> None:
    study, heard = tiny(tmp_path, *COARSE, text=BRIEF), Heard()
    run(study, *STAGES, executor=lambda: Mortal(lambda lanes, step, n: n % 3 == 1), progress=heard)
    assert without_look(record(study)) == without_look(record(undisturbed))
    assert files(study) == files(undisturbed)
    assert any(re.match(r"tiny\.confirm: A worker was killed by SIGKILL, while it trained", t) for t in heard.lines)


def test_a_trial_that_is_given_up_failed_with_the_reason_and_counts(undisturbed: Study, tmp_path: Path) -> None:
    study, heard = tiny(tmp_path, *COARSE, text=BRIEF), Heard()
    expected = trials_of(undisturbed, "coarse")
    bad = expected[3].params["l2"]
    deadly = Mortal(lambda lanes, step, n: any(lane.l2 == bad for lane in lanes))
    run(study, "coarse", executor=lambda: deadly, progress=heard)
    trials = trials_of(study, "coarse")
    assert [t.state == TrialState.FAIL for t in trials] == [number == 3 for number in range(6)]
    assert [(t.params, t.value) for t in trials if t.number != 3] == [
        (t.params, t.value) for t in expected if t.number != 3
    ]
    reason = "3 workers in a row died while they trained it, and the last was killed by SIGKILL"
    assert (trials[3].user_attrs["failed"], trials[3].user_attrs["failed_step"]) == (reason, 0)
    assert "It has lost 3 workers: no more of it." in heard.lines[-1]
    with stored(study) as store:
        (row,) = status(store, "tiny")
    assert row["trials"] == {"complete": 5, "pruned": 0, "failed": 1, "running": 0}
    assert row["given_up"] == [{"trial": 3, "reason": reason}]
    assert f"Failed: trial 3: {reason}" in sentences(row)
    assert "6 trials (1 failed)" in sentences(row)[0]
    assert run(study, "coarse") == [False], "its total is reached"
    assert run(study, *STAGES[1:]) == [True] * 3, "and the chain goes on"
    assert 3 not in attrs_of(study, "coarse")["verdict"]["tied"]


def test_data_are_made_ready_by_another_worker_where_one_dies(tmp_path: Path) -> None:
    n_calls = 0

    class DiesTwice(Inline):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            nonlocal n_calls
            n_calls += 1
            if n_calls in deadly:
                future: Future[Any] = Future()
                future.set_exception(WorkerDied("ended with exit code 1"))
                return future
            return super().submit(fn, *args, **kwargs)

    study, heard, deadly = tiny(tmp_path, "coarse.trials=1", text=BRIEF), Heard(), [1, 2]
    assert run(study, "coarse", executor=DiesTwice, progress=heard) == [True]
    assert heard.lines == ["A worker ended with exit code 1, while it made the data ready; another begins again."] * 2

    n_calls, deadly = 0, [1, 2, 3]
    with pytest.raises(WorkerError, match=r"3 workers in a row did not .* ended with exit code 1: see to memory, and"):
        run(tiny(tmp_path, "coarse.trials=2", text=BRIEF), "coarse", executor=DiesTwice)


# ---- real processes


def dies_at_work(plan: Plan, configurations: Sequence[Configuration], state: Any, to_step: int, *rest: Any) -> None:
    """What a worker does that is killed when all of its call is trained but nothing of it told."""
    advance(plan, tuple(configurations), state, to_step, *rest)
    os.kill(os.getpid(), signal.SIGKILL)


class Killing(Executor):
    """Real workers, of which some are killed at work, each in the call of that number."""

    def __init__(self, inner: Executor, calls: Sequence[int]):
        self.inner, self.calls, self.n_calls = inner, calls, 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.n_calls += 1
        return self.inner.submit(dies_at_work if self.n_calls in self.calls else fn, *args, **kwargs)


@pytest.mark.parametrize("calls", [(1,), (1, 2), (4,), (4, 5, 9)], ids=str)
def test_workers_that_are_really_killed(calls: Sequence[int], plan: Plan, alone: dict[int, Any]) -> None:
    workers = Renewed(lambda: local_executor(2))
    try:
        last, deaths = train(plan, Killing(workers, calls))
    finally:
        workers.shutdown()
    assert len(deaths) == len(calls)
    assert all("SIGKILL" in death.reason and death.again for death in deaths)
    assert_as_alone(last, alone)
