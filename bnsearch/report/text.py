"""What the commands print for people, from plain records."""

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bnsearch.report.comparison import interval_name, table_head, table_rows
from bnsearch.report.conclusions import Finding
from bnsearch.report.findings import all_findings
from bnsearch.report.words import SYMBOLS, Row, counted, number, percent
from bnsearch.search.address import default_url
from bnsearch.search.setups import COMPARE, LEVELS

WIDTH = 100  # where the output is no terminal


def how_to_see(called: str, storage: str | None) -> str:
    """The command that makes the page and shows it."""
    return shlex.join(["bnsearch", "report", called, *(["--storage", storage] if storage else []), "--open"])


def stage_report(rows: Sequence[Row], worked: bool, database: str, seen: str, console: Console | None = None) -> None:
    """What one stage found, on each of its levels; seen: the command that shows the page."""
    console = console or new_console()
    if not worked:
        done = ",\n".join(f"{row['study']} is finished ({counted(row)})" for row in rows)
        console.print(f"{done}: nothing to do.\n", markup=False, highlight=False)
    searches = [row for row in rows if row["stage"] in LEVELS and row["top"]]
    if searches:
        console.print(best_trials(searches), "")
    models = []
    for row in rows:
        if row["stage"] == COMPARE:
            console.print(variants(row["comparison"]), "")
        if row["stage"] == "confirm":
            console.print(finalists(row["verdict"]), "")
        if row["result"]:
            models.append(_model(row["result"]))
    console.print(grid([*all_findings(rows), *models, ("Database", database), ("Report", seen)]))


def run_report(
    study: str,
    rows: Sequence[Row],
    database: str,
    results: Path,
    page: tuple[Path, str],
    worked: bool,
    console: Console | None = None,
) -> None:
    """The whole study: best trials, the choice, the test accuracy, and where everything lies.

    page: where the HTML page lies, and the command that shows it.
    """
    console = console or new_console()
    if not worked:
        console.print(f"Every stage of {study} is finished: nothing to do.\n", markup=False, highlight=False)
    searches = [row for row in rows if row["stage"] in LEVELS and row["top"]]
    if searches:
        console.print(best_trials(searches), "")
    for row in rows:
        if row["stage"] == "confirm" and row["verdict"]:
            console.print(finalists(row["verdict"]), "")
    final = next(row for row in rows if row["stage"] == "final")
    where = [
        ("Report", str(page[0])),
        ("", f"open it in a browser, or: {page[1]}"),
        _model(final["result"]),
        ("Curves", str(results / "curves")),
        ("Database", database),
        ("Browse", _browse(study, database, results)),
    ]
    console.print(grid([*all_findings(rows), *where]))


def status_report(
    study: str, rows: Sequence[Row], seen: str, console: Console | None = None, first: str = "run"
) -> None:
    """Stages, trials by state, best so far, looks at the test set; seen: the command that shows the page; first: the
    one that begins.
    """
    console = console or new_console()
    if not rows:
        console.print(f"{study} has not been run yet: bnsearch {first} {study}", markup=False, highlight=False)
        return
    table = new_table(f"Study {study}")
    for name in ("stage", "complete", "pruned", "failed", "running", "total", "accuracy"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    for row in rows:
        states = [str(row["trials"][state]) for state in ("complete", "pruned", "failed", "running")]
        accuracy = percent(row["best"]["value"]) if row["best"] else ""
        table.add_row(row["stage"], *states, str(row["total"]), f"test {accuracy}" if row["result"] else accuracy)
    console.print(table, "")
    looks = [look for row in rows for look in row.get("looks", ())]
    n = sum(look["refused"] is None for look in looks)
    times = f"{n} look{'s' * (n != 1)} at the test set"
    listed = [("", f"{look['at']}  {look['purpose']}{', refused' * bool(look['refused'])}") for look in looks]
    page = [("Report", seen)] if any(any(row["trials"].values()) for row in rows) else []
    console.print(grid([*all_findings(rows), ("Ledger", times), *listed, *page]))


def best_trials(rows: Sequence[Row]) -> Table:
    """The best five of each level of the search."""
    names = list(dict.fromkeys(name for row in rows for trial in row["top"] for name in trial["params"]))
    table = new_table("Best trials, by validation accuracy")
    for heading in ("stage", "trial", *(_heading(name) for name in names), "accuracy"):
        table.add_column(heading, justify="left" if heading == "stage" else "right")
    for row in rows:
        for i, trial in enumerate(row["top"]):
            values = [number(trial["params"][name]) if name in trial["params"] else "" for name in names]
            table.add_row(row["stage"] if i == 0 else "", str(trial["trial"]), *values, percent(trial["value"]))
        table.add_section()
    return table


def finalists(verdict: Row) -> Table:
    """Finalists, their means, and how far behind the best they are: tied is whose interval contains 0."""
    table = new_table(f"Finalists over {verdict['n_repeats']} repeats")
    found = sorted(verdict["finalists"], key=lambda f: -f["mean"])
    # what all of them share needs no column
    names = [name for name in verdict["params"] if len({f["params"][name] for f in found}) > 1]
    left = ("finalist", "verdict")
    shown = [SYMBOLS[name] for name in names]
    for heading in ("finalist", *shown, "mean", "points\nbehind", "simultaneous\n95 % interval", "verdict"):
        table.add_column(heading, justify="left" if heading in left else "right")
    for f in found:
        won = f["finalist"] == verdict["winner"]
        interval = f["difference_interval"]
        table.add_row(
            "default" if f["default"] else f"{f['stage']} {f['trial']}",
            *(number(f["params"][name]) for name in names),
            percent(f["mean"]),
            "" if won else f"{100 * f['behind_best']:.2f}",
            "" if interval is None else f"{100 * interval[0]:.2f} … {100 * interval[1]:.2f}",
            "chosen" if won else "worse" if f["separable"] else "tied",
        )
    return table


def variants(comparison: Row) -> Table:
    """The variants of a comparison in the order of the study file."""
    n = comparison["n_repeats"]
    shown = f"Variants over {n} repeat{'s' * (n != 1)}: final accuracy in percent ± half its 95 % interval"
    table = new_table(f"{shown} (to the first: {interval_name(comparison)})" if n > 1 else shown)
    for i, heading in enumerate(table_head(comparison)):
        table.add_column(heading, justify="right" if i else "left", no_wrap=i > 1)
    for cells in table_rows(comparison):
        table.add_row(*map(Text, cells))
    return table


def grid(lines: Iterable[Finding]) -> Table:
    """Labels beside their sentences, which wrap within their own column."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, sentence in lines:
        table.add_row(Text(label), Text(sentence))
    return table


def _browse(study: str, database: str, results: Path) -> str:
    """The command that shows the study, with the address of its database where that is another than usual."""
    elsewhere = [] if database == default_url(results.parent, results.name) else ["--storage", database]
    return shlex.join(["bnsearch", "dashboard", study, *elsewhere])


def _model(result: Row) -> Finding:
    n_more = len(result["models"]) - 1
    return "Model", result["model"] + (f" (and {n_more} more beside it)" if n_more else "")


def _heading(name: str) -> str:
    return name if SYMBOLS[name] == name else f"{name} {SYMBOLS[name]}"


def new_table(title: str) -> Table:
    """Narrow enough for 80 columns."""
    return Table(
        title=Text(title, style="bold"),
        title_justify="left",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,
    )


def new_console() -> Console:
    """As wide as the terminal; of one width where there is none."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH, highlight=False)
