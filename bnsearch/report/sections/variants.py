"""Variants compared: their learning curves with the spread of their seeds, and the table."""

from collections.abc import Sequence

from bnsearch.report.comparison import explained, sentences, table_head, table_rows
from bnsearch.report.curves import Curve
from bnsearch.report.figures.variants import FIGURES, MOST_SHOWN, course, told_by
from bnsearch.report.records import StudyRecord
from bnsearch.report.sections.parts import Drawing, Section, Table
from bnsearch.report.words import Row, as_sentence, listed, symbol

HOW = (
    "Lines are means over a variant's repeats, bands reach from the lowest to the highest of them. Press a name below "
    "a figure to hide or show its variant, twice to see it alone. Training figures are means over an epoch's "
    "minibatches."
)


def variants(record: StudyRecord, curves: Sequence[Curve]) -> Section | None:
    """Where something is compared, also while it is under way."""
    if record.compare is None:
        return None
    comparison = record.compare.row["comparison"]
    rows = comparison["variants"]
    by_variant: dict[int, list[Curve]] = {}
    for curve in curves:
        if curve.trial.variant is not None:
            by_variant.setdefault(curve.trial.variant, []).append(curve)
    drawings = [
        Drawing(
            f"variants-{name}",
            f"{title.capitalize()} of each variant{_told_apart(rows)}",
            course(name, rows, by_variant),
            f"{title} of each variant against the step: means over the repeats, in bands from lowest to highest.",
        )
        for name, (title, _) in FIGURES.items()
        if any(name in curve.figures for own in by_variant.values() for curve in own) and _is_new(name, record)
    ]
    table = Table(_caption(comparison), table_head(comparison), list(table_rows(comparison)))
    hidden = f"Of {len(rows)} variants the first {MOST_SHOWN} are drawn at once." if len(rows) > MOST_SHOWN else None
    notes = [explained(comparison), HOW if drawings else None, hidden]
    # of a study that searches nothing they are the answer
    found = [as_sentence(sentence) for sentence in sentences(comparison)] if record.stages else []
    return Section(
        "variants",
        "Variants compared",
        findings=found,
        drawings=drawings,
        tables=[table],
        notes=[note for note in notes if note],
    )


def _is_new(name: str, record: StudyRecord) -> bool:
    """The cost differs from the cross-entropy by what L2 adds."""
    assert record.compare is not None
    tables = [record.compare.setup["training"]["l2"], *record.compare.task["vary"].get("training.l2", ())]
    return any(tables) or not name.endswith("_loss")


def _told_apart(rows: Sequence[Row]) -> str:
    ways = zip(told_by(rows), ("colours", "dashes", "widths"), strict=False)
    told = listed([f"{way} tell {symbol(key)} apart" for key, way in ways])
    return f": {told}" if told else ""


def _caption(comparison: Row) -> str:
    n = comparison["n_repeats"]
    return f"{len(comparison['variants'])} variants over {n} repeat{'s' * (n != 1)}: percent right at the end"
