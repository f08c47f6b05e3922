"""The page: all parts that have figures, as Markdown."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import jinja2

from benchmarks.reproduction import targets
from benchmarks.reproduction.ours import NotRun, Runs
from benchmarks.reproduction.part import Part
from benchmarks.reproduction.sections import (
    final,
    gradients,
    grids,
    layers,
    networks,
    overfit,
    search,
    sensitivity,
    spike,
)
from bnsearch.errors import ModelError

B17 = "B17: Baldassarre, 3 May 2017"
N19 = "N19: Nicolai, 29 April 2019"
PARTS: dict[str, Sequence[Callable[[Runs], Part]]] = {
    B17: (
        gradients.b17,
        overfit.overfit,
        overfit.slow,
        spike.spike,
        layers.depth,
        grids.coarse,
        grids.fine,
        final.final,
        layers.speed,
    ),
    N19: (gradients.n19, networks.networks, search.search, search.final, sensitivity.sensitivity),
}
SUMMARY = """How to read it: figures are mean ± standard deviation over the seeds (`repeat` 1, 2, …, each with its own
initial weights and order of the rows), accuracies in percent. "Rows" names the Optuna study and the trials whose
attributes a figure is made of: `bnsearch show b17-speed compare-6` prints one. What is said of epochs, of training
while it goes on ("in training") and of the start comes from the same trials' curves, which lie beside the database:
`studies/b17-speed/curves/compare-00006.csv` is that of `b17-speed.compare` 6. Gradient checks have no database: each
file in `checks/` names its command, version and revision. Test accuracies come from `--test` and
`final` alone, which write each look down first; no setting was chosen by them, and where the
highest of several ways is named, it is said that it was picked by test. Exact moments are those of all training
rows under the last weights (`bn_statistics = "population"`), moving averages what the reports evaluate with. Curves
show the mean of the seeds with a band of one standard deviation, unless each seed is a line."""


PIXELS = {"0bc9ecdb43d8": ", pixels JPEG-compressed at quality 75"}  # of data that are not as published


def write(runs: Runs, drawn: Collection[str], said: str) -> tuple[str, list[str]]:
    """The page's text, and what it lacks; said: how the runs differ from those of `make reproduce`, if they do."""
    reports, lacks = [], []
    for report, functions in PARTS.items():
        parts = []
        for function in functions:
            try:
                parts.append(function(runs))
            except (NotRun, ModelError) as missing:  # a model may be of an older version
                lacks.append(f"{function.__module__.rpartition('.')[2]}.{function.__name__}: run {missing}")
        reports.append((report, parts))
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown
    )
    environment.filters["commands"] = commands
    text = environment.get_template("page.md").render(
        head=head(runs, said),
        targets=targets.table(runs, judged=not said).markdown(),
        missed="" if said else targets.missed(runs),
        summary=SUMMARY,
        reports=reports,
        drawn=drawn,
    )
    return text, lacks


def head(runs: Runs, said: str) -> str:
    """What made the page, without a date: the same databases give the same page."""
    found = {key: ", ".join(sorted(values)) or "none" for key, values in runs.provenance.items()}
    data = sorted(one[:12] for one in runs.provenance["data_fingerprint"])
    fingerprints = ", ".join(f"{one}…{PIXELS.get(one, '')}" for one in data) or "none"
    return (
        "This page is made by `make reproduce` from the databases of the runs that it names; do not edit it. It sets "
        "the figures of the two course reports from which bnsearch grew beside what bnsearch finds with their settings "
        f"on CIFAR-10 (fingerprint {fingerprints}; version {found['version']}, revision {found['revision']}, seed "
        f"{found['seed']}).{said}"
    )


def commands(texts: Sequence[str]) -> str:
    """As a block for a terminal."""
    return "\n".join(["```sh", *(f"bnsearch {text}" for text in texts), "```"])
