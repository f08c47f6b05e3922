"""Where nothing may be written, one line says so before anything is trained, and nothing changes."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bnsearch.errors import BnsearchError, DataError, StoreError, StudyFileError
from bnsearch.search.session import existing_store
from bnsearch.search.stages import status
from bnsearch.search.study_file import Study
from tests.search.helpers import record, run, tiny
from tests.search.limits import as_nobody, everyones_folder, not_writable

MORE = "coarse.trials=7"


@pytest.fixture
def folder(whole: Study, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The finished study, where nobody may have it."""
    with everyones_folder() as place:
        shutil.copytree(whole.folder, place / "copy")
        (place / "cache").mkdir()
        monkeypatch.setenv("BNSEARCH_CACHE", str(place / "cache"))
        run(tiny(place / "copy"), "coarse")  # as root, so that all is imported and cached
        yield place / "copy"


def everything(folder: Path) -> dict[str, bytes]:
    found = {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: content for name, content in found.items() if not name.endswith(".lock")}


@contextmanager
def refused(folder: Path, *paths: Path) -> Iterator[None]:
    """A search without the right to write these is refused in one line with the place, the cause and a remedy; nothing
    changes, `status` works, and with the right it goes on.
    """
    before, study = everything(folder), tiny(folder, MORE)
    with as_nobody(folder.parent), not_writable(*paths):
        with pytest.raises(BnsearchError) as caught:
            run(study, "coarse")
        with existing_store(study, None) as store:
            assert len(status(store, "tiny")) == 5
    line = str(caught.value)
    assert "\n" not in line
    assert str(folder) in line
    assert "rights" in line
    assert everything(folder) == before
    yield
    assert run(study, "coarse") == [True]
    assert len(record(study)["coarse"][0]) == 7


def test_a_folder(folder: Path) -> None:
    with refused(folder, folder, *folder.glob("*"), *folder.glob("*/*")):
        pass


def test_a_folder_with_everything_in_it_open(folder: Path) -> None:
    (folder / "tiny.lock").unlink()
    with refused(folder, folder):
        pass


def test_a_database(folder: Path) -> None:
    with refused(folder, folder / "tiny.db"):
        pass


def test_a_results_folder(folder: Path) -> None:
    with refused(folder, folder / "tiny"):
        pass


def test_a_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = folder.parent / "cache"
    study = tiny(folder / "new")
    with as_nobody(folder.parent), not_writable(cache), pytest.raises(DataError, match="Set BNSEARCH_CACHE") as caught:
        run(study, "coarse")
    assert str(cache) in str(caught.value)
    assert not (folder / "new" / "tiny.db").exists()
    assert run(study, "coarse") == [True]


def test_a_study_file_and_a_data_file_that_may_not_be_read(folder: Path) -> None:
    table = folder / "table.csv"
    table.write_text("x,label\n" + "".join(f"{i},{i % 2}\n" for i in range(400)))
    with as_nobody(folder):
        table.chmod(0)
        with pytest.raises(DataError, match=r"table\.csv .*Permission denied"):
            run(tiny(folder, "data.source=table.csv", name="other"), "coarse")
        (folder / "tiny.toml").chmod(0)
        with pytest.raises(StudyFileError, match=r"tiny\.toml .*Permission denied"):
            tiny(folder)


# ---- a database that was lost


def test_a_database_cut_off_to_nothing_is_not_begun_anew_over_its_results(finished: Path) -> None:
    study, before = tiny(finished), everything(finished)
    whole = (finished / "tiny.db").read_bytes()
    (finished / "tiny.db").write_bytes(b"")
    with pytest.raises(StoreError, match=r"tiny\.db must hold the trials .*is empty: bring back a backup"):
        run(study, "coarse")
    with pytest.raises(StoreError, match="is empty"), existing_store(study, None):
        pass
    (finished / "tiny.db").write_bytes(whole)
    assert everything(finished) == before
    assert run(study, "coarse") == [False]


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.9, 0.99])
def test_a_database_cut_off_is_refused_and_left_alone_until_it_is_brought_back(finished: Path, share: float) -> None:
    study = tiny(finished, MORE)
    whole = (finished / "tiny.db").read_bytes()
    half = whole[: int(share * len(whole))]
    (finished / "tiny.db").write_bytes(half)
    before = everything(finished)
    with pytest.raises(StoreError, match=r"tiny\.db must be .*bring back a backup"):
        run(study, "coarse")
    with pytest.raises(StoreError, match=r"tiny\.db must be "), existing_store(study, None):
        pass
    assert everything(finished) == before
    (finished / "tiny.db").write_bytes(whole)
    assert run(study, "coarse") == [True]
