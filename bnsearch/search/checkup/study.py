"""A study: its data, what it needs, its results."""

from collections.abc import Iterator
from pathlib import Path

from bnsearch.core.network import Architecture
from bnsearch.data import cifar10
from bnsearch.data.dataset import Dataset
from bnsearch.data.load import load
from bnsearch.errors import ModelError
from bnsearch.model import load_model
from bnsearch.search.artifacts import read_curve
from bnsearch.search.beside import curve_path
from bnsearch.search.checkup.database import Stored
from bnsearch.search.checkup.line import Line, size
from bnsearch.search.checkup.needs import Shape
from bnsearch.search.materials import check_data, rows_of, with_velocity
from bnsearch.search.owner import check_owner
from bnsearch.search.setups import COMPARE, STAGES
from bnsearch.search.study_file import Study

DOWNLOAD_BYTES = 350_000_000  # the archive and what it holds


def dataset_of(study: Study, data_dir: Path | None) -> Dataset | None:
    """The checked training rows; None where they would have to be downloaded."""
    table = study.base.data
    if table.source == "cifar10" and cifar10.find(data_dir) is None:
        return None
    dataset = load(table.source, data_dir=data_dir, label=table.label, base=study.file.parent)
    check_data(study, dataset)
    return dataset


def data(study: Study, dataset: Dataset | None, stored: Stored) -> Iterator[Line]:
    """What was read, and whether it is what the stages were made with."""
    if dataset is None:
        remedy = f"let the first run do that ({size(DOWNLOAD_BYTES)}), or name their folder with --data-dir"
        yield Line("Data", "warn", "the files of CIFAR-10 are nowhere and have to be downloaded", remedy)
        return
    n, d = dataset.X.shape
    found = f"{study.base.data.source}: {n:,} training rows of {d:,} values, {len(dataset.classes)} classes"
    others = [s for s, attrs in stored.attrs.items() if attrs.get("data_fingerprint") != dataset.fingerprint]
    if others:
        remedy = f"bring back the data, or run `bnsearch reset {study.called} --from {others[0]}`"
        yield Line("Data", "fail", f"{found}, but others than {', '.join(others)} had", remedy)
    else:
        yield Line("Data", "ok", f"{found}, fingerprint {dataset.fingerprint[:12]}…")


def shape_of(study: Study, dataset: Dataset, n_workers: int) -> Shape:
    """What the study's needs depend on."""
    setups, tables = study.setups, study.tables
    n_trials = {
        "coarse": tables.coarse.total,
        "fine": 2 * tables.fine.total,  # a further level
        "confirm": 5 * tables.confirm.repeats,
        "final": tables.final.repeats,
    }
    n_models, variants = tables.final.repeats, study.comparison.variants if study.comparison else ()
    if study.comparison is not None:
        n_trials["compare"] = len(variants) * study.comparison.repeats
        n_models += 2 * n_trials["compare"]
    trained = [*(setups[stage] for stage in STAGES), *(variant.setup for variant in variants)]
    widest = max((setup.network.hidden for setup in trained), key=sum)
    _, (first, end) = rows_of(study.base.data, len(dataset.X))
    return Shape(
        n_rows=len(dataset.X),
        n_dimensions=dataset.X.shape[1],
        item_bytes=dataset.X.itemsize,
        n_valid=end - first,
        components=study.base.data.components,
        architecture=Architecture(dataset.X.shape[1], widest, len(dataset.classes)),
        with_velocity=with_velocity(study),
        n_lanes=max(n_trials.values()),
        n_trials=sum(n_trials.values()),
        n_parts=2 + tables.confirm.repeats,
        n_models=n_models,
        n_workers=n_workers,
    )


def results(study: Study, url: str) -> Iterator[Line]:
    """Whose the results folder is, and whether the models in it are whole."""
    check_owner(study, url)
    models = sorted((study.results / "models").glob("*.safetensors"))
    broken = []
    for path in models:
        try:
            load_model(path)
        except ModelError:
            broken.append(path.name)
    if broken:
        remedy = f"run `bnsearch final {study.called}`, which makes them anew without another look at the test set"
        if all(name.startswith(COMPARE) for name in broken):
            remedy = (
                f"bring back copies; else they can be tested only after `bnsearch reset {study.called} --from compare`"
            )
        yield Line("Models", "warn", f"{', '.join(broken)} of {len(models)} cannot be read", remedy)
    elif models:
        yield Line("Models", "ok", f"{len(models)}, all whole")


def curves(study: Study, stored: Stored) -> Iterator[Line]:
    """Has each trial that is over its learning curve? Those of the last moments before a power cut may be empty."""
    wanted = [(stage, number) for stage, numbers in stored.over.items() for number in numbers]
    lost = [f"{stage}-{number}" for stage, number in wanted if not read_curve(curve_path(study, stage, number))]
    if lost:
        found = f"{len(lost)} of {len(wanted)} are gone or damaged, such as {lost[0]}"
        remedy = "none is needed to go on; the accuracies of their epochs are in the database (`bnsearch show`)"
        yield Line("Curves", "warn", found, remedy)
    elif wanted:
        yield Line("Curves", "ok", f"{len(wanted)}, all there")
