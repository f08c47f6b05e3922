"""Which studies are shown."""

from pathlib import Path

import pytest

from bnsearch.errors import UsageError
from bnsearch.search.showing import shown_studies
from tests.helpers import TINY


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "studies").mkdir()
    for name in ("mine", "yours"):
        (tmp_path / "studies" / f"{name}.toml").write_text(TINY)
    return tmp_path


def names(found: object) -> list[str]:
    return [one.study.name for one in found]  # type: ignore[attr-defined]


def test_all_that_have_been_run_here(here: Path) -> None:
    for name in ("digits", "mine", "unknown"):  # bundled, of one's own, of neither
        (here / "studies" / f"{name}.db").touch()
    found = shown_studies((), None)
    assert names(found) == ["digits", "mine"]
    assert [one.url for one in found] == ["sqlite:///studies/digits.db", "sqlite:///studies/mine.db"]


def test_those_that_are_named(here: Path) -> None:
    (here / "studies" / "mine.db").touch()
    assert names(shown_studies(("mine", "mine"), None)) == ["mine"]
    (here / "shared.db").touch()
    found = shown_studies(("mine", "yours"), "sqlite:///shared.db")
    assert names(found) == ["mine", "yours"]
    assert {one.url for one in found} == {"sqlite:///shared.db"}


def test_a_study_that_has_not_been_run(here: Path) -> None:
    with pytest.raises(UsageError, match=r"yours has no database studies/yours\.db: run `bnsearch run yours` first"):
        shown_studies(("yours",), None)
    with pytest.raises(UsageError, match=r"there is no database in studies: run `bnsearch run digits`"):
        shown_studies((), None)
    assert not list(here.rglob("*.db")), "none is made"


def test_another_database_says_nothing_of_studies() -> None:
    with pytest.raises(UsageError, match="With --storage a study must be named"):
        shown_studies((), "sqlite:///shared.db")
