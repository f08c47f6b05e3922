"""What the stages found, in plain words: (label, sentence) pairs from the records of
`bnsearch.search.stages.status`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
Finding = tuple[str, str]
SHORT = {"l2": "λ", "learning_rate": "η", "momentum": "momentum"}


def findings(row: Row) -> list[Finding]:
    """A stage's findings; of one that is under way, how far it is."""
    label, n, total = row["stage"].capitalize(), n_over(row), row["total"]
    under_way = [(label, f"unfinished: {n} of {total} trials")] if n < total else []
    if row["result"]:
        return under_way + _final(row["result"])
    if row["stage"] not in ("coarse", "fine"):
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
    where = ", ".join(f"{SHORT[name]} {_span(values)}" for name, values in row["space"].items())
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
        found.append(("Edge", f"coarse's best reach {_end(edge, 'edge')}: {on}"))
    if row["stage"] == "coarse":
        # a computed fine space goes beyond these ends, and says so itself
        return [*found, *(("Edge", f"its best reach {_end(edge, 'extended_to')}") for edge in unresolved)]
    beyond = [edge for edge in unresolved if not edge["hard_limit"]]
    for edge in unresolved:
        said = "unresolved: the optimum may lie beyond" if edge in beyond else "the best lies at a hard limit,"
        found.append(("Edge", f"{said} {_end(edge, 'extended_to')}"))
    wide = "coarse" if row["parent"] else "fine"  # the space that stands in the study file
    return [*found, ("", f"widen `{wide}.space` and reset from {wide}")] if beyond else found


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
        ("Test", f"{percent(accuracy['mean'])} accuracy; 95 % interval {_interval(accuracy)} over new images,"),
        ("", f"{_interval(seeds)} over seeds on these {result['n_test']:,} images"),
        ("", f"{len(accuracy['per_seed'])} networks with {setting(result['params'])}"),
        ("", f"trained on {result['n_train']:,} rows; look {result['look']} at this test set"),
    ]
    if result["n_train"] > 1.25 * result["n_train_in_confirm"]:
        found.append(
            ("", f"over 25 % more rows than the {result['n_train_in_confirm']:,} of confirm: other λ and η may be best")
        )
    return found


def setting(params: Row) -> str:
    """Hyperparameters on one line; a momentum of 0 is left out."""
    shown = (f"{SHORT[name]} = {number(value)}" for name, value in params.items() if name != "momentum" or value)
    return ", ".join(shown)


def number(value: float) -> str:
    """A hyperparameter in three digits, and in as many more as keep a momentum of 0.9999 apart from 1."""
    return next(text for text in (f"{value:.{n}g}" for n in range(3, 18)) if value >= 1.0 or float(text) < 1.0)


def percent(share: float) -> str:
    """A share in percent with two decimals."""
    return f"{100 * share:.2f} %"


def n_over(row: Row) -> int:
    """Trials that are over, in whatever way."""
    trials = row["trials"]
    return int(trials["complete"] + trials["pruned"] + trials["failed"])


def counted(row: Row) -> str:
    """How many trials a stage has."""
    n, trials = n_over(row), row["trials"]
    ends = [f"{trials[key]} {word}" for key, word in (("pruned", "pruned"), ("failed", "diverged")) if trials[key]]
    return f"{n} trial{'s' * (n != 1)}" + (f" ({', '.join(ends)})" if ends else "")


def _end(edge: Row, at: str) -> str:
    return f"the {edge['side']} end of {SHORT[edge['name']]}, {number(edge[at])}"


def _interval(values: Row) -> str:
    return f"{100 * max(values['low'], 0.0):.2f} … {percent(min(values['high'], 1.0))}"


def _span(values: Any) -> str:
    if isinstance(values, Mapping):
        return f"{number(values['low'])} … {number(values['high'])}"
    return f"{{{', '.join(map(number, values))}}}"
