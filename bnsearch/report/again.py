"""The commands that make a study's results again, from what its database says was asked for."""

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from bnsearch.errors import BnsearchError
from bnsearch.report.records import StageRecord, StudyRecord
from bnsearch.search.comparing import task_of_comparison
from bnsearch.search.levels import task_of
from bnsearch.search.setups import COMPARE, STAGE_OF, STAGES, Comparing, Stage
from bnsearch.search.study_file import Study, load_study

TOTALS = {"coarse": "trials", "fine": "trials", "confirm": "repeats", "final": "repeats", "compare": "repeats"}


def commands(record: StudyRecord) -> list[str] | None:
    """One command, or several where a search was enlarged; None where the study file has changed in a way that no
    option makes up for.
    """
    try:
        study = load_study(str(record.file))
        sets = _overrides(record, study)
        again = load_study(str(record.file), sets)
    except BnsearchError:
        return None
    if not _is_as_stored(record, again):
        return None
    options = [f"--set {shlex.quote(one)}" for one in sets]
    own = [shlex.join(record.storage)] if record.storage else []
    call = shlex.quote(record.called)
    last = [" ".join(["bnsearch run", call, *options, *own])] if record.stages else []
    if record.compare is not None:
        tested = any(row["test_accuracy"] for row in record.compare.row["comparison"]["variants"])
        last.append(" ".join(["bnsearch compare", call, *(["--test"] if tested else []), *options, *own]))
    unchanged = [o for o in options if not o.startswith(tuple(f"--set {s}.{t}=" for s, t in TOTALS.items()))]
    earlier = [" ".join([f"bnsearch {stage} {call} --trials {n}", *unchanged, *own]) for stage, n in _growth(record)]
    return [*earlier, *last]


def _growth(record: StudyRecord) -> list[tuple[str, int]]:
    """Totals of coarse and fine in their order, where more than one was asked for, but those that `run` reaches."""
    asked: dict[str, list[int]] = {"coarse": [], "fine": []}
    for level in record.levels:
        own = asked[STAGE_OF[level.name]]
        own += [total for total in level.requests if total not in own]
    if all(len(totals) < 2 for totals in asked.values()):
        return []
    fine = record.stage("fine")
    parent = (fine.row["parent"] if fine else None) or {}
    before = [n for n in asked["coarse"] if n <= parent.get("n_trials", asked["coarse"][-1])]
    after = asked["coarse"][len(before) :]
    return [
        *(("coarse", n) for n in before),
        *(("fine", n) for n in asked["fine"]),
        *(("coarse", n) for n in after[:-1]),
    ]


def _overrides(record: StudyRecord, study: Study) -> list[str]:
    """`key=value` for all in which what is stored differs from the study file; a key of all stages alike by itself."""
    stored = _by_stage(record)
    found: dict[str, dict[str, Any]] = {}  # key -> stage -> value
    for stage, own in stored.items():
        now = dict(leaves(study.setup_of(stage).model_dump(mode="json")))
        for key, value in leaves(own.setup):
            if value != now.get(key):
                found.setdefault(key, {})[stage] = value
    sets = [] if all(s.seed == study.seed for s in stored.values()) else [f"seed={next(iter(stored.values())).seed}"]
    for key, values in found.items():
        first = next(iter(values.values()))
        if values == dict.fromkeys(stored, first):
            sets.append(f"{key}={_toml(first)}")
        else:
            sets += [f"{stage}.{key}={_toml(value)}" for stage, value in values.items()]
    for stage, own in stored.items():
        now = dict(leaves(_task(study, stage)))
        sets += [f"{stage}.{key}={_toml(v)}" for key, v in leaves(own.task) if v != now.get(key)]
        total = _total(record, stage, own)
        if total and total != _asked(study, stage):
            sets.append(f"{stage}.{TOTALS[stage]}={total}")
    return sets


def _is_as_stored(record: StudyRecord, again: Study) -> bool:
    return all(
        own.setup == again.setup_of(stage).model_dump(mode="json")
        and own.task == _task(again, stage)
        and own.seed == again.seed
        for stage, own in _by_stage(record).items()
    )


def _by_stage(record: StudyRecord) -> dict[Stage | Comparing, StageRecord]:
    chain: dict[Stage | Comparing, StageRecord | None] = {stage: record.stage(stage) for stage in STAGES}
    return {stage: own for stage, own in {**chain, COMPARE: record.compare}.items() if own is not None}


def _asked(study: Study, stage: Stage | Comparing) -> int:
    """Trials or repeats, by the study file."""
    if stage == COMPARE:
        return 0 if study.comparison is None else study.comparison.repeats
    table = getattr(study.tables, stage)
    return int(table.total if stage in ("coarse", "fine") else table.repeats)


def _task(study: Study, stage: Stage | Comparing) -> dict[str, Any]:
    if stage == COMPARE:
        return {} if study.comparison is None else task_of_comparison(study.comparison)
    if stage == "coarse" or stage == "fine":
        return task_of(getattr(study.tables, stage))
    return study.tables.final.model_dump(mode="json", exclude={"repeats"}) if stage == "final" else {}


def _total(record: StudyRecord, stage: Stage | Comparing, own: StageRecord) -> int:
    """Trials of a search's last level, repeats of the other stages."""
    if stage == COMPARE:
        return int(own.row["comparison"]["n_repeats"])
    if stage == "confirm":
        return int(own.row["total"]) // max(own.n_finalists, 1)
    further = record.stage("fine2") if stage == "fine" else None
    return int((further or own).row["total"])


def leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Values within nested tables, with their dotted keys."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", list(value) if isinstance(value, tuple) else value


def _toml(value: Any) -> str:
    """JSON's numbers, texts, lists and truth values are TOML's too."""
    return json.dumps(value, ensure_ascii=False)
