"""What the stages found, in plain words: (label, sentence) pairs from the records of
`bnsearch.search.stages.status`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bnsearch.report.comparison import comparison_findings
from bnsearch.report.conclusions import Finding, confirm_findings, final_findings
from bnsearch.report.words import SYMBOLS, Row, counted, n_over, number, percent, setting, span
from bnsearch.search.setups import COMPARE, LEVELS

Group = tuple[str, list[str]]  # a label and its sentences
BEFORE = {"fine": "coarse", "fine2": "fine"}  # whose best a computed space is built around


def findings(row: Row) -> list[Finding]:
    """A stage's findings; of one that is under way, how far it is."""
    failed = [("Failed", f"trial {one['trial']}: {one['reason']}") for one in row.get("given_up", ())]
    return _found(row) + failed + ([("Stale", row["stale"])] if row["stale"] else [])


def _found(row: Row) -> list[Finding]:
    label, n, total = row["stage"].capitalize(), n_over(row), row["total"]
    under_way = [(label, f"unfinished: {n} of {total} trials")] if n < total else []
    if row["result"]:
        return under_way + final_findings(row["result"])
    if row["stage"] == COMPARE:
        return under_way or comparison_findings(row["comparison"])
    if row["stage"] not in LEVELS:
        return under_way + (confirm_findings(row["verdict"]) if row["verdict"] else [])
    if under_way or not row["verdict"]:
        best = row["best"]
        so_far = (
            [("" if under_way else label, f"best so far {percent(best['value'])} with {setting(best['params'])}")]
            if best
            else []
        )
        return under_way + so_far + _edges(row, ())
    return _search(row)


def sentences(row: Row) -> list[str]:
    """The same for programs: a label stands before the first of its sentences."""
    return [f"{label}: {sentence}" if label else sentence for label, sentence in findings(row)]


def grouped(found: Iterable[Finding]) -> list[Group]:
    """A label with all of its sentences; one that ends with a comma goes on in the next."""
    groups: list[Group] = []
    for label, sentence in found:
        if not groups or (label and label != groups[-1][0]):
            groups.append((label, []))
        own = groups[-1][1]
        if own and own[-1].endswith(","):
            own[-1] += f" {sentence}"
        else:
            own.append(sentence)
    return groups


def with_findings(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The records, each with its sentences."""
    return [{**row, "findings": sentences(row)} for row in rows]


def all_findings(rows: Sequence[Row]) -> list[Finding]:
    """The findings of all stages in their order."""
    return [finding for row in rows for finding in findings(row)]


def _search(row: Row) -> list[Finding]:
    verdict, best, label = row["verdict"], row["best"], row["stage"].capitalize()
    where = ", ".join(f"{SYMBOLS[name]} {span(values)}" for name, values in row["space"].items())
    found = [(label, f"{counted(row)} in {where}"), *_halving(row)]
    if best is None:
        found.append(("", "no trial completed, so there is no best"))
    else:
        n = verdict["n_tied"] - 1
        found.append(("", f"best {percent(best['value'])} with {setting(best['params'])}; partly luck"))
        around = f"the best {len(verdict['tied'])}" if verdict["n_tied"] > len(verdict["tied"]) else "all"
        then = f"fine searches around {around}" if row["stage"] == "coarse" else "fresh repeats tell more"
        then = f"{row['followed_by']} goes on from there" if row["followed_by"] else then
        tail = f": {then}" if n and not row["given_fine"] else ""
        found.append(("", f"{n or 'no'} other setting{'s' * (n != 1)} within one standard error{tail}"))
    if verdict["n_tied"] > len(verdict["tied"]):
        at = f"at n_valid = {verdict['n_valid']:,}"
        found.append(("", f"{row['stage']} cannot separate {verdict['n_tied']} settings {at}; more rows would"))
    return found + _edges(row, verdict["unresolved_edges"])


def _halving(row: Row) -> list[Finding]:
    """Who was stopped early; rungs that were asked for in vain are not passed over."""
    halving = row["halving"]
    stopped, n = halving["stopped"], n_over(row)
    if stopped:
        at = ", ".join(f"{one['trials']} at {100 * one['share']:.0f} %" for one in stopped)
        n_stopped = sum(one["trials"] for one in stopped)
        several = f"{n_stopped} of {n} trials stopped early: {at} of the budget"
        one = f"{n_stopped} of {n} trials stopped early {at.partition(' ')[2]} of the budget"
        return [("", several if len(stopped) > 1 else one)]
    if halving["asked"] and not halving["in_effect"]:
        return [("", "none was stopped early: `rungs` need a batch of at least 16 trials")]
    return []


def _edges(row: Row, unresolved: Sequence[Row]) -> list[Finding]:
    """An optimum is never taken from an edge in silence."""
    found = []
    for edge in row["edges"]:
        on = f"searched on to {number(edge['extended_to'])}" if edge["extended_to"] != edge["edge"] else "a hard limit"
        found.append(("Edge", f"{BEFORE[row['stage']]}'s best settings reach {_end(edge, 'edge')}: {on}"))
    # a computed space goes beyond these ends, and says so itself
    goes_on = row["stage"] == "coarse" or (row["stage"] == "fine" and row["parent"] is not None)
    for edge in unresolved:
        end = _end(edge, "extended_to")
        if row["given_fine"] and not _reaches(row["given_fine"], edge):
            found.append(("Edge", f"unresolved: its best settings reach {end}, beyond which no trial is"))
        elif edge["hard_limit"] and row["stage"] != "coarse":
            found.append(("Edge", f"the best lies at a hard limit, {end}"))
        else:
            found.append(
                (
                    "Edge",
                    f"its best settings reach {end}" if goes_on else f"unresolved: the optimum may lie beyond {end}",
                )
            )
    if all(edge["hard_limit"] for edge in unresolved) or row["stage"] == "coarse":
        return found
    wide = "coarse" if row["parent"] else "fine"  # the space that stands in the study file
    if not goes_on:
        found.append(("", f"widen `{wide}.space` and reset from {wide}"))
    elif not row["followed_by"]:
        found.append(("", "a further level is due: run fine again"))
    return found


def _reaches(space: Row, edge: Row) -> bool:
    """Does a space, a table of ranges or lists of values, go beyond an edge?"""
    values = space.get(edge["name"], ())
    ends = (values["low"], values["high"]) if isinstance(values, Mapping) else values
    return any(end < edge["edge"] if edge["side"] == "low" else end > edge["edge"] for end in ends)


def _end(edge: Row, at: str) -> str:
    return f"the {edge['side']} end of {SYMBOLS[edge['name']]}, {number(edge[at])}"
