"""The files of a trial that lie beside the study: its state while it runs, its curve when it is over."""

import csv
import os
from pathlib import Path

import optuna

from bnsearch.errors import StoreError
from bnsearch.search.lane_file import FIGURES, previous
from bnsearch.search.session import Session
from bnsearch.search.study_file import Study


def level_of(study: optuna.Study) -> str:
    """coarse, fine, fine2, confirm or final: the end of its name, which takes no query."""
    return study.study_name.rpartition(".")[2]


def state_path(session: Session, study: optuna.Study, number: int) -> Path:
    """Where a lane's state lies."""
    return session.study.results / "states" / f"{level_of(study)}-{number:05d}.safetensors"


def remove_state(session: Session, study: optuna.Study, number: int) -> None:
    """A finished trial needs no state."""
    path = state_path(session, study, number)
    for file in (path, previous(path)):
        file.unlink(missing_ok=True)


def remove_states(study: Study, level: str) -> None:
    """Nor does a finished level."""
    for path in (study.results / "states").glob(f"{level}-*"):
        path.unlink(missing_ok=True)


def save_curve(session: Session, study: optuna.Study, number: int, curve: list[dict[str, float]]) -> None:
    """The learning curve as `curves/STAGE-NUMBER.csv`."""
    path = session.study.results / "curves" / f"{level_of(study)}-{number:05d}.csv"
    names = ["epoch", "step", *(name for name in FIGURES if any(name in point for point in curve))]
    with disk_errors(session):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, names, lineterminator="\n")
            writer.writeheader()
            writer.writerows(curve)
        os.replace(temporary, path)


class disk_errors:
    """Files beside the study must be writable."""

    def __init__(self, session: Session):
        self.folder = session.study.results

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise StoreError(
                f"{self.folder} must be a writable folder with room, but: {error.strerror}; mend it and run "
                f"again to go on."
            ) from error
