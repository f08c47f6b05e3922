"""The note of a stage for optuna-dashboard: what it is, what it found, how to go on. Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any

from bnsearch.report.findings import findings, grouped
from bnsearch.report.words import SYMBOLS, Row, n_over, number, percent, span
from bnsearch.search.artifacts import BestTrial
from bnsearch.search.setups import COMPARE, LEVELS, STAGE_OF
from bnsearch.search.study_file import Study

WHAT = {
    "coarse": "the wide search",
    "fine": "the narrow search around coarse's best",
    "fine2": "the search beyond an end of fine's box",
    "confirm": "the finalists trained afresh",
    "final": "the chosen setting and the test set",
    "compare": "variants of the network side by side",
}
VALUES = {
    "confirm": "validation accuracy of one finalist on the rows of one repeat",
    "final": "test accuracy of one network",
    "compare": "validation accuracy of one variant in one repeat",
}
SEARCHES = "validation accuracy after the last step"
SAMPLERS = {
    "random": "random settings",
    "sobol": "settings spread evenly (scrambled Sobol)",
    "grid": "the settings of a grid",
    "tpe": "settings that TPE proposes",
}
NEXT = {"coarse": "fine", "fine": "confirm", "fine2": "confirm", "confirm": "final"}


def note(study: Study, row: Row, attrs: Mapping[str, Any], picture: str | None) -> str:
    """Of one stage: its row of `bnsearch.search.stages.status`, the attributes of its Optuna study, and the address of
    the picture of its best trial.
    """
    parts = [f"## {row['study']}: {WHAT[row['stage']]}", _what(row, attrs), *_space(row), *_finalists(row)]
    parts += ["### What was found", "\n".join(_found(row))]
    parts += [f"![Learning curves of the first of its best trials]({picture})"] if picture else []
    parts += ["### How to go on", "\n".join(f"- {line}" for line in _commands(study, row))]
    parts += ["### Where it comes from", _origin(study, attrs)]
    return "\n\n".join(parts) + "\n"


def trial_note(study: Study, trial: BestTrial, picture: str) -> str:
    """Of one of the best trials: its learning curves, and how to see all of it."""
    name = f"{trial.level}-{trial.number}"
    return (
        f"![Learning curves of {trial.level} {trial.number}]({picture})\n\n"
        f"`bnsearch show {study.called} {name}` prints this trial in full.\n"
    )


def _what(row: Row, attrs: Mapping[str, Any]) -> str:
    network, training = attrs["setup"]["network"], attrs["setup"]["training"]
    hidden = "-".join(map(str, network["hidden"])) or "no"
    norm = {"none": "without batch normalisation"}.get(network["batch_norm"], "batch-normalised")
    # of a comparison the budget is that of its longest variant under way
    length = _length(training, None if row["stage"] == COMPARE else attrs.get("budget"))
    trained = f"{hidden} hidden units, {norm}, {length} of a {training['schedule']['kind']} schedule"
    how = SAMPLERS.get(attrs.get("task", {}).get("sampler", ""), "")
    trials = f"{row['total']} trials" + (f", {how}" if how else "")
    value = VALUES.get(row["stage"], SEARCHES)
    return f"{trials}. A trial is a network of {trained}; its value is the {value}.{_parent(row)}"


def _length(training: Mapping[str, Any], budget: Mapping[str, int] | None) -> str:
    """As the study file says it; in steps where those are kept on more rows, which makes fewer epochs."""
    if not training["epochs"]:
        return f"{training['schedule']['cycles']} cycles"
    if budget and budget["n_steps"] != training["epochs"] * budget["epoch_steps"]:
        return f"{budget['n_steps']:,} steps"
    return f"{training['epochs']} epochs"


def _parent(row: Row) -> str:
    parent = row["parent"]
    if not parent:
        return ""
    if "tied" in parent:
        tied, n = parent["tied"], parent["n_within"]
        which = f"trial{'s' * (len(tied) > 1)} {', '.join(map(str, tied))} of `{parent['study']}`"
        why = f", the best of {n} that it cannot tell apart" if n > len(tied) else ""
        return f" Its space was computed around {which}{why}."
    return f" It goes on from `{parent['study']}`."


def _space(row: Row) -> Iterator[str]:
    if not row["space"]:
        return
    lines = ["| searched | values |", "|---|---|"]
    for name, values in row["space"].items():
        log = ", logarithmic" if isinstance(values, Mapping) and values["log"] else ""
        lines.append(f"| {_named(name)} | {span(values)}{log} |")
    yield "\n".join(lines)


def _finalists(row: Row) -> Iterator[str]:
    if row["stage"] != "confirm" or not row["verdict"]:
        return
    found = sorted(row["verdict"]["finalists"], key=lambda f: -f["mean"])
    names = list(row["verdict"]["params"])
    heads = ["finalist", *map(_named, names), "mean", "points behind", "verdict"]
    lines = [f"| {' | '.join(heads)} |", "|---|" + "---:|" * (len(heads) - 2) + "---|"]
    for f in found:
        won = f["finalist"] == row["verdict"]["winner"]
        verdict = "**chosen**" if won else "worse" if f["separable"] else "tied"
        where = "default" if f["default"] else f"{f['stage']} {f['trial']}"
        behind = "" if won else f"{100 * f['behind_best']:.2f}"
        cells = [where, *(number(f["params"][name]) for name in names), percent(f["mean"]), behind, verdict]
        lines.append(f"| {' | '.join(cells)} |")
    yield "\n".join(lines)


def _found(row: Row) -> Iterator[str]:
    """A bullet for each sentence, the label before the first of its own."""
    for label, said in grouped(findings(row)):
        yield from (f"- {_plain(text)}" for text in (f"{label}: {said[0]}" if label else said[0], *said[1:]))


def _commands(study: Study, row: Row) -> Iterator[str]:
    called, stage = study.called, str(STAGE_OF.get(row["stage"], row["stage"]))
    if row["trials"]["running"] or n_over(row) < row["total"]:
        yield f"`bnsearch status {called} --follow` shows it while it runs, `bnsearch {stage} {called}` goes on with it"
    elif row["stage"] in NEXT and not row["followed_by"]:
        yield f"`bnsearch {NEXT[row['stage']]} {called}` is the next stage; `bnsearch run {called}` runs all to come"
    if row["stage"] in LEVELS:
        yield f"`bnsearch {stage} {called} --trials {2 * row['total']}` adds as many trials again"
    elif row["stage"] == "confirm":
        n = (row["verdict"] or {}).get("n_repeats", study.tables.confirm.repeats)
        yield f"`bnsearch confirm {called} --repeats {2 * n}` adds as many repeats again"
    elif row["stage"] == COMPARE:
        n = row["comparison"]["n_repeats"]
        yield f"`bnsearch compare {called} --repeats {2 * n}` adds as many repeats again, `--test` tests the networks"
    best = next((trial["trial"] for trial in row["top"]), 0)
    yield f"`bnsearch show {called} {row['stage']}-{best}` prints a trial in full"
    yield (
        f"`bnsearch report {called}` makes the report of the whole study; `bnsearch dashboard {called}` shows "
        f"[the same page](/report/{study.name})"
    )
    after = "" if stage == COMPARE else " and all after it"
    yield f"`bnsearch reset {called} --from {stage}` deletes this stage{after}"


def _origin(study: Study, attrs: Mapping[str, Any]) -> str:
    revision = f" (revision {attrs['revision']})" if attrs.get("revision") else ""
    source, fingerprint = attrs["setup"]["data"]["source"], attrs["data_fingerprint"]
    return (
        f"Study file `{study.file.name}`, seed {attrs['seed']}; data `{source}`, fingerprint `{fingerprint[:12]}`; "
        f"made with bnsearch {attrs['version']}{revision}."
    )


def _named(name: str) -> str:
    return f"{SYMBOLS[name]} (`{name}`)" if SYMBOLS[name] != name else f"`{name}`"


def _plain(text: str) -> str:
    """What Markdown would take for a mark of its own, in a name that someone chose."""
    return "".join(f"\\{c}" if c in "*_[]<>" else c for c in text)
