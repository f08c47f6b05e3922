"""A search by real processes, where files may not grow beyond a size, or on a disk as small as that."""

import os
import resource
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bnsearch.search.study_file import load_study
from tests.cli.helpers import COMMAND
from tests.search.disk_faults import SMALL, integrity
from tests.search.helpers import record, without_look

SEARCH = (*COMMAND, "run", "tiny.toml", "--workers", "2")


def start(folder: Path, limit: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    """The whole chain, with its cache beside it."""
    (folder / "tiny.toml").write_text(SMALL)
    return subprocess.run(
        SEARCH,
        cwd=folder,
        env=os.environ | {"BNSEARCH_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        preexec_fn=limit,
    )


def found(folder: Path) -> object:
    """What came of it."""
    return without_look(record(load_study(str(folder / "tiny.toml"))))


def check_refused(done: subprocess.CompletedProcess[str], folder: Path) -> bool:
    """It either came through, or said in its last line what there is no room for; the database is whole."""
    assert integrity(folder / "tiny.db") in ("ok", "none")
    if done.returncode == 0:
        return False
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    assert last.startswith("bnsearch: "), done.stderr
    assert any(word in last for word in ("room", "limit on the size of files")), last
    return True


def limited(folder: Path, n_bytes: int, whole: object) -> bool:
    """Where a file may have at most so many bytes, and then once more without that limit; was it refused?"""
    folder.mkdir()
    done = start(folder, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes)))
    refused = check_refused(done, folder)
    assert start(folder).returncode == 0
    assert found(folder) == whole
    return refused


def cramped(folder: Path, n_kb: int, whole: object) -> bool:
    """On a disk of so many kB, and then again when it was made larger; was it refused?"""
    folder.mkdir()
    with small_disk(folder, n_kb):
        refused = check_refused(start(folder), folder)
        subprocess.run(["mount", "-o", "remount,size=50m", str(folder)], check=True, capture_output=True)
        assert start(folder).returncode == 0
        assert found(folder) == whole
    return refused


@contextmanager
def small_disk(folder: Path, n_kb: int) -> Iterator[None]:
    """A file system in memory on the folder; raises OSError where one may not be made."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={n_kb}k", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise OSError(done.stderr)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True, capture_output=True)


def full_disks(kb: Iterable[int] = range(4, 480, 12)) -> dict[str, int | str]:
    """Figures of both, for many sizes; the small disks are left out where they may not be made."""
    tried = survived = refused = n_disks = 0
    problems = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "whole").mkdir()
        assert start(folder / "whole").returncode == 0
        whole = found(folder / "whole")
        for n_kb in kb:
            for kind, attempt in (
                ("file", lambda f, n: limited(f, 1000 * n, whole)),
                ("disk", lambda f, n: cramped(f, n, whole)),
            ):
                try:
                    refused += attempt(folder / f"{kind}-{n_kb}", n_kb)
                except OSError:
                    continue
                except Exception as error:
                    problems.append(f"{kind} of {n_kb} kB: {type(error).__name__}: {error}"[:900])
                else:
                    survived += 1
                tried += 1
                n_disks += kind == "disk"
    for problem in problems:
        print(problem)
    return {"name": "full disks", "tried": tried, "survived": survived, "refused": refused, "small disks": n_disks}


if __name__ == "__main__":
    print(full_disks())
