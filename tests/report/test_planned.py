"""A plan and what a budget left out, on terminals of the usual widths."""

import io
from typing import Any

import pytest
from rich.console import Console

from bnsearch.report.planned import left_out_report, plan_report
from bnsearch.report.words import duration
from tests.report.rows import COARSE, FINE, changed

RESOLVES = {"difference": 0.01189, "finalists": 5, "repeats": 5, "n_valid": 5000}
COMMAND = (
    "bnsearch run mine --set coarse.trials=44 --set fine.trials=44 --set confirm.repeats=7 --workers 2 --set a.b=1"
)
PROPOSAL = {
    "budget_seconds": 1800.0,
    "fits": True,
    "set": {"coarse.trials": 44, "fine.trials": 44, "confirm.repeats": 7},
    "rungs": {"coarse.rungs": [0.25, 0.5]},
    "seconds": 1602.4,
    "resolves": RESOLVES | {"repeats": 7},
    "command": COMMAND,
    "written": None,
}


def stage(name: str, finished: int, trials: int, seconds: float, *rungs: int) -> dict[str, Any]:
    return {
        "stage": name,
        "finished": finished,
        "trials": trials,
        "steps": 9000 * trials,
        "rungs": list(rungs),
        "seconds": seconds,
    }


PLAN: dict[str, Any] = {
    "study": "mine",
    "workers": 2,
    "stages": [
        stage("coarse", 40, 0, 0.0),
        stage("fine", 0, 40, 754.2, 2250, 4500),
        stage("confirm", 0, 25, 605.0),
        stage("final", 0, 5, 8.26),
    ],
    "seconds": 1369.0,
    "further_seconds": 754.2,
    "resolves": RESOLVES,
    "not_foreseen": None,
    "proposal": None,
}


@pytest.fixture(params=[80, 100, 120])
def console(request: pytest.FixtureRequest) -> Console:
    return Console(file=io.StringIO(), width=request.param)


def lines(console: Console) -> list[str]:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def words(console: Console) -> str:
    return " ".join(" ".join(lines(console)).split())


def test_a_plan(console: Console) -> None:
    plan_report(PLAN, console)
    rows = [line.split() for line in lines(console)]
    assert ["coarse", "40", "0", "0", "finished"] in rows
    assert ["fine", "0", "40", "360,000", "2250,", "4500", "12", "min", "34", "s"] in rows
    assert ["final", "0", "5", "45,000", "8.3", "s"] in rows
    assert "In all about 22 min 49 s on 2 workers" in words(console)
    assert "up to 12 min 34 s more where fine's best lies at an end" in words(console)
    assert "resolve differences of about 1.2 points (5 finalists, 5 repeats, n_valid = 5,000)" in words(console)
    assert "…" not in words(console), "nothing is cut off"


def test_one_worker_and_nothing_to_confirm(console: Console) -> None:
    plan_report(PLAN | {"workers": 1, "resolves": None, "further_seconds": 0.0}, console)
    assert words(console).endswith("on 1 worker")


def test_a_finished_study(console: Console) -> None:
    plan_report(PLAN | {"seconds": 0.0, "stages": [stage("final", 5, 0, 0.0)], "resolves": None}, console)
    assert words(console).endswith("In all every stage is finished: nothing is left to do")


def test_what_fits_into_a_budget(console: Console) -> None:
    plan_report(PLAN | {"proposal": PROPOSAL}, console)
    budget = "coarse.trials = 44, fine.trials = 44, confirm.repeats = 7: about 26 min 42 s of 30 min 0 s"
    assert budget in words(console)
    assert "rungs at 25 % and 50 % of a training in coarse" in words(console)
    assert "(5 finalists, 7 repeats" in words(console)
    assert COMMAND in lines(console), "in one piece, to be pasted"


def test_what_was_written(console: Console) -> None:
    plan_report(PLAN | {"proposal": PROPOSAL | {"written": "mine-30m.toml"}}, console)
    assert "Written mine-30m.toml" in words(console)


def test_nothing_is_left_to_choose(console: Console) -> None:
    proposal = PROPOSAL | {"set": {}, "rungs": {}, "resolves": None}
    plan_report(PLAN | {"proposal": proposal}, console)
    assert "it all fits, and nothing is left to choose" in words(console)


def test_not_even_the_least_fits(console: Console) -> None:
    least = {"coarse.trials": 3, "fine.trials": 3, "confirm.repeats": 2}
    proposal = PROPOSAL | {"fits": False, "set": least, "seconds": 190.0, "budget_seconds": 60.0, "command": None}
    plan_report(PLAN | {"proposal": proposal}, console)
    assert "must be at least about 3 min 10 s, which the least takes (coarse.trials = 3, " in words(console)
    assert "but got 1 min 0 s" in words(console)
    assert "bnsearch run" not in words(console)


@pytest.mark.parametrize(("left", "shown"), [(31.0, "31.0 s"), (-2.0, "none")])
def test_what_was_left_out(left: float, shown: str, console: Console) -> None:
    fine = changed(FINE, trials__complete=3, verdict=None)
    outcome = {"left_out": ("fine", "confirm", "final"), "seconds_needed": 100.0, "seconds_left": left}
    left_out_report([COARSE, fine], outcome, "sqlite:///mine.db", "bnsearch report mine --open", console)
    assert "Coarse" in words(console)
    assert "Database sqlite:///mine.db Report bnsearch report mine --open" in words(console)
    assert f"Left out fine, confirm, final: about 1 min 40 s more, of which {shown} was left; run again" in words(
        console
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (8.26, "8.3 s"), (59.9, "59.9 s"), (125.0, "2 min 5 s"), (11_520.0, "3 h 12 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
