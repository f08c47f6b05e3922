"""A comparison in words: its table, cell by cell, and what it found."""

from collections.abc import Iterator

from bnsearch.report.conclusions import Finding
from bnsearch.report.words import Row, percent, points

BY_STATISTICS = "test_accuracy_by_statistics"


def comparison_findings(comparison: Row) -> list[Finding]:
    """Which variant is best, whether it can be told from the first, and what became of the others."""
    return [("Compare" if i == 0 else "", sentence) for i, sentence in enumerate(sentences(comparison))]


def sentences(comparison: Row) -> list[str]:
    """The same without labels; the first is the answer."""
    rows, best, n = comparison["variants"], comparison["best"], comparison["n_repeats"]
    found = []
    if best is None:
        found.append("no variant has come to the end of every repeat, so there is no best")
    else:
        found.append(f"best {_mean_of(rows[best], n)}{_against_first(comparison)}")
        others = [
            row["label"] for row in rows if row["difference"] and not (row["separable"] or row["variant"] == best)
        ]
        if others and n > 1:
            names = "; ".join(others) if len(others) < 4 else f"{len(others)} {'other ' * (best != 0)}variants"
            found.append(f"cannot be told from the first with {n} repeats: {names}")
    lost = [_lost(row, n) for row in rows if row["n_diverged"] or row["n_failed"]]
    return found + ([f"diverged or failed: {'; '.join(lost)}"] if lost else [])


def _mean_of(row: Row, n: int) -> str:
    mean = percent(row["valid_accuracy"]["mean"])
    return f"{row['label']}: validation accuracy {mean} over {n} repeat{'s' * (n != 1)}"


def _against_first(comparison: Row) -> str:
    rows, best = comparison["variants"], comparison["best"]
    first, difference = rows[0], rows[best]["difference"]
    if best == 0:
        return ", the first variant"
    if difference is None:
        return f"; the first variant, {first['label']}, did not come to the end of any repeat"
    pairs = [pair for pair in difference["per_seed"] if pair is not None]
    mean, few = difference["mean"], len(pairs) < comparison["n_repeats"]
    ahead = f", {points(abs(mean))} {'above' if mean >= 0 else 'below'} the first, {first['label']}"
    ahead += f", in the {len(pairs)} repeat{'s' * (len(pairs) != 1)} that this came to the end of" if few else ""
    if difference["low"] is None and len(pairs) == 1:
        return f"{ahead}; one repeat does not say whether that is more than luck"
    if difference["low"] is None:
        return f"{ahead}, the same in each; without a spread there is no interval"
    verdict = "separable" if rows[best]["separable"] else "not separable"
    return f"{ahead} ({interval_name(comparison)} {spread(difference)}): {verdict} from it"


def interval_name(comparison: Row) -> str:
    """What the interval of a difference to the first is, by which variants are separable from it or not."""
    return "simultaneous 95 % interval" if comparison["differences"]["n"] > 1 else "95 % interval"


def _lost(row: Row, n: int) -> str:
    return f"{row['label']}: {ending(row, n)}"


def ending(row: Row, n: int) -> str:
    """How many runs a variant's figures are of, and why not more."""
    ways = (("n_diverged", "diverged"), ("n_failed", "failed"))
    return ", ".join(f"{row[key]} of {n} {word}" for key, word in ways if row[key]) or str(row["n"])


def table_head(comparison: Row) -> list[str]:
    """Headings, of which the first is of words; with the test's columns where there was one."""
    rows = comparison["variants"]
    head = ["variant", "n", "train", "validation", "to the first"]
    if any(row["test_accuracy"] for row in rows):
        head.append("test")
    if any(row[BY_STATISTICS] for row in rows):
        head += ["moving", "population"]
    return head


def table_rows(comparison: Row) -> Iterator[list[str]]:
    """A row for each variant: means in percent, or percentage points, ± half of their 95 % interval."""
    rows = comparison["variants"]
    tested, both = (any(row[key] for row in rows) for key in ("test_accuracy", BY_STATISTICS))
    for row in rows:
        cells = [row["label"], ending(row, comparison["n_repeats"]) + (_untested(row) if tested else "")]
        cells += [_mean(row["train_accuracy"]), _mean(row["valid_accuracy"]), _mean(row["difference"], "+")]
        cells += [_mean(row["test_accuracy"])] if tested else []
        by = row[BY_STATISTICS] or {"moving": None, "population": None}
        cells += [_mean(by[kind]).partition(" ")[0] for kind in ("moving", "population")] if both else []
        yield cells


def _untested(row: Row) -> str:
    """How many the test's columns are of, where repeats were added after the last look at the test set."""
    n = sum(seed is not None for seed in (row["test_accuracy"] or {"per_seed": ()})["per_seed"])
    return f", {n} of {row['n']} tested" if n < row["n"] else ""


def _mean(figure: Row | None, sign: str = "") -> str:
    if figure is None:
        return ""
    digits = 2 if sign else 1  # of a difference as many as its mean has, for they say together whether 0 is left out
    half = "" if figure["low"] is None else f" ± {100 * (figure['high'] - figure['mean']):.{digits}f}"
    return f"{100 * figure['mean']:{sign}.2f}{half}"


def spread(figure: Row) -> str:
    """An interval in percentage points."""
    return f"{100 * figure['low']:.2f} … {100 * figure['high']:.2f}"


def explained(comparison: Row) -> str:
    """What the columns of the table are."""
    n = comparison["differences"]["n"]
    text = (
        "Percent of rows that are right at the end of training, mean ± half of the 95 % t-interval over the repeats. "
        "To the first: the mean difference in validation accuracy to the first variant, in points, repeat by repeat, "
        f"± half of its {interval_name(comparison)} (paired t{_corrected(n)}); a variant is separable from the first "
        "where that leaves 0 out."
    )
    if any(row[BY_STATISTICS] for row in comparison["variants"]):
        text += " Moving, population: the same weights on the test set by either kind of moments."
    return text


def _corrected(n: int) -> str:
    return f", of the level 1 − .05/{n}, so that all {n} hold at once" if n > 1 else ""
