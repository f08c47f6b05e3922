"""Models, states of lanes, and the safetensors format around both: headers that lie, arrays of other kinds."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from hypothesis import strategies as st
from safetensors.numpy import save

from bnsearch.core.run import State
from bnsearch.errors import BnsearchError
from bnsearch.model import Model, load_model, save_model
from bnsearch.search.advance import advance
from bnsearch.search.cohort import Lane
from bnsearch.search.lane_file import Stored, load_lane, row, save_lane
from tests.fuzz.guard import check_line, only_in
from tests.fuzz.mutation import spoilt, spoilt_or_raw
from tests.search.helpers import CONFIGURATIONS, plan_of, tiny

N_INPUTS = 6


@cache
def whole_model() -> bytes:
    """A small model's file."""
    rng = np.random.default_rng(0)
    weights, biases = (rng.normal(size=(N_INPUTS, 5)), rng.normal(size=(5, 3))), (rng.normal(size=5), np.zeros(3))
    with TemporaryDirectory() as folder:
        path = Path(folder, "model.safetensors")
        save_model(Model(weights, biases, ("a", "b", "c"), {"n": 1}), path)
        return path.read_bytes()


@cache
def _trained() -> tuple[Lane, State, bytes]:
    with TemporaryDirectory() as folder:
        lane = Lane(3, plan_of(tiny(Path(folder))), CONFIGURATIONS[0])
        done = advance(lane.plan, (lane.configuration,), None, 13)
        path = Path(folder, "state.safetensors")
        save_lane(path, lane, Stored(done.state, [row(record) for record in done.records], 1.0))
        return lane, done.state, path.read_bytes()


TEXTS = [
    "bnsearch-model-2",
    "",
    "3",
    "[]",
    "{}",
    '["a", "b", "c"]',
    '["a", "b", 3]',
    "null",
    "[" * 5000,
    '{"a": NaN}',
    '"abc"',
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1, 2**64)
    | st.sampled_from(["F64", "F32", "BF16", "I64", "BOOL", "F8_E5M2", "X"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["dtype", "shape", "data_offsets", "a"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def _split(content: bytes) -> tuple[dict[str, Any], bytes]:
    n = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + n]), content[8 + n :]


def _joined(header: Mapping[str, Any], data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


@st.composite
def other_headers(draw: st.DrawFn, whole: bytes) -> bytes:
    """The same data under a header that says something else."""
    header, data = _split(whole)
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from([*header, "layers.2.weight", "layers.2.bias", "extra"]))
        match draw(st.sampled_from(["text", "text", "part", "whole", "gone", "add"])):
            case "text":
                text = header.setdefault("__metadata__", {})
                if isinstance(text, dict):
                    text[draw(st.sampled_from([*text, "more"]))] = draw(st.sampled_from(TEXTS) | st.text(max_size=5))
                    text.pop(draw(st.sampled_from(["checksum", "checksum", "format", "none"])), None)
            case "part" if isinstance(header.get(name), dict):
                header[name] = header[name] | {draw(st.sampled_from(["dtype", "shape", "data_offsets"])): draw(JSON)}
            case "whole":
                header[name] = draw(JSON)
            case "gone":
                header.pop(name, None)
            case "add":
                header[name] = {"dtype": "F64", "shape": [0, 3], "data_offsets": [len(data), len(data)]}
    return _joined(header, data)


@st.composite
def other_arrays(draw: st.DrawFn) -> bytes:
    """What `save_model` might write, of other types and shapes."""
    shape = st.lists(st.integers(0, 4), max_size=3).map(tuple)
    kinds = ["f8", "f8", "f4", "f2", "i8", "u1", "b1"]
    n_layers = draw(st.integers(0, 3))
    widths = draw(st.lists(st.integers(0, 4), min_size=n_layers + 1, max_size=n_layers + 1))
    arrays = {}
    for i in range(n_layers):
        right = draw(st.integers(0, 5)) > 0
        arrays[f"layers.{i}.weight"] = np.ones(
            widths[i : i + 2] if right else draw(shape), draw(st.sampled_from(kinds))
        )
        arrays[f"layers.{i}.bias"] = np.full(widths[i + 1], draw(st.sampled_from([1.0, np.nan, np.inf, 1e308]))).astype(
            "f8"
        )
    classes = json.dumps([str(i) for i in range(widths[-1])])
    return save(arrays, metadata={"format": "bnsearch-model-2", "classes": classes, "metadata": "{}"})


def model_inputs() -> st.SearchStrategy[bytes]:
    """What a model's file may hold."""
    return other_headers(whole_model()) | other_headers(whole_model()) | other_arrays() | spoilt_or_raw(whole_model())


def check_model(content: bytes, folder: Path) -> bool:
    """A model that predicts, or a refusal."""
    path = folder / "model.safetensors"
    path.write_bytes(content)
    try:
        with only_in(folder):
            model = load_model(path)
            n_inputs = len(model.weights[0])
            with np.errstate(all="ignore"):
                predicted = model.predict(np.ones((2, n_inputs), np.uint8))
            json.dumps(dict(model.metadata))
    except BnsearchError as error:
        check_line(error)
        return False
    assert all(array.dtype == np.float64 for array in (*model.weights, *model.biases))
    assert set(predicted.tolist()) <= set(range(len(model.classes)))
    assert all(isinstance(name, str) for name in model.classes)
    return True


def state_inputs() -> st.SearchStrategy[bytes]:
    """What a lane's state may hold."""
    whole = _trained()[2]
    return other_headers(whole) | spoilt(whole) | spoilt_or_raw(whole)


def check_state(content: bytes, folder: Path) -> bool:
    """The state that was written, or none."""
    lane, state, _ = _trained()
    path = folder / "state.safetensors"
    path.write_bytes(content)
    with only_in(folder):
        found = load_lane(path, lane)
    if found is None:
        return False
    assert isinstance(found, Stored)
    assert found.state.step == state.step
    np.testing.assert_array_equal(found.state.network.dense[0].W, state.network.dense[0].W)
    return True
