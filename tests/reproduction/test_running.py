"""Running the reports' commands: one that fails, and a gradient check of another revision."""

import json
from pathlib import Path

import pytest

from benchmarks.reproduction import running
from benchmarks.reproduction.experiments import Check, Experiment
from benchmarks.reproduction.ours import NotRun, Runs

CHECK = Check("one check", "gradcheck digits --inputs 2 --batch 4")


def test_a_command_that_fails_does_not_stop_the_others(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bad = Check("another", "gradcheck no-such")
    failures = running.run_all(
        [bad, CHECK], [Experiment("compare no-such"), Experiment("path no-such")], tmp_path, False, None
    )
    assert [failure.split()[1] for failure in failures] == ["gradcheck", "compare", "path"]
    assert all("no-such" in failure and "must succeed" in failure for failure in failures)
    assert len(Runs(tmp_path).check(CHECK.name)) > 0
    said = capfd.readouterr().err
    assert "Traceback" not in said
    assert "bnsearch gradcheck digits --inputs 2 --batch 4: " in said


def test_a_check_says_what_made_it_and_is_made_again_by_another_revision(tmp_path: Path) -> None:
    running.run_all([CHECK], [], tmp_path, False, None)
    path = running.check_path(tmp_path, CHECK.name)
    made = json.loads(path.read_text())
    assert made["command"] == "bnsearch gradcheck digits --inputs 2 --batch 4"
    assert {"version", "revision"} <= made.keys()
    path.write_text(json.dumps(made | {"parameters": []}))
    running.run_all([CHECK], [], tmp_path, False, None)
    assert Runs(tmp_path).check(CHECK.name) == []
    path.write_text(json.dumps(made | {"parameters": [], "revision": "of another time"}))
    assert "of another time" in Runs(tmp_path).provenance["revision"]
    running.run_all([CHECK], [], tmp_path, False, None)
    assert Runs(tmp_path).check(CHECK.name) == made["parameters"]


def test_a_table_that_does_not_say_what_made_it_counts_as_none(tmp_path: Path) -> None:
    path = running.check_path(tmp_path, CHECK.name)
    path.parent.mkdir()
    path.write_text("[]")
    with pytest.raises(NotRun):
        Runs(tmp_path).check(CHECK.name)
