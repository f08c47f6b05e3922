"""CIFAR-10: 50,000 + 10,000 colour images of 32 x 32 pixels in ten classes, from the published Python version.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
"""

import os
import pickle
import shutil
import tarfile
import zlib
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from platformdirs import user_cache_path

from bnsearch.data import safe_pickle
from bnsearch.data.dataset import Dataset, Rows, dataset, one_line
from bnsearch.data.disk_error import cause_and_remedy
from bnsearch.data.own_folder import own_folder
from bnsearch.errors import DataError, DownloadError

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
MD5 = "c58f30108f718f92721af3b95e74349a"
FOLDER = "cifar-10-batches-py"
TRAIN_FILES = tuple(f"data_batch_{i}" for i in range(1, 6))
TEST_FILE = "test_batch"
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
IMAGE_SHAPE = (3, 32, 32)
N_PIXELS = 3 * 32 * 32


class Progress(Protocol):
    """What pooch asks of a progress bar; `total` is set to the number of bytes before the first `update`."""

    total: int

    def update(self, n_bytes: int, /) -> object: ...
    def reset(self) -> object: ...
    def close(self) -> object: ...


def load(data_dir: Path | None = None, *, progress: Progress | None = None, rows_per_file: int = 10_000) -> Dataset:
    """Load CIFAR-10: X (50000, 3072) uint8, each row 3 colours x 32 x 32 pixels, unit 1/255.

    The files are looked for in `data_dir` alone if it is given, else in $BNSEARCH_DATA and in the user's cache; each
    may be the folder of the batch files or the one around it. Where there are none they are downloaded into the cache.
    Before `read_test` is called the test batch is not read but for its last byte. Pixels and labels are checked in form
    and range, checksums only of what is downloaded. Raises DataError, and DownloadError where the files cannot be
    fetched.
    """
    folder = find(data_dir) or download(user_cache_path("bnsearch"), progress)
    for name in (*TRAIN_FILES, TEST_FILE):
        _check_size(folder / name, rows_per_file)
    _check_end(folder / TEST_FILE)
    batches = [read_batch(folder / name, rows_per_file) for name in TRAIN_FILES]
    X = np.concatenate([X for X, _ in batches])
    y = np.concatenate([y for _, y in batches])
    read_test = partial(read_batch, folder / TEST_FILE, rows_per_file)
    classes = _read_classes(folder / "batches.meta")
    return dataset(str(folder), "cifar10", X, y, classes, read_test, unit=1 / 255, image_shape=IMAGE_SHAPE)


def find(data_dir: Path | None = None) -> Path | None:
    """Find the folder of the batch files, or None; where `data_dir` is given and it is not there, raise DataError."""
    if data_dir is not None:
        if (folder := _folder_in(data_dir)) is None:
            raise DataError(
                f"The data folder must be {FOLDER} or hold it, but {data_dir} does not: correct the path, "
                "or leave the data folder out to have CIFAR-10 downloaded."
            )
        return folder
    named = os.environ.get("BNSEARCH_DATA")
    if named and not os.path.isdir(named):
        raise DataError(
            f"BNSEARCH_DATA must name a folder, but there is none at {named}: correct the path, or unset it."
        )
    return (_folder_in(Path(named)) if named else None) or _folder_in(user_cache_path("bnsearch"))


def download(cache: Path, progress: Progress | None = None) -> Path:
    """Download CIFAR-10 (163 MiB) into the folder `cache`, check its published MD5 sum and unpack it there.

    Raises DownloadError where it cannot be fetched, DataError where the archive cannot be unpacked.
    """
    import pooch

    try:
        archive = pooch.retrieve(
            URL, known_hash=f"md5:{MD5}", fname=URL.rpartition("/")[2], path=cache, progressbar=progress or False
        )
    except (OSError, ValueError) as error:  # requests' errors are OSErrors; a wrong checksum is pooch's ValueError
        reason = "its checksum is wrong" if isinstance(error, ValueError) else error.strerror or type(error).__name__
        raise DownloadError(
            f"CIFAR-10 is not on this computer and could not be downloaded ({reason}): download {URL} where there is "
            f"a way to the internet and unpack it in {cache} or in the folder that BNSEARCH_DATA names; "
            "the `digits` study needs no download."
        ) from error
    try:
        folder = unpack(Path(archive), cache)
    except DataError:
        if _folder_in(cache / FOLDER) is None:  # else another process was faster, and has removed the archive
            raise
        return cache / FOLDER
    Path(archive).unlink(missing_ok=True)
    return folder


def unpack(archive: Path, into: Path) -> Path:
    """Unpack an archive and move its folder of batch files into the folder `into`: whole, or not at all.

    Members other than files in that folder are refused, links and what would lie outside above all. Raises DataError.
    """
    target = into / FOLDER
    try:
        with own_folder(into) as part:
            with tarfile.open(archive) as tar:
                # looked at first, one by one: "data" alone has been got round by chains of links
                for member in tar:
                    _check_member(member)
                    _extract(tar, member, part)
            for name in (*TRAIN_FILES, TEST_FILE):  # tarfile takes a damaged header for the end of the archive
                Path(part, FOLDER, name).stat()
            try:
                os.replace(Path(part, FOLDER), target)
            except OSError:
                if _folder_in(target) is None:  # else another process was faster
                    raise
    except (OSError, EOFError, ValueError, zlib.error, tarfile.TarError) as error:
        raise DataError(
            f"{archive} must be the published archive of CIFAR-10, but cannot be unpacked in {into} "
            f"({one_line(error)}): remove it and download it again."
        ) from error
    return target


def _check_member(member: tarfile.TarInfo) -> None:
    folder, _, name = member.name.partition("/")
    if folder != FOLDER or "/" in name or name == ".." or not (member.isreg() if name else member.isdir()):
        raise ValueError(f"it has {member.name[:80]!r}, which is no file in {FOLDER}")
    if member.size > safe_pickle.MAX_BYTES:
        raise ValueError(f"it has {member.name[:80]!r} of {member.size:,} bytes")


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, into: Path) -> None:
    """Unpack a member that was looked at; Python 3.11.0 to 3.11.3 have no filter, and its content alone is written."""
    if hasattr(tarfile, "data_filter"):
        tar.extract(member, into, filter="data")
        return
    path, content = into / member.name, tar.extractfile(member)  # None: the folder
    (path if content is None else path.parent).mkdir(exist_ok=True)
    if content is not None:
        with content, open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o644)) as file:
            shutil.copyfileobj(content, file)


def read_batch(path: Path, n_rows: int) -> Rows:
    """Read one batch file: X (n_rows, 3072) uint8 and y (n_rows,) in 0..9. Raises DataError."""
    batch = safe_pickle.load(path)
    X, labels = batch.get("data"), batch.get("labels")
    if not isinstance(X, np.ndarray) or X.shape != (n_rows, N_PIXELS):
        got = f"shape {X.shape}" if isinstance(X, np.ndarray) else f"{type(X).__name__}"
        raise DataError(
            f"{path} must hold `data`, uint8 of shape ({n_rows}, {N_PIXELS}), but got {got}: get the file again."
        )
    if not isinstance(labels, list) or len(labels) != n_rows:
        got = f"{len(labels)} of them" if isinstance(labels, list) else f"{type(labels).__name__}"
        raise DataError(f"{path} must hold a list of {n_rows} `labels`, but got {got}: get the file again.")
    for row, label in enumerate(labels, 1):
        if type(label) is not int or not 0 <= label < len(CLASSES):
            got = str(label) if isinstance(label, int) else type(label).__name__
            raise DataError(f"{path} must have labels in 0..9, but number {row} is {got}: get the file again.")
    return X, np.array(labels, np.int64)


def _folder_in(place: Path) -> Path | None:
    """Give `place` or the folder of the published name in it, whichever holds batch files (perhaps not all)."""
    for folder in (place, place / FOLDER):
        if any(os.path.exists(folder / name) for name in (*TRAIN_FILES, TEST_FILE)):
            return folder
    return None


def _check_size(path: Path, n_rows: int) -> None:
    """Notice before a search, not after it, that a file is missing or cut off; nothing is read."""
    if not path.is_file():
        raise DataError(f"{path} must be one of CIFAR-10's six batch files, but is missing: get the folder again.")
    if (n_bytes := path.stat().st_size) < n_rows * N_PIXELS:
        raise DataError(f"{path} must hold {n_rows} images, but has only {n_bytes:,} bytes: get the folder again.")


def _check_end(path: Path) -> None:
    """Notice as early what stands in the place of a pickle; its last byte is neither a pixel nor a label."""
    try:
        with path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            last = file.read(1)
    except OSError as error:
        raise DataError(f"{path} must be a file that can be read, but: {cause_and_remedy(error)}.") from error
    if last != pickle.STOP:
        raise DataError(f"{path} must be a whole pickle, but does not end like one: get the folder again.")


def _read_classes(path: Path) -> tuple[str, ...]:
    if not path.is_file():
        return CLASSES
    names = safe_pickle.load(path).get("label_names")
    if not isinstance(names, list) or len(names) != len(CLASSES) or not all(isinstance(name, str) for name in names):
        raise DataError(f"{path} must hold `label_names`, a list of {len(CLASSES)} names: get it again, or remove it.")
    return tuple(names)
