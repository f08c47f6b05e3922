"""Rows and weights as pictures."""

import base64
import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bnsearch.report.pictures import as_images, of_mistakes, of_weights
from tests.report.made import MISTAKES


def pixels(source: str) -> Any:
    """A data: address as an array."""
    head, data = source.split(",")
    assert head == "data:image/png;base64"
    return np.array(Image.open(io.BytesIO(base64.b64decode(data))))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((2, 3), (5, 2, 3)),
        ((1, 2, 3), (5, 2, 3)),
        ((2, 3, 1), (5, 2, 3)),
        ((3, 2, 4), (5, 2, 4, 3)),
        ((2, 4, 3), (5, 2, 4, 3)),
        ((6,), None),
        ((2, 3, 4), None),
        ((2, 2, 2, 2), None),
    ],
)
def test_which_forms_are_images(shape: tuple[int, ...], expected: tuple[int, ...] | None) -> None:
    images = as_images(np.zeros((5, int(np.prod(shape)))), shape)
    assert (None if images is None else images.shape) == expected


def test_colours_may_come_first_as_in_cifar10() -> None:
    image = np.arange(3 * 2 * 2, dtype=np.uint8).reshape(1, 12)
    found = as_images(image, (3, 2, 2))
    assert found is not None
    assert found[0, 0, 1].tolist() == [1, 5, 9], "red, green and blue of the second pixel of the first row"


def test_mistakes_are_shown_in_the_units_of_their_source() -> None:
    first, second = of_mistakes(MISTAKES) or ()
    assert pixels(first).tolist() == [[0, 16], [32, 48]], "of 16 levels"
    assert pixels(second).shape == (2, 2)
    bytes_ = replace(MISTAKES, X=np.array([[0, 100, 200, 255]], np.uint8), unit=1.0)
    assert pixels((of_mistakes(bytes_) or [])[0]).tolist() == [[0, 100], [200, 255]]
    cifar = replace(MISTAKES, X=np.arange(12, dtype=np.uint8)[None] * 20, unit=1 / 255, image_shape=(3, 2, 2))
    assert pixels((of_mistakes(cifar) or [])[0])[0, 1].tolist() == [20, 100, 180]


def test_other_numbers_are_shown_between_their_ends() -> None:
    floats = replace(MISTAKES, X=np.array([[-1.0, 0.0, 1.0, 1.0]], np.float32), unit=1.0)
    assert pixels((of_mistakes(floats) or [])[0]).tolist() == [[0, 128], [255, 255]]
    flat = replace(MISTAKES, X=np.zeros((1, 4), np.float32), unit=1.0)
    assert pixels((of_mistakes(flat) or [])[0]).tolist() == [[0, 0], [0, 0]]
    assert of_mistakes(replace(MISTAKES, X=MISTAKES.X[:0])) == []
    assert of_mistakes(replace(MISTAKES, image_shape=(4,))) is None


def test_weights_are_white_at_zero_and_each_has_a_scale_of_its_own() -> None:
    W = np.array([[1.0, 0.01], [0.0, 0.0], [-1.0, 0.0], [-0.5, 0.0]])
    first, second = (pixels(source) for source in of_weights(W, (2, 2)) or ())
    assert first[0, 1].tolist() == [255, 255, 255]
    assert first[0, 0, 0] > first[0, 0, 2], "positive is red"
    assert first[1, 0, 2] > first[1, 0, 0], "negative is blue"
    assert second[0, 0].tolist() == first[0, 0].tolist()
    assert of_weights(W, (4,)) is None
    assert (pixels((of_weights(np.zeros((4, 1)), (2, 2)) or [])[0]) == 255).all()


def test_weights_of_colour_images_are_colours_around_grey() -> None:
    (found,) = of_weights(np.array([1.0, 0.0, 0.0, 0.5, -1.0, 0.0])[:, None], (3, 1, 2)) or ()
    assert pixels(found).tolist() == [[[255, 128, 0], [128, 191, 128]]]
