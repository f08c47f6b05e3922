"""Models that are gone are made anew, to the same numbers and without another look at the test set."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from bnsearch.core.random import generator
from bnsearch.errors import ChangedError
from bnsearch.model import load_model
from bnsearch.search import plan
from bnsearch.search.executor import local_executor
from bnsearch.search.progress import Silent
from bnsearch.search.setups import STAGES
from bnsearch.search.stages import run_all, status
from bnsearch.search.study_file import Study
from tests.search.helpers import Heard, at_work, files, record, run, stored, tiny


@pytest.fixture
def untested(finished: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the finished chain; whoever reads the test rows from now on fails."""

    def never(*args: Any) -> Any:
        raise AssertionError("the test set was read")

    monkeypatch.setattr("bnsearch.search.looking.open_test_set", never)
    return finished


def spoil(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])


LOSSES = {
    "the folder": lambda models: shutil.rmtree(models),
    "one file": lambda models: (models / "final-2.safetensors").unlink(),
    "half a file": lambda models: spoil(models / "final-1.safetensors"),
    "a flipped bit": lambda models: flip(models / "final-1.safetensors"),
}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
def test_a_lost_model_is_made_anew(lose: Any, untested: Path) -> None:
    """It was not noticed: final said that there was nothing to do."""
    study = tiny(untested)
    before, on_disk = record(study), files(study)
    with stored(study) as store:
        looks = store.looks()
    lose(study.results / "models")
    assert files_or_damage(study) != on_disk
    assert run(study, "final") == [True]
    assert files(study) == on_disk  # the same tensors and metadata, and no state left behind
    assert record(study) == before
    with stored(study) as store:
        assert store.looks() == looks
    assert run(study, "final") == [False]


def test_a_damaged_model_is_told_of(untested: Path) -> None:
    study, heard = tiny(untested), Heard()
    flip(study.results / "models" / "final-2.safetensors")
    run(study, "final", progress=heard)
    (line,) = heard.lines
    assert "final-2.safetensors must be as it was written, but its checksum says" in line
    assert line.endswith("It is made anew now.")


def files_or_damage(study: Study) -> Any:
    try:
        return files(study)
    except Exception as error:  # safetensors' own
        return error


def test_run_notices_too_whatever_the_workers(untested: Path) -> None:
    study = tiny(untested)
    on_disk = files(study)
    shutil.rmtree(study.results / "models")
    with at_work(study, executor=lambda: local_executor(2)) as session:
        assert run_all(session) == dict.fromkeys(STAGES[:3], False) | {"final": True}
    assert files(study) == on_disk


class Stopped(Silent):
    """Ctrl-C when the first network is done."""

    def update(self, done: float, note: str = "") -> None:
        if done >= 24:
            raise KeyboardInterrupt


def test_stopped_and_gone_on_with(untested: Path) -> None:
    study = tiny(untested)
    on_disk = files(study)
    shutil.rmtree(study.results / "models")
    with pytest.raises(KeyboardInterrupt):
        run(study, "final", progress=Stopped(), n_workers=1)
    assert [path.name for path in (study.results / "models").iterdir()] == ["final-1.safetensors"]
    run(study, "final")
    assert files(study) == on_disk


def test_another_network_does_not_take_the_place_of_the_one_that_was_tested(
    untested: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where another machine rounds otherwise: here its minibatches come in another order."""
    study = tiny(untested)
    shutil.rmtree(study.results / "models")
    monkeypatch.setattr(plan, "generator", lambda seed, *names: generator(seed + 1, *names))
    plan.build_run.cache_clear()
    with pytest.raises(ChangedError, match=r"must come out as it was when it was tested .*`bnsearch reset .* --from"):
        run(study, "final")
    plan.build_run.cache_clear()
    assert not (study.results / "models").exists()


def test_enlarging_final_makes_the_lost_ones_too(finished: Path) -> None:
    study = tiny(finished, "final.repeats=3")
    on_disk = files(study)
    (study.results / "models" / "final-1.safetensors").unlink()
    assert run(study, "final") == [True]
    found = files(study)
    assert {name: found[name] for name in on_disk} == on_disk
    assert "models/final-3.safetensors" in found
    with stored(study) as store:
        assert [look["purpose"] for look in store.looks()] == [
            "tiny.final: 2 networks",
            "tiny.final: 1 networks, and the ensemble of all 3",
        ]


def test_the_paths_of_the_models_follow_the_folder(finished: Path, tmp_path: Path) -> None:
    """They were stored as the first caller saw them, and led elsewhere from another folder or after a move."""
    study = tiny(Path(shutil.move(finished, tmp_path / "moved")))
    with stored(study) as store:
        result = status(store, "tiny", study.results)[-1]["result"]
    assert result["model"] == result["models"][0]
    assert [load_model(path).metadata["repeat"] for path in result["models"]] == [1, 2]
