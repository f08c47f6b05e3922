"""What the tests of the search share: the tiny study, an executor without processes, what is stored."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from optuna.storages import RDBStorage
from safetensors import safe_open

from bnsearch.data.part import Part
from bnsearch.data.prepare import DataReference
from bnsearch.search.address import default_url
from bnsearch.search.forecast import Forecast, open_forecast
from bnsearch.search.materials import Materials, cache_folder, rows_of
from bnsearch.search.plan import Configuration, Plan
from bnsearch.search.progress import Progress, Silent
from bnsearch.search.remaining import Stored
from bnsearch.search.session import Session, open_session
from bnsearch.search.setups import STUDIES, Stage
from bnsearch.search.stages import run_stage
from bnsearch.search.store import Store
from bnsearch.search.study_file import Study, load_study
from tests.helpers import TINY

# for tests of properties
untimed = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], max_examples=50)

# CALL_SECONDS with which calls have 1, 10, 100, … steps on any machine, fast or slow; with 0.0 each has one
TENFOLD = 1e9


class Inline(Executor):
    """Does the work when it is submitted, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Heard(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


def tiny(folder: Path, *overrides: str, name: str = "tiny", text: str = TINY) -> Study:
    """The tiny study, its file written into the folder where there is none yet."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.toml"
    if not path.exists():
        path.write_text(text)
    return load_study(str(path), overrides)


@contextmanager
def at_work(
    study: Study,
    *,
    executor: Callable[[], Executor] = Inline,
    n_workers: int = 2,
    progress: Progress | None = None,
    storage: str | None = None,
) -> Iterator[Session]:
    """A session without processes."""
    with open_session(
        study, n_workers=n_workers, executor_factory=executor, progress=progress or Silent(), storage=storage
    ) as session:
        yield session


def run(study: Study, *stages: str, **how: Any) -> list[bool]:
    """Run stages, each in a session of its own, as a user's commands do; which had something to do."""
    worked = []
    for stage in stages:
        with at_work(study, **how) as session:
            worked.append(run_stage(session, stage))
    return worked


@contextmanager
def forecast_of(study: Study) -> Iterator[tuple[Forecast, Stored]]:
    """What is left of a study, and what it will take."""
    with open_forecast(study, time.monotonic(), n_workers=2, executor_factory=Inline, progress=Silent()) as found:
        yield found


@contextmanager
def stored(study: Study) -> Iterator[Any]:
    """The study's database as it lies there; without Optuna's check of the schema, which takes longer than the rest."""
    url = default_url(study.folder, study.name)
    assert (study.folder / f"{study.name}.db").exists()
    store = Store(RDBStorage(url, skip_compatibility_check=True, skip_table_creation=True), study.name)
    try:
        yield store
    finally:
        store.close()


def trials_of(study: Study, stage: str) -> list[Any]:
    """A stage's frozen trials."""
    with stored(study) as store:
        found = store.load(stage)
        return [] if found is None else found.get_trials(deepcopy=True)


def n_passed(study: Study) -> int:
    """At how many of two rungs the trials of coarse have been ranked."""
    return sum(any(f"rung_{i}_rank" in t.user_attrs for t in trials_of(study, "coarse")) for i in (1, 2))


def attrs_of(study: Study, stage: str) -> dict[str, Any]:
    """What is stored about a stage as a whole."""
    with stored(study) as store:
        return dict(store.load(stage).user_attrs)


def record(study: Study, stages: Sequence[str] = STUDIES) -> dict[str, Any]:
    """Everything in the database that must not depend on when or how it came about; floats compare bit for bit."""
    with stored(study) as store:
        return record_of(store, stages)


def record_of(store: Store, stages: Sequence[str] = STUDIES) -> dict[str, Any]:
    """The same of a database that is open."""
    found: dict[str, Any] = {}
    for stage in stages:
        optuna_study = store.load(stage)
        if optuna_study is None:
            continue
        trials = [
            (
                t.number,
                t.state.name,
                t.params,
                t.value,
                t.intermediate_values,
                {k: v for k, v in t.user_attrs.items() if k != "wall_seconds"},
            )
            for t in optuna_study.get_trials(deepcopy=False)
        ]
        attrs = {k: v for k, v in optuna_study.user_attrs.items() if k != "revision"}
        if "result" in attrs:  # but for where the models lie
            attrs["result"] = {k: v for k, v in attrs["result"].items() if k not in ("model", "models")}
        found[stage] = trials, attrs
    return found


def without_look(found: dict[str, Any]) -> dict[str, Any]:
    """A record but for the number of final's look at the test set, which counts earlier ones too."""
    if "final" in found:
        for attrs in (found["final"][1], found["final"][1].get("result", {})):
            attrs.pop("look", None)
    return found


def files(study: Study) -> dict[str, Any]:
    """Curves, models and states beside the database, models by what is in them (safetensors has no fixed order)."""
    found: dict[str, Any] = {}
    for path in (p for p in study.results.rglob("*") if p.is_file() and p.parent != study.results):
        name = str(path.relative_to(study.results))
        if path.suffix == ".safetensors":
            with safe_open(path, framework="numpy") as file:
                tensors = {key: file.get_tensor(key).tobytes() for key in file.keys()}  # noqa: SIM118 (not a dict)
                found[name] = file.metadata(), tensors
        else:
            found[name] = path.read_bytes()
    return found


def materials_of(study: Study) -> Materials:
    """A study's data, without a session."""
    return Materials(study, cache_folder(), 1, Inline, Silent())


def reference(study: Study, part: Part | None = None, stage: Stage = "coarse") -> DataReference:
    """The prepared rows of one repeat, by default those of the search."""
    materials = materials_of(study)
    return materials.prepare(stage, [part or Part(*rows_of(study.base.data, len(materials.dataset.X)))])[0]


def plan_of(study: Study, part: Part | None = None, repeat: str = "0", stage: Stage = "coarse") -> Plan:
    """The plan of one repeat, without a session."""
    return materials_of(study).plan(stage, repeat, reference(study, part, stage))


CONFIGURATIONS = tuple(
    Configuration(l2, rate, momentum)
    for l2, rate, momentum in [
        (1e-3, 0.1, 0.5),
        (1e-5, 0.02, 0.0),
        (0.05, 0.5, 0.9),
        (0.0, 0.3, 0.2),
        (1e-4, 0.05, 0.95),
        (1e-2, 0.2, 0.7),
        (3e-3, 0.015, 0.99),
        (2e-5, 0.9, 0.1),
    ]
)
