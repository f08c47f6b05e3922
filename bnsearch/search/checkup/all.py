"""Everything, in the order in which a run would meet it."""

from collections.abc import Iterator
from pathlib import Path

from bnsearch.data.dataset import Dataset
from bnsearch.search.checkup import database, machine, study
from bnsearch.search.checkup.line import Line, answers
from bnsearch.search.checkup.needs import Needs, needs
from bnsearch.search.executor import available_cores
from bnsearch.search.session import storage_url
from bnsearch.search.study_file import load_study


def check_machine() -> Iterator[Line]:
    """What concerns every study."""
    yield from answers("Python", machine.python)
    yield from answers("BLAS", machine.blas)
    yield from answers("Cores", machine.cores)


def check_study(called: str, storage: str | None, data_dir: Path | None, n_workers: int | None) -> Iterator[Line]:
    """A study, and the machine as far as it needs it."""
    found = load_study(called)
    url = storage_url(found, storage)
    yield Line("Study", "ok", f"{found.file}, its results in {found.results}")
    kept: list[database.Stored] = []
    datasets: list[Dataset | None] = []

    def from_database() -> Iterator[Line]:
        yield from database.database(url)
        kept.append(database.read(found, storage))
        yield from database.trials(kept[0])
        yield from database.versions(kept[0])

    def data() -> Iterator[Line]:
        datasets.append(study.dataset_of(found, data_dir))
        yield from study.data(found, datasets[0], kept[0] if kept else database.Stored({}, {}))

    yield from answers("Database", from_database)
    yield from answers("Lock", lambda: database.lock(found, url))
    yield from answers("Data", data)
    dataset = datasets[0] if datasets else None
    need = Needs() if dataset is None else needs(study.shape_of(found, dataset, n_workers or available_cores()))
    other = "or choose another place for the study file"
    yield from answers("Memory", lambda: machine.memory(need.memory))
    yield from answers("Cache", lambda: machine.cache(need.least_cache, need.most_cache))
    yield from answers("Results", lambda: machine.disk("Results", found.results, need.results, need.results, other))
    yield from answers("Results", lambda: study.results(found, url))
    yield from answers("Curves", lambda: study.curves(found, kept[0] if kept else database.Stored({}, {})))


def check_up(called: str | None, storage: str | None, data_dir: Path | None, n_workers: int | None) -> list[Line]:
    """The lines for a study, or for the machine alone."""
    lines = list(check_machine())
    if called is None:
        return [*lines, *answers("Memory", machine.memory), *answers("Cache", machine.cache)]
    return [*lines, *answers("Study", lambda: check_study(called, storage, data_dir, n_workers))]
