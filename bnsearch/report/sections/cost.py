"""What it took: time, trials, epochs, speed."""

from bnsearch.report import headlines
from bnsearch.report.figures.history import course
from bnsearch.report.records import StageRecord, StudyRecord
from bnsearch.report.sections.parts import Drawing, Section, Table
from bnsearch.report.words import duration, rate


def cost(record: StudyRecord) -> Section:
    """A line for each stage, and the course of the search."""
    drawings = []
    if headlines.best_of_search(record) is not None:
        finding = headlines.history(record.levels)
        alt = "Validation accuracy of completed trials against time, with the best so far."
        drawings.append(Drawing("history", finding, course(record.levels), alt, wide=True))
    head = ["stage", "complete", "stopped", "diverged", "under way", "epochs", "elapsed", "workers' time", "epochs/s"]
    table = Table("Networks, epochs and time of each stage", head, [_row(stage) for stage in record.begun])
    notes = [
        "An epoch is one network's. Elapsed: from a stage's first trial to its last, interruptions included. Workers' "
        "time: the shares of all networks in the time of the processes that trained them."
    ]
    return Section(
        "cost", "What it took", [headlines.cost(record.begun)], drawings=drawings, tables=[table], notes=notes
    )


def _row(stage: StageRecord) -> list[str]:
    trials, counts = stage.trials, stage.row["trials"]
    n_epochs, seconds = sum(t.n_epochs for t in trials), sum(t.seconds for t in trials)
    ends = [t.ended for t in trials if t.ended]
    elapsed = duration((max(ends) - stage.began).total_seconds()) if ends and stage.began else ""
    states = [str(counts[key]) for key in ("complete", "pruned", "failed", "running")]
    speed = rate(n_epochs / seconds) if seconds else ""
    return [stage.name, *states, f"{n_epochs:,}", elapsed, duration(seconds), speed]
