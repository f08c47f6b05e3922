"""plan, and run within a budget: what they print and write, and that a plan leaves no trace."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from bnsearch.cli import main
from bnsearch.cli.options import Chosen
from tests.cli.helpers import answer, invoke, written
from tests.cli.test_commands import STAGES, trials
from tests.cli.test_refusals import Refusal, refusal  # noqa: F401 (a fixture)


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file, also locks."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_plan_of_a_fresh_study_leaves_no_file_behind(folder: Path) -> None:
    result = invoke("plan", "tiny.toml", "--budget", "1h")
    for words in ("Plan of tiny.toml", *STAGES, "In all", "on 2 workers", "Confirm", "Budget", "--set coarse.trials="):
        assert words in result.stdout
    assert list(contents(folder)) == [folder / "tiny.toml"]


def test_a_plan_says_that_a_comparison_is_not_in_it(folder: Path) -> None:
    assert "not foreseen" not in invoke("plan", "tiny.toml").stdout
    with Path("tiny.toml").open("a") as file:
        file.write("[compare]\nrepeats = 3\nvary.network.hidden = [[8], [9], [8, 8]]\n")
    output = " ".join(invoke("plan", "tiny.toml").stdout.split())
    assert "is not foreseen, in no time above: 3 variants × 3 repeats by bnsearch compare tiny.toml" in output
    assert answer("plan", "tiny.toml")["not_foreseen"] == {"variants": 3, "repeats": 3}


def test_a_plan_as_json_is_what_a_run_then_does(folder: Path) -> None:
    plan = answer("plan", "tiny.toml", "--workers", "1")
    assert (plan["study"], plan["workers"], plan["proposal"]) == ("tiny.toml", 1, None)
    assert [row["stage"] for row in plan["stages"]] == STAGES
    assert 0.0 < sum(row["seconds"] for row in plan["stages"]) < plan["seconds"]
    assert {"difference", "finalists", "repeats", "n_valid"} == plan["resolves"].keys()
    invoke("run", "tiny.toml", "--workers", "1")
    for row in plan["stages"]:
        assert len(trials(folder, f"tiny.{row['stage']}")) == row["trials"]


def test_a_plan_of_a_half_run_study_is_of_what_is_left(folder: Path) -> None:
    invoke("coarse", "tiny.toml", "--workers", "1")
    before = contents(folder)
    plan = answer("plan", "tiny.toml", "--workers", "1")
    assert contents(folder) == before
    assert [(row["finished"], row["trials"] > 0) for row in plan["stages"]] == [(4, False), *[(0, True)] * 3]


def test_a_plan_of_a_finished_study_says_so(finished: Path) -> None:
    before = contents(finished)
    result = invoke("plan", "tiny.toml", "--budget", "1m")
    assert "every stage is finished: nothing is left to do" in result.stdout
    assert "Measuring" not in result.stderr
    assert contents(finished) == before


def test_a_proposal_is_a_command_that_can_be_run(folder: Path) -> None:
    options = ("--workers", "1", "--set", "coarse.trials=1000", "--set", "training.epochs=1", "--seed", "3")
    proposal = answer("plan", "tiny.toml", "--budget", "1m", *options)["proposal"]
    assert proposal["fits"]
    assert proposal["seconds"] <= 60.0
    program, run, *rest = shlex.split(proposal["command"])
    assert (program, run, rest[0]) == ("bnsearch", "run", "tiny.toml")
    assert "coarse.trials=1000" not in rest, "the proposal takes its place"
    assert {"training.epochs=1", "seed=3", f"coarse.trials={proposal['set']['coarse.trials']}"} <= set(rest)
    assert "Left out" in invoke(run, *rest, "--budget", "0.001s").stdout


def test_a_password_is_not_in_the_command() -> None:
    """The address of a database on another machine; that of a file is given as it is."""
    chosen = Chosen("tiny.toml", None, None, "postgresql://me:s3cret@db.example.org/studies", None, (), False)
    assert chosen.command("run") == "bnsearch run tiny.toml --storage 'postgresql://me:***@db.example.org/studies'"
    assert replace(chosen, storage="sqlite:///a.db").command("run").endswith("--storage sqlite:///a.db")


def test_too_small_a_budget_is_said_with_the_least(folder: Path) -> None:
    output = " ".join(invoke("plan", "tiny.toml", "--budget", "0.001s", "--workers", "1").stdout.split())
    assert "--budget must be at least about" in output
    assert "coarse.trials = 3, fine.trials = 3, confirm.repeats = 2" in output
    assert "bnsearch run" not in output


def test_the_written_study_runs(finished: Path) -> None:
    """It begins anew, whatever there is of the first."""
    proposal = answer("plan", "tiny.toml", "--budget", "2m", "--write", "mine.toml", "--workers", "1")["proposal"]
    assert (proposal["written"], proposal["command"]) == ("mine.toml", "bnsearch run mine.toml --workers 1")
    assert set(proposal["set"]) == {"coarse.trials", "fine.trials", "confirm.repeats"}
    for key, value in proposal["set"].items():
        table, _, name = key.partition(".")
        section = Path("mine.toml").read_text().partition(f"[{table}]")[2]
        assert section.split(f"{name} = ")[1].splitlines()[0] == str(value)
    row = answer("coarse", "mine.toml", "--trials", "1", "--workers", "1")
    assert row["study"] == "mine.coarse"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("plan tiny.toml --budget soon", "such as 90s, 30m or 1h30m, but got 'soon'"),
        ("plan tiny.toml --budget 30", "but got '30'"),
        ("plan tiny.toml --budget 0m", "above 0"),
        ("plan tiny.toml --budget -5m", "but got '-5m'"),
        ("plan tiny.toml --budget 1.2.3s", "but got '1.2.3s'"),
        ("plan tiny.toml --budget 1m30", "but got '1m30'"),
        ("plan tiny.toml --budget 30m1h", "but got '30m1h'"),
        ("run tiny.toml --budget", "requires an argument"),
        ("run tiny.toml --budget nan", "but got 'nan'"),
        (f"run tiny.toml --budget {'9' * 400}h", "above 0"),
        ("plan tiny.toml --write mine.toml", "--write must come with --budget"),
        ("plan tiny.toml --budget 1m --write tiny.toml", "there is tiny.toml already"),
        ("plan tiny.toml --budget 1m --write nowhere/mine.toml", "in a folder that exists"),
        ("plan tiny.toml --storage sqlite:///nowhere/tiny.db", "no folder"),
        ("plan nope", "Unknown study 'nope'"),
        ("plan tiny.toml --set training.batch_size=500", "`training.batch_size`"),
    ],
)
def test_mistakes(folder: Path, refusal: Refusal, command: str, words: str) -> None:  # noqa: F811
    assert words in refusal(*command.split())


def test_a_budget_that_nothing_fits_into_is_not_written(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("plan", "tiny.toml", "--budget", "0.001s", "--write", "mine.toml", "--workers", "1")
    monkeypatch.setattr("sys.argv", ["bnsearch", *arguments])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "bnsearch: --budget must be at least about" in capfd.readouterr().err
    assert written(folder) == ["tiny.toml"]


def test_a_plan_of_a_study_that_changed_is_refused(finished: Path, refusal: Refusal) -> None:  # noqa: F811
    assert "`training.epochs` must stay" in refusal("plan", "tiny.toml", "--set", "training.epochs=3")


# ---- run within a budget


def test_a_run_says_what_it_left_out_and_a_later_one_goes_on(folder: Path, finished_once: Path) -> None:
    result = invoke("run", "tiny.toml", "--budget", "0.001s", "--workers", "1")
    output = " ".join(result.stdout.split())
    assert "Left out coarse, fine, confirm, final: about" in output
    assert "run again without --budget, or with a larger one, to go on" in output
    assert answer("run", "tiny.toml", "--budget", "0.001s", "--workers", "1") == {
        "study": "tiny",
        "database": "sqlite:///tiny.db",
        "stages": [],
        "report": None,
        "left_out": STAGES,
    }
    result = invoke("run", "tiny.toml", "--budget", "1h", "--workers", "1")
    assert "Left out" not in result.stdout
    assert "Test" in result.stdout
    for stage in STAGES:
        own, other = trials(folder, f"tiny.{stage}"), trials(finished_once, f"tiny.{stage}")
        assert [(t.params, t.value) for t in own] == [(t.params, t.value) for t in other]


def test_there_may_be_time_for_nothing_after_a_reset(finished: Path) -> None:
    """A look at the test set is still written down, and there is nothing else to report."""
    invoke("reset", "tiny.toml", "--from", "coarse")
    output = " ".join(invoke("run", "tiny.toml", "--budget", "0.001s", "--workers", "1").stdout.split())
    assert "Left out coarse, fine, confirm, final" in output
    assert "Report" not in output


def test_a_run_within_a_budget_as_json(finished: Path) -> None:
    assert answer("run", "tiny.toml", "--budget", "1s") == answer("run", "tiny.toml") | {"left_out": []}
