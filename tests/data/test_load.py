"""A source's name leads to the right loader."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bnsearch.data.load import load
from bnsearch.errors import DataError


def test_digits_need_nothing_else() -> None:
    assert load("digits").name == "digits"


def test_the_data_folder_reaches_cifar10(tmp_path: Path, write_cifar10: Callable[[Path], Path]) -> None:
    write_cifar10(tmp_path / "cifar-10-batches-py")  # of 20 rows a file, where the real ones have 10,000
    with pytest.raises(DataError, match=r"data_batch_1 must hold 10000 images"):
        load("cifar10", data_dir=tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine" / "points.csv"
    path.parent.mkdir()
    path.write_text("a,kind\n" + "1,x\n2,y\n" * 5)
    return path


def test_a_relative_path_starts_at_the_study_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = load("mine/points.csv", base=file.parent.parent, label="kind")
    assert data.name == "points.csv"
    assert data.classes == ("x", "y")
    assert load(Path("mine") / "points.csv", base=file.parent.parent, label="kind").fingerprint == data.fingerprint
    assert load(str(file), base=Path("elsewhere"), label="kind").fingerprint == data.fingerprint
    monkeypatch.chdir(file.parent)
    assert load("points.csv", label="kind").fingerprint == data.fingerprint
    monkeypatch.setenv("HOME", str(file.parent))
    assert load("~/points.csv", base=Path("elsewhere"), label="kind").fingerprint == data.fingerprint


def test_the_ending_may_be_in_capitals(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=np.eye(10), y=np.arange(10) % 2)
    (tmp_path / "a.npz").rename(tmp_path / "A.NPZ")
    assert load("A.NPZ", base=tmp_path).X.shape == (8, 10)


@pytest.mark.parametrize("source", ["mnist", "cifar10.txt", "", ".", "digits/", "a.npz.gz", "npz", "~nobody/a"])
def test_an_unknown_source_is_answered_with_what_is_possible(source: str) -> None:
    with pytest.raises(DataError, match=r"'digits', 'cifar10' or a path ending in \.npz, \.csv, \.parquet") as caught:
        load(source)
    assert repr(source) in str(caught.value)


def test_loading_imports_no_more_than_the_source_needs() -> None:
    code = "import sys, bnsearch.data.load; print(*{'pandas', 'pooch', 'requests', 'sklearn'} & set(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
