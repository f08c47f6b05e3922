"""What is taken for what on the test set, class by class."""

import numpy as np

from bnsearch.report import headlines
from bnsearch.report.figures.confusion import matrix
from bnsearch.report.records import StudyRecord
from bnsearch.report.sections.parts import Drawing, Section, Table
from bnsearch.report.words import Row

CHOICES = {"share of the true class, %": True, "counts": False}


def classes(record: StudyRecord) -> Section | None:
    """Confusion matrix and per-class table of all final networks."""
    final = record.stage("final")
    result = final.row["result"] if final else None
    if not result:
        return None
    n = len(result["test_accuracy"]["per_seed"])
    alt = "Confusion matrix: rows are true classes, columns predicted ones."
    drawings = [
        Drawing(
            f"confusion-{'shares' if normalised else 'counts'}",
            headlines.confusion(result),
            matrix(result["confusion"], result["classes"], normalised),
            alt,
            note=f"Answers of all {n} networks to {result['n_test']:,} test rows.",
            choice=choice,
        )
        for choice, normalised in CHOICES.items()
    ]
    return Section("classes", "Class by class", drawings=drawings, tables=[_table(result, n)])


def _table(result: Row, n_networks: int) -> Table:
    counts, names = np.array(result["confusion"]), result["classes"]
    rows = []
    for k, (name, own) in enumerate(zip(names, result["per_class"], strict=True)):
        precision, recall = own["precision"], own["recall"]
        f1 = 2 * precision * recall / (precision + recall) if precision and recall else None
        wrong = np.where(np.arange(len(names)) == k, 0, counts[k])
        taken = f"{names[wrong.argmax()]}, {_percent(wrong.max() / counts[k].sum())}" if wrong.any() else ""
        shares = [_percent(value) for value in (recall, precision, f1)]
        rows.append([name, *shares, f"{counts[k].sum() // n_networks:,}", taken])
    head = ["class", "recall", "precision", "F1", "test rows", "most often taken for"]
    return Table("Each class on the test set", head, rows)


def _percent(share: float | None) -> str:
    """Classes are small: one decimal is as much as is known."""
    return "" if share is None else f"{100 * share:.1f} %"
