"""Study files: the bundled ones, overrides of the command line and of stages, one clear line for what is wrong."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnsearch.errors import BnsearchError, StudyFileError, UsageError
from bnsearch.search.setups import STAGES
from bnsearch.search.study_file import bundled, find, load_study
from bnsearch.search.tables import Constant, Cosine, Cyclic, Exponential, NormalInit, Range
from tests.helpers import TINY
from tests.search.helpers import tiny, untimed

# ---- the bundled studies


def test_cifar10_cyclic_is_n19() -> None:
    study = load_study("cifar10-cyclic")
    data, network, training = study.base.data, study.base.network, study.base.training
    assert (data.source, data.train, data.valid) == ("cifar10", (0, 45_000), (45_000, 50_000))
    assert data.standardize == "per-dimension"
    assert (network.hidden, network.batch_norm, network.bn_average, network.init) == ((50, 50), "affine", 0.9, "he")
    assert (training.batch_size, training.learning_rate, training.l2, training.momentum) == (100, 0.1, 0.005, 0.0)
    cycle = Cyclic(kind="cyclic", low=1e-4, half_cycle_steps=2250, cycles=2)  # η from 1e-5 to 1e-1
    assert training.schedule == cycle
    assert study.tables.coarse.space == {"l2": Range(low=1e-5, high=1e-1, log=True)}
    assert (study.tables.coarse.total, study.tables.fine.total) == (10, 10)
    assert study.setups["final"].training.schedule == cycle.model_copy(update={"cycles": 3})


def test_cifar10_momentum_is_b17() -> None:
    study = load_study("cifar10-momentum")
    data, network, training = study.base.data, study.base.network, study.base.training
    assert (data.train, data.valid, data.standardize, data.components) == ((0, 5_000), (40_000, 41_000), "none", None)
    assert (network.hidden, network.batch_norm, network.bn_average) == ((50, 30), "plain", 0.99)
    assert network.init == "xavier"
    assert (training.batch_size, training.momentum, training.epochs) == (500, 0.8, 10)
    assert training.schedule == Exponential(kind="exponential", decay=0.99)
    coarse, fine, final = study.tables.coarse, study.tables.fine, study.tables.final
    assert coarse.sampler == fine.sampler == "grid"
    assert coarse.space == {
        "l2": (0.000192, 0.000672, 0.003772, 0.032430, 0.266132),
        "learning_rate": (0.40573, 0.029202, 0.012721, 0.003215),
    }
    assert fine.space == {
        "l2": (0.012361, 0.032430, 0.053913),
        "learning_rate": (0.043773, 0.029202, 0.016231, 0.001051),
    }
    assert (coarse.total, fine.total) == (20, 12)
    assert study.setups["fine"].data.train == (0, 10_000)
    assert study.setups["fine"].data.valid == (40_000, 41_000)
    assert study.setups["fine"].training.epochs == 15
    assert study.setups["final"].data.train == (0, 40_000)
    assert study.setups["final"].training.epochs == 20
    assert final.setting == {"l2": 0.0001, "learning_rate": 0.029202}
    assert final.train_on == "train"


def test_digits_is_whole_and_small() -> None:
    study = load_study("digits")
    assert study.base.data.source == "digits"
    assert study.base.data.train == (0, 1198)
    assert study.base.data.valid == (1198, 1437)
    assert isinstance(study.base.training.schedule, Cosine)
    assert study.default_setting() == {"l2": 1e-3, "learning_rate": 0.1, "momentum": 0.9}
    assert set(bundled()) >= {"digits", "cifar10-cyclic", "cifar10-momentum", "b17-overfit", "n19-sensitivity"}


# ---- where a name leads


def test_a_bundled_study_keeps_its_results_below_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path, folder = find("digits")
    assert path == bundled()["digits"]
    assert folder == Path("studies")
    assert load_study("digits").results == Path("studies") / "digits"


def test_an_own_study_of_that_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny(tmp_path / "studies", name="digits")
    monkeypatch.chdir(tmp_path)
    assert find("digits") == (Path("studies/digits.toml"), Path("studies"))
    assert load_study("digits").base.network.hidden == (8,)


def test_a_path_keeps_its_results_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = tiny(tmp_path / "mine", name="wide")
    assert study.name == "wide"
    assert study.results == tmp_path / "mine" / "wide"
    monkeypatch.chdir(tmp_path / "mine")
    assert load_study("wide.toml").results == Path("wide")
    assert load_study("./wide.toml").base == study.base


@pytest.mark.parametrize("name", ["digit", "", "DIGITS", "cifar10", "nul\0l"])
def test_an_unknown_study_is_answered_with_the_bundled_ones(name: str) -> None:
    with pytest.raises(UsageError, match="cifar10-cyclic, cifar10-momentum, digits") as caught:
        load_study(name)
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize("name", ["missing.toml", "some/where", "folder.toml"])
def test_a_missing_file_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder.toml").mkdir()
    with pytest.raises(UsageError, match=rf"must exist at {name}") as caught:
        load_study(name)
    assert "digits" in str(caught.value)


# ---- overrides


def test_overrides_read_like_toml_and_bare_words_are_texts(tmp_path: Path) -> None:
    study = tiny(
        tmp_path,
        "seed=7",
        "training.l2 = 5e-3",
        "network.hidden=[4, 3]",
        "network.init=xavier",
        "network.batch_norm='none'",
        "coarse.space.momentum={ low = 0.1, high = 0.9, log = false }",
        "coarse.space.l2.high = 0.5",
        "coarse.trials=9",
        "fine.sampler=tpe",
    )
    assert study.seed == 7
    assert study.base.training.l2 == 5e-3
    assert study.base.network.hidden == (4, 3)
    assert (study.base.network.init, study.base.network.batch_norm) == ("xavier", "none")
    assert study.tables.coarse.space == {
        "l2": Range(low=1e-5, high=0.5),
        "learning_rate": Range(low=1e-2, high=1.0),
        "momentum": Range(low=0.1, high=0.9, log=False),
    }
    assert (study.tables.coarse.total, study.tables.fine.sampler) == (9, "tpe")
    assert study.tables.fine.total == 4  # the file's other values stay


def test_of_two_overrides_of_a_key_the_last_counts(tmp_path: Path) -> None:
    assert tiny(tmp_path, "training.l2=1e-2", "training.l2=1e-4").base.training.l2 == 1e-4


@pytest.mark.parametrize("override", ["training.l2", "=3", ".=3", "training..l2=3", ".l2=3", "training.=3", ""])
def test_an_override_must_have_a_key_and_a_value(override: str, tmp_path: Path) -> None:
    with pytest.raises(StudyFileError, match=r"must read section\.key=value") as caught:
        tiny(tmp_path, override)
    assert repr(override) in str(caught.value)


def test_an_override_cannot_go_through_a_value(tmp_path: Path) -> None:
    with pytest.raises(StudyFileError, match=r"`train` must be a table, but is \[0, 240\]"):
        tiny(tmp_path, "data.train.first=3")


# ---- overrides of stages


def test_a_stage_changes_its_own_setup_alone(tmp_path: Path) -> None:
    study = tiny(tmp_path, "fine.training.epochs=9", "fine.data.train=[0, 200]", "fine.network.bn_average=0.5")
    fine = study.setups["fine"]
    assert (fine.training.epochs, fine.data.train, fine.network.bn_average) == (9, (0, 200), 0.5)
    assert (fine.training.batch_size, fine.data.valid, fine.network.hidden) == (40, (240, 300), (8,))
    for stage in ("coarse", "confirm", "final"):
        assert study.setups[stage] == study.base


def test_finalists_run_with_finals_schedule(tmp_path: Path) -> None:
    study = tiny(tmp_path, "final.training.epochs=12", "final.data.train=[0, 200]")
    assert study.setups["confirm"].training.epochs == 12
    assert study.setups["confirm"].data.train == (0, 240)  # its rows are its own matter
    assert study.setups["coarse"].training.epochs == study.setups["fine"].training.epochs == 4
    own = tiny(tmp_path, "final.training.epochs=12", "confirm.training.epochs=7")
    assert (own.setups["confirm"].training.epochs, own.setups["final"].training.epochs) == (7, 12)


def test_an_override_of_a_hyperparameter_counts_where_nothing_else_says_it(tmp_path: Path) -> None:
    overrides = ("coarse.training.l2=0.01", "fine.training.momentum=0.7", "fine.space={l2={low=1e-4, high=1e-2}}")
    study = tiny(tmp_path, *overrides, "fine.training.learning_rate=0.3", "final.setting={l2=0.1}")
    assert study.setups["coarse"].training.l2 == 0.01
    assert (study.setups["fine"].training.momentum, study.setups["fine"].training.learning_rate) == (0.7, 0.3)
    fixed = tiny(tmp_path, "final.setting={l2=0.1}", "final.training.momentum=0.8")
    assert fixed.setups["final"].training.momentum == 0.8


def test_coarse_may_bring_a_default_that_lies_within_its_space(tmp_path: Path) -> None:
    """The file's own default lies outside, but coarse never trains it."""
    study = tiny(tmp_path, "training.l2=0.5", "coarse.training.l2=0.05")
    assert study.setups["coarse"].training.l2 == 0.05


def test_one_key_of_a_schedule_is_merged_and_another_kind_replaces_it_whole(tmp_path: Path) -> None:
    cyclic = TINY.replace("epochs = 4", 'schedule = { kind = "cyclic", low = 0.1, half_cycle_steps = 6, cycles = 2 }')
    study = tiny(tmp_path, "final.training.schedule.cycles=3", name="cyclic", text=cyclic)
    assert study.base.training.schedule == Cyclic(kind="cyclic", low=0.1, half_cycle_steps=6, cycles=2)
    for stage in ("confirm", "final"):
        assert study.setups[stage].training.schedule == Cyclic(kind="cyclic", low=0.1, half_cycle_steps=6, cycles=3)
    other = tiny(
        tmp_path, "final.training.schedule={kind='exponential',decay=0.9}", "final.training.epochs=5", name="cyclic"
    )
    assert other.setups["final"].training.schedule == Exponential(kind="exponential", decay=0.9)
    assert other.setups["coarse"].training.schedule == study.base.training.schedule


def test_a_stage_may_name_a_kind_where_the_file_has_none(tmp_path: Path) -> None:
    study = tiny(tmp_path, "coarse.training.schedule={kind='cosine'}")
    assert study.setups["coarse"].training.schedule == Cosine(kind="cosine")
    assert study.base.training.schedule == Constant()


def test_a_width_of_initial_weights_is_a_table(tmp_path: Path) -> None:
    assert tiny(tmp_path, "network.init={normal=1e-3}").base.network.init == NormalInit(normal=1e-3)


# ---- what is refused

CYCLIC = "training.schedule={kind='cyclic', low=0.1, half_cycle_steps=5, cycles=2}"
GRID = "coarse.sampler='grid'"
REFUSED: dict[str, tuple[list[str], list[str]]] = {
    # overrides, what the message must contain: the path, what must hold, what was received
    "unknown key": (["training.lerning_rate=1"], ["`training.lerning_rate`", "did you mean `learning_rate`?"]),
    "unknown key of a range": (["coarse.space.l2.lwo=1"], ["`coarse.space.l2.lwo`", "did you mean `low`?"]),
    "unknown key far from all": (["confirm.trials=3"], ["`confirm.trials`", "possible keys are repeats"]),
    "unknown table": (["trainig.l2=1"], ["unknown key `trainig`", "training"]),
    "unknown key of a schedule": (
        ["training.schedule={kind='cosine', warmup=1}"],
        ["`training.schedule.warmup`", "did you mean `warmup_epochs`?"],
    ),
    "a text for a number": (["training.l2='much'"], ["`training.l2` must be a number", "'much'"]),
    "a truth for a number": (["training.l2=true"], ["`training.l2` must be a number", "True"]),
    "a fraction for a count": (["training.epochs=1.5"], ["`training.epochs` must be a whole number", "1.5"]),
    "a value for a table": (["data=3"], ["`data` must be a table", "3"]),
    "a value for a stage's table": (["coarse.training=5"], ["`coarse.training` must be a table", "5"]),
    "a value for a schedule": (["training.schedule=3"], ["`training.schedule` must be a table", "3"]),
    "a number for a list": (["network.hidden=8"], ["`network.hidden` must be a list", "8"]),
    "a fraction in a list": (["network.hidden=[8, 1.5]"], ["`network.hidden.1` must be a whole number", "1.5"]),
    "a number for a text": (["data.source=5"], ["`data.source` must be a text", "5"]),
    "an unknown word": (["network.init=hee"], ["`network.init` must be 'he', 'xavier' or 'zeros'", "'hee'"]),
    "an unknown schedule": (["training.schedule={kind='linear'}"], ["`training.schedule`", "'cosine'", "'linear'"]),
    "a schedule without a kind": (["training.schedule={decay=0.5}"], ["`training.schedule` must have a `kind`"]),
    "a schedule without its decay": (["training.schedule={kind='exponential'}"], ["`training.schedule.decay`"]),
    "a bound of a range": (["coarse.space.l2.high='x'"], ["`coarse.space.l2.high` must be a number", "'x'"]),
    "low above high": (["coarse.space.l2.low=1"], ["`coarse.space.l2`", "`low < high`", "low = 1.0, high = 0.1"]),
    "low equal to high": (["coarse.space.l2.low=0.1"], ["`low < high`", "low = 0.1, high = 0.1"]),
    "a logarithm of zero": (["coarse.space.l2.low=0"], ["`coarse.space.l2`", "`low > 0`", "low = 0.0", "log = false"]),
    "an infinite range": (["coarse.space.l2.high=inf"], ["`coarse.space.l2.high` must be finite", "inf"]),
    "a range beyond the limits": (
        ["coarse.space.learning_rate.high=20"],
        ["`coarse`", "`space.learning_rate` must lie within [0, 10]", "0.01 to 20"],
    ),
    "a grid with a range": ([GRID], ["`coarse`", "`space.l2` must be a list of values", "'grid'"]),
    "a list without a grid": (["coarse.space.l2=[1e-3, 1e-2]"], ["`space.l2` must be a table with low and high"]),
    "an empty list": ([GRID, "coarse.space={l2=[]}"], ["`coarse.space.l2` must have at least 1 value", "[]"]),
    "a value twice": ([GRID, "coarse.space={l2=[1e-3, 1e-3]}"], ["`space.l2` must not repeat", "[0.001, 0.001]"]),
    "a text in a grid": ([GRID, "coarse.space={l2=[1e-3, 'a']}"], ["`coarse.space.l2.1` must be a number", "'a'"]),
    "more trials than the grid": (
        [GRID, "coarse.space={l2=[1e-3, 1e-2]}", "coarse.trials=3"],
        ["`coarse`", "`trials` must be at most the grid's 2 settings", "3"],
    ),
    "a grid without values": (["fine.sampler='grid'"], ["`fine`", "`space` must list the values"]),
    "an empty space": (["coarse.space={}"], ["`space` must name at least one of l2, learning_rate, momentum"]),
    "what cannot be searched": (["coarse.space.hidden={low=1, high=9}"], ["`coarse.space`", "'hidden'"]),
    "a default outside": (["training.l2=0.5"], ["`training.l2`", "`coarse.space.l2`", "0.5", "[1e-05, 0.1]"]),
    "coarse's own default outside": (
        ["coarse.training.l2=0.5"],
        ["`coarse.training.l2` must lie within `coarse.space.l2`", "0.5", "[1e-05, 0.1]"],
    ),
    "an override of what fine searches, in coarse's space": (
        ["fine.training.l2=0.01"],
        ["`fine.training.l2` must be absent, as fine searches it", "0.01", "`fine.space.l2`", "`training.l2`"],
    ),
    "an override of what fine searches, in its own space": (
        ["fine.space={momentum={low=0.1, high=0.9}}", "fine.training.momentum=0.3"],
        ["`fine.training.momentum` must be absent, as fine searches it", "0.3"],
    ),
    "an override of what a grid lists": (
        [GRID, "coarse.space={l2=[1e-3, 1e-2]}", "coarse.training.l2=0.01", "coarse.trials=2"],
        ["`coarse.training.l2` must be absent, as coarse's grid lists its values", "0.01", "`coarse.space.l2`"],
    ),
    "an override of what finalists bring": (
        ["confirm.training.learning_rate=0.2"],
        ["`confirm.training.learning_rate` must be absent, as each finalist", "0.2", "set `training.learning_rate`"],
    ),
    "an override of what the winner brings": (
        ["final.training.learning_rate=0.2"],
        ["`final.training.learning_rate` must be absent", "0.2", "`final.setting.learning_rate`"],
    ),
    "an override of what is fixed": (
        ["final.setting={l2=0.1}", "final.training.l2=0.2"],
        ["`final.training.l2` must be absent, as `final.setting.l2` fixes it", "0.2", "keep one"],
    ),
    "rows for both": (["data.valid=[200, 260]"], ["`data`", "must not share rows", "[0, 240] and [200, 260]"]),
    "no rows": (["data.train=[5, 5]"], ["`data`", "`train` must be rows", "[5, 5]"]),
    "negative rows": (["data.train=[-1, 5]"], ["`train` must be rows", "[-1, 5]"]),
    "half a range of rows": (["data.train=[0]"], ["`data.train.1` must be given"]),
    "components of raw pixels": (
        ["data.standardize='none'", "data.components=0.9"],
        ["`data`", "`components` need centred inputs", '"center"'],
    ),
    "half a component": (["data.components=1.5"], ["`components` must be a whole count or a share below 1", "1.5"]),
    "no components": (["data.components=0"], ["`data.components` must be greater than 0", "0"]),
    "endless components": (["data.components=inf"], ["`data.components` must be finite", "inf"]),
    "epochs of a cycle": ([CYCLIC], ["`training`", "`epochs` must be absent with a cyclic schedule"]),
    "no batch": (["training.batch_size=1"], ["`training.batch_size` must be at least 2", "1"]),
    "no epochs": (["training.epochs=0"], ["`training.epochs` must be at least 1", "0"]),
    "a negative λ": (["training.l2=-1"], ["`training.l2` must be at least 0", "-1"]),
    "not a number": (["training.l2=nan"], ["`training.l2`", "nan"]),
    "a momentum of 1": (["training.momentum=1.0"], ["`training.momentum` must be less than 1", "1.0"]),
    "a rung at the end": (["coarse.rungs=[0.5, 1.0]"], ["`coarse.rungs.1` must be less than 1", "1.0"]),
    "a rung at the start": (["fine.rungs=[0.0]"], ["`fine.rungs.0` must be greater than 0", "0.0"]),
    "rungs that fall": (["coarse.rungs=[0.5, 0.25]"], ["`coarse`", "`rungs` must rise", "[0.5, 0.25]"]),
    "one rung without a list": (["coarse.rungs=0.5"], ["`coarse.rungs` must be a list", "0.5"]),
    "all are kept": (["coarse.keep=1.0"], ["`coarse.keep` must be less than 1", "1.0"]),
    "a share without rungs": (["coarse.rungs=[]", "coarse.keep=0.5"], ["`keep` must be absent where", "0.5"]),
    "rungs with TPE": (
        ["coarse.sampler=tpe", "coarse.rungs=[0.25]"],
        ["`coarse`", "`rungs` must be absent with the sampler 'tpe'", "[0.25]", "sobol"],
    ),
    "rungs under a cosine": (
        ["fine.rungs=[0.25]", "fine.training.schedule={kind='cosine'}"],
        ["`fine.rungs` must be absent or [] with a cosine schedule", "[0.25]", "leave it out"],
    ),
    "rungs of one cycle": (
        ["training={l2=1e-3, schedule={kind='cyclic', low=0.1, half_cycle_steps=5, cycles=1}}", "coarse.rungs=[0.5]"],
        ["`coarse.rungs` must be absent or [] with a single cycle", "[0.5]"],
    ),
    "rungs of one epoch": (["training.epochs=1", "coarse.rungs=[0.5]"], ["with a single epoch", "[0.5]"]),
    "no trials": (["coarse.trials=0"], ["`coarse.trials` must be at least 1", "0"]),
    "one repeat": (["confirm.repeats=1"], ["`confirm.repeats` must be at least 2", "1"]),
    "a fixed setting beyond the limits": (["final.setting={l2=2}"], ["`final`", "`setting.l2` must lie within", "2"]),
    "a fixed rate of zero": (["final.setting={learning_rate=0}"], ["`setting.learning_rate` must lie within", "0"]),
    "another fixed setting": (["final.setting={hidden=2}"], ["`final.setting`", "'hidden'"]),
    "a stage's impossible value": (["fine.training.l2=7"], ["`fine.training.l2` must be at most 1", "7"]),
    "a negative seed": (["seed=-1"], ["`seed` must be a whole number of at least 0", "-1"]),
    "a fraction for a seed": (["seed=1.5"], ["`seed` must be a whole number", "1.5"]),
    "a truth for a seed": (["seed=true"], ["`seed` must be a whole number", "True"]),
    "a number of thousands of digits": (["seed=" + "9" * 5000], ["`seed` must be a whole number"]),
}


@pytest.mark.parametrize(("overrides", "parts"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_said_in_one_line(overrides: list[str], parts: list[str], tmp_path: Path) -> None:
    with pytest.raises(StudyFileError) as caught:
        tiny(tmp_path, *overrides)
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "tiny.toml"))
    assert all(part in message for part in parts), message
    assert "\n" not in message


def test_further_problems_are_counted(tmp_path: Path) -> None:
    with pytest.raises(StudyFileError, match=r"`data\.tran`; did you mean `train`\? \(2 more problems after this\.\)"):
        tiny(tmp_path, "data.tran=[0, 1]", "training.l2=3", "network.width=3")
    with pytest.raises(StudyFileError) as caught:
        tiny(tmp_path, "coarse.space.l2.lwo=1")  # fits neither a range nor a list: still one problem
    assert "more problem" not in str(caught.value)


TEXTS = {
    "no toml": (TINY + "\nx = = 3\n", "must be a readable TOML file", "line"),
    "a key twice": (TINY + "\nrepeats = 3\n", "must be a readable TOML file", "line"),
    "no source": (TINY.replace('source = "digits"', ""), "`data.source` must be given", ""),
    "no length": (TINY.replace("epochs = 4", ""), "`epochs` must be given with a schedule of kind 'constant'", ""),
    "only training rows": (TINY.replace("valid = [240, 300]", ""), "`train` and `valid` must be given together", ""),
    "no space": (TINY.replace("space.", "# "), "`coarse.space` must name what is searched", "space.l2 = {"),
    "nothing": ("", "`data.source` must be given", ""),
}


@pytest.mark.parametrize(("text", "must", "also"), TEXTS.values(), ids=TEXTS)
def test_what_a_file_lacks_is_said_in_one_line(text: str, must: str, also: str, tmp_path: Path) -> None:
    with pytest.raises(StudyFileError) as caught:
        tiny(tmp_path, text=text)
    message = str(caught.value)
    assert str(tmp_path / "tiny.toml") in message
    assert must in message
    assert also in message
    assert "\n" not in message


@pytest.mark.parametrize("content", [b"\xff\xfe[data]", b'[data]\nsource = "\xe9"', b"\x00"])
def test_a_file_that_is_no_text_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_bytes(content)
    with pytest.raises(StudyFileError, match=r"bad\.toml must be a readable TOML file"):
        load_study(str(tmp_path / "bad.toml"))


def test_a_grid_needs_no_default_within_it(tmp_path: Path) -> None:
    study = tiny(tmp_path, GRID, "coarse.space={l2=[0.2, 0.3]}", "coarse.trials=2")
    assert study.tables.coarse.total == 2
    assert study.default_setting()["l2"] == 1e-3


KEYS = [
    *(f"{a}.{b}" for a in ("data", "network", "training") for b in ("train", "valid", "components", "hidden", "init")),
    *("training.l2", "training.momentum", "training.epochs", "training.batch_size", "training.schedule"),
    *("training.schedule.kind", "training.schedule.low", "network.bn_average", "network.bn_epsilon", "data.source"),
    *("coarse.space", "coarse.space.l2", "coarse.space.l2.low", "coarse.space.momentum", "coarse.sampler"),
    *(
        "coarse.rungs",
        "fine.rungs",
        "coarse.keep",
        "coarse.trials",
        "fine.space",
        "fine.sampler",
        "confirm.repeats",
        "final.setting",
        "final.train_on",
        "seed",
    ),
    *(
        "final.training",
        "final.training.schedule",
        "coarse",
        "data",
        "training",
        "fine.data.train",
        "nonsense",
        "a.b.c",
    ),
]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["grid", "tpe", "he", "cyclic", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["low", "high", "log", "kind", "l2", "normal", "epochs"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def as_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {as_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, str):
        return f"'{value}'"
    return (
        {None: "''", True: "true", False: "false"}.get(value, repr(value))
        if value in (None, True, False)
        else repr(value)
    )


@given(st.lists(st.tuples(st.sampled_from(KEYS), values.map(as_toml) | st.text(max_size=12)), min_size=1, max_size=3))
@untimed
def test_whatever_is_overridden_gives_a_study_or_a_refusal(tmp_path: Path, overrides: list[tuple[str, str]]) -> None:
    try:
        study = tiny(tmp_path, *(f"{key}={value}" for key, value in overrides))
    except BnsearchError:
        return  # any other exception would be a bug
    assert set(study.setups) == set(STAGES)
    assert all(setup.training.batch_size >= 2 for setup in study.setups.values())
