"""A stage says when what it was built on has grown since, and goes on with what it was built on."""

from pathlib import Path

from bnsearch.search.stages import reset, status
from bnsearch.search.study_file import Study
from tests.search.helpers import attrs_of, record, run, stored, tiny


def notes(study: Study) -> dict[str, str]:
    """What is said of each stage that has something to say."""
    with stored(study) as store:
        return {row["stage"]: row["stale"] for row in status(store, study.called) if row["stale"]}


def test_a_chain_that_was_run_once_has_nothing_to_say(whole: Study) -> None:
    assert notes(whole) == {}


def test_coarse_has_grown_since_fine_was_made(finished: Path) -> None:
    study = tiny(finished, "coarse.trials=8")
    run(study, "coarse", "fine")
    assert notes(study) == {
        "fine": f"coarse has grown since fine was made (6 -> 8 trials): `bnsearch reset {study.called} --from fine` "
        f"takes the new ones in"
    }
    with stored(study) as store:
        reset(study, store, "fine")
    run(study, "fine", "confirm", "final")
    assert notes(study) == {}


def test_the_last_level_has_grown_since_confirm_was_made(finished: Path) -> None:
    study = tiny(finished, "fine.trials=5")
    before = record(study)
    assert run(study, "fine", "confirm", "final") == [True, False, False]
    assert notes(study) == {
        "confirm": f"fine2 has grown since confirm was made (4 -> 5 trials): `bnsearch reset {study.called} --from "
        f"confirm` takes the new ones in"
    }
    after = record(study)
    assert (after["confirm"], after["final"]) == (before["confirm"], before["final"])


def test_fine_has_gone_on_since_confirm_was_made(finished: Path) -> None:
    """A larger fine has found its best at an end."""
    study = tiny(finished)
    with stored(study) as store:
        store.load("confirm").set_user_attr("parent", {"study": "tiny.fine", "n_trials": 3})
    assert "fine has gone on to fine2 since confirm was made (4 trials): " in notes(study)["confirm"]


def test_a_space_of_its_own_does_not_depend_on_coarse(tmp_path: Path) -> None:
    own = ("training.epochs=1", "fine.space={l2={low=1e-3, high=1e-2}}", "fine.trials=1")
    run(tiny(tmp_path, *own, "coarse.trials=1"), "coarse", "fine")
    run(tiny(tmp_path, *own, "coarse.trials=2"), "coarse")
    assert notes(tiny(tmp_path, *own)) == {}


def test_confirm_has_grown_since_final_was_made(finished: Path) -> None:
    """More networks of final once took their expected accuracy from a verdict about another setting."""
    study = tiny(finished, "confirm.repeats=4", "final.repeats=3")
    before, built_on = attrs_of(study, "final"), attrs_of(study, "confirm")["verdict"]
    assert run(study, "confirm", "final") == [True, True]
    verdict, after = attrs_of(study, "confirm")["verdict"], attrs_of(study, "final")
    assert verdict["n_repeats"] == 4
    assert verdict["estimate"] != built_on["estimate"]  # else the test shows nothing
    assert len(after["result"]["models"]) == 3
    assert after["result"]["params"] == before["params"] == built_on["params"]
    assert after["result"]["valid_accuracy"] == built_on["estimate"]
    said = notes(study)
    other = ", and has another winner now" if verdict["winner"] != built_on["winner"] else ""
    assert said == {
        "final": f"confirm has grown since final was made (2 -> 4 repeats){other}: `bnsearch reset {study.called} "
        f"--from final` takes them in, with another look at the test set"
    }


def test_another_winner_of_confirm_is_said(finished: Path) -> None:
    study = tiny(finished)
    run(tiny(finished, "confirm.repeats=3"), "confirm")
    with stored(study) as store:
        confirm = store.load("confirm")
        verdict = confirm.user_attrs["verdict"]
        built_on = store.load("final").user_attrs["parent"]["finalist"]
        other = next(f["finalist"] for f in verdict["finalists"] if f["finalist"] != built_on)
        confirm.set_user_attr("verdict", verdict | {"winner": other})
    assert "(2 -> 3 repeats), and has another winner now: " in notes(study)["final"]
