"""All networks of one result are tested on the same rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnsearch.errors import ChangedError
from bnsearch.search.stages import reset
from bnsearch.search.study_file import Study
from tests.search.helpers import attrs_of, run, stored, tiny

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(400, 5)).astype(np.float32), np.arange(400) % 3
X_TEST, Y_TEST = RNG.normal(size=(30, 5)).astype(np.float32), np.arange(30) % 3
OVERRIDES = ("data.source=own.npz", "data.standardize=none", "final.setting={}", "training.epochs=1")


def with_test_rows(folder: Path, x: Any, y: Any, repeats: int = 2) -> Study:
    np.savez(folder / "own.npz", X=X, y=Y, X_test=x, y_test=y)
    return tiny(folder, *OVERRIDES, f"final.repeats={repeats}")


@pytest.mark.parametrize(
    ("x", "y"),
    [(X_TEST[:20], Y_TEST[:20]), (X_TEST + 1, Y_TEST), (X_TEST, Y_TEST[::-1])],
    ids=["fewer", "others", "other labels"],
)
def test_later_networks_are_not_tested_on_other_rows(tmp_path: Path, x: Any, y: Any) -> None:
    """Fewer rows once ended in a ValueError, and as many others in a mean over two test sets."""
    assert run(with_test_rows(tmp_path, X_TEST, Y_TEST), "final") == [True]
    before = attrs_of(tiny(tmp_path), "final")["result"]
    changed = with_test_rows(tmp_path, x, y, repeats=3)
    for _ in range(2):
        with pytest.raises(ChangedError) as caught:
            run(changed, "final")
        message = str(caught.value)
        assert message.startswith("The test rows must stay as they were at the first look of tiny.final")
        assert "bring back the file" in message
        assert f"`bnsearch reset {changed.called} --from final`" in message
    assert attrs_of(changed, "final")["result"] == before
    with stored(changed) as store:
        assert [look["refused"] is None for look in store.looks()] == [True, False, False]
        assert all("must stay as they were" in look["refused"] for look in store.looks()[1:])

    assert run(with_test_rows(tmp_path, X_TEST, Y_TEST, repeats=3), "final") == [True]
    assert attrs_of(changed, "final")["result"]["n_test"] == 30
    assert attrs_of(changed, "final")["result"]["look"] == 2  # those that were refused do not count
    assert attrs_of(changed, "final")["result"]["test_accuracy"]["per_seed"][:2] == before["test_accuracy"]["per_seed"]


def test_after_a_reset_other_rows_may_be_looked_at(tmp_path: Path) -> None:
    study = with_test_rows(tmp_path, X_TEST, Y_TEST)
    run(study, "final")
    with stored(study) as store:
        reset(study, store, "final")
    changed = with_test_rows(tmp_path, X_TEST[:20], Y_TEST[:20])
    assert run(changed, "final") == [True]
    assert attrs_of(changed, "final")["result"]["n_test"] == 20
