"""One trial in full, as a plain record."""

import re
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from bnsearch.errors import UsageError
from bnsearch.search.artifacts import artifact_folder, artifact_id, read_curve
from bnsearch.search.batches import stored_batches
from bnsearch.search.beside import curve_path, state_file
from bnsearch.search.rungs import rungs_of
from bnsearch.search.setups import COMPARE, NAMES
from bnsearch.search.store import Store
from bnsearch.search.study_file import Study

NAME = re.compile(rf"({'|'.join(NAMES)})[-. ]?(\d+)")
STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.RUNNING: "running",
    TrialState.FAIL: "failed",
    TrialState.WAITING: "waiting",
}


def trial_record(study: Study, store: Store | None, name: str) -> dict[str, Any]:
    """Everything about the trial of this name, such as coarse-4; refused where there is none."""
    match = NAME.fullmatch(name)
    if match is None:
        raise UsageError(f"TRIAL must be a stage and a number, such as coarse-4, but got {name!r}.")
    level, number = match[1], int(match[2])
    found = None if store is None else store.load(level)
    if found is None:
        raise UsageError(
            f"{study.name}.{level} must have been run to show its trials: `bnsearch status {study.called}`."
        )
    trials = {trial.number: trial for trial in found.get_trials(deepcopy=False)}
    if number not in trials:
        raise UsageError(f"A trial of {found.study_name} must be one of its {len(trials)}, but got {number}.")
    return _record(study, found, level, trials[number])


def _record(study: Study, of: optuna.Study, level: str, trial: FrozenTrial) -> dict[str, Any]:
    attrs, path = trial.user_attrs, curve_path(study, level, trial.number)
    return {
        "study": of.study_name,
        "trial": trial.number,
        "state": "diverged" if attrs.get("diverged") else STATES[trial.state],
        "value": trial.value if trial.state == TrialState.COMPLETE else None,
        "value_name": (of.metric_names or ["value"])[0],
        "params": dict(trial.params),
        "began": None if trial.datetime_start is None else trial.datetime_start.isoformat(timespec="seconds"),
        "ended": None if trial.datetime_complete is None else trial.datetime_complete.isoformat(timespec="seconds"),
        "rungs": _rungs(of, trial),
        "budget": of.user_attrs.get("budget"),
        "reported": {str(epoch): value for epoch, value in sorted(trial.intermediate_values.items())},
        "curve": read_curve(path),
        "attributes": dict(sorted(attrs.items())),
        "files": {kind: str(file) for kind, file in _files(study, level, trial, path).items() if file.is_file()},
    }


def _rungs(of: optuna.Study, trial: FrozenTrial) -> list[dict[str, Any]]:
    """How the trial stood at each rung of its batch that it came to."""
    batch = next((b for b in stored_batches(of) if b.first <= trial.number < b.end), None)
    if batch is None:
        return []
    others = of.get_trials(deepcopy=False)[batch.first : batch.end]
    return [
        {
            "rung": rung.place,
            **trial.user_attrs[rung.key],
            "rank": trial.user_attrs.get(f"{rung.key}_rank"),
            "of": sum(rung.key in other.user_attrs for other in others),
        }
        for rung in rungs_of(batch)
        if rung.key in trial.user_attrs
    ]


def _files(study: Study, level: str, trial: FrozenTrial, curve: Path) -> dict[str, Path]:
    """Where its files would lie."""
    found = {"curve": curve, "state": state_file(study, level, trial.number)}
    if level == "final":
        found["model"] = study.results / "models" / f"final-{trial.user_attrs['repeat']}.safetensors"
    if level == COMPARE:
        models = sorted((study.results / "models").glob(f"{COMPARE}-{trial.number:05d}*"))
        found |= {" ".join(["model", *model.stem.split("-")[2:]]): model for model in models}
    return found | {"picture": artifact_folder(study) / artifact_id(study, level, trial.number, "svg")}
