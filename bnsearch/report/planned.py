"""A plan, and what a budget left out, as people read it."""

from collections.abc import Sequence

from rich.console import Console

from bnsearch.report.conclusions import Finding
from bnsearch.report.findings import all_findings
from bnsearch.report.text import grid, new_console, new_table
from bnsearch.report.words import Row, duration


def plan_report(plan: Row, console: Console | None = None) -> None:
    """Stages with what is left of them and how long it will take, what confirm will tell, and what fits a budget."""
    console = console or new_console()
    table = new_table(f"Plan of {plan['study']}")
    for name in ("stage", "trials over", "left", "steps", "rungs at step", "expected"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    for row in plan["stages"]:
        counts = [f"{row[key]:,}" for key in ("finished", "trials", "steps")]
        seconds = duration(row["seconds"]) if row["trials"] else "finished"
        table.add_row(row["stage"], *counts, ", ".join(map(str, row["rungs"])), seconds)
    console.print(table, "")
    console.print(grid([*_in_all(plan), *_resolves(plan["resolves"]), *_not_foreseen(plan)]))
    if plan["proposal"] is not None:
        console.print("", grid(_proposal(plan["proposal"])))
        if plan["proposal"]["command"] is not None:
            # on one line whatever its length, to be pasted
            console.print("", plan["proposal"]["command"], markup=False, highlight=False, soft_wrap=True, sep="\n")


def left_out_report(
    rows: Sequence[Row], outcome: Row, database: str, seen: str, console: Console | None = None
) -> None:
    """What was found so far, and which stages there was no time for.

    outcome: that of `bnsearch.search.budget`; seen: the command that shows the page, where there is anything on it.
    """
    console = console or new_console()
    left = duration(outcome["seconds_left"]) if outcome["seconds_left"] > 0 else "none"
    line = (
        f"{', '.join(outcome['left_out'])}: about {duration(outcome['seconds_needed'])} more, of which {left} was "
        f"left; run again without --budget, or with a larger one, to go on"
    )
    where = [("Database", database), *([("Report", seen)] if any(row["total"] for row in rows) else [])]
    console.print(grid([*all_findings(rows), *where, ("Left out", line)]))


def too_little(proposal: Row) -> str:
    """Not even the least fits."""
    least = ", ".join(f"{key} = {value}" for key, value in proposal["set"].items())
    return (
        f"--budget must be at least about {duration(proposal['seconds'])}, which the least takes"
        f"{f' ({least})' if least else ''}, but got {duration(proposal['budget_seconds'])}: give more time, or fewer "
        f"epochs, cycles or final.repeats."
    )


def _in_all(plan: Row) -> list[Finding]:
    n, seconds = plan["workers"], plan["seconds"]
    if not seconds:
        return [("In all", "every stage is finished: nothing is left to do")]
    found = [("In all", f"about {duration(seconds)} on {n} worker{'s' * (n != 1)}")]
    if plan["further_seconds"]:
        more = duration(plan["further_seconds"])
        found.append(("", f"up to {more} more where fine's best lies at an end of its space, so that it goes on"))
    return found


def _resolves(resolves: Row | None) -> list[Finding]:
    if resolves is None:
        return []
    of = f"{resolves['finalists']} finalists, {resolves['repeats']} repeats, n_valid = {resolves['n_valid']:,}"
    points = f"{100 * resolves['difference']:.1f} points"
    return [("Confirm", f"will be able to resolve differences of about {points} ({of})")]


def _not_foreseen(plan: Row) -> list[Finding]:
    if plan["not_foreseen"] is None:
        return []
    n, repeats = plan["not_foreseen"]["variants"], plan["not_foreseen"]["repeats"]
    of = f"{n} variant{'s' * (n != 1)} × {repeats} repeat{'s' * (repeats != 1)}"
    return [("Compare", f"is not foreseen, in no time above: {of} by bnsearch compare {plan['study']}")]


def _proposal(proposal: Row) -> list[Finding]:
    if not proposal["fits"]:
        return [("Budget", too_little(proposal))]
    chosen = ", ".join(f"{key} = {value}" for key, value in proposal["set"].items())
    seconds = f"about {duration(proposal['seconds'])} of {duration(proposal['budget_seconds'])}"
    found = [("Budget", f"{chosen or 'it all fits, and nothing is left to choose'}: {seconds}")]
    for key, shares in proposal["rungs"].items():
        places = " and ".join(f"{100 * share:.0f} %" for share in shares)
        found.append(("", f"rungs at {places} of a training in {key.partition('.')[0]}"))
    found += _resolves(proposal["resolves"])
    return [*found, ("Written", proposal["written"])] if proposal["written"] else found
