"""What the replays show, as tables in points of accuracy."""

from benchmarks.section import Section, Table
from benchmarks.selection import null
from benchmarks.selection.contest import contest
from benchmarks.selection.judging import Judgement, Mean, judge
from benchmarks.selection.replay import load_replays, path
from benchmarks.selection.separation import RULES
from benchmarks.selection.specs import SPECS
from benchmarks.selection.table import load_table
from benchmarks.selection.truth import truth

REFERENCE = "chain, halving ½, finalists of both"
TEXT = f"""Every method spends about 60 trainings on a table of networks (`python -m benchmarks.selection tables`)
and is judged by the mean accuracy over all seeds on the rows that its replay did not use. Regret: what its choice loses
against the table's best setting, in points of accuracy, with its standard error. All methods are replayed in the same
worlds (validation rows, seeds), so the difference to the reference, the method "{REFERENCE}", is more exact than either
mean."""


def judgements(table_name: str, n_valid: int) -> dict[str, Judgement]:
    """Of all methods whose replays are kept."""
    names = [name for name in contest() if path(table_name, n_valid, name).exists()]
    replays = {name: load_replays(table_name, n_valid, name) for name in names}
    known = truth(table_name, n_valid, max((len(r.setting) for r in replays.values()), default=0)) if replays else None
    return {name: judge(r, known, replays.get(REFERENCE)) for name, r in replays.items() if known}


def section(table_names: list[str]) -> Section:
    """All that is kept of these tables."""
    tables, figures = [], {}
    for table_name in table_names:
        for n_valid in SPECS[table_name].sizes:
            found = judgements(table_name, n_valid)
            if not found:
                continue
            where = f"**{table_name}, {n_valid:,} validation rows**"
            tables += [regret_table(where, found), trust_table(where, found), rules_table(where, found)]
            figures[f"{table_name} {n_valid}"] = {name: numbers(j) for name, j in found.items()}
    tables += [null_table(name) for name in table_names]
    return Section("Choosing hyperparameters", TEXT, tables, figures)


def numbers(judgement: Judgement) -> dict[str, float]:
    """What a later comparison would ask for, as fractions."""
    found = {"n": judgement.n, "regret": judgement.regret.value, "error": judgement.regret.error, "p90": judgement.p90}
    if judgement.bias is not None:
        found |= {"bias": judgement.bias.value, "coverage": judgement.separation["Tukey"].coverage}
    return {key: round(value, 6) for key, value in found.items()}


def regret_table(where: str, found: dict[str, Judgement]) -> Table:
    """How good the choices are."""
    rows = [
        (name, str(j.n), f"{j.cost:.0f}", points(j.regret), f"{100 * j.p90:.2f}", points(j.ahead, sign=True))
        for name, j in found.items()
    ]
    header = ("", "replays", "trainings", "regret", "p90", "minus reference")
    return Table(header, rows, f"{where}: regret in points")


def trust_table(where: str, found: dict[str, Judgement]) -> Table:
    """How far what a method says of its choice lies from the truth."""
    rows = [
        (name, points(j.flattery, sign=True), points(j.own_mean, sign=True), points(j.bias, sign=True))
        for name, j in found.items()
    ]
    return Table(("", "value in the search", "winner's own mean", "estimate"), rows, f"{where}: minus truth, in points")


def rules_table(where: str, found: dict[str, Judgement]) -> Table:
    """How the rules of separation do on real confirms."""
    rows = [
        (f"{name}: {rule}", f"{100 * s.coverage:.1f}", f"{100 * s.wrong:.1f}", f"{s.n_together:.2f}")
        for name, j in found.items()
        for rule, s in j.separation.items()
        if name in ("chain", REFERENCE)
    ]
    header = ("", "best covered %", "wrongly separated %", "not separable, mean number")
    return Table(header, rows, f"{where}: which finalists are called worse")


def null_table(table_name: str) -> Table:
    """False separation among equal finalists."""
    table, rows = load_table(table_name), []
    for m in (2, 3, 5):
        found = {"normal errors": null.false_separation(null.simulated(m))}
        for n_valid in table.spec.sizes:
            found[f"n = {n_valid:,}"] = null.false_separation(null.draws(table, n_valid, m))
        for where, rates in found.items():
            cells = [f"{100 * rates[name][0]:.1f} / {100 * rates[name][1]:.1f}" for name in RULES]
            rows.append((f"{m} finalists, {where}", *cells))
    caption = (
        f"**{table_name}**: % of {null.N_DRAWS:,} draws in which any of equal finalists / a given one is called worse"
    )
    return Table(("", *RULES), rows, caption)


def points(found: Mean | None, sign: bool = False) -> str:
    """Of accuracy, with standard error."""
    if found is None:
        return ""
    return f"{100 * found.value:{'+' if sign else ''}.2f} ± {100 * found.error:.2f}"
