"""The machine as a check-up sees it."""

import os
from pathlib import Path

import pytest

from bnsearch.search.checkup import machine
from tests.search.limits import as_nobody, everyones_folder, not_writable


def test_the_limit_of_a_container_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free, total = machine.available_memory()
    if free is None:
        pytest.skip("this system does not tell its memory")
    assert 0 < free <= total
    (tmp_path / "max").write_text("1000000000\n")
    (tmp_path / "now").write_text("400000000\n")
    monkeypatch.setattr(machine, "LIMITS", (str(tmp_path / "max"), "/nowhere"))
    monkeypatch.setattr(machine, "USED", (str(tmp_path / "now"), "/nowhere"))
    assert machine.available_memory() == (600_000_000, 1_000_000_000)
    (tmp_path / "max").write_text("max\n")
    assert machine.available_memory()[1] == total


def test_memory_is_enough_short_or_too_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "available_memory", lambda: (2_000_000_000, 4_000_000_000))
    states = {n: next(machine.memory(n)).state for n in (0, 10**9, 3 * 10**9, 5 * 10**9)}
    assert states == {0: "ok", 10**9: "ok", 3 * 10**9: "warn", 5 * 10**9: "fail"}
    assert "5.0 GB are needed" in next(machine.memory(5 * 10**9)).found
    assert "--workers" in next(machine.memory(5 * 10**9)).remedy


def test_room_on_a_disk(tmp_path: Path) -> None:
    new = tmp_path / "deep" / "folder"
    assert next(machine.disk("Cache", new, 0, 0, "or else")).state == "ok"
    assert next(machine.disk("Cache", new, 1, 10**18, "or else")).state == "warn"
    line = next(machine.disk("Cache", new, 10**17, 10**18, "or else"))
    assert line.state == "fail"
    assert line.remedy == "make room, or else"
    assert not (tmp_path / "deep").exists()


def test_a_folder_that_cannot_be_written() -> None:
    with everyones_folder() as folder, as_nobody(folder), not_writable(folder):
        line = next(machine.disk("Cache", folder / "new", 0, 0, "or else"))
    assert line.state == "fail"
    assert str(folder) in line.remedy


def test_a_file_where_a_folder_must_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert next(machine.disk("Cache", tmp_path / "file" / "new", 0, 0, "or else")).state == "fail"


def test_others_at_work_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (1000.0, 0.0, 0.0))
    assert next(machine.cores()).state == "warn"
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))
    assert next(machine.cores()).state == "ok"
