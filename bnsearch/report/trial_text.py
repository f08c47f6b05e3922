"""One trial in full, as `bnsearch show` prints it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from bnsearch.report.conclusions import Finding
from bnsearch.report.live import sparkline
from bnsearch.report.text import grid, new_console, new_table
from bnsearch.report.words import percent, symbol, value_of

COLUMNS = {  # of a curve: the heading, and whether it is a share
    "epoch": ("epoch", False),
    "step": ("step", False),
    "learning_rate": ("η", False),
    "train_loss": ("loss", False),
    "train_cost": ("cost", False),
    "train_accuracy": ("accuracy", True),
    "valid_loss": ("loss,\nvalid", False),
    "valid_cost": ("cost,\nvalid", False),
    "valid_accuracy": ("accuracy,\nvalid", True),
}
SPARKS = 40


def trial_report(record: Mapping[str, Any], console: Console | None = None) -> None:
    """The record of `bnsearch.search.trial_record`: how it ended, with what, its curve and its files."""
    console = console or new_console()
    console.print(grid([*_facts(record)]))
    if record["curve"]:
        console.print("", _curve(record["curve"]))


def _facts(record: Mapping[str, Any]) -> Iterator[Finding]:
    yield "Trial", f"{record['trial']} of {record['study']}, {record['state']}"
    if record["value"] is not None:
        yield "Value", f"{percent(record['value'])} {record['value_name']}"
    for name, value in record["params"].items():
        yield symbol(name), f"{value_of(value)} ({name})" if symbol(name) != name else value_of(value)
    for rung in record["rungs"]:
        rank = f", rank {rung['rank']} of {rung['of']}" if rung["rank"] else ""
        yield f"Rung {rung['rung']}", f"{percent(rung['valid_accuracy'])} at step {rung['step']:,}{rank}"
    values = list(record["reported"].values())
    if values:
        n = record["budget"] and -(-record["budget"]["n_steps"] // record["budget"]["epoch_steps"])
        after = f"{len(values)} of {n} epochs" if n else f"{len(values)} epochs"
        yield (
            "Reported",
            f"{percent(values[0])} … {percent(values[-1])} over {after}  {sparkline(values, n or len(values), SPARKS)}",
        )
    yield from _figures(record["attributes"])
    yield "Began", record["began"] or "unknown"
    if record["ended"]:
        yield "Ended", record["ended"]
    is_lost = record["ended"] and not record["curve"]
    if is_lost:
        yield "Curve", "missing: its file is gone or damaged, as after a power cut"
    for name, path in record["files"].items():
        if name != "curve" or not is_lost:
            yield name.capitalize(), path


def _figures(attrs: Mapping[str, Any]) -> Iterator[Finding]:
    label = "Figures"
    for name, value in attrs.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            yield label, f"{name} = {value:.6g}"
            label = ""


def _curve(points: Sequence[Mapping[str, float]]) -> Table:
    shown = {name: about for name, about in COLUMNS.items() if any(name in point for point in points)}
    table = new_table("Learning curve")
    for heading, _ in shown.values():
        table.add_column(heading, justify="right")
    for point in points:
        table.add_row(*(_cell(point.get(name), share) for name, (_, share) in shown.items()))
    return table


def _cell(value: float | None, share: bool) -> str:
    if value is None:
        return ""
    return percent(value) if share else f"{value:.3g}" if value != int(value) else f"{value:.0f}"
