"""A foreign pickle gives plain data or a DataError; it never runs anything."""

import contextlib
import copyreg
import io
import os
import pickle
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bnsearch.data import safe_pickle
from bnsearch.errors import DataError

Batch = Callable[[NDArray[np.uint8], Sequence[int]], bytes]

ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n"
NDARRAY = b"cnumpy\nndarray\n"
DTYPE = b"cnumpy\ndtype\n"
EMPTY_ARRAY = ARRAY + NDARRAY + b"K\x00\x85U\x01b\x87R"
UINT8 = DTYPE + b"U\x02u1K\x00K\x01\x87R"


def load(raw: bytes, folder: Path) -> dict[str, Any]:
    path = folder / "batch"
    path.write_bytes(raw)
    return safe_pickle.load(path)


def in_dict(value: bytes) -> bytes:
    """A dictionary of protocol 2 with one value."""
    return b"\x80\x02}U\x04data" + value + b"s."


def test_a_python_2_batch_is_read_as_pickle_would(tmp_path: Path, pickled_batch: Batch) -> None:
    X, y = np.arange(60, dtype=np.uint8).reshape(20, 3), list(range(20))
    raw = pickled_batch(X, y)
    ours, theirs = load(raw, tmp_path), pickle.load(io.BytesIO(raw), encoding="latin1")
    assert ours.keys() == theirs.keys()
    assert ours["labels"] == theirs["labels"] == y
    assert ours["filenames"] == theirs["filenames"]
    assert ours["data"].dtype == np.uint8
    np.testing.assert_array_equal(ours["data"], X)
    np.testing.assert_array_equal(ours["data"], theirs["data"])


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("key", ["data", b"data"])
def test_a_batch_saved_again_by_python_3_is_read(tmp_path: Path, protocol: int, order: Any, key: str | bytes) -> None:
    X = np.asarray(np.arange(600, dtype=np.uint8).reshape(200, 3), order=order)
    batch = load(pickle.dumps({key: X, b"labels": [1, 300, 70_000, -1, None, True]}, protocol), tmp_path)
    np.testing.assert_array_equal(batch["data"], X)
    assert batch["labels"] == [1, 300, 70_000, -1, None, True]


class Reduced:
    """Pickled, it asks for a call of `function`."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


class Subclass(np.ndarray):
    """An array that brings code of its own."""


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    "wrap", [lambda value: value, lambda value: {"data": value}, lambda value: {"data": [(value,)]}]
)
def test_a_call_is_not_carried_out(tmp_path: Path, protocol: int, wrap: Callable[[object], object]) -> None:
    created = tmp_path / "created"
    for harm in (Reduced(os.mkdir, str(created)), Reduced(eval, f"__import__('os').mkdir({str(created)!r})")):
        raw = pickle.dumps(wrap(harm), protocol)
        with pytest.raises(DataError, match="nothing was executed"):
            load(raw, tmp_path)
        assert not created.exists()
        pickle.loads(raw)
        created.rmdir()  # raises if the test's own pickle were harmless


TRICKS = {
    "os.system": b"cos\nsystem\nU\x04true\x85R",
    "builtins.eval": b"c__builtin__\neval\nU\x011\x85R",
    "a global alone": b"cos\nsystem\n",
    "a nested attribute": b"\x8c\x05numpy\x8c\x11ndarray.__class__\x93",
    "an attribute of an allowed name": b"\x8c\x15numpy.core.multiarray\x8c\x18_reconstruct.__globals__\x93",
    "a name that is no text": b"\x8c\x05numpyK\x01\x93",
    "numpy.core.multiarray.scalar": b"cnumpy.core.multiarray\nscalar\n" + UINT8 + b"U\x01x\x86R",
    "the old instance instructions": b"(U\x04trueios\nsystem\n",
    "an object of a class": b"(cos\nsystem\nU\x04trueo",
    "a new object of ndarray": NDARRAY + b"K\x02\x85\x85\x81",
    "a call of ndarray": NDARRAY + b"K\x02\x85\x85R",
    "reconstruct without ndarray": ARRAY + DTYPE + b"K\x00\x85U\x01b\x87R",
    "reconstruct without arguments": ARRAY + b"(tR",
    "a dtype of objects": DTYPE + b"U\x01OK\x00K\x01\x87R",
    "a dtype of records": DTYPE + b"U\x04u1,OK\x00K\x01\x87R",
    "an array of objects": EMPTY_ARRAY
    + b"(K\x01K\x01K\x01\x86"
    + DTYPE
    + b"U\x01OK\x00K\x01\x87R(K\x03U\x01|NNNK\x01K\x01K?tb\x89]Natb",
    "an array state of a list": EMPTY_ARRAY + b"(K\x01K\x01K\x01\x86" + UINT8 + b"\x89]Natb",
    "an array of the wrong size": EMPTY_ARRAY + b"(K\x01K\x01K\x02\x86" + UINT8 + b"\x89U\x01xtb",
    "an array of negative size": EMPTY_ARRAY
    + b"(K\x01J\xff\xff\xff\xffJ\xff\xff\xff\xff\x86"
    + UINT8
    + b"\x89U\x01xtb",
    "an array of a size beyond all": EMPTY_ARRAY + b"(K\x01\x8a\x0a1234567890K\x01\x86" + UINT8 + b"\x89U\x01xtb",
    "the state of a function": ARRAY + b"}U\x0c__defaults__K\x01sb",
    "the state of a function's slots": ARRAY + b"N}U\x0c__defaults__K\x01\x85s\x86b",
    "the state of a list": b"]}U\x01aK\x01sb",
    "a persistent id": b"Pos.system\n",
    "a persistent id of the stack": b"U\x01xQ",
    "a number where text must be": b"U\x01x}K\x01K\x02ss",
    "a list as a key": b"}]K\x02s",
    "an item of a number": b"K\x01U\x01xK\x02s",
    "appended to a number": b"K\x01K\x02a",
    "a set": b"\x8f",
    "a name of the memo that is not there": b"h\x05",
    "more taken than there is": b"000",
    "a tuple of more than there is": b"\x87\x87",
    "a mark that is not there": b"tttt",
}


@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS)
def test_a_trick_is_refused_in_one_line_that_names_the_file(tmp_path: Path, trick: bytes) -> None:
    with pytest.raises(DataError, match="nothing was executed") as caught:
        load(in_dict(trick), tmp_path)
    assert str(tmp_path / "batch") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_objects_arrays_and_other_numbers_are_refused(tmp_path: Path) -> None:
    for array in (
        np.array([{}], object),
        np.zeros((2, 2)),
        np.zeros((2, 2), "u1,u1"),
        np.zeros((1, 2, 3), np.uint8),
        np.zeros((2, 2), np.uint8).view(Subclass),
        np.uint8(1),
    ):
        for protocol in (2, 4, 5):
            with pytest.raises(DataError, match="nothing was executed"):
                load(pickle.dumps({"data": array}, protocol), tmp_path)


def test_an_extension_code_is_refused_even_if_pickle_knows_it_already(tmp_path: Path) -> None:
    # pickle's own Unpickler takes a code that it has met before from a cache, past `find_class`
    copyreg.add_extension("os", "getcwd", 240)
    try:
        assert pickle.loads(b"\x80\x02\x82\xf0.") is os.getcwd
        with pytest.raises(DataError, match="EXT1"):
            load(in_dict(b"\x82\xf0)R"), tmp_path)
    finally:
        copyreg.remove_extension("os", "getcwd", 240)


@pytest.mark.parametrize(
    "raw",
    [b"", b".", b"\x80", b"garbage", b"\x80\x02}", b"\x80\x02K\x01.", b"\x80\x02].", b"\x80\x02)U\x01.", bytes(1000)],
)
def test_what_is_no_pickled_dictionary_is_refused(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(DataError, match="must be a pickle"):
        load(raw, tmp_path)


def test_a_batch_cut_off_anywhere_is_refused(tmp_path: Path, pickled_batch: Batch) -> None:
    raw = pickled_batch(np.zeros((2, 3), np.uint8), [0, 1])
    for length in range(len(raw)):
        with pytest.raises(DataError, match="must be a pickle"):
            load(raw[:length], tmp_path)


BOMBS = {
    "a string that is not there": b"T\xff\xff\xff\x7f",
    "bytes that are not there": b"\x8e" + (2**40).to_bytes(8, "little"),
    "a frame that is not there": b"\x95" + (2**40).to_bytes(8, "little") + b"N",
    "a far place in the memo": b"Nr\xff\xff\xff\xff",
    "an array that is not there": EMPTY_ARRAY
    + b"(K\x01J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86"
    + UINT8
    + b"\x89U\x01xtb",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_promise_of_much_data_takes_no_memory(tmp_path: Path, bomb: bytes) -> None:
    tracemalloc.start()
    try:
        with contextlib.suppress(DataError):
            load(in_dict(bomb), tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("many", [b"]" * 300_000, b"N" + b"\x85" * 300_000], ids=["lists", "nested tuples"])
def test_more_instructions_than_a_batch_has_are_not_carried_out(tmp_path: Path, many: bytes) -> None:
    with pytest.raises(DataError, match="more than 200,000 instructions"):
        load(in_dict(many), tmp_path)


def test_a_file_too_large_for_a_batch_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "batch").open("wb") as file:
        file.truncate(safe_pickle.MAX_BYTES + 1)
    with pytest.raises(DataError, match="at most 100,000,000 bytes"):
        safe_pickle.load(tmp_path / "batch")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        safe_pickle.load(tmp_path / "batch")


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_bytes_give_data_or_a_data_error(tmp_path: Path, pickled_batch: Batch, data: st.DataObject) -> None:
    raw = bytearray(pickled_batch(np.zeros((2, 3), np.uint8), [0, 1]))
    for _ in range(data.draw(st.integers(0, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    for content in (bytes(raw), in_dict(data.draw(st.binary(max_size=60)))):
        try:
            batch = load(content, tmp_path)
        except DataError:
            continue
        assert all(isinstance(key, str) for key in batch)
