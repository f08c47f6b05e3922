"""N19's search for λ and its final network."""

from benchmarks.reproduction import theirs
from benchmarks.reproduction.ours import Group, NotRun, Runs
from benchmarks.reproduction.part import Part, percent
from benchmarks.section import Table
from bnsearch.report.words import number

WAYS = (  # name, study, stage, λ of a comparison's variant
    ("λ {l2}{own} by bnsearch's confirm, all 50,000 rows", "n19-search", "final", None),
    ("N19's λ {l2}, its 45,000 rows: the report's own way", "n19-final", "compare", 0.00351),
    ("λ {l2} of the first networks, 45,000 rows", "n19-final", "compare", 0.005),
    ("N19's λ {l2}, all 50,000 rows", "n19-final", "final", None),
    ("bnsearch's own search on 99 % components, λ {l2}, all 50,000 rows", "cifar10-cyclic", "final", None),
)


def given(runs: Runs) -> float:
    """The λ of the study file, which bnsearch tries before the ten draws: trial 0 of coarse."""
    return float(runs.attrs("n19-search", "coarse")["setup"]["training"]["l2"])


def search(runs: Runs) -> Part:
    """Ten wide draws and the file's own λ, ten narrow ones."""
    own = given(runs)
    rows = []
    for stage in ("coarse", "fine"):
        trials = sorted(runs.stage("n19-search", stage).trials, key=lambda t: -(t.value or 0.0))[:3]
        for i, trial in enumerate(trials):
            reported, accuracy = theirs.N19_SEARCH[i]
            said = f"λ {number(reported)}: ≈ {percent(accuracy, 1)}" if stage == "fine" else ""
            drawn = "" if trial.params["l2"] != own else " (the file's own, not drawn)"
            ours = f"λ {number(trial.params['l2'])}{drawn}: {percent(trial.value or 0.0)}"
            rows.append((f"{stage}, {i + 1}", said, ours, f"`n19-search.{stage}` {trial.number}"))
    verdict = runs.attrs("n19-search", "confirm").get("verdict") or {}
    confirmed = runs.stage("n19-search", "confirm")
    chosen = number(verdict["params"]["l2"]) if verdict else "none"
    drawn = ", the file's own and none of the twenty draws" if verdict and verdict["params"]["l2"] == own else ""
    return Part(
        "N19: figures 6 to 8, the search for λ",
        ["coarse n19-search", "fine n19-search", "confirm n19-search"],
        text=(
            f"Ten draws in [1e-5, 1e-1], ten in [1e-3, 1e-2], two cycles each, every trial to its end. Beside the "
            f"first ten stands trial 0 of coarse, the study file's own λ = {number(own)}: bnsearch always tries it "
            "first; it is that of N19's first networks and was not drawn. Validation has "
            "5,000 images: an accuracy of 55 % has a standard error of 0.7 points, so that N19's best three, "
            "0.1 points apart, are one. bnsearch trained the best few again, over several seeds and other "
            f"validation rows, and chose λ = {chosen}{drawn} (`n19-search.confirm` "
            f"0 … {max((t.number for t in confirmed.trials), default=0)}), with an expected validation accuracy of "
            f"{percent(verdict.get('estimate', float('nan')))} %.",
        ),
        tables=[
            Table(("", "N19, validation, %", "ours, validation, %", "rows"), rows, "The best three of each search")
        ],
        pictures=[
            ("n19-search", "Validation accuracy against λ, coarse and fine; open: the file's own λ, not drawn"),
            ("n19-search-cost", "Validation cost against λ, coarse and fine; open: the file's own λ, not drawn"),
        ],
    )


def candidates(runs: Runs) -> list[tuple[str, Group]]:
    """All results that the report's final network stands beside, those that were run."""
    found: list[tuple[str, Group]] = []
    for text, study, stage, l2 in WAYS:
        try:
            group = runs.comparison(study).find(l2=l2) if l2 else runs.stage(study, stage)
            group.over("test.moving")
        except NotRun:
            continue
        value = l2 or group.trials[0].params["l2"]
        own = " (the file's own, not drawn)" if "{own}" in text and value == given(runs) else ""
        found.append((text.format(l2=number(value), own=own), group))
    return found


def final(runs: Runs) -> Part:
    """Three cycles at the λ of a search."""
    found = candidates(runs)
    if not found:
        raise NotRun("bnsearch final n19-final")
    rows = [
        (
            name,
            group.over("test.moving").percent(),
            group.over("test.population").percent(),
            _together(runs, group),
            group.rows,
        )
        for name, group in found
    ]
    rows.insert(0, ("N19, one network", percent(theirs.N19_FINAL_TEST, 1), "", "", ""))
    best = max((group.over("test.moving") for _, group in found), key=lambda one: one.mean)
    seeds = [v for _, group in found for v in group.values("test.moving")]
    n_over = sum(v >= theirs.N19_FINAL_TEST for v in seeds)
    return Part(
        "N19: figure 9, the final network",
        ["compare n19-final --test", "final n19-final", "final n19-search", "final cifar10-cyclic"],
        text=(
            f"N19: {percent(theirs.N19_FINAL_TEST, 1)} % of one network. Ours: {best.percent()} % over {best.n} seeds "
            f"is the highest of {len(found)} ways, picked by test; {n_over} of these {len(seeds)} networks reach N19's "
            f"figure or more (the highest: {percent(max(seeds))} %). The standard error of one accuracy of 54 % on "
            "10,000 images is 0.5 points.",
        ),
        tables=[
            Table(
                ("", "test, moving, %", "test, exact, %", "networks together, %", "rows"),
                rows,
                "Test accuracy after three cycles",
            )
        ],
        pictures=[("n19-confusion", "Confusion matrix on the test set, in % of each true class")],
    )


def _together(runs: Runs, group: Group) -> str:
    name, _, stage = group.study.rpartition(".")
    result = runs.attrs(name, stage).get("result") or {}
    together = result.get("ensemble")
    return percent(together["accuracy"]) if together else ""
