"""Compare: variants side by side, paired over seeds, beside the chain; the test set only when asked."""

import csv
import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optuna.trial import TrialState
from scipy.stats import ttest_rel

from bnsearch.core import tree
from bnsearch.core.evaluate import evaluation_moments
from bnsearch.data.prepare import load_transform
from bnsearch.errors import ChangedError, StoreError, StudyFileError, UsageError
from bnsearch.model import fold, load_model
from bnsearch.search import running, schedule
from bnsearch.search.advance import Advance, advance
from bnsearch.search.executor import local_executor
from bnsearch.search.plan import Configuration, Plan, build_run, start_state
from bnsearch.search.stages import reset, run_stage, status
from bnsearch.search.study_file import Study
from bnsearch.search.tables import NormalInit
from bnsearch.search.testing import run_test
from tests.helpers import TINY
from tests.search.helpers import Inline, at_work, attrs_of, files, materials_of, record, run, stored, tiny, trials_of
from tests.search.stopping import Countdown, again_and_again

COMPARE = (
    TINY
    + """
[compare]
repeats = 3
training.epochs = 3
vary.network.batch_norm = ["none", "plain"]
vary.network.init = ["he", { normal = 1e-2 }]
vary.training.momentum = [0.0, 0.9]
"""
)
ALONE = COMPARE[: COMPARE.index("[coarse]")] + COMPARE[COMPARE.index("[compare]") :]  # nothing is searched
MODELS = 3 * (4 * 1 + 4 * 2)  # batch-normalised networks are kept with both kinds of moments


def comparing(folder: Path, *overrides: str, text: str = COMPARE) -> Study:
    return tiny(folder, *overrides, text=text)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A finished comparison; only to be read."""
    study = comparing(tmp_path_factory.mktemp("compare"))
    assert run(study, "compare") == [True]
    return study


@pytest.fixture
def finished(whole: Study, tmp_path: Path) -> Study:
    """A copy of it, to go on with."""
    return comparing(Path(shutil.copytree(whole.folder, tmp_path / "copy")))


def look(study: Study) -> bool:
    with at_work(study) as session:
        return run_test(session)


def looks(study: Study) -> list[dict[str, Any]]:
    with stored(study) as store:
        return list(store.looks())


def row_of(study: Study) -> dict[str, Any]:
    with stored(study) as store:
        (row,) = (row for row in status(store, study.called, study.results) if row["stage"] == "compare")
        return row


def without_start(study: Study) -> dict[str, Any]:
    return record(study, ["compare"])


# ---- what is trained


def test_every_crossing_is_a_variant_and_the_last_list_varies_fastest(whole: Study) -> None:
    variants = attrs_of(whole, "compare")["variants"]
    assert [v["label"] for v in variants[:3]] == [
        "batch_norm none, init he, momentum 0.0",
        "batch_norm none, init he, momentum 0.9",
        "batch_norm none, init normal 0.01, momentum 0.0",
    ]
    assert variants[-1]["keys"] == {
        "network.batch_norm": "plain",
        "network.init": {"normal": 0.01},
        "training.momentum": 0.9,
    }
    trials = trials_of(whole, "compare")
    assert [(t.user_attrs["repeat"], t.user_attrs["variant"]) for t in trials] == [
        (r, v) for r in (1, 2, 3) for v in range(8)
    ]
    assert trials[-1].params == {
        "network.batch_norm": "plain",
        "network.init": "normal 0.01",
        "training.momentum": 0.9,
    }
    assert all(t.state == TrialState.COMPLETE and t.value == t.user_attrs["valid_accuracy"] for t in trials)


def plan_alone(study: Study, variant: int, repeat: int) -> Plan:
    """What the tables of a variant make of a repeat, without session or database."""
    assert study.comparison is not None
    setup, materials = study.comparison.variants[variant].setup, materials_of(study)
    data = materials.prepare(setup, [materials.part(setup)])[0]
    return materials.plan(setup, f"compare.{repeat}", data, velocity=True)


def trained_alone(study: Study, variant: int, repeat: int) -> Advance:
    """A variant's network without a cohort."""
    assert study.comparison is not None
    plan, setting = plan_alone(study, variant, repeat), study.comparison.variants[variant].setup.default_setting()
    return advance(plan, (Configuration(**setting),), None, plan.n_steps)


@pytest.mark.parametrize("number", [0, 3, 6, 13, 23])
def test_a_lane_is_bit_for_bit_the_network_trained_alone(whole: Study, number: int) -> None:
    trial = trials_of(whole, "compare")[number]
    outcome = trained_alone(whole, trial.user_attrs["variant"], trial.user_attrs["repeat"]).outcome
    assert outcome is not None
    for name in ("train_loss", "train_cost", "train_accuracy", "valid_loss", "valid_accuracy"):
        assert trial.user_attrs[name] == float(getattr(outcome, name)[0])


@pytest.mark.parametrize("headline", ["moving", "population"])
def test_networks_are_kept_with_both_kinds_of_moments(headline: str, tmp_path: Path) -> None:
    study = comparing(tmp_path, f"network.bn_statistics={headline}", "compare.repeats=2")
    run(study, "compare")
    number, data = 6, materials_of(study).dataset  # batch normalisation, its own σ, no momentum
    plan, state = plan_alone(study, number, repeat=1), trained_alone(study, number, repeat=1).state
    for kind in ("moving", "population"):
        moments = evaluation_moments(state, dataclasses.replace(build_run(plan), statistics=kind))
        expected = fold(state.network, moments, load_transform(plan.data.transform), data.classes)
        kept = load_model(study.results / "models" / f"compare-{number:05d}-{kind}.safetensors")
        np.testing.assert_array_equal(kept.logits(data.X), expected.logits(data.X))


def test_variants_of_one_architecture_are_lanes_of_one_cohort(tmp_path: Path) -> None:
    class Counted(Inline):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            if fn is advance and args[2] is None:
                widths.append(len(args[1]))
            return super().submit(fn, *args, **kwargs)

    widths: list[int] = []
    run(comparing(tmp_path), "compare", executor=Counted, n_workers=1)
    assert widths == [4] * 6, "initialisers and momenta together, for each kind of normalisation and each repeat"


def test_initialisers_of_a_cohort_draw_from_the_same_numbers(whole: Study) -> None:
    materials = materials_of(whole)
    plan: Plan = materials.plan("coarse", "compare.1", materials.prepare("coarse", [materials.part("coarse")])[0])
    small, large = NormalInit(normal=1e-3), NormalInit(normal=1.0)
    together = start_state(plan, 3, (small, large, "he"))
    for i, own in enumerate((small, large, "he")):
        alone = start_state(dataclasses.replace(plan, init=own), 1)
        for (_, a), (_, b) in zip(tree.leaves(tree.take(together, [i])), tree.leaves(alone), strict=True):
            assert np.array_equal(a, b)
    W = together.network.dense[0].W
    np.testing.assert_allclose(W[0], 1e-3 * W[1], rtol=1e-6)


def test_repeats_differ_in_weights_and_order_but_not_in_rows(whole: Study) -> None:
    trials = [t for t in trials_of(whole, "compare") if t.user_attrs["variant"] == 1]
    assert len({t.user_attrs["train_loss"] for t in trials}) == 3
    assert {t.user_attrs["n_valid"] for t in trials} == {60}
    with (whole.results / "curves" / "compare-00001.csv").open(newline="") as file:
        assert [point["epoch"] for point in csv.DictReader(file)] == ["1", "2", "3"]


def test_worker_processes_give_the_same_comparison(whole: Study, tmp_path: Path) -> None:
    study = comparing(tmp_path)
    run(study, "compare", executor=lambda: local_executor(2))
    assert record(study, ["compare"]) == record(whole, ["compare"])
    assert files(study) == files(whole)


def test_it_lies_beside_the_chain(finished: Study, tmp_path: Path) -> None:
    before = record(finished, ["compare"])
    assert run(finished, "coarse") == [True]
    assert record(finished, ["compare"]) == before
    never_compared = comparing(tmp_path / "other", text=TINY)
    run(never_compared, "coarse")
    assert record(finished, ["coarse"]) == record(never_compared, ["coarse"])


# ---- totals, stops, changes


def test_a_finished_comparison_has_nothing_to_do_and_grows_by_repeats(finished: Study, tmp_path: Path) -> None:
    assert run(finished, "compare") == [False]
    assert run(comparing(finished.folder, "compare.repeats=1"), "compare") == [False]
    assert run(comparing(finished.folder, "compare.repeats=4"), "compare") == [True]
    at_once = comparing(tmp_path / "at once", "compare.repeats=4")
    run(at_once, "compare")
    assert record(finished, ["compare"])["compare"][0] == record(at_once, ["compare"])["compare"][0]


def test_stopped_anywhere_it_goes_on_to_the_same_numbers(
    whole: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "CALL_SECONDS", 0.0)
    monkeypatch.setattr(running, "STATE_SECONDS", 0.0)
    study = comparing(tmp_path)
    assert again_and_again(lambda n: run(study, "compare", progress=Countdown(n)), first=2, more=2) > 2
    assert record(study, ["compare"]) == record(whole, ["compare"])
    assert files(study) == files(whole)


def test_lanes_of_another_initialiser_do_not_go_on_from_each_others_states(whole: Study) -> None:
    from bnsearch.search.cohort import Lane
    from bnsearch.search.lane_file import Stored, load_lane, save_lane

    materials = materials_of(whole)
    plan = materials.plan("coarse", "compare.1", materials.prepare("coarse", [materials.part("coarse")])[0])
    lane = Lane(0, plan, Configuration(0.0, 0.1, 0.5), init="xavier")
    path = whole.folder / "lane.safetensors"
    save_lane(path, lane, Stored(start_state(plan, 1, ("xavier",)), [], 0.0))
    assert load_lane(path, lane) is not None
    assert load_lane(path, dataclasses.replace(lane, init="he")) is None
    assert load_lane(path, dataclasses.replace(lane, init=None)) is None


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ('compare.vary.network.batch_norm=["none","affine"]', "compare.vary.network.batch_norm"),
        ("compare.vary.training.l2=[0.0, 0.1]", "compare.vary.training.l2"),
        ("compare.training.epochs=4", "training.epochs"),
        ("seed=7", "seed"),
    ],
)
def test_changed_variants_are_refused_with_the_remedy(finished: Study, override: str, key: str) -> None:
    before = record(finished, ["compare"])
    with pytest.raises(ChangedError) as refusal:
        run(comparing(finished.folder, override), "compare")
    assert f"`{key}` must stay" in str(refusal.value)
    assert "--from compare" in str(refusal.value)
    assert record(finished, ["compare"]) == before


def test_reset_deletes_the_comparison_alone_and_the_chain_without_it(finished: Study) -> None:
    run(finished, "coarse", "fine")
    with stored(finished) as store:
        assert reset(finished, store, "coarse")[0] == "tiny.coarse"
    assert run(finished, "compare") == [False], "a reset of the chain leaves it alone"
    assert len(list((finished.results / "models").glob("compare-*"))) == MODELS
    run(finished, "coarse")
    with stored(finished) as store:
        assert reset(finished, store, "compare") == ["tiny.compare"]
        assert store.load("coarse") is not None
    assert not [name for name in files(finished) if "compare" in name]
    assert run(finished, "compare") == [True]


# ---- what was found


def test_differences_are_paired_over_the_repeats(whole: Study) -> None:
    row = row_of(whole)
    rows = row["comparison"]["variants"]
    values = {(t.user_attrs["variant"], t.user_attrs["repeat"]): t.value for t in trials_of(whole, "compare")}
    first = [values[0, r] for r in (1, 2, 3)]
    for i, found in enumerate(rows):
        own = [values[i, r] for r in (1, 2, 3)]
        assert found["valid_accuracy"]["per_seed"] == own
        assert found["valid_accuracy"]["mean"] == pytest.approx(np.mean(own))
        if i == 0:
            assert found["difference"] is None
            continue
        interval = ttest_rel(own, first).confidence_interval(1 - 0.05 / 7)
        assert found["difference"]["mean"] == pytest.approx(np.subtract(own, first).mean())
        if np.ptp(np.subtract(own, first)) > 1e-9:  # where all differences are equal there is no interval
            assert (found["difference"]["low"], found["difference"]["high"]) == pytest.approx(tuple(interval))
    best = max(range(8), key=lambda i: (round(rows[i]["valid_accuracy"]["mean"], 12), -i))
    assert row["comparison"]["best"] == best
    assert row["best"]["value"] == rows[best]["valid_accuracy"]["mean"]


def test_what_diverged_is_counted_and_left_out(tmp_path: Path) -> None:
    text = ALONE.replace("vary.training.momentum = [0.0, 0.9]", "vary.training.learning_rate = [0.1, 10.0]")
    text = text.replace("[network]", "[network]\n").replace("l2 = 1e-3", "l2 = 0.9")  # η·2λ beyond 2: weights explode
    study = comparing(tmp_path, text=text)
    assert run(study, "compare") == [True]
    assert run(study, "compare") == [False]
    comparison = row_of(study)["comparison"]
    lost = [row for row in comparison["variants"] if row["keys"]["training.learning_rate"] == 10.0]
    assert [row["n_diverged"] for row in lost] == [3] * 4
    assert all(row["valid_accuracy"] is None and row["difference"] is None for row in lost)
    assert comparison["variants"][comparison["best"]]["keys"]["training.learning_rate"] == 0.1
    states = {t.state for t in trials_of(study, "compare") if "diverged" in t.user_attrs}
    assert states == {TrialState.FAIL}
    assert look(study)
    tested = [row["test_accuracy"] is not None for row in row_of(study)["comparison"]["variants"]]
    assert tested == [row not in lost for row in comparison["variants"]]


def test_one_repeat_has_no_intervals(tmp_path: Path) -> None:
    study = comparing(tmp_path, "compare.repeats=1", text=ALONE)
    run(study, "compare")
    comparison = row_of(study)["comparison"]
    assert comparison["variants"][1]["valid_accuracy"]["low"] is None
    assert comparison["variants"][1]["difference"]["high"] is None
    assert [row["separable"] for row in comparison["variants"]] == [None] + [False] * 7


# ---- crossings


def test_crossings_that_are_the_same_networks_are_one_variant(tmp_path: Path) -> None:
    study = comparing(
        tmp_path,
        "compare.vary.network={hidden=[[], [8]], batch_norm=['none', 'plain'], bn_average=[0.9, 0.5]}",
        "compare.vary.training={momentum=[0.5]}",
    )
    assert study.comparison is not None
    assert [v.label for v in study.comparison.variants] == [
        "hidden none, batch_norm none, bn_average 0.9, momentum 0.5",
        "hidden 8, batch_norm none, bn_average 0.9, momentum 0.5",
        "hidden 8, batch_norm plain, bn_average 0.9, momentum 0.5",
        "hidden 8, batch_norm plain, bn_average 0.5, momentum 0.5",
    ]


def test_variants_may_differ_in_data_length_and_depth(tmp_path: Path) -> None:
    study = comparing(
        tmp_path,
        "compare.vary.data={standardize=['none','center'], train=[[0, 120], [0, 240]]}",
        "compare.vary.network={hidden=[[], [6, 5]]}",
        "compare.training={}",
        "compare.vary.training={epochs=[1, 2]}",
        "compare.repeats=2",
        text=ALONE,
    )
    assert run(study, "compare") == [True]
    trials = trials_of(study, "compare")
    assert len(trials) == 32
    assert {len(t.intermediate_values) for t in trials} == {1, 2}
    assert trials[0].params["data.train"] == "0-120"


CYCLIC = "{kind='cyclic', low=0.1, half_cycle_steps=6, cycles=1}"


def test_schedules_of_any_kind_may_be_crossed(tmp_path: Path) -> None:
    """`epochs`, which a cyclic one may not have, was refused whatever was written."""
    schedules = f"compare.vary.training={{schedule=[{{kind='constant'}}, {CYCLIC}], momentum=[0.0, 0.9]}}"
    study = comparing(
        tmp_path, schedules, "compare.repeats=1", "compare.training={epochs=2}", "compare.vary.network={}", text=ALONE
    )
    assert study.comparison is not None
    assert [v.setup.training.epochs for v in study.comparison.variants] == [2, 2, None, None]
    assert [v.label for v in study.comparison.variants][2:] == [
        f"schedule cyclic low 0.1 half_cycle_steps 6 cycles 1, momentum {m}" for m in (0.0, 0.9)
    ]
    assert run(study, "compare") == [True]
    assert len(trials_of(study, "compare")) == 4


def test_a_cyclic_study_is_compared_with_other_schedules_at_a_length_of_their_own(tmp_path: Path) -> None:
    schedules = f"compare.vary.training={{schedule=[{CYCLIC}, {{kind='constant'}}]}}"
    text = ALONE.replace("epochs = 3", "schedule = {kind='cyclic', low=0.1, half_cycle_steps=6, cycles=1}")
    study = comparing(tmp_path, schedules, "compare.training={epochs=2}", "compare.vary.network={}", text=text)
    assert study.comparison is not None
    assert [v.setup.training.epochs for v in study.comparison.variants] == [None, 2]


REFUSED: dict[str, tuple[list[str], list[str]]] = {
    "nothing is varied": (["compare.vary={}"], ["`vary` must list values", "vary.network.batch_norm = ["]),
    "no list": (["compare.vary.network.batch_norm='none'"], ["`vary.network.batch_norm` must be a list of values"]),
    "an empty list": (
        ["compare.vary.network.hidden=[]"],
        ["`vary.network.hidden` must be a list of values, but got []"],
    ),
    "a value twice": (["compare.vary.training.l2=[0.1, 0.1]"], ["`vary.training.l2` must not repeat a value"]),
    "an unknown key": (["compare.vary.network.hiden=[[5]]"], ["`compare.vary.network.hiden`", "`hidden`"]),
    "an unknown table": (["compare.vary.networks.hidden=[[5]]"], ["`compare.vary.networks`", "`network`"]),
    "a wrong type": (
        ["compare.vary.training.batch_size=[2, 'x']"],
        ["`compare.vary.training.batch_size` must be a whole number"],
    ),
    "a conflict": (
        ["compare.vary.data={components=[5], standardize=['none']}"],
        ["`compare.vary.data`", "`components` need centred inputs"],
    ),
    "the length of a cycle": (
        ["compare.training={}", f"compare.vary.training={{epochs=[1, 2], schedule=[{{kind='constant'}}, {CYCLIC}]}}"],
        ["`epochs` must be absent with a cyclic schedule"],
    ),
    "another data set": (["compare.vary.data.source=['digits', 'cifar10']"], ["`vary.data.source` must be absent"]),
    "too many": (
        [f"compare.vary.training.l2={[i / 100 for i in range(60)]}"],
        ["`vary` must have at most 200 crossings, but got 480"],
    ),
    "no repeats": (["compare.repeats=0"], ["`compare.repeats` must be at least 1"]),
    "an unknown key of its own": (["compare.trials=5"], ["`compare.trials`"]),
    "its own tables": (["compare.training.l2=2.0"], ["`compare.training.l2` must be at most 1"]),
    "fixed and varied": (["compare.training.momentum=0.5"], ["`compare.training.momentum` must be absent"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_compared_is_refused_in_one_line(tmp_path: Path, case: str) -> None:
    overrides, parts = REFUSED[case]
    with pytest.raises(StudyFileError) as refusal:
        comparing(tmp_path, *overrides)
    assert all(part in str(refusal.value) for part in parts), str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_study_without_a_comparison_is_told_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"section \[compare\] .* such as vary.network.batch_norm"):
        run(tiny(tmp_path), "compare")


def test_without_a_search_the_space_may_be_absent_but_not_forgotten(tmp_path: Path) -> None:
    comparing(tmp_path / "alone", text=ALONE)
    with pytest.raises(StudyFileError, match=r"`coarse\.space` must name"):
        comparing(tmp_path / "alone", "coarse.trials=3")


def test_rows_that_the_data_do_not_have_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    study = comparing(tmp_path, "compare.vary.data.train=[[0, 200], [300, 5000]]")
    with pytest.raises(StudyFileError, match="must lie within the 1437 training rows"):
        run(study, "compare")
    assert not (tmp_path / "tiny.db").exists()


# ---- the test set


def test_the_test_set_is_looked_at_when_asked_and_once(finished: Study) -> None:
    assert looks(finished) == []
    assert look(finished)
    assert [(found["purpose"], found["refused"]) for found in looks(finished)] == [("tiny.compare: 24 networks", None)]
    assert not look(finished), "nothing is left to be tested"
    assert len(looks(finished)) == 1
    run(comparing(finished.folder, "compare.repeats=4"), "compare")
    assert len(looks(finished)) == 1
    assert look(comparing(finished.folder, "compare.repeats=4"))
    assert looks(finished)[1]["purpose"] == "tiny.compare: 8 networks"
    assert row_of(finished)["comparison"]["variants"][0]["test_accuracy"]["per_seed"] == [
        t.user_attrs["test_accuracy"] for t in trials_of(finished, "compare") if t.user_attrs["variant"] == 0
    ]


def test_both_kinds_of_moments_are_tested_on_the_same_weights(finished: Study) -> None:
    look(finished)
    with at_work(finished) as session:
        X, y = session.materials.dataset.read_test()
    for trial in trials_of(finished, "compare")[:8]:
        by = trial.user_attrs.get("test_accuracy_by_statistics")
        if trial.params["network.batch_norm"] == "none":
            assert by is None
            continue
        assert by["moving"] == trial.user_attrs["test_accuracy"]
        for kind, accuracy in by.items():
            model = load_model(finished.results / "models" / f"compare-{trial.number:05d}-{kind}.safetensors")
            assert accuracy == np.mean(model.predict(X) == y)


def test_a_network_that_is_gone_is_missed_before_the_look(finished: Study) -> None:
    (finished.results / "models" / "compare-00004-moving.safetensors").unlink()
    with pytest.raises(StoreError, match=r"network of trial 4 must lie .* --from compare"):
        look(finished)
    assert looks(finished) == []


def test_nothing_is_tested_before_the_comparison(tmp_path: Path) -> None:
    study = comparing(tmp_path, text=ALONE)
    assert not look(study)
    with at_work(study) as session:
        assert run_stage(session, "compare")
    assert looks(study) == []
