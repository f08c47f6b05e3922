"""A lane's state as one file: parameters, velocity, moments, the curve and the time so far, with a checksum. Written
whole or not at all; the one before it is kept, for disks err. And a lane's figures as plain numbers.
"""

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bnsearch.core import tree
from bnsearch.core.evaluate import Outcome
from bnsearch.core.run import State
from bnsearch.core.train import Record
from bnsearch.core.tree import Array
from bnsearch.data.tensor_file import altered, read_tensors, write_tensors
from bnsearch.errors import ModelError
from bnsearch.search.cohort import Lane
from bnsearch.search.plan import start_state
from bnsearch.search.trials import pack_bits

FORMAT = 4  # 1 had weights as (K, fan_in, fan_out), 2 a checksum without the identity, 3 one of its own kind
CURVE = "curve"
FIGURES = (
    "learning_rate",
    "train_loss",
    "train_cost",
    "train_accuracy",
    "valid_loss",
    "valid_cost",
    "valid_accuracy",
)


def outcome_attrs(outcome: Outcome) -> dict[str, Any]:
    """A measured lane (K = 1) as trial attributes: plain numbers, and which validation images it got right as text."""
    attrs: dict[str, Any] = {}
    for name in FIGURES[1:]:
        figure = getattr(outcome, name)
        if figure is not None:
            attrs[name] = float(figure[0])
    if outcome.valid_correct is not None:
        attrs["n_valid"] = outcome.valid_correct.shape[1]
        attrs["valid_correct"] = pack_bits(outcome.valid_correct[0])
    return attrs


def row(record: Record) -> dict[str, float]:
    """One evaluation of one lane (K = 1) as plain numbers; figures that were not measured are left out."""
    figures = {name: getattr(record, name) for name in FIGURES}
    return {"epoch": record.epoch, "step": record.step} | {k: float(v[0]) for k, v in figures.items() if v is not None}


class Stored(NamedTuple):
    """What was done of a lane."""

    state: State
    curve: list[dict[str, float]]
    seconds: float  # wall time that it took


def save_lane(path: Path, lane: Lane, stored: Stored) -> None:
    """Write a lane's state; it is on the disk before it takes the place of the last one, which becomes the previous."""
    tensors = dict(tree.leaves(stored.state)) | {CURVE: _to_array(stored.curve)}
    text = {"step": str(stored.state.step), "seconds": repr(stored.seconds), "identity": _identity(lane)}
    write_tensors(path, tensors, text, keep=previous(path))


def previous(path: Path) -> Path:
    """Where the state before the one at path lies."""
    return path.with_suffix(".previous")


def load_lane(path: Path, lane: Lane, say: Callable[[str], None] = lambda text: None) -> Stored | None:
    """The newest whole state of this very lane, or None where there is none, so that it starts at step 0.

    say: is told of files that are damaged, and of what is used in their place.
    """
    complaints, found = [], None
    for file in (path, previous(path)):
        try:
            found = _load(file, lane)
        except ModelError as error:
            complaints.append(str(error))
        if found is not None:
            break
    if complaints:
        then = "starts at step 0 again" if found is None else f"goes on from step {found.state.step}, stored before it"
        say(f"{' '.join(complaints)} Trial {lane.number} {then}, to the same numbers.")
    return found


def _load(path: Path, lane: Lane) -> Stored | None:
    """What the file holds; None where there is none, or one of another lane; raises ModelError for half a file or one
    that was altered.
    """
    found = read_tensors(path)
    if found is None:
        return None
    if not found.is_as_written:
        raise altered(path)
    tensors, text = found.tensors, found.text
    if text.get("identity") != _identity(lane):
        return None
    empty = start_state(lane.plan, 1)
    if _layout(tensors) != _layout(dict(tree.leaves(empty)) | {CURVE: _to_array([])}):
        return None
    curve = _from_array(tensors.pop(CURVE))
    state = tree.with_leaves(empty, tensors)
    state = State(int(text["step"]), state.network, state.velocity, state.moments, state.loss_sum, state.n_correct)
    return Stored(state, curve, float(text["seconds"]))


def _identity(lane: Lane) -> str:
    """All that a lane's state derives from; prepared data by their names, which derive from their contents."""
    data = lane.plan.data
    facts = [
        FORMAT,
        lane.number,
        lane.configuration,
        data.part,
        data.inputs.parent.name,
        data.inputs.name,
        data.transform.name,
    ]
    others = [f.name for f in dataclasses.fields(lane.plan) if f.name not in ("data", "with_population")]
    facts += [getattr(lane.plan, name) for name in others]
    facts += [] if lane.init is None else [lane.init]
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _layout(tensors: dict[str, Array]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Type and shape of each array; a curve may have any number of rows."""
    return {name: (str(a.dtype), a.shape[1:] if name == CURVE else a.shape) for name, a in tensors.items()}


def _to_array(curve: list[dict[str, float]]) -> Array:
    names = ("epoch", "step", *FIGURES)
    return np.array([[r.get(name, np.nan) for name in names] for r in curve], dtype=np.float64).reshape(-1, len(names))


def _from_array(array: Array) -> list[dict[str, float]]:
    names = ("epoch", "step", *FIGURES)
    rows = [dict(zip(names, map(float, values), strict=True)) for values in array]
    return [{k: int(v) if k in names[:2] else v for k, v in r.items() if not np.isnan(v)} for r in rows]
