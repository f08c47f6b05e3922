"""The chain coarse → fine → confirm → final on a tiny study: totals, refusals, what each stage may see and change."""

import csv
import dataclasses
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optuna.trial import TrialState

from bnsearch.core.evaluate import evaluation_moments
from bnsearch.core.run import State
from bnsearch.data.part import Part
from bnsearch.data.prepare import load_transform
from bnsearch.errors import ChangedError, SpaceError, StoreError, StudyFileError, UsageError
from bnsearch.model import fold, load_model
from bnsearch.search import choose, intervals, materials, running
from bnsearch.search.advance import Advance, advance
from bnsearch.search.executor import local_executor
from bnsearch.search.live import View
from bnsearch.search.plan import Configuration, build_run
from bnsearch.search.progress import Silent
from bnsearch.search.setups import STAGES, STUDIES
from bnsearch.search.space import narrow
from bnsearch.search.stages import reset, run_all, run_stage, stages_of, status
from bnsearch.search.study_file import Study
from bnsearch.search.tables import Range
from bnsearch.search.trials import finished as trials_over
from tests.helpers import TINY
from tests.search.helpers import (
    at_work,
    attrs_of,
    files,
    plan_of,
    record,
    run,
    stored,
    tiny,
    trials_of,
    without_look,
)

SEARCH = Part((0, 240), (240, 300))
DEFAULT = {"l2": 1e-3, "learning_rate": 0.1}


def trained_alone(study: Study, stage: str, part: Part, repeat: str, params: dict[str, float]) -> Advance:
    """One network of a stage, without session, database or cohort."""
    plan = plan_of(study, part, repeat, stage)
    return advance(plan, (Configuration(**{"momentum": 0.5, **params}),), None, plan.n_steps)


def measured(done: Advance) -> tuple[float, float]:
    assert done.outcome is not None
    assert done.outcome.valid_accuracy is not None
    assert done.outcome.valid_loss is not None
    return float(done.outcome.valid_accuracy[0]), float(done.outcome.valid_loss[0])


# ---- the whole chain


def test_every_stage_has_exactly_its_total(whole: Study) -> None:
    with stored(whole) as store:
        rows = status(store, "tiny")
    assert [row["stage"] for row in rows] == list(STUDIES)
    assert [row["total"] for row in rows] == [6, 4, 4, 6, 2]  # confirm: two of the last level and the default, twice
    for row in rows:
        assert row["trials"] == {"complete": row["total"], "pruned": 0, "failed": 0, "running": 0}
        assert row["best"] is not None


def test_a_finished_chain_has_nothing_to_do(finished: Path) -> None:
    study = tiny(finished)
    before, on_disk = record(study), files(study)
    assert run(study, *STAGES) == [False] * 4
    assert record(study) == before
    assert files(study) == on_disk


def test_what_is_missing_is_run_to_the_same_numbers(whole: Study, tmp_path: Path) -> None:
    study = tiny(tmp_path)
    run(study, "coarse", "fine", n_workers=1)
    assert run(study, "final", n_workers=5) == [True]  # a missing confirm first
    with at_work(study) as session:
        assert run_all(session) == dict.fromkeys(STAGES, False)
    assert record(study) == record(whole)
    assert files(study) == files(whole)


def test_worker_processes_give_the_same_chain(whole: Study, tmp_path: Path) -> None:
    study = tiny(tmp_path)
    with at_work(study, executor=lambda: local_executor(2)) as session:
        assert run_all(session) == dict.fromkeys(STAGES, True)
    assert record(study) == record(whole)
    assert files(study) == files(whole)


def test_another_seed_gives_another_search(whole: Study, tmp_path: Path) -> None:
    study = tiny(tmp_path, "seed=4")
    run(study, "coarse")
    own, other = trials_of(study, "coarse"), trials_of(whole, "coarse")
    assert own[0].params == other[0].params == DEFAULT
    assert own[0].user_attrs["valid_loss"] != other[0].user_attrs["valid_loss"]  # other weights and another order
    assert all(a.params != b.params for a, b in zip(own[1:], other[1:], strict=True))


def test_a_coarse_trial_is_the_accuracy_of_its_network_at_the_last_step(whole: Study) -> None:
    trials = trials_of(whole, "coarse")
    assert trials[0].params == DEFAULT
    for t in trials:
        done = trained_alone(whole, "coarse", SEARCH, "0", t.params)
        assert (t.value, t.user_attrs["valid_loss"]) == measured(done)
        curve = [float(r.valid_accuracy[0]) for r in done.records if r.valid_accuracy is not None]
        assert t.intermediate_values == dict(enumerate(curve, start=1))
        assert t.user_attrs["train_accuracy"] == float(done.outcome.train_accuracy[0])  # type: ignore[union-attr]
        assert t.user_attrs["wall_seconds"] >= 0


def test_curves_lie_beside_the_study(whole: Study) -> None:
    for stage, n in zip(STUDIES, (6, 4, 4, 6, 2), strict=True):
        assert len(list((whole.results / "curves").glob(f"{stage}-*.csv"))) == n
    with (whole.results / "curves" / "coarse-00002.csv").open() as file:
        rows = list(csv.DictReader(file))
    trial = trials_of(whole, "coarse")[2]
    assert [int(r["epoch"]) for r in rows] == [1, 2, 3, 4]
    assert [int(r["step"]) for r in rows] == [6, 12, 18, 24]
    assert [float(r["valid_accuracy"]) for r in rows] == list(trial.intermediate_values.values())
    assert not list((whole.results / "states").glob("*"))  # finished trials need none


# ---- totals


def test_a_stage_tells_what_computed_it_and_goes_on_under_other_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    little = ("coarse.trials=2", "training.epochs=1")
    run(tiny(tmp_path, *little), "coarse")
    made = attrs_of(tiny(tmp_path), "coarse")["software"]
    assert made["numpy"] == np.__version__
    assert set(made) == {"python", "numpy", "scipy", "optuna", "blas"}
    monkeypatch.setattr("bnsearch.search.session.software", lambda: made | {"numpy": "9.9"})
    assert run(tiny(tmp_path, *little, "coarse.trials=3"), "coarse") == [True]
    assert attrs_of(tiny(tmp_path), "coarse")["software"] == made, "of when it began"


def test_a_larger_total_adds_exactly_the_difference(finished: Path, whole: Study, tmp_path: Path) -> None:
    study = tiny(finished, "coarse.trials=9")
    before = record(study, ["coarse"])["coarse"][0]
    assert run(study, "coarse") == [True]
    after = record(study, ["coarse"])["coarse"][0]
    assert after[:6] == before
    assert [t[0] for t in after] == list(range(9))
    assert len({str(t[2]) for t in after}) == 9
    assert attrs_of(study, "coarse")["total"] == 9
    # the same sequence of totals elsewhere: the same trials
    again = tiny(tmp_path / "again")
    run(again, "coarse")
    run(tiny(tmp_path / "again", "coarse.trials=9"), "coarse", n_workers=1)
    assert record(again, ["coarse"]) == record(study, ["coarse"])


def test_a_smaller_total_takes_nothing_away(finished: Path) -> None:
    before = record(tiny(finished))
    assert run(tiny(finished, "coarse.trials=2", "confirm.repeats=2"), *STAGES) == [False] * 4
    assert record(tiny(finished)) == before


@pytest.mark.parametrize("sampler", ["sobol", "tpe"])
def test_other_samplers_enlarge_too(sampler: str, tmp_path: Path) -> None:
    for n in (3, 5):
        run(tiny(tmp_path, f"coarse.sampler={sampler}", f"coarse.trials={n}", "training.epochs=1"), "coarse")
    trials = trials_of(tiny(tmp_path), "coarse")
    assert [t.state for t in trials] == [TrialState.COMPLETE] * 5
    assert trials[0].params == DEFAULT
    assert len({str(t.params) for t in trials}) == 5


def test_tpe_proposes_sixteen_at_a_time_whatever_the_workers(tmp_path: Path) -> None:
    overrides = ("coarse.sampler=tpe", "coarse.trials=17", "training.epochs=1", "network.hidden=[2]")
    for n_workers in (1, 3):
        run(tiny(tmp_path / str(n_workers), *overrides), "coarse", n_workers=n_workers)
    one, three = (tiny(tmp_path / str(n), *overrides) for n in (1, 3))
    assert attrs_of(one, "coarse")["batches"] == [[0, 16], [16, 1]]
    assert record(one) == record(three)


GRID = ("coarse.sampler=grid", "coarse.space={learning_rate=[0.5, 0.05], l2=[1e-2, 1e-4, 0.0]}", "training.epochs=1")


def test_a_grid_is_trained_whole_without_the_default_and_may_be_enlarged(tmp_path: Path) -> None:
    run(tiny(tmp_path, *GRID, "coarse.trials=4"), "coarse")
    run(tiny(tmp_path, *GRID), "coarse")
    trials = trials_of(tiny(tmp_path), "coarse")
    expected = [(rate, l2) for rate in (0.5, 0.05) for l2 in (1e-2, 1e-4, 0.0)]
    assert [(t.params["learning_rate"], t.params["l2"]) for t in trials] == expected
    assert {t.state for t in trials} == {TrialState.COMPLETE}
    run(tiny(tmp_path, *GRID), "fine")
    assert {t.state for t in trials_of(tiny(tmp_path), "fine")} == {TrialState.COMPLETE}


def test_a_grid_that_holds_one_parameter_fixed_has_a_fine_stage(tmp_path: Path) -> None:
    study = tiny(
        tmp_path, "coarse.sampler=grid", "coarse.space={learning_rate=[0.3], l2=[1e-4, 1e-3, 1e-2]}", "coarse.trials=3"
    )
    run(study, "coarse", "fine")
    assert {t.params["learning_rate"] for t in trials_of(study, "fine")} == {0.3}


def test_more_repeats_of_confirm_add_whole_repeats(finished: Path) -> None:
    study = tiny(finished, "confirm.repeats=3")
    before = record(study)
    assert run(study, "confirm", "final") == [True, False]
    after = record(study)
    assert after["confirm"][0][:6] == before["confirm"][0]
    assert [t[5]["repeat"] for t in after["confirm"][0]] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert after["confirm"][1]["verdict"]["n_repeats"] == 3
    assert after["final"] == before["final"]


# ---- fine


def test_fine_searches_the_box_around_the_tied_trials(whole: Study) -> None:
    with stored(whole) as store:
        trials = trials_over(store.load("coarse").get_trials())
    ties = choose.tie_set(trials)
    space = {"l2": Range(low=1e-5, high=1e-1), "learning_rate": Range(low=1e-2, high=1.0)}
    box = narrow(space, [t.params for t in ties.tied], len(trials))
    attrs = attrs_of(whole, "fine")
    assert attrs["space"] == {name: r.model_dump() for name, r in box.space.items()}
    assert attrs["edges"] == [vars(edge) for edge in box.edges]
    assert attrs["parent"]["study"] == "tiny.coarse"
    assert attrs["parent"]["tied"] == [t.number for t in ties.tied] == attrs_of(whole, "coarse")["verdict"]["tied"]
    for t in trials_of(whole, "fine"):
        assert all(box.space[name].low <= value <= box.space[name].high for name, value in t.params.items())


def test_an_edge_is_never_silent(whole: Study) -> None:
    """The best of this study lies near two ends of coarse's ranges, and again near one that was extended."""
    attrs = attrs_of(whole, "fine")
    assert {(e["name"], e["side"]) for e in attrs["edges"]} == {("l2", "low"), ("learning_rate", "high")}
    assert attrs["space"]["l2"]["low"] < 1e-5
    assert attrs["space"]["learning_rate"]["high"] > 1.0
    assert [(e["name"], e["side"]) for e in attrs["verdict"]["unresolved_edges"]] == [("l2", "low")]


def test_enlarging_coarse_later_does_not_move_fine(finished: Path) -> None:
    space = attrs_of(tiny(finished), "fine")["space"]
    study = tiny(finished, "coarse.trials=12", "fine.trials=6")
    assert run(study, "coarse", "fine") == [True, True]
    assert attrs_of(study, "fine")["space"] == space
    assert attrs_of(study, "fine")["parent"] == attrs_of(tiny(finished), "fine")["parent"]
    for t in trials_of(study, "fine"):
        assert all(space[name]["low"] <= value <= space[name]["high"] for name, value in t.params.items())


def test_fine_may_be_given_a_space_of_its_own(tmp_path: Path) -> None:
    study = tiny(tmp_path, "fine.space.l2={low=1e-3, high=1e-2}", "training.epochs=1", "coarse.trials=1")
    run(study, "coarse", "fine")
    trials = trials_of(study, "fine")
    assert all(list(t.params) == ["l2"] and 1e-3 <= t.params["l2"] <= 1e-2 for t in trials)
    done = trained_alone(study, "fine", SEARCH, "0", DEFAULT | trials[0].params)  # the rest is the file's
    assert trials[0].value == measured(done)[0]


@pytest.mark.parametrize("stage", ["fine", "confirm", "final"])
def test_a_stage_refuses_to_start_before_its_parents(stage: str, tmp_path: Path) -> None:
    study = tiny(tmp_path)
    missing = "coarse" if stage == "fine" else "fine"
    with pytest.raises(
        UsageError, match=rf"needs a finished {missing} stage.*run `bnsearch {missing} \S*tiny\.toml` first"
    ):
        run(study, stage)
    with stored(study) as store:
        assert status(store, "tiny") == []


def test_fine_refuses_an_unfinished_coarse(tmp_path: Path) -> None:
    study = tiny(tmp_path)

    class Stopping(Silent):
        def show(self, view: View) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(study, "coarse", progress=Stopping())
    with pytest.raises(UsageError, match=r"tiny\.coarse is not finished: run `bnsearch coarse \S*tiny\.toml` first"):
        run(study, "fine")


# ---- a changed study

CHANGES = {
    # what changed, what the message names, the stages that notice
    "network.hidden=[9]": ("network.hidden", [8], [9]),
    "network.batch_norm=plain": ("network.batch_norm", "affine", "plain"),
    "training.l2=2e-3": ("training.l2", 0.001, 0.002),
    "training.epochs=5": ("training.epochs", 4, 5),
    "training.schedule={kind='cosine'}": ("training.schedule.final", None, 0.0),
    "data.train=[0, 239]": ("data.train", [0, 240], [0, 239]),
    "data.standardize=per-dimension": ("data.standardize", "center", "per-dimension"),
    "seed=4": ("seed", 6, 4),
}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("override", CHANGES)
def test_a_changed_study_is_refused_with_the_key_and_the_remedy(override: str, stage: str, whole: Study) -> None:
    key, old, new = CHANGES[override]
    with pytest.raises(ChangedError) as caught:
        run(tiny(whole.folder, override), stage)
    message = str(caught.value)
    # the change touches coarse too: to start again from a later stage would only end in coarse's refusal
    assert message.startswith(f"`{key}` must stay as it was when tiny.coarse was made ({old!r}), but is now {new!r}")
    assert "another name" in message
    assert f"`bnsearch reset {whole.called} --from coarse`" in message


def test_a_change_that_passes_coarse_by_names_fine(whole: Study) -> None:
    study = tiny(whole.folder, "training.epochs=5", "coarse.training.epochs=4")
    assert run(study, "coarse") == [False]
    with pytest.raises(ChangedError, match=r"`training\.epochs` .* tiny\.fine .* --from fine`"):
        run(study, "confirm")


@pytest.mark.parametrize(
    ("override", "stage", "key"),
    [
        ("coarse.sampler=sobol", "coarse", "coarse.sampler"),
        ("coarse.space.l2.high=0.5", "coarse", "coarse.space.l2.high"),
        ("coarse.space.momentum={low=0.1, high=0.9}", "coarse", "coarse.space.momentum"),
        ("fine.sampler=tpe", "fine", "fine.sampler"),
        ("fine.space.l2={low=1e-3, high=1e-2}", "fine", "fine.space"),
        ("fine.training.epochs=9", "fine", "training.epochs"),
        ("final.training.epochs=9", "confirm", "training.epochs"),
        ("final.train_on=train", "final", "final.train_on"),
        ("final.setting={l2=0.1}", "final", "final.setting"),
    ],
)
def test_a_stage_notices_what_concerns_it(override: str, stage: str, key: str, whole: Study) -> None:
    with pytest.raises(ChangedError, match=rf"^`{key}` must stay as it was when tiny\.{stage} .* --from {stage}`"):
        run(tiny(whole.folder, override), stage)


def test_what_does_not_change_the_numbers_may_change(finished: Path) -> None:
    study = tiny(finished, "coarse.trials=5", "fine.trials=3", "final.repeats=2")
    assert run(study, *STAGES, n_workers=7) == [False] * 4
    # what another stage does is not coarse's business
    assert run(tiny(finished, "fine.sampler=tpe", "final.repeats=9"), "coarse") == [False]


def test_changed_data_are_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 5)).astype(np.float32), np.arange(400) % 3
    np.savez(tmp_path / "own.npz", X=X, y=y)
    overrides = ("data.source=own.npz", "training.epochs=1", "coarse.trials=2")
    run(tiny(tmp_path, *overrides), "coarse")
    X[:, 0] += 1
    np.savez(tmp_path / "own.npz", X=X, y=y)
    with pytest.raises(ChangedError, match="`data_fingerprint` must stay as it was when"):
        run(tiny(tmp_path, *overrides), "coarse")


def test_impossible_rows_leave_nothing_behind(tmp_path: Path) -> None:
    for override, key in [
        ("data.valid=[1400, 1500]", r"`data\.valid` must lie within the 1437 training rows"),
        ("training.batch_size=241", r"`training\.batch_size` must be at most"),
        ("data.components=65", r"`data\.components` must be at most the 64 dimensions"),
    ]:
        with pytest.raises(StudyFileError, match=key):
            run(tiny(tmp_path, override), "coarse")
    assert [p.name for p in tmp_path.iterdir()] == ["tiny.toml"]


# ---- diverged trials

DIVERGING = (
    "coarse.sampler=grid",
    "coarse.space={l2=[1.0, 1e-3], learning_rate=[10.0, 0.1]}",  # λ = 1, η = 10: W grows 19-fold a step
    "fine.training.epochs=4",
)


def test_a_diverged_trial_fails_with_its_parameters_and_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "STATE_SECONDS", 0.0)
    study = tiny(tmp_path, *DIVERGING, "coarse.trials=4")
    assert run(study, "coarse") == [True]
    trials = trials_of(study, "coarse")
    bad = trials[0]
    assert bad.state == TrialState.FAIL
    assert bad.params == {"l2": 1.0, "learning_rate": 10.0}
    assert bad.user_attrs["diverged"] is True
    assert bad.user_attrs["diverged_step"] == 18
    assert bad.value is None
    assert all(np.isfinite(v) for v in bad.intermediate_values.values())
    assert (study.results / "curves" / "coarse-00000.csv").exists()
    assert not list((study.results / "states").glob("*"))
    with stored(study) as store:
        (row,) = status(store, "tiny")
        optuna_best = store.load("coarse").best_trial.number
    assert row["trials"] == {"complete": 3, "pruned": 0, "failed": 1, "running": 0}
    assert 0 not in [t["trial"] for t in row["top"]]
    assert row["best"]["trial"] == optuna_best != 0
    assert 0 not in row["verdict"]["tied"]
    assert run(study, "coarse") == [False]  # it counts to the total
    assert run(study, "fine") == [True]


def test_a_study_that_diverges_whole_says_what_to_do(tmp_path: Path) -> None:
    study = tiny(
        tmp_path, "coarse.sampler=grid", "coarse.space={l2=[0.9, 1.0], learning_rate=[10.0]}", "coarse.trials=2"
    )
    run(study, "coarse")
    assert {t.state for t in trials_of(study, "coarse")} == {TrialState.FAIL}
    assert attrs_of(study, "coarse")["verdict"]["best"] is None
    assert run(study, "coarse") == [False]
    with pytest.raises(SpaceError, match=r"none completed; widen or move `coarse\.space`"):
        run(study, "fine")


def test_a_default_that_diverges_is_left_out_of_confirms_comparison(tmp_path: Path) -> None:
    study = tiny(
        tmp_path,
        "coarse.trials=2",
        "fine.trials=2",
        "training.l2=1.0",
        "training.learning_rate=10.0",
        "coarse.space={l2={low=1e-5, high=1.0}, learning_rate={low=1e-2, high=10.0}}",
        "fine.space={l2={low=1e-4, high=1e-2}, learning_rate={low=0.05, high=0.3}}",
    )
    run(study, "coarse", "fine", "confirm")
    coarse, confirm = trials_of(study, "coarse"), trials_of(study, "confirm")
    assert coarse[0].state == TrialState.FAIL
    assert [t.user_attrs.get("diverged", False) for t in confirm] == [False, False, True] * 2
    verdict = attrs_of(study, "confirm")["verdict"]
    assert verdict["diverged"] == [2]
    assert [f["finalist"] for f in verdict["finalists"]] == [0, 1]
    assert verdict["default_separable"] is None
    assert verdict["optimism"] is None
    assert verdict["winner"] in (0, 1)
    assert run(study, "confirm", "final") == [False, True]


# ---- confirm


def test_finalists_are_the_best_of_all_levels_and_the_default(whole: Study) -> None:
    finalists = attrs_of(whole, "confirm")["finalists"]
    trials = [(level, t) for level in ("coarse", "fine", "fine2") for t in trials_of(whole, level)]
    best = sorted(trials, key=lambda one: (-one[1].value, one[1].user_attrs["valid_loss"]))[:2]
    assert [f["trial"] for f in finalists] == [*(t.number for _, t in best), 0]
    assert [f["stage"] for f in finalists] == [*(level for level, _ in best), "coarse"]
    assert [f["default"] for f in finalists] == [False, False, True]
    assert [f["params"] for f in finalists] == [
        {"momentum": 0.5} | params for params in (*(t.params for _, t in best), DEFAULT)
    ]


def test_levels_that_train_otherwise_give_no_finalists(tmp_path: Path) -> None:
    """Their values do not compare: fine trains twice as long as coarse here, and more rows could be it too."""
    study = tiny(tmp_path, "coarse.training.epochs=4", "training.epochs=1", "coarse.trials=6", "fine.trials=2")
    run(study, "coarse", "fine", "confirm")
    assert {f["stage"] for f in attrs_of(study, "confirm")["finalists"] if not f["default"]} <= {"fine", "fine2"}


def test_a_default_that_coarse_trained_otherwise_is_none_of_its_trials(tmp_path: Path) -> None:
    study = tiny(tmp_path, "coarse.training.momentum=0.9", "coarse.trials=2", "fine.trials=1", "training.epochs=1")
    run(study, "coarse", "fine", "confirm")
    default = next(f for f in attrs_of(study, "confirm")["finalists"] if f["default"])
    assert (default["params"]["momentum"], default["trial"]) == (0.5, None)


def test_finalists_of_a_repeat_share_rows_that_the_search_never_validated_on(whole: Study) -> None:
    """Each value is that of a network trained alone on the repeat's rows, with the repeat's weights and order."""
    seen: dict[int, set[int]] = {}
    for t in trials_of(whole, "confirm"):
        repeat = t.user_attrs["repeat"]
        part = Part((0, 240), (240, 300), roll=repeat)
        seen.setdefault(repeat, set()).update(part.rows()[1].tolist())
        assert (t.value, t.user_attrs["valid_loss"]) == measured(
            trained_alone(whole, "confirm", part, str(repeat), t.params)
        )
    assert seen == {1: set(range(180, 240)), 2: set(range(120, 180))}  # the search's are 240 to 299


def test_all_stages_see_the_components_of_the_searchs_training_rows(tmp_path: Path) -> None:
    """One rotation for the whole study: else λ and η of one stage would mean something else in the next."""
    study = tiny(tmp_path, "data.components=0.8", "fine.data.train=[0, 200]", "coarse.trials=1", "fine.trials=1")
    run(study, "coarse", "fine", "confirm")
    parts = {"coarse": SEARCH, "fine": Part((0, 200), (240, 300)), "confirm": Part((0, 240), (240, 300), roll=1)}
    for stage, part in parts.items():
        t = trials_of(study, stage)[0]
        repeat = "1" if stage == "confirm" else "0"
        assert (t.value, t.user_attrs["valid_loss"]) == measured(trained_alone(study, stage, part, repeat, t.params))
    bases = [load_transform(plan_of(study, part, stage=stage).data.transform).basis for stage, part in parts.items()]
    assert bases[0] is not None
    assert 1 < bases[0].shape[1] < 64
    np.testing.assert_array_equal(bases[1], bases[0])
    np.testing.assert_array_equal(bases[2], bases[0])


def test_the_verdict_is_that_of_the_table_of_accuracies(whole: Study) -> None:
    trials, verdict = trials_of(whole, "confirm"), attrs_of(whole, "confirm")["verdict"]
    y = np.array([[t.value for t in trials if t.user_attrs["finalist"] == i] for i in range(3)])
    assert verdict["winner"] == y.mean(axis=1).argmax()
    assert verdict["params"] == attrs_of(whole, "confirm")["finalists"][verdict["winner"]]["params"]
    assert verdict["estimate"] == choose.estimate(y)
    half = choose.margin(choose.blocks(y))
    for row, accuracies in zip(verdict["finalists"], y, strict=True):
        assert row["accuracies"] == accuracies.tolist()
        behind = y.mean(axis=1).max() - accuracies.mean()
        assert row["behind_best"] == pytest.approx(behind)
        if row["finalist"] != verdict["winner"]:
            assert row["difference_interval"] == pytest.approx([behind - half, behind + half])
    assert [row["separable"] for row in verdict["finalists"]] == [i not in choose.not_separable(y) for i in range(3)]
    assert verdict["default_separable"] == (2 not in choose.not_separable(y))
    assert not verdict["winner_is_default"]


def test_optimism_is_given_only_where_search_and_confirm_train_alike(whole: Study, tmp_path: Path) -> None:
    verdict = attrs_of(whole, "confirm")["verdict"]
    last, coarse = trials_of(whole, "fine2"), trials_of(whole, "coarse")
    winner = verdict["finalists"][verdict["winner"]]
    in_search = last[winner["trial"]].value - coarse[0].value
    in_confirm = winner["mean"] - verdict["finalists"][2]["mean"]
    assert verdict["optimism"]["value"] == pytest.approx(in_search - in_confirm)
    longer = tiny(tmp_path, "final.training.epochs=5", "coarse.trials=2", "fine.trials=1")
    run(longer, "coarse", "fine", "confirm")
    assert attrs_of(longer, "confirm")["verdict"]["optimism"] is None
    assert len(trials_of(longer, "confirm")[0].intermediate_values) == 5


TOO_FEW_ROWS = ("data.train=[0, 50]", "data.valid=[50, 150]", "coarse.trials=2", "fine.trials=1")


@pytest.mark.parametrize("stage", ["coarse", "final"])
def test_confirm_needs_enough_rows_to_validate_on(stage: str, tmp_path: Path) -> None:
    """It was found out by confirm, when the search was over."""
    with pytest.raises(
        StudyFileError, match=r"`data\.valid` must hold at most as many rows as `data\.train`.*100 and 50"
    ):
        run(tiny(tmp_path, *TOO_FEW_ROWS), stage)
    assert [p.name for p in tmp_path.iterdir()] == ["tiny.toml"]


def test_a_fixed_setting_needs_no_rows_for_confirm(tmp_path: Path) -> None:
    study = tiny(tmp_path, *TOO_FEW_ROWS, "final.setting={}", "training.epochs=1")
    assert run(study, "coarse", "fine", "final") == [True] * 3
    with pytest.raises(StudyFileError, match=r"`data\.valid` must hold at most as many rows"):
        run(study, "confirm")


# ---- final


def final_network(study: Study, repeat: int, part: Part) -> State:
    params = attrs_of(study, "final")["params"]
    return trained_alone(study, "final", part, f"final.{repeat}", params).state


def test_final_retrains_the_winner_on_training_and_validation_rows(whole: Study) -> None:
    attrs, together = attrs_of(whole, "final"), Part((0, 240), (240, 300), together=True)
    assert attrs["params"] == attrs_of(whole, "confirm")["verdict"]["params"]
    assert attrs["result"]["n_train"] == 300
    assert attrs["result"]["n_train_in_confirm"] == 240
    plan = plan_of(whole, together, "final.1", "final")
    X, y = materials.load("digits").read_test()
    networks = []
    for repeat, t in enumerate(trials_of(whole, "final"), start=1):
        state = final_network(whole, repeat, together)
        assert state.step == 24  # as many steps as before, though the rows are more
        networks.append(state.network.dense[0].W)
        expected = fold(state.network, state.moments, load_transform(plan.data.transform), tuple("0123456789"))
        exported = load_model(whole.results / "models" / f"final-{repeat}.safetensors")
        np.testing.assert_array_equal(exported.logits(X), expected.logits(X))
        assert t.value == (expected.predict(X) == y).mean()
    assert not np.array_equal(*networks)


def test_the_result_is_that_of_the_test_set(whole: Study) -> None:
    result, trials = attrs_of(whole, "final")["result"], trials_of(whole, "final")
    X, y = materials.load("digits").read_test()
    models = [load_model(whole.results / path) for path in result["models"]]
    correct = np.array([model.predict(X) == y for model in models])
    assert result["test_accuracy"]["per_seed"] == correct.mean(axis=1).tolist() == [t.value for t in trials]
    assert result["test_accuracy"]["mean"] == pytest.approx(correct.mean())
    images, seeds = intervals.over_images(correct), intervals.over_seeds(correct.mean(axis=1))
    assert (result["test_accuracy"]["low"], result["test_accuracy"]["high"]) == (images.low, images.high)
    assert result["test_accuracy_over_seeds"] == {"low": seeds.low, "high": seeds.high}
    confusion = np.zeros((10, 10), int)
    for model in models:
        for true, predicted in zip(y, model.predict(X), strict=True):
            confusion[true, predicted] += 1
    assert result["confusion"] == confusion.tolist()
    for k, row in enumerate(result["per_class"]):
        assert row["class"] == str(k)
        assert row["recall"] == pytest.approx(confusion[k, k] / confusion[k].sum())
        assert row["precision"] == pytest.approx(confusion[k, k] / confusion[:, k].sum())
    assert result["n_test"] == len(y) == 360
    assert result["valid_accuracy"] == attrs_of(whole, "confirm")["verdict"]["estimate"]
    assert result["models"] == ["models/final-1.safetensors", "models/final-2.safetensors"]  # in the results folder
    assert result["n_diverged"] == 0
    assert models[0].metadata["params"] == result["params"]


def test_the_ensemble_is_the_mean_of_the_probabilities_of_all_networks(finished: Path) -> None:
    """Also of those that were tested at an earlier look."""
    study = tiny(finished, "final.repeats=3")
    for n in (2, 3):
        result = attrs_of(study, "final")["result"]
        X, y = materials.load("digits").read_test()
        probabilities = np.mean(
            [load_model(study.results / path).probabilities(X) for path in result["models"]], axis=0
        )
        accuracy = (probabilities.argmax(axis=1) == y).mean()
        assert result["ensemble"]["n_networks"] == len(result["models"]) == n
        assert result["ensemble"]["accuracy"] == pytest.approx(accuracy)
        assert result["ensemble"]["low"] < accuracy < result["ensemble"]["high"]
        run(study, "final")


@pytest.mark.parametrize("headline", ["moving", "population"])
def test_both_kinds_of_moments_are_tested_in_one_look(headline: str, tmp_path: Path) -> None:
    study = tiny(tmp_path, "final.setting={}", f"network.bn_statistics={headline}", "training.epochs=1")
    run(study, "final")
    result, X, y = attrs_of(study, "final")["result"], *materials.load("digits").read_test()
    plans = [plan_of(study, Part((0, 240), (240, 300), together=True), f"final.{r}", "final") for r in (1, 2)]
    for name in ("moving", "population"):
        found = []
        for plan in plans:
            state = advance(plan, (Configuration(1e-3, 0.1, 0.5),), None, plan.n_steps).state
            moments = evaluation_moments(state, dataclasses.replace(build_run(plan), statistics=name))
            model = fold(state.network, moments, load_transform(plan.data.transform), tuple("0123456789"))
            found.append((model.predict(X) == y).mean())
        assert result["test_accuracy_by_statistics"][name] == pytest.approx(np.mean(found))
    assert result["test_accuracy"]["mean"] == pytest.approx(result["test_accuracy_by_statistics"][headline])
    by = result["test_accuracy_by_statistics"]
    assert by["moving"] != by["population"], "else the test shows nothing"
    with stored(study) as store:
        assert len(store.looks()) == 1


def test_without_batch_normalisation_there_are_no_moments_to_choose(tmp_path: Path) -> None:
    study = tiny(tmp_path, "final.setting={}", "network.batch_norm=none", "training.epochs=1")
    run(study, "final")
    assert attrs_of(study, "final")["result"]["test_accuracy_by_statistics"] is None


def test_a_fixed_setting_skips_confirm(tmp_path: Path) -> None:
    study = tiny(tmp_path, "final.setting={l2=2e-4}", "final.train_on=train", "training.epochs=1")
    assert stages_of(study) == ("coarse", "fine", "final")
    with at_work(study) as session:
        assert run_stage(session, "final")  # it needs no search at all
        run_all(session)
    assert record(study).keys() == {"coarse", "fine", "final"}
    attrs = attrs_of(study, "final")
    assert attrs["params"] == {"l2": 2e-4, "learning_rate": 0.1, "momentum": 0.5}
    assert attrs["parent"] is None
    assert attrs["result"]["n_train"] == 240
    done = [trained_alone(study, "final", SEARCH, f"final.{r}", attrs["params"]) for r in (1, 2)]
    assert attrs["result"]["valid_accuracy"] == pytest.approx(np.mean([measured(d)[0] for d in done]))


def test_final_with_too_few_networks_says_what_to_do(tmp_path: Path) -> None:
    study = tiny(tmp_path, "final.setting={l2=1.0, learning_rate=10.0}")
    with pytest.raises(
        UsageError, match=r"at least two networks .* got 0: .*`bnsearch reset \S*tiny\.toml --from final`"
    ):
        run(study, "final")
    with stored(study) as store:
        assert store.looks() == []


# ---- the test set


def forbid_test_set(monkeypatch: pytest.MonkeyPatch, read_test: Any) -> None:
    """Whoever reads the test rows from now on calls read_test(real)."""
    original = materials.load

    def load(*args: Any, **kwargs: Any) -> Any:
        data = original(*args, **kwargs)
        return dataclasses.replace(data, read_test=lambda: read_test(data.read_test))

    monkeypatch.setattr(materials, "load", load)


def test_final_alone_reads_the_test_set_once_and_after_writing_it_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, looks = tiny(tmp_path, "training.epochs=1", "coarse.trials=2", "fine.trials=1"), []

    def never(real: Any) -> Any:
        raise AssertionError("the test set was read")

    def watched(real: Any) -> Any:
        with sqlite3.connect(tmp_path / "tiny.db") as connection:
            looks.append(connection.execute("SELECT study, purpose FROM bnsearch_test_looks").fetchall())
        connection.close()
        return real()

    with monkeypatch.context() as patch:
        forbid_test_set(patch, never)
        run(study, "coarse", "fine", "confirm")
        with pytest.raises(AssertionError, match="was read"):
            run(study, "final")
    with stored(study) as store:
        assert len(store.looks()) == 1  # the look that failed was written down
    forbid_test_set(monkeypatch, watched)
    assert run(study, "final") == [True]
    assert looks == [[("tiny", "tiny.final: 2 networks")] * 2]  # one reading, its own line already there
    assert run(study, "final") == [False]
    assert len(looks) == 1


def test_a_second_look_is_numbered(finished: Path) -> None:
    study = tiny(finished, "final.repeats=4")
    before = record(study)["final"]
    assert before[1]["result"]["look"] == 1
    assert run(study, "final") == [True]
    trials, attrs = record(study)["final"]
    assert trials[:2] == before[0]
    assert len(trials) == 4
    assert attrs["result"]["look"] == 2
    assert len(attrs["result"]["test_accuracy"]["per_seed"]) == 4
    with stored(study) as store:
        looks = store.looks()
    assert [look["purpose"] for look in looks] == [
        "tiny.final: 2 networks",
        "tiny.final: 2 networks, and the ensemble of all 4",
    ]
    assert {look["fingerprint"] for look in looks} == {attrs["data_fingerprint"]}


def test_looks_of_another_study_at_the_same_data_count_too(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    overrides = ("final.setting={}", "training.epochs=1")
    for name in ("one", "two"):
        study = tiny(tmp_path, *overrides, name=name)
        with at_work(study, storage=url) as session:
            run_stage(session, "final")
            results = session.store.load("final").user_attrs["result"]  # type: ignore[union-attr]
            own = session.store.looks()
    assert results["look"] == 2
    assert [look["study"] for look in own] == ["two"]


# ---- reset


@pytest.mark.parametrize("stage", STAGES)
def test_reset_deletes_a_stage_and_those_after_it_but_not_the_ledger(stage: str, finished: Path) -> None:
    study = tiny(finished)
    before = record(study)
    kept, gone = STUDIES[: STUDIES.index(stage)], STUDIES[STUDIES.index(stage) :]
    with stored(study) as store:
        assert reset(study, store, stage) == [f"tiny.{s}" for s in gone]
        assert reset(study, store, stage) == []
        assert len(store.looks()) == 1
    assert record(study) == {s: before[s] for s in kept}
    assert {name.split("/")[1].split("-")[0] for name in files(study)} == set(kept)
    if stage == "confirm":  # run again: the same numbers, but for the look
        run(study, *STAGES)
        after = record(study)
        assert after["final"][1]["result"]["look"] == 2
        assert without_look(after) == without_look(before)


@pytest.mark.parametrize("at", ["curves/fine-00002.csv", "curves/final-00000.csv", "models"])
def test_reset_of_files_that_cannot_be_removed_leaves_the_database(at: str, finished: Path) -> None:
    """They stayed while the database had lost the stage."""
    study = tiny(finished)
    before = record(study)
    path = study.results / at
    if path.is_dir():
        shutil.rmtree(path)
        path.write_text("not a folder")  # even root cannot remove its tree
    else:
        path.unlink()
        path.mkdir()  # nor unlink a folder
    with (
        stored(study) as store,
        pytest.raises(StoreError, match=rf"{at} must be a file that can be removed, but: .*; nothing was deleted"),
    ):
        reset(study, store, "fine")
    assert record(study) == before


def test_reset_knows_its_stages(whole: Study) -> None:
    with (
        stored(whole) as store,
        pytest.raises(UsageError, match="coarse, fine, confirm, final, compare, but got 'middle'"),
    ):
        reset(whole, store, "middle")


def test_status_of_a_study_that_was_never_run_is_empty() -> None:
    assert status(None, "tiny") == []


def test_a_copied_study_can_be_moved(finished: Path, tmp_path: Path) -> None:
    """Nothing in the database depends on the folder."""
    moved = Path(shutil.move(finished, tmp_path / "elsewhere" / "deeper"))
    assert run(tiny(moved), *STAGES) == [False] * 4


def test_a_renamed_study_starts_anew(finished: Path) -> None:
    study = tiny(finished, name="other", text=TINY)
    assert run(study, "coarse") == [True]
    assert record(study)["coarse"][0] == record(tiny(finished))["coarse"][0]
