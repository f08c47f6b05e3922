"""What the stages found, in plain words: (label, sentence) pairs from the records of
`bnsearch.search.stages.status`.
"""

from collections.abc import Sequence

from bnsearch.report.words import SYMBOLS, Row, counted, interval, n_over, number, percent, setting, span
from bnsearch.search.setups import LEVELS

Finding = tuple[str, str]
BEFORE = {"fine": "coarse", "fine2": "fine"}  # whose best a computed space is built around


def findings(row: Row) -> list[Finding]:
    """A stage's findings; of one that is under way, how far it is."""
    return _found(row) + ([("Stale", row["stale"])] if row["stale"] else [])


def _found(row: Row) -> list[Finding]:
    label, n, total = row["stage"].capitalize(), n_over(row), row["total"]
    under_way = [(label, f"unfinished: {n} of {total} trials")] if n < total else []
    if row["result"]:
        return under_way + _final(row["result"])
    if row["stage"] not in LEVELS:
        return under_way + (_confirm(row["verdict"]) if row["verdict"] else [])
    if under_way or not row["verdict"]:
        best = row["best"]
        so_far = (
            [("" if under_way else label, f"best so far {percent(best['value'])} with {setting(best['params'])}")]
            if best
            else []
        )
        return under_way + so_far + _edges(row, ())
    return _search(row)


def all_findings(rows: Sequence[Row]) -> list[Finding]:
    """The findings of all stages in their order."""
    return [finding for row in rows for finding in findings(row)]


def _search(row: Row) -> list[Finding]:
    verdict, best, label = row["verdict"], row["best"], row["stage"].capitalize()
    where = ", ".join(f"{SYMBOLS[name]} {span(values)}" for name, values in row["space"].items())
    found = [(label, f"{counted(row)} in {where}")]
    if best is None:
        found.append(("", "no trial completed, so there is no best"))
    else:
        n = verdict["n_tied"] - 1
        found.append(("", f"best {percent(best['value'])} with {setting(best['params'])}"))
        found.append(("", f"{n or 'no'} other setting{'s' * (n != 1)} within one standard error of it"))
    if verdict["n_tied"] > len(verdict["tied"]):
        at = f"at n_valid = {verdict['n_valid']:,}"
        found.append(("", f"{row['stage']} cannot separate {verdict['n_tied']} settings {at}"))
    return found + _edges(row, verdict["unresolved_edges"])


def _edges(row: Row, unresolved: Sequence[Row]) -> list[Finding]:
    """An optimum is never taken from an edge in silence."""
    found = []
    for edge in row["edges"]:
        on = f"searched on to {number(edge['extended_to'])}" if edge["extended_to"] != edge["edge"] else "a hard limit"
        found.append(("Edge", f"{BEFORE[row['stage']]}'s best reach {_end(edge, 'edge')}: {on}"))
    # a computed space goes beyond these ends, and says so itself
    goes_on = row["stage"] == "coarse" or (row["stage"] == "fine" and row["parent"] is not None)
    for edge in unresolved:
        end = _end(edge, "extended_to")
        if edge["hard_limit"] and row["stage"] != "coarse":
            found.append(("Edge", f"the best lies at a hard limit, {end}"))
        else:
            found.append(
                ("Edge", f"its best reach {end}" if goes_on else f"unresolved: the optimum may lie beyond {end}")
            )
    if all(edge["hard_limit"] for edge in unresolved) or row["stage"] == "coarse":
        return found
    wide = "coarse" if row["parent"] else "fine"  # the space that stands in the study file
    if not goes_on:
        found.append(("", f"widen `{wide}.space` and reset from {wide}"))
    elif not row["followed_by"]:
        found.append(("", "a further level is due: run fine again"))
    return found


def _end(edge: Row, at: str) -> str:
    return f"the {edge['side']} end of {SYMBOLS[edge['name']]}, {number(edge[at])}"


def _confirm(verdict: Row) -> list[Finding]:
    found = [
        ("Chosen", setting(verdict["params"])),
        ("", f"expected validation accuracy {percent(verdict['estimate'])}, leaving one repeat out"),
    ]
    default = next((f for f in verdict["finalists"] if f["default"]), None)
    if default is None:
        found.append(("", "the study file's default setting diverged"))
    elif verdict["winner_is_default"]:
        found.append(("", "it is the study file's default setting"))
    elif default["separable"]:
        found.append(("", f"better than the study file's default by {100 * default['behind_best']:.2f} points"))
    else:
        needed = default["repeats_needed"]
        more = f"about {needed} would do" if needed else "not worth separating"
        found.append(("", f"not separable from the default with {verdict['n_repeats']} repeats; {more}"))
    luck = verdict["optimism"]
    if luck and luck["value"] > luck["standard_error"]:
        points = f"{100 * luck['value']:.2f} ± {100 * luck['standard_error']:.2f} points"
        found.append(("", f"the search flattered it: a lead over the default {points} larger than here"))
    if verdict["diverged"]:
        n = len(verdict["diverged"])
        found.append(("", f"{n} finalist{'s' * (n > 1)} diverged in some repeat and cannot be chosen"))
    return found


def _final(result: Row) -> list[Finding]:
    accuracy, seeds = result["test_accuracy"], result["test_accuracy_over_seeds"]
    found = [
        ("Test", f"{percent(accuracy['mean'])} accuracy; 95 % interval {interval(accuracy)} over new images,"),
        ("", f"{interval(seeds)} over seeds on these {result['n_test']:,} images"),
        ("", f"{len(accuracy['per_seed'])} networks with {setting(result['params'])}"),
        ("", f"trained on {result['n_train']:,} rows; look {result['look']} at this test set"),
    ]
    if result["n_train"] > 1.25 * result["n_train_in_confirm"]:
        found.append(
            ("", f"over 25 % more rows than the {result['n_train_in_confirm']:,} of confirm: other λ and η may be best")
        )
    return found
