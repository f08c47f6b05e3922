"""Every command, in this process and on a tiny study: what it prints, what it writes, what it leaves alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
import pytest

from bnsearch.cli import progress
from tests.cli.helpers import answer, invoke, written

STAGES = ["coarse", "fine", "confirm", "final"]


def trials(folder: Path, study: str, database: str = "tiny.db") -> list[optuna.trial.FrozenTrial]:
    with opened(folder / database) as storage:
        return optuna.load_study(study_name=study, storage=storage).trials


def attrs(folder: Path, study: str) -> dict[str, Any]:
    with opened(folder / "tiny.db") as storage:
        return optuna.load_study(study_name=study, storage=storage).user_attrs


@contextmanager
def opened(database: Path) -> Iterator[optuna.storages.RDBStorage]:
    storage = optuna.storages.RDBStorage(f"sqlite:///{database}")
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


def test_stage_by_stage_is_the_same_as_run(folder: Path, finished_once: Path) -> None:
    for stage in STAGES:
        result = invoke(stage, "tiny.toml", "--workers", "1")
        assert f"tiny.{stage}" in result.stderr
        assert "nothing to do" not in result.stdout
    for stage in STAGES:
        own, other = trials(folder, f"tiny.{stage}"), trials(finished_once, f"tiny.{stage}")
        assert [(t.params, t.value) for t in own] == [(t.params, t.value) for t in other]


def test_run_says_what_was_found_and_where_it_lies(finished: Path) -> None:
    output = (finished / "output.txt").read_text()
    for words in (
        "Best trials",
        "Finalists",
        "Coarse",
        "Fine",
        "Chosen",
        "Test",
        "look 1",
        "bnsearch dashboard tiny.toml",
    ):
        assert words in output
    for name in ("tiny.db", "tiny/curves/coarse-00000.csv", "tiny/models/final-1.safetensors"):
        assert name in written(finished)
        assert Path(name).parts[0] in output


@pytest.mark.parametrize("stage", STAGES)
def test_a_finished_stage_has_nothing_to_do(finished: Path, stage: str) -> None:
    before = answer("status", "tiny.toml")
    assert f"tiny.{stage} is finished" in invoke(stage, "tiny.toml").stdout
    assert answer("status", "tiny.toml") == before


def test_a_finished_run_has_nothing_to_do(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SHORT_SECONDS", 1e9)  # to read the data may take long
    result = invoke("run", "tiny.toml")
    assert "nothing to do" in result.stdout
    assert result.stderr == "Reading digits ...\n", "no stage is begun"
    assert len(trials(finished, "tiny.coarse")) == 4


def test_a_larger_total_adds_the_difference(finished: Path) -> None:
    before = trials(finished, "tiny.coarse")
    row = answer("coarse", "tiny.toml", "--trials", "7")
    assert row["trials"] == {"complete": 7, "pruned": 0, "failed": 0, "running": 0}
    after = trials(finished, "tiny.coarse")
    assert [(t.params, t.value) for t in after[:4]] == [(t.params, t.value) for t in before]
    assert "nothing to do" in invoke("coarse", "tiny.toml", "--trials", "5").stdout
    assert len(trials(finished, "tiny.coarse")) == 7


def test_more_repeats_add_the_difference(finished: Path) -> None:
    verdict = answer("confirm", "tiny.toml", "--repeats", "3")["verdict"]
    assert verdict["n_repeats"] == 3
    assert len(trials(finished, "tiny.confirm")) == 3 * len(verdict["finalists"])
    final = answer("final", "tiny.toml", "--repeats", "3")
    assert len(final["test_accuracy"]["per_seed"]) == len(final["models"]) == 3
    assert final["look"] == 2  # at the same test set again


def test_status_before_any_run_writes_nothing(folder: Path) -> None:
    assert answer("status", "tiny.toml") == []
    assert "has not been run yet: bnsearch run tiny.toml" in invoke("status", "tiny.toml").stdout
    assert [path.name for path in folder.iterdir()] == ["tiny.toml"]


def test_status_counts_trials_by_state(finished: Path) -> None:
    rows = answer("status", "tiny.toml")
    assert [row["stage"] for row in rows] == STAGES
    n_finalists = len(rows[2]["verdict"]["finalists"])
    for row, n in zip(rows, (4, 4, 2 * n_finalists, 2), strict=True):
        assert row["trials"] == {"complete": n, "pruned": 0, "failed": 0, "running": 0}
        assert 0.0 <= row["best"]["value"] <= 1.0
        assert {"l2", "learning_rate"} <= row["best"]["params"].keys()


def test_a_stage_that_has_become_stale_is_named_with_the_remedy(finished: Path) -> None:
    invoke("fine", "tiny.toml", "--trials", "5")
    words = "has grown since confirm was made (4 -> 5 trials): `bnsearch reset tiny.toml --from confirm`"
    for output in (invoke("status", "tiny.toml").stdout, invoke("run", "tiny.toml").stdout):
        assert words in " ".join(output.split())
    for rows in (answer("status", "tiny.toml"), answer("run", "tiny.toml")["stages"]):
        assert [row["stage"] for row in rows if row["stale"]] == ["confirm"]
        assert all(words in row["stale"] for row in rows if row["stage"] == "confirm")
    invoke("reset", "tiny.toml", "--from", "confirm")
    assert not any(row["stale"] for row in answer("run", "tiny.toml")["stages"])


def test_status_names_the_looks_at_the_test_set(finished: Path) -> None:
    output = invoke("status", "tiny.toml").stdout
    assert "1 look at the test set" in output
    assert "tiny.final: 2 networks" in output


def test_reset_deletes_a_stage_and_all_after_it(finished: Path) -> None:
    assert answer("reset", "tiny.toml", "--from", "confirm") == {"deleted": ["tiny.confirm", "tiny.final"]}
    *kept, final = answer("status", "tiny.toml")
    assert [row["stage"] for row in kept] == ["coarse", "fine"]
    assert (final["stage"], final["best"], set(final["trials"].values())) == ("final", None, {0})
    assert [look["purpose"] for look in final["looks"]] == ["tiny.final: 2 networks"], "a look stays written down"
    left = written(finished)
    assert "tiny/curves/fine-00000.csv" in left
    assert not [name for name in left if name.startswith(("tiny/curves/confirm", "tiny/curves/final", "tiny/models"))]
    assert "1 look at the test set" in invoke("status", "tiny.toml").stdout, "a look stays written down"


def test_reset_and_run_give_the_same_results_and_a_second_look(finished: Path) -> None:
    before = answer("run", "tiny.toml")
    assert "Deleted tiny.fine, tiny.confirm, tiny.final." in invoke("reset", "tiny.toml", "--from", "fine").stdout
    after = answer("run", "tiny.toml", "--workers", "2")
    assert (before.pop("look"), after.pop("look")) == (1, 2)
    told = before["stages"][-1]["findings"]
    before["stages"][-1]["findings"] = [line.replace("look 1 at", "look 2 at") for line in told]
    assert after == before


def test_run_as_json(finished: Path) -> None:
    result = answer("run", "tiny.toml")
    assert result == answer("final", "tiny.toml") | {"report": "tiny/report.html"}
    assert {"study", "params", "valid_accuracy", "test_accuracy", "confusion", "model", "database"} <= result.keys()
    assert result["study"] == "tiny"
    assert result["database"] == "sqlite:///tiny.db"


def test_what_was_found_is_said_alike_everywhere(finished: Path) -> None:
    """On the screen, to programs, and in the database, where the dashboard shows it."""
    rows = answer("status", "tiny.toml")
    shown = " ".join(invoke("run", "tiny.toml").stdout.split())
    for row, own in zip(rows, answer("run", "tiny.toml")["stages"], strict=True):
        assert 3 <= len(row["findings"]) <= 7
        assert own["findings"] == row["findings"]
        assert all(line in shown or line.replace(": ", " ", 1) in shown for line in row["findings"])
        assert attrs(finished, row["study"])["findings"] == row["findings"]


@pytest.mark.parametrize("stage", ["coarse", "fine", "confirm"])
def test_a_stage_as_json_is_its_row_of_status(finished: Path, stage: str) -> None:
    row = next(row for row in answer("status", "tiny.toml") if row["stage"] == stage)
    further = {"further": []} if stage == "fine" else {}
    assert answer(stage, "tiny.toml") == row | further | {"database": "sqlite:///tiny.db"}


def test_a_further_level_is_shown_beside_its_stage(folder: Path) -> None:
    """A single trial, and so the best, lies at every end of its box."""
    invoke("coarse", "tiny.toml", "--trials", "1", "--workers", "1")
    output = invoke("fine", "tiny.toml", "--trials", "1", "--workers", "1").stdout
    assert "Fine2" in output
    assert "unresolved" in output
    rows = {row["stage"]: row for row in answer("status", "tiny.toml")}
    assert list(rows) == ["coarse", "fine", "fine2"]
    assert answer("fine", "tiny.toml", "--trials", "1") == rows["fine"] | {
        "further": [rows["fine2"]],
        "database": "sqlite:///tiny.db",
    }
    assert len(trials(folder, "tiny.fine2")) == 1
    assert "tiny.fine, tiny.fine2" in invoke("reset", "tiny.toml", "--from", "fine").stdout


def test_seed(folder: Path, finished_once: Path) -> None:
    invoke("coarse", "tiny.toml", "--seed", "7", "--trials", "2")
    own, other = trials(folder, "tiny.coarse"), trials(finished_once, "tiny.coarse")
    assert own[0].params == other[0].params, "the first trial is the default setting, whatever the seed"
    assert own[0].value != other[0].value
    assert own[1].params != other[1].params


def test_storage_names_another_database(folder: Path) -> None:
    row = answer("coarse", "tiny.toml", "--trials", "1", "--storage", "sqlite:///other.db")
    assert row["database"] == "sqlite:///other.db"
    assert "other.db" in written(folder)
    assert "tiny.db" not in written(folder)
    assert answer("status", "tiny.toml") == []
    assert answer("status", "tiny.toml", "--storage", "sqlite:///other.db")[0]["total"] == 1
    assert answer("reset", "tiny.toml", "--from", "coarse", "--storage", "sqlite:///other.db") == {
        "deleted": ["tiny.coarse"]
    }


def test_set_overrides_keys(folder: Path) -> None:
    overrides = ("--set", "training.epochs=3", "--set", "coarse.trials=2", "--set", "coarse.sampler=sobol")
    invoke("coarse", "tiny.toml", *overrides)
    found = trials(folder, "tiny.coarse")
    assert len(found) == 2
    assert [sorted(trial.intermediate_values) for trial in found] == [[1, 2, 3], [1, 2, 3]]


def test_every_trial_lies_in_the_database_whole(finished: Path) -> None:
    for stage in STAGES:
        for trial in trials(finished, f"tiny.{stage}"):
            assert {"l2", "learning_rate"} <= trial.params.keys()
            assert trial.value is not None
            assert sorted(trial.intermediate_values) == [1, 2]


def test_help_of_every_command_has_an_example() -> None:
    assert "Examples:" in invoke("--help").stdout
    for command in (*STAGES, "run", "plan", "status", "show", "report", "dashboard", "reset"):
        assert f"Example: bnsearch {command} digits" in invoke(command, "--help").stdout
    assert "Example: bnsearch compare b17-speed" in invoke("compare", "--help").stdout
