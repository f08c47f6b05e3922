"""What the stages found, in plain words: (label, sentence) pairs from the records of
`bnsearch.search.stages.status`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
Finding = tuple[str, str]
SHORT = {"l2": "λ", "learning_rate": "η", "momentum": "momentum"}


def findings(row: Row) -> list[Finding]:
    """A stage's findings; empty while there are none."""
    if row["result"]:
        return _final(row["result"])
    if not row["verdict"]:
        return []
    return _confirm(row["verdict"]) if row["stage"] == "confirm" else _search(row)


def all_findings(rows: Sequence[Row]) -> list[Finding]:
    """The findings of all stages in their order."""
    return [finding for row in rows for finding in findings(row)]


def _search(row: Row) -> list[Finding]:
    verdict, best, label = row["verdict"], row["best"], row["stage"].capitalize()
    if best is None:
        return [(label, f"no trial completed: all {row['trials']['failed']} diverged")]
    where = ", ".join(f"{SHORT[name]} {_span(values)}" for name, values in row["space"].items())
    n_others = verdict["n_tied"] - 1
    others = "no other setting" if n_others == 0 else f"{n_others} other setting{'s' * (n_others > 1)}"
    found = [
        (label, f"{counted(row)} in {where}"),
        ("", f"best {percent(best['value'])} with {setting(best['params'])}; {others} within one standard error of it"),
    ]
    if verdict["n_tied"] > len(verdict["tied"]):
        found.append(("", f"{row['stage']} cannot separate {verdict['n_tied']} settings on this validation set"))
    for edge in row["edges"]:
        end = f"the {edge['side']} end of coarse's range, {SHORT[edge['name']]} = {edge['edge']:.3g}"
        on = f"searched on to {edge['extended_to']:.3g}" if edge["extended_to"] != edge["edge"] else "a hard limit"
        found.append(("Edge", f"a tied setting lay at {end}: {on}"))
    for edge in verdict["unresolved_edges"]:
        end = f"the {edge['side']} end of {SHORT[edge['name']]}"
        found.append(("Edge", f"unresolved: the best lies at {end} again; widen `coarse.space` and reset from coarse"))
    return found


def _confirm(verdict: Row) -> list[Finding]:
    expected = f"expected validation accuracy {percent(verdict['estimate'])} (leaving one repeat out)"
    found = [("Chosen", f"{setting(verdict['params'])}; {expected}")]
    default = next((f for f in verdict["finalists"] if f["default"]), None)
    if default is None:
        found.append(("", "the study file's default setting diverged"))
    elif verdict["winner_is_default"]:
        found.append(("", "it is the study file's own default setting"))
    elif default["separable"]:
        found.append(("", f"better than the study file's default by {100 * default['behind_best']:.2f} points"))
    else:
        needed = default["repeats_needed"]
        more = f"about {needed} would" if needed else "it would take over 50, not worth it"
        found.append(("", f"default and winner cannot be told apart with {verdict['n_repeats']} repeats; {more}"))
    luck = verdict["optimism"]
    if luck and luck["value"] > luck["standard_error"]:
        points = f"{100 * luck['value']:.2f} ± {100 * luck['standard_error']:.2f} points"
        found.append(("", f"the search made its lead over the default look {points} larger than confirm did"))
    if verdict["diverged"]:
        found.append(("", f"{len(verdict['diverged'])} finalist(s) diverged in some repeat and were left out"))
    return found


def _final(result: Row) -> list[Finding]:
    accuracy, seeds = result["test_accuracy"], result["test_accuracy_over_seeds"]
    interval = f"95 % interval {percent(accuracy['low'])} … {percent(accuracy['high'])} over new images"
    found = [
        ("Test", f"{percent(accuracy['mean'])} accuracy, {interval}"),
        ("", f"over seeds, on these {result['n_test']:,} images: {percent(seeds['low'])} … {percent(seeds['high'])}"),
        (
            "",
            f"{len(accuracy['per_seed'])} networks with {setting(result['params'])}, trained on {result['n_train']:,} "
            f"rows; look {result['look']} at this test set",
        ),
    ]
    if result["n_train"] > 1.25 * result["n_train_in_confirm"]:
        more = f"{result['n_train']:,} rows, over 25 % more than confirm's {result['n_train_in_confirm']:,}"
        found.append(("", f"final trained on {more}: λ and η may not be the best for so many"))
    return found


def setting(params: Row) -> str:
    """Hyperparameters on one line; a momentum of 0 is left out."""
    shown = (f"{SHORT[name]} = {value:.3g}" for name, value in params.items() if name != "momentum" or value)
    return ", ".join(shown)


def percent(share: float) -> str:
    """A share in percent with two decimals."""
    return f"{100 * share:.2f} %"


def counted(row: Row) -> str:
    """How many trials a stage has."""
    trials = row["trials"]
    text = f"{trials['complete']} trials"
    return text + (f" ({trials['failed']} more diverged)" if trials["failed"] else "")


def _span(values: Any) -> str:
    if isinstance(values, Mapping):
        return f"{values['low']:.3g} … {values['high']:.3g}"
    return f"{{{', '.join(f'{value:.3g}' for value in values)}}}"
