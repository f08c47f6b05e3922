"""Nothing is lost by a power cut but the work of the last seconds: what was written before what, and what goes on.

`tests.search.power_cuts` tries many more.
"""

import os
import random
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bnsearch.data.whole_file import write_whole
from bnsearch.search.address import default_url
from bnsearch.search.store import open_store
from tests.search.power_cuts import cuts, photographed, survives


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], list[bool]]:
    folder = tmp_path_factory.mktemp("album")
    return folder, *photographed(folder, every=5)


@pytest.mark.parametrize("cut", range(8))
def test_a_study_goes_on_from_whatever_a_cut_left(album: tuple[Path, dict[str, Any], list[bool]], cut: int) -> None:
    folder, whole, logs = album
    assert len(logs) > 50
    picture, share = list(cuts(random.Random(1), 8, logs))[cut]
    survives(folder, picture, share, whole)


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        events.append(f"fsync {Path(os.readlink(f'/proc/self/fd/{descriptor}')).name}")
        real_fsync(descriptor)

    def replace(source: Path, target: Path) -> None:
        events.append(f"replace {target.name}")
        real_replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    folder = tmp_path / "states"
    write_whole(folder / "a.safetensors", [b"some", memoryview(b"thing")])
    assert events == ["fsync a.tmp", "replace a.safetensors", "fsync states"]
    assert (folder / "a.safetensors").read_bytes() == b"something"
    assert [path.name for path in folder.iterdir()] == ["a.safetensors"]


def test_every_connection_syncs_its_log_at_checkpoints(tmp_path: Path) -> None:
    """NORMAL keeps a database in WAL mode consistent; the setting is not stored in it."""
    store = open_store(default_url(tmp_path, "tiny"), "tiny")
    try:
        connections = [store.storage.engine.connect() for _ in range(4)]  # more than one from the pool
        for connection in connections:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1
            connection.close()
    finally:
        store.close()


def test_a_look_at_the_test_set_is_on_the_disk_before_the_rows_are_read(tmp_path: Path) -> None:
    """Else a cut could take back that somebody looked."""
    store, levels = open_store(default_url(tmp_path, "tiny"), "tiny"), []

    @sa.event.listens_for(store.storage.engine, "before_cursor_execute")
    def _(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO bnsearch_test_looks"):
            levels.append(cursor.connection.execute("PRAGMA synchronous").fetchone())

    try:
        assert store.record_look("data", "purpose") == 1
        assert levels == [(2,)]  # FULL
        with store.storage.engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1
    finally:
        store.close()
