"""Tables hold the numbers, and nothing is cut off at the width of a usual terminal."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from bnsearch.report.text import best_trials, finalists, how_to_see, run_report, stage_report, status_report
from tests.report.rows import COARSE, CONFIRM, FINAL, FINE, FINE2, VERDICT, Row, changed, finalist

ROWS = [COARSE, FINE, CONFIRM, FINAL]
DATABASE = "sqlite:///studies/mine.db"
SEEN = "bnsearch report mine --open"
PAGE = Path("studies/mine/report.html"), SEEN


class Screen:
    """A terminal without colours."""

    def __init__(self, width: int):
        self.file = io.StringIO()
        self.console = Console(file=self.file, width=width)

    @property
    def text(self) -> str:
        """What stands on it."""
        return self.file.getvalue()

    def lines(self) -> list[list[str]]:
        """The words of each line."""
        return [line.split() for line in self.text.splitlines()]


@pytest.fixture(params=[80, 100])
def screen(request: pytest.FixtureRequest) -> Screen:
    return Screen(request.param)


def test_best_trials(screen: Screen) -> None:
    screen.console.print(best_trials([COARSE, changed(FINE, top=FINE["top"][1:])]))
    assert ["stage", "trial", "l2", "λ", "learning_rate", "η", "accuracy"] in screen.lines()
    assert ["coarse", "4", "0.000158", "0.164", "99.58", "%"] in screen.lines()
    assert ["0", "0.001", "0.1", "98.75", "%"] in screen.lines()
    assert ["fine", "0", "0.001", "0.1", "98.75", "%"] in screen.lines()


def test_best_trials_with_momentum(screen: Screen) -> None:
    """A parameter that only one of the stages searched leaves the other's cells empty."""
    params = {"l2": 1.2345678e-05, "learning_rate": 0.12345678, "momentum": 0.98765432}
    fine = changed(FINE, top=[{"trial": 12, "value": 1.0, "params": params}])
    screen.console.print(best_trials([COARSE, fine]))
    assert ["coarse", "4", "0.000158", "0.164", "99.58", "%"] in screen.lines()
    assert ["fine", "12", "1.23e-05", "0.123", "0.988", "100.00", "%"] in screen.lines()
    assert "…" not in screen.text


def test_finalists(screen: Screen) -> None:
    screen.console.print(finalists(VERDICT))
    assert ["fine", "30", "0.00167", "98.50", "%", "chosen"] in screen.lines()
    assert ["default", "0.00333", "98.30", "%", "0.20", "-0.15", "…", "0.55", "tied"] in screen.lines()
    assert ["fine", "32", "0.005", "97.90", "%", "0.60", "0.25", "…", "0.95", "worse"] in screen.lines()
    assert "momentum" not in screen.text, "what all finalists share has no column"
    assert "5 repeats" in screen.text


def test_finalists_that_differ_in_everything(screen: Screen) -> None:
    params = {"l2": 1.2345678e-05, "learning_rate": 0.012345678, "momentum": 0.98765432}
    last = finalist(1, 0.8, stage="coarse", trial=23, params=params, difference_interval=[-0.1234, 0.1234])
    screen.console.print(finalists(changed(VERDICT, finalists=[finalist(0, 0.985), last])))
    assert "coarse 23  1.23e-05  0.0123     0.988  80.00 %   18.50  -12.34 … 12.34  tied" in screen.text
    assert "…" not in screen.text.replace(" … ", "")


def test_finalists_without_an_interval(screen: Screen) -> None:
    """With two finalists of which one diverged there is no error to estimate."""
    screen.console.print(finalists(changed(VERDICT, finalists=[finalist(0, 0.985)])))
    words = next(line for line in screen.lines() if line[:2] == ["fine", "30"])
    assert words[-3:] == ["98.50", "%", "chosen"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (COARSE, ["Best trials", "99.58 %", "Coarse"]),
        (FINE, ["Best trials", "Fine"]),
        (CONFIRM, ["Finalists", "Chosen"]),
        (FINAL, ["Test", "98.56 %", "mine/models/final-1.safetensors (and 1 more beside it)"]),
    ],
)
def test_stage_report(screen: Screen, row: Row, words: list[str]) -> None:
    stage_report([row], True, DATABASE, SEEN, screen.console)
    for word in (*words, DATABASE, SEEN):
        assert word in screen.text
    assert "nothing to do" not in screen.text


def test_stage_report_of_a_finished_stage(screen: Screen) -> None:
    stage_report([COARSE], False, DATABASE, SEEN, screen.console)
    assert screen.text.startswith("mine.coarse is finished (24 trials): nothing to do.\n")
    assert "99.58 %" in screen.text


def test_stage_report_of_two_levels(screen: Screen) -> None:
    stage_report([FINE, FINE2], False, DATABASE, SEEN, screen.console)
    assert "mine.fine is finished (24 trials),\nmine.fine2 is finished (24 trials): nothing to do.\n" in screen.text
    assert [line[0] for line in screen.lines() if line[-2:] == ["99.58", "%"]] == ["fine", "fine2"]
    assert ["Fine2", "24", "trials"] in [line[:3] for line in screen.lines()]


def test_run_report(screen: Screen) -> None:
    run_report("mine", ROWS, DATABASE, Path("studies/mine"), PAGE, True, screen.console)
    for words in (
        "Best trials",
        "Finalists",
        "Coarse ",
        "Fine ",
        "Chosen ",
        "Test ",
        "studies/mine/curves",
        *map(str, PAGE),
    ):
        assert words in screen.text
    assert ["Browse", "bnsearch", "dashboard", "mine"] in screen.lines()
    assert "nothing to do" not in screen.text


def test_run_report_names_a_database_that_lies_elsewhere(screen: Screen) -> None:
    run_report("mine", ROWS, "sqlite:///other.db", Path("studies/mine"), PAGE, True, screen.console)
    assert ["Browse", "bnsearch", "dashboard", "mine", "--storage", "sqlite:///other.db"] in screen.lines()


def test_run_report_of_a_finished_study(screen: Screen) -> None:
    run_report("mine", ROWS, DATABASE, Path("studies/mine"), PAGE, False, screen.console)
    assert screen.text.startswith("Every stage of mine is finished: nothing to do.\n")


def test_run_report_of_a_fixed_setting(screen: Screen) -> None:
    """Then there was nothing to confirm."""
    run_report("mine", [COARSE, FINE, FINAL], DATABASE, Path("studies/mine"), PAGE, True, screen.console)
    assert "Finalists" not in screen.text


def test_status_report(screen: Screen) -> None:
    look = {"at": "2030-01-02T03:04:05+00:00", "purpose": "mine.final: 5 networks", "refused": None}
    refused = look | {"at": "2030-01-01T03:04:05+00:00", "refused": "The test rows must stay as they were."}
    rows = [changed(COARSE, total=40, trials__running=16), *ROWS[1:-1], changed(FINAL, looks=[refused, look])]
    status_report("mine", rows, SEEN, screen.console)
    assert ["coarse", "24", "0", "0", "16", "40", "99.58", "%"] in screen.lines()
    assert ["confirm", "15", "0", "0", "0", "15", "98.41", "%"] in screen.lines()
    assert ["final", "2", "0", "0", "0", "2", "test", "98.56", "%"] in screen.lines()
    assert "unfinished: 24 of 40 trials" in screen.text
    assert "1 look at the test set" in screen.text
    assert SEEN in screen.text
    assert "2030-01-02T03:04:05+00:00  mine.final: 5 networks" in screen.text
    assert "2030-01-01T03:04:05+00:00  mine.final: 5 networks, refused" in screen.text


def test_status_report_without_a_look(screen: Screen) -> None:
    status_report("mine", [changed(COARSE, best=None, verdict=None, trials__complete=0)], SEEN, screen.console)
    assert ["coarse", "0", "0", "0", "0", "24"] in screen.lines()
    assert "0 looks at the test set" in screen.text


def test_status_report_of_nothing(screen: Screen) -> None:
    status_report("mine.toml", [], SEEN, screen.console)
    assert screen.text == "mine.toml has not been run yet: bnsearch run mine.toml\n"


def test_what_looks_like_markup_is_shown_as_it_is(screen: Screen) -> None:
    stage_report([FINAL], True, "sqlite:////data/[bold]/mine.db", SEEN, screen.console)
    assert "sqlite:////data/[bold]/mine.db" in screen.text
    status_report("[red]mine.toml", [], SEEN, screen.console)
    assert "[red]mine.toml has not been run yet" in screen.text
    status_report("[red]mine.toml", ROWS, SEEN, screen.console)
    assert "Study [red]mine.toml" in screen.text


def test_lines_fit_a_terminal_of_80_columns() -> None:
    screen = Screen(80)
    run_report("mine", ROWS, DATABASE, Path("studies/mine"), PAGE, True, screen.console)
    status_report("mine", ROWS, SEEN, screen.console)
    wide = Screen(1000)
    run_report("mine", ROWS, DATABASE, Path("studies/mine"), PAGE, True, wide.console)
    status_report("mine", ROWS, SEEN, wide.console)
    assert len(screen.text.splitlines()) == len(wide.text.splitlines()), "no line is wrapped"


def test_the_command_that_shows_the_page_names_the_database_where_it_is_not_the_usual_one() -> None:
    assert how_to_see("mine", None) == "bnsearch report mine --open"
    assert how_to_see("my own.toml", "sqlite:///a b.db") == (
        "bnsearch report 'my own.toml' --storage 'sqlite:///a b.db' --open"
    ), "as a shell takes it"
    assert how_to_see("mine", "sqlite:///other.db") == "bnsearch report mine --storage sqlite:///other.db --open"


def test_a_study_of_which_only_looks_are_left_has_no_page(screen: Screen) -> None:
    rest = changed(FINAL, result=None, best=None, total=0, trials=dict.fromkeys(FINAL["trials"], 0))
    status_report("mine", [rest], SEEN, screen.console)
    assert "Ledger" in screen.text
    assert SEEN not in screen.text
