"""A run is followed from another terminal, and ends there when it ends here."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.helpers import COMMAND, answer, endless_search, invoke
from tests.search.test_sqlite import everything


def test_a_run_under_way(folder: Path) -> None:
    with endless_search(folder, workers=1, until="tiny.coarse") as search:
        follow = [*COMMAND, "status", "tiny.toml", "--follow"]
        with subprocess.Popen(follow, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as other:
            assert other.stderr is not None
            assert any(line == "tiny.coarse ...\n" for line in other.stderr)
            search.send_signal(signal.SIGINT)
            stdout, stderr = other.communicate(timeout=60)
            assert other.returncode == 0
    assert "unfinished: 0 of 4 trials" in stdout
    assert stderr.splitlines()[-1].startswith("tiny.coarse: done in")


def test_nobody_is_at_work(finished: Path) -> None:
    before = everything(finished)
    result = invoke("status", "tiny.toml", "--follow")
    assert result.stderr == "No process is at work on tiny.toml.\n"
    assert result.stdout == invoke("status", "tiny.toml").stdout
    assert everything(finished) == before


def test_before_any_run(folder: Path) -> None:
    result = invoke("status", "tiny.toml", "--follow")
    assert "No process is at work" in result.stderr
    assert [path.name for path in folder.iterdir()] == ["tiny.toml"]


@pytest.mark.usefixtures("finished")
def test_as_json() -> None:
    assert answer("status", "tiny.toml", "--follow") == answer("status", "tiny.toml")
