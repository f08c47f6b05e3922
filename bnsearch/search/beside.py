"""The files of a trial that lie beside the study: its state while it runs, its curve when it is over."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna

from bnsearch.data.disk_error import cause_and_remedy
from bnsearch.data.whole_file import write_whole
from bnsearch.errors import StoreError
from bnsearch.search.lane_file import FIGURES, previous
from bnsearch.search.session import Session
from bnsearch.search.study_file import Study


def level_of(study: optuna.Study) -> str:
    """coarse, fine, fine2, confirm or final: the end of its name, which takes no query."""
    return study.study_name.rpartition(".")[2]


def state_path(session: Session, study: optuna.Study, number: int) -> Path:
    """Where a lane's state lies."""
    return state_file(session.study, level_of(study), number)


def state_file(study: Study, level: str, number: int) -> Path:
    """The same by the names of both."""
    return study.results / "states" / f"{level}-{number:05d}.safetensors"


def remove_state(session: Session, study: optuna.Study, number: int) -> None:
    """A finished trial needs no state."""
    path = state_path(session, study, number)
    with disk_errors(session.study):
        for file in (path, previous(path)):
            file.unlink(missing_ok=True)


def remove_states(study: Study, level: str) -> None:
    """Nor does a finished level."""
    for path in (study.results / "states").glob(f"{level}-*"):
        path.unlink(missing_ok=True)


def curve_path(study: Study, level: str, number: int) -> Path:
    """Where a trial's learning curve lies."""
    return study.results / "curves" / f"{level}-{number:05d}.csv"


def save_curve(session: Session, study: optuna.Study, number: int, curve: list[dict[str, float]]) -> None:
    """The learning curve as `curves/STAGE-NUMBER.csv`."""
    path = curve_path(session.study, level_of(study), number)
    names = ["epoch", "step", *(name for name in FIGURES if any(name in point for point in curve))]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(curve)
    with disk_errors(session.study):
        # not durable: it would take as long as the training of a small network, for what the database sums up
        write_whole(path, [text.getvalue().encode()], durable=False)


@contextmanager
def disk_errors(study: Study) -> Iterator[None]:
    """Files beside the study must be writable."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{study.results} must be a writable folder with room, but: {cause_and_remedy(error)}, and run again to "
            f"go on."
        ) from error
