"""status and reset."""

import json
from typing import TYPE_CHECKING

import click

from bnsearch.cli.options import json_option, storage_option, study_argument
from bnsearch.errors import UsageError

if TYPE_CHECKING:
    from bnsearch.search.study_file import Study


@click.command(epilog="Example: bnsearch status digits", short_help="Show how far the stages are and what they found.")
@study_argument
@click.option("--follow", "-f", "following", is_flag=True, help="First show the run under way, until it ends.")
@storage_option
@json_option
def status(study: str, following: bool, storage: str | None, as_json: bool) -> None:
    """Show stages, trials by state, the best so far, and the looks at the test set."""
    from bnsearch.search.study_file import load_study

    resolved = load_study(study)
    if following:
        _follow(resolved, storage)
    from bnsearch.report.findings import with_findings
    from bnsearch.report.text import how_to_see, status_report
    from bnsearch.search.session import existing_store
    from bnsearch.search.stages import status as take_stock

    with existing_store(resolved, storage) as store:
        rows = with_findings(take_stock(store, study, resolved.results))
    if as_json:
        click.echo(json.dumps(rows))
    else:
        status_report(study, rows, how_to_see(study, storage), first=resolved.first_command)


def _follow(study: "Study", storage: str | None) -> None:
    from bnsearch.cli.follow import follow
    from bnsearch.search.following import followed

    with followed(study, storage) as found:
        if found is None or not follow(found):
            click.echo(f"No process is at work on {study.called}.", err=True)


@click.command(epilog="Example: bnsearch reset digits --from fine", short_help="Delete a stage and all after it.")
@study_argument
@click.option(
    "--from",
    "stage",
    required=True,
    type=click.Choice(["coarse", "fine", "confirm", "final", "compare"]),
    help="The first stage to delete.",
)
@storage_option
@json_option
def reset(study: str, stage: str, storage: str | None, as_json: bool) -> None:
    """Delete a stage and all after it. Looks at the test set stay written down."""
    from bnsearch.search.study_file import load_study

    resolved = load_study(study)
    from bnsearch.search.session import store_to_change
    from bnsearch.search.stages import reset as delete

    with store_to_change(resolved, storage) as store:
        deleted = [] if store is None else delete(resolved, store, stage)
    if not deleted:
        raise UsageError(f"There must be something to delete, but {study} has nothing from {stage} on.")
    click.echo(json.dumps({"deleted": deleted}) if as_json else f"Deleted {', '.join(deleted)}.")
