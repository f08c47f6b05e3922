"""Arrays and texts come back bit for bit, or it is said that they were altered."""

import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from bnsearch.data.tensor_file import read_tensors, write_tensors
from bnsearch.errors import ModelError
from tests.search.helpers import untimed

TENSORS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3).T, "b": np.array([np.nan, -0.0])}
TEXT = {"format": "something-1", "note": 'ä "quoted" note'}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_tensors(tmp_path / "new" / "a.safetensors", TENSORS, TEXT)
    return tmp_path / "new" / "a.safetensors"


def test_all_of_it_comes_back(path: Path) -> None:
    found = read_tensors(path)
    assert found is not None
    assert found.text == TEXT
    assert found.is_as_written
    for name, array in TENSORS.items():
        np.testing.assert_array_equal(found.tensors[name], array, strict=True)
        assert found.tensors[name].tobytes() == array.tobytes()


def test_the_one_before_is_kept_where_that_is_asked_for(path: Path) -> None:
    write_tensors(path, {"a": np.zeros(2)}, {}, keep=path.with_suffix(".previous"))
    before, now = read_tensors(path.with_suffix(".previous")), read_tensors(path)
    assert before is not None
    assert now is not None
    assert (before.text, now.text) == (TEXT, {})


@given(st.data())
@untimed
def test_no_altered_bit_is_taken_for_what_was_written(path: Path, data: st.DataObject) -> None:
    whole = path.read_bytes()
    at, bit = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 7))
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
    found = None
    with suppress(ModelError):
        found = read_tensors(path)
    path.write_bytes(whole)
    assert found is None or not found.is_as_written


def test_without_a_checksum_it_is_not_known_to_be_as_it_was_written(tmp_path: Path) -> None:
    save_file({"a": np.zeros(2)}, tmp_path / "a", metadata=TEXT)
    found = read_tensors(tmp_path / "a")
    assert found is not None
    assert (found.has_checksum, found.is_as_written) == (False, False)


def test_what_is_no_such_file_is_refused_in_one_line(tmp_path: Path) -> None:
    assert read_tensors(tmp_path / "nothing") is None
    os.mkfifo(tmp_path / "pipe")  # which would let wait for ever
    (tmp_path / "folder").mkdir()
    (tmp_path / "garbage").write_bytes(b"garbage\n" * 10)
    for name in ("pipe", "folder", "garbage"):
        with pytest.raises(ModelError, match=rf"{name} must be a readable safetensors file, but: .*\.$") as caught:
            read_tensors(tmp_path / name)
        assert "\n" not in str(caught.value)
