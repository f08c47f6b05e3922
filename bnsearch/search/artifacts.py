"""The learning curves of a study's best trials, as pictures and tables where optuna-dashboard finds them.

Optuna keeps what an artifact is among the attributes of its trial, which no longer change once it is over, and which
trials are best is known only then. So it is kept among those of the study, where optuna-dashboard looks too.
"""

import csv
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import optuna
from optuna.artifacts import FileSystemArtifactStore
from optuna.trial import TrialState

from bnsearch.search.beside import curve_path, disk_errors, level_of
from bnsearch.search.choose import rank
from bnsearch.search.session import Session
from bnsearch.search.setups import LEVELS, NAMES
from bnsearch.search.study_file import Study
from bnsearch.search.trials import finished

N_SHOWN = 5  # trials of a study
KINDS = {"svg": "image/svg+xml", "csv": "text/csv"}
PREFIX = "dashboard:artifacts:"
Point = Mapping[str, float]


@dataclass(frozen=True)
class BestTrial:
    """One of the trials whose learning curves are shown."""

    level: str
    number: int
    trial_id: int
    params: Mapping[str, float]
    value: float | None  # None of a network that has not been tested yet


def keep_artifacts(
    session: Session,
    trials: Sequence[BestTrial],
    attrs: Mapping[str, Any],
    draw: Callable[[BestTrial, Sequence[Point]], str],
) -> tuple[list[BestTrial], dict[str, Any]]:
    """Write what is missing of the pictures and tables of these trials and remove those of others.

    attrs: what Optuna's study has so far. Returns the trials that have a curve to show, and the attributes that must
    change for that, None for those that must go.
    """
    before = {key for key in attrs if key.startswith(PREFIX) and is_ours(session.study, key)}
    shown, wanted, folder = [], dict[str, str](), artifact_folder(session.study)
    for one in trials:
        path = curve_path(session.study, one.level, one.number)
        curve = read_curve(path)
        if not curve:  # deleted, or of a version that wrote none
            continue
        shown.append(one)
        for kind, mimetype in KINDS.items():
            name = artifact_id(session.study, one.level, one.number, kind)
            key = f"{PREFIX}{one.trial_id}:{name}"
            about = {"artifact_id": name, "mimetype": mimetype, "encoding": None, "filename": f"{path.stem}.{kind}"}
            wanted[key] = json.dumps(about)
            if key not in before or not (folder / name).exists():
                content = draw(one, curve).encode() if kind == "svg" else path.read_bytes()
                with disk_errors(session.study):
                    folder.mkdir(parents=True, exist_ok=True)
                    FileSystemArtifactStore(folder).write(name, BytesIO(content))
    gone = before - wanted.keys()
    for key in gone:
        (folder / key.rpartition(":")[2]).unlink(missing_ok=True)
    new = {key: value for key, value in wanted.items() if attrs.get(key) != value}
    return shown, {**dict.fromkeys(gone), **new}


def best_trials(study: optuna.Study, verdict: Mapping[str, Any] | None) -> list[BestTrial]:
    """A search's best, the trials of the winner by confirm's verdict, the networks of final: at most five."""
    level, trials = level_of(study), study.get_trials(deepcopy=False)
    by_number = {trial.number: trial for trial in trials}
    if level in LEVELS:
        chosen = [by_number[trial.number] for trial in rank(finished(trials))]
    else:
        winner = (verdict or {}).get("winner")
        complete = (trial for trial in trials if trial.state == TrialState.COMPLETE)
        chosen = [trial for trial in complete if level == "final" or trial.user_attrs.get("finalist") == winner]
    return [BestTrial(level, t.number, t._trial_id, dict(t.params), t.value) for t in chosen[:N_SHOWN]]


def artifact_folder(study: Study) -> Path:
    """Where the pictures and tables lie."""
    return study.results / "artifacts"


def artifact_id(study: Study, level: str, number: int, kind: str) -> str:
    """A name that optuna-dashboard takes, hexadecimal digits and hyphens, and that no other study has."""
    return f"{_prefix(study, level)}-{number:06d}-{list(KINDS).index(kind)}"


def picture_url(study: Study, optuna_study: optuna.Study, one: BestTrial) -> str:
    """Where optuna-dashboard serves the picture of a trial."""
    name = artifact_id(study, one.level, one.number, "svg")
    return f"/artifacts/{optuna_study._study_id}/{one.trial_id}/{name}"


def remove_artifacts(study: Study, level: str) -> None:
    """A study's that is deleted."""
    for path in artifact_folder(study).glob(f"{_prefix(study, level)}-*"):
        path.unlink(missing_ok=True)


def is_ours(study: Study, key: str) -> bool:
    """Was it made here, and not uploaded by someone?"""
    return key.rpartition(":")[2].startswith(_of_study(study))


def _prefix(study: Study, level: str) -> str:
    return f"{_of_study(study)}-{NAMES.index(level)}"


def _of_study(study: Study) -> str:
    return hashlib.sha256(study.name.encode()).hexdigest()[:12]


def read_curve(path: Path) -> list[dict[str, float]]:
    """The points of a learning curve; none where its file is gone, or empty or damaged as after a power cut."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [{key: float(text) for key, text in point.items() if text} for point in csv.DictReader(file)]
    except (OSError, ValueError, TypeError, csv.Error):
        return []
