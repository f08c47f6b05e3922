"""What training needs of a study, whoever asks: its data made ready, and the plan of each repeat."""

import os
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import Path

from bnsearch.core.network import Architecture
from bnsearch.data.dataset import Dataset
from bnsearch.data.load import load
from bnsearch.data.part import Part
from bnsearch.data.prepare import DataReference, Recipe, Source, is_prepared, prepare, write_source
from bnsearch.errors import StudyFileError, WorkerError
from bnsearch.search.cohort import MAX_DEATHS
from bnsearch.search.executor import ExecutorFactory
from bnsearch.search.plan import Plan, epoch_steps, n_steps
from bnsearch.search.progress import Download, Progress
from bnsearch.search.renewed import GONE, Renewed, how_gone
from bnsearch.search.setups import STAGES, Setup, Stage
from bnsearch.search.study_file import Study
from bnsearch.search.tables import DataTable

Trained = Stage | Setup  # a stage of the chain, or what a variant of a comparison trains


@dataclass
class Materials:
    """A study's data and workers, each made when first needed."""

    study: Study
    cache: Path
    n_workers: int
    executor_factory: ExecutorFactory
    progress: Progress
    data_dir: Path | None = None

    @cached_property
    def executor(self) -> Executor:
        """The workers."""
        return Renewed(self.executor_factory)

    def close(self) -> None:
        """Let the workers go, without waiting for calls whose results nobody wants."""
        self.executor.shutdown(wait=False, cancel_futures=True)

    @cached_property
    def dataset(self) -> Dataset:
        """The training rows, checked against what the study file asks of them."""
        return read_dataset(self.study, self.progress, self.data_dir)

    @cached_property
    def source(self) -> Source:
        """The training rows where every process can map them."""
        return write_source(self.dataset, self.cache)

    def part(self, stage: Trained, roll: int = 0, together: bool = False) -> Part:
        """The rows of a stage."""
        train, valid = rows_of(self._setup(stage).data, len(self.dataset.X))
        return Part(train, valid, roll, together)

    def prepare(self, stage: Trained, parts: Sequence[Part]) -> list[DataReference]:
        """The data of each part, made ready by the workers."""
        recipes = self._recipes(stage, parts)
        self.progress.begin("Preparing the data", len(recipes))
        # the first writes the basis that the others share
        references = [self._ready(recipes[0], self.executor.submit(prepare, recipes[0], self.cache))]
        self.progress.update(1)
        for recipe, future in [(r, self.executor.submit(prepare, r, self.cache)) for r in recipes[1:]]:
            references.append(self._ready(recipe, future))
            self.progress.update(len(references))
        self.progress.end()
        return references

    def n_prepared(self, stage: Stage, parts: Sequence[Part]) -> int:
        """How many parts, from the first on, the cache has the data of."""
        return sum(1 for _ in takewhile(lambda recipe: is_prepared(recipe, self.cache), self._recipes(stage, parts)))

    def n_train(self, stage: Trained) -> int:
        """Training rows of the study file, whose epochs its schedules count."""
        train, _ = rows_of(self._setup(stage).data, len(self.dataset.X))
        return train[1] - train[0]

    def _setup(self, stage: Trained) -> Setup:
        return stage if isinstance(stage, Setup) else self.study.setups[stage]

    def _recipes(self, stage: Trained, parts: Sequence[Part]) -> list[Recipe]:
        basis_part = Part(*rows_of(self.study.base.data, len(self.dataset.X)))
        table = self._setup(stage).data
        return [Recipe(self.source, part, table.standardize, table.components, basis_part) for part in parts]

    def _ready(self, recipe: Recipe, future: "Future[DataReference]") -> DataReference:
        """What a worker makes ready; by another where it dies."""
        n_deaths = 0
        while True:
            try:
                return future.result()
            except GONE as error:
                n_deaths, how = n_deaths + 1, how_gone(error)
                if n_deaths == MAX_DEATHS:
                    raise WorkerError(
                        f"The data must be made ready, but {MAX_DEATHS} workers in a row did not come to the end of "
                        f"it, and the last {how}: see to memory, and run the same command again to go on."
                    ) from error
                self.progress.say(f"A worker {how}, while it made the data ready; another begins again.")
            future = self.executor.submit(prepare, recipe, self.cache)

    def plan(self, stage: Trained, repeat: str, data: DataReference, velocity: bool | None = None) -> Plan:
        """The plan of one repeat of a stage; velocity: do its lanes have one? None: as all of the chain."""
        setup, n_train = self._setup(stage), self.n_train(stage)
        return Plan(
            seed=self.study.seed,
            repeat=repeat,
            data=data,
            architecture=architecture(setup, data),
            init=setup.network.init,
            schedule=setup.training.schedule,
            batch_size=setup.training.batch_size,
            n_steps=n_steps(setup.training, n_train),
            schedule_epoch_steps=epoch_steps(setup.training, n_train),
            with_velocity=with_velocity(self.study) if velocity is None else velocity,
            statistics=setup.network.bn_statistics,
        )


def read_dataset(study: Study, progress: Progress, data_dir: Path | None) -> Dataset:
    """A study's training rows, checked against what it asks of them."""
    table = study.base.data
    progress.begin(f"Reading {table.source}")
    base, bar = study.file.parent, Download(progress)
    dataset = load(table.source, data_dir=data_dir, label=table.label, base=base, progress=bar)
    progress.end()
    check_data(study, dataset)
    return dataset


def rows_of(table: DataTable, n: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Training and validation rows of a data set of n training rows; without a choice the last sixth validates."""
    if table.train is None or table.valid is None:
        border = n - max(n // 6, 1)
        return (0, border), (border, n)
    for name, rows in (("train", table.train), ("valid", table.valid)):
        if rows[1] > n:
            raise StudyFileError(
                f"`data.{name}` must lie within the {n} training rows of {table.source!r}, but got {list(rows)}."
            )
    return table.train, table.valid


def architecture(setup: Setup, data: DataReference) -> Architecture:
    """The network of a stage on these inputs; on components it starts as if the fan-in were that of the raw data."""
    network = setup.network
    return Architecture(
        n_inputs=data.n_inputs,
        hidden=network.hidden,
        n_classes=data.n_classes,
        batch_norm=network.batch_norm,
        bn_epsilon=network.bn_epsilon,
        bn_average=network.bn_average,
        init_fan_in=data.n_dimensions,
    )


def cache_folder() -> Path:
    """`$BNSEARCH_CACHE`, or the user's cache folder."""
    from platformdirs import user_cache_path

    return Path(os.environ["BNSEARCH_CACHE"]) if "BNSEARCH_CACHE" in os.environ else user_cache_path("bnsearch")


def check_data(study: Study, dataset: Dataset) -> None:
    """What a study file asks must be possible with these data; found out before anything is written."""
    searches = study.tables.coarse.space is not None
    variants = () if study.comparison is None else study.comparison.variants
    for setup in (*(study.setups[stage] for stage in STAGES if searches), *(variant.setup for variant in variants)):
        _check(setup, dataset)
    if searches and study.tables.final.setting is None:  # else nothing need be confirmed
        check_windows(study.setups["confirm"], dataset)


def _check(setup: Setup, dataset: Dataset) -> None:
    train, _ = rows_of(setup.data, len(dataset.X))
    epoch_steps(setup.training, train[1] - train[0])
    components, n_dimensions = setup.data.components, dataset.X.shape[1]
    if components is not None and components > n_dimensions:
        raise StudyFileError(
            f"`data.components` must be at most the {n_dimensions} dimensions of {setup.data.source!r}, "
            f"but got {components:g}."
        )


def check_windows(setup: Setup, dataset: Dataset) -> None:
    """Confirm cuts its validation rows out of the search's training rows."""
    (first, end), (first_valid, end_valid) = rows_of(setup.data, len(dataset.X))
    if end_valid - first_valid > end - first:
        raise StudyFileError(
            f"`data.valid` must hold at most as many rows as `data.train`, for confirm validates on rows of the "
            f"latter, but got {end_valid - first_valid} and {end - first}: give `data.train` more of them."
        )


def with_velocity(study: Study) -> bool:
    """Momentum is a fixed 0 in the whole study, or every lane has a velocity."""
    spaces = (study.tables.coarse.space or {}, study.tables.fine.space or {}, study.tables.final.setting or {})
    fixed = (setup.training.momentum for setup in study.setups.values())
    return any(fixed) or any("momentum" in space for space in spaces)
