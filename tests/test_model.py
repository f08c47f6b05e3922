"""The exported network predicts what the training path predicted, from raw inputs and one file."""

import dataclasses
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save, save_file

import bnsearch
from bnsearch.core.evaluate import evaluation_moments
from bnsearch.core.network import apply, work_for
from bnsearch.core.run import State
from bnsearch.data import digits
from bnsearch.data.dataset import Dataset
from bnsearch.data.part import Part
from bnsearch.data.prepare import load_transform, open_rows
from bnsearch.errors import ModelError
from bnsearch.model import Model, fold, load_model, save_model
from bnsearch.search.advance import Advance, advance
from bnsearch.search.plan import Configuration, Plan, build_run
from tests.search.helpers import plan_of, tiny

SEARCH = Part((0, 240), (240, 300))
REPEAT = dataclasses.replace(SEARCH, roll=2)
KINDS: dict[str, tuple[Part, tuple[str, ...]]] = {
    "affine, centred": (SEARCH, ()),
    "affine, per dimension": (SEARCH, ("data.standardize=per-dimension",)),
    "affine, raw": (SEARCH, ("data.standardize=none", "network.bn_average=0.5")),
    "plain, population": (SEARCH, ("network.batch_norm=plain", "network.bn_statistics=population")),
    "no batch norm": (SEARCH, ("network.batch_norm=none", "training.learning_rate=0.05")),
    "components": (SEARCH, ("data.standardize=per-dimension", "data.components=0.9")),
    "components of a repeat, plain": (REPEAT, ("data.components=20", "network.batch_norm=plain")),
    "no hidden layer": (SEARCH, ("network.hidden=[]", "data.standardize=per-dimension")),
    "no hidden layer, components": (SEARCH, ("network.hidden=[]", "data.components=12")),
    "three layers, large epsilon": (SEARCH, ("network.hidden=[12, 9, 7]", "network.bn_epsilon=0.5")),
}


@dataclasses.dataclass(frozen=True)
class Trained:
    plan: Plan
    state: State
    done: Advance
    model: Model
    raw: Any  # (n_valid, 64), as they were read
    labels: Any


@pytest.fixture(scope="module")
def data() -> Dataset:
    return digits.load()


@pytest.fixture(scope="module", params=KINDS)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, data: Dataset) -> Trained:
    part, overrides = KINDS[request.param]
    study = tiny(tmp_path_factory.mktemp("model"), "training.epochs=12", *overrides)
    plan = plan_of(study, part)
    done = advance(plan, (Configuration(1e-3, study.base.training.learning_rate, 0.9),), None, plan.n_steps)
    moments = evaluation_moments(done.state, build_run(plan))
    model = fold(done.state.network, moments, load_transform(plan.data.transform), data.classes, study="tiny", n=3)
    rows = part.rows()[1]
    return Trained(plan, done.state, done, model, data.X[rows], data.y[rows])


def test_it_predicts_what_training_evaluated(trained: Trained, tmp_path: Path) -> None:
    save_model(trained.model, tmp_path / "model.safetensors")
    model = load_model(tmp_path / "model.safetensors")
    outcome = trained.done.outcome
    assert outcome is not None
    assert outcome.valid_correct is not None
    assert outcome.valid_accuracy is not None
    assert float(outcome.valid_accuracy[0]) > 0.5  # else it has learnt nothing that could be confused
    hits = model.predict(trained.raw) == trained.labels
    top = np.sort(model.logits(trained.raw), axis=1)
    tied = top[:, -1] - top[:, -2] < 1e-4
    assert tied.sum() <= 1
    np.testing.assert_array_equal(hits[~tied], outcome.valid_correct[0][~tied])
    assert hits.mean() == pytest.approx(float(outcome.valid_accuracy[0]), abs=tied.mean())


def test_its_logits_are_those_of_the_network(trained: Trained) -> None:
    """Not only the largest: the folded chain is the same function."""
    rows = open_rows(trained.plan.data)[1]
    x, _ = rows.batch(slice(0, len(rows)))
    network, moments = trained.state.network, evaluation_moments(trained.state, build_run(trained.plan))
    logits = apply(network, x, moments, work_for(network, len(x)))
    np.testing.assert_allclose(trained.model.logits(trained.raw), logits[0].T, rtol=1e-3, atol=2e-3)


def test_a_file_comes_back_bit_for_bit(trained: Trained, tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "model.safetensors"
    save_model(trained.model, path)
    save_model(trained.model, path)  # replaces
    found = load_model(str(path))
    for one, other in zip(
        (*found.weights, *found.biases), (*trained.model.weights, *trained.model.biases), strict=True
    ):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == np.float64
    assert found.classes == trained.model.classes == tuple("0123456789")
    assert found.metadata == {"study": "tiny", "n": 3}
    assert [p.name for p in path.parent.iterdir()] == ["model.safetensors"]


def test_it_is_a_plain_chain_of_dense_layers(trained: Trained, tmp_path: Path) -> None:
    """As the documentation says, so that others can read it: affine -> ReLU -> … -> affine, on raw inputs."""
    save_model(trained.model, tmp_path / "model.safetensors")
    tensors = load_file(tmp_path / "model.safetensors")
    widths = (64, *trained.plan.architecture.hidden, 10)
    x = trained.raw.astype(np.float64)
    for i, (fan_in, fan_out) in enumerate(itertools.pairwise(widths)):
        W, b = tensors[f"layers.{i}.weight"], tensors[f"layers.{i}.bias"]
        assert (W.shape, b.shape) == ((fan_in, fan_out), (fan_out,))
        x = (np.maximum(x, 0) if i else x) @ W + b
    assert len(tensors) == 2 * (len(widths) - 1)
    np.testing.assert_allclose(x, trained.model.logits(trained.raw), atol=1e-9)


# ---- use


@pytest.fixture
def small() -> Model:
    rng = np.random.default_rng(0)
    return Model((rng.normal(size=(6, 5)), rng.normal(size=(5, 3))), (rng.normal(size=5), np.zeros(3)), ("a", "b", "c"))


def test_images_may_keep_their_shape(small: Model) -> None:
    X = np.random.default_rng(1).integers(0, 256, (7, 2, 3), dtype=np.uint8)
    np.testing.assert_array_equal(small.logits(X), small.logits(X.reshape(7, 6).astype(np.float64)))


def test_many_rows_are_as_good_as_few(small: Model) -> None:
    X = np.random.default_rng(1).normal(size=(2345, 6))
    whole = small.logits(X)
    assert whole.shape == (2345, 3)
    np.testing.assert_allclose(whole[1990:2010], small.logits(X[1990:2010]), atol=1e-12)


@pytest.mark.parametrize("shape", [(0, 6), (0, 2, 3)])
def test_no_rows_give_no_predictions(small: Model, shape: tuple[int, ...]) -> None:
    """They once gave NumPy's complaint about an unknown dimension."""
    assert small.logits(np.zeros(shape)).shape == (0, 3)
    assert small.predict(np.zeros(shape)).shape == (0,)
    assert small.probabilities(np.zeros(shape)).shape == (0, 3)


def test_probabilities_sum_to_one_and_never_overflow(small: Model) -> None:
    X = np.random.default_rng(1).normal(size=(20, 6)) * 1e6
    found = small.probabilities(X)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    np.testing.assert_array_equal(found.argmax(axis=1), small.predict(X))


@pytest.mark.parametrize(("shape", "got"), [((4, 5), 5), ((4, 7), 7), ((4, 3, 3), 9), ((6,), 1), ((0, 5), 5)])
def test_a_wrong_width_is_refused_with_both_numbers(small: Model, shape: tuple[int, ...], got: int) -> None:
    with pytest.raises(ModelError, match=rf"takes 6 inputs a row, but got {got}\."):
        small.predict(np.zeros(shape))


def test_a_model_needs_neither_database_nor_data(small: Model, tmp_path: Path) -> None:
    X = np.random.default_rng(1).normal(size=(20, 6))
    save_model(small, tmp_path / "model.safetensors")
    np.save(tmp_path / "X.npy", X)
    code = """
import sys
import numpy as np
from bnsearch import load_model
print(*load_model("model.safetensors").predict(np.load("X.npy")))
assert not {"optuna", "sqlalchemy", "sklearn", "pandas"} & set(sys.modules)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(bnsearch.__file__).parents[1]), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert [int(k) for k in done.stdout.split()] == small.predict(X).tolist()


# ---- what is no model

TEXT = {"format": "bnsearch-model-2", "classes": '["a", "b", "c"]', "metadata": "{}"}


def tensors(**changes: Any) -> dict[str, Any]:
    whole = {
        "layers.0.weight": np.ones((6, 5)),
        "layers.0.bias": np.ones(5),
        "layers.1.weight": np.ones((5, 3)),
        "layers.1.bias": np.ones(3),
    }
    changed = whole | {name.replace("_", "."): value for name, value in changes.items()}
    return {name: value for name, value in changed.items() if value is not None}


WRONG: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "other format": (tensors(), TEXT | {"format": "another"}, "its format is 'another'"),
    "no format": (tensors(), {}, "its format is None"),
    "classes no JSON": (tensors(), TEXT | {"classes": "a, b"}, "lacks a part"),
    "classes no list": (tensors(), TEXT | {"classes": "3"}, "lacks a part"),
    "no classes": (
        tensors(),
        {k: v for k, v in TEXT.items() if k != "classes"},
        "lacks a part of the model: 'classes'",
    ),
    "no bias": (tensors(layers_1_bias=None), TEXT, "lacks a part|matching layers"),
    "no weight": (tensors(layers_0_weight=None, layers_9_weight=np.ones((6, 5))), TEXT, "'layers.0.weight'"),
    "no layers": ({"something": np.ones(3)}, TEXT, "matching layers"),
    "too many tensors": (tensors(extra=np.ones(3)), TEXT, "matching layers|lacks"),
    "broken chain": (tensors(layers_1_weight=np.ones((4, 3))), TEXT, r"matching layers.*\(6, 5\), \(4, 3\)"),
    "a bias too long": (tensors(layers_0_bias=np.ones(6)), TEXT, "matching layers"),
    "a bias of two dimensions": (tensors(layers_0_bias=np.ones((5, 1))), TEXT, "matching layers"),
    "a weight that is a number": (tensors(layers_0_weight=np.ones(())), TEXT, "matching layers|lacks"),
    "a bias that is a number": (tensors(layers_1_bias=np.ones(())), TEXT, "matching layers|lacks"),
    "more classes than outputs": (tensors(), TEXT | {"classes": '["a", "b", "c", "d"]'}, "matching layers"),
}


@pytest.mark.parametrize(("arrays", "text", "message"), WRONG.values(), ids=WRONG)
def test_a_foreign_safetensors_file_is_refused_in_one_line(
    arrays: dict[str, Any], text: dict[str, str], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "foreign.safetensors"
    save_file(arrays, path, metadata=text or None)
    with pytest.raises(ModelError, match=message) as caught:
        load_model(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_the_parts_of_those_files_make_a_model(tmp_path: Path) -> None:
    """Else the refusals above show nothing."""
    save_file(tensors(), tmp_path / "own.safetensors", metadata=TEXT)
    assert load_model(tmp_path / "own.safetensors").predict(np.ones((2, 6))).tolist() == [0, 0]


def test_what_is_no_safetensors_file_is_refused_in_one_line(small: Model, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_model(small, path)
    whole = path.read_bytes()
    for content in (
        b"",
        whole[:5],
        whole[:50],
        whole[:-1],
        whole[: len(whole) // 2],
        b"garbage" * 30,
        b"\x80\x04K\x01.",
    ):
        path.write_bytes(content)
        with pytest.raises(ModelError, match="must be a readable safetensors file"):
            load_model(path)
    for missing in (tmp_path / "nothing", tmp_path):
        with pytest.raises(ModelError, match="must be a readable safetensors file") as caught:
            load_model(missing)
        assert str(missing) in str(caught.value)


@pytest.mark.parametrize("at", [0.0, 0.3, 0.7, 1.0])
def test_a_flipped_bit_in_the_numbers_is_refused(at: float, small: Model, tmp_path: Path) -> None:
    """It was once a model like any other, with another weight."""
    path = tmp_path / "model.safetensors"
    save_model(small, path)
    whole = bytearray(path.read_bytes())
    n_header = 8 + int.from_bytes(whole[:8], "little")
    whole[n_header + round(at * (len(whole) - n_header - 1))] ^= 4
    path.write_bytes(whole)
    with pytest.raises(ModelError, match="must be as it was written, but its checksum says that it was altered"):
        load_model(path)


def test_no_byte_of_the_header_can_do_harm(small: Model, tmp_path: Path) -> None:
    """Every flipped byte gives a refusal or a model, never another exception."""
    path = tmp_path / "model.safetensors"
    save_model(small, path)
    whole = path.read_bytes()
    n_header = 8 + int.from_bytes(whole[:8], "little")
    n_refused = 0
    for at in range(n_header):
        spoilt = bytearray(whole)
        spoilt[at] ^= 1
        path.write_bytes(spoilt)
        try:
            load_model(path)
        except ModelError:
            n_refused += 1
    assert n_refused > n_header / 4
    assert json.loads(whole[8:n_header])["__metadata__"]["format"] == "bnsearch-model-2"


def test_an_empty_file_with_the_right_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(save({}, metadata=TEXT))
    with pytest.raises(ModelError, match="matching layers"):
        load_model(tmp_path / "a")
