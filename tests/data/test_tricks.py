"""The known tricks: a file that would run something, write elsewhere, or ask for all memory, is refused; a guard sees
to it that nothing is started, unpickled or written outside meanwhile.
"""

import io
import os
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bnsearch.data import cifar10, files
from bnsearch.errors import DataError
from bnsearch.model import load_model
from tests.fuzz.guard import only_in

NAME = cifar10.FOLDER


class Harm:
    """Pickled, it asks for a folder to be made."""

    def __init__(self, path: Path):
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


def test_the_guard_sees_what_it_must_see(tmp_path: Path) -> None:
    """Else the tests below show nothing."""
    inner = tmp_path / "inner"
    inner.mkdir()
    harmful: dict[str, Callable[[], object]] = {
        "a pickle": lambda: pickle.loads(pickle.dumps(Harm(inner / "made"))),
        "a command": lambda: os.system("true"),
        "a file": lambda: (tmp_path / "outside").write_text("x"),
        "a folder": lambda: (tmp_path / "outside").mkdir(),
        "a link": lambda: (tmp_path / "outside").symlink_to(inner),
    }
    for harm in harmful.values():
        with only_in(inner), pytest.raises(AssertionError):
            harm()
    with only_in(inner):
        (inner / "inside").write_text("x")
    assert [path.name for path in tmp_path.iterdir()] == ["inner"]


# ---- archives of CIFAR-10


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", size: int = 4) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname = kind, target
    found.size = size if kind == tarfile.REGTYPE else 0
    return found


SIX = [member(f"{NAME}/{name}") for name in (*cifar10.TRAIN_FILES, cifar10.TEST_FILE)]
LONG = "/".join(["d" * 200] * 20)
ARCHIVES = {
    "a path upwards": [member("../evil")],
    "a path upwards from within": [member(f"{NAME}/../../evil")],
    "an absolute path": [member("/tmp/evil")],
    "a Windows path": [member("C:\\evil")],
    "a symbolic link": [member(f"{NAME}/link", tarfile.SYMTYPE, "../../..")],
    "a symbolic link to an absolute path": [member(f"{NAME}/link", tarfile.SYMTYPE, "/etc/passwd")],
    "a symbolic link within": [member(f"{NAME}/link", tarfile.SYMTYPE, "data_batch_1")],
    "a file through a link": [member(f"{NAME}/link", tarfile.SYMTYPE, ".."), member(f"{NAME}/link/evil")],
    "the folder itself as a link": [member(NAME, tarfile.SYMTYPE, "..")],
    "a batch as a link": [member(f"{NAME}/data_batch_1", tarfile.SYMTYPE, "../../secret")],
    "a hard link": [member(f"{NAME}/link", tarfile.LNKTYPE, "../../secret")],
    "a hard link within": [member(f"{NAME}/link", tarfile.LNKTYPE, f"{NAME}/data_batch_1")],
    "a chain of links with a long path": [
        member(f"{NAME}/{LONG}", tarfile.DIRTYPE),
        member(f"{NAME}/a", tarfile.SYMTYPE, LONG),
        member(f"{NAME}/b", tarfile.LNKTYPE, f"{NAME}/a/../../../../evil"),
    ],
    "a device": [member(f"{NAME}/device", tarfile.CHRTYPE)],
    "a pipe": [member(f"{NAME}/pipe", tarfile.FIFOTYPE)],
    "a folder within": [member(f"{NAME}/folder", tarfile.DIRTYPE)],
    "another folder": [member("other/file")],
    "a file in the place of the folder": [member(NAME)],
    "a file that is too large": [member(f"{NAME}/large", size=200_000_000)],
}


def write_archive(path: Path, members: list[tarfile.TarInfo]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for one in members:
            tar.addfile(one, io.BytesIO(bytes(one.size)))
    return path


@pytest.fixture(params=["this Python", "one without a filter"])
def python(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """3.11.0 to 3.11.3 have none, Debian's among them."""
    if request.param == "one without a filter":
        monkeypatch.delattr(tarfile, "data_filter", raising=False)


@pytest.mark.parametrize("first", [False, True], ids=["after the files", "before the files"])
@pytest.mark.parametrize("members", ARCHIVES.values(), ids=ARCHIVES)
@pytest.mark.usefixtures("python")
def test_an_archive_that_reaches_elsewhere(tmp_path: Path, members: list[tarfile.TarInfo], first: bool) -> None:
    into = tmp_path / "outer" / "cache"
    into.mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    path = write_archive(into / "cifar.tar.gz", [*members, *SIX] if first else [*SIX, *members])
    before = sorted(tmp_path.rglob("*"))
    with only_in(into), pytest.raises(DataError, match=r"cifar\.tar\.gz must be the published archive") as caught:
        cifar10.unpack(path, into)
    assert sorted(tmp_path.rglob("*")) == before
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("python")
def test_an_archive_of_the_six_files_is_unpacked_without_rights_that_nobody_needs(tmp_path: Path) -> None:
    members = [member(NAME, tarfile.DIRTYPE), *SIX, member(f"{NAME}/readme.html")]
    for one in members:
        one.mode, one.uid, one.gid = 0o6777, 12345, 12345
    cifar10.unpack(write_archive(tmp_path / "cifar.tar.gz", members), tmp_path)
    found = list((tmp_path / NAME).iterdir())
    assert [path.read_bytes() for path in found] == [bytes(4)] * 7
    assert all(path.stat().st_mode & 0o7022 == 0 for path in found)
    assert all(path.stat().st_uid == os.geteuid() for path in found)


# ---- archives of NumPy


def npz(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return path


def npy(array: Any, allow_pickle: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=allow_pickle)
    return file.getvalue()


def header(text: str, version: int = 1) -> bytes:
    width = 2 if version == 1 else 4
    return b"\x93NUMPY" + bytes([version, 0]) + (len(text) + 1).to_bytes(width, "little") + text.encode() + b"\n"


X, y = npy(np.arange(60.0).reshape(20, 3)), npy(np.arange(20) % 2)


def objects(tmp_path: Path) -> bytes:
    return npy(np.array([Harm(tmp_path / "made")] * 20, object), allow_pickle=True)


BAD_ARRAYS: dict[str, Callable[[Path], dict[str, bytes]]] = {
    "labels that are pickled objects": lambda folder: {"X__npy": X, "y__npy": objects(folder)},
    "inputs that are pickled objects": lambda folder: {"X__npy": objects(folder), "y__npy": y},
    "test labels that are pickled objects": lambda folder: {
        **{"X__npy": X, "y__npy": y, "X_test__npy": X},
        "y_test__npy": objects(folder),
    },
    "an array that is a pickle": lambda folder: {"X__npy": X, "y__npy": pickle.dumps(Harm(folder / "made"))},
    "records with objects": lambda folder: {
        "X__npy": header("{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (20,), }") + bytes(160),
        "y__npy": y,
    },
    "a header that is a program": lambda folder: {
        "X__npy": header(f"__import__('os').mkdir({str(folder / 'made')!r})"),
        "y__npy": y,
    },
    "a header of a terabyte": lambda folder: {
        "X__npy": header("{'descr': '<f8', 'fortran_order': False, 'shape': (20, 8000000000), }") + bytes(100),
        "y__npy": y,
    },
    "labels of four gigabytes each": lambda folder: {
        "X__npy": X,
        "y__npy": header("{'descr': '<U1000000000', 'fortran_order': False, 'shape': (20,), }") + bytes(100),
    },
    "a header of many brackets": lambda folder: {"X__npy": header("(" * 9000, 2), "y__npy": y},
    "two arrays of one name": lambda folder: {"X__npy": X, "y__npy": y, "y": objects(folder)},
}


@pytest.mark.parametrize("name", BAD_ARRAYS)
def test_an_archive_of_arrays_that_does_harm(tmp_path: Path, name: str) -> None:
    path = npz(tmp_path / "mine.npz", **BAD_ARRAYS[name](tmp_path))
    with only_in(tmp_path), pytest.raises(DataError, match=r"mine\.npz must ") as caught:
        files.load(path)
    assert not (tmp_path / "made").exists()
    assert "\n" not in str(caught.value)


def test_members_that_nobody_asked_for_are_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    path = npz(tmp_path / "inner" / "mine.npz", X__npy=X, y__npy=y)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../evil.npy", X)
        archive.writestr("/tmp/evil-of-bnsearch.npy", X)
    with only_in(tmp_path / "inner"):
        assert files.load(path).X.shape[1] == 3
    assert [p.name for p in tmp_path.iterdir()] == ["inner"]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_flipped_bit_in_an_archive_is_noticed(tmp_path: Path, save: Any) -> None:
    path = tmp_path / "mine.npz"
    save(path, X=np.random.default_rng(0).normal(size=(200, 5)), y=np.arange(200) % 2)
    whole = path.read_bytes()
    for at in range(200, len(whole) // 2, 97):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        with pytest.raises(DataError, match=r"mine\.npz must be a NumPy archive"):
            files.load(path)


# ---- tables


def test_a_type_of_parquet_that_was_a_pickle_runs_nothing(tmp_path: Path) -> None:
    """pyarrow once loaded such types with pickle (CVE-2023-47248)."""
    harm = pickle.dumps(Harm(tmp_path / "made"))
    metadata = {"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": harm}
    field = pa.field("x", pa.float64(), metadata=metadata)
    schema = pa.schema([field, pa.field("label", pa.int64())])
    table = pa.Table.from_arrays([pa.array(np.arange(20.0)), pa.array(np.arange(20) % 2)], schema=schema)
    pq.write_table(table, tmp_path / "mine.parquet")
    with only_in(tmp_path):
        assert files.load(tmp_path / "mine.parquet").X.shape[1] == 1
    assert not (tmp_path / "made").exists()


def test_a_flipped_bit_in_a_table_with_checksums_is_noticed(tmp_path: Path) -> None:
    table = pa.table({"x": np.arange(2000.0), "label": np.arange(2000) % 2})
    path = tmp_path / "mine.parquet"
    pq.write_table(table, path, write_page_checksum=True, compression="none", use_dictionary=False)
    whole = path.read_bytes()
    assert files.load(path).X.shape[1] == 1
    path.write_bytes(whole[:500] + bytes([whole[500] ^ 4]) + whole[501:])
    with pytest.raises(DataError, match=r"mine\.parquet must be a table"):
        files.load(path)


@pytest.mark.parametrize("source", ["http://localhost:1/x.csv", "file:///etc/passwd.csv", "s3://bucket/x.parquet"])
def test_a_table_is_never_fetched(tmp_path: Path, source: str) -> None:
    from bnsearch.data.load import load

    with only_in(tmp_path), pytest.raises(DataError, match="must be a data file, but there is none"):
        load(source, base=tmp_path)


@pytest.mark.parametrize("ending", [".npz", ".csv", ".parquet"])
def test_what_would_never_end_is_not_read(tmp_path: Path, ending: str) -> None:
    os.mkfifo(tmp_path / f"pipe{ending}")
    (tmp_path / f"zero{ending}").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        with pytest.raises(DataError, match="must be a data file, but there is none"):
            files.load(tmp_path / f"{name}{ending}")


# ---- models


def test_a_model_that_is_a_pickle_or_never_ends_is_not_loaded(tmp_path: Path) -> None:
    from bnsearch.errors import ModelError

    (tmp_path / "pickle").write_bytes(pickle.dumps(Harm(tmp_path / "made")))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("pickle", "pipe", "zero"):
        with only_in(tmp_path), pytest.raises(ModelError, match="must be a readable safetensors file"):
            load_model(tmp_path / name)
    assert not (tmp_path / "made").exists()
