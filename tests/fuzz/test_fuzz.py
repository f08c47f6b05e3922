"""Whatever is read from outside is taken or refused in one line; `make fuzz` tries many more."""

import pytest

from tests.fuzz.targets import TARGETS, Target, fuzz

N_INPUTS = 250


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_it_is_taken_or_refused(target: Target) -> None:
    n = N_INPUTS // target.cost
    found = fuzz(target, n, derandomize=True)
    assert found.failures == {}
    assert found.refused > 0
    assert found.taken + found.refused >= n / 2
