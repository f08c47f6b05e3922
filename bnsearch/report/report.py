"""The report of a study: one HTML page, from its database and the files beside it."""

from collections.abc import Iterator, Sequence

from bnsearch.errors import UsageError
from bnsearch.report.again import commands
from bnsearch.report.curves import Curve, read_curves
from bnsearch.report.page import render
from bnsearch.report.records import StudyRecord, TrialRecord, read
from bnsearch.report.sample import CURVES, ranked, some
from bnsearch.report.sections.answer import answer
from bnsearch.report.sections.classes import classes
from bnsearch.report.sections.confirm import confirm
from bnsearch.report.sections.cost import cost
from bnsearch.report.sections.images import mistakes, weights
from bnsearch.report.sections.learning import learning
from bnsearch.report.sections.parts import Section
from bnsearch.report.sections.provenance import provenance
from bnsearch.report.sections.search import search, stopping
from bnsearch.report.sections.variants import variants
from bnsearch.search.owner import check_owner
from bnsearch.search.store import Store
from bnsearch.search.study_file import Study

FILE = "report.html"  # in the results folder
N_FINAL = 10  # of final's networks, whose curves are shown


def report(study: Study, store: Store | None, ours: bool = False) -> str:
    """The page as text, of the study as it stands, also while a stage runs.

    ours: the process that holds the study is this one, at its end.
    Raises UsageError before its first run, and StoreError where the results folder is another database's.
    """
    if store is not None:
        check_owner(study, store.url)
    record = read(study, store, ours) if store is not None else None
    if record is None or not record.begun:
        raise UsageError(
            f"{study.called} must have been run before there is anything to report, but has not: run `bnsearch "
            f"{study.first_command} {study.called}` first."
        )
    searched, others = _with_curves(record)
    chosen = [*some(searched, CURVES - len(others), record.default), *others]
    n_curves = len(chosen), len(searched) + len(others)
    compared = [t for t in record.compare.trials if t.state == "complete"] if record.compare else []
    own, beside = (read_curves(record.results, trials) for trials in (chosen, compared))
    sections = sections_of(record, own, n_curves, commands(record), beside)
    return render(record.name, list(sections))


def sections_of(
    record: StudyRecord,
    curves: Sequence[Curve],
    n_curves: tuple[int, int],
    again: Sequence[str] | None,
    compared: Sequence[Curve] = (),
) -> Iterator[Section]:
    """What there is to say.

    n_curves: how many were looked for, of how many; again: the commands that make the results again; compared: curves
    of the variants' networks.
    """
    found = (
        answer(record),
        search(record),
        stopping(record),
        learning(record, curves, *n_curves),
        confirm(record),
        variants(record, compared),
        classes(record),
        mistakes(record),
        weights(record),
        cost(record),
        provenance(record, again),
    )
    return (section for section in found if section is not None)


def _with_curves(record: StudyRecord) -> tuple[list[TrialRecord], list[TrialRecord]]:
    """Trials of the search, best first, and the first networks of final; what is under way has no curve yet."""
    searched = ranked([t for level in record.levels for t in level.trials if t.state != "running"])
    final = record.stage("final")
    return searched, [t for t in final.trials if t.state == "complete"][:N_FINAL] if final else []
