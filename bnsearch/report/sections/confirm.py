"""Confirm: the finalists over fresh repeats."""

from collections.abc import Sequence

from bnsearch.report import headlines
from bnsearch.report.figures.finalists import called, differences, dots, judged
from bnsearch.report.records import StudyRecord
from bnsearch.report.sections.parts import Drawing, Section, Table
from bnsearch.report.words import SYMBOLS, Row, number, percent

MEANS = (
    "An interval is of one mean, over fresh weights, orders and rows. A repeat that is hard for one finalist is hard "
    "for all, so that differences are known better than means: who is tied is seen in the other figure."
)


def confirm(record: StudyRecord) -> Section | None:
    """Where there is a verdict."""
    stage = record.stage("confirm")
    verdict = stage.row["verdict"] if stage else None
    if not verdict:
        return None
    sure = (
        "Paired differences on the same rows, weights and data order, with simultaneous 95 % intervals: tied with the "
        "best is whose interval contains 0."
    )
    drawings = [
        Drawing(
            "finalists",
            headlines.confirm(verdict),
            dots(verdict),
            "Validation accuracy of each finalist in each repeat, with its mean and the mean's interval.",
            MEANS,
        ),
        Drawing(
            "differences", sure, differences(verdict), "How far each finalist is behind the best, with its interval."
        ),
    ]
    return Section("confirm", "Confirm", drawings=drawings, tables=[_table(verdict)])


def _table(verdict: Row) -> Table:
    found = sorted(verdict["finalists"], key=lambda f: -f["mean"])
    # what all of them share needs no column
    names = [name for name in verdict["params"] if len({f["params"][name] for f in found}) > 1]
    rows = []
    for f in found:
        interval = f["difference_interval"]
        rows.append(
            [
                called(f),
                judged(f, verdict),
                *(number(f["params"][name]) for name in names),
                percent(f["mean"]),
                "" if f["finalist"] == verdict["winner"] else f"{100 * f['behind_best']:.2f}",
                "" if interval is None else f"{100 * interval[0]:.2f} … {100 * interval[1]:.2f}",
            ]
        )
    head: Sequence[str] = [
        "finalist",
        "verdict",
        *(SYMBOLS[n] for n in names),
        "mean",
        "points behind",
        "simultaneous 95 % interval",
    ]
    return Table(f"Finalists over {verdict['n_repeats']} repeats", head, rows, n_left=2)
