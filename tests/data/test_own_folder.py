"""What is made in the cache is made in folders that a killed process does not leave there for ever."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bnsearch.data.cache import check_writable, keep_array
from bnsearch.data.own_folder import own_folder

KILLED = """
import os, signal, sys
from pathlib import Path
from bnsearch.data.own_folder import own_folder
with own_folder(Path(sys.argv[1])) as folder:
    (folder / "half").write_bytes(bytes(1000))
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """What a killed process left in the folder of the test."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)])
    assert done.returncode == -signal.SIGKILL
    (folder,) = tmp_path.iterdir()
    assert (folder / "half").exists()
    return folder


def test_the_next_to_write_removes_what_a_killed_one_left(left: Path) -> None:
    """Preparations of gigabytes once stayed for ever."""
    keep_array(left.parent / "X.npy", np.arange(3))
    assert [path.name for path in left.parent.iterdir()] == ["X.npy"]


def test_so_does_whoever_asks_whether_it_may_write(left: Path) -> None:
    check_writable(left.parent)
    assert not left.exists()


def test_what_is_being_made_stays(tmp_path: Path) -> None:
    with own_folder(tmp_path) as folder:
        check_writable(tmp_path)
        with own_folder(tmp_path) as other:
            assert other != folder
        assert folder.is_dir()
    assert list(tmp_path.iterdir()) == []
