"""Notes, findings and curves for the dashboard: written while stages run, of the best trials alone, once."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from optuna_dashboard import get_note
from optuna_dashboard._note import get_note_from_system_attrs
from optuna_dashboard.artifact._backend import list_trial_artifacts

from bnsearch.search.artifacts import artifact_folder
from bnsearch.search.presenting import Words, presenter
from bnsearch.search.progress import Silent
from bnsearch.search.session import open_session
from bnsearch.search.stages import reset, run_stage, status
from bnsearch.search.study_file import Study
from tests.search.helpers import Inline, files, record, stored, tiny, trials_of

N_BEST = 5


def said(row: Mapping[str, Any]) -> list[str]:
    return [f"{row['stage']}: {row['trials']['complete']} of {row['total']}"]


WORDS = Words(
    findings=said,
    note=lambda study, row, attrs, picture: f"{study.name}: {said(row)[0]}, seed {attrs['seed']}\n![]({picture})\n",
    trial_note=lambda study, trial, picture: f"{trial.level} {trial.number} {picture}",
    picture=lambda trial, curve: f"<svg>{trial.level} {trial.number}: {len(curve)} points</svg>",
)


def run(study: Study, *stages: str, words: Words = WORDS) -> None:
    for stage in stages:
        with open_session(
            study, n_workers=1, executor_factory=Inline, progress=Silent(), present=presenter(words)
        ) as session:
            run_stage(session, stage)  # type: ignore[arg-type]


def system_attrs(study: Study, level: str) -> dict[str, Any]:
    with stored(study) as store:
        found = store.load(level)
        return dict(store.storage.get_study_system_attrs(found._study_id))


def artifacts(study: Study, level: str) -> dict[int, list[str]]:
    """Names of the files of each trial that has some, as the dashboard finds them."""
    attrs = system_attrs(study, level)
    found = {t.number: list_trial_artifacts(attrs, {}, t) for t in trials_of(study, level)}
    return {number: sorted(meta["filename"] for meta in metas) for number, metas in found.items() if metas}


def best(study: Study, level: str) -> list[int]:
    trials = sorted(trials_of(study, level), key=lambda t: (-t.value, t.user_attrs["valid_loss"], t.number))
    return [t.number for t in trials][:N_BEST]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Study:
    study = tiny(tmp_path_factory.mktemp("shown"), "coarse.trials=7", "training.epochs=2")
    run(study, "coarse", "fine", "confirm", "final")
    return study


def test_each_study_has_its_note_and_findings(shown: Study) -> None:
    with stored(shown) as store:
        for level in ("coarse", "fine", "confirm", "final"):
            found = store.load(level)
            n = len(found.trials)
            assert found.user_attrs["findings"] == [f"{level}: {n} of {n}"]
            assert get_note(found).startswith(f"tiny: {level}: {n} of {n}, seed 6\n")
            assert found.metric_names == ["test accuracy" if level == "final" else "validation accuracy"]


def test_the_best_trials_have_their_curve_as_picture_and_table(shown: Study) -> None:
    for level in ("coarse", "fine"):
        names = {n: [f"{level}-{n:05d}.csv", f"{level}-{n:05d}.svg"] for n in sorted(best(shown, level))}
        assert artifacts(shown, level) == names


def test_in_confirm_the_winners_trials_are_shown_and_in_final_all(shown: Study) -> None:
    winners = [t.number for t in trials_of(shown, "confirm") if t.user_attrs["finalist"] == verdict(shown)["winner"]]
    assert list(artifacts(shown, "confirm")) == winners
    assert list(artifacts(shown, "final")) == [0, 1]


def verdict(study: Study) -> Any:
    with stored(study) as store:
        return store.load("confirm").user_attrs["verdict"]


def test_files_are_what_they_are_said_to_be(shown: Study) -> None:
    attrs = system_attrs(shown, "coarse")
    number = best(shown, "coarse")[0]
    (trial,) = (t for t in trials_of(shown, "coarse") if t.number == number)
    by_kind = {meta["mimetype"]: meta["artifact_id"] for meta in list_trial_artifacts(attrs, {}, trial)}
    folder = artifact_folder(shown)
    assert (folder / by_kind["image/svg+xml"]).read_text() == f"<svg>coarse {number}: 2 points</svg>"
    curve = shown.results / "curves" / f"coarse-{number:05d}.csv"
    assert (folder / by_kind["text/csv"]).read_bytes() == curve.read_bytes()


def test_notes_show_the_pictures(shown: Study) -> None:
    attrs = system_attrs(shown, "coarse")
    for trial in trials_of(shown, "coarse"):
        note = get_note_from_system_attrs(attrs, trial._trial_id)["body"]
        metas = list_trial_artifacts(attrs, {}, trial)
        pictures = [meta["artifact_id"] for meta in metas if meta["mimetype"] == "image/svg+xml"]
        assert note.endswith(pictures[0]) if pictures else note == ""
        if trial.number == best(shown, "coarse")[0]:
            assert pictures[0] in get_note_from_system_attrs(attrs, None)["body"]


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """What is written to any database."""
    seen: list[str] = []

    def see(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.split()[0] in ("INSERT", "UPDATE", "DELETE"):
            seen.append(statement)

    sa.event.listen(sa.engine.Engine, "before_cursor_execute", see)
    yield seen
    sa.event.remove(sa.engine.Engine, "before_cursor_execute", see)


def test_nothing_is_written_twice(shown: Study, statements: list[str]) -> None:
    before = files(shown)
    run(shown, "coarse", "final")
    assert statements == []
    assert files(shown) == before


def test_what_is_shown_changes_no_result(shown: Study, tmp_path: Path) -> None:
    plain = tiny(tmp_path, "coarse.trials=7", "training.epochs=2")
    run(plain, "coarse", "fine", words=QUIET)
    for level in ("coarse", "fine"):
        (trials, attrs), (own, own_attrs) = record(plain, [level])[level], record(shown, [level])[level]
        assert trials == own
        assert attrs | {"findings": None} == own_attrs | {"findings": None}


QUIET = Words(lambda row: [], lambda *_: "", lambda *_: "", lambda *_: "")


def test_more_trials_change_what_is_shown(tmp_path: Path) -> None:
    study = tiny(tmp_path, "coarse.trials=6", "training.epochs=1", "coarse.rungs=[]")
    run(study, "coarse")
    first = set(artifacts(study, "coarse"))
    assert first == set(best(study, "coarse"))
    more = tiny(tmp_path, "coarse.trials=16", "training.epochs=1", "coarse.rungs=[]")
    run(more, "coarse", words=WORDS)
    assert set(artifacts(more, "coarse")) == set(best(more, "coarse")) != first
    attrs = system_attrs(more, "coarse")
    for trial in trials_of(more, "coarse"):
        has_note = bool(get_note_from_system_attrs(attrs, trial._trial_id)["body"])
        assert has_note == (trial.number in best(more, "coarse"))
    listed = {key.rpartition(":")[2] for key in attrs if key.startswith("dashboard:artifacts:")}
    assert listed == {path.name for path in artifact_folder(more).iterdir()}, "no file is left over"


def test_a_note_is_there_while_the_stage_runs(tmp_path: Path) -> None:
    study, seen = tiny(tmp_path, "coarse.trials=2", "training.epochs=1"), []

    class Look(Silent):
        def show(self, view: Any) -> None:
            if (study.folder / "tiny.db").exists():
                with stored(study) as store:
                    seen.append(get_note(store.load("coarse")))

    with open_session(
        study, n_workers=1, executor_factory=Inline, progress=Look(), present=presenter(WORDS)
    ) as session:
        run_stage(session, "coarse")
    assert any(note.startswith("tiny: coarse: 0 of 2") for note in seen)


def test_lost_files_are_made_anew_and_lost_curves_are_no_error(tmp_path: Path) -> None:
    study = tiny(tmp_path, "coarse.trials=2", "training.epochs=1")
    run(study, "coarse")
    folder = artifact_folder(study)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert len(before) == 4
    for path in folder.iterdir():
        path.unlink()
    run(study, "coarse")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    (study.results / "curves" / "coarse-00000.csv").unlink()
    run(study, "coarse")
    assert list(artifacts(study, "coarse")) == [1]


def test_reset_removes_the_files_of_what_it_deletes(tmp_path: Path) -> None:
    study = tiny(tmp_path, "coarse.trials=2", "fine.trials=2", "training.epochs=1")
    run(study, "coarse", "fine")
    n = len(list(artifact_folder(study).iterdir()))
    with stored(study) as store:
        reset(study, store, "fine")
    assert 4 == len(list(artifact_folder(study).iterdir())) < n


def test_stages_can_be_presented_by_themselves(shown: Study) -> None:
    """A row of one says what a row of all says."""
    with stored(shown) as store:
        rows = {row["stage"]: row for row in status(store, "tiny")}
        for name, row in rows.items():
            assert status(store, "tiny", names=[name]) == [row]


def test_what_someone_uploaded_stays(tmp_path: Path) -> None:
    study = tiny(tmp_path, "coarse.trials=2", "training.epochs=1")
    run(study, "coarse")
    theirs = json.dumps({"artifact_id": "abc-1", "filename": "mine.png", "mimetype": "image/png", "encoding": None})
    with stored(study) as store:
        found = store.load("coarse")
        trial = found.trials[0]
        key = f"dashboard:artifacts:{trial._trial_id}:abc-1"
        store.storage.set_study_system_attr(found._study_id, key, theirs)
    run(study, "coarse")
    assert "mine.png" in artifacts(study, "coarse")[0]
