"""coarse, fine, confirm, final, and run: all that is missing; compare, beside them."""

import json
import time
from typing import TYPE_CHECKING, Any

import click

from bnsearch.cli.duration import duration
from bnsearch.cli.options import Chosen, repeats_option, session_options, study_argument, trials_option

if TYPE_CHECKING:
    from bnsearch.search.setups import Stage


def _stage(stage: "Stage", chosen: Chosen, as_json: bool, more: tuple[str, ...]) -> None:
    """Run one stage and print what it found."""
    study = chosen.load_search(*more)  # before the slow imports, so that a mistake in it is said at once
    from bnsearch.report.answer import answer
    from bnsearch.report.findings import with_findings
    from bnsearch.report.text import how_to_see, stage_report
    from bnsearch.search.setups import STAGE_OF
    from bnsearch.search.stages import check_order, run_stage, status

    check_order(study, chosen.storage, stage)
    with chosen.session(study) as session:
        worked = run_stage(session, stage)
        rows, database = with_findings(status(session.store, study.called, study.results)), session.store.url
    own = [row for row in rows if STAGE_OF.get(row["stage"]) == stage]  # a comparison lies beside them
    if as_json and stage == "final":
        click.echo(json.dumps(answer(study.name, rows, database)))
    elif as_json:
        further = {"further": own[1:]} if stage == "fine" else {}
        click.echo(json.dumps({**own[0], **further, "database": database}))
    else:
        stage_report(own, worked, database, how_to_see(study.called, chosen.storage))


@click.command(epilog="Example: bnsearch coarse digits --trials 40")
@study_argument
@trials_option
@session_options
def coarse(study: str, trials: int | None, as_json: bool, **options: Any) -> None:
    """Search the wide space of a study file."""
    _stage("coarse", Chosen(study, **options), as_json, () if trials is None else (f"coarse.trials={trials}",))


@click.command(epilog="Example: bnsearch fine digits")
@study_argument
@trials_option
@session_options
def fine(study: str, trials: int | None, as_json: bool, **options: Any) -> None:
    """Search around what coarse found, and once more beyond an end where the best lies again."""
    _stage("fine", Chosen(study, **options), as_json, () if trials is None else (f"fine.trials={trials}",))


@click.command(
    epilog="Example: bnsearch confirm digits --repeats 8", short_help="Train the best and the default afresh; choose."
)
@study_argument
@repeats_option
@session_options
def confirm(study: str, repeats: int | None, as_json: bool, **options: Any) -> None:
    """Train the finalists and the default again on new rows, weights and orders, and choose."""
    _stage("confirm", Chosen(study, **options), as_json, () if repeats is None else (f"confirm.repeats={repeats}",))


@click.command(epilog="Example: bnsearch final digits --json", short_help="Retrain the winner; look at the test set.")
@study_argument
@repeats_option
@session_options
def final(study: str, repeats: int | None, as_json: bool, **options: Any) -> None:
    """Retrain the winner and look at the test set, once; confirms first where that is missing."""
    _stage("final", Chosen(study, **options), as_json, () if repeats is None else (f"final.repeats={repeats}",))


@click.command(epilog="Example: bnsearch run digits --budget 10m", short_help="Run every stage that is missing.")
@study_argument
@click.option("--budget", type=duration, help="Begin nothing that will not fit into this time: 90s, 30m, 1h30m.")
@session_options
def run(study: str, budget: float | None, as_json: bool, **options: Any) -> None:
    """Run every stage that is missing, and sum up."""
    began, chosen = time.monotonic(), Chosen(study, **options)
    resolved = chosen.load_search()  # as above
    from bnsearch.cli.report import save
    from bnsearch.report.answer import answer, so_far
    from bnsearch.report.findings import with_findings
    from bnsearch.report.planned import left_out_report
    from bnsearch.report.report import FILE, report
    from bnsearch.report.text import how_to_see, run_report
    from bnsearch.search.budget import run_within
    from bnsearch.search.stages import run_all, status

    with chosen.session(resolved) as session:
        outcome = None if budget is None else run_within(session, budget, began)
        worked = any(run_all(session).values()) if outcome is None else outcome.worked
        rows, database = with_findings(status(session.store, study, resolved.results)), session.store.url
        begun = any(row["total"] for row in rows)  # or there was time for nothing
        page = report(resolved, session.store, ours=True) if begun else None
    path, seen = resolved.results / FILE, how_to_see(study, chosen.storage)
    if page is not None:
        save(page, path)
    left_out = outcome.left_out if outcome is not None else ()
    if as_json:
        found = so_far(resolved.name, rows, database) if left_out else answer(resolved.name, rows, database)
        found["report"] = None if page is None else str(path)
        click.echo(json.dumps(found if outcome is None else found | {"left_out": left_out}))
    elif outcome is not None and left_out:
        left_out_report(rows, vars(outcome), database, seen)
    else:
        run_report(study, rows, database, resolved.results, (path, seen), worked)
