"""Where it comes from: study file, versions, data, seeds, looks at the test set, and how to run it again."""

import json
from collections.abc import Sequence
from typing import Any

from bnsearch.report.again import leaves
from bnsearch.report.records import StageRecord, StudyRecord
from bnsearch.report.sections.parts import Section, Table
from bnsearch.report.words import listed, span
from bnsearch.search.halving import SHARES

ELSEWHERE = (
    "Where CIFAR-10 lies in a folder of yours, add --data-dir FOLDER: it is no part of a study, its data's sha256 is."
)
NAMES = {"python": "Python", "numpy": "NumPy", "scipy": "SciPy", "optuna": "Optuna", "blas": "BLAS"}
NOT_AGAIN = "the study file has changed since: no command makes these results again from it"


def provenance(record: StudyRecord, commands: Sequence[str] | None) -> Section:
    """Everything that another run needs."""
    stages = record.begun
    revisions = _distinct([stage.revision or "an installed package" for stage in stages])
    facts = [
        ("Study file", [f"{record.file.name}, bundled with bnsearch" if record.bundled else str(record.file)]),
        ("Database", [record.database]),
        ("Results", [f"{record.results} (learning curves, models, this report)"]),
        (
            "bnsearch",
            [f"version {listed(_distinct([stage.version for stage in stages]))}, revision {listed(revisions)}"],
        ),
        *_software(stages),
        ("Data", [f"{stages[0].setup['data']['source']}, sha256 of the training rows {_fingerprints(record)}"]),
        ("Seed", [listed(_distinct([str(stage.seed) for stage in stages]))]),
    ]
    if commands is None:
        facts.append(("Again", [NOT_AGAIN]))
    n = sum(look["refused"] is None for look in record.looks)
    rows = [[look["at"], look["purpose"], look["refused"] or "counted"] for look in record.looks]
    looks = [
        Table(f"Ledger of looks at the test set: {n} that count", ["when (UTC)", "purpose", "outcome"], rows, n_left=3)
    ]
    tables = [*(looks if rows else [Table("Ledger of looks at the test set: none so far", [], [])])]
    tables += [_tasks(stages), _settings(stages)]
    notes = [ELSEWHERE] if commands and stages[0].setup["data"]["source"] == "cifar10" else []
    return Section("provenance", "Provenance", facts=facts, commands=commands or (), tables=tables, notes=notes)


def _software(stages: Sequence[StageRecord]) -> list[tuple[str, list[str]]]:
    """Versions of what computed, where they are known."""
    found = _distinct(
        [", ".join(f"{NAMES[name]} {of}" for name, of in s.software.items()) for s in stages if s.software]
    )
    return [("Computed by", found)] if found else []


def _tasks(stages: Sequence[StageRecord]) -> Table:
    """What each stage was to do: proposals and ranges of a search, and how many trials or repeats."""
    tasks = [_task(stage) for stage in stages]
    keys = list(dict.fromkeys(key for task in tasks for key in task))
    rows = [[key, *(task.get(key, "") for task in tasks)] for key in keys]
    return Table("What each stage did", ["key", *(stage.name for stage in stages)], rows, n_left=1 + len(stages))


def _task(stage: StageRecord) -> dict[str, str]:
    total, space = int(stage.row["total"]), stage.row["space"] or {}
    many = {"repeats": total // stage.n_finalists, "finalists": stage.n_finalists} if stage.n_finalists else {}
    if not many:
        many = {"repeats": total} if stage.name == "final" else {"trials": total}
    asked = {key: value for key, value in leaves(stage.task) if not key.startswith("space") and value is not None}
    if stage.row["halving"]:  # what was in effect, by default or not
        asked["rungs"] = (asked.get("rungs") or list(SHARES)) if stage.row["halving"]["in_effect"] else []
    found = {key: _text(value) for key, value in (many | asked).items()}
    return found | {f"space.{name}": span(values) for name, values in space.items()}


def _settings(stages: Sequence[StageRecord]) -> Table:
    """The resolved study file as it is stored; a column for each stage whose settings differ from the first one's."""
    tables = [dict(leaves(stage.setup)) for stage in stages]
    shown = [i for i, table in enumerate(tables) if table not in tables[:i]]
    keys = list(dict.fromkeys(key for i in shown for key in tables[i]))
    alike = {i: [stage.name for stage, own in zip(stages, tables, strict=True) if own == tables[i]] for i in shown}
    rows = [[key, *(_text(tables[i].get(key)) for i in shown)] for key in keys]
    rows = [row for row in rows if any(row[1:])]
    return Table(
        "Settings, as they are stored", ["key", *(listed(alike[i]) for i in shown)], rows, n_left=1 + len(shown)
    )


def _text(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _fingerprints(record: StudyRecord) -> str:
    return listed(_distinct([stage.fingerprint for stage in record.begun]))


def _distinct(values: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(values))
