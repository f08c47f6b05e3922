"""plan: what a search will take, and what fits into a budget."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bnsearch.cli.duration import duration
from bnsearch.cli.options import Chosen, session_options, study_argument
from bnsearch.errors import UsageError

if TYPE_CHECKING:
    from bnsearch.search.study_file import Study


@click.command(
    epilog="Example: bnsearch plan digits --budget 2m", short_help="How long it will take; what fits into a budget."
)
@study_argument
@click.option("--budget", type=duration, help="Propose totals that fit into this time: 90s, 30m, 1h30m.")
@click.option(
    "--write",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write what fits into a new study file, which begins anew.",
)
@session_options
def plan(study: str, budget: float | None, write: Path | None, as_json: bool, **options: Any) -> None:
    """Measure a few steps and say how long each stage will take. Nothing is trained, and no database written."""
    began, chosen = time.monotonic(), Chosen(study, **options)
    resolved = chosen.load_search()  # before the slow imports, so that a mistake in it is said at once
    from bnsearch.report.planned import plan_report
    from bnsearch.search.forecast import open_forecast
    from bnsearch.search.foreseen import foresee, propose
    from bnsearch.search.new_file import check_new
    from bnsearch.search.remaining import Stored

    if write is not None:
        if budget is None:
            raise UsageError("--write must come with --budget, for it writes what fits into one: add --budget 30m.")
        check_new(write)
    proposal = None
    with chosen.means() as means, open_forecast(resolved, began, **means) as (forecast, stored):
        found = foresee(forecast, stored)
        if budget is not None:
            proposal = propose(forecast, stored if write is None else Stored(), budget)
    if proposal is not None:
        proposal |= _how_to_run(chosen, resolved, proposal, write)
    found = {
        "study": study,
        "workers": forecast.materials.n_workers,
        **found,
        "not_foreseen": _not_foreseen(resolved),
        "proposal": proposal,
    }
    if as_json:
        click.echo(json.dumps(found))
    else:
        plan_report(found)


def _not_foreseen(study: "Study") -> dict[str, int] | None:
    """A comparison, which lies beside the chain and is not in the times."""
    comparison = study.comparison
    return None if comparison is None else {"variants": len(comparison.variants), "repeats": comparison.repeats}


def _how_to_run(chosen: Chosen, study: "Study", proposal: dict[str, Any], write: Path | None) -> dict[str, Any]:
    """A proposal as a command, and if wanted in a file."""
    from bnsearch.report.planned import too_little
    from bnsearch.search.new_file import write_study

    if write is None:
        return {"command": chosen.command("run", **proposal["set"]) if proposal["fits"] else None, "written": None}
    if not proposal["fits"]:
        raise UsageError(too_little(proposal))
    write_study(study, chosen.all_overrides, proposal["set"] | proposal["rungs"], write)
    written = replace(chosen, study=str(write), overrides=(), seed=None)
    return {"command": written.command("run"), "written": str(write)}
