"""From the name of a source, as a study file gives it, to its checked training rows."""

import os
from pathlib import Path

from bnsearch.data import cifar10, digits, files
from bnsearch.data.dataset import Dataset
from bnsearch.errors import DataError


def load(
    source: str | Path,
    *,
    data_dir: Path | None = None,
    label: str = "label",
    base: Path | None = None,
    progress: cifar10.Progress | None = None,
) -> Dataset:
    """Load "digits", "cifar10", or a path to a .npz, .csv or .parquet file.

    `data_dir` is where CIFAR-10 lies (see `cifar10.load`) and `progress` shows its download; `label` names the column
    of labels in a .csv or .parquet file; `base`, the study file's folder, is where relative paths start.
    Raises DataError.
    """
    if source == "digits":
        return digits.load()
    if source == "cifar10":
        return cifar10.load(data_dir, progress=progress)
    path = Path(os.path.expanduser(source))
    if path.suffix.lower() not in files.SUFFIXES:
        raise DataError(
            f"The source must be 'digits', 'cifar10' or a path ending in {', '.join(files.SUFFIXES)}, "
            f"but got {str(source)!r}: choose one of these."
        )
    return files.load((base or Path()) / path, label)
