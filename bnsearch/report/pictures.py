"""Rows and weights as small pictures: PNG, in the page itself."""

import base64
import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bnsearch.search.mistakes import Mistakes

Pixels = NDArray[np.uint8]
RED, BLUE = np.array([178, 24, 43]), np.array([33, 102, 172])  # the ends of a scale with white in its middle


def as_images(rows: NDArray[Any], shape: Sequence[int]) -> NDArray[Any] | None:
    """(n, D) -> (n, height, width) or (n, height, width, 3); None where no image has this form.

    shape: of one row; its colours come first or last.
    """
    if len(shape) == 3 and 1 in (shape[0], shape[2]):
        shape = [size for i, size in enumerate(shape) if i != (0 if shape[0] == 1 else 2)]
    if len(shape) == 2:
        return rows.reshape(len(rows), *shape)
    if len(shape) == 3 and shape[0] == 3:
        return rows.reshape(len(rows), *shape).transpose(0, 2, 3, 1)
    return rows.reshape(len(rows), *shape) if len(shape) == 3 and shape[2] == 3 else None


def of_mistakes(found: Mistakes) -> list[str] | None:
    """Images as they are; floating-point ones between their smallest and largest value."""
    images = as_images(found.X, found.image_shape)
    if images is None:
        return None
    if found.unit != 1.0:
        shares = images * found.unit
    elif images.dtype == np.uint8:
        shares = images / 255.0
    else:
        low, high = (float(f(images, initial=0.0)) for f in (np.min, np.max))
        shares = (images - low) / (high - low or 1.0)
    return [png((255 * np.clip(image, 0.0, 1.0)).round().astype(np.uint8)) for image in shares]


def of_weights(W: NDArray[np.float64], shape: Sequence[int]) -> list[str] | None:
    """Columns of W (D, n), each on its own scale around 0: blue, white, red, or as colours around grey."""
    images = as_images(W.T, shape)
    if images is None:
        return None
    largest = np.abs(images).reshape(len(images), math.prod(images.shape[1:])).max(axis=1)
    return [png(_around_zero(image / (most or 1.0))) for image, most in zip(images, largest, strict=True)]


def _around_zero(image: NDArray[np.float64]) -> Pixels:
    if image.ndim == 3:
        return np.asarray((127.5 + 127.5 * image).round(), dtype=np.uint8)
    towards = np.where(image[..., None] > 0, RED, BLUE)
    strength = np.abs(image)[..., None]
    return np.asarray((255 + strength * (towards - 255)).round(), dtype=np.uint8)


def png(pixels: Pixels) -> str:
    """(height, width) or (height, width, 3) as a data: address."""
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
