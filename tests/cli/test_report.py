"""`bnsearch report`, and how the other commands lead to it."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from bnsearch.cli import commands
from bnsearch.errors import StoreError
from tests.cli.helpers import answer, endless_search, invoke, program, written


def test_it_is_written_into_the_results_folder(finished: Path) -> None:
    path = Path("tiny/report.html")
    before, files = path.read_text(), written(Path())
    path.unlink()
    assert invoke("report", "tiny.toml").stdout == "Report: tiny/report.html\n"
    assert written(Path()) == files, "no temporary file is left"
    after = path.read_text()
    assert len(after) == len(before)
    assert after.startswith("<!DOCTYPE html>")


def test_run_writes_it_too_and_says_where_it_is(finished: Path) -> None:
    assert Path("tiny/report.html").exists()
    output = Path("output.txt").read_text()
    assert "Report    tiny/report.html" in output
    assert "bnsearch report tiny.toml --open" in output
    assert answer("run", "tiny.toml")["report"] == "tiny/report.html"


@pytest.mark.parametrize("command", ["status", "final"])
def test_the_other_commands_say_how_to_see_it(finished: Path, command: str) -> None:
    assert "Report" in invoke(command, "tiny.toml").stdout
    assert "bnsearch report tiny.toml --open" in invoke(command, "tiny.toml").stdout


def test_another_file(finished: Path) -> None:
    Path("tiny/report.html").unlink()
    assert answer("report", "tiny.toml", "-o", "other.html") == {"report": "other.html"}
    assert "is chosen" in Path("other.html").read_text()
    assert not Path("tiny/report.html").exists()


def test_another_database(folder: Path) -> None:
    storage = ("--storage", "sqlite:///other.db")
    invoke("coarse", "tiny.toml", "--trials", "1", "--workers", "1", *storage)
    assert f"bnsearch report tiny.toml {' '.join(storage)} --open" in invoke("status", "tiny.toml", *storage).stdout
    assert answer("report", "tiny.toml", *storage) == {"report": "tiny/report.html"}
    assert "sqlite:///other.db" in Path("tiny/report.html").read_text()


def test_it_is_opened_in_a_browser(finished: Path) -> None:
    result = program("report", "tiny.toml", "--open", folder=finished, BROWSER="echo opened %s")
    assert result.returncode == 0, result.stderr
    assert f"opened {(finished / 'tiny' / 'report.html').resolve().as_uri()}" in result.stdout
    nowhere = program("report", "tiny.toml", "--open", folder=finished, BROWSER="false", DISPLAY="", PATH="")
    assert nowhere.returncode == 2
    assert nowhere.stderr.startswith(
        "bnsearch: --open needs a browser, but none could be started: open tiny/report.html"
    )


def test_a_place_that_cannot_be_written(finished: Path) -> None:
    files = written(Path())
    for place, why in (("nowhere/report.html", "No such file"), (".", "Is a directory"), ("", "Is a directory")):
        with pytest.raises(StoreError, match=rf"must be a file that can be written, but: {why}.*-o FILE"):
            CliRunner().invoke(commands, ["report", "tiny.toml", "-o", place], catch_exceptions=False)
    assert written(Path()) == files


def test_what_lies_beside_it_is_left_alone(finished: Path) -> None:
    """A file of the user's was once taken for a temporary one."""
    Path("mine.tmp").write_text("notes")
    invoke("report", "tiny.toml", "-o", "mine.html")
    assert Path("mine.tmp").read_text() == "notes"


def test_a_link_and_a_pipe_are_written_through(finished: Path) -> None:
    """A pipe's name was once about to be replaced by a file's."""
    Path("link.html").symlink_to("target.html")
    assert answer("report", "tiny.toml", "-o", "link.html") == {"report": "link.html"}
    assert Path("link.html").is_symlink()
    assert "is chosen" in Path("target.html").read_text()
    result = program("report", "tiny.toml", "-o", "/dev/stdout", folder=finished)
    assert result.returncode == 0
    assert result.stdout.startswith("<!DOCTYPE html>")
    assert Path("/dev/stdout").is_symlink()


def test_it_can_be_made_while_the_study_runs(folder: Path) -> None:
    with endless_search(folder, workers=1, until="tiny.coarse"):
        assert answer("report", "tiny.toml") == {"report": "tiny/report.html"}
    assert "Coarse has 0 of 4 trials; none has completed." in Path("tiny/report.html").read_text()


def test_a_report_of_a_folder_that_cannot_be_written_goes_elsewhere(finished: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("the superuser may write anywhere")
    Path("tiny").chmod(0o555)
    try:
        assert answer("report", "tiny.toml", "-o", "other.html") == {"report": "other.html"}
    finally:
        Path("tiny").chmod(0o755)
