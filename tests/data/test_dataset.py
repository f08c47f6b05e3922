"""What every source is checked for, the fingerprint, and the split that sets test rows aside."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnsearch.data.dataset import Dataset, Rows, dataset, split
from bnsearch.errors import DataError

X = np.arange(12, dtype=np.float32).reshape(4, 3)
Y = np.array([0, 1, 1, 0])
CLASSES = ("no", "yes")


def make(X: Any = X, y: Any = Y, classes: tuple[str, ...] = CLASSES, test: Rows = (X, Y), unit: float = 1.0) -> Dataset:
    return dataset("here.npz", "here", X.copy(), y.copy(), classes, lambda: test, unit=unit)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_good_rows_pass_unchanged(dtype: type) -> None:
    data = make(X.astype(dtype), test=(X[:1].astype(dtype), Y[:1]))
    np.testing.assert_array_equal(data.X, X)
    np.testing.assert_array_equal(data.y, Y)
    assert data.X.dtype == dtype
    X_test, y_test = data.read_test()
    np.testing.assert_array_equal(X_test, X[:1])
    np.testing.assert_array_equal(y_test, Y[:1])


def spoilt(value: float) -> Any:
    return np.where(X == 7, np.float32(value), X)


WRONG = {
    "one dimension": ({"X": X[0]}, "rows of at least one column"),
    "no columns": ({"X": X[:, :0]}, "at least one column"),
    "float64": ({"X": X.astype(float)}, "uint8 or float32"),
    "objects": ({"X": X.astype(object)}, "uint8 or float32"),
    "not a number": ({"X": spoilt(np.nan)}, "column 2 has nan in row 3"),
    "infinite": ({"X": spoilt(-np.inf)}, "column 2 has -inf in row 3"),
    "too few labels": ({"y": Y[:3]}, "one label for each of its 4 rows"),
    "labels of two dimensions": ({"y": Y[:, None]}, "one label for each"),
    "labels that are floats": ({"y": Y.astype(float)}, "one label for each"),
    "a label too high": ({"y": Y + 1}, r"labels in 0\.\.1, but row 2 has 2"),
    "a negative label": ({"y": -Y}, r"labels in 0\.\.1, but row 2 has -1"),
    "one row": ({"X": X[:1], "y": Y[:1]}, "at least 2 rows, but has 1"),
    "no rows": ({"X": X[:0], "y": Y[:0]}, "at least 2 rows, but has 0"),
    "one class": ({"y": 0 * Y, "classes": ("no",)}, "at least 2 classes, but has 1"),
    "a class without rows": ({"y": 0 * Y}, "none of 'yes'"),
}


@pytest.mark.parametrize(("change", "message"), WRONG.values(), ids=WRONG)
def test_wrong_training_rows_are_refused_in_one_line(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        make(**change)
    assert str(caught.value).startswith("here.npz must ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ((X[:, :2], Y), "3 columns of float32, but got float32 of shape"),
        ((X.astype(np.uint8), Y), "3 columns of float32, but got uint8"),
        ((spoilt(np.nan), Y), "column 2 has nan in row 3"),
        ((X, Y + 1), r"labels in 0\.\.1"),
        ((X[:0], Y[:0]), "at least 1 rows, but has 0"),
    ],
)
def test_wrong_test_rows_are_refused_when_they_are_read(test: Rows, message: str) -> None:
    data = make(test=test)
    with pytest.raises(DataError, match=message):
        data.read_test()


def test_the_test_rows_are_read_only_on_request() -> None:
    def read_test() -> Rows:
        raise AssertionError("the test rows were read")

    dataset("here", "here", X.copy(), Y.copy(), CLASSES, read_test)


def test_training_rows_cannot_be_changed_behind_the_fingerprint() -> None:
    data = make()
    with pytest.raises(ValueError, match="read-only"):
        data.X[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        data.y[0] = 1


def test_the_fingerprint_tells_training_data_apart_and_ignores_test_rows() -> None:
    same = {make().fingerprint, make(test=(X[:1], Y[:1])).fingerprint, make(np.asfortranarray(X)).fingerprint}
    others = [
        make(X + 1),
        make(X.reshape(6, 2)[:4]),
        make(X.astype(np.uint8), test=(X.astype(np.uint8), Y)),
        make(y=1 - Y),
        make(classes=("no", "maybe")),
        make(unit=0.5),
    ]
    assert len(same) == 1
    assert len(same | {data.fingerprint for data in others}) == 1 + len(others)
    assert len(make().fingerprint) == 64


@given(st.lists(st.integers(2, 60), min_size=2, max_size=6), st.randoms())
def test_the_split_takes_a_fifth_of_each_class(counts: list[int], random: Any) -> None:
    y = np.repeat(np.arange(len(counts)), counts)
    y = y[random.sample(range(len(y)), len(y))]
    train, test = split("here", y, [str(label) for label in range(len(counts))])
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(len(y)))
    n_train, n_test = np.bincount(y[train], minlength=len(counts)), np.bincount(y[test], minlength=len(counts))
    assert (n_train >= 1).all()
    assert (n_test >= 1).all()
    if min(counts) >= 5:  # else the one test row of a small class comes out of the share of the large ones
        assert len(test) == -(-len(y) // 5)
        # a row for each rounding: a large class makes up for those of all others
        assert (np.abs(n_test - np.array(counts) / 5) < 1 + len(counts) / 2).all()


def test_a_class_of_one_row_cannot_be_split() -> None:
    with pytest.raises(DataError, match=r"at least 2 rows of every class.* but has 1 of 'rare'"):
        split("here", np.array([0, 0, 1]), ["common", "rare"])
