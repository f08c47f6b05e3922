"""`bnsearch compare`: variants of a study's network side by side, on a tiny study."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from bnsearch.cli import commands
from bnsearch.errors import BnsearchError
from tests.cli.helpers import answer, invoke, written
from tests.cli.test_commands import trials
from tests.helpers import BRIEF, LEVEL

SECTION = """
[compare]
repeats = 2
vary.network.batch_norm = ["none", "plain"]
vary.training.momentum = [0.0, 0.9]
"""
ALONE = LEVEL[: LEVEL.index("[coarse]")] + SECTION
ONE = ("--workers", "1")


@pytest.fixture
def study(folder: Path) -> Path:
    """The current folder, with a study that has nothing but a comparison."""
    (folder / "tiny.toml").write_text(ALONE)
    return folder


def refusal(*arguments: str) -> str:
    found = CliRunner().invoke(commands, arguments).exception
    assert isinstance(found, BnsearchError), found
    return str(found)


def test_it_prints_a_table_a_finding_and_where_the_report_lies(study: Path) -> None:
    output = invoke("compare", "tiny.toml", *ONE).stdout
    for words in (
        "Variants over 2 repeats",
        "batch_norm none, momentum 0.0",
        "batch_norm plain, momentum 0.9",
        "to the first",
        "Compare   best batch_norm ",
        "tiny/report.html",
    ):
        assert words in output
    assert "population" not in output, "the test set was not looked at"
    assert "Variants compared" in (study / "tiny" / "report.html").read_text()
    assert len(trials(study, "tiny.compare")) == 8


def test_json_has_the_same_with_every_seed(study: Path) -> None:
    found = answer("compare", "tiny.toml", *ONE)
    assert [found[key] for key in ("stage", "total", "report")] == ["compare", 8, "tiny/report.html"]
    rows = found["comparison"]["variants"]
    assert [row["label"] for row in rows] == [
        f"batch_norm {norm}, momentum {m}" for norm in ("none", "plain") for m in (0.0, 0.9)
    ]
    for row in rows:
        per_seed = row["valid_accuracy"]["per_seed"]
        assert len(per_seed) == 2
        assert row["valid_accuracy"]["mean"] == pytest.approx(sum(per_seed) / 2)
        assert row["test_accuracy"] is None
    assert found["findings"][0].startswith("Compare: best ")


def test_a_second_time_there_is_nothing_to_do_and_more_repeats_add_the_rest(study: Path) -> None:
    invoke("compare", "tiny.toml", *ONE)
    before = [(t.number, t.value) for t in trials(study, "tiny.compare")]
    assert "nothing to do" in invoke("compare", "tiny.toml", *ONE).stdout
    invoke("compare", "tiny.toml", "--repeats", "3", *ONE)
    after = [(t.number, t.value) for t in trials(study, "tiny.compare")]
    assert (len(after), after[:8]) == (12, before)


def test_the_ledger_tells_of_one_look_and_none_without_test(study: Path) -> None:
    invoke("compare", "tiny.toml", *ONE)
    assert "0 looks at the test set" in invoke("status", "tiny.toml").stdout
    output = invoke("compare", "tiny.toml", "--test", *ONE).stdout
    assert "population" in output
    assert "nothing to do" not in output
    invoke("compare", "tiny.toml", "--test", *ONE)
    said = invoke("status", "tiny.toml").stdout
    assert "1 look at the test set" in said
    assert "tiny.compare: 8 networks" in said


def test_other_commands_know_it(study: Path) -> None:
    assert "bnsearch compare tiny.toml" in invoke("status", "tiny.toml").stdout
    assert "bnsearch compare tiny.toml" in refusal("report", "tiny.toml")
    invoke("compare", "tiny.toml", *ONE)
    (row,) = answer("status", "tiny.toml")
    assert (row["stage"], row["trials"]["complete"], len(row["comparison"]["variants"])) == ("compare", 8, 4)
    shown = invoke("show", "tiny.toml", "compare-3").stdout
    for words in (
        "3 of tiny.compare, complete",
        "plain (network.batch_norm)",
        "(training.momentum)",
        "models/compare-00003",
    ):
        assert words in shown
    assert "compare 8" in invoke("doctor", "tiny.toml").stdout
    assert "Report: " in invoke("report", "tiny.toml").stdout
    assert invoke("reset", "tiny.toml", "--from", "compare").stdout == "Deleted tiny.compare.\n"
    assert not list((study / "tiny").rglob("compare-*"))


def test_it_lies_beside_a_search(finished: Path) -> None:
    Path("tiny.toml").write_text(LEVEL + SECTION)
    invoke("compare", "tiny.toml", *ONE)
    # it was made by the very process that held the study
    assert "Under way" not in (finished / "tiny" / "report.html").read_text()
    assert [row["stage"] for row in answer("status", "tiny.toml")][-2:] == ["final", "compare"]
    assert "Every stage of tiny.toml is finished" in invoke("run", "tiny.toml", *ONE).stdout
    page = (finished / "tiny" / "report.html").read_text()
    assert 'id="confirm"' in page
    assert 'id="variants"' in page
    assert "bnsearch run tiny.toml\nbnsearch compare tiny.toml\n" in page


@pytest.mark.parametrize("command", ["run", "plan", "coarse", "final"])
def test_a_study_that_only_compares_has_no_search(study: Path, command: str) -> None:
    before = written(study)
    assert "tiny.toml only compares: run `bnsearch compare tiny.toml`" in refusal(command, "tiny.toml")
    assert written(study) == before


def test_without_a_section_it_says_what_to_write(folder: Path) -> None:
    before = written(folder)
    for arguments in ((), ("--repeats", "3")):
        said = refusal("compare", "tiny.toml", *arguments)
        assert 'vary.network.batch_norm = ["none", "affine"]' in said
    assert written(folder) == before


def test_a_stage_of_the_chain_tells_of_itself_after_a_comparison(folder: Path) -> None:
    """It once ended in a KeyError, after all its work."""
    (folder / "tiny.toml").write_text(BRIEF + SECTION)
    invoke("compare", "tiny.toml", *ONE)
    assert "coarse" in invoke("coarse", "tiny.toml", *ONE).stdout
    assert answer("coarse", "tiny.toml", *ONE)["stage"] == "coarse"
