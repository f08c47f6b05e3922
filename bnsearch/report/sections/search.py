"""The coarse and the fine search: accuracy against each hyperparameter, the map, the top trials, who was stopped."""

from collections.abc import Iterator, Sequence
from itertools import combinations

import plotly.graph_objects as go

from bnsearch.report import headlines
from bnsearch.report.figures.against import against
from bnsearch.report.figures.halving import LINES, courses, halved, survivors, with_course
from bnsearch.report.figures.map import over
from bnsearch.report.figures.trials import range_shown
from bnsearch.report.findings import findings, grouped
from bnsearch.report.records import StageRecord, StudyRecord
from bnsearch.report.sample import POINTS, ranked, told
from bnsearch.report.sections.parts import Drawing, Section, Table
from bnsearch.report.words import SYMBOLS, number, percent

N_TOP = 10
NOTHING = "Figures of λ and η stand here once a trial has been evaluated."
RINGS = "Rings: settings that lie within one standard error of their level's best, the star, and so are tied with it."


def search(record: StudyRecord) -> Section | None:
    """All levels in the same figures."""
    levels = record.levels
    if not levels:
        return None
    facts = [group for level in levels for group in grouped(findings(level.row))]
    seen = [t for level in levels for t in level.trials if t.accuracy is not None or t.state == "diverged"]
    if not seen:
        return Section("search", "Search", [NOTHING], facts)
    tables = [_top(levels)] if any(t.state == "complete" for t in seen) else []
    found = [headlines.search(levels)]
    return Section("search", "Search", found, facts, drawings=[*_against(levels), *_maps(levels)], tables=tables)


def stopping(record: StudyRecord) -> Section | None:
    """Halving, where there was any."""
    levels = halved(record.levels)
    if not levels:
        return None
    figure = courses(levels)
    drawings = [
        Drawing(
            "survivors",
            headlines.halving(levels),
            survivors(levels),
            "Number of trials under way against the share of the budget, falling at each rung.",
        ),
        Drawing(
            "courses",
            "Trials that rank low at a rung are stopped there; their figures are compared at that rung alone.",
            figure,
            "Validation accuracy of each trial from rung to rung.",
            _notes(_below_at_rungs(figure), *(_some_told(len(with_course(level)), LINES, level) for level in levels)),
        ),
    ]
    return Section("halving", "Stopped early", drawings=drawings)


def _names(levels: Sequence[StageRecord]) -> list[str]:
    """Hyperparameters that some level searched, in the study file's order."""
    return list(dict.fromkeys(name for level in levels for name in level.row["space"]))


def _against(levels: Sequence[StageRecord]) -> Iterator[Drawing]:
    names, ringed = _names(levels), any(len((level.row["verdict"] or {}).get("tied", ())) > 1 for level in levels)
    for name in names:
        yield Drawing(
            f"against-{name}",
            headlines.against(name, levels),
            against(name, levels, _default(name, levels)),
            f"Validation accuracy of each trial against {SYMBOLS[name]}, with the ranges of the levels.",
            _notes(RINGS if ringed and name == names[0] else None, _below(levels), _sampled(levels)),
            wide=len(names) == 1,
        )


def _maps(levels: Sequence[StageRecord]) -> Iterator[Drawing]:
    for names in combinations(_names(levels), 2):
        x, y = names
        yield Drawing(
            f"map-{x}-{y}",
            headlines.over(names, levels),
            over(names, levels),
            f"Map of all trials over {SYMBOLS[x]} and {SYMBOLS[y]}, coloured by validation accuracy.",
            _sampled(levels),
            wide=True,
        )


def _default(name: str, levels: Sequence[StageRecord]) -> float | None:
    """The study file's own value, where coarse can show it."""
    value = float(levels[0].setup["training"][name])
    return value if name != "l2" or value > 0 else None


def _sampled(levels: Sequence[StageRecord]) -> str | None:
    return _notes(*(_some_told(len(level.trials), POINTS, level) for level in levels))


def _some_told(n: int, limit: int, level: StageRecord) -> str | None:
    return told(min(n, limit), n, f"trials of {level.name}")


def _below(levels: Sequence[StageRecord]) -> str | None:
    """What the axis leaves out."""
    shown = range_shown(levels)
    seen = [(t.accuracy, t.state) for level in levels for t in level.trials if t.accuracy is not None]
    below = [(accuracy, state) for accuracy, state in seen if shown and 100 * accuracy < shown[0]]
    if not below:
        return None
    n_stopped = sum(state == "pruned" for _, state in below)
    of_them = f" ({n_stopped:,} of them stopped early)" if n_stopped else ""
    who = f"{len(below):,} trials{of_them} lie" if len(below) > 1 else "1 trial lies"
    return f"{who} {_beneath(min(below)[0])}"


def _below_at_rungs(courses: go.Figure) -> str | None:
    """What the axis of the courses leaves out of what is drawn."""
    shown = courses.layout.yaxis.range
    below = [y for trace in courses.data for y in trace.y if shown and y is not None and y < shown[0]]
    who = f"{len(below):,} figures lie" if len(below) > 1 else "1 figure lies"
    return f"{who} {_beneath(min(below) / 100)}" if below else None


def _beneath(lowest: float) -> str:
    return f"below this axis, down to {percent(lowest)}: double-click to see all, again to come back."


def _notes(*notes: str | None) -> str | None:
    return " ".join(note for note in notes if note) or None


def _top(levels: Sequence[StageRecord]) -> Table:
    names = _names(levels)
    trials = ranked([t for level in levels for t in level.trials if t.state == "complete"])[:N_TOP]
    rows = [
        [
            trial.label,
            *(number(trial.params[name]) if name in trial.params else "" for name in names),
            "" if trial.loss is None else f"{trial.loss:.4f}",
            percent(trial.accuracy or 0.0),
        ]
        for trial in trials
    ]
    head = ["trial", *(SYMBOLS[name] for name in names), "cross-entropy", "accuracy"]
    caption = f"The best {len(rows)} trials, by validation accuracy" if len(rows) > 1 else "The trial that completed"
    return Table(caption, head, rows)
