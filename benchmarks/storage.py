"""What a trial costs beside its training, by the number of trials that the study already has."""

import time
from concurrent.futures import Executor, Future
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from benchmarks import protocol
from benchmarks.section import Options, Table
from benchmarks.timing import Work, alternate, one_core
from bnsearch.core.evaluate import Outcome
from bnsearch.search.advance import Advance, advance
from bnsearch.search.lane_file import outcome_attrs
from bnsearch.search.plan import Plan, start_state
from bnsearch.search.session import Session
from bnsearch.search.stages import run_stage
from bnsearch.search.study_file import load_study

CAPTION = """**Trials without reports**, their training replaced by nothing: milliseconds a trial, SQLite, one core, in
turn. bnsearch: the digits' coarse stage grown by 20 trials, with proposals, all attributes, files of curves, and the
verdict at its end. Optuna: ask, two suggestions and tell, SQLite as it comes. Opening: data, lock, database and all
trials, once a command."""
BATCH = 20
OWN, RANDOM, TPE = "bnsearch", "Optuna, random", "Optuna, TPE"
SPACE = {"l2": FloatDistribution(1e-5, 1e-1, log=True), "learning_rate": FloatDistribution(1e-2, 1.0, log=True)}


def measure(options: Options, folder: Path) -> tuple[Table, object]:
    """The studies are filled up from one size to the next."""
    samplers = {RANDOM: optuna.samplers.RandomSampler(seed=0), TPE: optuna.samplers.TPESampler(seed=0)}
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    url = f"sqlite:///{folder / 'bare.db'}"
    bare = {n: optuna.create_study(storage=url, study_name=n, sampler=s) for n, s in samplers.items()}
    file = copy_of_digits(folder)
    rows, figures = [], {}
    for size in (10, 40, 80) if options.quick else (10, 1_000, 5_000):
        with one_core(), opened(file, options) as session:
            grow(session, 1)  # makes the study, or adds one trial to it
            fill(coarse(session), size, n_valid=239)
            for study in bare.values():
                fill(study, size)
            works: dict[str, Work] = {OWN: lambda session=session: grow(session, BATCH)}
            works |= {name: lambda study=study: ask_and_tell(study, BATCH) for name, study in bare.items()}
            timings = alternate(works, options.rounds(5))
        opening = opening_seconds(file, options)
        times = [f"{1e3 * t.median:.1f} ({1e3 * t.minimum:.1f})" for t in timings.values()]
        rows.append((f"{size:,}", *times, f"{1 / timings[OWN].median:.0f}", f"{opening:.2f}"))
        figures[str(size)] = {name: t.figures() for name, t in timings.items()} | {"opening_seconds": opening}
    columns = [f"{name}: median (min.)" for name in (OWN, *bare)]
    return Table(("trials at the beginning", *columns, "bnsearch, trials/s", "opening s"), rows, CAPTION), figures


class Free(Executor):
    """Prepares data as asked, and trains in no time."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Done at once, in this process."""
        future: Future[Any] = Future()
        future.set_result(trained(*args) if fn is advance else fn(*args, **kwargs))
        return future


def trained(plan: Plan, configurations: tuple[object, ...], state: object, to_step: int, at_rung: bool) -> Advance:
    """As if the last step were done; the digits' schedule has no rungs."""
    assert not at_rung
    n_lanes = len(configurations)
    return Advance(last_state(plan, n_lanes), [], outcome(n_lanes, n_valid=239), None, seconds=0.01)


@cache
def last_state(plan: Plan, n_lanes: int) -> Any:
    """Any state of the last step will do."""
    return replace(start_state(plan, n_lanes), step=plan.n_steps)


def outcome(n_lanes: int, n_valid: int) -> Outcome:
    """Random figures."""
    rng = np.random.default_rng()
    figure, correct = rng.random(n_lanes), rng.random((n_lanes, n_valid)) < rng.random((n_lanes, 1))
    return Outcome(figure, figure, figure, figure, figure, correct.mean(axis=1), correct, None)


def copy_of_digits(folder: Path) -> Path:
    """The bundled study file where its database may lie."""
    file = folder / "digits.toml"
    file.write_bytes((Path(__file__).parents[1] / "studies" / file.name).read_bytes())
    return file


def opened(file: Path, options: Options) -> Any:
    """The digits' study with free trainings."""
    return protocol.opened(load_study(str(file)), options.data_dir, executor=Free)


def coarse(session: Session) -> optuna.Study:
    """The study of the coarse stage."""
    study = session.store.load("coarse")
    assert study is not None
    return study


def opening_seconds(file: Path, options: Options) -> float:
    """What a command spends before it can propose anything."""
    began = time.perf_counter()
    with opened(file, options) as session:
        coarse(session).get_trials(deepcopy=False)
        return time.perf_counter() - began


def grow(session: Session, n: int) -> float:
    """So many trials more, through the whole stage."""
    study = session.store.load("coarse")
    total = n + (0 if study is None else len(study.get_trials(deepcopy=False)))
    larger = load_study(str(session.study.file), (f"coarse.trials={total}",))
    run_stage(replace(session, study=larger), "coarse")
    return n


def ask_and_tell(study: optuna.Study, n: int) -> float:
    """So many trials more, as Optuna's documentation shows."""
    for _ in range(n):
        trial = study.ask()
        for name, d in SPACE.items():
            trial.suggest_float(name, d.low, d.high, log=d.log)
        study.tell(trial, np.random.default_rng().random())
    return n


def fill(study: optuna.Study, size: int, n_valid: int | None = None) -> None:
    """Complete trials up to a size, like those that are there; with bnsearch's attributes where n_valid is given."""
    trials = study.get_trials(deepcopy=False)
    study.add_trials([finished(trials, n_valid) for _ in range(size - len(trials))])


def finished(trials: list[FrozenTrial], n_valid: int | None) -> FrozenTrial:
    """A random complete trial."""
    space = trials[0].distributions if trials else SPACE
    rng = np.random.default_rng()
    params = {name: float(np.exp(rng.uniform(np.log(d.low), np.log(d.high)))) for name, d in space.items()}
    attrs = {} if n_valid is None else {"wall_seconds": 0.01} | outcome_attrs(outcome(1, n_valid))
    value = attrs.get("valid_accuracy", rng.random())
    return create_trial(
        state=TrialState.COMPLETE, value=value, params=params, distributions=dict(space), user_attrs=attrs
    )
