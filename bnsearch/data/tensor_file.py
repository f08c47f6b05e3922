"""Arrays and texts in one safetensors file, with a checksum over all that it says; written whole or not at all.

Loading one runs no code, and asks for no more memory than the file has bytes.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bnsearch.data.dataset import one_line
from bnsearch.data.whole_file import write_whole
from bnsearch.errors import ModelError

CHECKSUM = "checksum"


class Content(NamedTuple):
    """What a file holds."""

    tensors: dict[str, Any]  # arrays
    text: dict[str, str]
    has_checksum: bool
    is_as_written: bool  # does its checksum fit? not without one


def write_tensors(
    path: Path, tensors: Mapping[str, NDArray[Any]], text: Mapping[str, str], *, keep: Path | None = None
) -> None:
    """Write the file; it is on the disk before it takes the place of the last one, which gets the name `keep`."""
    from safetensors.numpy import save

    contiguous = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    signed = {**text, CHECKSUM: _checksum(contiguous, text)}
    write_whole(path, [save(contiguous, metadata=signed)], keep=keep)


def read_tensors(path: Path) -> Content | None:
    """Read a file, None where there is none; raises ModelError for what is no safetensors file."""
    from safetensors import safe_open

    try:
        if not path.exists():
            return None
        if not path.is_file():  # a pipe would let wait for ever
            raise ValueError("it is no file")
        with safe_open(path, framework="numpy") as file:
            text = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except FileNotFoundError:  # it has just been renamed or removed
        return None
    except Exception as error:  # safetensors has many for what is no such file, and for types that NumPy does not know
        raise ModelError(f"{path} must be a readable safetensors file, but: {one_line(error)}.") from error
    stated = text.pop(CHECKSUM, None)
    return Content(tensors, text, stated is not None, stated == _checksum(tensors, text))


def altered(path: Path, remedy: str = "") -> ModelError:
    """Said of a file that is not as it was written."""
    return ModelError(f"{path} must be as it was written, but its checksum says that it was altered{remedy}.")


def _checksum(tensors: Mapping[str, NDArray[Any]], text: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(sorted(text.items())).encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {tensors[name].shape}".encode())
        digest.update(tensors[name].tobytes())
    return digest.hexdigest()
