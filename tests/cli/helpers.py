"""What the tests of the command line share: a tiny study on the digits, and ways to call the program."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from bnsearch.cli import commands

TINY = """
[data]
source = "digits"
train = [0, 200]
valid = [200, 260]
standardize = "center"
[network]
hidden = [8]
[training]
batch_size = 50
learning_rate = 0.1
l2 = 1e-3
epochs = 2
[coarse]
trials = 4
space.l2 = { low = 1e-6, high = 1e-1 }
space.learning_rate = { low = 1e-3, high = 1.0 }
[fine]
trials = 4
[confirm]
repeats = 2
[final]
repeats = 2
"""


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
    command = [sys.executable, "-m", "bnsearch", *arguments]
    return subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=120, check=False
    )


def written(folder: Path) -> list[str]:
    """All files of a folder; lock files stay by design, and say nothing about a study."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix != ".lock")
