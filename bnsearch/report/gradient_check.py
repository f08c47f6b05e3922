"""A gradient check for people."""

from rich.console import Console

from bnsearch.report.conclusions import Finding
from bnsearch.report.text import grid, new_console, new_table
from bnsearch.report.words import Row, listed, number

WAYS = {"complex": "the complex step", "central": "central differences", "forward": "forward differences"}
MEASURES = {  # of the record: the heading
    "largest_gradient": "max|g|",
    "max_absolute_error": "max|Δ|",
    "relative_error": "max|Δ|\n/max|g|",
    "max_relative_error": "|Δ|/|g|",
    "relative_to_larger": "B17",
    "relative_to_sum": "N19",
}
LEGEND: tuple[Finding, ...] = (
    ("|Δ|/|g|", "the largest of entries that are at least 1 % of the parameter's largest"),
    (
        "B17",
        "the largest |Δ|/max(|a|, |g|) of all entries, Baldassarre's formula (2017); up to 2 where signs differ",
    ),
    (
        "N19",
        "the largest |Δ|/(|a| + |g|) of all entries, assumed for Nicolai (2019), who gives no formula; 1 where signs "
        "differ. B17's printed 1.00 is of this kind, to judge by the pairs of numbers beside it",
    ),
)


def gradient_check_report(record: Row, console: Console | None = None) -> None:
    """The record of `bnsearch.search.gradient_check`: each parameter's errors, and the verdict."""
    console = console or new_console()
    table = new_table(f"Gradient check of {record['study']}")
    for name in ("parameter", *MEASURES.values(), "verdict"):
        table.add_column(name, justify="left" if name in ("parameter", "verdict") else "right")
    for row in record["parameters"]:
        errors = ["" if row[name] is None else f"{row[name]:.1e}" for name in MEASURES]
        table.add_row(row["parameter"], *errors, _said(row))
    console.print(table, "")
    zero = any(row["expected_zero"] for row in record["parameters"])
    console.print(
        grid([("Network", _network(record)), *LEGEND, *([_ZERO] if zero else []), ("Verdict", verdict(record))])
    )


_ZERO: Finding = (
    "0",
    "a bias before batch normalisation changes nothing: its true derivative is 0, so it is compared absolutely",
)


def verdict(record: Row) -> str:
    """One sentence: whether backpropagation agrees with the numeric gradient, and if not, why."""
    way, rows = WAYS[record["method"]], record["parameters"]
    wrong = [row for row in rows if not row["agrees"]]
    if not wrong:
        worst = max(row["relative_error"] for row in rows if row["relative_error"] is not None)
        return (
            f"Backpropagation is right: it agrees with {way} to {worst:.1e} of each parameter's largest derivative "
            f"({record['allowed']:.0e} is allowed)."
        )
    names = listed([row["parameter"] for row in wrong])
    return (
        f"Backpropagation does not agree with {way} in {len(wrong)} of {len(rows)} parameters ({names}), "
        f"because {_why(record)}."
    )


def _why(record: Row) -> str:
    if record["statistics"] == "frozen" and record["batch_norm"] != "none":
        return (
            "the numeric side keeps the moments of batch normalisation as they are, as at test time, while "
            "backpropagation goes through the moments of the batch: these are derivatives of two functions; "
            "--statistics batch compares derivatives of one. This is B17's 1.00, which stands in the column N19"
        )
    if record["exact"]:
        return (
            "a ReLU switches between the two points of a difference, which then is no derivative: by the complex step "
            "(--method complex) backpropagation is right"
        )
    return "one of them is wrong there"


def _said(row: Row) -> str:
    if row["expected_zero"]:
        return "0, as it must be" if row["agrees"] else "differs: true 0"
    return "agrees" if row["agrees"] else "differs"


def _network(record: Row) -> str:
    norm = {"affine": "affine batch norm", "plain": "plain batch norm", "none": "no batch norm"}[record["batch_norm"]]
    moments = "" if record["batch_norm"] == "none" else f", moments {_MOMENTS[record['statistics']]}"
    widths = "-".join(map(str, record["widths"]))
    return (
        f"{widths}, {norm}, λ = {number(record['l2'])}, {record['n_rows']} rows, {WAYS[record['method']]}{moments}; "
        f"a by backpropagation, g numeric, Δ = a − g"
    )


_MOMENTS = {"batch": "of the batch on both sides", "frozen": "frozen on the numeric side"}
