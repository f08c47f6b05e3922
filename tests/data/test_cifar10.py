"""CIFAR-10 from a folder, from the cache, from the internet; small batch files stand for the real ones."""

import io
import runpy
import sys
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pooch
import pytest
import requests
from numpy.typing import NDArray

from bnsearch.data import cifar10
from bnsearch.data.dataset import Dataset
from bnsearch.errors import DataError, DownloadError

Batch = Callable[[NDArray[np.uint8], Sequence[int]], bytes]
RowsOf = Callable[[int], tuple[NDArray[np.uint8], list[int]]]
Write = Callable[[Path], Path]

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "cifar10"
NAME = "cifar-10-batches-py"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home; gives the folder that would be the cache."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home" / "cache"))
    monkeypatch.delenv("BNSEARCH_DATA", raising=False)
    return tmp_path / "home" / "cache" / "bnsearch"


@pytest.fixture
def folder(tmp_path: Path, write_cifar10: Write) -> Path:
    return write_cifar10(tmp_path / "data" / NAME)


def load(place: Path | None = None) -> Dataset:
    return cifar10.load(place, rows_per_file=20)


def test_the_five_batches_follow_each_other(folder: Path, rows_of: RowsOf) -> None:
    data = load(folder)
    np.testing.assert_array_equal(data.X, np.concatenate([rows_of(number)[0] for number in range(1, 6)]))
    np.testing.assert_array_equal(data.y, np.concatenate([rows_of(number)[1] for number in range(1, 6)]))
    assert data.X.dtype == np.uint8
    assert data.y.dtype == np.int64
    assert data.classes[0] == "airplane"
    assert data.classes[9] == "truck"
    assert data.unit == 1 / 255
    assert data.image_shape == (3, 32, 32)
    X_test, y_test = data.read_test()
    np.testing.assert_array_equal(X_test, rows_of(6)[0])
    np.testing.assert_array_equal(y_test, rows_of(6)[1])


def test_the_folder_is_found_at_or_in_every_place(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, write_cifar10: Write
) -> None:
    expected = load(folder).fingerprint
    assert load(folder.parent).fingerprint == expected
    renamed = folder.rename(folder.parent / "another-name")
    assert load(renamed).fingerprint == expected
    monkeypatch.setenv("BNSEARCH_DATA", str(renamed))
    assert load().fingerprint == expected
    monkeypatch.setenv("BNSEARCH_DATA", str(renamed.parent))
    write_cifar10(cache / NAME)
    assert load().fingerprint == expected


def test_a_data_folder_without_the_files_is_an_error_even_if_the_cache_has_them(
    tmp_path: Path, cache: Path, write_cifar10: Write
) -> None:
    write_cifar10(cache / NAME)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"must be cifar-10-batches-py or hold it, but .*empty does not"):
        load(tmp_path / "empty")


def test_loading_never_reads_the_test_batch(folder: Path) -> None:
    expected = load(folder).fingerprint
    size = (folder / "test_batch").stat().st_size
    (folder / "test_batch").write_bytes(bytes(size - 1) + b".")
    data = load(folder)
    assert data.fingerprint == expected
    with pytest.raises(DataError, match="test_batch must be a pickle"):
        data.read_test()


@pytest.mark.parametrize("name", ["data_batch_1", "data_batch_5", "test_batch"])
def test_a_missing_or_cut_off_batch_is_named_before_anything_is_searched(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes()[:1000])
    with pytest.raises(DataError, match=rf"{name} must hold 20 images, but has only 1,000 bytes"):
        load(folder)
    (folder / name).unlink()
    with pytest.raises(DataError, match=f"{name} .* is missing"):
        load(folder)


def test_a_test_batch_that_is_no_pickle_is_named_before_anything_is_searched(folder: Path) -> None:
    """It was found out when the search was over and the look at the test set written down."""
    whole = (folder / "test_batch").read_bytes()
    for damaged in (whole[:-1], whole + bytes(9), bytes(len(whole))):
        (folder / "test_batch").write_bytes(damaged)
        with pytest.raises(DataError, match="test_batch must be a whole pickle, but does not end like one"):
            load(folder)


PIXELS = np.zeros((20, 3072), np.uint8)
LABELS = list(range(10)) * 2


@pytest.mark.parametrize(
    ("X", "labels", "message"),
    [
        (PIXELS[:, 1:], LABELS, r"`data`, uint8 of shape \(20, 3072\), but got shape \(20, 3071\)"),
        (np.zeros((21, 3072), np.uint8), LABELS, r"got shape \(21, 3072\)"),
        (PIXELS, LABELS[1:], "a list of 20 `labels`, but got 19 of them"),
        (PIXELS, [*LABELS[1:], 10], r"labels in 0\.\.9, but number 20 is 10"),
    ],
)
def test_a_batch_of_the_wrong_form_is_named(
    folder: Path, pickled_batch: Batch, X: NDArray[np.uint8], labels: list[int], message: str
) -> None:
    (folder / "data_batch_3").write_bytes(pickled_batch(X, labels) + bytes(9999))
    with pytest.raises(DataError, match=message) as caught:
        load(folder)
    assert str(folder / "data_batch_3") in str(caught.value)


def test_a_batch_without_data_or_labels_is_named(folder: Path) -> None:
    (folder / "data_batch_2").write_bytes(b"\x80\x02}." + bytes(99_999))
    with pytest.raises(DataError, match=r"data_batch_2 must hold `data`, .* but got NoneType"):
        load(folder)


def test_class_names_are_optional_but_not_arbitrary(folder: Path) -> None:
    expected = load(folder)
    meta = folder / "batches.meta"
    meta.write_bytes(meta.read_bytes().replace(b"U\x05truck", b"U\x05lorry"))
    assert load(folder).classes[9] == "lorry"
    meta.write_bytes(meta.read_bytes().replace(b"U\x05lorry", b""))
    with pytest.raises(DataError, match=r"batches.meta must hold `label_names`, a list of 10 names"):
        load(folder)
    meta.unlink()
    assert load(folder).fingerprint == expected.fingerprint


def refuse(error: Exception) -> Callable[..., str]:
    def retrieve(*_: object, **__: object) -> str:
        raise error

    return retrieve


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (requests.ConnectionError("HTTPSConnectionPool:\nMax retries exceeded"), "ConnectionError"),
        (requests.ReadTimeout("too slow"), "ReadTimeout"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (ValueError("MD5 hash of downloaded file does not match"), "checksum"),
    ],
)
def test_without_a_way_to_the_internet_one_line_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, cache: Path, error: Exception, reason: str
) -> None:
    monkeypatch.setattr(pooch, "retrieve", refuse(error))
    with pytest.raises(DownloadError) as caught:
        load()
    message = str(caught.value)
    for part in (reason, cifar10.URL, str(cache), "`digits` study needs no download"):
        assert part in message
    assert "\n" not in message


def archive(path: Path, *members: tarfile.TarInfo, files: Path | None = None) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        if files:
            tar.add(files, files.name)
        for member in members:
            tar.addfile(member, io.BytesIO(bytes(member.size)))
    return path


def test_a_download_is_unpacked_into_the_cache_and_used_from_then_on(
    tmp_path: Path, cache: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def retrieve(url: str, *, known_hash: str, fname: str, path: Path, progressbar: object) -> str:
        assert (url, known_hash) == (cifar10.URL, f"md5:{cifar10.MD5}")
        path.mkdir(parents=True)
        return str(archive(path / fname, files=folder))

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    expected = load(folder).fingerprint
    assert load().fingerprint == expected
    assert [path.name for path in cache.iterdir()] == [NAME]  # neither the archive nor a temporary folder is left
    monkeypatch.setattr(pooch, "retrieve", refuse(AssertionError("downloaded twice")))
    assert load().fingerprint == expected


@pytest.mark.parametrize("when", ["before it is unpacked", "before it is removed"])
def test_another_process_may_be_faster_with_the_same_download(
    when: str, tmp_path: Path, cache: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def retrieve(url: str, *, known_hash: str, fname: str, path: Path, progressbar: object) -> str:
        path.mkdir(parents=True)
        found = archive(path / fname, files=folder)
        if when == "before it is unpacked":
            finish_elsewhere(found, path)
        return str(found)

    def finish_elsewhere(found: Path, into: Path) -> Path:
        done = unpack(found, into)
        found.unlink()
        return done

    unpack = cifar10.unpack
    monkeypatch.setattr(pooch, "retrieve", retrieve)
    if when == "before it is removed":
        monkeypatch.setattr(cifar10, "unpack", finish_elsewhere)
    assert load().fingerprint == load(folder).fingerprint
    assert [path.name for path in cache.iterdir()] == [NAME]


def link(name: str, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


def file(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = 4
    return member


@pytest.mark.parametrize(
    "members",
    [
        [file("../evil")],
        [file(f"{NAME}/../../evil")],
        [link(f"{NAME}/link", "/")],
        [link(f"{NAME}/link", "../.."), file(f"{NAME}/link/evil")],
        [],
        [file("another-folder/data_batch_1")],
    ],
)
def test_a_bad_archive_is_refused_and_nothing_is_written(tmp_path: Path, members: list[tarfile.TarInfo]) -> None:
    into = tmp_path / "outer" / "cache"
    into.mkdir(parents=True)
    path = archive(into / "cifar.tar.gz", *members)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DataError, match=r"cifar\.tar\.gz must be the published archive") as caught:
        cifar10.unpack(path, into)
    assert sorted(tmp_path.rglob("*")) == before
    assert "\n" not in str(caught.value)


def test_a_damaged_archive_is_refused(tmp_path: Path, folder: Path) -> None:
    raw = archive(tmp_path / "whole.tar.gz", files=folder).read_bytes()
    path = tmp_path / "damaged.tar.gz"
    for damaged in (b"", b"garbage", raw[:-1000], raw[:1000] + bytes(1000) + raw[2000:]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="must be the published archive"):
            cifar10.unpack(path, tmp_path)
        assert not (tmp_path / NAME).exists()


def test_another_process_may_have_unpacked_first(tmp_path: Path, folder: Path) -> None:
    path = archive(tmp_path / "cifar.tar.gz", files=folder)
    before = (folder / "data_batch_1").stat().st_ino
    assert cifar10.unpack(path, folder.parent) == folder
    assert (folder / "data_batch_1").stat().st_ino == before


@pytest.fixture(scope="session")
def shared_cifar10(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (SHARED / "unpack.py").exists():
        pytest.skip("the full data set is not in ../shared/cifar10")
    pytest.importorskip("PIL", reason="unpacking the full data set needs pillow")
    into = tmp_path_factory.mktemp("cifar10")
    write_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        runpy.run_path(str(SHARED / "unpack.py"))["main"](into)
    finally:
        sys.dont_write_bytecode = write_bytecode
    return into


@pytest.mark.slow
def test_the_full_data_set_has_its_published_counts(shared_cifar10: Path) -> None:
    data = cifar10.load(shared_cifar10)
    assert data.X.shape == (50_000, 3072)
    np.testing.assert_array_equal(np.bincount(data.y), [5000] * 10)
    X_test, y_test = data.read_test()
    assert X_test.shape == (10_000, 3072)
    np.testing.assert_array_equal(np.bincount(y_test), [1000] * 10)


def test_a_folder_named_by_the_environment_must_exist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It was passed over without a word, and 163 MiB were downloaded."""
    monkeypatch.setenv("BNSEARCH_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"BNSEARCH_DATA must name a folder, but there is none at .*nowhere"):
        cifar10.find()
