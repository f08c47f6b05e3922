"""The commands on the page make the same results again."""

import shlex
from pathlib import Path
from typing import Any

import pytest

from bnsearch.report.again import commands
from bnsearch.report.records import read
from bnsearch.search.session import existing_store
from bnsearch.search.study_file import load_study
from tests.cli.helpers import invoke
from tests.helpers import BRIEF, changed
from tests.search.helpers import record, stored, tiny, without_look

HISTORIES: dict[str, list[str]] = {
    "overrides": [
        "run tiny.toml --seed 3 --set training.epochs=1 --set coarse.sampler=sobol --set final.training.epochs=2 "
        "--set 'fine.space={l2={low=1e-4, high=1e-1}}' --set 'final.setting={l2=1e-3, learning_rate=0.2}' "
        "--set final.repeats=3 --set 'network.hidden=[4, 3]'"
    ],
    "enlarged": [
        "coarse tiny.toml --trials 2",
        "coarse tiny.toml --trials 3",
        "fine tiny.toml --trials 2",
        "coarse tiny.toml --trials 5",
        "fine tiny.toml --trials 3",
    ],
}


def shown(file: Path) -> list[str] | None:
    study = load_study(str(file))
    with stored(study) as store:
        return commands(read(study, store))


def results(folder: Path) -> Any:
    return without_look(record(tiny(folder)))


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
def test_the_commands_make_the_same_results_again(
    history: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "again"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tiny.toml").write_text(BRIEF)
    monkeypatch.chdir(tmp_path / "first")
    for command in history:
        invoke(*shlex.split(command), "--workers", "1")
    found = shown(Path("tiny.toml"))
    assert found is not None
    monkeypatch.chdir(tmp_path / "again")
    for command in found:
        program, *arguments = shlex.split(command)
        assert program == "bnsearch"
        invoke(*arguments, "--workers", "1")
    again, first = results(tmp_path / "again"), results(tmp_path / "first")
    assert {stage: again[stage] for stage in first} == first


def test_a_study_that_was_run_once_needs_one_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.toml").write_text(BRIEF)
    invoke("coarse", "tiny.toml", "--workers", "1")
    assert shown(Path("tiny.toml")) == ["bnsearch run tiny.toml"]


def test_another_database_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.toml").write_text(BRIEF)
    invoke("coarse", "tiny.toml", "--workers", "1", "--storage", "sqlite:///other.db", "--trials", "1")
    study = load_study("tiny.toml")
    with existing_store(study, "sqlite:///other.db") as store:
        assert store is not None
        found = commands(read(study, store))
    assert found == ["bnsearch run tiny.toml --set coarse.trials=1 --storage sqlite:///other.db"]


def test_a_study_file_that_has_changed_in_the_meantime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options make up for other values, but not for a key that must be absent."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "tiny.toml"
    path.write_text(BRIEF)
    invoke("coarse", "tiny.toml", "--workers", "1")
    path.write_text(changed(BRIEF, ("epochs = 2", "epochs = 5"), ("hidden = [8]", "hidden = [9]")))
    (command,) = shown(Path("tiny.toml")) or [""]
    assert "--set 'network.hidden=[8]'" in command
    assert "--set training.epochs=2" in command
    cyclic = 'schedule = { kind = "cyclic", low = 0.1, half_cycle_steps = 6, cycles = 1 }'
    path.write_text(changed(BRIEF, ("epochs = 2", cyclic)))
    assert shown(Path("tiny.toml")) is None
