"""One trial in full."""

import csv
from pathlib import Path

import pytest

from bnsearch.errors import UsageError
from bnsearch.search.live import View
from bnsearch.search.progress import Silent
from bnsearch.search.session import existing_store
from bnsearch.search.study_file import Study
from bnsearch.search.trial_record import trial_record
from tests.helpers import TINY, changed
from tests.search.helpers import at_work, run, stored, tiny, trials_of


def shown(study: Study, name: str) -> dict[str, object]:
    with existing_store(study, None) as store:
        return trial_record(study, store, name)


def test_a_complete_trial(whole: Study) -> None:
    found, trial = shown(whole, "coarse-3"), trials_of(whole, "coarse")[3]
    assert (found["study"], found["trial"], found["state"]) == ("tiny.coarse", 3, "complete")
    assert (found["value"], found["value_name"]) == (trial.value, "validation accuracy")
    assert found["params"] == trial.params
    assert found["attributes"] == trial.user_attrs
    assert found["reported"] == {str(epoch): value for epoch, value in trial.intermediate_values.items()}
    assert found["budget"] == {"n_steps": 24, "epoch_steps": 6}
    assert found["rungs"] == []
    with (whole.results / "curves" / "coarse-00003.csv").open() as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    assert found["curve"] == rows
    assert found["files"] == {"curve": str(whole.results / "curves" / "coarse-00003.csv")}


def test_a_final_network_has_its_model(whole: Study) -> None:
    found = shown(whole, "final-1")
    assert found["value_name"] == "test accuracy"
    assert found["files"]["model"] == str(whole.results / "models" / "final-2.safetensors")  # type: ignore[index]


@pytest.mark.parametrize("name", ["coarse-3", "coarse 3", "coarse.3", "coarse3", "coarse-00003"])
def test_ways_to_name_it(whole: Study, name: str) -> None:
    assert shown(whole, name)["trial"] == 3


def test_a_trial_that_was_stopped_at_a_rung(tmp_path: Path) -> None:
    study = tiny(tmp_path, text=changed(TINY, ("trials = 6", "trials = 16"), ("epochs = 4", "epochs = 8")))
    run(study, "coarse")
    ranked = {t.number: t.user_attrs["rung_2_rank"] for t in trials_of(study, "coarse") if "rung_2" in t.user_attrs}
    last = max(ranked, key=lambda number: ranked[number])
    found = shown(study, f"coarse-{last}")
    assert (found["state"], found["value"]) == ("pruned", None)
    first, second = found["rungs"]  # type: ignore[misc]
    assert (first["rung"], first["step"], first["of"]) == (1, 12, 16)
    assert (second["rung"], second["step"], second["rank"], second["of"]) == (2, 24, 8, 8)


def test_a_trial_under_way(tmp_path: Path) -> None:
    study, seen = tiny(tmp_path, "coarse.trials=1"), []

    class Look(Silent):
        def show(self, view: View) -> None:
            with stored(study) as store:
                seen.append(trial_record(study, store, "coarse-0"))

    with at_work(study, progress=Look()) as session:
        from bnsearch.search.stages import run_stage

        run_stage(session, "coarse")
    assert {one["state"] for one in seen} == {"running", "complete"}
    first = seen[0]
    assert (first["value"], first["ended"], first["curve"]) == (None, None, [])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("3", "TRIAL must be a stage and a number, such as coarse-4, but got '3'"),
        ("middle-3", "TRIAL must be a stage and a number"),
        ("coarse-99", "must be one of its 6, but got 99"),
    ],
)
def test_what_is_no_trial(whole: Study, name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        shown(whole, name)


def test_before_any_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"tiny\.coarse must have been run"):
        shown(tiny(tmp_path), "coarse-0")
