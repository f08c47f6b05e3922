"""All that is read from outside, each with what it may be given and what must come of it."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz import addresses, databases, models, pickles, studies, tables


@dataclass(frozen=True)
class Target:
    """A reader: `check` is true where the input was taken, false where it was refused, and fails otherwise."""

    name: str
    inputs: Callable[[], st.SearchStrategy[bytes]]
    check: Callable[[bytes, Path], bool]
    cost: int = 1  # how many times as long as the others an input takes


TARGETS = (
    Target("study files", studies.inputs, studies.check),
    Target("csv files", tables.csv_inputs, partial(tables.check, suffix=".csv")),
    Target("parquet files", tables.parquet_inputs, partial(tables.check, suffix=".parquet")),
    Target("npz files", tables.archive_inputs, partial(tables.check, suffix=".npz")),
    Target("CIFAR-10 batches", pickles.batch_inputs, pickles.check_batch),
    Target("CIFAR-10 archives", pickles.tar_inputs, pickles.check_tar),
    Target("models", models.model_inputs, models.check_model),
    Target("lane states", models.state_inputs, models.check_state),
    Target("databases", databases.inputs, databases.check, cost=5),
    Target("database addresses", addresses.inputs, addresses.check),
)


class Input(bytes):
    """With a short name, for messages."""

    def __repr__(self) -> str:
        return f"{bytes(self[:300])!r} ({len(self)} bytes)"


@dataclass
class Found:
    """What came of many inputs."""

    name: str
    taken: int = 0
    refused: int = 0
    failed: int = 0
    failures: dict[str, Input] = field(default_factory=dict)  # each kind with the shortest input that showed it

    def row(self) -> dict[str, int | str]:
        """The figures."""
        tried = self.taken + self.refused + self.failed
        figures = {"tried": tried, "survived": tried - self.failed, "taken": self.taken, "refused": self.refused}
        return {"name": f"fuzz: {self.name}"} | figures


def fuzz(target: Target, n: int, *, derandomize: bool = False) -> Found:
    """Give the reader n inputs. One that raises anything but a refusal does not end it, but is kept."""
    found = Found(target.name)

    @settings(
        max_examples=n,
        deadline=None,
        database=None,
        derandomize=derandomize,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(target.inputs().map(Input))
    def check(content: Input) -> None:
        try:
            with TemporaryDirectory() as folder:
                taken = target.check(content, Path(folder))
            found.taken += taken
            found.refused += not taken
        except Exception as error:
            found.failed += 1
            kind = _kind(error)
            if len(content) < len(found.failures.get(kind, content + b" ")):
                found.failures[kind] = content

    check()
    return found


def _kind(error: Exception) -> str:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "site-packages" not in f.filename]
    ours = [f"{Path(f.filename).name}:{f.lineno}" for f in frames if "/lib/python" not in f.filename]
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]} at {' < '.join(reversed(ours[-3:]))}"
