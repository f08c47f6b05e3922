"""B17's final network, and where nine points of its test accuracy went."""

from benchmarks.reproduction import theirs
from benchmarks.reproduction.lag import lag_of
from benchmarks.reproduction.ours import Group, NotRun, Runs
from benchmarks.reproduction.part import Part, percent, points
from benchmarks.reproduction.spread import over
from benchmarks.section import Table

CURES = (("none", 0.99), ("none", 0.9), ("center", 0.99), ("center", 0.9))  # standardize, α; the first is B17's


def lags(runs: Runs, group: Group) -> list[float]:
    """The first layer's mean lag in σ, of each network's exports."""
    results = runs.folder / "studies" / group.study.rpartition(".")[0]
    return [lag_of(results, trial.number) for trial in group.trials]


def final(runs: Runs) -> Part:
    """The fixed setting over five seeds, and the cure."""
    group, result = runs.stage("cifar10-momentum", "final"), runs.attrs("cifar10-momentum", "final").get("result")
    if result is None:
        raise NotRun("bnsearch final cifar10-momentum")
    moving, exact = group.over("test.moving"), group.over("test.population")
    rows = [
        ("training accuracy", percent(theirs.B17_FINAL_TRAIN), group.over("train_accuracy").percent(), "", group.rows),
        ("test accuracy", percent(theirs.B17_FINAL_TEST), moving.percent(), exact.percent(), group.rows),
    ]
    comparison, cures, least = runs.comparison("b17-statistics"), [], None
    for standardize, average in CURES:
        own = comparison.find(standardize=standardize, bn_average=average)
        lag, gap = over(lags(runs, own)), own.over("test.population").mean - own.over("test.moving").mean
        cures.append(
            (
                f"{'pixels/255' if standardize == 'none' else 'centred'}, α = {average}",
                lag.plain(".3f"),
                own.over("test.moving").percent(),
                own.over("test.population").percent(),
                points(gap, 2),
                own.rows,
            )
        )
        least = (lag, own.over("test.moving")) if (standardize, average) == CURES[-1] else least
        if (standardize, average) == CURES[0]:
            worst, worst_gap = lag, gap
    assert least is not None
    return Part(
        "B17: the final network",
        ["final cifar10-momentum", "compare b17-statistics --test"],
        text=(
            f"**Where its missing points went.** The same weights get {moving.percent(1)} % of the test images right "
            f"with B17's moving averages and {exact.percent(1)} % with the exact moments of its training rows: "
            f"{points(exact.mean - moving.mean)} are an artefact of the evaluation. Pixels that are not centred give "
            "the first layer's units large means, which drift as the weights move, and averages over about 100 batches "
            f"(α = 0.99) stay behind: by {worst.plain('.2f')} σ on average at the end of training, read off the stored "
            "networks. That costs "
            f"{points(worst_gap)}.",
            f"**The cure** is to centre the pixels and to average over fewer batches: with both the lag is "
            f"{least[0].plain('.3f')} σ, and moving averages get {least[1].percent(1)} %.",
        ),
        tables=[
            Table(("", "B17, %", "moving averages, %", "exact moments, %", "rows"), rows, "η 0.029202, λ 0.0001"),
            Table(
                ("", "lag, σ", "test, moving, %", "test, exact, %", "lost", "rows"),
                cures,
                "Lag: |moving mean − exact mean|/σ of the first layer, mean over its 50 units, at the end of training",
            ),
        ],
        pictures=[
            ("b17-final", "Cost and accuracy over the final training"),
            ("b17-statistics", "Test accuracy with moving averages and with exact moments, by centring and α"),
            ("b17-confusion", "Confusion matrix of the final networks on the test set, in % of each true class"),
        ],
    )
