"""Small batch files in the layout of the published CIFAR-10: Python 2 pickles of protocol 2."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
ROWS = 20  # of each batch file


def text(value: str) -> bytes:
    """Pickle a Python 2 str."""
    return b"U" + bytes([len(value)]) + value.encode()


def array(X: NDArray[np.uint8]) -> bytes:
    """Pickle a (n, D) array as NumPy did under Python 2."""
    return (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85U\x01b\x87Rq\x09(K\x01"
        + b"".join(b"J" + n.to_bytes(4, "little") for n in X.shape)
        + b"\x86cnumpy\ndtype\nq\x0aU\x02u1K\x00K\x01\x87Rq\x0b"
        + b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T"
        + X.nbytes.to_bytes(4, "little")
        + X.tobytes()
        + b"tb"
    )


def batch(X: NDArray[np.uint8], y: Sequence[int]) -> bytes:
    """Pickle a batch file's dictionary."""
    labels = b"](" + b"".join(b"K" + bytes([label]) for label in y) + b"e"
    names = b"](" + b"".join(text(f"image_{row}.png") for row in range(len(y))) + b"e"
    items = [text("batch_label"), text("a batch"), text("labels"), labels, text("data"), array(X)]
    return b"\x80\x02}q\x01(" + b"".join(items) + text("filenames") + names + b"u."


def rows(number: int) -> tuple[NDArray[np.uint8], list[int]]:
    """Make the pixels and labels of batch 1..5, or of the test batch, 6."""
    X = np.random.default_rng(number).integers(0, 256, (ROWS, 3072), np.uint8)
    return X, [(row + number) % 10 for row in range(ROWS)]
