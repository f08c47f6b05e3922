"""What is left of a study, and how long this machine will take for it; measured when first asked for, and once."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from bnsearch.data.part import Part
from bnsearch.search.batches import rungs_for
from bnsearch.search.cost import Form, Pace
from bnsearch.search.executor import ExecutorFactory
from bnsearch.search.halving import MIN_LANES
from bnsearch.search.materials import Materials, cache_folder
from bnsearch.search.measuring import measure_pace, trial_seconds
from bnsearch.search.owner import check_owner
from bnsearch.search.plan import Configuration, n_steps
from bnsearch.search.progress import Progress
from bnsearch.search.proposing import MAX_REPEATS
from bnsearch.search.remaining import Overheads, Stored, Totals, Work, work_left, work_seconds
from bnsearch.search.session import Session, existing_store, storage_url
from bnsearch.search.setups import STAGES, Stage
from bnsearch.search.space import TPE_BATCH
from bnsearch.search.stock import check_stored, take_stock
from bnsearch.search.store import Store
from bnsearch.search.study_file import Study
from bnsearch.search.tables import SearchTable


@dataclass
class Forecast:
    """Of a study with its data and workers; began: when the command did, as time.monotonic() counts."""

    materials: Materials
    began: float
    start_seconds: float = 0.0  # of the command, until its workers were ready; known when something was measured
    _paces: dict[object, Pace] = field(default_factory=dict, repr=False)

    @property
    def study(self) -> Study:
        """What was asked for."""
        return self.materials.study

    @property
    def n_valid(self) -> int:
        """Rows that confirm validates on."""
        return len(self.materials.part("confirm").rows()[1])

    def stored(self, store: Store | None) -> Stored:
        """What the database has by now."""
        return take_stock(store, self.forms)

    def works(self, stored: Stored, totals: Totals | None = None) -> list[Work]:
        """What is left, of the study file's own totals or of others."""
        return work_left(self.forms, totals or own_totals(self.study), stored)

    def seconds(self, work: Work) -> float:
        """Expected wall time of a stage."""
        if work.n_left == 0:
            return 0.0
        pace, form = self.pace(work.stage), self.forms[work.stage]
        return work_seconds(work, form, pace, self.overheads, self.materials.n_workers)

    @cached_property
    def forms(self) -> dict[Stage, Form]:
        """What each stage trains."""
        return {stage: _form(self.materials, stage) for stage in STAGES}

    def pace(self, stage: Stage) -> Pace:
        """Let every worker do a few steps of a stage; of stages that train alike, once."""
        setup = self.study.setups[stage]
        what_counts = (setup.data, setup.network, setup.training.batch_size)
        if what_counts not in self._paces:
            self._paces[what_counts] = self._measured(stage, Configuration(**setup.default_setting()))
        return self._paces[what_counts]

    def _measured(self, stage: Stage, configuration: Configuration) -> Pace:
        materials = self.materials
        if not self._paces:
            materials.executor.submit(int).result()
            self.start_seconds = time.monotonic() - self.began
        plan = materials.plan(stage, "0", materials.prepare(stage, [materials.part(stage)])[0])
        materials.progress.begin("Measuring")
        pace = measure_pace(plan, configuration, materials.executor, materials.n_workers)
        materials.progress.end()
        return pace

    @cached_property
    def overheads(self) -> Overheads:
        """Of the database, and of preparing data."""
        return Overheads(trial_seconds(), *_preparing(self.materials))


@contextmanager
def open_forecast(
    study: Study,
    began: float,
    *,
    n_workers: int,
    executor_factory: ExecutorFactory,
    progress: Progress,
    storage: str | None = None,
    data_dir: Path | None = None,
) -> Iterator[tuple[Forecast, Stored]]:
    """A study's forecast, and what its database has, where there is one: no lock, and nothing but the cache grows.

    Refused is what a run would refuse.
    """
    check_owner(study, storage_url(study, storage))
    materials = Materials(study, cache_folder(), n_workers, executor_factory, progress, data_dir)
    try:
        _ = materials.dataset
        with existing_store(study, storage) as store:
            forecast = Forecast(materials, began)
            if store is not None:
                check_stored(Session(study, store, materials))
            yield forecast, forecast.stored(store)
    finally:
        materials.close()


def own_totals(study: Study) -> Totals:
    """What the study file asks for."""
    tables = study.tables
    confirm = tables.confirm.repeats if tables.final.setting is None else None
    return Totals(tables.coarse.total, tables.fine.total, confirm, tables.final.repeats)


def _preparing(materials: Materials) -> tuple[float, dict[Stage, int]]:
    """Seconds that a repeat's data take, from the first that the cache does not have, and how many it then has."""
    own = own_totals(materials.study)
    n_repeats = 0 if own.confirm is None else max(own.confirm, MAX_REPEATS)
    parts: dict[Stage, list[Part]] = {
        "confirm": [materials.part("confirm", roll=r) for r in range(1, n_repeats + 1)],
        "final": [materials.part("final", together=materials.study.tables.final.train_on == "train+valid")],
    }
    n_prepared = {stage: materials.n_prepared(stage, of_stage) for stage, of_stage in parts.items()}
    n_needed: dict[Stage, int] = {"confirm": own.confirm or 0, "final": 1}
    for stage in parts:
        if n_prepared[stage] < n_needed[stage]:
            began = time.perf_counter()
            materials.prepare(stage, [parts[stage][n_prepared[stage]]])
            n_prepared[stage] += 1
            return time.perf_counter() - began, n_prepared
    return 0.0, n_prepared


def _form(materials: Materials, stage: Stage) -> Form:
    setup, tables, n_train = materials.study.setups[stage], materials.study.tables, materials.n_train(stage)
    together = stage == "final" and tables.final.train_on == "train+valid"
    train, valid = materials.part(stage, together=together).rows()
    # population moments take about a pass over the training rows
    is_exact = setup.network.batch_norm != "none" and setup.network.bn_statistics == "population"
    moment_rows = len(train) if is_exact and setup.network.hidden else 0
    form = Form(
        n_steps=n_steps(setup.training, n_train),
        epoch_steps=len(train) // setup.training.batch_size,
        evaluation_rows=len(valid) + moment_rows if len(valid) else 0,
        end_rows=len(train) + len(valid) + moment_rows,
    )
    if stage in ("confirm", "final"):
        return form
    table: SearchTable = getattr(tables, stage)
    rungs = rungs_for(table, setup.training, n_train, MIN_LANES)
    return replace(form, rungs=rungs, keep=table.kept_share, batch=TPE_BATCH if table.sampler == "tpe" else None)
