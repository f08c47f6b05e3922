"""gradcheck: what it prints, what its exit code says, and what it refuses."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bnsearch.cli import commands
from tests.cli.helpers import answer, invoke, written
from tests.cli.test_refusals import Refusal, refusal  # noqa: F401 (a fixture)

FROZEN = ("gradcheck", "tiny.toml", "--statistics", "frozen", "--set", "network.hidden=[9,8]", "--quiet")


def failing(*arguments: str) -> Result:
    """A check that does not pass, which is no refusal."""
    result = CliRunner().invoke(commands, arguments)
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    return result


def words_of(text: str) -> str:
    return " ".join(text.split())


def test_it_says_in_words_that_backpropagation_is_right(folder: Path) -> None:
    output = words_of(invoke("gradcheck", "tiny.toml", "--l2", "0.5").stdout)
    for words in (
        "Gradient check of tiny.toml",
        "10-8-10, affine batch norm, λ = 0.5, 20 rows",
        "dense.0.W",
        "0, as it must be",
        "its true derivative is 0, so it is compared absolutely",
        "Verdict Backpropagation is right: it agrees with the complex step to",
    ):
        assert words in output
    assert written(folder) == ["tiny.toml"], "neither a database nor results"


@pytest.mark.parametrize(
    ("hidden", "kind"),
    [("[]", "affine"), ("[50,50]", "affine"), ("[50,50]", "none"), ("[50,30,20,20,10,10,10,10]", "plain")],
)
def test_every_parameter_as_json(folder: Path, hidden: str, kind: str) -> None:
    network = ("--set", f"network.hidden={hidden}", "--set", f"network.batch_norm={kind}")
    rows = answer("gradcheck", "tiny.toml", *network)
    n_hidden = len(hidden.split(",")) if hidden != "[]" else 0
    zeros = [row["parameter"] for row in rows if row["expected_zero"]]
    assert zeros == ([] if kind == "none" else [f"dense.{i}.b" for i in range(n_hidden)])
    assert len(rows) == 2 * (n_hidden + 1) + (2 * n_hidden if kind == "affine" else 0)
    for row in rows:
        assert row["agrees"]
        if row["expected_zero"]:
            assert row["relative_error"] is row["max_relative_error"] is None, "of two roundings of 0 it means nothing"
            assert row["max_absolute_error"] <= 1e-14
        else:
            assert row["relative_error"] <= 1e-13
            assert row["max_relative_error"] <= 1e-11


def test_frozen_moments_fail_and_it_says_why(folder: Path) -> None:
    output = words_of(failing(*FROZEN).stdout)
    assert "does not agree with the complex step in 6 of 10 parameters" in output
    assert "because the numeric side keeps the moments of batch normalisation as they are" in output
    assert "differs" in output


def test_the_first_reports_one_is_found_in_the_table(folder: Path) -> None:
    """It stood as 2.0 in the column of its formula, and nothing said that the 1.0 beside it is what it printed."""
    output = words_of(failing(*FROZEN).stdout)
    assert "This is B17's 1.00, which stands in the column N19" in output
    assert "B17's printed 1.00 is of this kind" in output
    assert "assumed for Nicolai (2019), who gives no formula" in output
    rows = {row["parameter"]: row for row in json.loads(failing(*FROZEN, "--json").stdout)}
    assert f"{rows['dense.0.W']['relative_to_sum']:.2f}" == "1.00"
    assert rows["dense.0.W"]["relative_to_larger"] > 1.5


def test_the_help_says_which_errors_are_null(folder: Path) -> None:
    assert "relative errors are null in --json" in words_of(invoke("gradcheck", "--help").stdout)


def test_frozen_moments_as_json(folder: Path) -> None:
    rows = {row["parameter"]: row for row in json.loads(failing(*FROZEN, "--json").stdout)}
    below = ["dense.0.W", "dense.0.b", "dense.1.W", "dense.1.b", "norms.0.gamma", "norms.0.beta"]
    assert [name for name, row in rows.items() if not row["agrees"]] == below
    assert all(rows[name]["relative_to_larger"] >= 0.99 for name in below)
    assert rows["dense.2.W"]["relative_error"] <= 1e-13


def test_frozen_moments_are_nothing_without_batch_normalisation(folder: Path) -> None:
    output = invoke("gradcheck", "tiny.toml", "--statistics", "frozen", "--set", "network.batch_norm=none").stdout
    assert "Backpropagation is right" in output
    assert "no batch norm" in output


@pytest.mark.parametrize("method", ["central", "forward"])
def test_real_differences_are_coarser(folder: Path, method: str) -> None:
    rows = answer("gradcheck", "tiny.toml", "--method", method, "--batch", "30", "--inputs", "64")
    errors = [row["relative_error"] for row in rows if not row["expected_zero"]]
    assert 1e-11 < max(errors) < 1e-4


def test_a_relu_that_switches_within_a_difference_is_told_from_a_mistake(folder: Path) -> None:
    """That close to one come these weights; of forty other seeds none."""
    network = ("--set", "network.hidden=[50,50]", "--set", "network.batch_norm=none", "--seed", "3")
    output = words_of(failing("gradcheck", "digits", "--method", "central", *network).stdout)
    assert "because a ReLU switches between the two points" in output
    assert "Backpropagation is right" in invoke("gradcheck", "digits", *network).stdout


def test_the_seed_draws_the_weights(folder: Path) -> None:
    one, same, other = (answer("gradcheck", "tiny.toml", "--seed", seed) for seed in ("1", "1", "2"))
    assert one == same
    assert one != other


@pytest.mark.parametrize("n_rows", ["3", "4", "5"])
def test_few_rows_are_judged_by_what_rounding_they_magnify(folder: Path, n_rows: str) -> None:
    deep = ("--set", "network.hidden=[50,30,20,20,10,10,10,10]", "--set", "network.init=xavier")
    assert all(row["agrees"] for row in answer("gradcheck", "tiny.toml", "--batch", n_rows, *deep))


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("gradcheck nope", "Unknown study 'nope'"),
        ("gradcheck tiny.toml --inputs 65", "--inputs must be at most the 64 dimensions of 'digits', but got 65"),
        ("gradcheck tiny.toml --inputs 0", "'--inputs': 0"),
        ("gradcheck tiny.toml --batch 241", "--batch must be at most the 240 training rows of the study, but got 241"),
        ("gradcheck tiny.toml --batch 1", "--batch must be at least 3 with batch normalisation"),
        ("gradcheck tiny.toml --batch 2", "--batch must be at least 3 with batch normalisation"),
        ("gradcheck tiny.toml --l2 -1", "'--l2': -1"),
        ("gradcheck tiny.toml --method guess", "'guess' is not one of 'complex', 'central', 'forward'"),
        ("gradcheck tiny.toml --set network.depth=3", "unknown key `network.depth`"),
        ("gradcheck tiny.toml --set data.source=nowhere.csv", "nowhere.csv"),
        ("gradcheck tiny.toml --set data.source=cifar10 --data-dir elsewhere", "elsewhere"),
        (
            "gradcheck tiny.toml --set network.batch_norm=plain --set network.init=zeros",
            "Every hidden unit must vary over the rows",
        ),
    ],
)
def test_refusals(folder: Path, refusal: Refusal, command: str, words: str) -> None:  # noqa: F811
    assert words in refusal(*command.split())


def test_a_single_row_will_do_without_batch_normalisation(folder: Path) -> None:
    rows = answer("gradcheck", "tiny.toml", "--batch", "1", "--set", "network.batch_norm=none")
    assert all(row["agrees"] for row in rows)
