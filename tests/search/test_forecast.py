"""How long the stages of a study will take; finding out changes nothing."""

import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from bnsearch.errors import ChangedError, StoreError, WorkerError
from bnsearch.search import measuring
from bnsearch.search.executor import WorkerDied
from bnsearch.search.forecast import open_forecast
from bnsearch.search.foreseen import foresee, propose
from bnsearch.search.progress import Silent
from bnsearch.search.setups import STAGES
from tests.search.helpers import Inline, forecast_of, run, tiny

pytestmark = pytest.mark.usefixtures("measured_at_once")


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_stage_takes_its_time(tmp_path: Path) -> None:
    with forecast_of(tiny(tmp_path)) as (forecast, stored):
        plan = foresee(forecast, stored)
    seconds = [row["seconds"] for row in plan["stages"]]
    assert all(second > 0.0 for second in seconds)
    assert plan["seconds"] > sum(seconds), "and the start"


def test_a_stage_that_trains_otherwise_is_measured_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = []
    original = measuring.pace_of
    monkeypatch.setattr(measuring, "pace_of", lambda *a: (measured.append(a[0].architecture.hidden), original(*a))[1])
    study = tiny(tmp_path, "final.network.hidden=[4]", "confirm.training.epochs=2")
    with forecast_of(study) as (forecast, stored):
        foresee(forecast, stored)
    assert list(dict.fromkeys(measured)) == [(8,), (4,)]
    assert len(measured) == 2 * 2 * 3, "by two workers, at three widths"


@pytest.mark.parametrize("statistics", ["moving", "population"])
def test_evaluations_with_population_moments_take_more_rows(statistics: str, tmp_path: Path) -> None:
    study = tiny(tmp_path, f"network.bn_statistics={statistics}", "network.hidden=[8, 8]")
    with forecast_of(study) as (forecast, _):
        form, final = forecast.forms["coarse"], forecast.forms["final"]
    more = 240 if statistics == "population" else 0
    assert (form.evaluation_rows, form.end_rows) == (60 + more, 300 + more)
    assert final.evaluation_rows == 0, "it validates on nothing"


def test_data_that_the_cache_has_take_no_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNSEARCH_CACHE", str(tmp_path / "cache"))
    study = tiny(tmp_path, "data.components=10", "confirm.repeats=3")
    with forecast_of(study) as (forecast, _):
        first = forecast.overheads
    assert first.prepare > 0.0
    assert first.prepared == {"confirm": 1, "final": 0}, "one was prepared to be timed"
    run(study, *STAGES)
    with forecast_of(study) as (forecast, _):
        assert forecast.overheads.prepared == {"confirm": 3, "final": 1}


class Dying(Inline):
    """Its workers die of some functions."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        if fn is not measuring.pace_of:
            return super().submit(fn, *args, **kwargs)
        future: Future[Any] = Future()
        future.set_exception(WorkerDied("was killed by SIGKILL"))
        return future


def test_a_worker_that_dies_while_it_is_measured(tmp_path: Path) -> None:
    with (
        open_forecast(tiny(tmp_path), time.monotonic(), n_workers=1, executor_factory=Dying, progress=Silent()) as (
            forecast,
            stored,
        ),
        pytest.raises(WorkerError, match="train 1 networks together to be measured, but one was killed by SIGKILL"),
    ):
        foresee(forecast, stored)


def test_networks_that_diverge_are_measured_like_others(tmp_path: Path) -> None:
    with forecast_of(tiny(tmp_path, "training.learning_rate=1.0", "coarse.training.l2=0.1")) as (forecast, stored):
        assert foresee(forecast, stored)["seconds"] > 0.0


# ---- nothing is changed


def test_a_look_leaves_everything_as_it_is(finished: Path, tmp_path: Path) -> None:
    study = tiny(finished, "confirm.repeats=3")
    before = everything_in(finished)
    with forecast_of(study) as (forecast, stored):
        foresee(forecast, stored)
        propose(forecast, stored, 60.0)
    assert everything_in(finished) == before
    fresh = tiny(tmp_path / "fresh")
    with forecast_of(fresh) as (forecast, stored):
        foresee(forecast, stored)
    assert list(everything_in(tmp_path / "fresh")) == ["tiny.toml"]


def test_what_a_run_would_refuse_is_refused(finished: Path) -> None:
    with (
        pytest.raises(ChangedError, match=r"`training\.epochs` must stay as it was"),
        forecast_of(tiny(finished, "training.epochs=3")),
    ):
        pass
    study = tiny(finished)
    with (
        pytest.raises(StoreError, match="must belong to the database at hand"),
        open_forecast(
            study,
            time.monotonic(),
            n_workers=1,
            executor_factory=Inline,
            progress=Silent(),
            storage=f"sqlite:///{finished}/other.db",
        ),
    ):
        pass
    assert not (finished / "other.db").exists()
