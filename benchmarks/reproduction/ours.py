"""What was run, as the databases and the files beside them hold it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.trial import FrozenTrial

from benchmarks.reproduction.running import check_path, read_check
from benchmarks.reproduction.spread import Spread, numbered, over
from bnsearch.search.address import default_url
from bnsearch.search.artifacts import read_curve
from bnsearch.search.looking import BY_STATISTICS
from bnsearch.search.setups import COMPARE
from bnsearch.search.store import Store, open_existing

Float = NDArray[np.float64]


class NotRun(Exception):
    """A part of the page has no figures; its text is the command that makes them."""


@dataclass(frozen=True)
class Group:
    """Trials that differ in their seed alone."""

    study: str  # b17-speed.compare
    trials: tuple[FrozenTrial, ...]  # complete ones
    curves: Path  # folder of the learning curves
    n_lost: int = 0  # diverged or failed

    def values(self, name: str) -> list[float]:
        """An attribute of each trial; test.moving and test.population are the two of a network's test accuracies."""
        first, _, statistics = name.partition(".")
        if statistics:
            return [
                float(t.user_attrs[BY_STATISTICS][statistics]) for t in self.trials if BY_STATISTICS in t.user_attrs
            ]
        return [float(t.user_attrs[first]) for t in self.trials if first in t.user_attrs]

    def by_repeat(self, name: str) -> dict[int, float]:
        """An attribute of each seed that came to the end."""
        return {t.user_attrs["repeat"]: float(t.user_attrs[name]) for t in self.trials if name in t.user_attrs}

    def over(self, name: str) -> Spread:
        """The attribute over the seeds."""
        values = self.values(name)
        if not values:
            raise NotRun(f"the command that gives {name} to {self.study}")
        return over(values)

    @property
    def rows(self) -> str:
        """Where its figures stand: the study and the trials' numbers."""
        return f"`{self.study}` {numbered([t.number for t in self.trials])}"

    def curve(self, column: str) -> tuple[Float, Float]:
        """Steps (n,) and the column of each seed (R, n)."""
        stage = self.study.rpartition(".")[2]
        found = [read_curve(self.curves / f"{stage}-{t.number:05d}.csv") for t in self.trials]
        found = [points for points in found if points]
        n = min(map(len, found), default=0)
        if not n:
            raise NotRun(f"the curves of {self.study}")
        values = [[point.get(column, np.nan) for point in points[:n]] for points in found]
        return np.array([point["step"] for point in found[0][:n]]), np.array(values)


@dataclass(frozen=True)
class Comparison:
    """A study's variants."""

    study: str
    variants: tuple[tuple[Mapping[str, Any], Group], ...]  # by the last part of each varied key

    def find(self, **keys: Any) -> Group:
        """The variant with these values."""
        for own, group in self.variants:
            if all(own.get(name) == value for name, value in keys.items()):
                return group
        raise NotRun(f"a comparison {self.study} with {keys}")


class Runs:
    """A folder in which the commands were run."""

    def __init__(self, folder: Path):
        self.folder = folder

    def comparison(self, name: str) -> Comparison:
        """That of a study."""
        study, trials = self._study(name, COMPARE)
        variants = [{key.rpartition(".")[2]: v for key, v in one["keys"].items()} for one in study["variants"]]
        own = [[t for t in trials if t.user_attrs.get("variant") == i] for i in range(len(variants))]
        groups = [self._group(name, COMPARE, each) for each in own]
        if not all(group.trials for group in groups if not group.n_lost):
            raise NotRun(f"bnsearch compare {name}")
        return Comparison(f"{name}.{COMPARE}", tuple(zip(variants, groups, strict=True)))

    def stage(self, name: str, stage: str) -> Group:
        """All trials of one stage."""
        return self._group(name, stage, self._study(name, stage)[1])

    def attrs(self, name: str, stage: str) -> Mapping[str, Any]:
        """What a stage's study says of itself."""
        return self._study(name, stage)[0]

    def check(self, name: str) -> list[dict[str, Any]]:
        """The table of a gradient check."""
        found = read_check(check_path(self.folder, name))
        if found is None:
            raise NotRun("bnsearch gradcheck")
        table: list[dict[str, Any]] = found["parameters"]
        return table

    @cached_property
    def provenance(self) -> dict[str, set[str]]:
        """Versions, revisions, data fingerprints and seeds of all studies; versions and revisions of the checks."""
        names = sorted(path.stem for path in (self.folder / "studies").glob("*.db"))
        found: dict[str, set[str]] = {key: set() for key in ("version", "revision", "data_fingerprint", "seed")}
        for name in names:
            for stage in ("coarse", "fine", "confirm", "final", COMPARE):
                study = self._store(name).load(stage)
                if study is not None:
                    for key, values in found.items():
                        values.add(str(study.user_attrs[key]))
        for path in sorted((self.folder / "checks").glob("*.json")):
            check = read_check(path) or {}
            for key in found.keys() & check.keys():
                found[key].add(str(check[key]))
        return found

    def _group(self, name: str, stage: str, trials: Sequence[FrozenTrial]) -> Group:
        complete = tuple(t for t in trials if t.state.name == "COMPLETE")
        n_lost = sum(t.state.name == "FAIL" for t in trials)
        return Group(f"{name}.{stage}", complete, self.folder / "studies" / name / "curves", n_lost)

    def _study(self, name: str, stage: str) -> tuple[Mapping[str, Any], list[FrozenTrial]]:
        study = self._store(name).load(stage)
        if study is None:
            raise NotRun(f"bnsearch {stage} {name}")
        return study.user_attrs, sorted(study.get_trials(deepcopy=False), key=lambda t: t.number)

    def _store(self, name: str) -> Store:
        if name not in self._stores:
            store = open_existing(default_url(self.folder / "studies", name), name)
            if store is None:
                raise NotRun(f"bnsearch … {name}")
            self._stores[name] = store
        return self._stores[name]

    @cached_property
    def _stores(self) -> dict[str, Store]:
        return {}

    def close(self) -> None:
        """Give the databases back."""
        for store in self._stores.values():
            store.close()
