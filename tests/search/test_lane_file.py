"""A lane's state on the disk: it comes back bit for bit, or not at all."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save

from bnsearch.core import tree
from bnsearch.core.layers import Moments
from bnsearch.core.run import State
from bnsearch.search import lane_file
from bnsearch.search.advance import advance
from bnsearch.search.cohort import Lane
from bnsearch.search.lane_file import Stored, load_lane, previous, row, save_lane
from bnsearch.search.tables import Exponential
from tests.core.helpers import assert_identical
from tests.search.helpers import CONFIGURATIONS, plan_of, tiny, untimed
from tests.search.limits import files_of_at_most

Curve = list[dict[str, float]]
STEP = 9
SECONDS = 0.1 + 0.2


@pytest.fixture(scope="module", params=["affine", "plain", "none"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lane, State, Curve]:
    """A lane within its second epoch, and its curve so far."""
    study = tiny(tmp_path_factory.mktemp("lane"), f"network.batch_norm='{request.param}'")
    lane = Lane(7, plan_of(study), CONFIGURATIONS[0])
    done = advance(lane.plan, (lane.configuration,), None, STEP)
    return lane, done.state, [row(record) for record in done.records]


def assert_same(found: Stored | None, state: State, curve: Curve) -> None:
    assert found is not None
    assert found.state.step == state.step
    assert_identical(found.state, state)
    assert found.curve == curve
    assert found.seconds == SECONDS
    assert [[type(v) for v in point.values()] for point in found.curve] == [
        [type(v) for v in p.values()] for p in curve
    ]


def test_a_state_comes_back_bit_for_bit(trained: tuple[Lane, State, Curve], tmp_path: Path) -> None:
    lane, state, curve = trained
    path = tmp_path / "states" / "coarse-00007.safetensors"
    save_lane(path, lane, Stored(state, curve, SECONDS))
    assert_same(load_lane(path, lane), state, curve)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_it_goes_on_to_the_same_numbers(trained: tuple[Lane, State, Curve], tmp_path: Path) -> None:
    lane, state, curve = trained
    save_lane(tmp_path / "a", lane, Stored(state, curve, SECONDS))
    found = load_lane(tmp_path / "a", lane)
    assert found is not None
    whole = advance(lane.plan, (lane.configuration,), None, 24)
    resumed = advance(lane.plan, (lane.configuration,), found.state, 24)
    assert_identical(resumed.state, whole.state)
    assert_identical(resumed.outcome, whole.outcome)
    assert curve + [row(r) for r in resumed.records] == [row(r) for r in whole.records]


def test_a_lane_without_velocity_has_none_afterwards(tmp_path: Path) -> None:
    plan = dataclasses.replace(plan_of(tiny(tmp_path)), with_velocity=False)
    lane = Lane(0, plan, CONFIGURATIONS[1])
    state = advance(plan, (lane.configuration,), None, 3).state
    save_lane(tmp_path / "a", lane, Stored(state, [], SECONDS))
    assert_same(load_lane(tmp_path / "a", lane), state, [])


def test_special_numbers_and_figures_that_were_not_measured(trained: tuple[Lane, State, Curve], tmp_path: Path) -> None:
    lane, state = trained[0], tree.copy(trained[1])
    odd = np.array([np.nan, np.inf, -0.0, np.nextafter(np.float32(0), np.float32(1))], dtype=np.float32)
    state.network.dense[0].W.flat[:4] = odd
    curve: Curve = [{"epoch": 1, "step": 6, "train_loss": 0.1 + 0.2, "train_accuracy": 1 / 3}]
    save_lane(tmp_path / "a", lane, Stored(state, curve, SECONDS))
    assert_same(load_lane(tmp_path / "a", lane), state, curve)
    found = load_lane(tmp_path / "a", lane)
    assert found is not None
    assert found.state.network.dense[0].W.tobytes() == state.network.dense[0].W.tobytes()


def test_a_later_state_takes_the_place_of_an_earlier(trained: tuple[Lane, State, Curve], tmp_path: Path) -> None:
    lane, state, curve = trained
    save_lane(tmp_path / "a", lane, Stored(state, curve, SECONDS))
    later = advance(lane.plan, (lane.configuration,), state, 20)
    save_lane(tmp_path / "a", lane, Stored(later.state, [], SECONDS))
    assert_same(load_lane(tmp_path / "a", lane), later.state, [])


# ---- the state before it


@pytest.fixture
def two(trained: tuple[Lane, State, Curve], tmp_path: Path) -> tuple[Path, Lane, State]:
    """A lane stored at STEP and again at step 20; where the second lies, the lane, its first state."""
    lane, state, curve = trained
    path = tmp_path / "states" / "coarse-00007.safetensors"
    save_lane(path, lane, Stored(state, curve, SECONDS))
    save_lane(path, lane, Stored(advance(lane.plan, (lane.configuration,), state, 20).state, curve, SECONDS))
    return path, lane, state


def spoil(path: Path, how: str) -> None:
    whole = path.read_bytes()
    if how == "a flipped bit":
        path.write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
    elif how == "truncated":
        path.write_bytes(whole[:-100])
    elif how == "empty":
        path.write_bytes(b"")
    else:
        rewrite(path, identity="0" * 64)


@pytest.mark.parametrize("how", ["a flipped bit", "truncated", "empty", "another name in it"])
def test_where_one_is_damaged_the_one_before_is_used_and_that_is_said(how: str, two: tuple[Path, Lane, State]) -> None:
    path, lane, first = two
    spoil(path, how)
    heard: list[str] = []
    found = load_lane(path, lane, heard.append)
    assert found is not None
    assert_identical(found.state, first)
    (line,) = heard
    assert str(path) in line
    assert line.endswith(f"Trial 7 goes on from step {STEP}, stored before it, to the same numbers.")
    assert "\n" not in line


def test_where_both_are_damaged_it_starts_again_and_that_is_said(two: tuple[Path, Lane, State]) -> None:
    path, lane, _ = two
    for file in path.parent.iterdir():
        spoil(file, "a flipped bit")
    heard: list[str] = []
    assert load_lane(path, lane, heard.append) is None
    (line,) = heard
    assert line.count("its checksum says that it was altered") == 2
    assert line.endswith("Trial 7 starts at step 0 again, to the same numbers.")


def test_a_process_killed_between_the_two_names_leaves_the_one_before(two: tuple[Path, Lane, State]) -> None:
    path, lane, _ = two
    expected = load_lane(path, lane)
    assert expected is not None
    path.rename(previous(path))
    heard: list[str] = []
    found = load_lane(path, lane, heard.append)
    assert found is not None
    assert_identical(found.state, expected.state)
    assert not heard, "nothing is damaged"


# ---- what is not a whole file of this very lane


@pytest.fixture
def written(trained: tuple[Lane, State, Curve], tmp_path: Path) -> tuple[Path, Lane]:
    lane, state, curve = trained
    save_lane(tmp_path / "lane.safetensors", lane, Stored(state, curve, SECONDS))
    return tmp_path / "lane.safetensors", lane


def test_of_another_lane(written: tuple[Path, Lane]) -> None:
    path, lane = written
    others = [
        dataclasses.replace(lane, number=8),
        dataclasses.replace(lane, configuration=lane.configuration._replace(l2=np.nextafter(1e-3, 1))),
        dataclasses.replace(lane, configuration=lane.configuration._replace(momentum=0.0)),
        dataclasses.replace(lane, plan=dataclasses.replace(lane.plan, repeat="1")),
        dataclasses.replace(lane, plan=dataclasses.replace(lane.plan, seed=4)),
        dataclasses.replace(lane, plan=dataclasses.replace(lane.plan, n_steps=48)),
        dataclasses.replace(
            lane,
            plan=dataclasses.replace(lane.plan, architecture=dataclasses.replace(lane.plan.architecture, hidden=(9,))),
        ),
    ]
    assert load_lane(path, lane) is not None
    assert [load_lane(path, other) for other in others] == [None] * len(others)


def test_of_another_step(written: tuple[Path, Lane]) -> None:
    path, lane = written
    for step in (str(STEP + 1), "", "nine", "-1"):
        rewrite(path, step=step)
        assert load_lane(path, lane) is None


def test_of_another_lane_by_its_name_alone(written: tuple[Path, Lane]) -> None:
    path, lane = written
    rewrite(path, identity=lane_file._identity(dataclasses.replace(lane, number=8)))
    assert load_lane(path, lane) is None


def test_of_another_time(written: tuple[Path, Lane]) -> None:
    path, lane = written
    for seconds in ("0.5", "", "nine", "nan"):
        rewrite(path, seconds=seconds)
        assert load_lane(path, lane) is None


def rewrite(path: Path, **changes: str) -> None:
    with safe_open(path, framework="numpy") as file:
        text, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    path.write_bytes(save(tensors, metadata=text | changes))


def test_missing_or_of_another_kind(written: tuple[Path, Lane], tmp_path: Path) -> None:
    path, lane = written
    assert load_lane(tmp_path / "nothing", lane) is None
    (tmp_path / "folder").mkdir()
    assert load_lane(tmp_path / "folder", lane) is None
    for content in (b"", b"\0" * 100, b"garbage", save({"a": np.zeros(3)}), save({}, metadata={"step": "9"})):
        path.write_bytes(content)
        assert load_lane(path, lane) is None


@given(st.data())
@untimed
def test_truncated(written: tuple[Path, Lane], data: st.DataObject) -> None:
    path, lane = written
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
        assert load_lane(path, lane) is None
        path.write_bytes(whole + b"\0")
        assert load_lane(path, lane) is None
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("trained", ["affine"], indirect=True)
def test_a_flipped_bit_anywhere_in_the_header(written: tuple[Path, Lane]) -> None:
    """Every byte: a digit of the step once became a letter, and a crash."""
    path, lane = written
    whole = path.read_bytes()
    n_header = 8 + int.from_bytes(whole[:8], "little")
    unchanged = load_lane(path, lane)
    assert unchanged is not None
    for at in range(n_header):
        spoilt = bytearray(whole)
        spoilt[at] ^= (1, 16, 64)[at % 3]
        path.write_bytes(spoilt)
        found = load_lane(path, lane)
        if found is not None:  # a name that nobody reads
            assert_same(found, unchanged.state, unchanged.curve)


@given(st.data())
@untimed
def test_a_flipped_bit_in_the_numbers(written: tuple[Path, Lane], data: st.DataObject) -> None:
    path, lane = written
    whole = bytearray(path.read_bytes())
    n_header = 8 + int.from_bytes(whole[:8], "little")
    at, bit = data.draw(st.integers(n_header, len(whole) - 1)), data.draw(st.integers(0, 7))
    whole[at] ^= 1 << bit
    path.write_bytes(whole)
    assert load_lane(path, lane) is None
    whole[at] ^= 1 << bit
    path.write_bytes(whole)
    assert load_lane(path, lane) is not None


def test_arrays_of_another_layout_under_the_right_name_and_checksum(
    trained: tuple[Lane, State, Curve], tmp_path: Path
) -> None:
    lane, state, curve = trained
    path = tmp_path / "a"
    others = {
        "turned": tree.map(lambda a: a.mT if a.ndim == 3 else a, state),
        "two lanes": tree.concatenate([state, state]),
        "another type": tree.map(lambda a: a.astype(np.float64), state),
        "another dimension": tree.map(lambda a: a[None], state),
        "no velocity": dataclasses.replace(state, velocity=None),
        "one layer less": dataclasses.replace(
            state, network=dataclasses.replace(state.network, dense=state.network.dense[1:])
        ),
        "a moment more": dataclasses.replace(
            state, moments=(*state.moments, Moments(np.ones((1, 3, 1), np.float32), np.ones((1, 3, 1), np.float32)))
        ),
    }
    for what, other in others.items():
        save_lane(path, lane, Stored(other, curve, SECONDS))
        assert load_lane(path, lane) is None, what
    save_lane(path, lane, Stored(state, curve, SECONDS))
    assert_same(load_lane(path, lane), state, curve)


def test_a_state_of_another_format(
    trained: tuple[Lane, State, Curve], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A square weight matrix of a former layout has the right shape, and would be taken for its transpose."""
    lane, state, curve = trained
    with monkeypatch.context() as former:
        former.setattr(lane_file, "FORMAT", lane_file.FORMAT - 1)
        save_lane(tmp_path / "a", lane, Stored(state, curve, SECONDS))
        assert load_lane(tmp_path / "a", lane) is not None
    assert load_lane(tmp_path / "a", lane) is None


# ---- a full disk


def test_a_failed_write_leaves_the_last_state_and_nothing_else(written: tuple[Path, Lane]) -> None:
    path, lane = written
    before = path.read_bytes()
    later = advance(lane.plan, (lane.configuration,), None, 20)
    error: Any = None
    with files_of_at_most(2000):
        try:
            save_lane(path, lane, Stored(later.state, [], SECONDS))
        except OSError as caught:
            error = caught
    assert error is not None
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 99},
        {"repeat": "final.1"},
        {"batch_size": 10},
        {"n_steps": 11},
        {"schedule_epoch_steps": 3},
        {"init": "xavier"},
        {"schedule": Exponential(kind="exponential", decay=0.5)},
        {"statistics": "population"},
    ],
)
def test_the_state_of_another_training_is_not_taken(
    trained: tuple[Lane, State, Curve], tmp_path: Path, change: dict[str, Any]
) -> None:
    """A state left by a run with another schedule once went on under the new one, to numbers that no run would give."""
    lane, state, curve = trained
    save_lane(tmp_path / "a", lane, Stored(state, curve, SECONDS))
    plan = dataclasses.replace(lane.plan, **change)
    assert plan != lane.plan
    assert load_lane(tmp_path / "a", dataclasses.replace(lane, plan=plan)) is None


def test_a_state_is_the_same_whatever_is_measured_at_its_end(
    trained: tuple[Lane, State, Curve], tmp_path: Path
) -> None:
    lane, state, curve = trained
    save_lane(tmp_path / "a", lane, Stored(state, curve, SECONDS))
    asked = dataclasses.replace(lane, plan=dataclasses.replace(lane.plan, with_population=True))
    assert load_lane(tmp_path / "a", asked) is not None


@pytest.mark.parametrize("change", [{"bn_average": 0.5}, {"bn_epsilon": 1e-3}])
def test_the_state_of_another_network_is_not_taken(
    trained: tuple[Lane, State, Curve], tmp_path: Path, change: dict[str, Any]
) -> None:
    lane, state, curve = trained
    save_lane(tmp_path / "a", lane, Stored(state, curve, SECONDS))
    architecture = dataclasses.replace(lane.plan.architecture, **change)
    plan = dataclasses.replace(lane.plan, architecture=architecture)
    assert load_lane(tmp_path / "a", dataclasses.replace(lane, plan=plan)) is None
