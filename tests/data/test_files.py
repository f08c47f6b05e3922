"""Users' own files: what is read, and what is said about what cannot be."""

from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bnsearch.data.dataset import Dataset
from bnsearch.data.files import load
from bnsearch.errors import BnsearchError, DataError

ANY_BYTES = settings(
    max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


def npz(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "a.npz", **arrays)
    return folder / "a.npz"


def csv(folder: Path, text: str) -> Path:
    (folder / "a.csv").write_text(text)
    return folder / "a.csv"


def parquet(folder: Path, **columns: Any) -> Path:
    pd.DataFrame(columns).to_parquet(folder / "a.parquet")
    return folder / "a.parquet"


def error(path: Path, label: str = "label") -> str:
    """What a user is told about a file: one line that names it."""
    with pytest.raises(DataError) as caught:
        load(path, label)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def together(data: Dataset) -> list[tuple[float, ...]]:
    """All rows, each with its class's name turned into a number, in a fixed order."""
    X_test, y_test = data.read_test()
    names = np.array(data.classes)[np.concatenate([data.y, y_test])].astype(float)
    return sorted(map(tuple, np.column_stack([np.concatenate([data.X, X_test]), names]).tolist()))


X = np.arange(60, dtype=float).reshape(20, 3)
Y = np.repeat([7, 11], 10)


def test_the_same_rows_give_the_same_data_from_every_kind_of_file(tmp_path: Path) -> None:
    frame = {"a": X[:, 0], "label": Y, "b": X[:, 1].astype(int), "c": X[:, 2].astype(np.int16)}
    pd.DataFrame(frame).to_csv(tmp_path / "a.csv", index=False)
    sources = [load(npz(tmp_path, X=X, y=Y)), load(tmp_path / "a.csv"), load(parquet(tmp_path, **frame))]
    for data in sources:
        assert together(data) == sorted(map(tuple, np.column_stack([X, Y]).tolist()))
        assert data.classes == ("7", "11")  # sorted as numbers
        assert data.X.dtype == np.float32
        assert (data.X.shape, data.unit, data.image_shape) == ((16, 3), 1.0, None)
        assert np.bincount(data.read_test()[1]).tolist() == [2, 2]
        assert data.fingerprint == sources[0].fingerprint
    assert [data.name for data in sources] == ["a.npz", "a.csv", "a.parquet"]


def test_rows_sorted_by_label_are_shuffled_always_alike(tmp_path: Path) -> None:
    own = {"X_test": X[:2], "y_test": Y[:2]}
    X_long, y_long = np.tile(X, (10, 1)), np.repeat([7, 11], 100)
    for arrays in ({}, own):
        path = npz(tmp_path, X=X_long, y=y_long, **arrays)
        y = load(path).y
        assert 0.3 < y[: len(y) // 2].mean() < 0.7
        np.testing.assert_array_equal(load(path).y, y)


def test_an_archive_with_test_rows_of_its_own_keeps_them(tmp_path: Path) -> None:
    images = np.arange(20 * 12, dtype=np.uint8).reshape(20, 3, 2, 2)
    kinds = np.array(["hen", "cat"] * 10)
    data = load(npz(tmp_path, X=images, y=kinds, X_test=images[:4], y_test=kinds[:4]))
    assert data.classes == ("cat", "hen")
    assert data.image_shape == (3, 2, 2)
    assert data.X.dtype == np.uint8
    assert sorted(data.X.tolist()) == sorted(images.reshape(20, 12).tolist())
    X_test, y_test = data.read_test()
    np.testing.assert_array_equal(X_test, images[:4].reshape(4, 12))
    np.testing.assert_array_equal(y_test, [1, 0, 1, 0])


@pytest.mark.parametrize(
    ("X_test", "y_test", "message"),
    [
        (X[:2, :2], Y[:2], r"rows of shape \(3,\) in X_test as in X, but got \(2,\)"),
        (X[:2].astype(np.uint8), Y[:2], "uint8 in both X and X_test or in neither, but got float64 and uint8"),
        (X[:2].astype(str), Y[:2], r"must hold X_test as \(n, ...\) real numbers"),
        (X[0], Y[:2], r"must hold X_test as \(n, ...\) real numbers, but got float64 of shape \(3,\)"),
        (X[:2], Y[:1], r"y_test as \(2,\) whole numbers or text"),
        (X[:2], Y[:2] / 2, r"y_test as \(2,\) whole numbers or text, but got float64"),
        (X[:0], Y[:0], "at least 1 row in X_test"),
        (X[:2].astype(object), Y[:2], "without Python objects"),
        (X[:2], Y[:2].astype(object), "without Python objects"),
    ],
)
def test_test_rows_of_the_wrong_form_are_told_at_once(tmp_path: Path, X_test: Any, y_test: Any, message: str) -> None:
    """They were told by final, when the search was over and the look at the test set written down."""
    with pytest.raises(DataError, match=message) as caught:
        load(npz(tmp_path, X=X, y=Y, X_test=X_test, y_test=y_test))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("X_test", "y_test", "message"),
    [
        (X[:2], np.array([7, 12]), "test labels that occur in training, but has '12'"),
        (X[:2] * np.nan, Y[:2], r"test rows.* column 1 has nan in row 1"),
    ],
)
def test_wrong_test_rows_are_told_when_they_are_read(tmp_path: Path, X_test: Any, y_test: Any, message: str) -> None:
    data = load(npz(tmp_path, X=X, y=Y, X_test=X_test, y_test=y_test))
    with pytest.raises(DataError, match=message):
        data.read_test()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("name", ["X_test", "y_test"])
def test_loading_an_archive_does_not_read_its_test_rows(tmp_path: Path, name: str, save: Any) -> None:
    """Damage behind the header is not noticed before they are."""
    rng, path = np.random.default_rng(0), tmp_path / "a.npz"
    many, labels = rng.normal(size=(2000, 3)), rng.integers(0, 3, 2000)
    save(path, X=many, y=labels, X_test=many, y_test=labels)
    with ZipFile(path) as archive:
        member = archive.getinfo(f"{name}.npy")
    raw = bytearray(path.read_bytes())
    raw[member.header_offset + member.compress_size] ^= 0xFF  # among the last numbers
    path.write_bytes(raw)
    data = load(path)
    with pytest.raises(DataError, match="cannot be read"):
        data.read_test()


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint64, np.float16, np.float64])
def test_every_real_type_of_an_archive_is_taken(tmp_path: Path, dtype: type) -> None:
    data = load(npz(tmp_path, X=(X % 2).astype(dtype), y=Y > 7))
    assert data.X.dtype == np.float32
    assert data.classes == ("False", "True")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": X}, "must hold the arrays X and y, but holds 'X'"),
        ({}, "must hold the arrays X and y, but holds none"),
        ({"X": X, "y": Y, "X_test": X}, "both X_test and y_test or neither"),
        ({"X": X[0], "y": Y}, "must hold X as (n, ...) real numbers, but got float64 of shape (3,)"),
        ({"X": X + 1j, "y": Y}, "must hold X as (n, ...) real numbers, but got complex128"),
        ({"X": X.astype(str), "y": Y}, "must hold X as (n, ...) real numbers"),
        ({"X": X.astype(object), "y": Y}, "without Python objects"),
        ({"X": X, "y": Y.astype(object)}, "without Python objects"),
        ({"X": X, "y": Y.astype(float)}, "must hold y as (20,) whole numbers or text, but got float64"),
        ({"X": X, "y": Y[:19]}, "must hold y as (20,) whole numbers or text, but got int64 of shape (19,)"),
        ({"X": X, "y": Y[:, None]}, "must hold y as (20,)"),
        ({"X": X[:0], "y": Y[:0]}, "at least 2 rows"),
        ({"X": X[:, :0], "y": Y}, "at least one column"),
        ({"X": X, "y": Y * 0}, "at least 2 classes"),
        ({"X": X, "y": np.arange(20)}, "at least 2 rows of every class"),
        ({"X": X * 1e300, "y": Y}, "within float32's range, but column 2 has inf in row 1"),
    ],
)
def test_a_wrong_archive_is_told_what_must_hold(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    assert message in error(npz(tmp_path, **arrays))


GOOD = "a,b,label\n" + "1,2,x\n3,4,y\n" * 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "5,,x\n", "column 'b' has nan in row 11"),
        (GOOD + "5,6\n", "must have a label in every row, but column 'label' has none in row 11"),
        (GOOD + "5,inf,x\n", "column 'b' has inf in row 11"),
        (GOOD + "5,1e300,x\n", "column 'b' has inf in row 11"),
        (GOOD + "5,six,x\n", "numbers in every column but the label, but 'b' holds other values"),
        (GOOD + "5,6,x,7\n", "cannot be read"),
        (GOOD.replace("x\n", "x,1\n").replace("y\n", "y,1\n"), "more fields than its header"),
        (GOOD.replace("label", "kind"), "a column 'label' of labels, but has 'a', 'b', 'kind'"),
        (GOOD.replace("label", "a"), "a name of its own for every column, but has 'a', 'b', 'a'"),
        (GOOD.replace("a,", ","), "a name of its own for every column, but has '', 'b', 'label'"),
        (GOOD.replace("x", "0.5").replace("y", "1.5"), "whole numbers or text in the label column 'label', but got"),
        (GOOD.replace("y", "x"), "at least 2 classes"),
        (GOOD + "5,6,z\n", "at least 2 rows of every class"),
        ("label\nx\ny\n", "at least one column"),
        ("a,label\n", "at least 2 rows"),
        ("\n", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_a_wrong_table_is_told_what_must_hold(tmp_path: Path, text: str, message: str) -> None:
    assert message in error(csv(tmp_path, text))


def test_an_index_that_pandas_wrote_does_not_become_a_feature(tmp_path: Path) -> None:
    # in a file sorted by label the row's number gives the label away
    pd.DataFrame({"a": X[:, 0], "label": Y}).to_csv(tmp_path / "a.csv")
    assert "leave it out" in error(tmp_path / "a.csv")


@pytest.mark.parametrize("kind", ["str", "category", "Int64", "boolean", "int8"])
def test_labels_of_a_table_may_be_of_many_types(tmp_path: Path, kind: str) -> None:
    labels = pd.Series([0, 1] * 10).astype(kind)
    data = load(parquet(tmp_path, a=X[:, 0], label=labels))
    assert data.classes == (("False", "True") if kind == "boolean" else ("0", "1"))


def test_nullable_columns_are_read_unless_a_value_is_missing(tmp_path: Path) -> None:
    whole = pd.Series(range(20), dtype="Int64")
    truth = pd.Series([True, False] * 10, dtype="boolean")
    assert load(parquet(tmp_path, a=whole, b=truth, label=Y)).X.shape == (16, 2)
    assert "column 'a' has nan in row 5" in error(parquet(tmp_path, a=whole.where(whole != 4), b=truth, label=Y))


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pd.date_range("2000-01-01", periods=20), "but 'b' holds other values"),
        ([[1, 2]] * 20, "but 'b' holds other values"),
        ([b"x"] * 20, "but 'b' holds other values"),
    ],
)
def test_columns_that_are_no_numbers_are_named(tmp_path: Path, column: Any, message: str) -> None:
    assert message in error(parquet(tmp_path, a=X[:, 0], b=column, label=Y))
    assert "whole numbers or text in the label column 'b'" in error(parquet(tmp_path, a=X[:, 0], b=column), "b")


def test_columns_that_are_numbered_can_be_named(tmp_path: Path) -> None:
    pd.DataFrame(np.column_stack([X.astype(int), Y])).to_parquet(tmp_path / "a.parquet")
    assert load(tmp_path / "a.parquet", "3").classes == ("7", "11")


def test_a_wide_table_lists_its_first_columns_only(tmp_path: Path) -> None:
    path = parquet(tmp_path, **{f"p{column}": [1, 2] for column in range(3000)})
    assert len(error(path)) < 500


@pytest.mark.parametrize("ending", ["npz", "csv", "parquet"])
def test_what_is_no_such_file_is_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    assert "there is none" in error(path)
    path.mkdir()
    assert "there is none" in error(path)
    path.rmdir()
    for raw in (b"", b"\x00\xff\xfe", b"PK\x03\x04", b"\x80\x04N.", b"PAR1" * 9):
        path.write_bytes(raw)
        error(path)


def test_a_single_array_named_npz_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", X)
    (tmp_path / "a.npy").rename(tmp_path / "a.npz")
    assert "NumPy archive" in error(tmp_path / "a.npz")


def outcome(path: Path) -> None:
    """Load and read the test rows: success or an error of ours."""
    try:
        data = load(path)
        X_test, _ = data.read_test()
    except BnsearchError:
        return
    assert np.isfinite(data.X).all()
    assert np.isfinite(X_test).all()


@ANY_BYTES
@given(text=st.text(st.sampled_from('ab,\n"\r 01.-eE\0\ufefflabelxé'), max_size=60), raw=st.binary(max_size=40))
def test_any_table_is_read_or_refused(tmp_path: Path, text: str, raw: bytes) -> None:
    path = tmp_path / "a.csv"
    for content in (text.encode(), GOOD.encode() + text.encode(), raw, GOOD.encode() + raw):
        path.write_bytes(content)
        outcome(path)


@ANY_BYTES
@given(data=st.data())
def test_any_archive_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    path = npz(tmp_path, X=X, y=Y, X_test=X, y_test=Y)
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw[: data.draw(st.integers(len(raw) // 2, len(raw)))] if data.draw(st.booleans()) else raw)
    outcome(path)


def test_nobody_is_advised_to_let_a_file_run(tmp_path: Path) -> None:
    """NumPy says of what it does not know that allow_pickle=True may load it."""
    path = tmp_path / "no.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(DataError, match="must be a NumPy archive") as caught:
        load(path)
    assert "pickle" not in str(caught.value)
