"""`doctor` finds what would keep a study from running, says what helps, and changes nothing."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bnsearch.cli import commands
from bnsearch.search.lock import locked
from tests.cli.helpers import answer, invoke, program, written


def lines(*arguments: str, fails: bool = False) -> dict[str, list[dict[str, Any]]]:
    """The lines by their names; and the exit code says whether one failed."""
    found = CliRunner().invoke(commands, ("doctor", *arguments, "--json"), catch_exceptions=False)
    rows = json.loads(found.stdout)
    assert (found.exit_code != 0) == fails == any(row["state"] == "fail" for row in rows), found.stdout
    by_name: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        assert set(row) == {"name", "state", "found", "remedy"}
        assert row["state"] in ("ok", "warn", "fail")
        assert row["state"] == "ok" or row["remedy"] or row["found"].endswith(".")
        by_name.setdefault(row["name"], []).append(row)
    return by_name


def only(rows: list[dict[str, Any]], state: str) -> str:
    (row,) = (row for row in rows if row["state"] == state)
    return f"{row['found']} {row['remedy']}"


def test_a_machine_alone() -> None:
    found = lines()
    assert list(found) == ["Python", "Packages", "BLAS", "Cores", "Memory", "Cache"]
    assert "optuna 5." in found["Packages"][0]["found"]
    assert "1 in each worker" in found["BLAS"][0]["found"]
    assert "free" in found["Memory"][0]["found"]


def test_a_study_that_has_not_been_run(folder: Path) -> None:
    found = lines("tiny.toml")
    assert "the first run makes it" in only(found["Database"], "ok")
    assert "1,437 training rows of 64 values, 10 classes" in only(found["Data"], "ok")
    assert "are needed" in found["Memory"][0]["found"]
    assert "are needed" in found["Cache"][0]["found"]
    assert written(folder) == ["tiny.toml"]


def test_a_finished_study(finished: Path) -> None:
    before = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()}
    found = lines("tiny.toml")
    assert "whole" in only(found["Database"], "ok")
    assert "coarse 4, fine 4" in only(found["Trials"], "ok")
    assert only(found["Lock"], "ok") == "free "
    assert "2, all whole" in only(found["Models"], "ok")
    assert "all there" in only(found["Curves"], "ok")
    assert {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()} == before


def test_for_people_each_is_a_line_with_its_state_first(finished: Path) -> None:
    shown = invoke("doctor", "tiny.toml").stdout.splitlines()
    assert {line.split()[0] for line in shown if line[0] != " "} <= {"ok", "warn"}
    assert any(line.split()[:2] == ["ok", "Database"] for line in shown)


def test_a_study_in_use_names_its_holder(finished: Path) -> None:
    with locked(finished / "tiny.lock", "The study"):
        found = lines("tiny.toml")
    assert "process" in only(found["Lock"], "warn")
    assert "wait" in only(found["Lock"], "warn")


def test_a_damaged_database_fails(finished: Path) -> None:
    whole = (finished / "tiny.db").read_bytes()
    (finished / "tiny.db").write_bytes(whole[: len(whole) // 2])
    assert "bring back a backup" in only(lines("tiny.toml", fails=True)["Database"], "fail")


def test_an_index_that_lies_fails(finished: Path) -> None:
    """Which the quick check of every start does not see."""
    connection = sqlite3.connect(finished / "tiny.db")
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("CREATE TABLE other (number)")
    connection.execute("CREATE INDEX mine ON other (number)")
    connection.execute("INSERT INTO other VALUES (1)")
    (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'mine'").fetchone()
    connection.execute("UPDATE sqlite_master SET sql = 'CREATE INDEX mine ON other (number + 1)' WHERE name = 'mine'")
    connection.commit()
    connection.close()
    assert root
    assert "mine" in only(lines("tiny.toml", fails=True)["Database"], "fail")


def test_other_data_than_the_stages_had_fail(finished: Path) -> None:
    text = Path("tiny.toml").read_text()
    Path("own.csv").write_text("a,label\n" + "".join(f"{i % 7},{i % 10}\n" for i in range(2000)))
    Path("tiny.toml").write_text(text.replace('source = "digits"', 'source = "own.csv"'))
    assert "--from coarse" in only(lines("tiny.toml", fails=True)["Data"], "fail")


def test_data_that_cannot_be_read_fail(folder: Path) -> None:
    Path("tiny.toml").write_text(Path("tiny.toml").read_text().replace('source = "digits"', 'source = "own.csv"'))
    assert "own.csv must be a data file" in only(lines("tiny.toml", fails=True)["Data"], "fail")


def test_cifar10_that_is_nowhere_is_not_downloaded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import bnsearch.data.cifar10 as module

    monkeypatch.delenv("BNSEARCH_DATA", raising=False)
    monkeypatch.setattr(module, "user_cache_path", lambda name: folder / "cache" / name)
    monkeypatch.setattr(module, "download", lambda *_: pytest.fail("it was downloaded"))
    assert "have to be downloaded" in only(lines("cifar10-cyclic")["Data"], "warn")


def test_a_model_that_is_damaged_is_named(finished: Path) -> None:
    path = finished / "tiny" / "models" / "final-2.safetensors"
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    warning = only(lines("tiny.toml")["Models"], "warn")
    assert "final-2.safetensors of 2" in warning
    assert "bnsearch final tiny.toml" in warning
    invoke("final", "tiny.toml", "--workers", "1")
    assert "2, all whole" in only(lines("tiny.toml")["Models"], "ok")


def test_a_study_file_that_is_none_fails(folder: Path) -> None:
    assert "Unknown study 'nope'" in only(lines("nope", fails=True)["Study"], "fail")
    Path("tiny.toml").write_text("[data")
    assert "readable TOML" in only(lines("tiny.toml", fails=True)["Study"], "fail")


def test_a_stage_of_another_version_is_a_warning(finished: Path) -> None:
    connection = sqlite3.connect("tiny.db")
    connection.execute("UPDATE study_user_attributes SET value_json = '\"0.0.1\"' WHERE key = 'version'")
    connection.commit()
    connection.close()
    assert "coarse by 0.0.1" in only(lines("tiny.toml")["Version"], "warn")


def test_as_a_process(folder: Path) -> None:
    result = program("doctor", "nope", folder=folder)
    assert result.returncode == 2
    assert "fail  Study" in result.stdout
    assert result.stderr == ""


# ---- backup and upgrade


def test_backup_says_what_it_copied(finished: Path) -> None:
    assert "mine.db: studies 4, trials 1" in invoke("backup", "tiny.toml", "mine.db").stdout
    found = answer("backup", "tiny.toml")
    assert found["studies"] == 4
    assert Path(found["backup"]).stat().st_size == found["bytes"]


def test_a_study_goes_on_from_a_backup_as_the_documentation_says(finished: Path) -> None:
    before = answer("status", "tiny.toml")
    invoke("backup", "tiny.toml", "mine.db")
    Path("tiny.db").write_bytes(b"garbage" * 1000)
    for name in ("tiny.db", "tiny.db-wal", "tiny.db-shm"):
        Path(name).unlink(missing_ok=True)
    Path("mine.db").rename("tiny.db")
    assert answer("status", "tiny.toml") == before
    assert "nothing to do" in invoke("run", "tiny.toml").stdout


def test_upgrade_of_what_needs_none(finished: Path) -> None:
    result = program("upgrade", "tiny.toml", folder=finished)
    assert result.returncode == 2
    assert "needs no upgrade" in result.stderr
