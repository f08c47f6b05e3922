"""B17's coarse and fine grid: its best three beside ours, and how much of a ranking is noise."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.reproduction import theirs
from benchmarks.reproduction.ours import Comparison, NotRun, Runs
from benchmarks.reproduction.part import Part, percent, points
from benchmarks.reproduction.ranking import Half, Ranking, better_half, ranking, spearman
from benchmarks.section import Table
from bnsearch.report.words import number

STATISTICS = ("moving", "population")
NAMES = {"moving": "moving averages", "population": "exact moments"}
CHANCE = 0.1
ALIKE = 0.7  # a rank correlation above it: an order that another measurement repeats
SHOWN = (0.012721, 0.000192)  # η, λ of B17's best coarse setting


def coarse(runs: Runs) -> Part:
    """The wide grid."""
    comparison = runs.comparison("b17-ranking-coarse")
    rate, l2 = SHOWN
    moving, exact = (comparison.find(bn_statistics=kind, learning_rate=rate, l2=l2) for kind in STATISTICS)
    one = (
        f"B17's best setting, η {rate}, λ {l2}, over {len(moving.trials)} seeds: validation "
        f"{moving.over('valid_accuracy').percent(1)} % with its moving averages, "
        f"{exact.over('valid_accuracy').percent(1)} % with the exact moments of the same weights ({moving.rows}; "
        f"{exact.rows})."
    )
    return Part(
        "B17: coarse search",
        ["coarse cifar10-momentum", "compare b17-ranking-coarse"],
        text=(one, _said(comparison, theirs.B17_COARSE)),
        tables=[_best(runs, comparison, "coarse", theirs.B17_COARSE), _noise(comparison)],
        pictures=[("b17-ranking-coarse", "Validation accuracy of the coarse grid's settings, each seed a dot")],
    )


def fine(runs: Runs) -> Part:
    """The narrow grid, whose ranking decided."""
    comparison = runs.comparison("b17-ranking-fine")
    return Part(
        "B17: fine search",
        ["fine cifar10-momentum", "compare b17-ranking-fine"],
        text=(
            _said(comparison, theirs.B17_FINE),
            "One and the same setting of this grid gave 22.1 % and 34.4 % in B17's two runs of it (not in the report; "
            "known from running its code again).",
        ),
        tables=[_best(runs, comparison, "fine", theirs.B17_FINE), _noise(comparison)],
        pictures=[("b17-ranking-fine", "Validation accuracy of the fine grid's settings, each seed a dot")],
    )


def settings(comparison: Comparison, statistics: str) -> list[tuple[float, float]]:
    """η and λ of each variant."""
    own = (keys for keys, _ in comparison.variants if keys["bn_statistics"] == statistics)
    return [(keys["learning_rate"], keys["l2"]) for keys in own]


def accuracies(comparison: Comparison, statistics: str) -> NDArray[np.float64]:
    """(M settings, R seeds), each seed in its column; one that diverged is at chance, as the reports would have it."""
    rows = [g.by_repeat("valid_accuracy") for keys, g in comparison.variants if keys["bn_statistics"] == statistics]
    repeats = sorted(set().union(*rows))
    if len(repeats) < 2 or len(rows) < 2:
        raise NotRun("bnsearch compare with two repeats")
    return np.array([[row.get(repeat, CHANCE) for repeat in repeats] for row in rows])


def halves(comparison: Comparison) -> dict[str, Half]:
    """The better half by each kind of moments, with the other beside it; empty where there are too few seeds."""
    moving, exact = (accuracies(comparison, kind) for kind in STATISTICS)
    if min(moving.shape[1], exact.shape[1]) < 3:
        return {}
    return {"moving": better_half(moving, exact), "population": better_half(exact, moving)}


def _best(runs: Runs, comparison: Comparison, stage: str, reported: Sequence[theirs.Setting]) -> Table:
    """B17's three and ours of one run, with the accuracies of all seeds."""
    trials = sorted(runs.stage("cifar10-momentum", stage).trials, key=lambda t: -(t.value or 0.0))
    places = {(t.params["learning_rate"], t.params["l2"]): (place, t) for place, t in enumerate(trials, 1)}
    if any((setting.learning_rate, setting.l2) not in places for setting in reported):
        raise NotRun(f"bnsearch {stage} cifar10-momentum")
    rows = []
    for i, setting in enumerate(reported, 1):
        place, trial = places[setting.learning_rate, setting.l2]
        reported_text = f"{i}: {percent(setting.train)} / {percent(setting.valid)}"
        rows.append((setting.learning_rate, setting.l2, reported_text, place, trial))
    for place, trial in enumerate(trials[:3], 1):
        if not any(row[4] is trial for row in rows):
            rows.append((trial.params["learning_rate"], trial.params["l2"], "", place, trial))
    cells = []
    for rate, l2, reported_text, place, trial in rows:
        group = comparison.find(bn_statistics="moving", learning_rate=rate, l2=l2)
        ours = f"{place}: {percent(trial.user_attrs['train_accuracy'])} / {percent(trial.value or 0.0)}"
        valid = group.over("valid_accuracy").percent(1) if group.trials else "diverged"
        where = f"`cifar10-momentum.{stage}` {trial.number}; {group.rows}"
        cells.append((f"η {number(rate)}, λ {number(l2)}", reported_text, ours, valid, where))
    return Table(
        ("", "B17", "one run", "all seeds, validation", "rows"),
        cells,
        f"Place: training / validation accuracy in %, of {len(trials)} settings; B17's best three and ours",
    )


def _noise(comparison: Comparison) -> Table:
    rows, found = [], halves(comparison)
    for kind in STATISTICS:
        whole, where = ranking(accuracies(comparison, kind)), _first_and_last(comparison, kind)
        rows.append((NAMES[kind], *_figures(whole), f"{whole.n_best} of {len(whole.best)}", where))
        if found:
            rows.append((f"{NAMES[kind]}, the better half", *_figures(found[kind]), "", where))
    header = ("evaluated with", "sd over seeds", "sd between settings", "rank correlation", "best of a seed", "rows")
    caption = (
        "Validation accuracy in points. Between settings: of their means, without the seeds' share. Rank correlation: "
        "Spearman's, mean over all pairs of seeds. Best of a seed: how many settings were. The better half: the "
        "settings of the higher means over half of the seeds, judged by the others, mean over all ways to part them"
    )
    return Table(header, rows, caption)


def _figures(one: Ranking | Half) -> tuple[str, str, str]:
    return f"{100 * one.within:.2f}", f"{100 * one.between:.2f}", f"{one.correlation:.2f}"


def _first_and_last(comparison: Comparison, statistics: str) -> str:
    own = [g for keys, g in comparison.variants if keys["bn_statistics"] == statistics]
    numbers = [t.number for g in own for t in g.trials]
    return f"`{comparison.study}` {min(numbers)} … {max(numbers)}, {len(numbers)} of them"


def _said(comparison: Comparison, reported: Sequence[theirs.Setting]) -> str:
    y, z = (accuracies(comparison, kind) for kind in STATISTICS)
    whole, found = ranking(y), halves(comparison)
    apart = max(one.valid for one in reported) - min(one.valid for one in reported)
    said = (
        f"B17's best three lie {points(apart)} apart. All {len(whole.best)} settings differ by {points(whole.between)} "
        f"(standard deviation of their means without the seeds' share), the seeds of one setting by "
        f"{points(whole.within)} on average, and {whole.n_best} settings were best of one seed or another."
    )
    return f"{_verdict(found['moving'])} {said} {_of_halves(found, spearman(y.mean(1), z.mean(1)))}" if found else said


def _verdict(half: Half) -> str:
    """By the better half's own figures."""
    share = "mostly" if half.between < half.within else "partly"
    return f"**Its ranking of the good settings was {share} noise.**"


def _of_halves(found: Mapping[str, Half], alike: float) -> str:
    """What is left of a ranking where it decides."""
    moving, exact = (found[kind] for kind in STATISTICS)
    same = "the same networks in the same order" if moving.alike >= ALIKE else "not the order of the networks"
    return (
        f"Of the better half, chosen by other seeds than judge it, settings differ by {points(moving.between, 2)} and "
        f"the seeds of one by {points(moving.within, 2)}; two seeds rank it with a correlation of "
        f"{moving.correlation:.2f}. The order by moving averages is {same}: with exact moments' order of the very same "
        f"networks, means over the seeds, it has a rank correlation of {alike:.2f} over all settings and of "
        f"{moving.alike:.2f} in that half. In exact moments' own better half the seeds of a setting differ by "
        f"{points(exact.within, 2)} and its settings by {points(exact.between, 2)} (correlation of two seeds "
        f"{exact.correlation:.2f}): without the evaluation's noise "
        f"{'most of a ranking would still be noise' if exact.between < exact.within else 'the ranking would stand'}."
    )
