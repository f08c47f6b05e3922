"""Options that several commands share, and the session that they describe."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from bnsearch.search.session import Session
    from bnsearch.search.study_file import Study

F = TypeVar("F", bound=Callable[..., Any])

study_argument = click.argument("study")
quiet_option = click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
storage_option = click.option(
    "--storage", metavar="URL", help="Database to use instead of NAME.db beside the study file."
)
seed_option = click.option(
    "--seed", type=click.IntRange(min=0), help="Seed of the study; every random number derives from it."
)
data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="Where CIFAR-10 lies (else $BNSEARCH_DATA or the user's cache).",
)
set_option = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a key of the study file: section.key=value.",
)
trials_option = click.option(
    "--trials", type=click.IntRange(min=1), help="Total of this stage; a larger one adds the difference."
)
repeats_option = click.option(
    "--repeats", type=click.IntRange(min=2), help="Repeats of this stage; a larger number adds the difference."
)


def session_options(function: F) -> F:
    """The options of every command that trains."""
    for option in reversed(
        (
            seed_option,
            click.option(
                "--workers", type=click.IntRange(min=1), help="Worker processes; as many as there are cores by default."
            ),
            storage_option,
            data_dir_option,
            set_option,
            quiet_option,
            json_option,
        )
    ):
        function = option(function)
    return function


@dataclass(frozen=True)
class Chosen:
    """What the options say."""

    study: str
    seed: int | None
    workers: int | None
    storage: str | None
    data_dir: Path | None
    overrides: tuple[str, ...]
    quiet: bool

    def load(self, *more: str) -> "Study":
        """The study with all overrides applied."""
        from bnsearch.search.study_file import load_study

        return load_study(self.study, (*self.all_overrides, *more))

    def load_search(self, *more: str) -> "Study":
        """The same, of a study that has something to search."""
        from bnsearch.search.study_file import check_searches

        study = self.load(*more)
        check_searches(study)
        return study

    @property
    def all_overrides(self) -> tuple[str, ...]:
        """Also the seed, which is a key like others."""
        return (*self.overrides, *(() if self.seed is None else (f"seed={self.seed}",)))

    def command(self, name: str, **values: Any) -> str:
        """Another command on the same study, with the same options but for new values of some keys, to be pasted; a
        password is left out of it.
        """
        from bnsearch.search.address import without_password

        words = ["bnsearch", name, self.study]
        storage = None if self.storage is None else without_password(self.storage)
        for option, value in (("--workers", self.workers), ("--storage", storage), ("--data-dir", self.data_dir)):
            words += [] if value is None else [option, str(value)]
        kept = [override for override in self.all_overrides if override.partition("=")[0].strip() not in values]
        for override in (*kept, *(f"{key}={value}" for key, value in values.items())):
            words += ["--set", override]
        return shlex.join(words)

    @contextmanager
    def session(self, study: "Study") -> Iterator["Session"]:
        """The study, locked and with its database open."""
        from bnsearch.report.curve_picture import curve_picture
        from bnsearch.report.findings import sentences
        from bnsearch.report.note import note, trial_note
        from bnsearch.search.presenting import Words, presenter
        from bnsearch.search.session import open_session

        present = presenter(Words(sentences, note, trial_note, curve_picture))
        with self.means() as means, open_session(study, **means, present=present) as session:
            yield session

    @contextmanager
    def means(self) -> Iterator[dict[str, Any]]:
        """What a study is opened with."""
        from bnsearch.cli.progress import progress
        from bnsearch.search.executor import available_cores, local_executor

        n_workers = self.workers or available_cores()
        with progress(self.quiet) as shown:
            yield {
                "n_workers": n_workers,
                "executor_factory": lambda: local_executor(n_workers),
                "progress": shown,
                "storage": self.storage,
                "data_dir": self.data_dir,
            }
