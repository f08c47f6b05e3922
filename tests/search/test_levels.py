"""Where fine's best lies at an end of its computed box, one further level goes on from there, and only one."""

import shutil
from pathlib import Path

import pytest

from bnsearch.errors import UsageError
from bnsearch.search import choose
from bnsearch.search.live import View
from bnsearch.search.progress import Silent
from bnsearch.search.space import narrow
from bnsearch.search.stages import reset, status
from bnsearch.search.study_file import Study
from bnsearch.search.tables import Range
from bnsearch.search.trials import finished as trials_over
from tests.search.helpers import attrs_of, record, run, stored, tiny, trials_of, without_look

BRIEF = ("training.epochs=1", "coarse.trials=2", "fine.trials=1")  # the best of one trial lies at every end


class AtTheEnd(Silent):
    """Stops when a study's last value has been told."""

    def __init__(self, study: str):
        self.study, self.doing = study, ""

    def begin(self, what: str, total: float | None = None) -> None:
        self.doing = what

    def end(self) -> None:
        if self.doing == self.study:
            raise KeyboardInterrupt


class AtTheStart(AtTheEnd):
    """Stops when a study's trials have been entered, and none has been trained."""

    def show(self, view: View) -> None:
        self.end()


def test_a_further_level_searches_the_box_around_the_tied_trials_of_fine(whole: Study) -> None:
    fine, further = attrs_of(whole, "fine"), attrs_of(whole, "fine2")
    with stored(whole) as store:
        trials = trials_over(store.load("fine").get_trials())
    ties = choose.tie_set(trials)
    box = narrow({name: Range(**r) for name, r in fine["space"].items()}, [t.params for t in ties.tied], len(trials))
    assert further["space"] == {name: r.model_dump() for name, r in box.space.items()}
    assert further["edges"] == [vars(edge) for edge in box.edges]
    assert further["parent"]["study"] == "tiny.fine"
    assert further["parent"]["tied"] == [t.number for t in ties.tied]
    assert (further["setup"], further["task"], further["total"]) == (fine["setup"], fine["task"], fine["total"])
    (edge,) = fine["verdict"]["unresolved_edges"]
    assert (edge["name"], edge["side"]) == ("l2", "low")
    assert further["space"]["l2"]["low"] < fine["space"]["l2"]["low"]
    for t in trials_of(whole, "fine2"):
        assert all(box.space[name].low <= value <= box.space[name].high for name, value in t.params.items())
    own, before = ([t.params for t in trials_of(whole, level)] for level in ("fine2", "fine"))
    assert not [params for params in own if params in before]


def test_only_one_further_level_is_run_and_its_edge_stays_unresolved(tmp_path: Path) -> None:
    study = tiny(tmp_path, *BRIEF)
    assert run(study, "coarse", "fine", "fine") == [True, True, False]
    assert attrs_of(study, "fine2")["verdict"]["unresolved_edges"]
    with stored(study) as store:
        assert [row["stage"] for row in status(store, "tiny")] == ["coarse", "fine", "fine2"]
    assert run(tiny(tmp_path, *BRIEF[:2], "fine.trials=2"), "fine") == [True]
    assert [len(trials_of(study, level)) for level in ("fine", "fine2")] == [1, 2]


@pytest.mark.parametrize(
    ("overrides", "hard_limit"),
    [
        ((*BRIEF, "fine.space={l2={low=1e-7, high=1e-6}}"), False),
        (("training.epochs=1", "seed=2"), True),  # its best lies at λ = 1
    ],
    ids=["in a space of its own", "at a hard limit"],
)
def test_no_further_level(overrides: tuple[str, ...], hard_limit: bool, tmp_path: Path) -> None:
    study = tiny(tmp_path, *overrides)
    run(study, "coarse", "fine")
    edges = attrs_of(study, "fine")["verdict"]["unresolved_edges"]
    assert {edge["hard_limit"] for edge in edges} == {hard_limit}
    with stored(study) as store:
        assert store.load("fine2") is None
    assert run(study, "confirm") == [True]


def test_a_larger_total_is_the_last_levels(finished: Path, whole: Study, tmp_path: Path) -> None:
    study = tiny(finished, "fine.trials=7")
    before = record(study)
    assert run(study, "coarse", "fine") == [False, True]
    after = record(study)
    assert (after["coarse"], after["fine"]) == (before["coarse"], before["fine"])
    assert after["fine2"][0][:4] == before["fine2"][0]
    assert len(after["fine2"][0]) == 7
    assert run(study, "fine") == [False]
    assert run(tiny(finished, "fine.trials=5"), "fine") == [False]
    assert record(study) == after


@pytest.mark.parametrize("stop", [AtTheEnd("tiny.fine"), AtTheStart("tiny.fine"), AtTheStart("tiny.fine2")])
def test_a_larger_total_after_a_stop_takes_the_same_course(stop: AtTheEnd, tmp_path: Path) -> None:
    """The first request is brought to its end, the further level among it, before the second is."""
    stopped, straight = tiny(tmp_path / "stopped"), tiny(tmp_path / "straight")
    run(straight, "coarse")
    shutil.copytree(straight.folder, stopped.folder, dirs_exist_ok=True)
    run(straight, "fine")
    run(tiny(tmp_path / "straight", "fine.trials=6"), "fine")
    with pytest.raises(KeyboardInterrupt):
        run(stopped, "fine", progress=stop)
    run(tiny(tmp_path / "stopped", "fine.trials=6"), "fine")
    assert [len(trials_of(stopped, level)) for level in ("fine", "fine2")] == [4, 6]
    assert record(stopped) == record(straight)


@pytest.mark.parametrize(
    ("stop", "why"),
    [
        (AtTheEnd("tiny.fine"), r"the further level .* tiny\.fine asks for has not been run"),
        (AtTheStart("tiny.fine2"), r"tiny\.fine2 is not finished"),
    ],
)
def test_confirm_waits_for_the_further_level(stop: AtTheEnd, why: str, tmp_path: Path) -> None:
    study = tiny(tmp_path, *BRIEF)
    run(study, "coarse")
    with pytest.raises(KeyboardInterrupt):
        run(study, "fine", progress=stop)
    with pytest.raises(UsageError, match=rf"needs a finished fine stage, but {why}: run `bnsearch fine \S*tiny\.toml`"):
        run(study, "confirm")
    assert run(study, "fine", "confirm") == [True, True]


def test_trainings_of_all_levels_count_for_the_number_of_finalists(tmp_path: Path) -> None:
    study = tiny(tmp_path, "training.epochs=1", "coarse.trials=20", "fine.trials=3", "seed=4")
    run(study, "coarse", "fine", "confirm")
    assert len(trials_of(study, "fine2")) == 3
    finalists = attrs_of(study, "confirm")["finalists"]
    assert len([f for f in finalists if not f["default"]]) == 3  # of 26 trainings; 23 would give two


def test_reset_from_fine_and_run_again(finished: Path) -> None:
    study = tiny(finished)
    before = record(study)
    with stored(study) as store:
        assert reset(study, store, "fine") == ["tiny.fine", "tiny.fine2", "tiny.confirm", "tiny.final"]
    assert run(study, "fine", "final") == [True, True]
    assert without_look(record(study)) == without_look(before)


def test_status_shows_the_further_level(whole: Study) -> None:
    with stored(whole) as store:
        rows = {row["stage"]: row for row in status(store, "tiny")}
    assert rows["fine"]["followed_by"] == "fine2"
    assert rows["fine2"]["followed_by"] is None
    assert rows["fine2"]["best"]["value"] == max(t.value for t in trials_of(whole, "fine2"))
