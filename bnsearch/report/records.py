"""What a report is made of: plain records of a study, read from its database and the files beside it.

Only search knows Optuna: its studies and trials come from a `Store`, and are Any here.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from bnsearch.errors import ModelError
from bnsearch.model import Model, load_model
from bnsearch.report.words import Row
from bnsearch.search.address import default_url
from bnsearch.search.batches import stored_batches
from bnsearch.search.mistakes import NAME, Mistakes, load_mistakes
from bnsearch.search.setups import COMPARE, LEVELS
from bnsearch.search.space import TPE_BATCH
from bnsearch.search.stages import status
from bnsearch.search.store import Store
from bnsearch.search.study_file import Study, bundled
from bnsearch.search.study_lock import seems_at_work

State = Literal["complete", "pruned", "diverged", "running"]
RUNG = re.compile(r"rung_\d+")  # the attribute with what a trial reached there


@dataclass(frozen=True)
class TrialRecord:
    """One trial."""

    stage: str  # coarse, fine, fine2, confirm, final or compare
    number: int
    state: State
    params: Mapping[str, Any]  # numbers, and of compare short texts
    accuracy: float | None = None  # on the validation rows: at the end, or where it was last seen; None: diverged
    loss: float | None = None  # mean cross-entropy there; None unless complete
    rungs: tuple[tuple[int, float], ...] = ()  # step and validation accuracy at each that it came to
    stopped_at: int | None = None  # the step at which it was stopped, or diverged
    n_steps: int | None = None  # of the whole budget, where the trial was stopped or diverged
    n_epochs: int = 0
    seconds: float = 0.0  # its share of the workers' time
    ended: datetime | None = None
    variant: int | None = None  # of compare

    @property
    def label(self) -> str:
        """What it is called on a page."""
        return f"{self.stage} {self.number}"


@dataclass(frozen=True)
class StageRecord:
    """One stage, or level of one."""

    row: Row  # as `bnsearch.search.stages.status` gives it
    trials: tuple[TrialRecord, ...]
    setup: Mapping[str, Any]  # what it trains
    task: Mapping[str, Any]  # what it does, but for the total
    seed: int
    fingerprint: str
    version: str
    revision: str | None
    software: Mapping[str, str] = field(
        default_factory=dict
    )  # versions of what computed; none of an earlier bnsearch's
    requests: tuple[int, ...] = ()  # totals of trials that were asked for, one after another
    n_finalists: int = 0  # of confirm
    began: datetime | None = None

    @property
    def name(self) -> str:
        """coarse, fine, fine2, confirm, final or compare."""
        return str(self.row["stage"])


@dataclass(frozen=True)
class StudyRecord:
    """All that is known of a study."""

    name: str
    called: str  # as the user named it, for the commands in what is said
    file: Path
    bundled: bool  # did the file come with bnsearch?
    results: Path
    database: str  # its address
    stages: tuple[StageRecord, ...]  # those of the chain that have been begun
    looks: Sequence[Row] = ()  # at the test set
    model: Model | str | None = None  # the first of final's; in its place why there is none, None before final
    mistakes: Mistakes | str | None = field(default=None, repr=False)
    compare: StageRecord | None = None  # beside the chain
    at_work: bool = False  # is a process training?

    @property
    def storage(self) -> list[str]:
        """The option that names its database, where that is another than usual."""
        usual = self.database == default_url(self.results.parent, self.name)
        return [] if usual else ["--storage", self.database]

    def command(self, name: str, *options: str) -> str:
        """One of the program's commands for this study."""
        return shlex.join(["bnsearch", name, self.called, *options, *self.storage])

    @property
    def begun(self) -> tuple[StageRecord, ...]:
        """Those of the chain, and the comparison."""
        return self.stages if self.compare is None else (*self.stages, self.compare)

    @property
    def levels(self) -> list[StageRecord]:
        """Those of the search."""
        return [stage for stage in self.stages if stage.name in LEVELS]

    @property
    def default(self) -> TrialRecord | None:
        """Coarse's trial of the study file's own setting; a grid has none."""
        coarse = self.stage("coarse")
        if coarse is None or coarse.task.get("sampler") == "grid":
            return None
        return next((trial for trial in coarse.trials if trial.number == 0), None)

    def stage(self, name: str) -> StageRecord | None:
        """One by its name."""
        return next((stage for stage in self.stages if stage.name == name), None)


def read(study: Study, store: Store, ours: bool = False) -> StudyRecord:
    """A study as it stands, also while a stage runs; ours: the process that holds the study is this one, at its end."""
    rows = status(store, study.called, study.results)
    own = study.file in bundled().values()
    looks = [look for row in rows for look in row.get("looks", ())]
    stages = tuple(_stage(found, row) for row in rows if (found := store.load(row["stage"])) is not None)
    result = next((row["result"] for row in rows if row["result"]), None)
    model = None if result is None else _model(Path(result["model"]))
    mistakes = None if result is None else _mistakes(study.results / NAME, model)
    chain, beside = [s for s in stages if s.name != COMPARE], [s for s in stages if s.name == COMPARE]
    return StudyRecord(
        name=study.name,
        called=study.called,
        file=study.file,
        bundled=own,
        results=study.results,
        database=store.url,
        stages=tuple(chain),
        looks=looks,
        model=model,
        mistakes=mistakes,
        compare=beside[0] if beside else None,
        at_work=not ours and seems_at_work(study.results, store.storage.url),
    )


def _stage(study: Any, row: Row) -> StageRecord:
    attrs, trials = study.user_attrs, study.get_trials(deepcopy=False)
    return StageRecord(
        row=row,
        trials=tuple(record for t in trials if (record := _trial(row["stage"], t)) is not None),
        **{key: attrs[key] for key in ("setup", "task", "seed", "version", "revision")},
        fingerprint=attrs["data_fingerprint"],
        software=attrs.get("software", {}),
        requests=_requests(study),
        n_finalists=len(attrs.get("finalists", ())),
        began=min((t.datetime_start for t in trials if t.datetime_start), default=None),
    )


def _trial(stage: str, trial: Any) -> TrialRecord | None:
    attrs, state = trial.user_attrs, _state(trial)
    if state is None:
        return None
    at_rungs = [value for key, value in attrs.items() if RUNG.fullmatch(key)]
    rungs = tuple(sorted((found["step"], found["valid_accuracy"]) for found in at_rungs))
    accuracy = trial.value if state == "complete" else None
    if state == "pruned" and rungs:
        accuracy = rungs[-1][1]
    elif state == "running" and trial.intermediate_values and stage != "final":
        accuracy = trial.intermediate_values[max(trial.intermediate_values)]
    return TrialRecord(
        stage,
        trial.number,
        state,
        dict(trial.params),
        accuracy,
        attrs.get("valid_loss") if state == "complete" else None,
        rungs,
        attrs.get("pruned_at_step", attrs.get("diverged_step")),
        _budget(attrs),
        len(trial.intermediate_values),
        float(attrs.get("wall_seconds", 0.0)),
        trial.datetime_complete,
        attrs.get("variant"),
    )


def _state(trial: Any) -> State | None:
    """None for a trial that another program left behind."""
    states: dict[str, State] = {"COMPLETE": "complete", "PRUNED": "pruned", "RUNNING": "running"}
    return "diverged" if trial.user_attrs.get("diverged") else states.get(str(trial.state.name))


def _budget(attrs: Mapping[str, Any]) -> int | None:
    for step, share in (("pruned_at_step", "pruned_at_share"), ("diverged_step", "diverged_at_share")):
        if attrs.get(share):
            return round(float(attrs[step]) / float(attrs[share]))
    return None


def _requests(study: Any) -> tuple[int, ...]:
    """Totals at which a batch ended because no more trials were asked for; TPE's batches are small anyway."""
    batches = stored_batches(study)
    whole = TPE_BATCH if study.user_attrs["task"].get("sampler") == "tpe" else None
    return tuple(batch.end for batch in batches if batch.n != whole or batch is batches[-1])


def _model(path: Path) -> Model | str:
    try:
        return load_model(path)
    except ModelError as error:
        return str(error)


def _mistakes(path: Path, model: Model | str | None) -> Mistakes | str | None:
    """None where there is nothing to look at."""
    try:
        found = load_mistakes(path)
    except ModelError as error:
        return str(error)
    if found is None and isinstance(model, Model) and model.metadata.get("image_shape", ()) is None:
        return None
    return found or f"{path} must be there, but is not: it is written when the test set is looked at."
