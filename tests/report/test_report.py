"""The report of a study that was really run."""

from pathlib import Path
from typing import Any

import pytest

from bnsearch.errors import StoreError, UsageError
from bnsearch.report.report import report
from bnsearch.search import schedule
from bnsearch.search.stages import reset
from bnsearch.search.study_file import Study
from tests.helpers import TINY
from tests.report.test_page import Parsed
from tests.search.helpers import run, stored, tiny, trials_of
from tests.search.stopping import Countdown


def parsed(study: Study) -> Parsed:
    with stored(study) as store:
        return Parsed(report(study, store))


def ids(page: Parsed) -> list[str]:
    return [attrs["id"] or "" for attrs in page.of("section")]


def test_a_whole_study_has_every_section(whole: Study) -> None:
    page = parsed(whole)
    assert ids(page) == [
        *("answer", "search", "learning", "confirm", "classes", "mistakes", "weights", "cost", "provenance")
    ]
    assert "test accuracy" not in page.text.partition("is chosen")[0]
    assert "look 1 at this test set" in page.text
    assert f"bnsearch run {whole.called}" in page.text
    buttons = [attrs["data-trial"] for attrs in page.of("button")]
    assert {"coarse 0", "fine 3", "final 1"} <= set(buttons)
    assert sum(attrs["aria-pressed"] == "true" for attrs in page.of("button")) == 2
    n_wrong = int(page.text.partition(" of 360 test images are wrong")[0].rpartition(" ")[2])
    shown = [a for a in page.of("img") if (a["alt"] or "").startswith("Test row")]
    assert len(shown) == min(n_wrong, 24)
    assert len(page.of("img")) == len(shown) + 8, "a picture for each unit"


def test_a_search_with_trials_of_every_kind(mixed: Study) -> None:
    page = parsed(mixed)
    assert ids(page) == ["answer", "search", "halving", "learning", "cost", "provenance"]
    assert "10 of 16 trials of coarse were stopped early" in page.text
    assert "16 trials, best first: 4 ran to the end, 10 stopped early and 2 diverged" in page.text
    assert "--set 'coarse.space.l2=[1.0, 0.9, 0.001, 0.0001]'" in page.text


def test_the_test_set_is_not_opened(whole: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*args: Any, **more: Any) -> Any:
        raise AssertionError("data were read")

    monkeypatch.setattr("bnsearch.data.load.load", never)
    monkeypatch.setattr("bnsearch.data.digits.load", never)
    monkeypatch.setattr("bnsearch.search.looking.open_test_set", never)
    assert "mistakes" in ids(parsed(whole))


def test_nothing_is_written(whole: Study) -> None:
    before = {path: path.stat().st_mtime_ns for path in whole.folder.rglob("*")}
    parsed(whole)
    assert {path: path.stat().st_mtime_ns for path in whole.folder.rglob("*")} == before


def test_before_anything_was_run(tmp_path: Path) -> None:
    study = tiny(tmp_path)
    with pytest.raises(UsageError, match=r"must have been run before there is anything to report.*bnsearch run"):
        report(study, None)
    run(tiny(tmp_path, "training.epochs=1", "coarse.trials=1"), "coarse")
    with stored(study) as store:
        reset(study, store, "coarse")
        with pytest.raises(UsageError, match="must have been run"):
            report(study, store)


def test_the_results_of_another_database_are_not_shown(tmp_path: Path) -> None:
    run(tiny(tmp_path, "training.epochs=1", "coarse.trials=1"), "coarse", storage=f"sqlite:///{tmp_path}/other.db")
    run(tiny(tmp_path / "b", "training.epochs=1", "coarse.trials=1"), "coarse")
    with stored(tiny(tmp_path / "b")) as store, pytest.raises(StoreError, match="must belong to the database at hand"):
        report(tiny(tmp_path), store)


COMPARED = TINY[: TINY.index("[coarse]")] + (
    "[compare]\nrepeats = 2\nvary.network.batch_norm = ['none', 'plain']\nvary.training.momentum = [0.0, 0.5, 0.9]\n"
)


def test_variants_are_compared(tmp_path: Path) -> None:
    study = tiny(tmp_path, text=COMPARED)
    run(study, "compare")
    page = parsed(study)
    assert ids(page) == ["answer", "variants", "cost", "provenance"]
    assert "6 variants over 2 repeats" in page.text
    assert "Best batch_norm " in page.text
    assert "colours tell momentum apart and dashes tell batch_norm apart" in page.text
    assert "bands reach from the lowest to the highest" in page.text
    assert f"bnsearch compare {study.called}" in page.text
    assert "bnsearch run" not in page.text
    assert "population" not in page.text, "it was not tested"
    figures = [attrs["data-figure"] for attrs in page.of("script") if "data-figure" in attrs]
    assert figures == [
        f"variants-{part}_{figure}" for figure in ("accuracy", "loss", "cost") for part in ("train", "valid")
    ]


@pytest.mark.parametrize("n_epochs", [0, 1])
def test_variants_under_way_have_a_page_too(n_epochs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "CALL_SECONDS", 0.0)  # a step a call, of 6 an epoch
    study = tiny(tmp_path, text=COMPARED)
    with pytest.raises(KeyboardInterrupt):
        run(study, "compare", progress=Countdown(3 + 12 * n_epochs))
    assert max(len(t.intermediate_values) for t in trials_of(study, "compare")) == n_epochs
    page = parsed(study)
    assert "variants" in ids(page)
    assert "0 variants" not in page.text


def test_a_variant_whose_curves_are_gone_keeps_its_row(tmp_path: Path) -> None:
    study = tiny(tmp_path, text=COMPARED)
    run(study, "compare")
    for path in (study.results / "curves").iterdir():
        path.unlink()
    page = parsed(study)
    assert "6 variants over 2 repeats" in page.text
    assert not [attrs for attrs in page.of("script") if "data-figure" in attrs]
