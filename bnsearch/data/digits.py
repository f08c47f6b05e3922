"""The digits that come with scikit-learn: 1,797 images of 8 x 8 pixels in 17 grey levels; no download is needed."""

import numpy as np

from bnsearch.data.dataset import Dataset, Rows, dataset, split


def load() -> Dataset:
    """Load the digits: X (1437, 64) uint8 in 0..16, unit 1/16, ten classes.

    The 360 test rows are those that `bnsearch.data.dataset.split` sets aside; the training rows keep its order.
    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI, 1998 (its test part).
    """
    from sklearn.datasets import load_digits

    values, target = load_digits(return_X_y=True)
    X, y = values.astype(np.uint8), target.astype(np.int64)
    classes = tuple("0123456789")
    train, test = split("digits", y, classes)

    def read_test() -> Rows:
        return X[test], y[test]

    return dataset("digits", "digits", X[train], y[train], classes, read_test, unit=1 / 16, image_shape=(8, 8))
