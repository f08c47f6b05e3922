"""Halving in a running stage: who is stopped, that nobody else notices, and that a restart decides the same."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from optuna.trial import TrialState

from bnsearch.search import running, schedule
from bnsearch.search.executor import local_executor
from bnsearch.search.stages import run_all, run_stage, status
from bnsearch.search.study_file import Study
from tests.helpers import TINY, changed
from tests.search.helpers import at_work, attrs_of, files, n_passed, record, run, stored, tiny, trials_of
from tests.search.stopping import Countdown, Crash, Stopping, again_and_again, stop_at_write

HALVED = changed(
    TINY,
    ("trials = 6", "trials = 24"),
    ("epochs = 4", "epochs = 8"),
    ("trials = 4\n[confirm]", "trials = 16\n[confirm]"),
)
COMPLETE, PRUNED, FAIL = TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL
CYCLES = (  # of 10 steps, where an epoch has 6
    "training={batch_size=40, learning_rate=0.1, momentum=0.5, l2=1e-3, "
    "schedule={kind='cyclic', low=0.01, half_cycle_steps=5, cycles=4}}"
)


def halved(folder: Path, *overrides: str) -> Study:
    """24 trials of 8 epochs, with rungs at epochs 2 and 4."""
    return tiny(folder, *overrides, text=HALVED)


@pytest.fixture(scope="module")
def coarse(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Its coarse stage, never stopped; only to be read."""
    study = halved(tmp_path_factory.mktemp("halved"))
    assert run(study, "coarse") == [True]
    return study


@pytest.fixture(scope="module")
def to_the_end(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The same trials without rungs."""
    study = halved(tmp_path_factory.mktemp("to-the-end"), "coarse.rungs=[]")
    run(study, "coarse")
    return study


def assert_as(study: Study, other: Study) -> None:
    assert record(study, ["coarse"]) == record(other, ["coarse"])
    assert files(study) == files(other)


# ---- who is stopped


def test_one_half_goes_on_from_each_rung(coarse: Study) -> None:
    trials = trials_of(coarse, "coarse")
    assert attrs_of(coarse, "coarse")["batches"] == [[0, 24, 12, 24]]
    assert [sum(t.state == state for t in trials) for state in (COMPLETE, PRUNED)] == [6, 18]
    stopped = [(t.user_attrs["pruned_at_step"], t.user_attrs["pruned_at_share"]) for t in trials if t.state == PRUNED]
    assert sorted(set(stopped)) == [(12, 0.25), (24, 0.5)]
    assert [stopped.count((12, 0.25)), stopped.count((24, 0.5))] == [12, 6]
    with stored(coarse) as store:
        (row,) = status(store, "tiny")
    assert row["trials"] == {"complete": 6, "pruned": 18, "failed": 0, "running": 0}
    assert not list((coarse.results / "states").glob("*"))


@pytest.mark.parametrize(("rung", "epoch", "n", "n_kept"), [("rung_1", 2, 24, 12), ("rung_2", 4, 12, 6)])
def test_those_who_go_on_were_the_best_there(coarse: Study, rung: str, epoch: int, n: int, n_kept: int) -> None:
    came = [t for t in trials_of(coarse, "coarse") if rung in t.user_attrs]
    came.sort(key=lambda t: t.user_attrs[f"{rung}_rank"])
    assert [t.user_attrs[f"{rung}_rank"] for t in came] == list(range(1, n + 1))
    accuracies = [t.user_attrs[rung]["valid_accuracy"] for t in came]
    assert accuracies == [t.intermediate_values[epoch] for t in came] == sorted(accuracies, reverse=True)
    assert {t.user_attrs[rung]["step"] for t in came} == {6 * epoch}
    assert [t.user_attrs.get("pruned_at_step") == 6 * epoch for t in came] == [False] * n_kept + [True] * (n - n_kept)


def test_those_who_are_stopped_keep_their_figures_up_to_there(coarse: Study, to_the_end: Study) -> None:
    for own, other in zip(trials_of(coarse, "coarse"), trials_of(to_the_end, "coarse"), strict=True):
        n_epochs = own.user_attrs["pruned_at_step"] // 6 if own.state == PRUNED else 8
        shown = {epoch: value for epoch, value in other.intermediate_values.items() if epoch <= n_epochs}
        assert (own.params, own.intermediate_values) == (other.params, shown)
        curve = f"coarse-{own.number:05d}.csv"
        lines = [(study.results / "curves" / curve).read_text().splitlines() for study in (coarse, to_the_end)]
        assert lines[0] == lines[1][: 1 + n_epochs]
        assert own.user_attrs["wall_seconds"] > 0


def test_those_who_go_on_do_not_notice(coarse: Study, to_the_end: Study) -> None:
    """Stored, repacked with others and gone on with: the same bits as a lane that never stopped."""
    others = {t.number: t for t in trials_of(to_the_end, "coarse")}
    assert {t.state for t in others.values()} == {COMPLETE}
    for own in (t for t in trials_of(coarse, "coarse") if t.state == COMPLETE):
        other = others[own.number]
        assert own.value == other.value
        for name in ("valid_loss", "train_loss", "valid_correct"):
            assert own.user_attrs[name] == other.user_attrs[name]


@pytest.mark.parametrize("n_workers", [1, 3])
def test_the_number_of_workers_does_not_matter(n_workers: int, coarse: Study, tmp_path: Path) -> None:
    study = halved(tmp_path)
    run(study, "coarse", n_workers=n_workers)
    assert_as(study, coarse)


def test_worker_processes_stop_the_same(coarse: Study, tmp_path: Path) -> None:
    study = halved(tmp_path)
    run(study, "coarse", executor=lambda: local_executor(2))
    assert_as(study, coarse)


def test_rungs_at_cycle_ends_within_an_epoch(tmp_path: Path) -> None:
    with_rungs, without = (halved(tmp_path / name, CYCLES, *more) for name, more in RUNGS_OR_NOT)
    run(with_rungs, "coarse")
    run(without, "coarse")
    assert attrs_of(with_rungs, "coarse")["batches"] == [[0, 24, 10, 20]]
    trials = trials_of(with_rungs, "coarse")
    assert sorted({t.user_attrs.get("pruned_at_step", 40) for t in trials}) == [10, 20, 40]
    assert all("rung_1" in t.user_attrs for t in trials)
    for own, other in zip(trials, trials_of(without, "coarse"), strict=True):
        assert own.state == PRUNED or (own.value, own.user_attrs["valid_correct"]) == (
            other.value,
            other.user_attrs["valid_correct"],
        )


RUNGS_OR_NOT = (("with", ()), ("without", ("coarse.rungs=[]",)))


def test_rungs_and_share_of_the_study_file(tmp_path: Path) -> None:
    study = halved(tmp_path, "coarse.rungs=[0.4]", "coarse.keep=0.5")
    run(study, "coarse")
    assert attrs_of(study, "coarse")["batches"] == [[0, 24, 18]]
    states = [t.state for t in trials_of(study, "coarse")]
    assert [states.count(COMPLETE), states.count(PRUNED)] == [12, 12]


@pytest.mark.parametrize(
    "overrides",
    [
        ("coarse.trials=15",),
        ("coarse.trials=15", "coarse.rungs=[0.25]"),
        ("coarse.rungs=[]",),
        ("training.schedule={kind='cosine'}",),
        ("training.epochs=1",),
        ("coarse.sampler=tpe", "coarse.trials=16"),
    ],
    ids=str,
)
def test_without_rungs_every_trial_runs_to_its_end(overrides: tuple[str, ...], tmp_path: Path) -> None:
    study = halved(tmp_path, "training.epochs=2", "network.hidden=[2]", *overrides)
    run(study, "coarse")
    assert {t.state for t in trials_of(study, "coarse")} == {COMPLETE}


def test_diverged_lanes_are_last_at_a_rung_and_failed(tmp_path: Path) -> None:
    """At λ = 1, η = 10 weights grow 19-fold a step, and are no numbers any more long before step 24."""
    grid = "coarse.space={l2=[1.0, 0.9, 1e-3, 1e-4], learning_rate=[10.0, 9.5, 0.1, 0.05]}"
    study = tiny(tmp_path, "coarse.sampler=grid", grid, "coarse.trials=16", "coarse.rungs=[0.5]", "training.epochs=8")
    run(study, "coarse")
    trials = trials_of(study, "coarse")
    diverged = [t for t in trials if t.state == FAIL]
    assert [t.number for t in diverged] == [0, 1, 4, 5]
    assert all(t.user_attrs["diverged_step"] <= 24 and "rung_1" not in t.user_attrs for t in diverged)
    ranks = {t.number: t.user_attrs["rung_1_rank"] for t in trials if t.state != FAIL}
    assert sorted(ranks.values()) == list(range(1, 13))
    assert {n for n, rank in ranks.items() if rank <= 8} == {t.number for t in trials if t.state == COMPLETE}
    assert attrs_of(study, "coarse")["verdict"]["best"] not in [0, 1, 4, 5]


# ---- totals, and what is built on it


def test_a_larger_total_adds_trials_and_leaves_those_that_were_stopped(coarse: Study, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(coarse.folder, tmp_path / "copy"))
    before = trials_of(coarse, "coarse")
    assert run(halved(folder), "coarse") == [False]
    assert run(halved(folder, "coarse.trials=26"), "coarse") == [True]
    trials = trials_of(halved(folder), "coarse")
    assert trials[:24] == before
    assert [t.state for t in trials[24:]] == [COMPLETE] * 2, "a batch of two has no rungs"
    assert run(halved(folder, "coarse.trials=42"), "coarse") == [True]
    third = trials_of(halved(folder), "coarse")[26:]
    assert [sum(t.state == state for t in third) for state in (COMPLETE, PRUNED)] == [4, 12]
    assert {t.user_attrs["rung_1_rank"] for t in third} == set(range(1, 17)), "ranked within their own batch"


def test_the_chain_chooses_among_those_that_ran_to_the_end(coarse: Study, tmp_path: Path) -> None:
    study = halved(Path(shutil.copytree(coarse.folder, tmp_path / "copy")))
    with at_work(study) as session:
        run_all(session)
    for name in ("coarse", "fine"):
        complete = {t.number for t in trials_of(study, name) if t.state == COMPLETE}
        verdict = attrs_of(study, name)["verdict"]
        assert verdict["best"] in complete
        assert set(verdict["tied"]) <= complete
    assert attrs_of(study, "fine")["batches"] == [[0, 16, 12, 24]]
    finalists = attrs_of(study, "confirm")["finalists"]
    assert [f["default"] for f in finalists].count(True) == 1
    last = max(
        (name for name in ("fine", "fine2") if (study.results / "curves" / f"{name}-00000.csv").exists()), key=len
    )
    complete = {t.number for t in trials_of(study, last) if t.state == COMPLETE}
    assert {f["trial"] for f in finalists if not f["default"]} <= complete
    assert {t.state for t in trials_of(study, "confirm")} == {COMPLETE}


def test_a_default_that_was_stopped_is_a_finalist_and_no_comparison_is_made_of_it(tmp_path: Path) -> None:
    """Its early accuracy is no result of the search."""
    study = halved(tmp_path, "training.learning_rate=0.01", "training.l2=0.1", "fine.trials=2")
    with at_work(study) as session:
        run_all(session)
    assert trials_of(study, "coarse")[0].state == PRUNED
    verdict = attrs_of(study, "confirm")["verdict"]
    assert sum(f["default"] for f in verdict["finalists"]) == 1
    assert verdict["optimism"] is None


# ---- stopped and gone on with


@pytest.fixture(params=[KeyboardInterrupt, Crash], ids=["from stored states", "from the last rung"])
def how(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type[BaseException]:
    """What stops it; a step a call, and states are stored at each, or at rungs alone."""
    monkeypatch.setattr(schedule, "CALL_SECONDS", 0.0)
    monkeypatch.setattr(running, "STATE_SECONDS", 1e9 if request.param is Crash else 0.0)
    error: type[BaseException] = request.param
    return error


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_stopped_between_any_two_writes(
    after: bool, coarse: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between states, figures, ranks and tells of both rungs: the same lanes are stopped."""
    study = halved(tmp_path)

    def attempt(n: int) -> None:
        with monkeypatch.context() as patch, at_work(study) as session:
            stop_at_write(patch, n, after=after)
            run_stage(session, "coarse")

    assert again_and_again(attempt, first=2, more=1) > 15
    assert_as(study, coarse)


@pytest.mark.parametrize("lose", [False, True], ids=["with its states", "without"])
def test_stopped_at_calls_of_workers(lose: bool, how: type[BaseException], coarse: Study, tmp_path: Path) -> None:
    """A lane without its state starts at step 0, and is ranked at the rungs as before."""
    study, passed = halved(tmp_path), set[int]()

    def attempt(n: int) -> None:
        if lose:
            shutil.rmtree(study.results / "states", ignore_errors=True)
        try:
            run(study, "coarse", executor=lambda: Stopping(n, how))
        except (KeyboardInterrupt, Crash):
            passed.add(n_passed(study))
            raise

    assert again_and_again(attempt, first=3, more=9 if lose or how is Crash else 1) > 3
    assert passed == {0, 1, 2}, "before the first rung, between both, and after"
    assert_as(study, coarse)


def test_stopped_at_events(how: type[BaseException], coarse: Study, tmp_path: Path) -> None:
    study = halved(tmp_path)
    attempt: Callable[[int], object] = lambda n: run(study, "coarse", progress=Countdown(n, how))  # noqa: E731
    assert again_and_again(attempt, first=4, more=3) > 3
    assert_as(study, coarse)


def test_a_database_from_before_a_rung_decides_the_same(
    coarse: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Brought back from a copy, it does not know what the states beside it have passed."""
    study = halved(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(study, "coarse", executor=lambda: Stopping(3))
    assert n_passed(study) == 0
    shutil.copy(tmp_path / "tiny.db", tmp_path / "copy")
    monkeypatch.setattr(running, "STATE_SECONDS", 0.0)
    monkeypatch.setattr(schedule, "CALL_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        run(study, "coarse", executor=lambda: Stopping(50))
    assert max(t.user_attrs.get("rung_1_rank", 0) for t in trials_of(study, "coarse")) == 24
    shutil.copy(tmp_path / "copy", tmp_path / "tiny.db")
    run(study, "coarse")
    assert_as(study, coarse)
