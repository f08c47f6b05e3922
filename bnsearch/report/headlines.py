"""One sentence of finding for each figure, from the same records that it is drawn from."""

from collections.abc import Sequence

import numpy as np

from bnsearch.report.curves import Curve
from bnsearch.report.figures.confusion import rows_normalised
from bnsearch.report.figures.finalists import called
from bnsearch.report.records import StageRecord, StudyRecord, TrialRecord
from bnsearch.report.sample import ranked
from bnsearch.report.words import SYMBOLS, Row, duration, listed, n_over, number, percent, points, rate, setting
from bnsearch.search.mistakes import Mistakes


def answer(record: StudyRecord) -> str:
    """What came out, in one sentence; of a study under way, how far it is."""
    rows = [stage.row for stage in record.stages]
    result = next((row["result"] for row in rows if row["result"]), None)
    if result is not None:
        how = "was given" if record.stages[-1].task.get("setting") is not None else "is chosen"
        accuracy = percent(result["test_accuracy"]["mean"])
        return f"{setting(result['params'])} {how}: its networks get {accuracy} of the test set right."
    verdict = next((row["verdict"] for row in rows if row["stage"] == "confirm" and row["verdict"]), None)
    if verdict is not None:
        expected = f"{percent(verdict['estimate'])} of new rows are expected to be right"
        return f"{setting(verdict['params'])} is chosen: {expected}. The test set has not been looked at."
    row, best = rows[-1], best_of_search(record)
    is_over = n_over(row) >= row["total"]
    so_far = "is finished" if is_over else f"has {n_over(row)} of {row['total']} trials"
    found = (
        f"best so far is {percent(best.accuracy or 0.0)} with {setting(best.params)}" if best else "none has completed"
    )
    return f"{row['stage'].capitalize()} {so_far}; {found}."


def best_of_search(record: StudyRecord) -> TrialRecord | None:
    """The best completed trial of all levels."""
    complete = [t for level in record.levels for t in level.trials if t.state == "complete"]
    return ranked(complete)[0] if complete else None


def search(levels: Sequence[StageRecord]) -> str:
    """The best of all levels, and how many settings its level cannot tell from it."""
    complete = ranked([t for level in levels for t in level.trials if t.state == "complete"])
    if not complete:
        return "No trial has completed."
    best, every = complete[0], [t for level in levels for t in level.trials]
    n_ended = sum(t.state != "running" for t in every)
    which = "The only trial" if n_ended == 1 else f"The best of {n_ended:,} trials"
    so_far = "" if n_ended == len(every) else " so far"
    text = f"{which}{so_far} is {best.label}, with {percent(best.accuracy or 0.0)} at {setting(best.params)}"
    verdicts = (level.row["verdict"] or {} for level in levels if level.name == best.stage)
    n_tied = next((verdict["n_tied"] - 1 for verdict in verdicts if verdict.get("best") == best.number), None)
    if n_tied is None:
        return f"{text}."
    others = f"{n_tied or 'no'} other setting{'s' * (n_tied != 1)} of {best.stage} {'is' if n_tied == 1 else 'are'}"
    return f"{text}; {others} within one standard error of it."


def against(name: str, levels: Sequence[StageRecord]) -> str:
    """Over which values of a hyperparameter the last level cannot tell settings apart."""
    level, tied = _last_tied(levels)
    if level is None:
        why = "as no trial has completed" if all(map(_is_in_vain, levels)) else "before a search has ended"
        return f"Nothing can be said of {SYMBOLS[name]} {why}."
    values = [t.params[name] for t in tied if name in t.params]
    if len(set(values)) < 2:
        at = f" is {SYMBOLS[name]} = {number(values[0])}" if values else ""
        return f"The best of {level.name}{at}, and no other setting is within one standard error of it."
    span = f"from {number(min(values))} to {number(max(values))} in {SYMBOLS[name]}"
    if min(values) > 0:
        span += f", a factor of {max(values) / min(values):.2g}"
    n = level.row["verdict"]["n_tied"]
    which = f"best {len(values)} of {n} settings" if n > len(values) else f"{len(values)} settings"
    return f"The {which} that {level.name} cannot tell apart reach {span}."


def over(names: tuple[str, str], levels: Sequence[StageRecord]) -> str:
    """Where the best tenth of the settings lies."""
    complete = ranked([t for level in levels for t in level.trials if t.state == "complete"])
    complete = [t for t in complete if all(name in t.params for name in names)]
    if not complete:
        return "No trial has completed."
    best = complete[: max(3, len(complete) // 10)]
    where = " and ".join(_reach(name, [t.params[name] for t in best]) for name in names)
    if len(complete) == 1:
        return f"The only completed trial lies at {where}."
    return f"The best {len(best):,} of {len(complete):,} completed trials lie at {where}."


def _reach(name: str, values: Sequence[float]) -> str:
    low, high = number(min(values)), number(max(values))
    return f"{SYMBOLS[name]} = {low}" if low == high else f"{SYMBOLS[name]} = {low} … {high}"


def halving(levels: Sequence[StageRecord]) -> str:
    """What stopping early did, and how well the first rung foresaw the end."""
    sentences = []
    for level in levels:
        own = [t for t in level.trials if t.rungs]
        stopped = sum(t.state == "pruned" for t in own)
        ended = ranked([t for t in own if t.state == "complete"])
        text = f"{stopped} of {len(level.trials)} trials of {level.name} were stopped early"
        if ended:
            first = sorted(own, key=lambda t: -t.rungs[0][1])
            place = 1 + [t.number for t in first].index(ended[0].number)
            text += f"; the best at the end was number {place} at the first rung"
        sentences.append(f"{text}.")
    return " ".join(sentences)


def learning(best: TrialRecord | None, curve: Curve | None) -> str:
    """How the best trial ended: its gap between training and validation rows, and whether more training would help.

    curve: its own, None where its file is gone.
    """
    if best is None:
        return "No trial has completed."
    if curve is None:
        return f"The curve of {best.label}, the best, is missing."
    train, valid = curve.at_end("train_accuracy"), curve.at_end("valid_accuracy")
    if train is None or valid is None:
        return f"{curve.trial.label} has no validation curve."
    gap = points(train - valid)
    rows = f"{percent(train)} of training and {percent(valid)} of validation rows"
    text = f"At its end {curve.trial.label} gets {rows} right"
    loss = curve.figures.get("valid_loss")
    tail = "."
    if loss is not None and np.isfinite(loss).any():
        lowest = int(np.nanargmin(loss))
        last = lowest == len(loss) - 1
        where = "at the end" if last else f"at step {curve.step[lowest]:,.0f} of {curve.step[-1]:,.0f}"
        tail = f"; its validation loss was lowest {where}."
    return f"{text}, a gap of {gap}{tail}"


def multiples(trials: Sequence[TrialRecord]) -> str:
    """How many of the search's trials went which way."""
    n = {state: sum(t.state == state for t in trials) for state in ("complete", "pruned", "diverged", "running")}
    words = {"complete": "ran to the end", "pruned": "stopped early", "diverged": "diverged", "running": "under way"}
    return f"{len(trials):,} trials, best first: {listed([f'{n[s]:,} {words[s]}' for s in n if n[s]])}."


def confirm(verdict: Row) -> str:
    """Who won, and who cannot be told from it."""
    found = {f["finalist"]: f for f in verdict["finalists"]}
    won = found[verdict["winner"]]
    tied = [_the(f) for f in found.values() if f is not won and not f["separable"]]
    worse = [_the(f) for f in found.values() if f["separable"]]
    text = f"Over {verdict['n_repeats']} repeats {_the(won)} has the highest mean"
    parts = []
    if tied:
        parts.append(f"{listed(tied)} cannot be told from it")
    if worse:
        parts.append(f"{listed(worse)} {'are' if len(worse) > 1 else 'is'} worse")
    return f"{text}{'; ' if parts else ''}{', '.join(parts)}."


def _the(finalist: Row) -> str:
    return "the default" if finalist["default"] else called(finalist)


def confusion(result: Row) -> str:
    """The class that is hardest, and the pair that is confused most."""
    table, names = np.array(result["confusion"], dtype=np.float64), result["classes"]
    share = rows_normalised(table)
    there = np.flatnonzero(table.sum(axis=1))
    hardest = there[np.argmin(np.diag(share)[there])]
    wrong = share - np.diag(np.diag(share))
    i, j = np.unravel_index(int(wrong.argmax()), wrong.shape)
    text = f"Hardest is {names[hardest]}: {percent(share[hardest, hardest])} of its rows are recognised"
    if wrong[i, j] == 0:
        return f"{text}; nothing is confused."
    if i == hardest:
        return f"{text}, {percent(wrong[i, j])} are taken for {names[j]}."
    return f"{text}. Most often {names[i]} is taken for {names[j]}, in {percent(wrong[i, j])} of its rows."


def mistakes(found: Mistakes, classes: Sequence[str]) -> str:
    """How many are wrong, and how sure the networks were of the worst."""
    if not found.n_wrong:
        return f"The networks together get all {found.n_test:,} test images right."
    worst = f"{classes[found.predicted[0]]} with {100 * found.confidence[0]:.1f} % where {classes[found.y[0]]} is right"
    many = f"{found.n_wrong:,} of {found.n_test:,} test images are wrong for the networks together"
    return f"{many}; the most confident mistake is {worst}."


def weights(norms: Sequence[float]) -> str:
    """How many units of the first layer do something."""
    values = np.asarray(norms)
    weak = int((values < 0.05 * values.max()).sum())
    have = "has" if weak == 1 else "have"
    rest = f"{weak} of them {have} less than a twentieth of the largest norm" if weak else "none of them is idle"
    return f"The first layer has {len(values)} units; {rest}."


def cost(stages: Sequence[StageRecord]) -> str:
    """Networks, epochs, time and speed."""
    trials = [t for stage in stages for t in stage.trials]
    n_epochs, seconds = sum(t.n_epochs for t in trials), sum(t.seconds for t in trials)
    speed = f", {rate(n_epochs / seconds)} network-epochs a second" if seconds else ""
    return f"{len(trials):,} networks took {n_epochs:,} epochs and {duration(seconds)} of the workers' time{speed}."


def history(levels: Sequence[StageRecord]) -> str:
    """When the best was found."""
    complete = [t for level in levels for t in level.trials if t.state == "complete" and t.ended]
    best = ranked(complete)[0]
    began = min(level.began for level in levels if level.began)
    assert best.ended is not None
    after = duration((best.ended - began).total_seconds())
    return f"The best of the search, {best.label} with {percent(best.accuracy or 0.0)}, ended {after} after the start."


def _is_in_vain(level: StageRecord) -> bool:
    """Is it over, without a trial that completed?"""
    return n_over(level.row) >= level.row["total"] and all(t.state != "complete" for t in level.trials)


def _last_tied(levels: Sequence[StageRecord]) -> tuple[StageRecord | None, list[TrialRecord]]:
    """The last level that has ended, and its trials that cannot be told from its best."""
    for level in reversed(levels):
        verdict = level.row["verdict"]
        if verdict and verdict["tied"]:
            tied = set(verdict["tied"])
            return level, [t for t in level.trials if t.number in tied]
    return None, []
