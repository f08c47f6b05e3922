"""doctor."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from bnsearch.cli.options import data_dir_option, json_option, storage_option

EXIT_FAILED = 2


@click.command(epilog="Example: bnsearch doctor digits", short_help="Look for what could keep a study from running.")
@click.argument("study", required=False)
@storage_option
@data_dir_option
@click.option(
    "--workers", type=click.IntRange(min=1), help="Worker processes to reckon with; as many as cores by default."
)
@json_option
@click.pass_context
def doctor(
    context: click.Context,
    study: str | None,
    storage: str | None,
    data_dir: Path | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """Check Python and its BLAS, memory and disk against what STUDY needs, its data, its database, and who uses it.

    Each line is ok, warn or fail, with a remedy; exit code 2 where one fails. Nothing is changed.
    """
    from bnsearch.search.checkup.all import check_up

    lines = check_up(study, storage, data_dir, workers)
    if as_json:
        click.echo(json.dumps([asdict(line) for line in lines]))
    else:
        from bnsearch.report.checkup import checkup_report

        checkup_report(lines)
    if any(line.state == "fail" for line in lines):
        context.exit(EXIT_FAILED)
