"""The plain Optuna face of the same code: `study.optimize(Objective("digits"), n_trials=5)`."""

from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np
import optuna

from bnsearch.core.run import State
from bnsearch.search.advance import advance
from bnsearch.search.lane_file import row
from bnsearch.search.materials import Materials, cache_folder
from bnsearch.search.plan import Configuration
from bnsearch.search.progress import Silent
from bnsearch.search.searching import configuration
from bnsearch.search.space import ranges
from bnsearch.search.study_file import check_searches, load_study
from bnsearch.search.threads import one_blas_thread


class Objective:
    """A study file's coarse stage as an Optuna objective: the validation accuracy to be maximised.

    Each call samples the coarse space with the Optuna study's own sampler, trains one network of repeat 0 on one BLAS
    thread, reports after each epoch, and returns exactly the value that `bnsearch coarse` gives that configuration. A
    diverged run returns NaN, which Optuna records as failed.
    """

    def __init__(self, study: str, *, data_dir: Path | None = None, overrides: tuple[str, ...] = ()):
        resolved = load_study(study, overrides)
        check_searches(resolved)
        materials = Materials(resolved, cache_folder(), 1, _Here, Silent(), data_dir)
        self.setup = resolved.setups["coarse"]
        self.space = ranges(resolved.tables.coarse.space or {})
        self.plan = materials.plan("coarse", "0", materials.prepare("coarse", [materials.part("coarse")])[0])
        self.epoch_steps = self.plan.schedule_epoch_steps

    def __call__(self, trial: optuna.Trial) -> float:
        """Train one configuration; raises TrialPruned where the study's pruner says so."""
        params = {name: trial.suggest_float(name, r.low, r.high, log=r.log) for name, r in self.space.items()}
        lane: tuple[Configuration, ...] = (configuration(self.setup, params),)
        state: State | None = None
        with one_blas_thread():
            while state is None or state.step < self.plan.n_steps:
                step = 0 if state is None else state.step
                news = advance(self.plan, lane, state, step + self.epoch_steps)
                state = news.state
                for point in map(row, news.records):
                    if not np.isfinite(point["train_cost"]) or not np.isfinite(point["valid_cost"]):
                        trial.set_user_attr("diverged", True)
                        return float("nan")
                    trial.report(point["valid_accuracy"], int(point["epoch"]))
                if news.outcome is None and trial.should_prune():
                    raise optuna.TrialPruned
        assert news.outcome is not None
        assert news.outcome.valid_accuracy is not None
        return float(news.outcome.valid_accuracy[0])


class _Here(Executor):
    """Does the work at once, in this process and on one BLAS thread."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        with one_blas_thread():
            future.set_result(fn(*args, **kwargs))
        return future
