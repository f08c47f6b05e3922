"""A lane does not know its neighbours: alone or packed, in one process or several, in many calls or one."""

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnsearch.core import tree
from bnsearch.core.evaluate import Outcome
from bnsearch.core.network import Architecture
from bnsearch.core.run import State
from bnsearch.core.train import Record
from bnsearch.search import schedule
from bnsearch.search.advance import advance
from bnsearch.search.cohort import Lane, best_width, halves, pack
from bnsearch.search.executor import local_executor
from bnsearch.search.plan import Configuration, Plan
from bnsearch.search.schedule import train_lanes
from tests.core.helpers import assert_identical
from tests.search.helpers import CONFIGURATIONS, TENFOLD, Inline, plan_of, tiny, untimed

N_STEPS = 24
EARLY = Configuration(1e-3, 1e30, 0.5)  # not finite after the first epoch
LATE = Configuration(1.0, 10.0, 0.0)  # within all limits: W grows 19-fold a step, and Σ‖W‖² overflows in the third
KINDS = {
    "affine": (),
    "plain, population": ("network.batch_norm='plain'", "network.bn_statistics='population'"),
    "none": ("network.batch_norm='none'",),
    "components, two layers": ("data.components=17", "network.hidden=[9, 5]"),
}


@dataclasses.dataclass
class Course:
    """All that was heard of one lane."""

    state: State | None = None
    records: list[Record] = dataclasses.field(default_factory=list)
    outcome: Outcome | None = None
    diverged_at: int | None = None
    n_calls: int = 0


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Plan]:
    folder = tmp_path_factory.mktemp("cohort")
    return {kind: plan_of(tiny(folder, *overrides)) for kind, overrides in KINDS.items()}


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    executor = local_executor(2)
    yield executor
    executor.shutdown()


def courses(
    lanes: Sequence[Lane], executor: Executor | None = None, n_workers: int = 1, width: int = 20
) -> dict[int, Course]:
    """Train the lanes to their end, and gather what was heard of each."""
    found = {lane.number: Course() for lane in lanes}
    for news in train_lanes(lanes, executor or Inline(), n_workers, width):
        for item in news:
            course = found[item.number]
            assert course.outcome is None, "news of a lane that is over"
            assert course.diverged_at is None, "news of a lane that diverged"
            course.state, course.outcome, course.diverged_at = item.state, item.outcome, item.diverged_at
            course.records += item.records
            course.n_calls += 1
    return found


@functools.cache
def alone(plan: Plan, configuration: Configuration) -> Course:
    """In one call, without neighbours, executor or packing."""
    done = advance(plan, (configuration,), None, plan.n_steps)
    return Course(done.state, done.records, done.outcome)


def assert_same(course: Course, expected: Course) -> None:
    assert course.state is not None
    assert expected.state is not None
    assert course.state.step == expected.state.step
    assert_identical(course.state, expected.state)
    assert [(r.epoch, r.step) for r in course.records] == [(r.epoch, r.step) for r in expected.records]
    for one, other in zip(course.records, expected.records, strict=True):
        assert_identical(one, other)
    assert_identical(course.outcome, expected.outcome)


def lanes_of(plan: Plan, configurations: Sequence[Configuration] = CONFIGURATIONS) -> list[Lane]:
    return [Lane(10 + i, plan, configuration) for i, configuration in enumerate(configurations)]


# ---- invariant 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_lane_is_the_same_alone_and_among_eight(plans: dict[str, Plan], kind: str) -> None:
    plan = plans[kind]
    found = courses(lanes_of(plan))
    assert list(found) == list(range(10, 18))
    for number, configuration in enumerate(CONFIGURATIONS, start=10):
        assert found[number].diverged_at is None
        assert [r.step for r in found[number].records] == [6, 12, 18, 24]
        assert_same(found[number], alone(plan, configuration))
    accuracies = {float(c.outcome.valid_accuracy[0]) for c in found.values()}  # type: ignore[union-attr, index]
    assert len(accuracies) > 3  # else the settings do not matter and the test shows nothing


@pytest.mark.parametrize(("n_workers", "width"), [(1, 1), (1, 3), (2, 20), (3, 3), (5, 20), (40, 20)])
def test_the_packing_does_not_matter(plans: dict[str, Plan], n_workers: int, width: int) -> None:
    plan = plans["affine"]
    found = courses(lanes_of(plan)[::-1], n_workers=n_workers, width=width)
    for number, configuration in enumerate(CONFIGURATIONS, start=10):
        assert_same(found[number], alone(plan, configuration))


def test_many_short_calls_are_one_long_one(plans: dict[str, Plan], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "CALL_SECONDS", 0.0)  # a step a call
    plan = plans["affine"]
    found = courses(lanes_of(plan, CONFIGURATIONS[:3]))
    for number, configuration in enumerate(CONFIGURATIONS[:3], start=10):
        assert found[number].n_calls == N_STEPS
        assert_same(found[number], alone(plan, configuration))


@given(st.lists(st.integers(1, N_STEPS - 1), max_size=6, unique=True).map(sorted))
@untimed
def test_a_lane_may_be_cut_anywhere(plans: dict[str, Plan], cuts: list[int]) -> None:
    plan, two = plans["affine"], CONFIGURATIONS[:2]
    course = Course()
    for to_step in [*cuts, N_STEPS]:
        done = advance(plan, two, course.state, to_step)
        assert done.state.step == to_step
        course.state, course.outcome = done.state, done.outcome
        course.records += done.records
    for i, configuration in enumerate(two):
        records = [tree.take(record, [i]) for record in course.records]
        assert_same(
            Course(tree.take(course.state, [i]), records, tree.take(course.outcome, [i])), alone(plan, configuration)
        )


def test_lanes_that_stand_at_different_steps_go_on_together(plans: dict[str, Plan]) -> None:
    """As after a crash: some have a stored state, some start again."""
    plan = plans["affine"]
    lanes, before = [], {}
    for i, (configuration, step) in enumerate(zip(CONFIGURATIONS, (0, 7, 7, 12, 0, 23, 24, 12), strict=True)):
        done = advance(plan, (configuration,), None, step) if step else None
        lanes.append(Lane(i, plan, configuration, None if done is None else done.state))
        before[i] = [] if done is None else done.records
    found = courses(lanes, n_workers=2)
    for i, configuration in enumerate(CONFIGURATIONS):
        found[i].records = before[i] + found[i].records
        assert_same(found[i], alone(plan, configuration))


@pytest.mark.parametrize("n_workers", [1, 2])
def test_worker_processes_give_the_same(plans: dict[str, Plan], pool: ProcessPoolExecutor, n_workers: int) -> None:
    for kind in ("affine", "components, two layers"):
        lanes = lanes_of(plans[kind], (*CONFIGURATIONS[:4], LATE))
        found = courses(lanes, pool, n_workers, width=3)
        for lane in lanes[:4]:
            assert_same(found[lane.number], alone(lane.plan, lane.configuration))
        assert found[14].diverged_at == 18


# ---- divergence


def test_a_diverged_lane_is_reported_with_its_step_and_the_others_go_on(plans: dict[str, Plan]) -> None:
    plan = plans["affine"]
    mixed = [EARLY, CONFIGURATIONS[0], LATE, CONFIGURATIONS[1], EARLY, CONFIGURATIONS[2]]
    found = courses(lanes_of(plan, mixed), n_workers=2)
    assert [found[n].diverged_at for n in range(10, 16)] == [6, None, 18, None, 6, None]
    for i in (1, 3, 5):
        assert_same(found[10 + i], alone(plan, mixed[i]))
    for i in (0, 2, 4):
        assert found[10 + i].outcome is None
        finite = [r for r in found[10 + i].records if np.isfinite(r.train_cost[0]) and np.isfinite(r.valid_cost[0])]  # type: ignore[index]
        assert all(r.step < found[10 + i].diverged_at for r in finite)  # type: ignore[operator]


def test_nothing_is_told_of_a_lane_after_it_diverged(plans: dict[str, Plan], monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, the rest of the same call was told too, and how long a call lasts depends on the clock."""
    monkeypatch.setattr(schedule, "CALL_SECONDS", TENFOLD)
    found = courses(lanes_of(plans["affine"], [EARLY, LATE]))
    assert [r.step for r in found[10].records] == [6]
    assert [r.step for r in found[11].records] == [6, 12, 18]
    assert found[11].state is not None
    assert found[11].state.step == N_STEPS, "so far its call went on"


def test_a_diverged_lane_is_not_trained_further(plans: dict[str, Plan], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "CALL_SECONDS", 0.0)
    plan = dataclasses.replace(plans["affine"], n_steps=60)
    found = courses(lanes_of(plan, [LATE, CONFIGURATIONS[0]]))
    assert found[10].state is not None
    assert found[10].state.step == found[10].diverged_at == 18  # where figures are taken: a step a call
    assert found[11].n_calls == 60
    assert_same(found[11], alone(plan, CONFIGURATIONS[0]))


def test_nothing_is_left_when_all_diverge(plans: dict[str, Plan]) -> None:
    found = courses(lanes_of(plans["affine"], [EARLY, LATE]))
    assert [c.diverged_at for c in found.values()] == [6, 18]
    assert all(c.outcome is None for c in found.values())


def test_divergence_in_the_last_steps_gives_no_outcome(plans: dict[str, Plan]) -> None:
    """The outcome of the same call must not make a result of it."""
    plan = dataclasses.replace(plans["affine"], n_steps=18)
    found = courses(lanes_of(plan, [LATE, CONFIGURATIONS[0]]))
    assert found[10].diverged_at == 18
    assert found[10].outcome is None
    assert found[11].outcome is not None


# ---- packing

lane_lists = st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0, 3, 6])), max_size=45)


@given(lane_lists, st.integers(1, 20))
@untimed
def test_every_lane_is_packed_once_with_its_like(
    plans: dict[str, Plan], places: list[tuple[int, int]], width: int
) -> None:
    kinds = [plans[kind] for kind in list(KINDS)[:3]]
    lanes = [
        Lane(i, kinds[k], CONFIGURATIONS[i % 8], None if step == 0 else state_at(kinds[k], i % 8, step))
        for i, (k, step) in enumerate(places)
    ]
    cohorts = pack(lanes, width)
    assert sorted(number for c in cohorts for number in c.numbers) == list(range(len(lanes)))
    for c in cohorts:
        assert 1 <= len(c.numbers) <= width
        for i, number in enumerate(c.numbers):
            assert c.plan == lanes[number].plan
            assert c.configurations[i] == lanes[number].configuration
            assert c.step == lanes[number].step
            if c.state is not None:
                assert_identical(tree.take(c.state, [i]), lanes[number].state)


@functools.cache
def state_at(plan: Plan, i: int, step: int) -> State:
    return advance(plan, (CONFIGURATIONS[i],), None, step).state


@given(st.integers(1, 60), st.integers(1, 20))
@untimed
def test_lanes_of_one_kind_are_packed_evenly(plans: dict[str, Plan], n: int, width: int) -> None:
    sizes = [len(c.numbers) for c in pack([Lane(i, plans["none"], LATE) for i in range(n)], width)]
    assert max(sizes) - min(sizes) <= 1
    assert len(sizes) == -(-n // width)


@given(st.integers(2, 9), st.sampled_from([0, 3]))
@untimed
def test_halves_hold_every_lane_with_its_own_state(plans: dict[str, Plan], n: int, step: int) -> None:
    plan = plans["affine"]
    [whole] = pack(
        [Lane(i, plan, CONFIGURATIONS[i % 8], state_at(plan, i % 8, step) if step else None) for i in range(n)]
    )
    parts = halves(whole)
    assert [number for part in parts for number in part.numbers] == list(range(n))
    assert abs(len(parts[0].numbers) - len(parts[1].numbers)) <= 1
    for part in parts:
        assert part.step == step
        for i, number in enumerate(part.numbers):
            assert part.configurations[i] == CONFIGURATIONS[number % 8]
            if part.state is not None:
                assert_identical(tree.take(part.state, [i]), state_at(plan, number % 8, step))


@pytest.mark.parametrize(
    ("widths", "with_velocity", "width"),
    [
        ((552, 50, 50, 10), False, 20),
        ((3072, 50, 50, 10), False, 20),
        ((3072, 50, 50, 10), True, 11),
        ((3072, 512, 256, 10), False, 2),
    ],
)
def test_wide_networks_go_in_narrow_cohorts(widths: tuple[int, ...], with_velocity: bool, width: int) -> None:
    """Their weights would not stay in the cache."""
    assert best_width(Architecture(widths[0], widths[1:-1], widths[-1]), with_velocity) == width


# ---- scheduling


class Slow(Executor):
    """Workers whose every call takes as many ticks as it trains lane-steps; a call is done when its time has come."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, int]] = []  # lanes and steps of each call, in the order of submission
        self.open: list[tuple[int, Future[Any], Any]] = []
        self.now = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        _, configurations, state, to_step, *_ = args
        n_steps = to_step - (state.step if state is not None else 0)
        self.calls.append((len(configurations), n_steps))
        future: Future[Any] = Future()
        self.open.append((self.now + n_steps * len(configurations), future, functools.partial(fn, *args, **kwargs)))
        return future

    def finish_next(self, futures: Any, return_when: str) -> tuple[set[Future[Any]], set[Future[Any]]]:
        """In place of `concurrent.futures.wait`."""
        self.now, future, work = min(self.open, key=lambda call: call[0])
        self.open = [call for call in self.open if call[1] is not future]
        future.set_result(work())
        return {future}, set(futures) - {future}


def ticks(plan: Plan, monkeypatch: pytest.MonkeyPatch, groups: Sequence[int], n_workers: int) -> int:
    """How long so many lanes of each repeat take, in lane-steps of a worker."""
    executor = Slow()
    monkeypatch.setattr(schedule, "wait", executor.finish_next)
    monkeypatch.setattr(schedule, "CALL_SECONDS", 0.0)  # a step a call
    lanes = [
        Lane(10 * repeat + i, dataclasses.replace(plan, repeat=str(repeat), n_steps=60), CONFIGURATIONS[i])
        for repeat, n in enumerate(groups)
        for i in range(n)
    ]
    news = [item for items in train_lanes(lanes, executor, n_workers) for item in items]
    assert sorted(item.number for item in news if item.outcome is not None) == sorted(lane.number for lane in lanes)
    return executor.now


@pytest.mark.parametrize(
    ("groups", "n_workers"),
    [((8,), 2), ((8,), 3), ((1, 1, 1, 1, 1), 2), ((3, 3, 3, 3, 3), 2), ((5, 1), 2), ((4, 4), 4)],
)
def test_all_workers_are_at_work_until_the_end(
    plans: dict[str, Plan], monkeypatch: pytest.MonkeyPatch, groups: tuple[int, ...], n_workers: int
) -> None:
    """Five single networks on two workers take two and a half times as long as one, not three times."""
    least = 60 * max(sum(groups) / n_workers, 1)
    spent = ticks(plans["affine"], monkeypatch, groups, n_workers)
    assert spent <= 1.15 * least + max(groups)  # a call at the end has one step of so many


def test_calls_begin_with_one_step_and_grow_tenfold_at_most(
    plans: dict[str, Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first had 20 steps whatever they cost: of a very large network, more work than may be lost."""
    monkeypatch.setattr(schedule, "CALL_SECONDS", TENFOLD)
    plan = dataclasses.replace(plans["affine"], n_steps=300)
    steps = [
        item.state.step for items in train_lanes(lanes_of(plan, CONFIGURATIONS[:1]), Inline(), 1) for item in items
    ]
    assert steps == [1, 11, 111, 300]


def test_cohorts_are_finished_one_after_another(plans: dict[str, Plan], monkeypatch: pytest.MonkeyPatch) -> None:
    """So that there are results to look at long before the end."""
    executor = Slow()
    monkeypatch.setattr(schedule, "wait", executor.finish_next)
    monkeypatch.setattr(schedule, "CALL_SECONDS", 0.0)
    plan = dataclasses.replace(plans["affine"], n_steps=60)
    lanes = [Lane(i, dataclasses.replace(plan, repeat=str(i)), CONFIGURATIONS[0]) for i in range(8)]
    ends = [executor.now for items in train_lanes(lanes, executor, 2) for item in items if item.outcome is not None]
    assert ends[:2] == [60, 60]
    assert ends[-1] == 240


def test_no_lane_needs_no_cohort() -> None:
    assert pack([]) == []
    assert list(train_lanes([], Inline(), 2)) == []


# ---- what goes wrong


def test_an_error_in_a_worker_reaches_the_caller(plans: dict[str, Plan]) -> None:
    data = dataclasses.replace(plans["affine"].data, n_inputs=3)
    architecture: Any = dataclasses.replace(plans["affine"].architecture, n_inputs=3)
    wrong = dataclasses.replace(plans["affine"], data=data, architecture=architecture)
    with pytest.raises(ValueError, match="matmul"):
        courses(lanes_of(wrong))
