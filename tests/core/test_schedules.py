"""Schedules against their closed forms, and within [0, 1] always."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnsearch.core.schedules import Shape, constant, cosine, cyclic, exponential

shares = st.floats(0.0, 1.0)
counts = st.integers(1, 100_000)
shapes = st.one_of(
    st.builds(constant),
    st.builds(exponential, shares, counts),
    st.builds(cyclic, shares, counts),
    st.builds(cosine, counts, st.integers(0, 100_000), shares),
)


@given(shape=shapes, step=st.integers(0, 10_000_000))
def test_every_shape_is_within_zero_and_one_at_every_step(shape: Shape, step: int) -> None:
    assert 0.0 <= shape(step) <= 1.0


@given(shape=shapes, steps=st.lists(st.integers(0, 1_000_000), min_size=1, max_size=20))
def test_an_array_of_steps_gives_what_each_step_gives(shape: Shape, steps: list[int]) -> None:
    together = shape(np.array(steps))

    assert together.dtype == np.float64
    assert np.all((together >= 0.0) & (together <= 1.0))
    # NumPy's powers of arrays and of numbers may differ in the last bit; training asks for arrays alone.
    np.testing.assert_allclose(together, [float(shape(step)) for step in steps], rtol=1e-14, atol=1e-15)


@given(shape=shapes, first=st.integers(0, 100_000), n=st.integers(1, 40), data=st.data())
def test_a_range_of_steps_has_the_same_bits_wherever_it_is_cut(
    shape: Shape, first: int, n: int, data: st.DataObject
) -> None:
    # Training asks for the steps of one call at once; where a run is interrupted must not change them.
    cut = data.draw(st.integers(0, n))

    whole = shape(np.arange(first, first + n))

    parts = shape(np.arange(first, first + cut)), shape(np.arange(first + cut, first + n))
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_constant_is_one() -> None:
    np.testing.assert_array_equal(constant()(np.arange(5)), np.ones(5))


def test_exponential_falls_at_each_epochs_start_alone() -> None:
    np.testing.assert_allclose(exponential(0.99, 4)(np.arange(10)), [1.0] * 4 + [0.99] * 4 + [0.9801] * 2, rtol=1e-15)


def test_cyclic_is_a_triangle() -> None:
    shape = cyclic(0.2, 4)

    np.testing.assert_allclose(shape(np.arange(9)), [0.2, 0.4, 0.6, 0.8, 1.0, 0.8, 0.6, 0.4, 0.2], rtol=1e-14)


@given(low=shares, half=counts, step=st.integers(0, 1_000_000))
def test_cyclic_repeats_itself_and_is_symmetric_in_a_cycle(low: float, half: int, step: int) -> None:
    shape, in_cycle = cyclic(low, half), step % (2 * half)

    assert shape(step) == shape(step + 2 * half)
    assert shape(in_cycle) == pytest.approx(shape(2 * half - in_cycle), abs=1e-12)
    assert shape(0) == pytest.approx(low, abs=1e-15)
    assert shape(half) == pytest.approx(1.0, abs=1e-15)


def test_cosine_warms_up_linearly_then_falls_by_half_a_cosine() -> None:
    shape = cosine(12, 4, 0.1)

    fall = [0.1 + 0.9 * (1 + np.cos(np.pi * k / 8)) / 2 for k in range(9)]
    np.testing.assert_allclose(shape(np.arange(13)), [0.25, 0.5, 0.75, 1.0, *fall], rtol=1e-14)
    assert shape(4) == 1.0
    assert shape(8) == pytest.approx(0.55)
    assert shape(12) == pytest.approx(0.1)


def test_cosine_without_warm_up_starts_at_one_and_stays_at_its_final_value() -> None:
    shape = cosine(100, 0, 0.05)

    assert shape(0) == 1.0
    assert np.all(np.diff(shape(np.arange(101))) < 0)
    np.testing.assert_allclose(shape(np.array([100, 101, 1_000_000])), 0.05, rtol=1e-14)
