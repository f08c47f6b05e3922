"""What came out, how sure it is, and what lies at an edge: the first thing on the page."""

from collections.abc import Iterable

from bnsearch.report import headlines
from bnsearch.report.comparison import sentences
from bnsearch.report.figures.accuracy import accuracies
from bnsearch.report.findings import Group, findings, grouped
from bnsearch.report.records import StageRecord, StudyRecord
from bnsearch.report.sections.parts import Drawing, Section
from bnsearch.report.words import as_sentence
from bnsearch.search.setups import LEVELS


def answer(record: StudyRecord) -> Section:
    """The last thing that is known, and the edge verdicts that stand."""
    if not record.stages and record.compare is not None:
        return _of_comparison(record.compare)
    ends = [
        stage for stage in record.stages if stage.name not in LEVELS and (stage.row["verdict"] or stage.row["result"])
    ]
    shown = ends or list(record.stages[-1:])
    own = [_how_sure(group) for stage in shown for group in grouped(findings(stage.row))]
    own += [group for stage in record.levels for group in _warnings(record, stage) if group not in own]
    if not any(label == "Edge" for label, _ in own) and _searched(record):
        own.append(("Edge", ["No setting that may be the best lies at an end of what was searched."]))
    own = [(label, [as_sentence(text) for text in texts]) for label, texts in own]
    own += _unfinished(record)
    return Section("answer", "Answer", [headlines.answer(record)], own, drawings=list(_drawings(record)))


def _of_comparison(compare: StageRecord) -> Section:
    """Of a study that searches nothing."""
    first, *others = sentences(compare.row["comparison"])
    facts = [("Compare", [as_sentence(text) for text in others])] if others else []
    return Section("answer", "Answer", [as_sentence(first)], facts)


def _drawings(record: StudyRecord) -> Iterable[Drawing]:
    final = record.stage("final")
    result = final.row["result"] if final else None
    if result:
        n = len(result["test_accuracy"]["per_seed"])
        alt = f"Test accuracy of {n} networks, their mean with intervals over new images and over seeds."
        yield Drawing("accuracies", "Accuracy on the test set, with 95 % intervals", accuracies(result), alt)


def _how_sure(group: Group) -> Group:
    """The setting itself stands in the headline."""
    label, sentences = group
    return ("How sure", sentences[1:]) if label == "Chosen" else group


def _warnings(record: StudyRecord, stage: StageRecord) -> list[Group]:
    """Edges at which a later level, built around them, has not looked; and what has become stale."""
    later = record.levels[record.levels.index(stage) + 1 :]
    followed = bool(later) and "tied" in (later[0].row["parent"] or {})
    labels = ("Stale",) if followed else ("Edge", "Stale")
    return [group for group in grouped(findings(stage.row)) if group[0] in labels]


def _searched(record: StudyRecord) -> bool:
    """Has the last level of the search ended with a best?"""
    return bool(record.levels) and bool((record.levels[-1].row["verdict"] or {}).get("tied"))


def _unfinished(record: StudyRecord) -> list[Group]:
    """How to see it go on, or to go on."""
    if record.at_work:
        return [("Under way", [record.command("status", "--follow")])]
    return [] if record.stages[-1].row["result"] else [("Go on", [record.command("run")])]
