"""What the page says of B17's final network and of the nine points that its evaluation cost."""

from typing import Any

import pytest

from benchmarks.reproduction.ours import Group, NotRun, Runs
from benchmarks.reproduction.sections import final
from tests.reproduction.made import MadeRuns, group, whole

LAGS = dict(zip(final.CURES, (2.0, 0.8, 0.05, 0.01), strict=True))  # in σ, by the way to standardise and to average
MOVING = dict(zip(final.CURES, (0.42, 0.46, 0.484, 0.486), strict=True))


def _group(moving: float, train: float = 0.5) -> Group:
    return group(test_moving=[moving] * 2, test_population=[0.487] * 2, train_accuracy=[train - 0.01, train + 0.01])


@pytest.fixture
def lags(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of exports that need not be there: a way is known by its accuracy."""
    of = {MOVING[cure]: lag for cure, lag in LAGS.items()}
    monkeypatch.setattr(final, "lags", lambda runs, own: [of[own.over("test.moving").mean]] * 2)


def _runs(train: float = 0.5, **more: Any) -> Runs:
    cures = [({"standardize": s, "bn_average": a}, _group(moving)) for (s, a), moving in MOVING.items()]
    own = {"final": _group(MOVING["none", 0.99], train), "final says": {"result": {}}}
    return MadeRuns(cifar10_momentum=own | more, b17_statistics=cures)


@pytest.mark.usefixtures("lags")
def test_how_much_the_moving_averages_cost_and_what_mends_it() -> None:
    said = whole(final.final(_runs()))
    assert (
        "42.0 ± 0.0 % of the test images right with B17's moving averages and 48.7 ± 0.0 % with the exact moments"
        in said
    )
    assert "6.7 points are an artefact of the evaluation" in said
    assert "they are 2.00 ± 0.00 σ off on average" in said
    assert "Averaging over ten batches alone (α = 0.9) leaves 0.80 ± 0.00 σ and 46.0" in said
    assert "centring the pixels alone 0.050 ± 0.000 σ and 48.4" in said
    assert "What moving averages then lose against exact moments is 0.10 points, of 6.70 points before." in said


@pytest.mark.usefixtures("lags")
@pytest.mark.parametrize(("train", "said"), [(0.49, "is reproduced"), (0.40, "is not reproduced")])
def test_whether_the_training_accuracy_comes_out_again(train: float, said: str) -> None:
    assert said in whole(final.final(_runs(train)))


def test_a_final_that_was_not_finished_is_not_told_of() -> None:
    with pytest.raises(NotRun, match="bnsearch final cifar10-momentum"):
        final.final(_runs(**{"final says": {}}))
