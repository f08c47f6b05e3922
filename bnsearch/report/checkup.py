"""A check-up for people."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bnsearch.report.text import WIDTH
from bnsearch.search.checkup.line import Line

STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def checkup_report(lines: Sequence[Line]) -> None:
    """A line each: ok, warn or fail, what it is about, what was found and what helps."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH, highlight=False)
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for line in lines:
        remedy = f" -> {line.remedy}" if line.remedy else ""
        table.add_row(Text(line.state, STYLES[line.state]), Text(line.name), Text(line.found + remedy))
    console.print(table)
