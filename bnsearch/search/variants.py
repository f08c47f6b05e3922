"""The variants of a comparison: every crossing of the lists that a study file varies."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bnsearch.search.setups import Setup
from bnsearch.search.tables import CompareTable, NetworkTable

Path = tuple[str, ...]  # of a key, such as network, batch_norm


@dataclass(frozen=True)
class Variant:
    """One crossing, and all that it trains."""

    keys: Mapping[str, Any]  # what is varied, as the study file has it: {"network.batch_norm": "none", …}
    setup: Setup

    @property
    def label(self) -> str:
        """What it is called: batch_norm none, hidden 50-30."""
        return ", ".join(f"{key.rpartition('.')[2]} {short(value)}" for key, value in self.keys.items())

    @property
    def params(self) -> dict[str, str | float]:
        """What is varied, as plain numbers and short texts, by which optuna-dashboard can group trials."""
        return {key: short(value) for key, value in self.keys.items()}


@dataclass(frozen=True)
class Comparison:
    """What `compare` trains."""

    repeats: int
    varied: Mapping[str, list[Any]]  # by key
    setup: Setup  # the base tables with compare's overrides, before anything is varied
    variants: tuple[Variant, ...]

    @property
    def choices(self) -> dict[str, tuple[str | float, ...]]:
        """The values of each key, as trials have them."""
        return {key: tuple(short(value) for value in values) for key, values in self.varied.items()}


def crossings(table: CompareTable) -> Iterator[dict[Path, Any]]:
    """The values of each variant by the paths of their keys; the last list varies fastest."""
    for values in itertools.product(*table.varied.values()):
        yield dict(zip(table.varied, values, strict=True))


def nested(crossing: Mapping[Path, Any]) -> dict[str, Any]:
    """The same as tables within tables."""
    tables: dict[str, Any] = {}
    for (*parents, last), value in crossing.items():
        inner = tables
        for key in parents:
            inner = inner.setdefault(key, {})
        inner[last] = value
    return tables


def of_one_length(raw: Mapping[str, Any], table: CompareTable) -> Mapping[str, Any]:
    """Where schedules are varied, but not their length, `epochs` is that of the others: a cyclic one has its own."""
    keys, training = {key[:2] for key in table.varied}, raw.get("training")
    if ("training", "schedule") not in keys or ("training", "epochs") in keys or not isinstance(training, Mapping):
        return raw
    schedule = training.get("schedule")
    if not isinstance(schedule, Mapping) or schedule.get("kind") != "cyclic":
        return raw
    return {**raw, "training": {key: value for key, value in training.items() if key != "epochs"}}


def dotted(path: Path) -> str:
    """A key as it stands in a study file."""
    return ".".join(path)


def what_counts(setup: Setup) -> Setup:
    """The setup without what has no effect: two variants that agree in this are the same networks.

    Without a hidden layer nothing is normalised, and what is not normalised has no moments.
    """
    network = setup.network
    if network.hidden and network.batch_norm != "none":
        return setup
    plain = {key: NetworkTable.model_fields[key].default for key in ("bn_average", "bn_epsilon", "bn_statistics")}
    return setup.model_copy(update={"network": network.model_copy(update={"batch_norm": "none", **plain})})


def short(value: Any) -> str | float:
    """A value of the study file as a number or a short text."""
    if isinstance(value, Mapping):
        return " ".join(str(inner) if key == "kind" else f"{key} {short(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return "-".join(map(str, value)) or "none"
    return value if isinstance(value, int | float) else str(value)
