"""status and reset."""

import json

import click

from bnsearch.cli.options import existing_store, json_option, storage_option, study_argument


@click.command(epilog="Example: bnsearch status digits")
@study_argument
@storage_option
@json_option
def status(study: str, storage: str | None, as_json: bool) -> None:
    """Show stages, trials by state, the best so far, and the looks at the test set."""
    from bnsearch.report.text import status_report
    from bnsearch.search.stages import status as take_stock
    from bnsearch.search.study_file import load_study

    resolved = load_study(study)
    store = existing_store(resolved, storage)
    rows, looks = take_stock(store), store.looks() if store is not None else []
    if as_json:
        click.echo(json.dumps(rows))
    else:
        status_report(resolved.name, rows, looks)


@click.command(epilog="Example: bnsearch reset digits --from fine")
@study_argument
@click.option(
    "--from",
    "stage",
    required=True,
    type=click.Choice(["coarse", "fine", "confirm", "final"]),
    help="The first stage to delete.",
)
@storage_option
@json_option
def reset(study: str, stage: str, storage: str | None, as_json: bool) -> None:
    """Delete a stage and all after it. Looks at the test set stay written down."""
    from bnsearch.search.lock import locked
    from bnsearch.search.stages import reset as delete
    from bnsearch.search.study_file import load_study

    resolved = load_study(study)
    if existing_store(resolved, storage) is None:
        deleted = []
    else:
        with locked(resolved.folder / f"{resolved.name}.lock", f"The study {resolved.name!r}"):
            deleted = delete(resolved, existing_store(resolved, storage), stage)
    if as_json:
        click.echo(json.dumps({"deleted": deleted}))
    else:
        click.echo(
            f"Deleted {', '.join(deleted)}." if deleted else f"Nothing of {resolved.name} to delete from {stage} on."
        )
