"""Trees of arrays: what is taken apart can be put together again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnsearch.core import tree
from bnsearch.core.run import State, start
from tests.core.helpers import assert_identical, make_network

N_LANES = 4
kinds = st.sampled_from(["affine", "plain", "none"])
widths = st.lists(st.integers(1, 4), max_size=3).map(tuple)


def make_state(hidden: tuple[int, ...] = (3, 2), kind: str = "affine", with_velocity: bool = True) -> State:
    network = make_network(hidden, n_lanes=N_LANES, kind=kind, n_inputs=3, n_classes=2)
    return start(network, with_velocity)


states = st.builds(make_state, widths, kinds, st.booleans())


def test_paths_read_like_the_fields() -> None:
    paths = [path for path, _ in tree.leaves(make_network((3,), n_lanes=1))]

    assert paths == ["dense.0.W", "dense.0.b", "dense.1.W", "dense.1.b", "norms.0.gamma", "norms.0.beta"]


def test_what_is_absent_has_no_leaf() -> None:
    paths = [path for path, _ in tree.leaves(make_state((3,), "plain", with_velocity=False))]

    assert not any(path.startswith("velocity") or path.endswith(("gamma", "beta")) for path in paths)
    assert {"moments.0.mean", "moments.0.var", "loss_sum", "n_correct"} <= set(paths)


@given(state=states)
def test_with_leaves_is_the_inverse_of_leaves(state: State) -> None:
    arrays = {path: leaf.copy() for path, leaf in tree.leaves(state)}
    other = tree.map(np.zeros_like, state)

    again = tree.with_leaves(other, arrays)

    assert_identical(again, state)
    assert again.step == state.step
    assert all(leaf is arrays[path] for path, leaf in tree.leaves(again))


def test_with_leaves_needs_every_path() -> None:
    network = make_network((3,), n_lanes=1)
    arrays = dict(tree.leaves(network))
    del arrays["dense.1.b"]

    with pytest.raises(KeyError, match=r"dense\.1\.b"):
        tree.with_leaves(network, arrays)


@given(state=states, lanes=st.lists(st.integers(0, N_LANES - 1), min_size=1, max_size=6))
def test_take_gives_copies_of_the_lanes_in_the_order_asked_for(state: State, lanes: list[int]) -> None:
    before, taken = tree.copy(state), tree.take(state, lanes)

    for (_, a), (_, b) in zip(tree.leaves(taken), tree.leaves(state), strict=True):
        assert a.flags.c_contiguous
        np.testing.assert_array_equal(a, np.stack([b[lane] for lane in lanes]))
        a += 1
    assert_identical(state, before)


@given(state=states, cut=st.integers(1, N_LANES - 1))
def test_concatenate_is_the_inverse_of_taking_apart(state: State, cut: int) -> None:
    parts = [tree.take(state, range(cut)), tree.take(state, range(cut, N_LANES))]

    assert_identical(tree.concatenate(parts), state)


def test_map_keeps_numbers_and_gives_each_function_call_the_same_place_of_all_trees() -> None:
    one, other = make_network((3, 2), n_lanes=2, seed=1), make_network((3, 2), n_lanes=2, seed=2)

    total = tree.map(np.add, one, other)

    assert total.norms[0].epsilon == one.norms[0].epsilon
    for (_, t), (_, a), (_, b) in zip(tree.leaves(total), tree.leaves(one), tree.leaves(other), strict=True):
        np.testing.assert_array_equal(t, a + b)


def test_networks_of_different_depth_are_refused() -> None:
    deep, shallow = make_network((3, 10), n_lanes=2), make_network((3,), n_lanes=2)

    with pytest.raises(ValueError, match="shorter"):
        tree.map(lambda a, _: a, deep, shallow)


@pytest.mark.parametrize("with_velocity_first", [True, False])
def test_states_with_and_without_velocity_cannot_be_joined(with_velocity_first: bool) -> None:
    # Where the first had none, the velocities of all others were lost in silence.
    one, other = make_state(with_velocity=with_velocity_first), make_state(with_velocity=not with_velocity_first)

    with pytest.raises(ValueError, match="same places"):
        tree.concatenate([one, other])


def test_a_copy_has_arrays_of_its_own() -> None:
    network = make_network((3,), n_lanes=2)
    again = tree.copy(network)

    assert_identical(again, network)
    for (_, a), (_, b) in zip(tree.leaves(again), tree.leaves(network), strict=True):
        assert not np.shares_memory(a, b)
