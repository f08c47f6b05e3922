"""A file is there whole, or as it was before."""

import errno
import os
from pathlib import Path

import pytest

from bnsearch.data.disk_error import cause_and_remedy
from bnsearch.data.whole_file import write_whole
from tests.search.limits import files_of_at_most


def test_pieces_follow_each_other(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.bin"
    write_whole(path, [b"one", memoryview(b" two"), b""])
    assert path.read_bytes() == b"one two"
    write_whole(path, iter([b"three"]), durable=False)
    assert path.read_bytes() == b"three"
    assert [p.name for p in path.parent.iterdir()] == ["a.bin"]


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    path, error = tmp_path / "a.bin", None
    write_whole(path, [b"old"])
    with files_of_at_most(1000):
        try:
            write_whole(path, [bytes(600), bytes(600)])
        except OSError as caught:
            error = caught
    assert error is not None
    assert "ulimit -f" in cause_and_remedy(error)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_what_cannot_be_made_leaves_what_was_there(tmp_path: Path) -> None:
    def pieces() -> object:
        yield b"half"
        raise ValueError("no more")

    write_whole(tmp_path / "a.bin", [b"old"])
    with pytest.raises(ValueError, match="no more"):
        write_whole(tmp_path / "a.bin", pieces())  # type: ignore[arg-type]
    assert (tmp_path / "a.bin").read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_a_file_system_that_cannot_sync_folders_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(code, os.strerror(code))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    code = errno.EINVAL
    write_whole(tmp_path / "a.bin", [b"new"])
    code = errno.EIO
    with pytest.raises(OSError, match="Input/output error"):
        write_whole(tmp_path / "a.bin", [b"newer"])


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "No space left on device: make room on its disk"),
        (errno.EACCES, "Permission denied: mend its rights or choose another place"),
        (errno.EROFS, "Read-only file system: mend its rights or choose another place"),
        (errno.EIO, "Input/output error: have a look at its disk, which fails"),
        (errno.ENOTDIR, "Not a directory: choose another place or mend this one"),
    ],
)
def test_what_the_system_says_comes_with_what_helps(code: int, words: str) -> None:
    assert cause_and_remedy(OSError(code, "whatever")) == words
