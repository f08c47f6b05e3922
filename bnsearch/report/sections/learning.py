"""Learning curves: of the best, of those that are selected, and of all in miniature."""

from collections.abc import Sequence

from bnsearch.report import headlines
from bnsearch.report.curves import Curve
from bnsearch.report.figures.learning import FIGURES, TITLES, curves_of
from bnsearch.report.multiples import multiples
from bnsearch.report.records import StudyRecord
from bnsearch.report.sample import told
from bnsearch.report.sections.parts import Drawing, Section

EXPLAINED = {
    "accuracy": "Accuracy: validation rows solid, training rows dashed",
    "loss": "Mean cross-entropy",
    "cost": "Cost: mean cross-entropy + λ Σ‖W‖²",
    "learning_rate": "Learning rate",
}
HOW = (
    "Each button shows a trial's training (dashed) and validation accuracy, all on the same scale, and over the steps "
    "of the longest of its stage; press it, and its curves stand above. Training figures are means over an epoch's "
    "minibatches."
)


def learning(record: StudyRecord, curves: Sequence[Curve], n_chosen: int, n_trials: int) -> Section | None:
    """The curves of the search, best first, then those of final; so many were chosen of all."""
    lost = n_chosen - len(curves)
    gone = f"{lost} of {n_chosen} curves are missing: their files are gone or damaged." if lost else None
    if not curves:
        return Section("learning", "Learning curves", notes=[gone]) if gone else None
    best = headlines.best_of_search(record)
    best_curve = next((curve for curve in curves if best is not None and curve.trial.label == best.label), None)
    shown = _selected(record, curves)
    drawings = [
        Drawing(
            f"curves-{figure}",
            EXPLAINED[figure],
            curves_of(figure, curves, shown),
            f"{TITLES[figure]} of the selected trials against the step.",
            selectable=True,
        )
        for figure in FIGURES
        if any(figure == name or name.endswith(f"_{figure}") for curve in curves for name in curve.figures)
    ]
    notes = [HOW, told(n_chosen, n_trials, "curves"), gone]
    findings = []
    if record.levels:
        every = [t for level in record.levels for t in level.trials]
        findings = [headlines.learning(best, best_curve), headlines.multiples(every)]
    return Section(
        "learning",
        "Learning curves",
        findings=findings,
        drawings=drawings,
        multiples=multiples(curves, shown),
        notes=[note for note in notes if note],
    )


def _selected(record: StudyRecord, curves: Sequence[Curve]) -> list[str]:
    """The best and the default setting; where that is the best or no trial, the second best."""
    # a network that diverged at once has no line to show
    labels = [curve.trial.label for curve in curves if curve.is_line] or [curve.trial.label for curve in curves]
    default = [record.default.label] if record.default and record.default.label in labels else []
    return list(dict.fromkeys([labels[0], *default, *labels]))[:2]
