"""What the tests of the command line share: ways to call the program."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from bnsearch.cli import commands
from tests.processes import PATIENCE_SECONDS
from tests.search.helpers import tiny, trials_of

COMMAND = (sys.executable, "-m", "bnsearch")


def invoke(*arguments: str) -> Result:
    """A command in this process, in the current folder; it must succeed."""
    result = CliRunner().invoke(commands, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def answer(*arguments: str) -> Any:
    """What a command prints with --json: one document and nothing else."""
    return json.loads(invoke(*arguments, "--json").stdout)


def program(*arguments: str, folder: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m bnsearch` as a process of its own."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@contextmanager
def endless_search(
    folder: Path, *, workers: int, until: str, program: Sequence[str] = ("-m", "bnsearch")
) -> Iterator[subprocess.Popen[str]]:
    """A search that only a signal ends, in a group of processes of its own, begun as far as a line of stderr that
    starts so.
    """
    search = ("coarse", "tiny.toml", "--set", "training.epochs=1000000", "--workers", str(workers))
    with subprocess.Popen(
        [sys.executable, *program, *search], cwd=folder, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr is not None
        try:
            assert any(line.startswith(until) for line in process.stderr), "it ended too early"
            yield process
        finally:
            process.kill()


def until_evaluated(folder: Path) -> None:
    """Wait until the database has figures of every trial of the search there."""
    patience = time.monotonic() + PATIENCE_SECONDS
    while not all(trial.intermediate_values for trial in trials_of(tiny(folder), "coarse")):
        assert time.monotonic() < patience, "one is not trained"
        time.sleep(0.05)


def written(folder: Path) -> list[str]:
    """All files of a folder; lock files stay by design, and say nothing about a study."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix != ".lock")
