"""The digits of scikit-learn, split once and for all."""

import numpy as np
from sklearn.datasets import load_digits

from bnsearch.data import digits


def test_training_and_test_rows_are_the_digits_split_in_proportion() -> None:
    data = digits.load()
    X_test, y_test = data.read_test()
    assert data.X.shape == (1437, 64)
    assert X_test.shape == (360, 64)
    assert data.X.dtype == X_test.dtype == np.uint8
    assert data.X.min() == 0
    assert data.X.max() * data.unit == 1
    assert data.classes == tuple("0123456789")
    assert data.image_shape == (8, 8)
    np.testing.assert_array_less(np.abs(np.bincount(y_test) - np.bincount(data.y) / 4), 1.25)

    X, y = load_digits(return_X_y=True)
    everything = np.column_stack([np.concatenate([data.X, X_test]), np.concatenate([data.y, y_test])])
    published = np.column_stack([X, y])
    assert sorted(map(tuple, everything.tolist())) == sorted(map(tuple, published.tolist()))


def test_the_rows_and_their_order_never_change() -> None:
    # earlier studies lie in databases under this fingerprint: another split must not pass for the same data
    assert (
        digits.load().fingerprint
        == digits.load().fingerprint
        == "d8f77e12a56b64956d852f93ede2596b71bfe72a4b3442573d5e2463d7523be0"
    )


def test_training_rows_come_in_no_order_of_classes() -> None:
    data = digits.load()
    for low in range(0, 1400, 100):
        assert np.unique(data.y[low : low + 100]).size == 10
