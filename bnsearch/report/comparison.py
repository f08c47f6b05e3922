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
        others = [rows[i]["label"] for i in comparison["not_separable"] if i != best]
        if others and n > 1:
            names = "; ".join(others) if len(others) < 4 else f"{len(others)} other variants"
            found.append(f"cannot be told from it with {n} repeats: {names}")
    lost = [_lost(row, n) for row in rows if row["n_diverged"] or row["n_failed"]]
    return found + ([f"diverged or failed: {'; '.join(lost)}"] if lost else [])


def _mean_of(row: Row, n: int) -> str:
    mean = percent(row["valid_accuracy"]["mean"])
    return f"{row['label']}: validation accuracy {mean} over {n} repeat{'s' * (n != 1)}"


def _against_first(comparison: Row) -> str:
    rows, best = comparison["variants"], comparison["best"]
    first, n = rows[0], comparison["n_repeats"]
    if best == 0:
        return ", the first variant"
    if first["n"] < n:
        return f"; the first variant, {first['label']}, did not come to the end of every repeat"
    difference = rows[best]["difference"]
    ahead = f", {points(difference['mean'])} above the first, {first['label']}"
    if difference["low"] is None:
        return f"{ahead}; one repeat does not say whether that is more than luck"
    tied = 0 in comparison["not_separable"]
    return f"{ahead} (95 % interval {spread(difference)}): {'not ' * tied}separable from it"


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
        cells = [row["label"], ending(row, comparison["n_repeats"])]
        cells += [_mean(row["train_accuracy"]), _mean(row["valid_accuracy"]), _mean(row["difference"], "+")]
        cells += [_mean(row["test_accuracy"])] if tested else []
        by = row[BY_STATISTICS] or {"moving": None, "population": None}
        cells += [_mean(by[kind]).partition(" ")[0] for kind in ("moving", "population")] if both else []
        yield cells


def _mean(figure: Row | None, sign: str = "") -> str:
    if figure is None:
        return ""
    half = "" if figure["low"] is None else f" ± {100 * (figure['high'] - figure['mean']):.1f}"
    return f"{100 * figure['mean']:{sign}.2f}{half}"


def spread(figure: Row) -> str:
    """An interval in percentage points."""
    return f"{100 * figure['low']:.2f} … {100 * figure['high']:.2f}"


def explained(comparison: Row) -> str:
    """What the columns of the table are."""
    text = (
        "Percent of rows that are right at the end of training, mean ± half of the 95 % t-interval over the repeats. "
        "To the first: the mean difference in validation accuracy to the first variant, in points, repeat by repeat."
    )
    if any(row[BY_STATISTICS] for row in comparison["variants"]):
        text += " Moving, population: the same weights on the test set by either kind of moments."
    return text
