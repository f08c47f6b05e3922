"""Read the pickles of CIFAR-10 without unpickling: the file is taken as data, and nothing in it can be called.

A pickle is a program for a small stack machine; two of its instructions (REDUCE and BUILD) call whatever the file
names. This reader lets `pickletools` cut the file into instructions and carries out by itself the few that build
text, whole numbers, lists, tuples and dictionaries. The three NumPy names in a pickled array become marks that
stand for one thing only, the recipe

    REDUCE(_reconstruct, (ndarray, ...)), REDUCE(dtype, ("u1", ...)), BUILD(shape, dtype, bytes)

of a uint8 array, which is made by `np.frombuffer`. All else is refused. As no callable, class or attribute is ever
looked up, there is nothing that a file could misuse. Strings and bytes, which Python 2 did not tell apart, are `str`
(Latin-1, which keeps every byte). Files saved again by Python 3 in protocols 2 to 4 differ in a few instructions,
which are understood, but for protocol 2's `_codecs.encode`: no published file has it.
"""

import pickletools
import warnings
from enum import Enum, auto
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from bnsearch.data.dataset import one_line
from bnsearch.errors import DataError

MAX_BYTES = 100_000_000  # a batch of CIFAR-10 has 31 million
MAX_INSTRUCTIONS = 200_000  # such a batch has 30,000 to 50,000; each may take 64 bytes or so of memory


class _Mark(Enum):
    RECONSTRUCT = auto()
    NDARRAY = auto()
    DTYPE = auto()
    UINT8 = auto()  # dtype("u1")
    EMPTY = auto()  # the array before BUILD


_NAMES = {
    "numpy.core.multiarray _reconstruct": _Mark.RECONSTRUCT,
    "numpy._core.multiarray _reconstruct": _Mark.RECONSTRUCT,  # NumPy 2
    "numpy ndarray": _Mark.NDARRAY,
    "numpy dtype": _Mark.DTYPE,
}


def load(path: Path) -> dict[str, Any]:
    """Read a dictionary of text, whole numbers, lists, tuples and uint8 arrays from a pickle file.

    Raises DataError where the file is larger than 100 MB, damaged, or holds anything else.
    """
    try:
        if (n_bytes := path.stat().st_size) > MAX_BYTES:
            raise DataError(f"{path} must have at most {MAX_BYTES:,} bytes, but has {n_bytes:,}: it is no batch file.")
        with warnings.catch_warnings(action="ignore"):  # pickletools may warn of text that is then refused
            content = _read(path.read_bytes())
        return cast(dict[str, Any], _expect(content, dict))
    except (OSError, ValueError, LookupError, OverflowError) as error:
        reason = "its instructions do not fit together" if isinstance(error, LookupError) else one_line(error)
        raise DataError(
            f"{path} must be a pickle of plain data and uint8 arrays, but {reason}; nothing was executed. "
            "Replace it with the published file."
        ) from error


def _read(raw: bytes) -> Any:
    """Carry out the instructions in `raw`; raises ValueError, LookupError or OverflowError."""
    stack: list[Any] = []
    starts: list[int] = []  # of the groups that MARK opened
    memo: dict[int, Any] = {}

    def group() -> list[Any]:
        start = starts.pop()
        items = stack[start:]
        del stack[start:]
        return items

    arg: Any
    for count, (instruction, arg, _) in enumerate(pickletools.genops(raw)):
        if count == MAX_INSTRUCTIONS:
            raise ValueError(f"it has more than {MAX_INSTRUCTIONS:,} instructions")
        match instruction.name:
            case "BININT" | "BININT1" | "BININT2" | "LONG1":
                stack.append(arg)
            case "BINSTRING" | "SHORT_BINSTRING" | "BINUNICODE" | "SHORT_BINUNICODE":
                stack.append(arg)
            case "BINBYTES" | "SHORT_BINBYTES":
                stack.append(arg.decode("latin-1"))
            case "BINPUT" | "LONG_BINPUT":
                memo[arg] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[arg])
            case "NONE" | "NEWFALSE" | "NEWTRUE":
                stack.append({"NONE": None, "NEWFALSE": False, "NEWTRUE": True}[instruction.name])
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_DICT":
                stack.append({})
            case "MARK":
                starts.append(len(stack))
            case "TUPLE":
                stack.append(tuple(group()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                stack.append(tuple([stack.pop() for _ in range(int(instruction.name[-1]))][::-1]))
            case "APPEND" | "APPENDS":
                items = group() if instruction.name == "APPENDS" else [stack.pop()]
                _expect(stack[-1], list).extend(items)
            case "SETITEM" | "SETITEMS":
                items = group() if instruction.name == "SETITEMS" else [stack.pop(-2), stack.pop()]
                keys = [_expect(key, str) for key in items[::2]]
                _expect(stack[-1], dict).update(zip(keys, items[1::2], strict=True))
            case "GLOBAL":
                stack.append(_named(arg))
            case "STACK_GLOBAL":
                name = _expect(stack.pop(), str)
                stack.append(_named(f"{_expect(stack.pop(), str)} {name}"))
            case "REDUCE":
                arguments = stack.pop()
                stack.append(_reduce(stack.pop(), _expect(arguments, tuple)))
            case "BUILD":
                state = stack.pop()
                stack.append(_build(stack.pop(), state))
            case "PROTO" | "FRAME":
                pass
            case "STOP":
                return stack.pop()
            case _:
                raise ValueError(f"it contains the instruction {instruction.name}")
    raise ValueError("it has no end")


def _expect(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise ValueError(f"it has {type(value).__name__} where {kind.__name__} must be")
    return value


def _named(name: str) -> _Mark:
    if name not in _NAMES:
        raise ValueError(f"it asks for {name[:80]!r}")
    return _NAMES[name]


def _reduce(function: Any, arguments: tuple[Any, ...]) -> _Mark:
    match function, arguments:
        case _Mark.RECONSTRUCT, (_Mark.NDARRAY, *_):
            return _Mark.EMPTY
        case _Mark.DTYPE, (str("u1"), *_):
            return _Mark.UINT8
    raise ValueError("it calls something else than the making of a uint8 array")


def _build(target: Any, state: Any) -> _Mark | NDArray[np.uint8]:
    match target, state:
        case _Mark.UINT8, _:  # byte order, fields and alignment: of no meaning for single bytes
            return _Mark.UINT8
        case _Mark.EMPTY, (int(), (int(n_rows), int(n_columns)), _Mark.UINT8, bool(is_fortran), str(text)):
            pixels = np.frombuffer(text.encode("latin-1"), np.uint8)
            return pixels.reshape(n_rows, n_columns, order="F" if is_fortran else "C")
    raise ValueError("it sets the state of something else than a uint8 array of two dimensions")
