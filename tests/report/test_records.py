"""Plain records of a real study, also while it is under way."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnsearch.model import Model
from bnsearch.report.records import StudyRecord, read
from bnsearch.search import schedule
from bnsearch.search.mistakes import NAME, Mistakes
from bnsearch.search.study_file import Study
from tests.search.helpers import run, stored, tiny, trials_of
from tests.search.stopping import Stopping


def record_of(study: Study) -> StudyRecord:
    with stored(study) as store:
        return read(study, store)


def test_a_whole_study(whole: Study, store: Any) -> None:
    record = read(whole, store)
    names = [stage.name for stage in record.stages]
    assert names[:2] == ["coarse", "fine"]
    assert names[-2:] == ["confirm", "final"]
    assert [level.name for level in record.levels] == names[:-2]
    for stage in record.stages:
        frozen = trials_of(whole, stage.name)
        assert [(t.number, t.params, t.accuracy) for t in stage.trials] == [
            (t.number, t.params, t.value) for t in frozen
        ]
        assert all(t.state == "complete" and t.n_epochs == 4 and t.seconds > 0 for t in stage.trials)
        assert all(t.ended is not None and stage.began is not None and t.ended >= stage.began for t in stage.trials)
        assert stage.setup == whole.setups["coarse" if stage.name == "coarse" else "final"].model_dump(mode="json")
        assert (stage.seed, stage.version) == (6, "0.1.0")
    coarse, confirm = record.stage("coarse"), record.stage("confirm")
    assert coarse is not None
    assert coarse.requests == (6,)
    assert confirm is not None
    assert confirm.n_finalists * 2 == len(confirm.trials)
    assert [look["purpose"] for look in record.looks] == ["tiny.final: 2 networks"]
    assert isinstance(record.model, Model)
    assert isinstance(record.mistakes, Mistakes)
    assert not record.bundled


def test_trials_of_every_kind(mixed: Study) -> None:
    (coarse,) = record_of(mixed).stages
    n = {state: sum(t.state == state for t in coarse.trials) for state in ("complete", "pruned", "diverged")}
    assert n == {"complete": 4, "pruned": 10, "diverged": 2}
    for t in coarse.trials:
        steps = [step for step, _ in t.rungs]
        if t.state == "complete":
            assert (steps, t.stopped_at, t.n_steps) == ([12, 24], None, None)
            assert t.loss is not None
        elif t.state == "pruned":
            assert (t.stopped_at, t.accuracy) == t.rungs[-1]
            assert steps == [12, 24][: len(steps)]
            assert (t.loss, t.n_steps) == (None, 48)
        else:
            assert (t.accuracy, t.loss, t.n_steps) == (None, None, 48)
            assert steps == [step for step in (12, 24) if step < (t.stopped_at or 0)]


def test_a_stage_under_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No trial is done, and all have been seen after some epochs."""
    monkeypatch.setattr(schedule, "CALL_SECONDS", 0.0)
    study = tiny(tmp_path, "training.epochs=400", "coarse.trials=2")
    with pytest.raises(KeyboardInterrupt):
        run(study, "coarse", n_workers=1, executor=lambda: Stopping(21))  # the news of the call before are lost
    record = record_of(study)
    (coarse,) = record.stages
    assert [t.state for t in coarse.trials] == ["running", "running"]
    for t in coarse.trials:
        assert t.ended is None
        assert t.n_epochs == 3, "18 steps, of 6 an epoch"
        assert 0.0 <= (t.accuracy or 0.0) <= 1.0
    assert record.model is record.mistakes is None


def test_totals_that_were_asked_for_one_after_another(tmp_path: Path) -> None:
    run(tiny(tmp_path, "coarse.trials=2"), "coarse")
    run(tiny(tmp_path, "coarse.trials=3"), "coarse")
    (coarse,) = record_of(tiny(tmp_path)).stages
    assert coarse.requests == (2, 3)


def test_batches_of_tpe_are_no_requests(tmp_path: Path) -> None:
    study = tiny(tmp_path, "coarse.sampler=tpe", "coarse.trials=18", "training.epochs=1")
    run(study, "coarse")
    assert record_of(study).stages[0].requests == (18,)


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"")], ids=["gone", "damaged"])
def test_files_that_are_gone_or_damaged_are_said(whole: Study, tmp_path: Path, spoil: Any) -> None:
    shutil.copytree(whole.folder, tmp_path / "copy")
    study = replace(whole, folder=tmp_path / "copy")
    spoil(study.results / NAME)
    spoil(study.results / "models" / "final-1.safetensors")
    record = record_of(study)
    assert isinstance(record.model, str)
    assert "final-1.safetensors" in record.model
    assert isinstance(record.mistakes, str)
    assert NAME in record.mistakes


def test_data_that_are_no_images_have_nothing_to_look_at(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "own.npz", X=rng.normal(size=(400, 5)), y=np.arange(400) % 3)
    study = tiny(tmp_path, "data.source=own.npz", "data.standardize=none", "final.setting={}", "training.epochs=1")
    run(study, "final")
    record = record_of(study)
    assert record.mistakes is None
    assert isinstance(record.model, Model)
