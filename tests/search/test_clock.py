"""A wall clock that is set back in the middle of a search changes nothing but the times that are written down."""

import datetime
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bnsearch.search import schedule
from bnsearch.search.setups import STAGES
from bnsearch.search.study_file import Study
from tests.search.helpers import TENFOLD, Heard, files, record, run, tiny, trials_of

REAL, REAL_TIME = datetime.datetime, time.time
DAY_SECONDS = 86_400.0


class Clock(Heard):
    """Goes back by a day at every second piece of news, and forward again at the others."""

    behind = 0.0

    def show(self, view: Any) -> None:
        Clock.behind = DAY_SECONDS - Clock.behind


class Shifted(REAL):
    """What everybody takes for `datetime.datetime`."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return REAL.now(tz) - datetime.timedelta(seconds=Clock.behind)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    users = [
        module
        for name, module in sys.modules.items()
        if name.startswith(("bnsearch", "optuna")) and vars(module).get("datetime") is REAL
    ]
    assert any(module.__name__.startswith("optuna.storages") for module in users)
    for module in users:
        monkeypatch.setattr(module, "datetime", Shifted)
    monkeypatch.setattr(time, "time", lambda: REAL_TIME() - Clock.behind)
    return Clock()


def test_a_clock_that_is_set_back_a_day(
    clock: Clock, whole: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "CALL_SECONDS", TENFOLD)  # so many pieces of news that trials end a day earlier
    study = tiny(tmp_path)
    assert run(study, *STAGES, progress=clock) == [True] * 4
    assert not clock.lines
    trials = trials_of(study, "coarse") + trials_of(study, "fine")
    durations = [(t.datetime_complete - t.datetime_start).total_seconds() for t in trials]
    assert min(durations) < -DAY_SECONDS / 2, "else the clock was not theirs"
    assert all(0.0 <= t.user_attrs["wall_seconds"] < 1000.0 for t in trials)
    assert record(study) == record(whole)
    assert files(study) == files(whole)
